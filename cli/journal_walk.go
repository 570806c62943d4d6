package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/distributed-trust/distrust/records/subject"
)

// maxWatched is how many files one operand puts under watch at most.
const maxWatched = 200_000

// foundFile is a regular file that a walk came by.
type foundFile struct {
	shown string // below the folder as the user named it
	real  string // below what that led to
	size  int64
}

// errSpecial means that something else than a regular file was met: a pipe would never end.
var errSpecial = errors.New("no regular file")

// walk lists the regular files at top or below it, hidden ones too, on the file system of top. No link
// is followed but top itself, which the user has named. What cannot be read is handed to skip.
func walk(ctx context.Context, top string, skip func(error)) ([]foundFile, error) {
	start, err := filepath.EvalSymlinks(top)
	if err != nil {
		return nil, err
	}
	root, err := os.Stat(start)
	if err != nil {
		return nil, err
	}
	if !root.IsDir() && !root.Mode().IsRegular() {
		return nil, errSpecial
	}
	var found []foundFile
	err = filepath.WalkDir(start, func(path string, entry fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var info fs.FileInfo
		if err == nil {
			info, err = entry.Info()
		}
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil // it went meanwhile
		case err != nil:
			skip(err)
			return nil
		case info.IsDir() && !sameFileSystem(root, info):
			return fs.SkipDir
		case !info.Mode().IsRegular() || !sameFileSystem(root, info):
			return nil
		case len(found) == maxWatched:
			return fmt.Errorf("more than %d files: name smaller folders", maxWatched)
		}
		found = append(found, foundFile{shown: top + strings.TrimPrefix(path, start), real: path, size: info.Size()})
		return nil
	})
	return found, err
}

// open opens the file. What lies there may have been replaced since it was found.
func (f foundFile) open() (*os.File, error) {
	file, err := os.OpenFile(f.real, os.O_RDONLY|notWaiting|notFollowing, 0)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("reading %s: %w", f.shown, errSpecial)
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

// read reads the file as a subject.
func (f foundFile) read(ctx context.Context, progress func(int64)) (subject.Subject, error) {
	file, err := f.open()
	if err != nil {
		return subject.Subject{}, err
	}
	defer file.Close()
	s, err := subject.FromReader(ctx, file, subject.Options{Progress: progress})
	if err != nil {
		return s, fmt.Errorf("reading %s: %w", f.shown, err)
	}
	s.Arg, s.Path, s.Name = f.shown, f.shown, filepath.Base(f.shown)
	return s, nil
}
