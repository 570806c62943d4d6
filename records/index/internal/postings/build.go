package postings

import (
	"errors"
	"os"
	"slices"

	bolt "go.etcd.io/bbolt"
)

const (
	// blockTarget is how many postings a block holds at most, on average; half of it at least.
	blockTarget = 128
	// batchBytes bounds what one transaction of the library holds in memory.
	batchBytes = 1 << 20
	// emptySize is about what a file takes that holds next to nothing.
	emptySize = 8 * pageSize
	// upperShare is which part of a whole file one upon it may be as large as before both become one.
	upperShare = 16
)

// Change is what a file has that the one before it had not, and the reverse.
type Change struct {
	Adds *Sorter
	Gone []uint64 // references whose postings go, those of Adds too
	// Keep, when it is set, says which references' postings stay besides, those of Adds too: then
	// all of them are gone through.
	Keep func(ref uint64) bool
	// Room is how large a file upon another may be in any case.
	Room int64
}

// small says whether the change goes into a file upon the one that is whole.
func (c *Change) small(old *File) bool {
	if old == nil || c.Keep != nil {
		return false
	}
	more := len(c.Gone)
	for space := range Spaces {
		more += c.Adds.Count(space)
	}
	size := int64(more)*postingSize + emptySize
	if old.below != nil {
		size += old.size - emptySize
	}
	return size <= max(c.Room, old.whole().size/upperShare)
}

// keep is the postings that the change lets stay.
func (c *Change) keep(gone map[uint64]bool) func(Posting) bool {
	return func(p Posting) bool { return !gone[p.Ref] && (c.Keep == nil || c.Keep(p.Ref)) }
}

// Builder writes a file. Readers must not see it before Finish.
type Builder struct {
	path string
	db   *bolt.DB
	meta meta
	old  *File // nil: there was none
	upon *File // what the file lies upon; nil: it is whole

	batch []pair // not written yet
	size  int    // of the batch
}

// pair is a sealed value.
type pair struct{ bucket, key, value []byte }

// Build begins the file with this number: the postings of old, which may be nil, with a change.
// What lies at path is overwritten. [ErrDamaged]: the old file is.
func Build(path string, number uint64, old *File, c *Change) (*Builder, error) {
	b := &Builder{path: path, old: old, meta: meta{number: number}}
	if c.small(old) {
		b.upon = old.whole()
		b.meta.upon = b.upon.meta.number
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		return nil, err
	}
	var err error
	if b.db, err = openBolt(path, false); err != nil {
		return nil, err
	}
	if old == nil {
		err = b.fill(&View{}, c)
	} else {
		err = old.View(func(v *View) error { return b.fill(v, c) })
	}
	if err != nil {
		b.Close()
		return nil, err
	}
	return b, nil
}

// Upon says whether the file lies upon another: the lowest of those of before.
func (b *Builder) Upon() bool { return b.upon != nil }

// before lists the files whose content goes into this one.
func (b *Builder) before(v *View) []*layer {
	var list []*layer
	if v.top != nil && v.top.f != b.upon {
		list = append(list, v.top)
	}
	if v.below != nil && v.below.f != b.upon {
		list = append(list, v.below)
	}
	return list
}

// fill writes the spaces, but for the ids of the values.
func (b *Builder) fill(v *View, c *Change) error {
	all := slices.Clone(c.Gone) // with what was gone already
	if v.below != nil {
		err := merge([]source{v.top.all(spaceGone)}, func(p Posting) error { all = append(all, p.Ref); return nil })
		if err != nil {
			return err
		}
	}
	gone := map[uint64]bool{}
	for _, r := range all {
		gone[r] = true
	}
	if b.upon == nil {
		all = nil // nothing lies below
	}
	if err := b.space(spaceGone, uint64(len(all)), []source{listed(members(all))}, nil); err != nil {
		return err
	}
	before := b.before(v)
	for space := range Spaces {
		sources := c.Adds.sources(space)
		for _, l := range before {
			sources = append(sources, l.all(space))
		}
		if err := b.space(space, b.counted(space, before, c.Adds.Count(space)), sources, c.keep(gone)); err != nil {
			return err
		}
	}
	return nil
}

// counted is how many postings a space has at most.
func (b *Builder) counted(space int, before []*layer, more int) uint64 {
	most := uint64(more)
	for _, l := range before {
		most += l.f.meta.count[space]
	}
	return most
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

// put seals a value and writes it with others.
func (b *Builder) put(p pair) error {
	b.batch = append(b.batch, p)
	if b.size += len(p.value); b.size > batchBytes {
		return b.flush()
	}
	return nil
}

// flush writes the batch.
func (b *Builder) flush() error {
	err := guarded(func() error {
		return b.db.Update(func(tx *bolt.Tx) error {
			for _, p := range b.batch {
				bucket, err := tx.CreateBucketIfNotExists(p.bucket)
				if err != nil {
					return err
				}
				bucket.FillPercent = 1 // most come in their order, and none is changed
				if err := bucket.Put(p.key, p.value); err != nil {
					return err
				}
			}
			return nil
		})
	})
	clear(b.batch)
	b.batch, b.size = b.batch[:0], 0
	return err
}

// Finish writes the values that put puts, and those of before that it neither puts nor deletes, and
// closes the file, which is whole then but not yet on the disk.
func (b *Builder) Finish(put func(*Values) error) error {
	v := &Values{b: b, done: map[uint64]bool{}}
	err := put(v)
	if err == nil {
		err = v.finish()
	}
	if err == nil {
		err = b.put(pair{bucketMeta, keyMeta, seal(bucketMeta, keyMeta, b.meta.encode())})
	}
	if err == nil {
		err = b.flush()
	}
	return errors.Join(err, b.Close())
}
