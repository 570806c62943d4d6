package gitstore

import (
	"errors"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// startApart starts a process in a session of its own: no terminal to ask on,
// and a group that is killed as one. It and each of those that it starts may hold
// so many bytes of memory, before a word was said to the other side.
func startApart(command *exec.Cmd, memory int64) error {
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGKILL) }
	if err := command.Start(); err != nil {
		return err
	}
	var now unix.Rlimit
	err := unix.Prlimit(command.Process.Pid, unix.RLIMIT_DATA, nil, &now)
	if err == nil {
		most := min(now.Max, uint64(memory))
		err = unix.Prlimit(command.Process.Pid, unix.RLIMIT_DATA, &unix.Rlimit{Cur: most, Max: most}, nil)
	}
	if err != nil && !errors.Is(err, unix.ESRCH) {
		return errors.Join(err, command.Cancel(), command.Wait())
	}
	return nil
}
