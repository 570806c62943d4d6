// Package durable writes files that are there whole or not at all, also after a power cut.
//
// A new file is written beside its place, synced, and renamed over it; then the folder is synced
// (S3.5, S4). A reader sees the old bytes or the new ones, never a mixture.
package durable

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// temporary begins the names of files that a killed writer may leave behind.
const temporary = ".write-*"

// IsLeftOver says whether a file has the name of one that a killed writer left behind.
func IsLeftOver(name string) bool { return strings.HasPrefix(name, strings.TrimSuffix(temporary, "*")) }

// Steps is asked before every change to the file system. Its error ends the writing as a crash
// there would: what was done so far stays as it is. Tests of crashes make one; nil is never asked.
type Steps func(change string) error

// Before asks before a change that is made elsewhere.
func (s Steps) Before(change string) error {
	if s == nil {
		return nil
	}
	return s(change)
}

// WriteFile puts data at path. The folder has to exist. A file that is there already keeps its
// permissions; a new one gets perm, whatever the umask.
func WriteFile(path string, data []byte, perm fs.FileMode) error {
	return Steps(nil).WriteFile(path, data, perm)
}

// WriteFile is [WriteFile], asking before each step.
func (s Steps) WriteFile(path string, data []byte, perm fs.FileMode) error {
	return s.Write(path, perm, func(to io.Writer) error {
		_, err := to.Write(data)
		return err
	})
}

// Write is [Steps.WriteFile] for what is too large to lie in memory as a whole.
func (s Steps) Write(path string, perm fs.FileMode, data func(io.Writer) error) error {
	if err := s.write(path, perm, data); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}

func (s Steps) write(path string, perm fs.FileMode, data func(io.Writer) error) error {
	if info, err := os.Stat(path); err == nil {
		perm = info.Mode().Perm()
	}
	if err := s.Before("create a file beside " + filepath.Base(path)); err != nil {
		return err
	}
	f, err := CreateTemp(filepath.Dir(path))
	if err != nil {
		return err
	}
	if err := s.Before("fill it"); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := fill(f, data, perm); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	if err := s.Before("rename it"); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	if err := s.Before("sync its folder"); err != nil {
		return err
	}
	return SyncDir(filepath.Dir(path))
}

// CreateTemp makes an empty file in a folder that is gone after the next [Sweep] there at the latest.
func CreateTemp(dir string) (*os.File, error) { return os.CreateTemp(dir, temporary) }

// Sweep removes what killed writers left in a folder. Nobody may be writing there.
func Sweep(dir string) error {
	left, err := filepath.Glob(filepath.Join(dir, temporary))
	for _, path := range left {
		if removed := os.Remove(path); !errors.Is(removed, fs.ErrNotExist) {
			err = errors.Join(err, removed)
		}
	}
	return err
}

// fill writes, syncs and closes the new file.
func fill(f *os.File, data func(io.Writer) error, perm fs.FileMode) error {
	err := data(f)
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
