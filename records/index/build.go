package index

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	bolt "go.etcd.io/bbolt"
)

// Blocks hold this many postings: half to all of the target when written anew, at most so many
// on average before the next one is.
const (
	blockTarget = 128
	blockMost   = 384
	// batchBytes bounds what one transaction of the library holds in memory.
	batchBytes = 4 << 20
)

// builder writes one generation file.
type builder struct {
	db   *bolt.DB
	meta meta
	old  *snapshot // nil: there was none
	copy bool      // the file began as a copy of the old one
}

func (b *builder) close() error {
	if b.db == nil {
		return nil
	}
	db := b.db
	b.db = nil
	return guarded(db.Close)
}

// update runs one transaction.
func (b *builder) update(do func(*bolt.Tx) error) error {
	return guarded(func() error { return b.db.Update(do) })
}

// editCopy copies the previous generation and changes the blocks that change.
func (w *Writer) editCopy(path string, c *changes) (*builder, error) {
	if err := w.copyFile(w.prev.path, path); err != nil {
		return nil, err
	}
	db, err := openBolt(path, false)
	if err != nil {
		return nil, w.prev.damage(err)
	}
	b := &builder{db: db, meta: w.prev.meta, old: w.prev, copy: true}
	b.meta.number = w.number
	if err := w.step("edit generation"); err != nil {
		return b, err
	}
	return b, w.prev.damage(b.update(func(tx *bolt.Tx) error {
		for space := range spaces {
			if err := b.edit(tx, space, c.adds[space], c.removes[space]); err != nil {
				return err
			}
		}
		return nil
	}))
}

func (w *Writer) copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return w.prev.damage(err)
	}
	defer in.Close()
	out, err := w.create(to)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}

// edit changes the blocks of a space. Both lists are sorted, so that those of one block lie
// together.
func (b *builder) edit(tx *bolt.Tx, space int, adds, removes []posting) error {
	bucket := tx.Bucket(bucketSpace[space])
	if bucket == nil {
		return fmt.Errorf("bucket %s is missing", bucketSpace[space])
	}
	take := func(list *[]posting, n uint32) []posting {
		all, end := *list, 0
		for end < len(all) && b.meta.blockOf(space, all[end].hash) == n {
			end++
		}
		*list = all[end:]
		return all[:end]
	}
	for len(adds)+len(removes) > 0 {
		var n uint32
		switch {
		case len(removes) == 0 || len(adds) > 0 && adds[0].hash < removes[0].hash:
			n = b.meta.blockOf(space, adds[0].hash)
		default:
			n = b.meta.blockOf(space, removes[0].hash)
		}
		key := numberKey(n)
		old, err := unseal(bucketSpace[space], key, bucket.Get(key))
		if err != nil {
			return err
		}
		in, out := take(&adds, n), take(&removes, n)
		block := make([]posting, 0, len(old)/postingSize+len(in))
		for i := range len(old) / postingSize {
			p := postingAt(old, i)
			if _, gone := slices.BinarySearchFunc(out, p, posting.compare); !gone {
				block = append(block, p)
			}
		}
		block = append(block, in...)
		slices.SortFunc(block, posting.compare)
		b.meta.count[space] += uint64(len(block)) - uint64(len(old)/postingSize)
		if err := bucket.Put(key, sealBlock(space, key, block)); err != nil {
			return err
		}
	}
	return nil
}

func sealBlock(space int, key []byte, block []posting) []byte {
	b := make([]byte, 0, len(block)*postingSize)
	for _, p := range block {
		b = appendPosting(b, p)
	}
	return seal(bucketSpace[space], key, b)
}

// writeAnew merges the postings of before that stay with those that come.
func (w *Writer) writeAnew(path string, c *changes) (*builder, error) {
	out, err := w.create(path)
	if err != nil {
		return nil, err
	}
	if err := out.Close(); err != nil {
		return nil, err
	}
	db, err := openBolt(path, false)
	if err != nil {
		return nil, err
	}
	b := &builder{db: db, old: w.prev, meta: meta{number: w.number}}
	if err := w.step("write generation"); err != nil {
		return b, err
	}
	for space := range spaces {
		if err := b.merge(space, c); err != nil {
			return b, err
		}
	}
	return b, nil
}

// merge writes all blocks of a space.
func (b *builder) merge(space int, c *changes) error {
	most := uint64(len(c.adds[space]))
	if b.old != nil {
		most += b.old.meta.count[space]
	}
	for b.meta.bits[space] < maxBits && uint64(blockTarget)<<b.meta.bits[space] < most {
		b.meta.bits[space]++
	}
	out := &blockWriter{b: b, space: space}
	if b.old == nil {
		return out.finish(c.adds[space])
	}
	err := b.old.view(func(t *table) error {
		adds := c.adds[space]
		for n := range uint32(1) << b.old.meta.bits[space] {
			block, err := t.block(space, n)
			if err != nil {
				return err
			}
			for i := range len(block) / postingSize {
				p := postingAt(block, i)
				if c.logs[p.ref.log()] || c.removed[p.ref] {
					continue
				}
				for len(adds) > 0 && adds[0].compare(p) < 0 {
					if err := out.put(adds[0]); err != nil {
						return err
					}
					adds = adds[1:]
				}
				if err := out.put(p); err != nil {
					return err
				}
			}
		}
		c.adds[space] = adds
		return nil
	})
	if err != nil {
		return err
	}
	return out.finish(c.adds[space])
}

// blockWriter cuts a sorted run of postings into blocks and writes them in batches.
type blockWriter struct {
	b     *builder
	space int
	next  uint32 // block that is being filled
	block []posting
	batch [][]byte // sealed blocks, the last of them next-1
	size  int
}

func (o *blockWriter) put(p posting) error {
	for n := o.b.meta.blockOf(o.space, p.hash); o.next < n; {
		if err := o.seal(); err != nil {
			return err
		}
	}
	o.block = append(o.block, p)
	o.b.meta.count[o.space]++
	return nil
}

func (o *blockWriter) seal() error {
	sealed := sealBlock(o.space, numberKey(o.next), o.block)
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
			if err := bucket.Put(numberKey(first+uint32(i)), block); err != nil {
				return err
			}
		}
		return nil
	})
	o.batch, o.size = nil, 0
	return err
}

// finish puts the last postings and seals every block that is left.
func (o *blockWriter) finish(rest []posting) error {
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

// finish writes what is known of the logs, the configuration and the description of the file,
// and closes it.
func (b *builder) finish(w *Writer, config Config) error {
	rows, err := b.oldRows()
	if err != nil {
		return err
	}
	err = b.update(func(tx *bolt.Tx) error {
		for _, name := range [][]byte{bucketLogs, bucketEdges, bucketMeta} {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		rows, err := b.putLogs(tx, w, rows)
		if err != nil {
			return err
		}
		return b.putMeta(tx, rows, config)
	})
	if err != nil {
		return err
	}
	return b.close()
}

// oldRows is the table of logs of before.
func (b *builder) oldRows() ([]sourceRow, error) {
	if b.old == nil {
		return nil, nil
	}
	var rows []sourceRow
	err := b.old.view(func(t *table) (err error) {
		rows, err = t.rows()
		return err
	})
	return rows, err
}

// putLogs writes the logs that changed, carries over the others, and returns the table of all.
func (b *builder) putLogs(tx *bolt.Tx, w *Writer, old []sourceRow) ([]sourceRow, error) {
	var rows []sourceRow
	for _, r := range old {
		if l, ok := w.logs[r.log]; ok && (l.dropped || l.file != nil) {
			continue
		}
		rows = append(rows, r)
		if !b.copy {
			if err := b.carry(tx, r); err != nil {
				return nil, err
			}
		}
	}
	for _, l := range w.touched() {
		if l.file == nil || l.dropped {
			continue
		}
		rows = append(rows, l.state.row())
		if err := putSealed(tx, bucketLogs, numberKey(l.state.num), l.state.encode()); err != nil {
			return nil, err
		}
		if err := b.putEdges(tx, l); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(rows, func(a, b sourceRow) int { return strings.Compare(a.log, b.log) })
	for _, r := range rows {
		b.meta.logs = max(b.meta.logs, r.num+1)
	}
	return rows, nil
}

// putEdges writes the edges of a log that changed.
func (b *builder) putEdges(tx *bolt.Tx, l *logWriter) error {
	key := numberKey(l.state.num)
	switch {
	case l.state.Edges == 0:
		return tx.Bucket(bucketEdges).Delete(key)
	case l.newEdges:
		return putSealed(tx, bucketEdges, key, l.edges)
	case b.copy:
		return nil
	}
	return b.carryValue(tx, bucketEdges, key)
}

// carry copies what is known of a log that did not change.
func (b *builder) carry(tx *bolt.Tx, r sourceRow) error {
	if err := b.carryValue(tx, bucketLogs, numberKey(r.num)); err != nil || !r.edges {
		return err
	}
	return b.carryValue(tx, bucketEdges, numberKey(r.num))
}

func (b *builder) carryValue(tx *bolt.Tx, bucket, key []byte) error {
	var body []byte
	err := b.old.view(func(t *table) error {
		value, err := t.value(bucket, key)
		body = slices.Clone(value)
		return err
	})
	if err != nil {
		return err
	}
	return putSealed(tx, bucket, key, body)
}

func (b *builder) putMeta(tx *bolt.Tx, rows []sourceRow, config Config) error {
	if err := putSealed(tx, bucketMeta, keySources, encodeRows(rows)); err != nil {
		return err
	}
	switch {
	case !config.IsZero() || b.old == nil:
		if err := putSealed(tx, bucketMeta, keyConfig, encodeConfig(config)); err != nil {
			return err
		}
	case !b.copy:
		if err := b.carryValue(tx, bucketMeta, keyConfig); err != nil {
			return err
		}
	}
	return putSealed(tx, bucketMeta, keyMeta, b.meta.encode())
}

func putSealed(tx *bolt.Tx, bucket, key, body []byte) error {
	b := tx.Bucket(bucket)
	if b == nil {
		return errors.New("a bucket is missing")
	}
	return b.Put(key, seal(bucket, key, body))
}
