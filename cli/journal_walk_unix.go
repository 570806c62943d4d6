//go:build unix

package cli

import (
	"io/fs"
	"syscall"
)

// Flags for opening what may have become something else: a pipe is not waited for, a link not followed.
const (
	notWaiting   = syscall.O_NONBLOCK
	notFollowing = syscall.O_NOFOLLOW
)

// sameFileSystem says whether two files lie on one.
func sameFileSystem(a, b fs.FileInfo) bool {
	one, ok := a.Sys().(*syscall.Stat_t)
	other, ok2 := b.Sys().(*syscall.Stat_t)
	return ok && ok2 && one.Dev == other.Dev
}
