package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// PermissionError says that a file or folder of ours is open to others, so that what it says
// need not come from the user (C7).
type PermissionError struct {
	Path    string
	Foreign bool // it belongs to another user; else everybody may write it
}

// Error says what is wrong with the file.
func (e *PermissionError) Error() string {
	if e.Foreign {
		return fmt.Sprintf("%s belongs to another user", e.Path)
	}
	return fmt.Sprintf("everybody may write %s", e.Path)
}

// CheckPermissions refuses a file or folder of ours that is world-writable or belongs to another
// user than the one who runs us, root excepted: root can change every file anyway, and some
// systems keep people's settings as files of root. Links are followed; what does not exist is
// fine.
func CheckPermissions(path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("checking permissions: %w", err)
	}
	return permitted(path, info)
}

// GroupMayWrite says whether the group of a file or folder may write it, which is allowed and worth
// a note (C7). On a system without mode bits no group may.
func GroupMayWrite(path string) bool {
	info, err := os.Stat(path)
	return err == nil && groupWritable(info)
}
