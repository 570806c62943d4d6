package gitstore

import (
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/go-git/go-git/v5/plumbing"
)

// errDamaged says that a pack or its index is not what was written.
var errDamaged = errors.New("the pack is damaged")

// byteReader is what objects are inflated from. Since it gives single bytes, the
// inflater takes none that does not belong to its object.
type byteReader interface {
	io.Reader
	io.ByteReader
}

// readHeader reads an object's kind and declared size, which is at most limit.
func readHeader(r io.ByteReader, limit int64) (kind int, size int64, err error) {
	b, err := r.ReadByte()
	if err != nil {
		return 0, 0, err
	}
	kind, size = int(b>>4)&7, int64(b&15)
	for shift := 4; b&0x80 != 0; shift += 7 {
		if b, err = r.ReadByte(); err != nil {
			return 0, 0, err
		}
		if shift > 32 {
			return 0, 0, tooLarge(limit, 1<<39)
		}
		size |= int64(b&0x7f) << shift
	}
	if size > limit {
		return 0, 0, tooLarge(limit, size)
	}
	return kind, size, nil
}

func tooLarge(limit, size int64) error {
	return &LimitError{What: "object bytes", Limit: limit, Got: size, Option: "object"}
}

// readDistance reads how far back a delta's base begins; no further than most.
func readDistance(r io.ByteReader, most int64) (int64, error) {
	b, err := r.ReadByte()
	if err != nil {
		return 0, err
	}
	n := int64(b & 0x7f)
	for b&0x80 != 0 {
		if b, err = r.ReadByte(); err != nil {
			return 0, err
		}
		if n = (n+1)<<7 | int64(b&0x7f); n > most {
			return 0, errNoBase
		}
	}
	return n, nil
}

var errNoBase error = &HostileError{What: "a delta has no base in the pack"}

// deltaResult reads the size of what a delta makes: the second of the two
// numbers it begins with.
func deltaResult(b []byte) (int64, error) {
	var size uint64
	for range 2 {
		var n int
		if size, n = binary.Uvarint(b); n <= 0 || size > 1<<62 {
			return 0, &HostileError{What: "a delta does not say how large its result is"}
		}
		b = b[n:]
	}
	return int64(size), nil
}

// inflater inflates one object after another.
type inflater struct {
	zr   io.ReadCloser
	more [1]byte
}

func (i *inflater) begin(r byteReader) (err error) {
	if i.zr == nil {
		i.zr, err = zlib.NewReader(r)
		return err
	}
	return i.zr.(zlib.Resetter).Reset(r, nil)
}

// full reads an object to its end, which has to be that of b.
func (i *inflater) full(b []byte) error {
	for n := 0; ; {
		to := b[n:]
		if len(to) == 0 {
			to = i.more[:]
		}
		m, err := i.zr.Read(to)
		switch n += m; {
		case n > len(b), errors.Is(err, io.EOF) && n < len(b):
			return errLength
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}

var errLength = errors.New("an object is longer or shorter than declared")

// readWindow is how much of a file is read at once: some dozens of records, which
// mostly lie there in the order of their paths.
const readWindow = 16 << 10

// window reads a file here and there, a piece at a time.
type window struct {
	f   io.ReaderAt
	buf []byte // what was read last
	at  int64  // where that begins
	i   int    // what comes next of it
}

// seek goes to a place.
func (w *window) seek(off int64) {
	if off >= w.at && off <= w.at+int64(len(w.buf)) {
		w.i = int(off - w.at)
		return
	}
	w.at, w.i, w.buf = off, 0, w.buf[:0]
}

func (w *window) off() int64 { return w.at + int64(w.i) }

func (w *window) fill() error {
	if w.buf == nil {
		w.buf = make([]byte, 0, readWindow)
	}
	w.at, w.i = w.at+int64(len(w.buf)), 0
	n, err := w.f.ReadAt(w.buf[:cap(w.buf)], w.at)
	w.buf = w.buf[:n]
	if n > 0 {
		return nil
	}
	return err
}

func (w *window) ReadByte() (byte, error) {
	if w.i == len(w.buf) {
		if err := w.fill(); err != nil {
			return 0, err
		}
	}
	w.i++
	return w.buf[w.i-1], nil
}

func (w *window) Read(p []byte) (int, error) {
	if w.i == len(w.buf) {
		if len(p) >= readWindow {
			n, err := w.f.ReadAt(p, w.off())
			w.at, w.i, w.buf = w.off()+int64(n), 0, w.buf[:0]
			if n > 0 {
				err = nil
			}
			return n, err
		}
		if err := w.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, w.buf[w.i:])
	w.i += n
	return n, nil
}

// packReader reads what lies in a pack on the disk. go-git's own reader finds the id of
// every object again, seeks and reads anew for each, and copies it twice: half of what
// fetching a source took was spent there.
type packReader struct {
	window
	inflater
}

// lying is what lies at one place of a pack.
type lying struct {
	off  int64
	kind int
	size int64    // of it inflated
	back int64    // of packOffset: how far back the base begins
	base [20]byte // of packRef: its id
	data int64    // where its deflated bytes begin
}

// look reads what stands before the deflated bytes of what lies at a place.
func (r *packReader) look(off, limit int64) (l lying, err error) {
	r.seek(off)
	l.off = off
	if l.kind, l.size, err = readHeader(r, limit); err != nil {
		return l, err
	}
	switch l.kind {
	case packOffset:
		l.back, err = readDistance(r, off)
	case packRef:
		_, err = io.ReadFull(r, l.base[:])
	case packCommit, packTree, packBlob, packTag:
	default:
		err = errDamaged
	}
	l.data = r.off()
	return l, err
}

// inflate reads the bytes of what lies there: an object, or a delta.
func (r *packReader) inflate(l lying) ([]byte, error) {
	r.seek(l.data)
	if err := r.begin(r); err != nil {
		return nil, fmt.Errorf("%w: %w", errDamaged, err)
	}
	b := make([]byte, l.size)
	if err := r.full(b); err != nil {
		return nil, fmt.Errorf("%w: %w", errDamaged, err)
	}
	return b, nil
}

// object is what an object is.
type object struct {
	kind  plumbing.ObjectType
	bytes []byte
}

// recent holds objects that deltas are on, the oldest of which goes first.
type recent struct {
	most    int // bytes
	size    int
	objects map[int64]object // by where they begin in the pack
	order   []int64
}

// recentEach is what keeping an object costs besides its bytes.
const recentEach = 256

func (r *recent) keep(off int64, o object) {
	if _, there := r.objects[off]; there {
		return
	}
	if r.objects == nil {
		r.objects = map[int64]object{}
	}
	r.objects[off] = o
	r.order = append(r.order, off)
	for r.size += len(o.bytes) + recentEach; r.size > r.most && len(r.order) > 1; r.order = r.order[1:] {
		r.size -= len(r.objects[r.order[0]].bytes) + recentEach
		delete(r.objects, r.order[0])
	}
}
