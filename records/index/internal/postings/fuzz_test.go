package postings

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// FuzzMeta: what says how to read a file is read as it would be written.
func FuzzMeta(f *testing.F) {
	f.Add((&meta{}).encode())
	f.Add((&meta{number: 1 << 40, upon: 3, bits: [allSpaces]uint{3, maxBits}, count: [allSpaces]uint64{9, 1 << 50}}).encode())
	f.Add([]byte{3, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := decodeMeta(b)
		if err != nil {
			return
		}
		if again, err := decodeMeta(m.encode()); err != nil || again != m {
			t.Fatalf("%+v became %+v, %v", m, again, err)
		}
	})
}

// FuzzDamagedFile writes other bytes anywhere into a file, and cuts it: an answer is the right one
// or an error.
func FuzzDamagedFile(f *testing.F) {
	path := filepath.Join(f.TempDir(), "file")
	var list []Posting
	for i := range uint64(600) {
		list = append(list, Posting{Hash: i * (1 << 54), Ref: i})
	}
	b, err := Build(path, 1, nil, adding(f, list...))
	if err == nil {
		err = b.Finish(func(v *Values) error { return v.Put(7, []byte("value")) })
	}
	if err != nil {
		f.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	for _, at := range []uint32{0, 8, 16, 24, 40, 64, 16 << 10, 16<<10 + 20, 32 << 10, 48<<10 + 16, 70 << 10} {
		f.Add(at, []byte{0xff}, uint32(0))
		f.Add(at, []byte{0, 0, 0, 0, 0, 0, 0, 0}, uint32(0))
		f.Add(at, []byte{1}, at)
	}
	f.Fuzz(func(t *testing.T, at uint32, put []byte, cut uint32) {
		b := slices.Clone(whole)
		copy(b[int(at)%len(b):], put)
		b = b[:len(b)-int(cut)%len(b)]
		path := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		file, err := Open(path, 1, nil)
		if err != nil {
			return
		}
		defer file.Close()
		for _, i := range []uint64{0, 1, 300, 599} {
			var refs []uint64
			err := file.View(func(v *View) (err error) {
				refs, err = v.Find(nil, 0, i*(1<<54), i*(1<<54))
				return err
			})
			if err == nil && !slices.Equal(refs, []uint64{i}) {
				t.Fatalf("found %v for %d", refs, i)
			}
		}
		err = file.View(func(v *View) error {
			value, err := v.Value(7)
			if err == nil && string(value) != "value" {
				return errors.New("another value")
			}
			return nil
		})
		if err != nil && !errors.Is(err, ErrDamaged) {
			t.Fatal(err)
		}
	})
}
