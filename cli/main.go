package cli

import (
	"context"
	"flag"
	"fmt"
	"io"
	"runtime/debug"
	"strings"

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
	reserveStack(len(args) % stackNeeded)
	inner := withCheckedOutput(env)
	args = args[min(1, len(args)):]
	exit, err := dispatch(context.Background(), inner, programFor(inner, args), args)
	if err != nil {
		exit = inner.complain(err)
	}
	if failure := inner.Stdout.(*checkedWriter).failure; failure != nil && exit == Done {
		exit = inner.complain(fmt.Errorf("writing output: %w", failure))
	}
	return int(exit)
}

// stackNeeded is as much stack as a check takes at most.
const stackNeeded = 20 << 10

// reserveStack has the stack grow while hardly anything lies on it. Where it grows deep inside a check, the
// runtime moves every frame, and for each reads tables of the program that nothing else needs: some hundredths of a
// check's processor time, and a MiB of memory.
//
//go:noinline
func reserveStack(at int) byte {
	var room [stackNeeded]byte
	return room[at]
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

// run lets the flags of urfave/cli read what was given, which is in order now, and runs the command. Its
// App is left out: it would print texts of its own to standard output (C1), and the templates that it makes
// them with reach for methods by name, for which the linker keeps every method of every type.
func run(ctx context.Context, env *Env, c *Command, p parsed) (Exit, error) {
	if !c.Killable {
		heeding, stop := env.Interruptible(ctx)
		defer stop()
		ctx = heeding
	}
	set := flag.NewFlagSet("distrust", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	for _, f := range c.allFlags() {
		if err := f.Apply(set); err != nil {
			return Usage, err
		}
	}
	if err := set.Parse(p.flags); err != nil {
		return Usage, usagef("%s", strings.ReplaceAll(err.Error(), " for flag -", " for --"))
	}
	in := &Invocation{
		Env: env, Command: c, Operands: p.operands, flags: urfave.NewContext(nil, set, nil),
		Stdout: env.Style(env.Stdout), Stderr: env.Style(env.Stderr),
	}
	exit, err := c.Run(ctx, in)
	if err == nil && c.Group == Decide {
		in.remind()
	}
	return exit, err
}
