package gitstore

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/go-git/go-git/v5/plumbing"
)

// unnamed is an entry without its name, to be compared under another.
func (e entry) unnamed() entry { return entry{mode: e.mode, hash: e.hash} }

// lookUp finds what a tree has at a path.
func (s *step) lookUp(tree plumbing.Hash, path string) (entry, error) {
	for {
		name, rest, deeper := strings.Cut(path, "/")
		if tree.IsZero() {
			return entry{}, nil
		}
		entries, err := s.objects.tree(tree)
		if err != nil {
			return entry{}, err
		}
		i := slices.IndexFunc(entries, func(e entry) bool { return e.name == name })
		switch {
		case i < 0:
			return entry{}, nil
		case !deeper:
			return entries[i].unnamed(), nil
		case entries[i].mode != modeDir:
			return entry{}, nil
		}
		tree, path = entries[i].hash, rest
	}
}

// edit makes the tree that has other things at some paths; a folder that
// becomes empty goes.
func (s *step) edit(tree plumbing.Hash, edits map[string]entry, fresh *freshObjects) (plumbing.Hash, error) {
	var entries []entry
	if !tree.IsZero() {
		var err error
		if entries, err = s.objects.tree(tree); err != nil {
			return plumbing.ZeroHash, err
		}
	}
	byName := map[string]entry{}
	for _, e := range entries {
		byName[e.name] = e
	}
	below := map[string]map[string]entry{}
	for path, e := range edits {
		name, rest, deeper := strings.Cut(path, "/")
		if !deeper {
			e.name = name
			byName[name] = e
			continue
		}
		if below[name] == nil {
			below[name] = map[string]entry{}
		}
		below[name][rest] = e
	}
	for name, more := range below {
		old := byName[name]
		if old.mode != modeDir {
			old = entry{} // a file gives way to a folder
		}
		h, err := s.edit(old.hash, more, fresh)
		if err != nil {
			return plumbing.ZeroHash, err
		}
		switch {
		case !h.IsZero():
			byName[name] = entry{mode: modeDir, name: name, hash: h}
		case old.mode == modeDir:
			byName[name] = entry{}
		}
	}
	var kept []entry
	for _, e := range byName {
		if e.mode != "" {
			kept = append(kept, e)
		}
	}
	if len(kept) == 0 {
		return plumbing.ZeroHash, nil
	}
	return s.put(plumbing.TreeObject, encodeTree(kept), fresh)
}

// freshObjects are the objects that were written as files of their own.
type freshObjects []plumbing.Hash

// put stores an object when it is not there yet.
func (s *step) put(t plumbing.ObjectType, b []byte, fresh *freshObjects) (plumbing.Hash, error) {
	h := plumbing.ComputeHash(t, b)
	if s.has(h) {
		return h, nil
	}
	obj := &plumbing.MemoryObject{}
	obj.SetType(t)
	if _, err := obj.Write(b); err != nil {
		return h, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.git.SetEncodedObject(obj); err != nil {
		return h, fmt.Errorf("writing an object: %w", err)
	}
	*fresh = append(*fresh, h)
	return h, nil
}

// sync makes the objects last before anything names them: git can do nothing
// with a repository in which a power cut left an empty object.
func (f freshObjects) sync(gitDir string) error {
	for _, h := range f {
		id := h.String()
		file, err := os.OpenFile(filepath.Join(gitDir, "objects", id[:2], id[2:]), os.O_RDONLY, 0)
		if err != nil {
			return err
		}
		err = file.Sync()
		if file.Close(); err != nil && !errors.Is(err, os.ErrPermission) { // Windows syncs only what it may write
			return err
		}
	}
	return nil
}

// pathChange is a path that two trees have differently.
type pathChange struct {
	path     string
	old, new entry
}

// changes lists all paths that differ between two trees, folders aside.
func (o *objects) changes(ctx context.Context, old, new plumbing.Hash) ([]pathChange, error) {
	var list []pathChange
	var compare func(path string, old, new plumbing.Hash) error
	side := func(e entry) (folder plumbing.Hash, file entry) {
		if e.mode == modeDir {
			return e.hash, entry{}
		}
		return plumbing.ZeroHash, e
	}
	compare = func(path string, old, new plumbing.Hash) error {
		if old == new {
			return nil
		}
		if err := context.Cause(ctx); err != nil {
			return err
		}
		pairs := map[string]*[2]entry{}
		for i, h := range []plumbing.Hash{old, new} {
			if h.IsZero() {
				continue
			}
			entries, err := o.tree(h)
			if err != nil {
				return err
			}
			for _, e := range entries {
				if pairs[e.name] == nil {
					pairs[e.name] = &[2]entry{}
				}
				pairs[e.name][i] = e
			}
		}
		for _, name := range slices.Sorted(maps.Keys(pairs)) {
			oldDir, oldFile := side(pairs[name][0])
			newDir, newFile := side(pairs[name][1])
			if oldFile != newFile {
				list = append(list, pathChange{path + name, oldFile, newFile})
			}
			if err := compare(path+name+"/", oldDir, newDir); err != nil {
				return err
			}
		}
		return nil
	}
	return list, compare("", old, new)
}

// safePath holds for paths that may be written into a work tree on any system:
// nothing that leads out of it or into .git, also not in the eyes of a file
// system that folds case, drops trailing dots or reads short names.
func safePath(path string) bool {
	for part := range strings.SplitSeq(path, "/") {
		lower := strings.ToLower(part)
		switch {
		case part == "" || part == "." || part == ".." || len(part) > 255:
			return false
		case lower == ".git" || strings.HasPrefix(lower, "git~"):
			return false
		case strings.HasSuffix(part, ".") || strings.HasSuffix(part, " "):
			return false
		case strings.ContainsFunc(part, func(c rune) bool {
			return strings.ContainsRune(`\:*?"<>|`, c) || unicode.Is(unicode.C, c) || c == unicode.ReplacementChar
		}):
			return false
		}
	}
	return len(path) <= 4096
}
