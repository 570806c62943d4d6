package codec

import (
	"bytes"
	"testing"
)

// FuzzDecoder reads fields as the input itself says: whatever comes, no field is longer than what
// was given, and fields that fit are written again as they were read, apart from longer forms of
// numbers.
func FuzzDecoder(f *testing.F) {
	var e Encoder
	e.Uint(1 << 63)
	e.Int(-7)
	e.Byte(9)
	e.Text("text")
	e.Texts([]string{"a", "", "c"})
	f.Add([]byte("uibtl"), e.B)
	f.Add([]byte("l"), []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Add([]byte("u"), []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2})
	f.Add([]byte("tt"), []byte{200, 1, 'x'})
	f.Fuzz(func(t *testing.T, fields, b []byte) {
		d := Decode(b)
		var again Encoder
		for _, field := range fields {
			switch field {
			case 'u':
				again.Uint(d.Uint())
			case 'i':
				again.Int(d.Int())
			case 'b':
				again.Byte(d.Byte())
			case 't':
				again.Text(d.Text())
			default:
				again.Texts(d.Texts())
			}
			if d.Bad() {
				break
			}
		}
		rest := d.Rest()
		if d.Bad() {
			return
		}
		if len(again.B)+len(rest) > len(b) {
			t.Fatalf("%d bytes of %d came out", len(again.B)+len(rest), len(b))
		}
		if len(again.B)+len(rest) == len(b) && !bytes.Equal(append(again.B, rest...), b) {
			t.Fatalf("%x became %x", b, again.B)
		}
	})
}
