//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package terminal

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// output is where the answer's question goes: a Unix terminal is one file for both ways.
func output(in *os.File) (*os.File, error) { return in, nil }

// foreground says whether our process group is the one that the terminal listens to. If it is
// not, reading would stop us, and a shell that started us for its <(...) would hang (C1).
func foreground(tty *os.File) bool {
	group, err := unix.IoctlGetInt(int(tty.Fd()), unix.TIOCGPGRP)
	return err == nil && group == unix.Getpgrp()
}

// prepare throws type-ahead away and gives the terminal the settings that reading a line needs,
// whatever a program before us left behind. restore puts back what was there.
func prepare(tty *os.File, typed echo) (restore func(), err error) {
	fd := int(tty.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return nil, err
	}
	settings, err := unix.IoctlGetTermios(fd, readSettings)
	if err != nil {
		return nil, err
	}
	settings.Lflag |= unix.ICANON | unix.ECHO | unix.ISIG
	if typed == hidden {
		settings.Lflag &^= unix.ECHO
	}
	settings.Iflag |= unix.ICRNL
	if err := unix.IoctlSetTermios(fd, flushAndWriteSettings, settings); err != nil {
		return nil, err
	}
	return func() { _ = term.Restore(fd, before) }, nil
}

// pasteGap is how long the rest of a paste may take to arrive; nobody types that fast.
const pasteGap = 20 * time.Millisecond

// waiting says whether input lies behind the line that was just read, and throws it away: it was
// meant for something that does not happen now. Only without line mode does a terminal tell of
// a line that is not finished.
func waiting(tty *os.File) bool {
	fd := int(tty.Fd())
	settings, err := unix.IoctlGetTermios(fd, readSettings)
	if err != nil {
		return true
	}
	byBytes := *settings
	byBytes.Lflag &^= unix.ICANON
	byBytes.Cc[unix.VMIN], byBytes.Cc[unix.VTIME] = 1, 0
	if err := unix.IoctlSetTermios(fd, writeSettings, &byBytes); err != nil {
		return true
	}
	more := readable(fd, pasteGap)
	if err := unix.IoctlSetTermios(fd, flushAndWriteSettings, settings); err != nil {
		return true
	}
	return more
}

// readable says whether something can be read within a time. It uses select, as poll does not
// know terminals on every system.
func readable(fd int, within time.Duration) bool {
	deadline := unix.NsecToTimeval(int64(within))
	for {
		var set unix.FdSet
		set.Set(fd)
		n, err := unix.Select(fd+1, &set, nil, nil, &deadline)
		if err == unix.EINTR {
			continue
		}
		return err != nil || n > 0
	}
}
