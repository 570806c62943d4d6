package gitstore

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
)

// The names of F4 that are read; everything else in a repository is its owner's.
const (
	headFile    = "head.yml"
	headSigFile = "head.yml.sig"
	keysDir     = "keys"
	recordsDir  = "records"
)

// isRead reports whether an entry at the top of a repository is one of F4's.
func isRead(name string) bool {
	return name == headFile || name == headSigFile || name == keysDir || name == recordsDir
}

// Snapshot is the files of a trust repository at one commit: head.yml,
// head.yml.sig, and everything under keys/ and records/.
type Snapshot struct {
	Commit, Tree string
	Files        map[string]string // slash-separated path to blob id
}

// FileChange is a file of a trust repository that differs between two commits.
// An empty id says that it is not there.
type FileChange struct{ Path, Old, New string }

// Snapshot reads the names of a commit's files. A tree that breaks F4 (a name,
// a mode, a path too deep, a name twice) and one with an object missing give a
// HostileError; more files than allowed give a LimitError.
func (o *objects) Snapshot(ctx context.Context, commit string, l Limits) (*Snapshot, error) {
	h, err := parseID(commit)
	if err != nil {
		return nil, err
	}
	c, err := o.commit(h)
	if err != nil {
		return nil, err
	}
	s := &Snapshot{Commit: commit, Tree: c.tree.String(), Files: map[string]string{}}
	w := treeWalk{ctx: ctx, objects: o, limits: l.orDefault(), visit: func(c FileChange) { s.Files[c.Path] = c.New }}
	if err := w.dirs("", plumbing.ZeroHash, c.tree, 0); err != nil {
		return nil, err
	}
	return s, nil
}

// Diff lists the files that differ between two commits, of those that a
// Snapshot holds, and reads only the folders that differ. An empty from is a
// commit without files.
func (o *objects) Diff(ctx context.Context, from, to string, l Limits) ([]FileChange, error) {
	var trees [2]plumbing.Hash
	for i, id := range []string{from, to} {
		if id == "" && i == 0 {
			continue
		}
		h, err := parseID(id)
		if err != nil {
			return nil, err
		}
		c, err := o.commit(h)
		if err != nil {
			return nil, err
		}
		trees[i] = c.tree
	}
	var changes []FileChange
	w := treeWalk{ctx: ctx, objects: o, limits: l.orDefault(), visit: func(c FileChange) { changes = append(changes, c) }}
	if err := w.dirs("", trees[0], trees[1], 0); err != nil {
		return nil, err
	}
	slices.SortFunc(changes, func(a, b FileChange) int { return strings.Compare(a.Path, b.Path) })
	return changes, nil
}

// Blob gives the bytes of a file when there are at most limit of them.
func (o *objects) Blob(id string, limit int64) ([]byte, error) {
	h, err := parseID(id)
	if err != nil {
		return nil, err
	}
	return o.read(plumbing.BlobObject, h, limit)
}

// treeWalk compares two trees and visits the files that differ, under the rules
// and limits of F4 and F7.
type treeWalk struct {
	ctx     context.Context
	objects *objects
	limits  Limits
	visit   func(FileChange)
	files   int
	folders int
}

// dirs compares two folders; either may be absent. Both were sent by others.
func (w *treeWalk) dirs(path string, old, new plumbing.Hash, depth int) error {
	if old == new {
		return nil
	}
	if err := context.Cause(w.ctx); err != nil {
		return err
	}
	if w.folders++; w.folders > w.limits.Files {
		return &LimitError{What: "folders", Limit: int64(w.limits.Files), Got: int64(w.folders), Option: "files"}
	}
	before, err := w.folder(path, old, depth)
	if err != nil {
		return err
	}
	after, err := w.folder(path, new, depth)
	if err != nil {
		return err
	}
	for name, e := range after {
		if err := w.pair(path+name, before[name], e, depth); err != nil {
			return err
		}
	}
	for name, e := range before {
		if _, ok := after[name]; !ok {
			if err := w.pair(path+name, e, entry{}, depth); err != nil {
				return err
			}
		}
	}
	return nil
}

// pair compares what two trees have under one name; an entry without a mode is
// nothing at all.
func (w *treeWalk) pair(path string, old, new entry, depth int) error {
	if old == new {
		return nil
	}
	var oldDir, newDir plumbing.Hash
	change := FileChange{Path: path}
	switch old.mode {
	case modeDir:
		oldDir = old.hash
	case modeFile:
		change.Old = old.hash.String()
	}
	switch new.mode {
	case modeDir:
		newDir = new.hash
	case modeFile:
		change.New = new.hash.String()
		if !w.objects.has(new.hash) {
			return &HostileError{What: "a file is missing", Where: path, Err: ErrIncomplete}
		}
	}
	if change.Old != change.New {
		if w.files++; w.files > w.limits.Files {
			return &LimitError{What: "files", Limit: int64(w.limits.Files), Got: int64(w.files), Option: "files"}
		}
		w.visit(change)
	}
	return w.dirs(path+"/", oldDir, newDir, depth+1)
}

// folder reads one folder by the rules of F4. At the top only F4's names are
// looked at, and nothing is asked of the others.
func (w *treeWalk) folder(path string, h plumbing.Hash, depth int) (map[string]entry, error) {
	if h.IsZero() {
		return nil, nil
	}
	if depth >= w.limits.TreeDepth {
		return nil, &LimitError{What: "folders in folders", Limit: int64(w.limits.TreeDepth), Got: int64(depth + 1), Option: "tree_depth"}
	}
	entries, err := w.objects.tree(h)
	if err != nil {
		return nil, err
	}
	found := make(map[string]entry, len(entries))
	for _, e := range entries {
		if depth == 0 && !isRead(e.name) {
			continue
		}
		if err := checkEntry(path, e, depth); err != nil {
			return nil, err
		}
		if _, twice := found[e.name]; twice {
			return nil, &HostileError{What: "a name is in a folder twice:", Where: path + clip(e.name)}
		}
		found[e.name] = e
	}
	return found, nil
}

// checkEntry is F4's rule for names and modes.
func checkEntry(path string, e entry, depth int) error {
	bad := func(what string) error { return &HostileError{What: what, Where: path + clip(e.name)} }
	if !ValidName(e.name) {
		return bad("a name that F4 forbids:")
	}
	folder := e.mode == modeDir
	if !folder && e.mode != modeFile {
		return bad(fmt.Sprintf("mode %s where only plain files are allowed:", e.mode))
	}
	if depth == 0 && folder != (e.name == keysDir || e.name == recordsDir) {
		return bad("a folder for a file, or a file for a folder:")
	}
	return nil
}

// ValidName is the form of a name below records/ and keys/ (F4): ^[a-z0-9][a-z0-9._-]{0,127}$.
func ValidName(s string) bool {
	if s == "" || len(s) > 128 || strings.ContainsRune("._-", rune(s[0])) {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '.' && c != '_' && c != '-' {
			return false
		}
	}
	return true
}

// connected makes sure that every commit's files are there, with all folders
// on the way, whatever they are called: what is judged here is only whether the
// other side sent what it has to. A commit is compared with its first parent,
// which was looked at before it or is known.
type connected struct {
	ctx     context.Context
	objects *objects
	depth   int
	seen    map[plumbing.Hash]bool
}

func (o *objects) connect(ctx context.Context, newestFirst []plumbing.Hash, l Limits) error {
	c := connected{ctx: ctx, objects: o, depth: l.TreeDepth, seen: map[plumbing.Hash]bool{}}
	for i := len(newestFirst) - 1; i >= 0; i-- {
		data, err := o.commit(newestFirst[i])
		if err != nil {
			return err
		}
		var before plumbing.Hash
		if len(data.parents) > 0 {
			if parent, err := o.commit(data.parents[0]); err == nil {
				before = parent.tree
			}
		}
		if err := c.tree(data.tree, before, 0); err != nil {
			return err
		}
	}
	return nil
}

func (c *connected) tree(h, before plumbing.Hash, depth int) error {
	if h == before || c.seen[h] || depth >= c.depth {
		return nil
	}
	c.seen[h] = true
	if err := context.Cause(c.ctx); err != nil {
		return err
	}
	entries, err := c.objects.tree(h)
	if err != nil {
		return err
	}
	old := map[string]plumbing.Hash{}
	if !before.IsZero() {
		if list, err := c.objects.tree(before); err == nil {
			for _, e := range list {
				old[e.name] = e.hash
			}
		}
	}
	for _, e := range entries {
		was := old[e.name]
		switch {
		case depth == 0 && !isRead(e.name), was == e.hash:
		case e.mode == modeDir:
			err = c.tree(e.hash, was, depth+1)
		case e.mode != modeSubmodule && !c.objects.has(e.hash):
			err = &HostileError{What: "a file is missing", Where: e.hash.String(), Err: ErrIncomplete}
		}
		if err != nil {
			return err
		}
	}
	return nil
}
