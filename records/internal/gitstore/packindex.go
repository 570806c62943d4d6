package gitstore

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"context"
	"crypto"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
	"github.com/go-git/go-git/v5/plumbing/hash"
)

// indexPack makes the index of a scanned pack and gives both the names under
// which git looks for them, in the folder where the pack lies. It gives the
// common part of these names. go-git's own indexer holds several times as much
// in memory, and hears of no context.
func indexPack(ctx context.Context, file string, list []packed, l Limits) (base string, err error) {
	defer recoverDecoder(&err)
	f, err := os.Open(file)
	if err != nil {
		return "", fmt.Errorf("indexing a pack: %w", err)
	}
	defer f.Close()
	sum, err := sumPack(ctx, f, list)
	if err != nil {
		return "", err
	}
	x := indexer{ctx: ctx, f: f, list: list, limits: l, recent: map[int32][]byte{}}
	if err := x.resolve(); err != nil {
		return "", err
	}
	base = filepath.Join(filepath.Dir(file), "pack-"+sum.String())
	if err := writeFile(base+".idx", encodeIndex(list, sum), 0o444); err != nil {
		return "", fmt.Errorf("indexing a pack: %w", err)
	}
	if err := errors.Join(os.Chmod(file, 0o444), os.Rename(file, base+".pack")); err != nil {
		return "", fmt.Errorf("indexing a pack: %w", err)
	}
	return base, nil
}

// indexCache is how many bytes of objects are kept for deltas on them, and
// indexCacheEach what keeping one costs besides.
const indexCache, indexCacheEach = 16 << 20, 256

// sumPack fills in the checksum of every object as it lies in the pack, and
// compares that of the whole pack, which it gives.
func sumPack(ctx context.Context, f *os.File, list []packed) (plumbing.Hash, error) {
	var named, sum plumbing.Hash
	info, err := f.Stat()
	if err != nil {
		return sum, fmt.Errorf("indexing a pack: %w", err)
	}
	end := info.Size() - int64(len(named))
	whole := hash.New(crypto.SHA1)
	r := bufio.NewReaderSize(io.TeeReader(io.NewSectionReader(f, 0, end), whole), 64<<10)
	if _, err := io.CopyN(io.Discard, r, list[0].off); err != nil {
		return sum, fmt.Errorf("indexing a pack: %w", err)
	}
	for i := range list {
		if err := context.Cause(ctx); err != nil {
			return sum, err
		}
		next := end
		if i+1 < len(list) {
			next = list[i+1].off
		}
		crc := crc32.NewIEEE()
		if _, err := io.CopyN(crc, r, next-list[i].off); err != nil {
			return sum, fmt.Errorf("indexing a pack: %w", err)
		}
		list[i].crc = crc.Sum32()
	}
	if _, err := f.ReadAt(named[:], end); err != nil {
		return sum, fmt.Errorf("indexing a pack: %w", err)
	}
	if whole.Sum(sum[:0]); sum != named {
		return sum, &HostileError{What: "the pack cannot be indexed: its sum is of other bytes"}
	}
	return sum, nil
}

// indexer finds the ids of the deltas of a pack.
type indexer struct {
	ctx     context.Context
	f       *os.File
	list    []packed
	limits  Limits
	recent  map[int32][]byte // objects with deltas on them, by their place in the list
	kept    []int32          // the places in recent, the oldest first
	size    int              // what recent costs
	zr      io.ReadCloser
	first   []int32   // the first delta on an object, by its place; noBase: none
	next    []int32   // the next delta on the same base
	waiting []waiting // deltas whose base is named by id, by that id
}

// waiting is a delta whose base is named by id.
type waiting struct {
	base plumbing.Hash
	at   int32
}

func compareBase(w waiting, base plumbing.Hash) int { return bytes.Compare(w.base[:], base[:]) }

// resolve goes from the objects that are whole to the deltas on them, and on to
// the deltas on these.
func (x *indexer) resolve() error {
	x.first, x.next = make([]int32, len(x.list)), make([]int32, len(x.list))
	for i := range x.list {
		x.first[i] = noBase
	}
	deltas := 0
	for i := range x.list {
		switch base := x.list[i].base; base {
		case noBase:
			continue
		case otherBase:
			x.waiting = append(x.waiting, waiting{x.list[i].hash, int32(i)})
		default:
			x.next[i], x.first[base] = x.first[base], int32(i)
		}
		deltas++
	}
	slices.SortFunc(x.waiting, func(a, b waiting) int { return compareBase(a, b.base) })
	for i := range x.list {
		if x.list[i].base != noBase {
			continue
		}
		for open := []int32{int32(i)}; len(open) > 0; {
			base := open[len(open)-1]
			made, err := x.on(base)
			if err != nil {
				return err
			}
			deltas -= len(made)
			open = append(open[:len(open)-1], made...)
		}
	}
	if deltas > 0 {
		return &HostileError{What: "the pack cannot be indexed: a delta has no base"}
	}
	return nil
}

// on finds the ids of the deltas on one object, and gives their places.
func (x *indexer) on(base int32) ([]int32, error) {
	var made []int32
	for i := x.first[base]; i != noBase; i = x.next[i] {
		made = append(made, i)
	}
	at, _ := slices.BinarySearchFunc(x.waiting, x.list[base].hash, compareBase)
	for ; at < len(x.waiting) && x.waiting[at].base == x.list[base].hash; at++ {
		// A pack may hold an object twice; its deltas are made once.
		if i := x.waiting[at].at; x.list[i].base == otherBase {
			if err := x.list[i].on(x.list, base); err != nil {
				return nil, err
			}
			made = append(made, i)
		}
	}
	for _, i := range made {
		if err := context.Cause(x.ctx); err != nil {
			return nil, err
		}
		b, err := x.data(i)
		if err != nil {
			return nil, err
		}
		o := &x.list[i]
		o.kind, o.depth = x.list[base].kind, x.list[base].depth+1
		o.hash = plumbing.ComputeHash(plumbing.ObjectType(o.kind), b)
	}
	return made, nil
}

// data gives the bytes of an object whose bases are all known.
func (x *indexer) data(i int32) ([]byte, error) {
	var chain []int32
	var b []byte
	for ; ; i = x.list[i].base {
		recent, ok := x.recent[i]
		if b = recent; ok {
			break
		}
		var err error
		if x.list[i].base == noBase {
			if b, err = x.inflate(i); err != nil {
				return nil, err
			}
			x.keep(i, b)
			break
		}
		chain = append(chain, i)
	}
	for _, i := range slices.Backward(chain) {
		delta, err := x.inflate(i)
		if err != nil {
			return nil, err
		}
		if b, err = packfile.PatchDelta(b, delta); err != nil {
			return nil, &HostileError{What: "the pack cannot be indexed: a delta does not fit its base", Err: foreign{err}}
		}
		x.keep(i, b)
	}
	return b, nil
}

// keep keeps an object while it is among the recent ones, for the deltas on it.
func (x *indexer) keep(i int32, b []byte) {
	if x.first[i] == noBase && len(x.waiting) == 0 {
		return
	}
	x.recent[i] = b
	x.kept = append(x.kept, i)
	for x.size += len(b) + indexCacheEach; x.size > indexCache && len(x.kept) > 1; x.kept = x.kept[1:] {
		x.size -= len(x.recent[x.kept[0]]) + indexCacheEach
		delete(x.recent, x.kept[0])
	}
}

// inflate reads what lies in the pack for an object: its bytes, or a delta.
func (x *indexer) inflate(i int32) ([]byte, error) {
	begin := x.list[i].off
	s := &packScan{r: bufio.NewReaderSize(io.NewSectionReader(x.f, begin, 1<<62), 4<<10), limits: x.limits}
	kind, size, err := s.header()
	switch {
	case err != nil:
	case kind == packOffset:
		_, err = s.distance(begin)
	case kind == packRef:
		_, err = io.CopyN(io.Discard, s, int64(len(plumbing.ZeroHash)))
	}
	if err != nil {
		return nil, fmt.Errorf("indexing a pack: %w", err)
	}
	if x.zr == nil {
		x.zr, err = zlib.NewReader(s)
	} else {
		err = x.zr.(zlib.Resetter).Reset(s, nil)
	}
	b := make([]byte, size)
	if err == nil {
		_, err = io.ReadFull(x.zr, b)
	}
	if err != nil {
		return nil, fmt.Errorf("indexing a pack: %w", err)
	}
	return b, nil
}

// encodeIndex writes an index of git's version 2. An object that the pack holds
// twice is named once.
func encodeIndex(list []packed, pack plumbing.Hash) []byte {
	slices.SortFunc(list, func(a, b packed) int { return bytes.Compare(a.hash[:], b.hash[:]) })
	list = slices.CompactFunc(list, func(a, b packed) bool { return a.hash == b.hash })
	const head, each, far = 8 + 256*4, 20 + 4 + 4, 1 << 31
	b := append(make([]byte, 0, head+each*len(list)+2*len(pack)), "\xfftOc\x00\x00\x00\x02"...)
	for first, n := 0, 0; first < 256; first++ {
		for n < len(list) && int(list[n].hash[0]) == first {
			n++
		}
		b = binary.BigEndian.AppendUint32(b, uint32(n))
	}
	for _, o := range list {
		b = append(b, o.hash[:]...)
	}
	for _, o := range list {
		b = binary.BigEndian.AppendUint32(b, o.crc)
	}
	var beyond []byte // where an object begins that four bytes cannot tell
	for _, o := range list {
		if o.off < far {
			b = binary.BigEndian.AppendUint32(b, uint32(o.off))
			continue
		}
		b = binary.BigEndian.AppendUint32(b, uint32(far|len(beyond)/8))
		beyond = binary.BigEndian.AppendUint64(beyond, uint64(o.off))
	}
	b = append(append(b, beyond...), pack[:]...)
	sum := hash.New(crypto.SHA1)
	sum.Write(b)
	return sum.Sum(b)
}
