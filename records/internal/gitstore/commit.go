package gitstore

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/go-git/go-git/v5/plumbing"
)

// Change is what a commit does to the files of a repository. Paths are
// slash-separated. Files are written as they are given, in the work tree and in
// the commit: no filter of git's is applied.
type Change struct {
	Base   string // what HEAD has to name; empty: anything
	Write  map[string][]byte
	Delete []string
	Over   string   // another commit that the new one also comes after, and takes nothing of; empty: none
	Then   *Further // a second commit on top of the first; nil: none
}

// Further is what a second commit does. The branch moves to both at once, so that nothing ever stands
// at the first alone.
type Further struct {
	Write   map[string][]byte
	Delete  []string
	Message string
}

// paths are all that the change names.
func (c Change) paths() []string {
	paths := append(slices.Collect(maps.Keys(c.Write)), c.Delete...)
	if c.Then != nil {
		paths = append(append(paths, slices.Collect(maps.Keys(c.Then.Write))...), c.Then.Delete...)
	}
	return paths
}

// A DirtyError says that files of the user's would be overwritten.
type DirtyError struct{ Paths []string }

func (e *DirtyError) Error() string {
	return fmt.Sprintf("%d files have changes that are not committed, %q first", len(e.Paths), e.Paths[0])
}

// A ConflictError says that files were changed here and at the remote,
// differently: the user's git has to bring them together.
type ConflictError struct{ Paths []string }

func (e *ConflictError) Error() string {
	return fmt.Sprintf("%d files were changed here and there, %q first", len(e.Paths), e.Paths[0])
}

// Commit puts a change on top of HEAD (A2): the commit holds HEAD's tree with
// only these paths changed, the branch moves only from where it was read, and
// index and work tree follow for these paths. What else the user staged or
// edited stays staged and edited. It gives the commit, or HEAD when the change
// changes nothing.
//
// ErrBusy, ErrDetached, ErrLocked and ErrMoved (HEAD is not Change.Base, or was
// moved meanwhile) leave everything as it was.
func (w *Worktree) Commit(ctx context.Context, c Change, message string, author Signature) (string, error) {
	return w.commit(ctx, "", c, message, author)
}

// Rebuild puts a change on top of another commit, such as the remote's tip, and
// moves the branch there from HEAD. The commits that HEAD has and the other has
// not are left behind; of what they changed, files that are not F4's are
// carried along. Index and work tree follow, and a file that has changes of the
// user's is never overwritten (DirtyError).
func (w *Worktree) Rebuild(ctx context.Context, onto string, c Change, message string, author Signature) (string, error) {
	if _, err := parseID(onto); err != nil {
		return "", err
	}
	return w.commit(ctx, onto, c, message, author)
}

// Reset moves the branch to a commit; index and work tree follow as in Rebuild.
func (w *Worktree) Reset(ctx context.Context, to string) error {
	h, err := parseID(to)
	if err != nil {
		return err
	}
	data, err := w.objects.commit(h)
	if err != nil {
		return err
	}
	s, err := w.begin(ctx)
	if err != nil {
		return err
	}
	defer s.end()
	tip, err := s.tree(s.at.Commit)
	if err != nil {
		return err
	}
	log := fmt.Sprintf("distrust <distrust@localhost> %d +0000\treset: moving to %s", max(data.when, 0), to)
	return s.finish(ctx, h, tip, data.tree, Change{}, log)
}

func (w *Worktree) commit(ctx context.Context, onto string, c Change, message string, author Signature) (string, error) {
	for _, path := range c.paths() {
		if !safePath(path) {
			return "", fmt.Errorf("committing: %q is no path that may be written", clip(path))
		}
	}
	s, err := w.begin(ctx)
	if err != nil {
		return "", fmt.Errorf("committing: %w", err)
	}
	defer s.end()
	if c.Base != "" && c.Base != s.at.Commit {
		return "", fmt.Errorf("committing: HEAD is %q: %w", s.at.Commit, ErrMoved)
	}
	if onto == "" {
		onto = s.at.Commit
	}
	done, err := s.build(ctx, onto, c, message, author)
	if err != nil {
		return "", fmt.Errorf("committing: %w", err)
	}
	return done, nil
}

// step is one change of the repository under the lock.
type step struct {
	*Worktree
	lock *indexLock
	at   Head

	placed sync.Mutex // guards what follows, and between
	kept   []keptFile // what paths of the work tree held before, in the order in which they were changed
}

// begin takes the lock, finishes what a killed process began, and looks where
// the repository stands.
func (w *Worktree) begin(ctx context.Context) (*step, error) {
	lock, left, err := lockIndex(ctx, w.gitDir)
	if err != nil {
		return nil, err
	}
	w.between()
	s := &step{Worktree: w, lock: lock}
	if left.New != "" {
		err = s.mend(ctx, left)
	}
	if err == nil {
		err = w.Busy()
	}
	if err == nil {
		s.at, err = w.Head()
	}
	if err != nil {
		s.end()
		return nil, err
	}
	return s, nil
}

func (s *step) end() { s.lock.release() }

// tree gives the tree of a commit; none has none.
func (s *step) tree(commit string) (plumbing.Hash, error) {
	if commit == "" {
		return plumbing.ZeroHash, nil
	}
	h, err := parseID(commit)
	if err != nil {
		return h, err
	}
	data, err := s.objects.commit(h)
	return data.tree, err
}

// build makes the objects of the new commit and moves everything to it.
func (s *step) build(ctx context.Context, onto string, c Change, message string, author Signature) (string, error) {
	here, err := s.tree(s.at.Commit)
	if err != nil {
		return "", err
	}
	base, err := s.tree(onto)
	if err != nil {
		return "", err
	}
	var fresh freshObjects
	edits, err := s.carried(ctx, onto, base, here)
	if err != nil {
		return "", err
	}
	parents := []string{onto}
	if c.Over != "" {
		parents = append(parents, c.Over)
	}
	tree, commit, err := s.putCommit(parents, base, edits, Further{c.Write, c.Delete, message}, author, &fresh)
	if err == nil && c.Then != nil {
		tree, commit, err = s.putCommit([]string{commit.String()}, tree, map[string]entry{}, *c.Then, author, &fresh)
	}
	if err != nil {
		return "", err
	}
	if err := fresh.sync(s.common); err != nil {
		return "", err
	}
	subject, _, _ := strings.Cut(strings.TrimSpace(message), "\n")
	return commit.String(), s.finish(ctx, commit, here, tree, c, author.String()+"\tcommit: "+subject)
}

// putCommit makes a commit: the tree of its first parent with some paths changed. Without a change,
// and with no other parent, it is the first parent itself.
func (s *step) putCommit(parents []string, base plumbing.Hash, edits map[string]entry, c Further, author Signature, fresh *freshObjects) (tree, commit plumbing.Hash, err error) {
	for path, text := range c.Write {
		h, err := s.put(plumbing.BlobObject, text, fresh)
		if err != nil {
			return tree, commit, err
		}
		edits[path] = entry{mode: modeFile, hash: h}
	}
	for _, path := range c.Delete {
		edits[path] = entry{}
	}
	if tree, err = s.edit(base, edits, fresh); err != nil {
		return tree, commit, err
	}
	if tree.IsZero() { // nothing is left: git still wants a tree
		if tree, err = s.put(plumbing.TreeObject, nil, fresh); err != nil {
			return tree, commit, err
		}
	}
	if tree == base && parents[0] != "" && len(parents) == 1 {
		return tree, plumbing.NewHash(parents[0]), nil
	}
	var ids []plumbing.Hash
	for _, parent := range parents {
		if parent != "" { // a first commit has none
			ids = append(ids, plumbing.NewHash(parent))
		}
	}
	commit, err = s.put(plumbing.CommitObject, encodeCommit(tree, ids, author, c.Message), fresh)
	return tree, commit, err
}

// carried lists what the user's own commits, which a rebuild leaves behind, did
// to files that are not F4's.
func (s *step) carried(ctx context.Context, onto string, base, here plumbing.Hash) (map[string]entry, error) {
	edits := map[string]entry{}
	if onto == s.at.Commit || s.at.Commit == "" {
		return edits, nil
	}
	common, err := s.forkPoint(ctx, onto)
	if err != nil {
		return nil, err
	}
	var clash []string
	changes, err := s.changes(ctx, common, here)
	if err != nil {
		return nil, err
	}
	for _, c := range changes {
		top, _, _ := strings.Cut(c.path, "/")
		if isRead(top) || top == "allowed_signers" {
			continue
		}
		there, err := s.lookUp(base, c.path)
		if err != nil {
			return nil, err
		}
		switch there {
		case c.new.unnamed():
		case c.old.unnamed():
			edits[c.path] = c.new.unnamed()
		default:
			clash = append(clash, c.path)
		}
	}
	if len(clash) > 0 {
		return nil, &ConflictError{Paths: clash}
	}
	return edits, nil
}

// forkPoint gives the tree of the newest commit that HEAD came through and the
// other commit has too.
func (s *step) forkPoint(ctx context.Context, onto string) (plumbing.Hash, error) {
	list, err := s.newCommits(ctx, plumbing.NewHash(s.at.Commit), s.present(onto), DefaultLimits().NewCommits)
	if err != nil {
		return plumbing.ZeroHash, err
	}
	own := map[plumbing.Hash]bool{}
	for _, h := range list {
		own[h] = true
	}
	for h := plumbing.NewHash(s.at.Commit); ; {
		data, err := s.objects.commit(h)
		if err != nil || !own[h] {
			return data.tree, err
		}
		if len(data.parents) == 0 {
			return plumbing.ZeroHash, nil
		}
		h = data.parents[0]
	}
}
