package cli

import (
	"context"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"runtime/debug"
	"slices"
	"syscall"
	"time"

	"golang.org/x/term"
)

// OS is the real world: the only function of distrust that reaches for the process's own
// arguments, environment, clock and streams.
func OS() *Env {
	return &Env{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Getenv:        os.Getenv,
		Environ:       os.Environ,
		LookPath:      exec.LookPath,
		Executable:    os.Executable,
		Getwd:         os.Getwd,
		UserHome:      os.UserHomeDir,
		Now:           time.Now,
		OpenTTY:       openTTY,
		IsTerminal:    isTerminal,
		Columns:       columns,
		AtPrompt:      atPrompt,
		Interruptible: interruptible,
		Build:         build,
	}
}

// interruptible returns a context of another that the first interrupt cancels, so that work is put down in
// order; a second one ends the program as if we had not listened. What the program was started to
// ignore (nohup, a job in the background of a script) stays ignored.
func interruptible(ctx context.Context) (context.Context, func()) {
	ends := slices.DeleteFunc([]os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP}, signal.Ignored)
	ctx, stop := signal.NotifyContext(ctx, ends...)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

func columns(stream any) int {
	f, ok := stream.(*os.File)
	if !ok {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return width
}

func build() Build {
	b := Build{Version: "devel", Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		b.Version = v
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			b.Commit = setting.Value
		}
	}
	return b
}
