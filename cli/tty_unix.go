//go:build unix

package cli

import (
	"os"
	"syscall"
)

// openTTY opens the terminal that controls this process, whatever the streams are.
func openTTY() (*os.File, error) { return os.OpenFile("/dev/tty", os.O_RDWR, 0) }

// atPrompt says whether we lead a process group, as every command does that is typed at a prompt: a shell
// that runs a script leaves what it starts in its own.
func atPrompt() bool { return syscall.Getpgrp() == os.Getpid() }
