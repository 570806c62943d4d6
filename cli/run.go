package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	urfave "github.com/urfave/cli/v2"

	"github.com/distributed-trust/distrust/cli/render"
)

func runCommand(*Env) *Command {
	return &Command{
		Name: "run", Operands: "FILE [ARGS...]", Min: 1, Max: Any, Ends: AtFirstOperand, Group: Decide,
		Summary: "run a program, the very bytes that were checked",
		Text: `FILE is a program or a script that begins with #!, and may be executed. It is copied into a private folder while it is ` +
			`checked, and the copy is what runs: what happens to FILE meanwhile changes nothing. It keeps your streams, terminal, ` +
			`folder, environment and process group, and gets the signals that we get. All behind FILE is passed on unread. ` +
			`The exit code is its own, or 128 and the number of the signal that ended it.` + "\n\n" +
			`A script sees the path of the copy as its name ($0), a program that looks for files beside itself finds none, and the ` +
			`copy is removed when it ends. Whatever else it loads was not checked.` + "\n\n" + questionText + "\n\n" + signatureText,
		Flags: append(append([]urfave.Flag{forFlag()}, signatureFlags()...), keyFlags()...),
		Examples: []Example{
			{"distrust run ./install.sh --prefix ~/.local", "ask once when nobody knows it, then run it"},
			{"distrust run --for generic:just ./just --list", "and is it what it is said to be?"},
			{"distrust run --no-input ./install.sh", "in a script: only when it is trusted already"},
		},
		Exits: []Exit{NotRun, NotExecutable, NotFound},
		Run: func(ctx context.Context, in *Invocation) (Exit, error) {
			exit, err := runFile(ctx, in)
			return exit, notStarted(err)
		},
	}
}

// runFile runs a copy of the file that it checked.
func runFile(ctx context.Context, in *Invocation) (Exit, error) {
	file := in.Operands[0]
	if err := runnable(file); err != nil {
		return NotExecutable, err
	}
	caught := catchSignals()
	defer caught.release()
	h, err := holdProgram(filepath.Base(file))
	if err != nil {
		return NotRun, err
	}
	defer in.forget(h)
	exit, err := in.admitInto(ctx, h, file)
	if err != nil || exit != Done {
		return NotRun, err
	}
	return in.start(caught, process{path: h.path, args: in.Operands, stdin: in.Env.Stdin})
}

// runnable says why a file cannot be executed, before anybody is asked about it. Its own permission
// counts, though a copy is what runs.
func runnable(file string) error {
	if file == "-" {
		return usagef("run takes a file: for what comes through a pipe there is distrust pipe -- sh")
	}
	if err := needsBytes(file); err != nil {
		return err
	}
	info, err := os.Stat(file)
	var at *fs.PathError
	if errors.As(err, &at) {
		err = fmt.Errorf("running %s: %w", file, at.Err)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fail(NotFound, err, "check the path: it is read from the current folder")
	case err != nil:
		return fail(NotExecutable, err, "check the path, and who may read the folders above")
	case !info.Mode().IsRegular():
		return fail(NotExecutable, fmt.Errorf("running %s: it is no regular file", file), "name a program, or pipe it: distrust pipe -- sh < FILE")
	case !mayExecute(file):
		return fail(NotExecutable, fmt.Errorf("running %s: it may not be executed", file),
			"give it to a shell (distrust pipe -- sh < FILE), or say that it is a program",
			append(render.Words("chmod", "+x"), render.File(file, ""))...)
	}
	return nil
}
