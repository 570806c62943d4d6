package gitstore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
)

// finish moves index, work tree and branch to a commit, after making sure that
// nothing of the user's is in the way. Paths of the change are the caller's.
func (s *step) finish(ctx context.Context, commit, here, tree plumbing.Hash, c Change, log string) error {
	plan, err := s.changes(ctx, here, tree)
	if err != nil {
		return err
	}
	idx, err := s.openIndex(ctx)
	if err != nil {
		return err
	}
	ours := map[string]bool{}
	for _, p := range c.paths() {
		ours[p] = true
	}
	root, err := openFolders(s.dir)
	if err != nil {
		return err
	}
	defer root.close()
	var dirty []string
	for _, p := range plan {
		if !safePath(p.path) {
			return &HostileError{What: "a name that cannot be written into a work tree:", Where: clip(p.path)}
		}
		if ours[p.path] {
			delete(ours, p.path)
			continue
		}
		clean, err := s.clean(root, idx, p)
		if err != nil {
			return err
		}
		if !clean {
			dirty = append(dirty, p.path)
		}
	}
	if len(dirty) > 0 {
		slices.Sort(dirty)
		return &DirtyError{Paths: dirty}
	}
	for p := range ours { // as HEAD has it, but perhaps not the work tree or the index
		e, err := s.lookUp(tree, p)
		if err != nil {
			return err
		}
		plan = append(plan, pathChange{path: p, old: e, new: e})
	}
	m := move{Branch: "refs/heads/" + s.at.Branch, Old: s.at.Commit, New: commit.String(), Log: log}
	s.between()
	if err := s.lock.declare(m); err != nil {
		return err
	}
	s.between()
	if err := s.settle(ctx, root, idx, plan, m, false); err != nil {
		return errors.Join(err, s.undo(root, m))
	}
	return nil
}

// mend finishes a step of a process that was killed: the objects are all there,
// and only what the user did not change meanwhile is written.
func (s *step) mend(ctx context.Context, m move) error {
	now, err := readRef(s.common, m.Branch)
	if err != nil {
		return err
	}
	name := filepath.Join(s.common, filepath.FromSlash(m.Branch)) + ".lock"
	if b, err := os.ReadFile(name); err == nil && (len(b) == 0 || string(b) == m.New+"\n") {
		os.Remove(name)
	}
	if id := now.String(); id != m.New && now != plumbing.NewHash(m.Old) {
		return nil // the user went on from somewhere else
	}
	here, err := s.tree(m.Old)
	if err != nil {
		return err
	}
	tree, err := s.tree(m.New)
	if err != nil {
		return err
	}
	plan, err := s.changes(ctx, here, tree)
	if err != nil {
		return err
	}
	idx, err := s.openIndex(ctx)
	if err != nil {
		return err
	}
	root, err := openFolders(s.dir)
	if err != nil {
		return err
	}
	defer root.close()
	return s.settle(ctx, root, idx, plan, m, true)
}

// settle makes a step that was written down: files, index, branch, in an order
// in which a kill at any point leaves something that mend can finish.
func (s *step) settle(ctx context.Context, root *folders, idx *indexFile, plan []pathChange, m move, gentle bool) error {
	to, err := parseID(m.New)
	if err != nil {
		return err
	}
	lock, err := lockRef(ctx, s.common, m.Branch, to)
	if err != nil {
		return err
	}
	defer lock.release()
	s.between()
	now, err := readRef(s.common, m.Branch)
	if err != nil {
		return err
	}
	if now != to && now != plumbing.NewHash(m.Old) {
		return fmt.Errorf("%s is %s: %w", m.Branch, now, ErrMoved)
	}
	if err := s.placeAll(root, plan, gentle); err != nil {
		return err
	}
	if err := idx.update(ctx, s, root, plan); err != nil {
		return err
	}
	s.between()
	if now != to {
		if err := lock.set(); err != nil {
			return err
		}
		s.between()
	}
	if err := idx.replace(); err != nil {
		return err
	}
	s.between()
	if now != to {
		s.appendLog(m)
	}
	s.between()
	return nil
}

// clean reports whether nothing of the user's is lost when a path is brought to
// what it is to be: index and work tree have it as HEAD does, or so already.
func (s *step) clean(root *folders, idx *indexFile, p pathChange) (bool, error) {
	if staged := idx.entry(p.path); staged != p.old.unnamed() && staged != p.new.unnamed() {
		return false, nil
	}
	if p.old.mode == modeSubmodule || p.new.mode == modeSubmodule {
		return true, nil // what lies in it is another repository's
	}
	is, err := s.hashFile(root, p.path)
	return is == p.old.unnamed() || is == p.new.unnamed(), err
}

// hashFile says what a path of the work tree would be in a tree. A folder is
// nothing: git knows only what lies in it.
func (s *step) hashFile(root *folders, name string) (entry, error) {
	dir, base, err := root.of(name)
	var hostile *HostileError
	if errors.As(err, &hostile) {
		return entry{mode: modeSymlink}, nil // behind a link: certainly not ours
	}
	var info fs.FileInfo
	if err == nil {
		info, err = dir.Lstat(base)
	}
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.IsDir() {
		return entry{}, nil
	}
	if err != nil {
		return entry{}, err
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		to, err := dir.Readlink(base)
		return entry{mode: modeSymlink, hash: plumbing.ComputeHash(plumbing.BlobObject, []byte(filepath.ToSlash(to)))}, err
	}
	b, err := dir.ReadFile(base)
	mode := modeFile
	if info.Mode()&0o100 != 0 && locksEnd {
		mode = modeExecutable
	}
	return entry{mode: mode, hash: plumbing.ComputeHash(plumbing.BlobObject, b)}, err
}

// appendLog adds a line to the logs of the branch and of HEAD, so that git
// reflog finds what a rebuild left behind, and git gc keeps it. A log that
// cannot be written is not worth failing for: everything has happened. None is written through a link
// that leads out of the repository.
func (s *step) appendLog(m move) {
	c, err := s.config()
	if err != nil || slices.Contains([]string{"false", "no", "off", "0"}, strings.ToLower(c.Section("core").Option("logallrefupdates"))) {
		return
	}
	old := m.Old
	if old == "" {
		old = plumbing.ZeroHash.String()
	}
	line := old + " " + m.New + " " + m.Log + "\n"
	appendIn(s.gitDir, "logs/HEAD", line)
	appendIn(s.common, "logs/"+m.Branch, line)
}

// appendIn adds a line to a file in a folder, if that can be done.
func appendIn(dir, name, line string) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return
	}
	defer root.Close()
	if root.MkdirAll(path.Dir(name), 0o755) != nil {
		return
	}
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return
	}
	_, _ = f.WriteString(line)
	f.Close()
}
