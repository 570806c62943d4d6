//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package terminal

import "golang.org/x/sys/unix"

// The requests that read and write a terminal's settings.
const (
	readSettings          = unix.TIOCGETA
	writeSettings         = unix.TIOCSETA
	flushAndWriteSettings = unix.TIOCSETAF
)
