// Package postings keeps sorted pairs of a hash and a reference, and some values beside them, in
// files that never change once they are written, so that readers need no lock.
//
// A file is whole, or it lies upon a whole one and says what is different there: postings and values
// that came, and references whose postings went. So a small change costs a small file, and a look-up
// reads two at most; when the upper one has grown to a part of the lower, both become one.
//
// Each is a bbolt file. Postings (16 bytes: hash and reference, big endian) lie in spaces, each
// ordered by hash and cut into 2^n blocks by the first n bits of the hash; a block is one value
// under its number. Every block is there, be it empty, and every value begins with the CRC-32C of
// its bucket, its key and itself (4 bytes, little endian). Two more spaces are sets of numbers: the
// references that are gone below, and the ids of the values that the file has. So whatever happens
// to a file, a reader finds what was written or an error, never less: what is not found is known
// not to be there, and what is older is never taken for what is newer.
package postings

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"

	"github.com/distributed-trust/distrust/records/index/internal/codec"
)

// Spaces is the number of spaces that are the caller's, which know nothing of each other.
const Spaces = 2

// The sets of numbers are spaces after those.
const (
	spaceGone = Spaces + iota // references whose postings in the file below are gone
	spaceHeld                 // ids of values
	allSpaces
)

// Posting says that what Ref names is found under Hash.
type Posting struct{ Hash, Ref uint64 }

const postingSize = 16

// member is how a number lies in a set: the hash spreads numbers evenly, and each has its own.
func member(n uint64) Posting { return Posting{Hash: n * 0x9E3779B97F4A7C15, Ref: n} }

// members are numbers as postings of a set, in order.
func members(numbers []uint64) []Posting {
	list := make([]Posting, len(numbers))
	for i, n := range numbers {
		list[i] = member(n)
	}
	slices.SortFunc(list, Posting.Compare)
	return list
}

// Compare orders postings by hash, then by reference.
func (p Posting) Compare(q Posting) int {
	switch {
	case p.Hash < q.Hash:
		return -1
	case p.Hash > q.Hash:
		return 1
	case p.Ref < q.Ref:
		return -1
	case p.Ref > q.Ref:
		return 1
	}
	return 0
}

func appendPosting(b []byte, p Posting) []byte {
	b = binary.BigEndian.AppendUint64(b, p.Hash)
	return binary.BigEndian.AppendUint64(b, p.Ref)
}

func postingAt(b []byte, i int) Posting {
	b = b[i*postingSize:]
	return Posting{Hash: binary.BigEndian.Uint64(b), Ref: binary.BigEndian.Uint64(b[8:])}
}

// firstAt is the index of the first posting of a block at or above the hash.
func firstAt(b []byte, hash uint64) int {
	lo, hi := 0, len(b)/postingSize
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if postingAt(b, mid).Hash < hash {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// formatVersion is the version of the format: a file of another one is not read.
const formatVersion = 4

// maxBits bounds the number of blocks.
const maxBits = 24

// meta says how to read a file.
type meta struct {
	number uint64 // of the file: an older state of a file that was edited is noticed
	upon   uint64 // number of the file below; 0: this one is whole
	bits   [allSpaces]uint
	count  [allSpaces]uint64
}

var (
	bucketSpace  = [allSpaces][]byte{[]byte("0"), []byte("1"), []byte("2"), []byte("3")} // number of a block -> postings
	bucketValues = []byte("v")                                                           // id of a value -> the value
	bucketMeta   = []byte("m")
	keyMeta      = []byte("meta")
)

func (m *meta) encode() []byte {
	var e codec.Encoder
	e.Uint(formatVersion)
	e.Uint(m.number)
	e.Uint(m.upon)
	for i := range allSpaces {
		e.Uint(uint64(m.bits[i]))
		e.Uint(m.count[i])
	}
	return e.B
}

func decodeMeta(b []byte) (meta, error) {
	d := codec.Decode(b)
	if v := d.Uint(); v != formatVersion {
		return meta{}, fmt.Errorf("%w: format %d, this program reads %d", ErrDamaged, v, formatVersion)
	}
	m := meta{number: d.Uint(), upon: d.Uint()}
	for i := range allSpaces {
		m.bits[i] = uint(d.Uint())
		m.count[i] = d.Uint()
		if m.bits[i] > maxBits {
			return meta{}, codec.ErrShort
		}
	}
	return m, d.Finish()
}

// blockOf is the block that holds a hash.
func (m *meta) blockOf(space int, hash uint64) uint32 {
	return uint32(hash >> 32 >> (32 - m.bits[space]))
}

func blockKey(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }

func valueKey(id uint64) []byte { return binary.BigEndian.AppendUint64(nil, id) }

// ErrDamaged says that a file does not hold what was written to it.
var ErrDamaged = errors.New("damaged")

var (
	errSeal   = fmt.Errorf("%w: the checksum of a value differs", ErrDamaged)
	errBucket = fmt.Errorf("%w: a bucket is missing", ErrDamaged)
)

// castagnoli is the CRC that processors compute in hardware; its table is made when it is first asked for.
func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

// seal puts the checksum of bucket, key and body before the body, so that a value which is
// damaged, or found where another belongs, is never believed.
func seal(bucket, key, body []byte) []byte {
	return append(binary.LittleEndian.AppendUint32(make([]byte, 0, 4+len(body)), sealSum(bucket, key, body)), body...)
}

func unseal(bucket, key, value []byte) ([]byte, error) {
	if len(value) < 4 || binary.LittleEndian.Uint32(value) != sealSum(bucket, key, value[4:]) {
		return nil, errSeal
	}
	return value[4:], nil
}

func sealSum(bucket, key, body []byte) uint32 {
	sum := crc32.Update(0, castagnoli(), bucket)
	sum = crc32.Update(sum, castagnoli(), key)
	return crc32.Update(sum, castagnoli(), body)
}

// sealBlock is seal for a block of postings.
func sealBlock(space int, key []byte, block []Posting) []byte {
	b := make([]byte, 4, 4+len(block)*postingSize)
	for _, p := range block {
		b = appendPosting(b, p)
	}
	binary.LittleEndian.PutUint32(b, sealSum(bucketSpace[space], key, b[4:]))
	return b
}
