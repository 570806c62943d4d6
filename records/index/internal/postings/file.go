package postings

import (
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

// File is a file of postings, open and mapped. It may be used by several goroutines at once.
type File struct {
	path string
	db   *bolt.DB
	meta meta
}

// Open opens a file that was written as the one with this number.
func Open(path string, number uint64) (*File, error) {
	db, err := openBolt(path, true)
	if err != nil {
		return nil, err
	}
	f := &File{path: path, db: db}
	err = f.View(func(v *View) error {
		b, err := v.Value(string(bucketMeta), keyMeta)
		if err != nil {
			return err
		}
		f.meta, err = decodeMeta(b)
		return err
	})
	if err == nil && f.meta.number != number {
		err = fmt.Errorf("%w: it is number %d, %d was expected", ErrDamaged, f.meta.number, number)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// Close lets go of the file. Nobody may be reading.
func (f *File) Close() error { return guarded(f.db.Close) }

// Count is how many postings a space has.
func (f *File) Count(space int) uint64 { return f.meta.count[space] }

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

// View reads in the file. Nothing that the view hands out may be kept: the pages are mapped.
func (f *File) View(do func(*View) error) error {
	return guarded(func() error {
		return f.db.View(func(tx *bolt.Tx) error { return do(&View{f: f, tx: tx}) })
	})
}

// View is a file within one reading.
type View struct {
	f      *File
	tx     *bolt.Tx
	spaces [Spaces]*bolt.Bucket
}

// Value reads the value of a key that was written; that it is missing is damage.
func (v *View) Value(bucket string, key []byte) ([]byte, error) {
	b := v.tx.Bucket([]byte(bucket))
	if b == nil {
		return nil, errBucket
	}
	return unseal([]byte(bucket), key, b.Get(key))
}

// block reads one block of postings.
func (v *View) block(space int, n uint32) ([]byte, error) {
	b := v.spaces[space]
	if b == nil {
		if b = v.tx.Bucket(bucketSpace[space]); b == nil {
			return nil, errBucket
		}
		v.spaces[space] = b
	}
	key := blockKey(n)
	postings, err := unseal(bucketSpace[space], key, b.Get(key))
	if err == nil && len(postings)%postingSize != 0 {
		err = errSeal
	}
	return postings, err
}

// Find appends the references of all postings from one hash to another, both included.
func (v *View) Find(refs []uint64, space int, from, to uint64) ([]uint64, error) {
	last := v.f.meta.blockOf(space, to)
	for n := v.f.meta.blockOf(space, from); ; n++ {
		b, err := v.block(space, n)
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
