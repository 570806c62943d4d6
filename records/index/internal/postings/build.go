package postings

import (
	"fmt"
	"io"
	"os"
	"slices"

	bolt "go.etcd.io/bbolt"
)

// Blocks hold this many postings: half to all of the target when written anew, at most so many
// on average before the next file is.
const (
	blockTarget = 128
	blockMost   = 384
	// batchBytes bounds what one transaction of the library holds in memory.
	batchBytes = 4 << 20
)

// Change is what a file has that the one before it had not, and the reverse.
type Change struct {
	Adds    [Spaces][]Posting
	Removes [Spaces][]Posting
	// Keep, when it is set, says which postings of before stay, besides what Removes says: then
	// all of them are gone through.
	Keep func(Posting) bool
}

// normalize sorts the lists. A posting that comes twice counts once.
func (c *Change) normalize() {
	for i := range Spaces {
		for _, list := range []*[]Posting{&c.Adds[i], &c.Removes[i]} {
			slices.SortFunc(*list, Posting.Compare)
			*list = slices.Compact(*list)
		}
	}
}

// small says whether editing a copy of the file is less work than going through all of it.
func (c *Change) small(m *meta) bool {
	if c.Keep != nil {
		return false
	}
	for i := range Spaces {
		changed, after := uint64(len(c.Adds[i])+len(c.Removes[i])), m.count[i]+uint64(len(c.Adds[i]))
		if changed > m.count[i]/4+blockTarget || after > uint64(blockMost)<<m.bits[i] {
			return false
		}
	}
	return true
}

// Builder writes a file. Readers must not see it before Finish.
type Builder struct {
	path string
	db   *bolt.DB
	meta meta
	old  *File // nil: there was none
	copy bool  // the file began as a copy of the old one
}

// Build begins the file with this number: the postings of old, which may be nil, with a change.
// What lies at path is overwritten. A small change edits a copy of the old file. The lists of
// the change are put in order. [ErrDamaged]: the old file is.
func Build(path string, number uint64, old *File, c *Change) (*Builder, error) {
	c.normalize()
	b := &Builder{path: path, old: old, meta: meta{number: number}}
	b.copy = old != nil && c.small(&old.meta)
	if err := b.begin(); err != nil {
		return nil, err
	}
	var err error
	if b.db, err = openBolt(path, false); err != nil {
		if b.copy {
			err = fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		return nil, err
	}
	for space := 0; err == nil && space < Spaces; space++ {
		if b.copy {
			err = b.edit(space, c)
		} else {
			err = b.merge(space, c)
		}
	}
	if err != nil {
		b.Close()
		return nil, err
	}
	return b, nil
}

// begin makes the file: a copy of the old one, or an empty one.
func (b *Builder) begin() error {
	out, err := os.OpenFile(b.path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil || !b.copy {
		if err == nil {
			err = out.Close()
		}
		return err
	}
	b.meta.bits, b.meta.count = b.old.meta.bits, b.old.meta.count
	in, err := os.Open(b.old.path)
	if err != nil {
		out.Close()
		return err
	}
	defer in.Close()
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}

// Close lets go of the file, finished or not.
func (b *Builder) Close() error {
	if b.db == nil {
		return nil
	}
	db := b.db
	b.db = nil
	return guarded(db.Close)
}

// update runs one transaction.
func (b *Builder) update(do func(*bolt.Tx) error) error {
	return guarded(func() error { return b.db.Update(do) })
}

// edit changes the blocks of a space. Both lists are sorted, so that those of one block lie
// together.
func (b *Builder) edit(space int, c *Change) error {
	adds, removes := c.Adds[space], c.Removes[space]
	take := func(list *[]Posting, n uint32) []Posting {
		all, end := *list, 0
		for end < len(all) && b.meta.blockOf(space, all[end].Hash) == n {
			end++
		}
		*list = all[end:]
		return all[:end]
	}
	return b.update(func(tx *bolt.Tx) error {
		bucket := tx.Bucket(bucketSpace[space])
		if bucket == nil {
			return errBucket
		}
		for len(adds)+len(removes) > 0 {
			first := removes
			if len(removes) == 0 || len(adds) > 0 && adds[0].Hash < removes[0].Hash {
				first = adds
			}
			n := b.meta.blockOf(space, first[0].Hash)
			if err := b.editBlock(bucket, space, n, take(&adds, n), take(&removes, n)); err != nil {
				return err
			}
		}
		return nil
	})
}

func (b *Builder) editBlock(bucket *bolt.Bucket, space int, n uint32, adds, removes []Posting) error {
	key := blockKey(n)
	old, err := unseal(bucketSpace[space], key, bucket.Get(key))
	if err != nil {
		return err
	}
	count := len(old) / postingSize
	block := make([]Posting, 0, count+len(adds))
	for i := range count {
		p := postingAt(old, i)
		if _, gone := slices.BinarySearchFunc(removes, p, Posting.Compare); !gone {
			block = append(block, p)
		}
	}
	block = append(block, adds...)
	slices.SortFunc(block, Posting.Compare)
	block = slices.Compact(block)
	b.meta.count[space] += uint64(len(block)) - uint64(count)
	return bucket.Put(key, sealBlock(space, key, block))
}
