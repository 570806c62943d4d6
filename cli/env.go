// Package cli is the command line of distrust: one file a command, the exit codes, and the
// next step for every error.
//
// It speaks the contract of docs/cli.md (clauses C1 to C7): results on standard output, all
// else on standard error, flags before or after operands, only exit code 0 means go on. It is
// the only package that sees arguments, environment, clock and terminal; they come in once,
// as an [Env].
package cli

import (
	"context"
	"io"
	"os"
	"time"

	"github.com/distributed-trust/distrust/cli/config"
	"github.com/distributed-trust/distrust/cli/render"
)

// Env is everything that the program takes from the operating system. [OS] makes the real one;
// tests make their own. Every field must be set.
type Env struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer

	Getenv        func(name string) string
	Environ       func() []string                                 // for commands that we start
	LookPath      func(program string) (string, error)            // finds git, ssh-keygen and the like
	Executable    func() (string, error)                          // this very program
	Getwd         func() (string, error)                          // the current folder
	UserHome      func() (string, error)                          // the user's home folder
	Now           func() time.Time                                // the clock
	OpenTTY       func() (*os.File, error)                        // the controlling terminal, for questions
	IsTerminal    func(stream any) bool                           // whether a stream above is a terminal
	Columns       func(stream any) int                            // width of a stream that is one; 0 when unknown
	AtPrompt      func() bool                                     // whether this command was typed at a shell's prompt, and no script runs it
	Interruptible func(context.Context) (context.Context, func()) // cancelled by the first interrupt, too
	Build         func() Build                                    // which program this is
}

// Build says which program this is.
type Build struct {
	Version string // "v0.1.0", or "devel"
	Commit  string // of the source, when known
	Go      string // "go1.26.8"
	System  string // "linux/amd64"
}

// Dirs says where our files lie on this machine (C7).
func (e *Env) Dirs() (config.Dirs, error) {
	dirs, err := config.Locate(e.Getenv, e.UserHome)
	if err != nil {
		return dirs, err
	}
	return dirs, dirs.Usable()
}

// Style says how text for people is written to stream, one of Stdout and Stderr (C1).
func (e *Env) Style(stream io.Writer) render.Style {
	style := render.Style{Width: render.DefaultWidth, Now: e.Now()}
	style.Sentences = e.Getenv("TERM") == "dumb"
	if !e.IsTerminal(stream) {
		return style
	}
	style.Color = e.Getenv("NO_COLOR") == "" && !style.Sentences
	if columns := e.Columns(stream); columns > 0 {
		style.Width = columns
	}
	return style
}
