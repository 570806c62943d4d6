package postings

import (
	"cmp"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	bolt "go.etcd.io/bbolt"
)

const (
	// pageSize holds several blocks, and keeps small files free of inner pages.
	pageSize = 16 << 10
	// lockTimeout is never reached: nobody writes to a file that is read.
	lockTimeout = time.Second
)

// File is a file of postings, open and mapped, with the one below it where there is one. It may be
// used by several goroutines at once.
type File struct {
	path  string
	db    *bolt.DB
	meta  meta
	size  int64
	below *File // nil: this one is whole
}

// Open opens a file that was written as the one with this number, upon another or not.
func Open(path string, number uint64, below *File) (*File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	db, err := openBolt(path, true)
	if err != nil {
		return nil, err
	}
	f := &File{path: path, db: db, size: info.Size()}
	err = f.read(func(l *layer) error {
		b, err := l.get(bucketMeta, keyMeta)
		if err != nil {
			return err
		}
		f.meta, err = decodeMeta(b)
		return err
	})
	upon := uint64(0)
	if below != nil {
		upon = below.meta.number
	}
	if err == nil && (f.meta.number != number || f.meta.upon != upon) {
		err = fmt.Errorf("%w: it is number %d upon %d, %d upon %d was expected", ErrDamaged, f.meta.number, f.meta.upon, number, upon)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	f.below = below
	return f, nil
}

// Close lets go of the file, and of the one below. Nobody may be reading.
func (f *File) Close() error {
	err := guarded(f.db.Close)
	if f.below != nil {
		err = cmp.Or(f.below.Close(), err)
	}
	return err
}

// whole is the lowest file.
func (f *File) whole() *File {
	if f.below != nil {
		return f.below
	}
	return f
}

// openBolt opens a bbolt file. What its library says by panics becomes an error.
func openBolt(path string, readOnly bool) (db *bolt.DB, err error) {
	var files []*os.File // to close when the library fails in the middle
	err = guarded(func() (err error) {
		db, err = bolt.Open(path, 0o600, &bolt.Options{
			ReadOnly: readOnly, Timeout: lockTimeout, PageSize: pageSize, NoStatistics: true,
			NoSync: true, NoGrowSync: true, FreelistType: bolt.FreelistMapType,
			OpenFile: func(name string, flag int, mode os.FileMode) (*os.File, error) {
				f, err := os.OpenFile(name, flag, mode)
				if err == nil {
					files = append(files, f)
				}
				return f, err
			},
		})
		return err
	})
	if err != nil {
		for _, f := range files {
			f.Close() // a second close of what the library closed is harmless
		}
		return nil, err
	}
	return db, nil
}

// guarded runs what touches mapped pages: damage there shows as panics of the library or as
// memory faults, and becomes an error.
func guarded(do func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: its pages do not fit: %v", ErrDamaged, p)
		}
	}()
	return do()
}

// read reads in this file alone.
func (f *File) read(do func(*layer) error) error {
	return guarded(func() error {
		return f.db.View(func(tx *bolt.Tx) error { return do(&layer{f: f, tx: tx}) })
	})
}

// View reads in the file. Nothing that the view hands out may be kept: the pages are mapped.
func (f *File) View(do func(*View) error) error {
	return f.read(func(top *layer) error {
		if f.below == nil {
			return do(&View{top: top})
		}
		return f.below.read(func(below *layer) error { return do(&View{top: top, below: below}) })
	})
}

// layer is one file within one reading.
type layer struct {
	f      *File
	tx     *bolt.Tx
	spaces [allSpaces]*bolt.Bucket
}

// get reads a value that was written; that it is missing is damage.
func (l *layer) get(bucket, key []byte) ([]byte, error) {
	b := l.tx.Bucket(bucket)
	if b == nil {
		return nil, errBucket
	}
	return unseal(bucket, key, b.Get(key))
}

// block reads one block of postings.
func (l *layer) block(space int, n uint32) ([]byte, error) {
	b := l.spaces[space]
	if b == nil {
		if b = l.tx.Bucket(bucketSpace[space]); b == nil {
			return nil, errBucket
		}
		l.spaces[space] = b
	}
	key := blockKey(n)
	postings, err := unseal(bucketSpace[space], key, b.Get(key))
	if err == nil && len(postings)%postingSize != 0 {
		err = errSeal
	}
	return postings, err
}

// find appends the references of all postings from one hash to another, both included.
func (l *layer) find(refs []uint64, space int, from, to uint64) ([]uint64, error) {
	last := l.f.meta.blockOf(space, to)
	for n := l.f.meta.blockOf(space, from); ; n++ {
		b, err := l.block(space, n)
		if err != nil {
			return nil, err
		}
		for i := firstAt(b, from); i < len(b)/postingSize; i++ {
			p := postingAt(b, i)
			if p.Hash > to {
				break
			}
			refs = append(refs, p.Ref)
		}
		if n >= last {
			return refs, nil
		}
	}
}

// has says whether a number is in a set.
func (l *layer) has(space int, n uint64) (bool, error) {
	p := member(n)
	b, err := l.block(space, l.f.meta.blockOf(space, p.Hash))
	if err != nil {
		return false, err
	}
	i := firstAt(b, p.Hash)
	return i < len(b)/postingSize && postingAt(b, i) == p, nil
}

// View is a file, and what lies below it, within one reading.
type View struct {
	top   *layer
	below *layer // nil: top is whole
}

// Find appends the references of all postings from one hash to another, both included.
func (v *View) Find(refs []uint64, space int, from, to uint64) ([]uint64, error) {
	if v.below != nil {
		older, err := v.below.find(nil, space, from, to)
		if err != nil {
			return nil, err
		}
		for _, r := range older {
			gone, err := v.top.has(spaceGone, r)
			if err != nil {
				return nil, err
			}
			if !gone {
				refs = append(refs, r)
			}
		}
	}
	return v.top.find(refs, space, from, to)
}

// Value reads the value with this id, which was written; that it is missing is damage.
func (v *View) Value(id uint64) ([]byte, error) {
	l := v.top
	if v.below != nil {
		held, err := l.has(spaceHeld, id)
		if err != nil {
			return nil, err
		}
		if !held {
			l = v.below
		}
	}
	return l.get(bucketValues, valueKey(id))
}
