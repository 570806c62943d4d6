package index

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
)

// errShort says that encoded bytes end before what they hold does, or hold more than they should.
var errShort = errors.New("its fields do not add up")

// castagnoli is the CRC that processors compute in hardware. It finds damage, not intent.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// encoder appends fields to a byte slice: unsigned and signed varints, and strings with their
// length in front.
type encoder struct{ b []byte }

func (e *encoder) uint(v uint64) { e.b = binary.AppendUvarint(e.b, v) }
func (e *encoder) int(v int64)   { e.b = binary.AppendVarint(e.b, v) }

func (e *encoder) string(s string) {
	e.uint(uint64(len(s)))
	e.b = append(e.b, s...)
}

func (e *encoder) strings(list []string) {
	e.uint(uint64(len(list)))
	for _, s := range list {
		e.string(s)
	}
}

// decoder reads what encoder wrote. The first field that does not fit makes it bad, and every
// field after that empty, so that callers look at bad once, at the end.
type decoder struct {
	s   string
	bad bool
}

// decode reads from a copy of b: strings stay valid when b, a mapped page perhaps, goes.
func decode(b []byte) *decoder { return &decoder{s: string(b)} }

// finish is the error of the whole reading; bytes that are left over are one.
func (d *decoder) finish() error {
	if d.bad || d.s != "" {
		return errShort
	}
	return nil
}

func (d *decoder) fail() { d.bad, d.s = true, "" }

func (d *decoder) uint() uint64 {
	var v uint64
	for i := 0; i < len(d.s) && i < binary.MaxVarintLen64; i++ {
		c := d.s[i]
		if c < 0x80 {
			if i == binary.MaxVarintLen64-1 && c > 1 {
				break
			}
			d.s = d.s[i+1:]
			return v | uint64(c)<<(7*i)
		}
		v |= uint64(c&0x7f) << (7 * i)
	}
	d.fail()
	return 0
}

func (d *decoder) int() int64 {
	u := d.uint()
	v := int64(u >> 1)
	if u&1 != 0 {
		v = ^v
	}
	return v
}

func (d *decoder) byte() byte {
	if d.s == "" {
		d.fail()
		return 0
	}
	c := d.s[0]
	d.s = d.s[1:]
	return c
}

func (d *decoder) string() string {
	n := d.uint()
	if n > uint64(len(d.s)) {
		d.fail()
		return ""
	}
	s := d.s[:n]
	d.s = d.s[n:]
	return s
}

// count reads the length of a list whose elements take at least size bytes each, so that a
// damaged length never makes a large allocation.
func (d *decoder) count(size int) int {
	n := d.uint()
	if n > uint64(len(d.s)/size) {
		d.fail()
		return 0
	}
	return int(n)
}

// strings reads a list; an empty one is nil.
func (d *decoder) strings() []string {
	n := d.count(1)
	if n == 0 {
		return nil
	}
	list := make([]string, n)
	for i := range list {
		list[i] = d.string()
	}
	return list
}
