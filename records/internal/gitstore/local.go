package gitstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/storage/filesystem"
)

// localSession serves a repository on this machine in process, so that nothing
// is executed: no git, no hook, nothing that its configuration names. go-git
// has such a server too; ours is used because that one fails on every commit
// that only the client has, lists whole histories to find what is new, and
// moves references without looking at what they were.
type localSession struct {
	repository
	places
	line line
}

// places are the folders of a repository. They differ in a linked work tree.
type places struct {
	gitDir string // HEAD, index
	common string // objects, references, config
	bare   bool
}

// findRepository finds the git folder of a bare repository or of a work tree.
func findRepository(dir string) (places, error) {
	if p, ok := gitFolder(dir); ok {
		p.bare = true
		return p, nil
	}
	name := filepath.Join(dir, ".git")
	if b, err := os.ReadFile(name); err == nil { // a linked work tree, or a submodule
		to, ok := strings.CutPrefix(strings.TrimRight(string(b), "\n"), "gitdir: ")
		if !ok {
			return places{}, fmt.Errorf("%s: %w", dir, ErrNotRepository)
		}
		if name = filepath.FromSlash(to); !filepath.IsAbs(name) {
			name = filepath.Join(dir, name)
		}
	}
	if p, ok := gitFolder(name); ok {
		return p, nil
	}
	return places{}, fmt.Errorf("%s: %w", dir, ErrNotRepository)
}

// gitFolder reports whether a folder is a git folder, as git itself decides.
func gitFolder(dir string) (places, bool) {
	p := places{gitDir: dir, common: dir}
	if b, err := os.ReadFile(filepath.Join(dir, "commondir")); err == nil {
		if p.common = filepath.FromSlash(strings.TrimSpace(string(b))); !filepath.IsAbs(p.common) {
			p.common = filepath.Join(dir, p.common)
		}
	}
	_, err := os.Lstat(filepath.Join(dir, "HEAD"))
	return p, err == nil && isDir(filepath.Join(p.common, "objects")) && isDir(filepath.Join(p.common, "refs"))
}

const (
	// cacheSize is how much of the objects read last go-git keeps, for deltas on them.
	cacheSize = 4 << 20

	// largeObject is where go-git stops holding an object in memory.
	largeObject = 1 << 20
)

// repository is the objects of a repository that others write to: its packs as
// they were found, and for everything else go-git's general storage.
type repository struct {
	objects
	git    *filesystem.Storage
	packed []*packs // its own, then those of the repositories that it borrows from
	root   string   // where objects/ lies
	names  []string
}

// open makes the objects readable.
func (r *repository) open(root string) error {
	r.root = root
	r.git = filesystem.NewStorageWithOptions(osfs.New(root), cache.NewObjectLRU(cacheSize), filesystem.Options{
		LargeObjectThreshold: largeObject,
		AlternatesFS:         osfs.New(string(filepath.Separator)),
	})
	r.objects = objects{mu: new(sync.Mutex), refresh: r.refreshPacks}
	r.names = r.packNames()
	return r.openPacks()
}

func (r *repository) openPacks() error {
	now, err := openPacks(r.root, nil)
	if err != nil {
		return err
	}
	_ = r.closePacks() // they were only read
	r.packed = []*packs{now}
	r.layers = []storage{now}
	for _, root := range r.borrowed() {
		if packs, err := openPacks(root, nil); err == nil { // else go-git, which reads every index for every object
			r.packed, r.layers = append(r.packed, packs), append(r.layers, packs)
		}
	}
	r.layers = append(r.layers, general{r.git})
	return nil
}

// borrowed are the git folders whose objects count as ours.
func (r *repository) borrowed() (roots []string) {
	b, _ := os.ReadFile(filepath.Join(r.root, "objects", "info", "alternates"))
	for line := range strings.Lines(string(b)) {
		if root, ok := strings.CutSuffix(strings.TrimSuffix(line, "\n"), "/objects"); ok && filepath.IsAbs(root) {
			roots = append(roots, root)
		}
	}
	return roots
}

func (r *repository) closePacks() (err error) {
	for _, packs := range r.packed {
		err = errors.Join(err, packs.Close())
	}
	return err
}

// refreshPacks looks whether git gc or somebody else made packs or took some
// away. It is called under the lock, when something was not found.
func (r *repository) refreshPacks() bool {
	now := r.packNames()
	if slices.Equal(now, r.names) {
		return false
	}
	r.names = now
	r.git.Reindex()
	return r.openPacks() == nil
}

func (r *repository) packNames() []string {
	names, _ := filepath.Glob(filepath.Join(r.root, "objects", "pack", "*.idx"))
	return names
}

// Close gives back the open files.
func (r *repository) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return errors.Join(r.closePacks(), r.git.Close())
}

func openLocal(path string, l line) (session, error) {
	p, err := findRepository(path)
	if err != nil {
		return nil, err
	}
	if err := p.checkFormat(); err != nil {
		return nil, err
	}
	s := &localSession{places: p, line: l}
	if err := s.open(p.common); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *localSession) refs(context.Context) (*packp.AdvRefs, error) {
	refs := packp.NewAdvRefs()
	list, err := s.git.IterReferences()
	if err != nil {
		return nil, fmt.Errorf("reading references: %w", err)
	}
	err = list.ForEach(func(ref *plumbing.Reference) error {
		if ref.Type() == plumbing.HashReference && ref.Name().IsBranch() {
			refs.References[ref.Name().String()] = ref.Hash()
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading references: %w", err)
	}
	for _, c := range []capability.Capability{capability.OFSDelta, capability.ReportStatus} {
		if err := refs.Capabilities.Set(c); err != nil {
			return nil, err
		}
	}
	branch, at, err := s.head()
	switch {
	case err == nil && !at.IsZero():
		refs.Head = &at
		return refs, refs.Capabilities.Add(capability.SymRef, "HEAD:refs/heads/"+branch)
	case errors.Is(err, ErrDetached):
		refs.Head = &at
	}
	return refs, nil
}

func (s *localSession) pack(ctx context.Context, req *packp.UploadPackRequest) (io.ReadCloser, error) {
	list, err := s.missing(ctx, req.Wants[0], req.Haves, s.line.limits)
	if err != nil {
		return nil, err
	}
	return s.encode(ctx, s.common, list), nil
}

// missing lists the objects that make a commit complete for somebody who has
// the known ones: new commits, and of each the trees and files that its first
// parent does not have.
func (o *objects) missing(ctx context.Context, want plumbing.Hash, have []plumbing.Hash, l Limits) ([]plumbing.Hash, error) {
	var known []plumbing.Hash
	for _, h := range have {
		if o.isCommit(h) {
			known = append(known, h)
		}
	}
	commits, err := o.newCommits(ctx, want, known, l.NewCommits)
	if err != nil {
		return nil, err
	}
	m := missing{ctx: ctx, objects: o, limits: l, seen: map[plumbing.Hash]bool{}}
	for i := len(commits) - 1; i >= 0; i-- {
		data, err := o.commit(commits[i])
		if err != nil {
			return nil, err
		}
		var before plumbing.Hash
		if len(data.parents) > 0 {
			if parent, err := o.commit(data.parents[0]); err == nil {
				before = parent.tree
			}
		}
		if err := m.add(commits[i]); err != nil {
			return nil, err
		}
		if err := m.tree(data.tree, before); err != nil {
			return nil, err
		}
	}
	return m.list, nil
}

type missing struct {
	ctx     context.Context
	objects *objects
	limits  Limits
	seen    map[plumbing.Hash]bool
	list    []plumbing.Hash
}

func (m *missing) add(h plumbing.Hash) error {
	m.seen[h] = true
	if m.list = append(m.list, h); int64(len(m.list)) > m.limits.Objects {
		return &LimitError{What: "objects in a pack", Limit: m.limits.Objects, Got: int64(len(m.list)), Option: "objects"}
	}
	return context.Cause(m.ctx)
}

func (m *missing) tree(h, before plumbing.Hash) error {
	if h == before || m.seen[h] {
		return nil
	}
	if err := m.add(h); err != nil {
		return err
	}
	entries, err := m.objects.tree(h)
	if err != nil {
		return err
	}
	old := map[string]plumbing.Hash{}
	if !before.IsZero() {
		if list, err := m.objects.tree(before); err == nil {
			for _, e := range list {
				old[e.name] = e.hash
			}
		}
	}
	for _, e := range entries {
		was := old[e.name]
		switch {
		case was == e.hash, m.seen[e.hash], e.mode == modeSubmodule:
		case e.mode == modeDir:
			err = m.tree(e.hash, was)
		default:
			err = m.add(e.hash)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
