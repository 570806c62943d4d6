package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strings"
	"time"

	urfave "github.com/urfave/cli/v2"

	"github.com/distributed-trust/distrust/cli/render"
)

// Main runs the program: args are those of the process, the program's name first. It returns
// the exit code (C2) and never panics: a panic is said and becomes [Failed].
func Main(args []string, env *Env) (code int) {
	defer func() {
		if cause := recover(); cause != nil {
			code = int(env.crashed(cause, debug.Stack()))
		}
	}()
	ctx, stop := env.Context()
	defer stop()
	inner := withCheckedOutput(env)
	exit, err := dispatch(ctx, inner, program(inner), args[min(1, len(args)):])
	if err != nil {
		exit = inner.complain(err)
	}
	if failure := inner.Stdout.(*checkedWriter).failure; failure != nil && exit == Done {
		exit = inner.complain(fmt.Errorf("writing output: %w", failure))
	}
	return int(exit)
}

// withCheckedOutput is env with a standard output that remembers its first error. Whether that is
// a terminal is still asked about the stream itself.
func withCheckedOutput(env *Env) *Env {
	inner := *env
	inner.Stdout = &checkedWriter{Writer: env.Stdout}
	inner.IsTerminal = func(stream any) bool { return env.IsTerminal(unwrap(stream)) }
	inner.Columns = func(stream any) int { return env.Columns(unwrap(stream)) }
	return &inner
}

// unwrap gives the stream that a checkedWriter writes to.
func unwrap(stream any) any {
	if w, ok := stream.(*checkedWriter); ok {
		return w.Writer
	}
	return stream
}

// crashed says that the program itself is wrong, with what its authors need to know.
func (e *Env) crashed(cause any, stack []byte) Exit {
	e.say(fmt.Sprintf("error: internal: %v", cause))
	for line := range strings.Lines(string(stack)) {
		e.say(strings.TrimRight(strings.ReplaceAll(line, "\t", "  "), "\n"))
	}
	e.hint(render.Hint{Text: "this is a mistake of the program: please report it with the lines above"})
	return Failed
}

// dispatch finds the command that args name below root and runs it.
func dispatch(ctx context.Context, env *Env, root *Command, args []string) (Exit, error) {
	if len(args) == 0 {
		printOverview(env.Stderr, root)
		return Usage, nil
	}
	if args[0] == "--version" {
		args = []string{"version"}
	}
	r, err := resolve(root, args)
	if err != nil {
		return Usage, err
	}
	p, err := r.command.parse(r.path, r.lead, r.args)
	if err != nil {
		return Usage, err
	}
	if p.help {
		printCommand(env.Stdout, root, r.command, r.path)
		return Done, nil
	}
	if r.command.Run == nil {
		return Usage, needsHelp(r.path, "%s needs a command", strings.TrimSpace("distrust "+r.path))
	}
	return run(ctx, env, r.command, p)
}

// run lets urfave/cli parse the flags, which are in order now, and runs the command. The library
// prints nothing and ends nothing: its texts would go to standard output (C1).
func run(ctx context.Context, env *Env, c *Command, p parsed) (exit Exit, err error) {
	app := &urfave.App{
		Name: "distrust", Usage: "-",
		Flags:    c.allFlags(),
		HideHelp: true, HideVersion: true,
		DisableSliceFlagSeparator: true,
		Reader:                    env.Stdin, Writer: io.Discard, ErrWriter: io.Discard,
		Compiled:       time.Unix(1, 0), // unset, it would look at the program's file
		ExitErrHandler: func(*urfave.Context, error) {},
		OnUsageError: func(_ *urfave.Context, err error, _ bool) error {
			return usagef("%s", strings.ReplaceAll(err.Error(), " for flag -", " for --"))
		},
		Action: func(flags *urfave.Context) error {
			in := &Invocation{
				Env: env, Command: c, Operands: p.operands, flags: flags,
				Stdout: env.Style(env.Stdout), Stderr: env.Style(env.Stderr),
			}
			exit, err = c.Run(flags.Context, in)
			if err == nil && c.Group == Decide {
				in.remind()
			}
			return err
		},
	}
	if failure := app.RunContext(ctx, append([]string{app.Name}, p.flags...)); failure != nil {
		var problem *Problem
		if err == nil && errors.As(failure, &problem) {
			exit = problem.Exit
		}
		return exit, failure
	}
	return exit, nil
}
