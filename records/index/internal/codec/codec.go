// Package codec writes and reads the values that an index keeps: unsigned and signed varints, and
// strings with their length in front.
package codec

import (
	"encoding/binary"
	"errors"
)

// ErrShort says that encoded bytes end before what they hold does, or hold more than they should.
var ErrShort = errors.New("its fields do not add up")

// Encoder appends fields to B.
type Encoder struct{ B []byte }

// Uint appends an unsigned number.
func (e *Encoder) Uint(v uint64) { e.B = binary.AppendUvarint(e.B, v) }

// Int appends a number.
func (e *Encoder) Int(v int64) { e.B = binary.AppendVarint(e.B, v) }

// Byte appends one byte.
func (e *Encoder) Byte(c byte) { e.B = append(e.B, c) }

// Text appends a string.
func (e *Encoder) Text(s string) {
	e.Uint(uint64(len(s)))
	e.B = append(e.B, s...)
}

// Bytes appends bytes as Text appends a string.
func (e *Encoder) Bytes(b []byte) {
	e.Uint(uint64(len(b)))
	e.B = append(e.B, b...)
}

// Texts appends a list of strings.
func (e *Encoder) Texts(list []string) {
	e.Uint(uint64(len(list)))
	for _, s := range list {
		e.Text(s)
	}
}

// Decoder reads what an Encoder wrote. The first field that does not fit makes it bad, and every
// field after that empty, so that callers ask [Decoder.Finish] once, at the end.
type Decoder struct {
	s   string
	bad bool
}

// Decode reads from a copy of b: strings stay valid when b, a mapped page perhaps, goes.
func Decode(b []byte) *Decoder { return &Decoder{s: string(b)} }

// Finish is the error of the whole reading; bytes that are left over are one.
func (d *Decoder) Finish() error {
	if d.bad || d.s != "" {
		return ErrShort
	}
	return nil
}

func (d *Decoder) fail() { d.bad, d.s = true, "" }

// Uint reads an unsigned number.
func (d *Decoder) Uint() uint64 {
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

// Int reads a number.
func (d *Decoder) Int() int64 {
	u := d.Uint()
	v := int64(u >> 1)
	if u&1 != 0 {
		v = ^v
	}
	return v
}

// Short reads a number that Int wrote and that fits 16 bits.
func (d *Decoder) Short() int {
	v := d.Int()
	if v != int64(int16(v)) {
		d.fail()
		return 0
	}
	return int(v)
}

// Byte reads one byte.
func (d *Decoder) Byte() byte {
	if d.s == "" {
		d.fail()
		return 0
	}
	c := d.s[0]
	d.s = d.s[1:]
	return c
}

// Text reads a string.
func (d *Decoder) Text() string {
	n := d.Uint()
	if n > uint64(len(d.s)) {
		d.fail()
		return ""
	}
	s := d.s[:n]
	d.s = d.s[n:]
	return s
}

// Count reads the length of a list whose elements take at least size bytes each, so that a
// damaged length never makes a large allocation.
func (d *Decoder) Count(size int) int {
	n := d.Uint()
	if n > uint64(len(d.s)/size) {
		d.fail()
		return 0
	}
	return int(n)
}

// Texts reads a list; an empty one is nil.
func (d *Decoder) Texts() []string {
	n := d.Count(1)
	if n == 0 {
		return nil
	}
	list := make([]string, n)
	for i := range list {
		list[i] = d.Text()
	}
	return list
}

// Rest is all that is left, whatever it is.
func (d *Decoder) Rest() string {
	s := d.s
	d.s = ""
	return s
}

// Bad says whether a field did not fit.
func (d *Decoder) Bad() bool { return d.bad }

// DecodeText reads from a string.
func DecodeText(s string) *Decoder { return &Decoder{s: s} }
