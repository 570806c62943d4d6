package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/distributed-trust/distrust/records/durable"
)

// Dirs says where this package keeps what it knows (C7). Data and State must survive, Cache is
// the caller's and may be deleted at any time, and so may the git stores below Data.
type Dirs struct {
	Data  string // sources/<log>/: the git store and the list of files of each source
	State string // pins/<log>.json, kept/<log>/ (vanished reports), evidence/, sync.lock
	Cache string // index generations; not written by this package

	step durable.Steps // asked before every change of a commit; tests of crashes set it
}

// isLog is the form of a log id (F5). File names are made from log ids only, never from
// what somebody else wrote (S2).
func isLog(s string) bool { return len(s) == 32 && lowerHex(s) }

// lowerHex says whether s has only the digits 0-9 and a-f. Package variables that hold compiled
// expressions would cost every start of the program more than such a loop.
func lowerHex(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool { return (c < '0' || c > '9') && (c < 'a' || c > 'f') })
}

func (d Dirs) store(log string) string    { return filepath.Join(d.Data, "sources", log) }
func (d Dirs) skipped(log string) string  { return filepath.Join(d.store(log), skippedFile) }
func (d Dirs) pins() string               { return filepath.Join(d.State, "pins") }
func (d Dirs) pin(log string) string      { return filepath.Join(d.pins(), log+".json") }
func (d Dirs) kept(log string) string     { return filepath.Join(d.State, "kept", log) }
func (d Dirs) evidence() string           { return filepath.Join(d.State, "evidence") }
func (d Dirs) syncLock() string           { return filepath.Join(d.State, "sync.lock") }
func (d Dirs) temporary() (string, error) { return newTemporary(filepath.Join(d.Data, "sources")) }

// newTemporary makes an empty folder for a repository that is not accepted yet.
func newTemporary(parent string) (string, error) {
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return "", fmt.Errorf("making a folder for sources: %w", err)
	}
	dir, err := os.MkdirTemp(parent, temporaryPrefix)
	if err != nil {
		return "", fmt.Errorf("making a temporary store: %w", err)
	}
	return dir, nil
}

// What lies in the store of a source.
const (
	gitFolder   = "git"     // the git store
	filesFile   = "files"   // the list of files of the accepted set
	skippedFile = "skipped" // what of the set is not read, and why
	spoolFile   = "spool"   // records on their way to the index, as long as a sync runs
	nextSuffix  = ".next"   // of the two lists, until what they are of is in force
)

// temporaryPrefix begins the names of stores that a killed run may leave behind.
const temporaryPrefix = "new-"

// write puts data at path, making its folder when there is none.
func (d Dirs) write(path string, data []byte) error {
	if err := d.parent(path); err != nil {
		return err
	}
	return d.step.WriteFile(path, data, 0o600)
}

// parent makes the folder that a file is written to.
func (d Dirs) parent(path string) error {
	if err := d.step.Before("make a folder"); err != nil {
		return err
	}
	return os.MkdirAll(filepath.Dir(path), 0o700)
}

// rename moves a folder to a place where nothing lies, or a file.
func (d Dirs) rename(from, to string) error {
	if err := d.step.Before("rename " + filepath.Base(to)); err != nil {
		return err
	}
	return os.Rename(from, to)
}

// remove takes away a file or a folder with all that is in it.
func (d Dirs) remove(path string) error {
	if err := d.step.Before("remove " + filepath.Base(path)); err != nil {
		return err
	}
	return removeAll(path)
}

// readBounded reads a file of ours that must not be longer than max bytes.
func readBounded(path string, max int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, max+1))
	if err == nil && int64(len(b)) > max {
		err = fmt.Errorf("longer than %d bytes", max)
	}
	return b, err
}

// IsLeftOver says whether a folder has the place and name of one that a killed run left behind; a
// run that lives has one, too.
func IsLeftOver(d Dirs, dir string) bool {
	return filepath.Dir(dir) == filepath.Join(d.Data, "sources") && strings.HasPrefix(filepath.Base(dir), temporaryPrefix)
}

// Sweep removes what killed runs left behind, as every sync does, too. It waits for one that runs.
func Sweep(ctx context.Context, d Dirs) error {
	lock, err := lockSync(ctx, d, func() {})
	if err != nil {
		return err
	}
	return errors.Join(d.sweep(), lock.Unlock())
}

// sweep removes what killed runs left behind. The caller holds the lock of syncs.
func (d Dirs) sweep() error {
	left, err := filepath.Glob(filepath.Join(d.Data, "sources", temporaryPrefix+"*"))
	if err != nil {
		return fmt.Errorf("sweeping sources: %w", err)
	}
	for _, dir := range left {
		if err := removeAll(dir); err != nil {
			return err
		}
	}
	return nil
}
