package gitstore

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/go-git/go-billy/v5"
	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/plumbing/format/idxfile"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
)

// packs reads the packs of one folder, as they were when it was opened. A store
// has nothing else, and go-git's general storage is no use for it: told that
// nobody else writes, it finds no packed object by HasEncodedObject; not told,
// it asks the file system for a loose one each time.
type packs struct {
	names []string // of their indexes
	fs    billy.Filesystem
	files []billy.File
	packs []*packfile.Packfile
}

// cacheSize is how much of the objects read last go-git keeps, for deltas on them.
const cacheSize = 4 << 20

// openPacks opens the packs below a git folder.
func openPacks(gitDir string) (_ *packs, err error) {
	names, err := indexNames(gitDir)
	if err != nil {
		return nil, err
	}
	p := &packs{names: names, fs: osfs.New(filepath.Join(gitDir, "objects", "pack"))}
	defer func() {
		if err != nil {
			p.Close()
		}
	}()
	recent := cache.NewObjectLRU(cacheSize)
	for _, name := range names {
		index, err := readIndex(name)
		if err != nil {
			return nil, err
		}
		stem := filepath.Base(name[:len(name)-len(".idx")])
		f, err := p.fs.Open(stem + ".pack")
		if err != nil {
			return nil, fmt.Errorf("opening a pack: %w", err)
		}
		p.files = append(p.files, f)
		p.packs = append(p.packs, packfile.NewPackfileWithCache(index, p.fs, f, recent, largeObject))
	}
	return p, nil
}

// indexNames are the indexes of the packs below a git folder, in the order of their names. A pack is
// named by its sum, so the same names are the same packs.
func indexNames(gitDir string) ([]string, error) {
	return filepath.Glob(filepath.Join(gitDir, "objects", "pack", "pack-*.idx"))
}

// readIndex reads the index of a pack.
func readIndex(name string) (_ *idxfile.MemoryIndex, err error) {
	defer recoverDecoder(&err)
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("opening a pack: %w", err)
	}
	defer f.Close()
	index := idxfile.NewMemoryIndex()
	// The decoder asks for four bytes at a time.
	if err := idxfile.NewDecoder(bufio.NewReader(f)).Decode(index); err != nil {
		return nil, fmt.Errorf("opening a pack: %w", err)
	}
	return index, nil
}

func (p *packs) EncodedObject(t plumbing.ObjectType, h plumbing.Hash) (plumbing.EncodedObject, error) {
	for _, pack := range p.packs {
		obj, err := pack.Get(h)
		switch {
		case errors.Is(err, plumbing.ErrObjectNotFound):
		case err != nil:
			return nil, err
		case t == plumbing.AnyObject || t == obj.Type():
			return obj, nil
		}
	}
	return nil, plumbing.ErrObjectNotFound
}

func (p *packs) HasEncodedObject(h plumbing.Hash) error {
	has := func(pack *packfile.Packfile) bool {
		found, err := pack.Contains(h)
		return found && err == nil
	}
	if slices.ContainsFunc(p.packs, has) {
		return nil
	}
	return plumbing.ErrObjectNotFound
}

func (p *packs) Close() error {
	var err error
	for _, f := range p.files {
		err = errors.Join(err, f.Close())
	}
	p.files, p.packs = nil, nil
	return err
}
