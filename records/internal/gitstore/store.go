package gitstore

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/go-git/go-git/v5/plumbing"
)

const (
	// incomingRef is the one reference of a store. It moves only when every
	// object that its commit needs was seen; what counts as accepted is the
	// caller's pin, never this.
	incomingRef = "refs/distrust/incoming"

	// maxPacks is how many packs a store gathers before a fetch takes
	// everything again as one: every look-up asks each pack.
	maxPacks = 50
)

// Store is a bare repository of ours for one followed source: a cache that may
// be deleted at any time. One process at a time fetches into it; any number
// may read what was fetched before they opened it.
type Store struct {
	objects
	dir      string
	packed   *packs
	made     *fresh // the pack that was fetched last; nil: none
	maxPacks int
}

// StoreAt is the store in a folder, not opened yet: [Store.Fetch] opens it when
// there is something to fetch. Without it nothing is in the store.
func StoreAt(dir string) (*Store, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("opening a store: %w", err)
	}
	return &Store{dir: dir, maxPacks: maxPacks, objects: objects{mu: new(sync.Mutex)}}, nil
}

// OpenStore opens the store in a folder, which is made when it is not there,
// and sweeps what a killed fetch left behind.
func OpenStore(dir string) (*Store, error) {
	s, err := StoreAt(dir)
	if err != nil {
		return nil, err
	}
	if err := s.create(); err != nil {
		return nil, fmt.Errorf("opening a store: %w", err)
	}
	release, err := lockFile(s.lockName())
	switch {
	case err == nil:
		err = s.sweep()
		release()
		if err != nil {
			return nil, fmt.Errorf("opening a store: %w", err)
		}
	case !errors.Is(err, ErrLocked): // locked: somebody fetches, and swept before
		return nil, fmt.Errorf("opening a store: %w", err)
	}
	if err := s.reopen(); err != nil {
		return nil, fmt.Errorf("opening a store: %w", err)
	}
	return s, nil
}

// create makes what is not there of the folder. Two of the files are only for git to take it for a
// repository: a power cut may empty them.
func (s *Store) create() error {
	for _, d := range []string{"objects/pack", "objects/info", "refs/heads", "refs/distrust"} {
		if err := os.MkdirAll(filepath.Join(s.dir, filepath.FromSlash(d)), 0o700); err != nil {
			return err
		}
	}
	for name, text := range map[string]string{
		"HEAD":   "ref: refs/heads/main\n", // no such branch: git demands a name, and we use none
		"config": "[core]\n\trepositoryformatversion = 0\n\tbare = true\n",
	} {
		file := filepath.Join(s.dir, name)
		if info, err := os.Stat(file); err == nil && info.Size() > 0 {
			continue
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// Close gives back the open files.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.layers = nil
	s.forget()
	if s.packed == nil {
		return nil
	}
	return s.packed.Close()
}

// Sum gives the SHA-256 and the size of a file when it has at most limit bytes. Those of files that the last
// fetch brought are known.
func (s *Store) Sum(id [20]byte, limit int64) (sum [sha256.Size]byte, size int64, err error) {
	s.mu.Lock()
	var known bool
	if s.packed != nil {
		sum, size, known = s.packed.sum(id)
	}
	s.mu.Unlock()
	if known && size <= limit {
		return sum, size, nil
	}
	b, err := s.Read(id, limit)
	if err != nil {
		return sum, 0, err
	}
	return sha256.Sum256(b), int64(len(b)), nil
}

// forget lets go of what is known of the pack that was fetched last.
func (s *Store) forget() {
	if s.made != nil {
		s.made.spill.close()
		s.made = nil
	}
}

func (s *Store) lockName() string { return filepath.Join(s.dir, "lock") }

// reopen makes the objects of the packs that are there now readable.
func (s *Store) reopen() error {
	names, err := indexNames(s.dir)
	if err != nil {
		return err
	}
	if s.packed != nil && slices.Equal(names, s.packed.names) {
		return nil
	}
	now, err := openPacks(s.dir, s.made)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.packed != nil {
		s.packed.Close()
	}
	s.packed, s.layers = now, []storage{now}
	return nil
}

// sweep removes what a killed fetch left: spools, halves of packs, and a
// reference that a power cut emptied.
func (s *Store) sweep() error {
	left, err := filepath.Glob(filepath.Join(s.dir, spoolPrefix+"*"))
	if err != nil {
		return err
	}
	packs := filepath.Join(s.dir, "objects", "pack")
	files, err := os.ReadDir(packs)
	if err != nil {
		return err
	}
	for _, f := range files {
		stem, isPack := strings.CutSuffix(f.Name(), ".pack")
		stem, isIndex := strings.CutSuffix(stem, ".idx")
		_, noPack := os.Stat(filepath.Join(packs, stem+".pack"))
		_, noIndex := os.Stat(filepath.Join(packs, stem+".idx"))
		if !isPack && !isIndex || noPack != nil || noIndex != nil {
			left = append(left, filepath.Join(packs, f.Name()))
		}
	}
	ref := filepath.Join(s.dir, filepath.FromSlash(incomingRef))
	if _, err := readRef(s.dir, incomingRef); err != nil {
		left = append(left, ref)
	}
	for _, name := range left {
		err = errors.Join(err, os.RemoveAll(name))
	}
	return err
}

// Fetch brings the branch of a remote repository into the store and gives its
// commit. The reference of the store moves, and the new pack is kept, only when
// every commit that is new and every file of F4 in it arrived; otherwise the
// store is as it was. When the branch names opt.Unless the store is not looked at.
func (s *Store) Fetch(ctx context.Context, opt FetchOptions) (Tip, error) {
	f := storeFetch{store: s, known: opt.Known, limits: opt.Limits.orDefault()}
	defer f.end()
	got, err := receive(ctx, opt, f.target)
	if f.failed != nil { // of this machine: no matter what it looks like within a conversation
		return Tip{}, fmt.Errorf("fetching: %w", f.failed)
	}
	if err != nil {
		return Tip{}, err
	}
	defer got.drop()
	if f.to == nil {
		return got.tip, nil
	}
	most := f.limits.StoreBytes
	if len(f.to.have) > 0 && f.size+got.size > most {
		// The new pack does not fit beside the old ones: take everything as one.
		f.to.have, opt.Unless = nil, ""
		if got, err = receive(ctx, opt, f.target); err != nil {
			return Tip{}, err
		}
		defer got.drop()
	}
	if got.size > most {
		return Tip{}, &LimitError{What: "bytes kept for the source", Limit: most, Got: got.size, Option: "store"}
	}
	if err := s.adopt(got, len(f.to.have) == 0); err != nil {
		return Tip{}, fmt.Errorf("fetching: %w", err)
	}
	return got.tip, nil
}

// storeFetch is one fetch into a store, which is locked from when it is first
// looked at until the fetch ends.
type storeFetch struct {
	store   *Store
	known   string
	limits  Limits
	release func()
	to      *target
	failed  error // why there is no target
	size    int64 // of the packs that are there
}

func (f *storeFetch) end() {
	if f.release != nil {
		f.release()
	}
}

// target is what the store has, looked at once.
func (f *storeFetch) target() (*target, error) {
	if f.to == nil && f.failed == nil {
		f.failed = f.open()
	}
	return f.to, f.failed
}

func (f *storeFetch) open() (err error) {
	s := f.store
	if err := s.create(); err != nil {
		return err
	}
	if f.release, err = lockFile(s.lockName()); err != nil {
		return err
	}
	if err := s.sweep(); err != nil {
		return err
	}
	if err := s.reopen(); err != nil {
		return err
	}
	incoming, err := readRef(s.dir, incomingRef)
	if err != nil {
		return err
	}
	var count int
	if count, f.size, err = s.usage(); err != nil {
		return err
	}
	f.to = &target{objects: &s.objects, dir: s.dir}
	if count <= s.maxPacks && f.size <= f.limits.StoreBytes {
		f.to.have = s.present(incoming.String(), f.known)
	}
	return nil
}

// adopt moves a checked pack into the store, then the reference, then removes
// the packs that the new one replaces.
func (s *Store) adopt(got *received, whole bool) error {
	old, err := filepath.Glob(filepath.Join(s.dir, "objects", "pack", "pack-*"))
	if err != nil {
		return err
	}
	if err := got.adopt(s.dir); err != nil {
		return err
	}
	if got.made != nil {
		s.forget()
		s.made, got.spill = got.made, nil
	}
	if err := writeFile(filepath.Join(s.dir, filepath.FromSlash(incomingRef)), []byte(got.tip.Commit+"\n"), 0o600); err != nil {
		return err
	}
	if whole && got.made != nil {
		stem := filepath.Base(got.made.base)
		for _, name := range old {
			if !strings.HasPrefix(filepath.Base(name), stem) {
				os.Remove(name) // a reader on Windows keeps it; the next fetch as a whole removes it
			}
		}
	}
	return s.reopen()
}

// usage counts the packs and their bytes.
func (s *Store) usage() (count int, size int64, err error) {
	files, err := os.ReadDir(filepath.Join(s.dir, "objects", "pack"))
	if err != nil {
		return 0, 0, err
	}
	for _, f := range files {
		info, err := f.Info()
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return 0, 0, err
		}
		if err == nil && strings.HasSuffix(f.Name(), ".pack") {
			count, size = count+1, size+info.Size()
		}
	}
	return count, size, nil
}

// present gives those of the commits that are in the store.
func (o *objects) present(ids ...string) []plumbing.Hash {
	var found []plumbing.Hash
	for _, id := range ids {
		if h, err := parseID(id); err == nil && !h.IsZero() && o.isCommit(h) {
			found = append(found, h)
		}
	}
	return found
}
