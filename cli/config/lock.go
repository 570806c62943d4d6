package config

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// LockedError says that another distrust is writing.
type LockedError struct {
	File string
	Wait time.Duration // how long we waited for it
}

// Error says who is waited for.
func (e *LockedError) Error() string {
	return fmt.Sprintf("another distrust is writing (%s is locked)", e.File)
}

// Lock is held by the one process that writes our data and state (S4); readers need none.
type Lock struct {
	file *flock.Flock
}

// LockWriters waits up to wait for the lock of [Dirs.LockFile]. It ends with the process, also
// when that is killed. Errors are a [*LockedError] after the wait, or ctx's own.
func LockWriters(ctx context.Context, d Dirs, wait time.Duration) (*Lock, error) {
	path := d.LockFile()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, &FolderError{Path: filepath.Dir(path), Err: err}
	}
	file := flock.New(path, flock.SetPermissions(0o600))
	got, err := file.TryLock()
	if !got && err == nil {
		waiting, cancel := context.WithTimeout(ctx, wait)
		defer cancel()
		got, err = file.TryLockContext(waiting, 20*time.Millisecond)
	}
	switch {
	case got:
		return &Lock{file}, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, context.DeadlineExceeded):
		return nil, &LockedError{File: path, Wait: wait}
	}
	return nil, &FolderError{Path: filepath.Dir(path), Err: err}
}

// Unlock lets others write.
func (l *Lock) Unlock() error { return l.file.Unlock() }
