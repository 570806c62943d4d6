//go:build unix

package cli

import (
	"io/fs"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// forwarded are the signals that are handed on to a program that runs in our place.
func forwarded() []os.Signal {
	return []os.Signal{syscall.SIGHUP, syscall.SIGTERM, syscall.SIGUSR1, syscall.SIGUSR2}
}

// mayExecute says whether a file may be executed by us where it lies.
func mayExecute(path string) bool { return unix.Access(path, unix.X_OK) == nil }

// othersMayReplace says whether anybody may put something else in the place of what lies in a folder.
func othersMayReplace(folder fs.FileInfo) bool {
	return folder.Mode().Perm()&0o002 != 0 && folder.Mode()&fs.ModeSticky == 0
}

// interruptUs ends this process as an interrupt does.
func interruptUs() {
	signal.Reset(os.Interrupt)
	if unix.Kill(unix.Getpid(), unix.SIGINT) == nil {
		<-time.After(time.Second) // it comes at once, unless somebody started us with it blocked
	}
}
