// Package postings keeps sorted pairs of a hash and a reference, and some values beside them, in
// one file that never changes once it is written, so that readers need no lock.
//
// It is a bbolt file. Postings (16 bytes: hash and reference, big endian) lie in two spaces, each
// ordered by hash and cut into 2^n blocks by the first n bits of the hash; a block is one value
// under its number. Every block is there, be it empty, and every value begins with the CRC-32C of
// its bucket, its key and itself (4 bytes, little endian). So whatever happens to the file, a
// reader finds what was written or an error, never less: what is not found is known not to be there.
package postings

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/distributed-trust/distrust/records/index/internal/codec"
)

// Spaces is the number of spaces, which know nothing of each other.
const Spaces = 2

// Posting says that what Ref names is found under Hash.
type Posting struct{ Hash, Ref uint64 }

const postingSize = 16

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
const formatVersion = 2

// maxBits bounds the number of blocks.
const maxBits = 24

// meta says how to read a file.
type meta struct {
	number uint64 // of the file: an older state of a file that was edited is noticed
	bits   [Spaces]uint
	count  [Spaces]uint64
}

var (
	bucketSpace = [Spaces][]byte{[]byte("0"), []byte("1")} // number of a block -> postings
	bucketMeta  = []byte("m")
	keyMeta     = []byte("meta")
)

func (m *meta) encode() []byte {
	var e codec.Encoder
	e.Uint(formatVersion)
	e.Uint(m.number)
	for i := range Spaces {
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
	m := meta{number: d.Uint()}
	for i := range Spaces {
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
	b := make([]byte, 4, 4+len(body))
	binary.LittleEndian.PutUint32(b, sealSum(bucket, key, body))
	return append(b, body...)
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

func sealBlock(space int, key []byte, block []Posting) []byte {
	b := make([]byte, 0, len(block)*postingSize)
	for _, p := range block {
		b = appendPosting(b, p)
	}
	return seal(bucketSpace[space], key, b)
}
