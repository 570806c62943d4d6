//go:build unix && !linux

package gitstore

import (
	"os/exec"
	"syscall"
)

// startApart starts a process in a session of its own: no terminal to ask on,
// and a group that is killed as one. How much memory it takes is not known here.
func startApart(command *exec.Cmd, _ int64) error {
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGKILL) }
	return command.Start()
}
