package cli

import (
	"io/fs"
	"os"
	"syscall"
)

// forwarded are the signals that are handed on to a program that runs in our place.
func forwarded() []os.Signal { return []os.Signal{syscall.SIGTERM} }

// mayExecute says whether a file may be executed: Windows goes by names, and says so itself.
func mayExecute(string) bool { return true }

// othersMayReplace leaves folders to Windows, whose permissions are no bits.
func othersMayReplace(fs.FileInfo) bool { return false }

// interruptUs does nothing: here no program is ended by an interrupt.
func interruptUs() {}
