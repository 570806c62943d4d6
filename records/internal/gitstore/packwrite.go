package gitstore

import (
	"bufio"
	"cmp"
	"compress/zlib"
	"context"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"hash"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"
)

// encode makes a pack of objects. go-git's encoder holds all of them in memory
// and looks for deltas for each: half a minute for 50,000 records. Here what
// lies in a pack is copied as it is, deflated and as a delta where its base
// comes along, as git does; only the rest is deflated again.
func (o *objects) encode(ctx context.Context, gitDir string, list []plumbing.Hash) io.ReadCloser {
	r, w := io.Pipe()
	go func() {
		buffer := bufio.NewWriterSize(w, 64<<10)
		p := &packWriter{objects: o, w: buffer, sum: sha1.New(), at: map[plumbing.Hash]int64{}}
		err := p.pack(ctx, gitDir, list)
		w.CloseWithError(errors.Join(err, buffer.Flush()))
	}()
	return r
}

type packWriter struct {
	objects *objects
	w       io.Writer
	sum     hash.Hash
	off     int64
	at      map[plumbing.Hash]int64 // where the objects that were written begin
	zw      *zlib.Writer
}

func (p *packWriter) Write(b []byte) (int, error) {
	n, err := p.w.Write(b)
	p.sum.Write(b[:n])
	p.off += int64(n)
	return n, err
}

func (p *packWriter) pack(ctx context.Context, gitDir string, list []plumbing.Hash) error {
	wanted := make(map[plumbing.Hash]bool, len(list))
	for _, h := range list {
		wanted[h] = true
	}
	head := append([]byte("PACK\x00\x00\x00\x02"), 0, 0, 0, 0)
	binary.BigEndian.PutUint32(head[8:], uint32(len(wanted)))
	if _, err := p.Write(head); err != nil {
		return err
	}
	names, err := filepath.Glob(filepath.Join(gitDir, "objects", "pack", "pack-*.idx"))
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := p.copyFrom(ctx, name, wanted); err != nil {
			return err
		}
	}
	for _, h := range list {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		if _, done := p.at[h]; !done {
			if err := p.whole(h); err != nil {
				return err
			}
		}
	}
	_, err = p.Write(p.sum.Sum(nil))
	return err
}

// copyFrom writes those of the wanted objects that lie in one pack, in its
// order, so that a base comes before what is a delta on it. A pack that git gc
// took away meanwhile is passed over: its objects are somewhere else now.
func (p *packWriter) copyFrom(ctx context.Context, name string, wanted map[plumbing.Hash]bool) error {
	index, err := readIndex(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	f, err := os.Open(name[:len(name)-len(".idx")] + ".pack")
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	entries := index.list()
	r := &packReader{window: window{f: f}}
	for i, e := range entries {
		if _, done := p.at[e.hash]; done || !wanted[e.hash] {
			continue
		}
		if err := context.Cause(ctx); err != nil {
			return err
		}
		end := info.Size() - int64(len(plumbing.ZeroHash))
		if i+1 < len(entries) {
			end = entries[i+1].off
		}
		if err := p.copyObject(r, entries, e, end); err != nil {
			return err
		}
	}
	return nil
}

// copyObject writes one object as it lies in a pack, or whole when it is a
// delta on something that does not come along.
func (p *packWriter) copyObject(r *packReader, entries []packed, e packed, end int64) error {
	l, err := r.look(e.off, 1<<40)
	if err != nil {
		return err
	}
	base := plumbing.Hash(l.base)
	if l.kind == packOffset {
		i, found := slices.BinarySearchFunc(entries, e.off-l.back, func(e packed, off int64) int { return cmp.Compare(e.off, off) })
		if !found {
			return errDamaged
		}
		base = entries[i].hash
	}
	written, there := p.at[base]
	if !base.IsZero() && !there {
		return p.whole(e.hash)
	}
	p.at[e.hash] = p.off
	head := encodeHeader(l.kind, l.size)
	if !base.IsZero() {
		head = append(encodeHeader(packOffset, l.size), encodeDistance(p.off-written)...)
	}
	if _, err := p.Write(head); err != nil {
		return err
	}
	r.seek(l.data)
	_, err = io.CopyN(p, r, end-l.data)
	return err
}

// whole writes an object by itself.
func (p *packWriter) whole(h plumbing.Hash) error {
	kind, b, err := p.objects.readAny(h)
	if err != nil {
		return absent("an object is missing", h, err)
	}
	p.at[h] = p.off
	if _, err := p.Write(encodeHeader(int(kind), int64(len(b)))); err != nil {
		return err
	}
	if p.zw == nil {
		p.zw = zlib.NewWriter(p)
	} else {
		p.zw.Reset(p)
	}
	_, err = p.zw.Write(b)
	return errors.Join(err, p.zw.Close())
}

// encodeHeader is an object's kind and size as a pack has them.
func encodeHeader(kind int, size int64) []byte {
	b := []byte{byte(kind)<<4 | byte(size&15)}
	for size >>= 4; size > 0; size >>= 7 {
		b[len(b)-1] |= 0x80
		b = append(b, byte(size&0x7f))
	}
	return b
}

// encodeDistance is how far back the base of a delta begins.
func encodeDistance(n int64) []byte {
	b := []byte{byte(n & 0x7f)}
	for n >>= 7; n > 0; n >>= 7 {
		n--
		b = append(b, byte(n&0x7f)|0x80)
	}
	slices.Reverse(b)
	return b
}
