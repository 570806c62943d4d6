package postings

import (
	"fmt"
	"slices"

	bolt "go.etcd.io/bbolt"
)

// merge writes all blocks of a space: the postings of before that stay, and those that come.
func (b *Builder) merge(space int, c *Change) error {
	most := uint64(len(c.Adds[space]))
	if b.old != nil {
		most += b.old.meta.count[space]
	}
	for b.meta.bits[space] < maxBits && uint64(blockTarget)<<b.meta.bits[space] < most {
		b.meta.bits[space]++
	}
	out := &blockWriter{b: b, space: space}
	adds := c.Adds[space]
	if b.old != nil {
		err := b.old.each(space, func(p Posting) error {
			if c.Keep != nil && !c.Keep(p) {
				return nil
			}
			if _, gone := slices.BinarySearchFunc(c.Removes[space], p, Posting.Compare); gone {
				return nil
			}
			for len(adds) > 0 && adds[0].Compare(p) < 0 {
				if err := out.put(adds[0]); err != nil {
					return err
				}
				adds = adds[1:]
			}
			return out.put(p)
		})
		if err != nil {
			return err
		}
	}
	return out.finish(adds)
}

// each goes through all postings of a space in their order.
func (f *File) each(space int, do func(Posting) error) error {
	return f.View(func(v *View) error {
		for n := range uint32(1) << f.meta.bits[space] {
			block, err := v.block(space, n)
			if err != nil {
				return err
			}
			for i := range len(block) / postingSize {
				if err := do(postingAt(block, i)); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// blockWriter cuts a sorted run of postings into blocks and writes them in batches.
type blockWriter struct {
	b     *Builder
	space int
	next  uint32 // block that is being filled
	block []Posting
	batch [][]byte // sealed blocks, the last of them next-1
	size  int
}

func (o *blockWriter) put(p Posting) error {
	for n := o.b.meta.blockOf(o.space, p.Hash); o.next < n; {
		if err := o.seal(); err != nil {
			return err
		}
	}
	if n := len(o.block); n > 0 && o.block[n-1] == p {
		return nil // it was there before
	}
	o.block = append(o.block, p)
	o.b.meta.count[o.space]++
	return nil
}

func (o *blockWriter) seal() error {
	sealed := sealBlock(o.space, blockKey(o.next), o.block)
	o.block = o.block[:0]
	o.batch = append(o.batch, sealed)
	o.next++
	if o.size += len(sealed); o.size > batchBytes {
		return o.write()
	}
	return nil
}

// write puts the batch into the file.
func (o *blockWriter) write() error {
	first := o.next - uint32(len(o.batch))
	err := o.b.update(func(tx *bolt.Tx) error {
		bucket, err := tx.CreateBucketIfNotExists(bucketSpace[o.space])
		if err != nil {
			return err
		}
		bucket.FillPercent = 0.9 // blocks come in order, and are changed where they are
		for i, block := range o.batch {
			if err := bucket.Put(blockKey(first+uint32(i)), block); err != nil {
				return err
			}
		}
		return nil
	})
	o.batch, o.size = nil, 0
	return err
}

// finish puts the last postings and seals every block that is left.
func (o *blockWriter) finish(rest []Posting) error {
	for _, p := range rest {
		if err := o.put(p); err != nil {
			return err
		}
	}
	for o.next < uint32(1)<<o.b.meta.bits[o.space] {
		if err := o.seal(); err != nil {
			return err
		}
	}
	return o.write()
}

// Values writes values beside the postings.
type Values struct {
	b  *Builder
	tx *bolt.Tx
}

// Finish writes the values that put puts, and closes the file, which is whole then but not yet
// on the disk. Every value of the file before must be put, carried or deleted.
func (b *Builder) Finish(put func(*Values) error) error {
	err := b.update(func(tx *bolt.Tx) error {
		v := &Values{b, tx}
		if err := put(v); err != nil {
			return err
		}
		return v.Put(string(bucketMeta), keyMeta, b.meta.encode())
	})
	if err != nil {
		return err
	}
	if err := b.Close(); err != nil {
		return err
	}
	// A copy of a damaged file may be damaged in a way that only shows when it is opened.
	f, err := Open(b.path, b.meta.number)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return f.Close()
}

// Put writes a value.
func (v *Values) Put(bucket string, key, body []byte) error {
	b, err := v.tx.CreateBucketIfNotExists([]byte(bucket))
	if err != nil {
		return err
	}
	return b.Put(key, seal([]byte(bucket), key, body))
}

// Carry keeps a value of the file before this one.
func (v *Values) Carry(bucket string, key []byte) error {
	if v.b.copy {
		return nil
	}
	var body []byte
	err := v.b.old.View(func(old *View) error {
		value, err := old.Value(bucket, key)
		body = slices.Clone(value)
		return err
	})
	if err != nil {
		return err
	}
	return v.Put(bucket, key, body)
}

// Delete makes sure that there is no such value.
func (v *Values) Delete(bucket string, key []byte) error {
	if b := v.tx.Bucket([]byte(bucket)); b != nil {
		return b.Delete(key)
	}
	return nil
}
