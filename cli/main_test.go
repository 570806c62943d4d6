package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	urfave "github.com/urfave/cli/v2"
)

// testEnv is a world with nothing in it.
func testEnv() *Env {
	nothing := errors.New("not in this test")
	return &Env{
		Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: io.Discard,
		Getenv:        func(string) string { return "" },
		Environ:       func() []string { return nil },
		LookPath:      func(string) (string, error) { return "", nothing },
		Executable:    func() (string, error) { return "", nothing },
		Getwd:         func() (string, error) { return "", nothing },
		UserHome:      func() (string, error) { return "", nothing },
		Now:           func() time.Time { return time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC) },
		OpenTTY:       func() (*os.File, error) { return nil, nothing },
		IsTerminal:    func(any) bool { return false },
		Columns:       func(any) int { return 0 },
		AtPrompt:      func() bool { return false },
		Interruptible: func(ctx context.Context) (context.Context, func()) { return ctx, func() {} },
		Build:         func() Build { return Build{Version: "v1.2.3", Commit: "abc", Go: "go1.26", System: "plan9/mips"} },
	}
}

// result is what a run of the program left behind.
type result struct {
	exit           int
	stdout, stderr string
}

// runProgram runs the whole program.
func runProgram(env *Env, args ...string) result {
	var stdout, stderr bytes.Buffer
	if env.Stdout == io.Discard {
		env.Stdout = &stdout
	}
	env.Stderr = &stderr
	exit := Main(append([]string{"distrust"}, args...), env)
	return result{exit, stdout.String(), stderr.String()}
}

func TestMainPrints(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]result{
		"version":        {0, "distrust v1.2.3 (abc), format 1, go1.26, plan9/mips\n", ""},
		"--version":      {0, "distrust v1.2.3 (abc), format 1, go1.26, plan9/mips\n", ""},
		"version --json": {0, `{"version":"v1.2.3","commit":"abc","format":1,"go":"go1.26","system":"plan9/mips"}` + "\n", ""},
		"nonsense":       {2, "", "distrust: error: unknown command \"nonsense\"; see: distrust help\n"},
		"version --jsno": {2, "", "distrust: error: unknown flag \"--jsno\", did you mean: --json\n"},
		"version x":      {2, "", "distrust: error: version takes no operand, and got 1\ndistrust: hint: distrust version --help\n"},
		"completion":     {2, "", "distrust: error: completion needs bash|zsh|fish\ndistrust: hint: distrust completion --help\n"},
		"completion csh": {2, "", "distrust: error: no completion for \"csh\": bash, zsh or fish\n"},
		"help exit-cods": {2, "", "distrust: error: no help for \"exit-cods\", did you mean: distrust help exit-codes\n"},
		"help verify":    {2, "", "distrust: error: no help for \"verify\", did you mean: distrust help check\n"},
		"help key x":     {2, "", "distrust: error: no help for \"key x\"; see: distrust help\n"},
	} {
		if got := runProgram(testEnv(), strings.Fields(line)...); got != want {
			t.Errorf("%s: got %+v, want %+v", line, got, want)
		}
	}
	got := runProgram(testEnv())
	if got.exit != 2 || got.stdout != "" || !strings.HasPrefix(got.stderr, "usage: distrust COMMAND") {
		t.Errorf("without a command: %+v", got)
	}
	got = runProgram(testEnv(), "evil\x1b[2J\nname")
	if want := "distrust: error: unknown command \"evil\\x1b[2J\\nname\"; see: distrust help\n"; got.stderr != want {
		t.Errorf("got %q, want %q", got.stderr, want)
	}
}

// broken is a stream that cannot be written.
type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("disk full") }

// TestUnprintedIsNotDone ends with a failure when what was to be said could not be.
func TestUnprintedIsNotDone(t *testing.T) {
	t.Parallel()
	env := testEnv()
	env.Stdout = broken{}
	got := runProgram(env, "help")
	if got.exit != 1 || got.stderr != "distrust: error: writing output: disk full\n" {
		t.Errorf("got %+v", got)
	}
}

// TestPanic becomes exit 1: 2 is for the runtime's own crashes, and no verdict.
func TestPanic(t *testing.T) {
	t.Parallel()
	env := testEnv()
	env.Now = func() time.Time { panic("no clock\x1b") }
	got := runProgram(env, "version")
	if got.exit != 1 || got.stdout != "" {
		t.Errorf("exit %d, output %q", got.exit, got.stdout)
	}
	if !strings.HasPrefix(got.stderr, "distrust: error: internal: no clock\\x1b\n") || !strings.Contains(got.stderr, "main_test.go") ||
		!strings.HasSuffix(got.stderr, "please report it with the lines above\n") {
		t.Errorf("said %q", got.stderr)
	}
}

func TestInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	root := &Command{Sub: []*Command{{
		Name: "wait", Run: func(ctx context.Context, _ *Invocation) (Exit, error) { return Done, ctx.Err() },
	}}}
	if _, err := dispatch(ctx, testEnv(), root, []string{"wait"}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v: the context does not reach the command", err)
	}
}

// TestKillable: only commands that leave something to put in order listen for interrupts.
func TestKillable(t *testing.T) {
	t.Parallel()
	for _, killable := range []bool{false, true} {
		listens := false
		env := testEnv()
		env.Interruptible = func(ctx context.Context) (context.Context, func()) {
			listens = true
			return ctx, func() {}
		}
		run := func(context.Context, *Invocation) (Exit, error) { return Done, nil }
		root := &Command{Sub: []*Command{{Name: "wait", Killable: killable, Run: run}}}
		if _, err := dispatch(t.Context(), env, root, []string{"wait"}); err != nil || listens == killable {
			t.Errorf("killable: %v, and it listens: %v, %v", killable, listens, err)
		}
	}
}

func TestStyle(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name      string
		env       map[string]string
		terminal  bool
		columns   int
		width     int
		color     bool
		sentences bool
	}{
		{name: "pipe", width: 80},
		{name: "terminal", terminal: true, columns: 132, width: 132, color: true},
		{name: "terminal of unknown width", terminal: true, width: 80, color: true},
		{name: "NO_COLOR", terminal: true, width: 80, env: map[string]string{"NO_COLOR": "1"}},
		{name: "dumb", terminal: true, width: 80, env: map[string]string{"TERM": "dumb"}, sentences: true},
		{name: "dumb pipe", width: 80, env: map[string]string{"TERM": "dumb"}, sentences: true},
	} {
		env := testEnv()
		env.Getenv = func(name string) string { return tt.env[name] }
		env.IsTerminal = func(any) bool { return tt.terminal }
		env.Columns = func(any) int { return tt.columns }
		s := env.Style(env.Stdout)
		if s.Width != tt.width || s.Color != tt.color || s.Sentences != tt.sentences {
			t.Errorf("%s: %+v", tt.name, s)
		}
	}
}

// TestWrappedStream asks about the stream itself whether it is a terminal, not about what Main
// puts around it.
func TestWrappedStream(t *testing.T) {
	t.Parallel()
	env := testEnv()
	out := &bytes.Buffer{}
	env.Stdout = out
	env.IsTerminal = func(stream any) bool { return stream == any(out) }
	env.Columns = func(stream any) int {
		if stream == any(out) {
			return 99
		}
		return 0
	}
	asked := 0
	wrapped := withCheckedOutput(env)
	root := &Command{Sub: []*Command{{
		Name: "look", Flags: []urfave.Flag{jsonFlag()},
		Run: func(_ context.Context, in *Invocation) (Exit, error) {
			asked = in.Stdout.Width
			return Done, nil
		},
	}}}
	if _, err := dispatch(context.Background(), wrapped, root, []string{"look"}); err != nil || asked != 99 {
		t.Errorf("width %d, error %v", asked, err)
	}
}

// TestOS is the real world as far as a test can look at it.
func TestOS(t *testing.T) {
	t.Parallel()
	env := OS()
	if env.Stdout == nil || env.Getenv == nil || env.Now().IsZero() || env.Build().Version == "" || env.Build().Go == "" {
		t.Errorf("%+v", env)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	if env.IsTerminal(w) || env.Columns(w) != 0 || env.IsTerminal(io.Discard) || env.Columns(nil) != 0 {
		t.Error("a pipe is a terminal")
	}
	ctx, stop := env.Interruptible(t.Context())
	stop()
	if ctx.Err() == nil {
		t.Error("the context goes on")
	}
}

// TestOneCommand: a command that is made alone is the one that it is among all, and complains alike.
func TestOneCommand(t *testing.T) {
	t.Parallel()
	env := testEnv()
	all := program(env)
	for i, m := range makers() {
		if all.Sub[i].Name != m.name {
			t.Errorf("%s is listed as %s", all.Sub[i].Name, m.name)
		}
		for _, args := range [][]string{{m.name}, {m.name, "nonsense"}, {m.name, "--nonsense"}, {m.name, "--help"}, {"--json", m.name}, {m.name + "x"}} {
			alone, err := resolve(programFor(env, args), args)
			among, other := resolve(all, args)
			if fmt.Sprint(err) != fmt.Sprint(other) || alone.path != among.path || err == nil && alone.command.Name != among.command.Name {
				t.Errorf("%v: %s %v alone, %s %v among all", args, alone.path, err, among.path, other)
			}
		}
	}
}
