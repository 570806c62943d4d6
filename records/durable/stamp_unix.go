//go:build !windows

package durable

import (
	"io/fs"
	"syscall"
)

// inode is the number of a file on its disk.
func inode(info fs.FileInfo) uint64 {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(stat.Ino) //nolint:unconvert // narrower on some systems
	}
	return 0
}
