package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
)

// process is a program that runs in our place: in our process group, with our streams, terminal, folder
// and environment. What it does with the terminal, and what the terminal does to it, is as without us.
type process struct {
	path  string   // what is executed
	args  []string // what it is told, from its own name on
	dir   string   // where it runs; "" for here
	stdin io.Reader
}

// signals are those that come while a program runs in our place.
type signals struct {
	caught      chan os.Signal
	interrupted bool // the program was ended by an interrupt
}

// catchSignals keeps signals from ending us, so that what we leave behind is removed and the program's
// exit code is handed on. What we were started to ignore stays ignored, by the program as well. Before
// the program starts it is the context that tells of them.
func catchSignals() *signals {
	s := &signals{caught: make(chan os.Signal, 16)}
	for _, one := range append(forwarded(), os.Interrupt, syscall.SIGQUIT) {
		if !signal.Ignored(one) {
			signal.Notify(s.caught, one)
		}
	}
	return s
}

// release gives signals back their usual meaning. The interrupt that ended the program then ends us as
// well: after any exit code, also the one that stands for it, a shell would go on with its loop.
func (s *signals) release() {
	signal.Stop(s.caught)
	if s.interrupted && !signal.Ignored(os.Interrupt) {
		interruptUs()
	}
}

// start runs a program in our place and returns its exit code, or 128 and the number of the signal that
// ended it.
func (in *Invocation) start(s *signals, p process) (Exit, error) {
	cmd := &exec.Cmd{Path: p.path, Args: p.args, Dir: p.dir, Env: in.Env.Environ(), Stdin: p.stdin, Stderr: in.Env.Stderr}
	cmd.Stdout, _ = unwrap(in.Env.Stdout).(io.Writer)
	if err := cmd.Start(); err != nil {
		return NotExecutable, startError(p, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case one := <-s.caught:
			// Ctrl-C and Ctrl-\ are sent to the program by the terminal; the others are often sent to us alone.
			if one != os.Interrupt && one != syscall.SIGQUIT {
				_ = cmd.Process.Signal(one) // it may have ended
			}
		case err := <-ended:
			return s.ended(p, cmd, err)
		}
	}
}

// ended says how a program ended.
func (s *signals) ended(p process, cmd *exec.Cmd, err error) (Exit, error) {
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return Failed, fmt.Errorf("running %s: %w", p.args[0], err)
	}
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		s.interrupted = status.Signal() == syscall.SIGINT
		return Exit(128 + int(status.Signal())), nil
	}
	return Exit(cmd.ProcessState.ExitCode()), nil
}

// startError says why a program did not start.
func startError(p process, err error) error {
	cause := err
	var at *fs.PathError
	if errors.As(err, &at) {
		cause = at.Err // the path is that of our copy
	}
	err = fmt.Errorf("running %s: %w", p.args[0], cause)
	switch {
	case errors.Is(cause, syscall.ENOEXEC):
		return fail(NotExecutable, err, "it is no program, nor a script that begins with #!; as input of a shell: distrust pipe -- sh < FILE")
	case errors.Is(cause, fs.ErrNotExist):
		return fail(NotExecutable, err, "the program that its first line names after #! is missing")
	}
	return fail(NotExecutable, err, "it is not for this machine, or what its first line names after #! cannot be executed")
}

// notStarted gives what kept a program from starting its code (C2): that of a refusal, but for wrong
// usage and for a program that is missing or cannot be executed.
func notStarted(err error) error {
	if err == nil {
		return nil
	}
	exit, hint := advise(err)
	if exit == Usage || exit == NotExecutable || exit == NotFound {
		return err
	}
	return &Problem{Err: err, Exit: NotRun, Hint: hint}
}
