package gitstore

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
)

// folders is a work tree in which files are read and written. Nothing in it leads through a symbolic
// link. The folder that was used last stays open: what is done in one folder after the other does not
// look for it again from the top each time.
type folders struct {
	top  *os.Root
	last *os.Root // nil: none
	path string   // of last
}

func openFolders(dir string) (*folders, error) {
	top, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &folders{top: top}, nil
}

// again opens the same work tree for another row of work.
func (f *folders) again() (*folders, error) {
	top, err := f.top.OpenRoot(".")
	if err != nil {
		return nil, err
	}
	return &folders{top: top}, nil
}

func (f *folders) close() {
	f.forget()
	f.top.Close()
}

// forget lets go of the last folder: it may be gone by now.
func (f *folders) forget() {
	if f.last != nil {
		f.last.Close()
		f.last = nil
	}
}

// of opens the folder that a path lies in, and gives the path's name there. The folder is good until
// the next call.
func (f *folders) of(name string) (dir *os.Root, base string, err error) {
	parent, base := path.Dir(name), path.Base(name)
	switch {
	case parent == ".":
		return f.top, base, nil
	case f.last != nil && f.path == parent:
		return f.last, base, nil
	}
	f.forget()
	if err := f.noLinks(parent); err != nil {
		return nil, "", err
	}
	last, err := f.top.OpenRoot(parent)
	if err != nil {
		return nil, "", err
	}
	f.last, f.path = last, parent
	return last, base, nil
}

// noLinks refuses a folder that is a symbolic link, or lies behind one.
func (f *folders) noLinks(dir string) error {
	for ; dir != "."; dir = path.Dir(dir) {
		info, err := f.top.Lstat(dir)
		if err == nil && info.Mode()&fs.ModeSymlink != 0 {
			return &HostileError{What: "a symbolic link is in the way of a file:", Where: dir}
		}
	}
	return nil
}

// mkdirAll makes a folder and those above it.
func (f *folders) mkdirAll(name string) error {
	if err := f.noLinks(path.Dir(name)); err != nil {
		return err
	}
	return f.top.MkdirAll(name, 0o755)
}

// make is of for a path whose folder may not be there yet.
func (f *folders) make(name string) (dir *os.Root, base string, err error) {
	dir, base, err = f.of(name)
	if errors.Is(err, fs.ErrNotExist) {
		if err = f.mkdirAll(path.Dir(name)); err == nil {
			dir, base, err = f.of(name)
		}
	}
	return dir, base, err
}

// write replaces a file of a folder in one step. Its other name is always
// the same, so that what a kill left is found again.
func write(dir *os.Root, name string, text []byte, mode fs.FileMode) (err error) {
	if old, err := dir.ReadFile(name); err == nil && bytes.Equal(old, text) {
		info, err := dir.Lstat(name)
		if err == nil && info.Mode().IsRegular() && info.Mode()&0o100 == mode&0o100 {
			return nil
		}
	}
	other := "." + name + ".distrust"
	if err := dir.Remove(other); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := dir.OpenFile(other, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = dir.Rename(other, name)
	}
	if err != nil {
		err = errors.Join(err, dir.Remove(other))
	}
	return err
}

// link makes a symbolic link that stays in the work tree; one that leads out of
// it, or into .git, is left out and shows as deleted in git status. dir is the folder of name.
func link(dir *os.Root, name, to string) error {
	end := path.Join(path.Dir(name), to)
	if to == "" || path.IsAbs(to) || !filepath.IsLocal(filepath.FromSlash(end)) || !safePath(end) && end != "." {
		return nil
	}
	base := path.Base(name)
	if err := dir.Remove(base); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return dir.Symlink(filepath.FromSlash(to), base)
}

// remove takes a file away, and the folders that it leaves empty.
func (f *folders) remove(name string) error {
	dir, base, err := f.of(name)
	if err == nil {
		info, err := dir.Lstat(base)
		if err == nil && info.IsDir() {
			return nil
		}
		if err == nil {
			err = dir.Remove(base)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f.forget()
	for parent := path.Dir(name); parent != "."; parent = path.Dir(parent) {
		if f.top.Remove(parent) != nil {
			break
		}
	}
	return nil
}
