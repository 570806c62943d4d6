package index

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// Fork makes a second index at to, which is empty, that begins as the one at from: updates of the
// logs in written may then be applied there, to look at what would come of them, and from stays as it is. The
// generation and the stores of all other logs are never written again under their names, so they are
// shared where the system can. [ErrNone]: there is nothing to begin with. The caller holds the writers'
// lock of from.
func Fork(from, to Dir, written ...string) error {
	cur, err := from.readCurrent()
	if err != nil {
		return err
	}
	stores, err := from.listStores()
	if err != nil {
		return err
	}
	err = errors.Join(os.MkdirAll(to.Cache, 0o700), os.MkdirAll(to.sources(), 0o700))
	if err == nil {
		for _, f := range cur.files() {
			err = errors.Join(err, share(filepath.Join(from.Cache, f.name()), filepath.Join(to.Cache, f.name())))
		}
	}
	for _, s := range stores {
		if err != nil {
			break
		}
		put := share
		if slices.Contains(written, s.log) {
			put = copyFile
		}
		err = put(from.storePath(s.log, s.number), to.storePath(s.log, s.number))
	}
	if err == nil {
		err = to.writeCurrent(cur, nil)
	}
	if err != nil {
		return fmt.Errorf("forking index: %w", err)
	}
	return nil
}

// share gives a file a second name, or where that cannot be, copies it.
func share(from, to string) error {
	err := os.Link(from, to)
	if err == nil || errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrExist) {
		return err
	}
	return copyFile(from, to)
}

func copyFile(from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
