//go:build unix

package signer

import (
	"fmt"
	"os"
	"syscall"
)

// checkOwnerOnly refuses a private key of the user's own that others may read or write, as ssh does.
func checkOwnerOnly(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("reading key file: %w", err)
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if ok && int(stat.Uid) == os.Getuid() && info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%w: %s has mode %#o, 0600 is needed", ErrKeyPermissions, path, info.Mode().Perm())
	}
	return nil
}
