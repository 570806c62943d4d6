package cli

import (
	"context"
	"fmt"
	"os"

	"github.com/distributed-trust/distrust/records/home"
	"github.com/distributed-trust/distrust/records/source"
)

func gitCommand(*Env) *Command {
	return &Command{
		Name: "git", Operands: "ARG...", Min: 0, Max: Any, Ends: Raw, Group: Own,
		Summary: "run git in your home",
		Text:    `Everything behind git is passed on unread, and its exit code is ours.`,
		Examples: []Example{
			{"distrust git log --stat", "what was said when"},
			{"distrust git remote -v", "where it is published"},
		},
		Exits: []Exit{NotSetUp},
		Run:   runGit,
	}
}

// runGit runs the user's git with our streams.
func runGit(_ context.Context, in *Invocation) (Exit, error) {
	m, err := in.machine()
	if err != nil {
		return Failed, err
	}
	dir := m.defaultHome()
	if _, err := os.Stat(dir); err != nil {
		return NotSetUp, fmt.Errorf("opening home %s: %w", dir, home.ErrNoHome)
	}
	program, err := in.Env.LookPath("git")
	if err != nil {
		return Failed, fmt.Errorf("running git: %w", err)
	}
	caught := catchSignals()
	defer caught.release()
	return in.start(caught, process{path: program, args: append([]string{"git"}, in.Operands...), dir: dir, stdin: in.Env.Stdin})
}

// userGit is git for the sources that want it (S3.6).
func (e *Env) userGit() source.Git {
	program, err := e.LookPath("git")
	if err != nil {
		return source.Git{} // which says so, when a source wants it
	}
	return source.Git{Path: program, Environ: e.Environ()}
}
