package source

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// setAside writes the two lists of an accepted set beside their places, where they wait for the commit: those of
// many sources would fill the memory. They are only a cache. Each shows its own damage, so that it need not be on
// the disk for good: what a power cut takes is made anew.
func (w *work) setAside(dir string, list *fileList) error {
	w.aside = dir
	write := func(name string, data func(io.Writer) error) error {
		f, err := os.OpenFile(filepath.Join(dir, name+nextSuffix), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
		if err == nil {
			err = errors.Join(data(f), f.Close())
		}
		if err != nil {
			return fmt.Errorf("writing the list %s: %w", name, err)
		}
		return nil
	}
	return errors.Join(write(skippedFile, w.skipped.write), write(filesFile, list.write))
}

// placeAside puts what was set aside in its place.
func (w *work) placeAside() error {
	if w.aside == "" {
		return nil
	}
	store := w.batch.dirs.store(w.next.Log)
	for _, name := range []string{skippedFile, filesFile} {
		file := filepath.Join(store, name)
		if err := w.batch.dirs.rename(file+nextSuffix, file); err != nil {
			return fmt.Errorf("placing the list %s: %w", name, err)
		}
	}
	w.aside = ""
	return nil
}

// dropAside removes what was set aside for a commit that will not be.
func (w *work) dropAside() error {
	if w.aside == "" {
		return nil
	}
	dir := w.aside
	w.aside = ""
	return errors.Join(removeAll(filepath.Join(dir, skippedFile+nextSuffix)), removeAll(filepath.Join(dir, filesFile+nextSuffix)))
}
