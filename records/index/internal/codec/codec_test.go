package codec

import (
	"math"
	"reflect"
	"testing"
)

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	uints := []uint64{0, 1, 127, 128, 1 << 20, math.MaxUint64}
	ints := []int64{0, 1, -1, 63, -64, math.MaxInt64, math.MinInt64}
	texts := []string{"", "a", "ünï\x00", string(make([]byte, 300))}
	var e Encoder
	for _, v := range uints {
		e.Uint(v)
	}
	for _, v := range ints {
		e.Int(v)
	}
	e.Byte(0xFF)
	e.Texts(texts)
	e.Texts(nil)
	e.Text("last")
	d := Decode(e.B)
	for _, v := range uints {
		if have := d.Uint(); have != v {
			t.Errorf("%d became %d", v, have)
		}
	}
	for _, v := range ints {
		if have := d.Int(); have != v {
			t.Errorf("%d became %d", v, have)
		}
	}
	if b := d.Byte(); b != 0xFF {
		t.Errorf("a byte became %x", b)
	}
	if have := d.Texts(); !reflect.DeepEqual(have, texts) {
		t.Errorf("%q became %q", texts, have)
	}
	if have := d.Texts(); have != nil {
		t.Errorf("no texts became %q", have)
	}
	if have := d.Rest(); have != "\x04last" {
		t.Errorf("the rest is %q", have)
	}
	if err := d.Finish(); err != nil {
		t.Error(err)
	}
	for n := range e.B {
		d := Decode(e.B[:n])
		for range uints {
			d.Uint()
		}
		for range ints {
			d.Int()
		}
		d.Byte()
		d.Texts()
		d.Texts()
		d.Text()
		if d.Finish() == nil || !d.Bad() {
			t.Fatalf("cut to %d of %d is read", n, len(e.B))
		}
	}
}

func TestBad(t *testing.T) {
	t.Parallel()
	over := "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02" // 2^64 and more
	for name, read := range map[string]func(*Decoder){
		"number too large": func(d *Decoder) { d.Uint() },
		"text too long":    func(d *Decoder) { d.Text() },
		"list too long":    func(d *Decoder) { d.Texts() },
		"count too large":  func(d *Decoder) { d.Count(1) },
	} {
		d := DecodeText(over)
		read(d)
		if !d.Bad() || d.Uint() != 0 || d.Text() != "" || d.Byte() != 0 || d.Int() != 0 || d.Texts() != nil {
			t.Errorf("%s: read", name)
		}
	}
	d := DecodeText("\x05abcd")
	if d.Texts(); !d.Bad() {
		t.Error("five texts in four bytes are read")
	}
	d = DecodeText("x")
	if d.Finish() == nil {
		t.Error("what is left over is no error")
	}
}
