package gitstore

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/zlib"
	"context"
	"crypto"
	"encoding/binary"
	"errors"
	"fmt"
	gohash "hash"
	"io"
	"os"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/hash"
)

// maxDeltaDepth is the longest chain of deltas on deltas. git makes 50, and
// made 250 in old aggressive repacks; a longer one only costs time.
const maxDeltaDepth = 256

// The kinds of objects in a pack.
const (
	packCommit = 1
	packTag    = 4
	packOffset = 6 // a delta, its base named by how far back it begins
	packRef    = 7 // a delta, its base named by its id
)

// packed is an object of a pack.
type packed struct {
	off   int64
	hash  plumbing.Hash // its id; of a delta that names its base by id that id, until its own is known
	crc   uint32
	base  int32 // the place of its base in the list, or one of the two below
	depth int16 // how many deltas lie under it
	kind  byte  // as the pack has it; of a delta whose id is known that of what it makes
}

const (
	noBase    int32 = -1 // it is whole
	otherBase int32 = -2 // its base is named by id
)

// scanPack reads a whole pack before anything else does and refuses what could
// cost more than the limits (S3.2): how many objects the header claims, how
// large each object and each delta's result is declared and really is, what all
// of them come to. It holds one buffer and lists the objects as they lie there,
// with the ids of those that are whole.
func scanPack(ctx context.Context, r io.Reader, l Limits) ([]packed, error) {
	s := &packScan{ctx: ctx, r: bufio.NewReaderSize(r, 64<<10), limits: l, sum: hash.New(crypto.SHA1)}
	var head [12]byte
	if _, err := io.ReadFull(s, head[:]); err != nil {
		return nil, s.cut(err)
	}
	if string(head[:4]) != "PACK" || binary.BigEndian.Uint32(head[4:]) != 2 {
		return nil, &HostileError{What: "what was sent is no pack"}
	}
	count := int64(binary.BigEndian.Uint32(head[8:]))
	if count > l.Objects {
		return nil, &LimitError{What: "objects in a pack", Limit: l.Objects, Got: count, Option: "objects"}
	}
	s.list = make([]packed, 0, count)
	for range count {
		if err := s.object(); err != nil {
			return nil, err
		}
	}
	var sum [20]byte // indexPack compares it
	if _, err := io.ReadFull(s, sum[:]); err != nil {
		return nil, s.cut(err)
	}
	if _, err := s.ReadByte(); !errors.Is(err, io.EOF) {
		return nil, &HostileError{What: "something follows the pack"}
	}
	return s.list, nil
}

type packScan struct {
	ctx      context.Context
	r        *bufio.Reader
	off      int64
	limits   Limits
	inflated int64
	list     []packed
	sum      gohash.Hash // of the object that is being read
	zr       io.ReadCloser
}

func (s *packScan) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.off += int64(n)
	return n, err
}

// ReadByte lets the inflater take no byte more than belongs to its object.
func (s *packScan) ReadByte() (byte, error) {
	b, err := s.r.ReadByte()
	if err == nil {
		s.off++
	}
	return b, err
}

func (s *packScan) cut(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return &HostileError{What: "the pack is cut off", Err: ErrIncomplete}
	}
	return fmt.Errorf("reading the pack: %w", err)
}

func (s *packScan) object() error {
	if err := context.Cause(s.ctx); err != nil {
		return err
	}
	o := packed{off: s.off, base: noBase}
	kind, size, err := s.header()
	if err != nil {
		return err
	}
	o.kind = byte(kind)
	switch {
	case kind >= packCommit && kind <= packTag:
	case kind == packOffset:
		back, err := s.distance(o.off)
		if err != nil {
			return err
		}
		at, ok := slices.BinarySearchFunc(s.list, o.off-back, func(o packed, off int64) int { return cmp.Compare(o.off, off) })
		if !ok {
			return &HostileError{What: "a delta has no base in the pack"}
		}
		if err := o.on(s.list, int32(at)); err != nil {
			return err
		}
	case kind == packRef:
		o.base = otherBase
		if _, err := io.ReadFull(s, o.hash[:]); err != nil {
			return s.cut(err)
		}
	default:
		return &HostileError{What: "the pack holds an object of no known kind"}
	}
	if err := s.inflate(&o, size); err != nil {
		return err
	}
	s.list = append(s.list, o)
	return nil
}

// on puts a delta on its base.
func (o *packed) on(list []packed, base int32) error {
	o.base = base
	if o.depth = list[base].depth + 1; o.depth > maxDeltaDepth {
		return &HostileError{What: "a chain of deltas has no end"}
	}
	return nil
}

// header reads an object's kind and declared size.
func (s *packScan) header() (kind int, size int64, err error) {
	b, err := s.ReadByte()
	if err != nil {
		return 0, 0, s.cut(err)
	}
	kind, size = int(b>>4)&7, int64(b&15)
	for shift := 4; b&0x80 != 0; shift += 7 {
		if b, err = s.ReadByte(); err != nil {
			return 0, 0, s.cut(err)
		}
		if shift > 32 {
			return 0, 0, s.tooLarge(1 << 39)
		}
		size |= int64(b&0x7f) << shift
	}
	if size > s.limits.ObjectBytes {
		return 0, 0, s.tooLarge(size)
	}
	return kind, size, nil
}

// distance reads how far back a delta's base begins; no further than most.
func (s *packScan) distance(most int64) (int64, error) {
	b, err := s.ReadByte()
	if err != nil {
		return 0, s.cut(err)
	}
	n := int64(b & 0x7f)
	for b&0x80 != 0 {
		if b, err = s.ReadByte(); err != nil {
			return 0, s.cut(err)
		}
		if n = (n+1)<<7 | int64(b&0x7f); n > most {
			return 0, &HostileError{What: "a delta has no base in the pack"}
		}
	}
	return n, nil
}

// inflate reads an object's bytes away and counts them. It finds the id of an
// object that is whole; the first bytes of a delta say how large its result is.
func (s *packScan) inflate(o *packed, size int64) error {
	var err error
	if s.zr == nil {
		s.zr, err = zlib.NewReader(s)
	} else {
		err = s.zr.(zlib.Resetter).Reset(s, nil)
	}
	if err != nil {
		return s.broken(err)
	}
	var first bytes.Buffer // two numbers of at most ten bytes
	n, err := io.Copy(&first, io.LimitReader(s.zr, min(size, 20)))
	s.sum.Reset()
	if err == nil {
		rest := io.LimitReader(s.zr, size-n+1) // one more than declared shows that it lied
		var more int64
		if o.base == noBase {
			fmt.Fprintf(s.sum, "%s %d\x00", plumbing.ObjectType(o.kind), size)
			s.sum.Write(first.Bytes())
			more, err = io.Copy(s.sum, rest)
		} else {
			more, err = io.Copy(io.Discard, rest)
		}
		n += more
	}
	if err != nil {
		return s.broken(err)
	}
	if n != size {
		return &HostileError{What: "an object is longer or shorter than declared"}
	}
	s.inflated += size
	if o.base == noBase {
		s.sum.Sum(o.hash[:0])
	} else {
		made, err := deltaResult(first.Bytes())
		if err != nil {
			return err
		}
		if made > s.limits.ObjectBytes {
			return s.tooLarge(made)
		}
		s.inflated += made
	}
	if s.inflated > s.limits.InflatedBytes {
		return &LimitError{What: "inflated bytes of a pack", Limit: s.limits.InflatedBytes, Got: s.inflated, Option: "inflated"}
	}
	return nil
}

func (s *packScan) broken(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return s.cut(err)
	}
	return &HostileError{What: "the pack cannot be inflated", Err: err}
}

func (s *packScan) tooLarge(size int64) error {
	return &LimitError{What: "object bytes", Limit: s.limits.ObjectBytes, Got: size, Option: "object"}
}

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

// spool copies what the other side sends into a private file, and refuses the
// byte after the limit.
func spool(ctx context.Context, r io.Reader, file string, l Limits) (err error) {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("spooling a pack: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	n, err := io.Copy(f, io.LimitReader(r, l.PackBytes+1))
	if n > l.PackBytes {
		return &LimitError{What: "pack bytes", Limit: l.PackBytes, Got: n, Option: "pack"}
	}
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if err != nil {
		return fmt.Errorf("receiving a pack: %w", err)
	}
	return f.Sync()
}
