//go:build !windows

package config

import (
	"io/fs"
	"os"
	"syscall"
)

// permitted holds owner and mode of a file against who runs us.
func permitted(path string, info fs.FileInfo) error {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		if owner := int(stat.Uid); owner != os.Geteuid() && owner != 0 {
			return &PermissionError{Path: path, Foreign: true}
		}
	}
	if info.Mode().Perm()&0o002 != 0 {
		return &PermissionError{Path: path}
	}
	return nil
}

func groupWritable(info fs.FileInfo) bool { return info.Mode().Perm()&0o020 != 0 }
