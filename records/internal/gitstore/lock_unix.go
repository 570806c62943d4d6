//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package gitstore

import (
	"os"

	"golang.org/x/sys/unix"
)

// tryLock takes the lock that the system keeps on an open file until it is
// closed, also by a kill. It reports whether nobody else has it.
func tryLock(f *os.File) bool {
	return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil
}

// unlock gives the lock back at once, also when a process that was being started
// at that moment still holds a copy of the open file.
func unlock(f *os.File) {
	unix.Flock(int(f.Fd()), unix.LOCK_UN)
	f.Close()
}

// locksEnd says that a lock ends with its process, so that a file which nobody
// locks was left behind.
const locksEnd = true
