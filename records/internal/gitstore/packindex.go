package gitstore

import (
	"bytes"
	"cmp"
	"context"
	"crypto"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	gohash "hash"
	"os"
	"path/filepath"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
	"github.com/go-git/go-git/v5/plumbing/hash"
)

// fresh is what is known of a pack that this process took.
type fresh struct {
	base  string   // of pack and index, without their endings
	list  []packed // in the order of the index
	index packIndex
	spill *spill
}

// indexPack makes the index of a scanned pack and gives both the names under
// which git looks for them, in the folder where the pack lies. go-git's own indexer
// holds several times as much in memory, and hears of no context.
func indexPack(ctx context.Context, file string, list []packed, sum plumbing.Hash, to *spill, l Limits) (_ *fresh, err error) {
	defer recoverDecoder(&err)
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("indexing a pack: %w", err)
	}
	defer f.Close()
	x := indexer{
		ctx: ctx, list: list, limits: l, spill: to, reader: packReader{window: window{f: f}}, recent: recent{most: indexCache},
		id: hash.New(crypto.SHA1), file: sha256.New(),
	}
	if err := x.resolve(); err != nil {
		return nil, err
	}
	n := &fresh{base: filepath.Join(filepath.Dir(file), "pack-"+sum.String()), spill: to}
	n.list, n.index = encodeIndex(list, sum)
	if err := writeFile(n.base+".idx", n.index.b, 0o444); err != nil {
		return nil, fmt.Errorf("indexing a pack: %w", err)
	}
	if err := errors.Join(os.Chmod(file, 0o444), os.Rename(file, n.base+".pack")); err != nil {
		return nil, fmt.Errorf("indexing a pack: %w", err)
	}
	return n, nil
}

// indexCache is how many bytes of objects are kept for deltas on them.
const indexCache = 16 << 20

// indexer finds the ids of the deltas of a pack.
type indexer struct {
	ctx      context.Context
	list     []packed
	limits   Limits
	spill    *spill
	reader   packReader
	recent   recent
	id, file gohash.Hash
	first    []int32   // the first delta on an object, by its place; noBase: none
	next     []int32   // the next delta on the same base
	waiting  []waiting // deltas whose base is named by id, by that id
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
		i := x.waiting[at].at
		if x.list[i].base != otherBase {
			break // A pack may hold an object very often; the deltas on it are all made the first time.
		}
		made = append(made, i)
	}
	for _, i := range made {
		if err := context.Cause(x.ctx); err != nil {
			return nil, err
		}
		o := &x.list[i]
		if err := o.on(x.list, base); err != nil {
			return nil, err
		}
		b, err := x.data(i)
		if err != nil {
			return nil, err
		}
		o.kind = x.list[base].kind
		o.name(b, x.id, x.file)
		o.size = int64(len(b))
		if o.at, err = x.spill.put(b); err != nil {
			return nil, err
		}
	}
	return made, nil
}

// data gives the bytes of an object whose bases are all known.
func (x *indexer) data(i int32) ([]byte, error) {
	var deltas []int32 // on it, the last one first
	var b []byte
	for ; ; i = x.list[i].base {
		o := &x.list[i]
		recent, known := x.recent.objects[o.off]
		if b = recent.bytes; known {
			break
		}
		if o.base == noBase || o.kind < packOffset && o.at != nowhere {
			var err error
			if b, err = x.bytes(o); err != nil {
				return nil, err
			}
			x.keep(i, b)
			break
		}
		deltas = append(deltas, i)
	}
	for _, i := range slices.Backward(deltas) {
		delta, err := x.bytes(&x.list[i])
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
	if x.first[i] != noBase || len(x.waiting) > 0 {
		x.recent.keep(x.list[i].off, object{bytes: b})
	}
}

// bytes gives what lies in the pack for an object: its bytes, or a delta as long as
// the spill has not what that makes.
func (x *indexer) bytes(o *packed) ([]byte, error) {
	if o.at != nowhere {
		return x.spill.get(o.at, o.size)
	}
	l, err := x.reader.look(o.off, x.limits.ObjectBytes)
	if err != nil {
		return nil, fmt.Errorf("indexing a pack: %w", err)
	}
	b, err := x.reader.inflate(l)
	if err != nil {
		return nil, fmt.Errorf("indexing a pack: %w", err)
	}
	return b, nil
}

// encodeIndex makes an index of git's version 2 and puts the list into its order. An object that the pack
// holds twice is named twice: git reads no pack of which the index names fewer objects.
func encodeIndex(list []packed, pack plumbing.Hash) ([]packed, packIndex) {
	slices.SortFunc(list, func(a, b packed) int { return cmp.Or(bytes.Compare(a.hash[:], b.hash[:]), cmp.Compare(a.off, b.off)) })
	b := append(make([]byte, 0, indexIDs+indexEach*len(list)+2*idSize), indexMagic...)
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
		if o.off < farOffset {
			b = binary.BigEndian.AppendUint32(b, uint32(o.off))
			continue
		}
		b = binary.BigEndian.AppendUint32(b, farOffset|uint32(len(beyond)/8))
		beyond = binary.BigEndian.AppendUint64(beyond, uint64(o.off))
	}
	b = append(append(b, beyond...), pack[:]...)
	sum := sha1.Sum(b)
	return list, packIndex{b: append(b, sum[:]...), count: len(list)}
}
