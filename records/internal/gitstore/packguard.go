package gitstore

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/idxfile"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
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

// scanPack reads a whole pack before go-git sees it and refuses what could cost
// more than the limits (S3.2): how many objects the header claims, how large
// each object and each delta's result is declared and really is, what all of
// them come to. It holds at most one buffer and the offsets of the objects. It
// gives the number of objects.
func scanPack(ctx context.Context, r io.Reader, l Limits) (int64, error) {
	s := &packScan{ctx: ctx, r: bufio.NewReaderSize(r, 64<<10), limits: l, depth: map[int64]int{}}
	var head [12]byte
	if _, err := io.ReadFull(s, head[:]); err != nil {
		return 0, s.cut(err)
	}
	if string(head[:4]) != "PACK" || binary.BigEndian.Uint32(head[4:]) != 2 {
		return 0, &HostileError{What: "what was sent is no pack"}
	}
	count := int64(binary.BigEndian.Uint32(head[8:]))
	if count > l.Objects {
		return 0, &LimitError{What: "objects in a pack", Limit: l.Objects, Got: count, Option: "objects"}
	}
	for range count {
		if err := s.object(); err != nil {
			return 0, err
		}
	}
	var sum [20]byte // go-git compares it
	if _, err := io.ReadFull(s, sum[:]); err != nil {
		return 0, s.cut(err)
	}
	if _, err := s.ReadByte(); !errors.Is(err, io.EOF) {
		return 0, &HostileError{What: "something follows the pack"}
	}
	return count, nil
}

type packScan struct {
	ctx      context.Context
	r        *bufio.Reader
	off      int64
	limits   Limits
	inflated int64
	depth    map[int64]int // how many deltas lie under the object that begins there
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
	start := s.off
	kind, size, err := s.header()
	if err != nil {
		return err
	}
	switch {
	case kind >= packCommit && kind <= packTag:
	case kind == packOffset:
		back, err := s.distance(start)
		if err != nil {
			return err
		}
		under, ok := s.depth[start-back]
		if !ok {
			return &HostileError{What: "a delta has no base in the pack"}
		}
		if s.depth[start] = under + 1; under >= maxDeltaDepth {
			return &HostileError{What: "a chain of deltas has no end"}
		}
	case kind == packRef:
		var base plumbing.Hash
		if _, err := io.ReadFull(s, base[:]); err != nil {
			return s.cut(err)
		}
	default:
		return &HostileError{What: "the pack holds an object of no known kind"}
	}
	if _, ok := s.depth[start]; !ok {
		s.depth[start] = 0
	}
	return s.inflate(kind == packOffset || kind == packRef, size)
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

// inflate reads an object's bytes away, counts them, and looks into the first
// of them when it is a delta: they say how large its result is.
func (s *packScan) inflate(delta bool, size int64) error {
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
	if err == nil {
		var rest int64
		rest, err = io.Copy(io.Discard, io.LimitReader(s.zr, size-n+1)) // one more than declared shows that it lied
		n += rest
	}
	if err != nil {
		return s.broken(err)
	}
	if n != size {
		return &HostileError{What: "an object is longer or shorter than declared"}
	}
	s.inflated += size
	if delta {
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

// indexPack makes the index of a scanned pack and gives both the names under
// which git looks for them, in the folder where the pack lies. It gives the
// common part of these names.
func indexPack(file string) (base string, err error) {
	defer recoverDecoder(&err)
	f, err := os.Open(file)
	if err != nil {
		return "", fmt.Errorf("indexing a pack: %w", err)
	}
	defer f.Close()
	var w idxfile.Writer
	p, err := packfile.NewParser(packfile.NewScanner(f), &w)
	if err != nil {
		return "", fmt.Errorf("indexing a pack: %w", err)
	}
	sum, err := p.Parse()
	if err != nil {
		return "", &HostileError{What: "the pack cannot be indexed", Err: foreign{err}}
	}
	index, err := w.Index()
	if err != nil {
		return "", fmt.Errorf("indexing a pack: %w", err)
	}
	base = filepath.Join(filepath.Dir(file), "pack-"+sum.String())
	var b bytes.Buffer
	if _, err := idxfile.NewEncoder(&b).Encode(index); err != nil {
		return "", fmt.Errorf("indexing a pack: %w", err)
	}
	if err := writeFile(base+".idx", b.Bytes(), 0o444); err != nil {
		return "", fmt.Errorf("indexing a pack: %w", err)
	}
	if err := errors.Join(os.Chmod(file, 0o444), os.Rename(file, base+".pack")); err != nil {
		return "", fmt.Errorf("indexing a pack: %w", err)
	}
	return base, nil
}
