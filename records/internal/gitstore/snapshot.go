package gitstore

import (
	"cmp"
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
	w := treeWalk{ctx: ctx, objects: o, limits: l.orDefault(), visit: func(path string, _, is plumbing.Hash) { s.Files[path] = is.String() }}
	if err := w.dirs("", plumbing.ZeroHash, c.tree, 0); err != nil {
		return nil, err
	}
	return s, nil
}

// Diff lists the files that differ between two commits, of those that a
// Snapshot holds, in the order of their paths, and reads only the folders that
// differ. An empty from is a commit without files.
func (o *objects) Diff(ctx context.Context, from, to string, l Limits) ([]FileChange, error) {
	var changes []FileChange
	err := o.diff(ctx, from, to, l, func(path string, was, is plumbing.Hash) {
		c := FileChange{Path: path}
		if !was.IsZero() {
			c.Old = was.String()
		}
		if !is.IsZero() {
			c.New = is.String()
		}
		changes = append(changes, c)
	})
	return changes, err
}

// Changed visits what Diff lists, with ids as bytes: a set has a hundred thousand
// files. Of a file that is gone the id is zero.
func (o *objects) Changed(ctx context.Context, from, to string, l Limits, visit func(path string, blob [20]byte)) error {
	return o.diff(ctx, from, to, l, func(path string, _, is plumbing.Hash) { visit(path, is) })
}

func (o *objects) diff(ctx context.Context, from, to string, l Limits, visit func(path string, was, is plumbing.Hash)) error {
	var trees [2]plumbing.Hash
	for i, id := range []string{from, to} {
		if id == "" && i == 0 {
			continue
		}
		h, err := parseID(id)
		if err != nil {
			return err
		}
		c, err := o.commit(h)
		if err != nil {
			return err
		}
		trees[i] = c.tree
	}
	w := treeWalk{ctx: ctx, objects: o, limits: l.orDefault(), visit: visit}
	return w.dirs("", trees[0], trees[1], 0)
}

// Blob gives the bytes of a file when there are at most limit of them.
func (o *objects) Blob(id string, limit int64) ([]byte, error) {
	h, err := parseID(id)
	if err != nil {
		return nil, err
	}
	return o.Read(h, limit)
}

// Read gives the bytes of a file when there are at most limit of them. They are not to be changed.
func (o *objects) Read(id [20]byte, limit int64) ([]byte, error) {
	return o.read(plumbing.BlobObject, id, limit)
}

// treeWalk compares two trees and visits the files that differ, in the order of
// their paths, under the rules and limits of F4 and F7.
type treeWalk struct {
	ctx     context.Context
	objects *objects
	limits  Limits
	visit   func(path string, was, is plumbing.Hash) // zero: there is none
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
	for len(before) > 0 || len(after) > 0 {
		var was, is entry
		switch {
		case len(after) == 0 || len(before) > 0 && compareEntries(before[0], after[0]) < 0:
			was, before = before[0], before[1:]
		case len(before) == 0 || compareEntries(before[0], after[0]) > 0:
			is, after = after[0], after[1:]
		default:
			was, is, before, after = before[0], after[0], before[1:], after[1:]
		}
		if err := w.pair(path, was, is, depth); err != nil {
			return err
		}
	}
	return nil
}

// pair compares two files or two folders of one name; an entry without a mode is
// nothing at all.
func (w *treeWalk) pair(path string, was, is entry, depth int) error {
	if was == is {
		return nil
	}
	path += cmp.Or(is.name, was.name)
	if was.mode == modeDir || is.mode == modeDir {
		return w.dirs(path+"/", was.hash, is.hash, depth+1)
	}
	if is.mode != "" && !w.objects.has(is.hash) {
		return &HostileError{What: "a file is missing", Where: path, Err: ErrIncomplete}
	}
	if w.files++; w.files > w.limits.Files {
		return &LimitError{What: "files", Limit: int64(w.limits.Files), Got: int64(w.files), Option: "files"}
	}
	w.visit(path, was.hash, is.hash)
	return nil
}

// folder reads one folder by the rules of F4, in git's order. At the top only F4's
// names are looked at, and nothing is asked of the others.
func (w *treeWalk) folder(path string, h plumbing.Hash, depth int) ([]entry, error) {
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
	if depth == 0 {
		entries = slices.DeleteFunc(entries, func(e entry) bool { return !isRead(e.name) })
	}
	for _, e := range entries {
		if err := checkEntry(path, e, depth); err != nil {
			return nil, err
		}
	}
	if !slices.IsSortedFunc(entries, compareEntries) {
		slices.SortFunc(entries, compareEntries)
	}
	if name, twice := nameTwice(entries); twice {
		return nil, &HostileError{What: "a name is in a folder twice:", Where: path + clip(name)}
	}
	return entries, nil
}

// nameTwice finds a name that is in a folder twice, as two of a kind or as a file and a folder.
func nameTwice(entries []entry) (name string, twice bool) {
	for i, e := range entries {
		if i > 0 && entries[i-1].name == e.name {
			return e.name, true
		}
		if e.mode != modeDir {
			continue
		}
		if _, file := slices.BinarySearchFunc(entries[:i], entry{mode: modeFile, name: e.name}, compareEntries); file {
			return e.name, true
		}
	}
	return "", false
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
	var old map[string]plumbing.Hash
	if !before.IsZero() {
		if list, err := c.objects.tree(before); err == nil {
			old = make(map[string]plumbing.Hash, len(list))
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
