// Package durable writes files that are there whole or not at all, also after a power cut.
//
// A new file is written beside its place, synced, and renamed over it; then the folder is synced
// (S3.5, S4). A reader sees the old bytes or the new ones, never a mixture.
package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// temporary begins the names of files that a killed writer may leave behind.
const temporary = ".write-*"

// IsLeftOver says whether a file has the name of one that a killed writer left behind.
func IsLeftOver(name string) bool { return strings.HasPrefix(name, strings.TrimSuffix(temporary, "*")) }

// WriteFile puts data at path. The folder has to exist. A file that is there already keeps its
// permissions; a new one gets perm, whatever the umask.
func WriteFile(path string, data []byte, perm fs.FileMode) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("writing %s: %w", path, err)
		}
	}()
	if info, err := os.Stat(path); err == nil {
		perm = info.Mode().Perm()
	}
	f, err := os.CreateTemp(filepath.Dir(path), temporary)
	if err != nil {
		return err
	}
	err = fill(f, data, perm)
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return SyncDir(filepath.Dir(path))
}

// fill writes, syncs and closes the new file.
func fill(f *os.File, data []byte, perm fs.FileMode) error {
	_, err := f.Write(data)
	if err == nil {
		err = f.Chmod(perm)
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// SyncDir makes a rename in dir last. A system that cannot sync folders does not need it.
func SyncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	err = f.Sync()
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, fs.ErrInvalid) || errors.Is(err, fs.ErrPermission) {
		return nil
	}
	return err
}
