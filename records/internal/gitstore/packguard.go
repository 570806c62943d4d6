package gitstore

import (
	"cmp"
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	gohash "hash"
	"io"
	"slices"
	"strconv"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/hash"
)

// maxDeltaDepth is the longest chain of deltas on deltas. git makes 50, and
// made 250 in old aggressive repacks; a longer one only costs time.
const maxDeltaDepth = 256

// The kinds of objects in a pack.
const (
	packCommit = 1
	packTree   = 2
	packBlob   = 3
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

	size int64             // of its bytes; of a delta of those, until the id of what it makes is known
	at   int64             // where these bytes lie in the spill, or nowhere
	sum  [sha256.Size]byte // SHA-256 of a file's bytes
}

const (
	noBase    int32 = -1 // it is whole
	otherBase int32 = -2 // its base is named by id
)

// scanPack reads a whole pack as it comes in, before anything else does, and refuses
// what could cost more than the limits (S3.2): how many objects the header claims,
// how large each object and each delta's result is declared and really is, what all
// of them come to. It holds one object at a time, which goes to the spill, and lists
// the objects as they lie there, with the ids of those that are whole. It gives the
// sum that the pack ends with, which is that of its bytes.
func scanPack(ctx context.Context, in *incoming, to *spill, l Limits) ([]packed, plumbing.Hash, error) {
	s := &packScan{incoming: in, ctx: ctx, limits: l, spill: to, id: hash.New(crypto.SHA1), file: sha256.New()}
	var sum plumbing.Hash
	var head [12]byte
	if _, err := io.ReadFull(s, head[:]); err != nil {
		return nil, sum, s.cut(err)
	}
	if string(head[:4]) != "PACK" || binary.BigEndian.Uint32(head[4:]) != 2 {
		return nil, sum, &HostileError{What: "what was sent is no pack"}
	}
	count := int64(binary.BigEndian.Uint32(head[8:]))
	if count > l.Objects {
		return nil, sum, &LimitError{What: "objects in a pack", Limit: l.Objects, Got: count, Option: "objects"}
	}
	s.list = make([]packed, 0, count)
	s.check()
	for range count {
		if err := s.object(); err != nil {
			return nil, sum, err
		}
	}
	is := s.total()
	if _, err := io.ReadFull(s, sum[:]); err != nil {
		return nil, sum, s.cut(err)
	}
	if is != sum {
		return nil, sum, &HostileError{What: "the pack's sum is of other bytes"}
	}
	if _, err := s.ReadByte(); err == nil {
		return nil, sum, &HostileError{What: "something follows the pack"}
	}
	return s.list, sum, s.failed
}

type packScan struct {
	*incoming
	inflater
	ctx      context.Context
	limits   Limits
	spill    *spill
	inflated int64
	list     []packed
	id, file gohash.Hash // of the object that is being read, git's and ours
	bytes    []byte      // of that object
}

// cut says why reading could not go on.
func (s *packScan) cut(err error) error {
	var limit *LimitError
	var hostile *HostileError
	switch {
	case s.failed != nil:
		return s.failed
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return &HostileError{What: "the pack is cut off", Err: ErrIncomplete}
	case errors.As(err, &limit), errors.As(err, &hostile):
		return err
	case errors.Is(err, errLength):
		return &HostileError{What: "an object is longer or shorter than declared"}
	}
	return &HostileError{What: "the pack cannot be inflated", Err: err}
}

func (s *packScan) object() error {
	if err := context.Cause(s.ctx); err != nil {
		return err
	}
	o := packed{off: s.place(), base: noBase}
	kind, size, err := readHeader(s, s.limits.ObjectBytes)
	if err != nil {
		return s.cut(err)
	}
	o.kind, o.size = byte(kind), size
	switch {
	case kind >= packCommit && kind <= packTag:
	case kind == packOffset:
		back, err := readDistance(s, o.off)
		if err != nil {
			return s.cut(err)
		}
		at, ok := slices.BinarySearchFunc(s.list, o.off-back, func(o packed, off int64) int { return cmp.Compare(o.off, off) })
		if !ok {
			return errNoBase
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
	if err := s.inflate(&o); err != nil {
		return err
	}
	o.crc = s.check()
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

// inflate reads an object's bytes and counts them. It finds the id of an
// object that is whole; the first bytes of a delta say how large its result is.
func (s *packScan) inflate(o *packed) error {
	if err := s.begin(s); err != nil {
		return s.cut(err)
	}
	s.bytes = slices.Grow(s.bytes[:0], int(o.size))[:o.size]
	if err := s.full(s.bytes); err != nil {
		return s.cut(err)
	}
	s.inflated += int64(o.size)
	if o.base == noBase {
		o.name(s.bytes, s.id, s.file)
	} else {
		made, err := deltaResult(s.bytes)
		if err != nil {
			return err
		}
		if made > s.limits.ObjectBytes {
			return tooLarge(s.limits.ObjectBytes, made)
		}
		s.inflated += made
	}
	if s.inflated > s.limits.InflatedBytes {
		return &LimitError{What: "inflated bytes of a pack", Limit: s.limits.InflatedBytes, Got: s.inflated, Option: "inflated"}
	}
	var err error
	o.at, err = s.spill.put(s.bytes)
	return err
}

// name finds an object's id, and of a file the sum that a set is made of (F5).
func (o *packed) name(b []byte, id, file gohash.Hash) {
	id.Reset()
	var head [32]byte
	id.Write(append(strconv.AppendInt(append(append(head[:0], plumbing.ObjectType(o.kind).Bytes()...), ' '), int64(len(b)), 10), 0))
	id.Write(b)
	id.Sum(o.hash[:0])
	if o.kind == packBlob {
		file.Reset()
		file.Write(b)
		file.Sum(o.sum[:0])
	}
}
