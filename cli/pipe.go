package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"slices"

	urfave "github.com/urfave/cli/v2"

	"github.com/distributed-trust/distrust/cli/render"
)

func pipeCommand(*Env) *Command {
	named := func(f urfave.Flag) bool { return f.Names()[0] == sumsFlagName } // what comes through a pipe is in no list
	return &Command{
		Name: "pipe", Operands: "CMD...", Min: 1, Max: Any, Ends: CommandAfter, Group: Decide,
		Summary: "hand standard input to a command once it was checked",
		Text: `Reads standard input to its end, decides about it, and only then starts CMD with these very bytes as its standard ` +
			`input: half a script, from a download that broke off, is never begun. The bytes wait in a private file without a ` +
			`name. CMD has your other streams, terminal, folder, environment and process group, and gets the signals that we get; the ` +
			`exit code is its own, or 128 and the number of the signal that ended it. It is itself found in PATH and not checked.` + "\n\n" + questionText,
		Flags: slices.Concat([]urfave.Flag{forFlag(), maxSizeFlag()}, slices.DeleteFunc(signatureFlags(), named), keyFlags()),
		Examples: []Example{
			{"curl -fsSL https://example.org/install.sh | distrust pipe -- sh", "instead of curl | sh"},
			{"curl -fsSL https://example.org/install.sh | distrust pipe -- sh -s -- --yes", "with arguments for the script"},
			{"distrust pipe --for generic:just -- tar xz < just.tar.gz", "unpack only what is trusted"},
		},
		Exits: []Exit{NotRun, NotExecutable, NotFound},
		Run: func(ctx context.Context, in *Invocation) (Exit, error) {
			exit, err := runPipe(ctx, in)
			return exit, notStarted(err)
		},
	}
}

// runPipe starts a command on a copy of the input that it checked.
func runPipe(ctx context.Context, in *Invocation) (Exit, error) {
	program, err := in.program(in.Operands[0])
	if err != nil {
		return NotFound, err
	}
	caught := catchSignals()
	defer caught.release()
	most, err := in.maxSize()
	if err != nil {
		return Usage, err
	}
	h, err := hold(most)
	if err != nil {
		return NotRun, err
	}
	defer in.forget(h)
	exit, err := in.admitInto(ctx, h, "-")
	if err != nil || exit != Done {
		return NotRun, err
	}
	return in.start(caught, process{path: program, args: in.Operands, stdin: h.in})
}

// program finds a command as a shell does.
func (in *Invocation) program(name string) (string, error) {
	path, err := in.Env.LookPath(name)
	switch {
	case err == nil:
		return path, nil
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, fs.ErrNotExist):
		return "", fail(NotFound, fmt.Errorf("running %s: it is not there", name), "check the name, and PATH")
	case errors.Is(err, exec.ErrDot):
		return "", fail(NotExecutable, fmt.Errorf("running %s: it is only in the current folder", name), "name it as such",
			render.Word("./"+name))
	}
	return "", fail(NotExecutable, fmt.Errorf("running %s: it is not a program that you may execute", name), "check who may execute it")
}
