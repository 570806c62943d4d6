package gitstore

import (
	"context"
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

	// largeObject is where go-git stops holding an object in memory.
	largeObject = 1 << 20

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
	maxPacks int
}

// OpenStore opens the store in a folder, which is made when it is not there,
// and sweeps what a killed fetch left behind.
func OpenStore(dir string) (*Store, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("opening a store: %w", err)
	}
	for _, d := range []string{"objects/pack", "objects/info", "refs/heads", "refs/distrust"} {
		if err := os.MkdirAll(filepath.Join(dir, filepath.FromSlash(d)), 0o700); err != nil {
			return nil, fmt.Errorf("opening a store: %w", err)
		}
	}
	for name, text := range map[string]string{
		"HEAD":   "ref: refs/heads/main\n", // no such branch: git demands a name, and we use none
		"config": "[core]\n\trepositoryformatversion = 0\n\tbare = true\n",
	} {
		file := filepath.Join(dir, name)
		if info, err := os.Stat(file); err == nil && info.Size() > 0 {
			continue
		}
		if err := writeFile(file, []byte(text), 0o600); err != nil {
			return nil, fmt.Errorf("opening a store: %w", err)
		}
	}
	s := &Store{dir: dir, maxPacks: maxPacks, objects: objects{mu: new(sync.Mutex)}}
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

// Close gives back the open files.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.layers = nil
	return s.packed.Close()
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
	now, err := openPacks(s.dir)
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
// store is as it was.
func (s *Store) Fetch(ctx context.Context, opt FetchOptions) (Tip, error) {
	release, err := lockFile(s.lockName())
	if err != nil {
		return Tip{}, fmt.Errorf("fetching: %w", err)
	}
	defer release()
	if err := s.sweep(); err != nil {
		return Tip{}, fmt.Errorf("fetching: %w", err)
	}
	if err := s.reopen(); err != nil {
		return Tip{}, fmt.Errorf("fetching: %w", err)
	}
	incoming, err := readRef(s.dir, incomingRef)
	if err != nil {
		return Tip{}, fmt.Errorf("fetching: %w", err)
	}
	limits := opt.Limits.orDefault()
	count, size, err := s.usage()
	if err != nil {
		return Tip{}, fmt.Errorf("fetching: %w", err)
	}
	to := target{objects: &s.objects, dir: s.dir}
	if count <= s.maxPacks && size <= limits.StoreBytes {
		to.have = s.present(incoming.String(), opt.Known)
	}
	got, err := receive(ctx, opt, to)
	if err != nil {
		return Tip{}, err
	}
	defer got.drop()
	if len(to.have) > 0 && size+got.size > limits.StoreBytes {
		// The new pack does not fit beside the old ones: take everything as one.
		to.have = nil
		if got, err = receive(ctx, opt, to); err != nil {
			return Tip{}, err
		}
		defer got.drop()
	}
	if got.size > limits.StoreBytes {
		return Tip{}, &LimitError{What: "bytes kept for the source", Limit: limits.StoreBytes, Got: got.size, Option: "store"}
	}
	if err := s.adopt(got, len(to.have) == 0); err != nil {
		return Tip{}, fmt.Errorf("fetching: %w", err)
	}
	return got.tip, nil
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
	if err := writeFile(filepath.Join(s.dir, filepath.FromSlash(incomingRef)), []byte(got.tip.Commit+"\n"), 0o600); err != nil {
		return err
	}
	if whole && got.base != "" {
		stem := filepath.Base(got.base)
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
