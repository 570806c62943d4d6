package gitstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
)

// writeFile replaces a file in one step: whoever reads it sees the old bytes or
// the new ones, also after a power cut.
func writeFile(name string, b []byte, mode fs.FileMode) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), ".tmp-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	_, err = f.Write(b)
	if err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), name); err != nil {
		return err
	}
	return syncDir(filepath.Dir(name))
}

// syncDir makes the names in a folder last.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, fs.ErrInvalid) {
		return err
	}
	return nil
}

// readRef gives the commit that a reference names, or zero when there is none.
// go-git's own reading takes an empty file, as a crash leaves it, for a
// reference that is not there; a branch would begin again from nothing.
func readRef(gitDir, name string) (plumbing.Hash, error) {
	b, err := os.ReadFile(filepath.Join(gitDir, filepath.FromSlash(name)))
	switch {
	case err == nil:
		h, err := parseID(strings.TrimSpace(string(b)))
		if err != nil {
			return h, fmt.Errorf("reading %s: damaged reference: %w", name, err)
		}
		return h, nil
	case !errors.Is(err, fs.ErrNotExist) && !isDir(filepath.Join(gitDir, filepath.FromSlash(name))):
		return plumbing.ZeroHash, fmt.Errorf("reading %s: %w", name, err)
	}
	packed, err := os.ReadFile(filepath.Join(gitDir, "packed-refs"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return plumbing.ZeroHash, fmt.Errorf("reading %s: %w", name, err)
	}
	for line := range strings.Lines(string(packed)) {
		id, ref, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		if ok && ref == name && id[0] != '#' {
			return parseID(id)
		}
	}
	return plumbing.ZeroHash, nil
}

func isDir(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

// branchName holds for the short names of branches that are used: what git
// allows, less everything that is odd on some system.
func branchName(s string) bool {
	if s == "" || len(s) > 200 || strings.Contains(s, "..") || strings.HasSuffix(s, "/") {
		return false
	}
	for part := range strings.SplitSeq(s, "/") {
		if part == "" || part[0] == '.' || part[0] == '-' || strings.HasSuffix(part, ".lock") || strings.HasSuffix(part, ".") {
			return false
		}
	}
	return !strings.ContainsFunc(s, func(c rune) bool {
		return c <= ' ' || c >= 0x7f || strings.ContainsRune(`~^:?*[\"<>|`, c)
	}) && !strings.Contains(s, "@{")
}
