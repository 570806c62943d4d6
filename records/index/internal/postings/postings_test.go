package postings

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// model is what a file should hold.
type model [Spaces]map[Posting]bool

func newModel() model { return model{{}, {}} }

// refs are the references from one hash to another, in order.
func (m model) refs(space int, from, to uint64) []uint64 {
	var found []Posting
	for p := range m[space] {
		if from <= p.Hash && p.Hash <= to {
			found = append(found, p)
		}
	}
	slices.SortFunc(found, Posting.Compare)
	refs := []uint64{}
	for _, p := range found {
		refs = append(refs, p.Ref)
	}
	return refs
}

// sorted are the postings of a set in an order that does not change from run to run.
func sorted(set map[Posting]bool) []Posting {
	return slices.SortedFunc(maps.Keys(set), Posting.Compare)
}

func find(t testing.TB, f *File, space int, from, to uint64) []uint64 {
	t.Helper()
	refs := []uint64{}
	err := f.View(func(v *View) (err error) {
		refs, err = v.Find(refs, space, from, to)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return refs
}

// build makes the next file of a series.
func build(t testing.TB, dir string, number uint64, old *File, c *Change, values map[string]string) *File {
	t.Helper()
	path := filepath.Join(dir, fmt.Sprint("file-", number))
	b, err := Build(path, number, old, c)
	if err != nil {
		t.Fatal(err)
	}
	err = b.Finish(func(v *Values) error {
		for key, body := range values {
			switch body {
			case "carry":
				err = v.Carry("values", []byte(key))
			case "delete":
				err = v.Delete("values", []byte(key))
			default:
				err = v.Put("values", []byte(key), []byte(body))
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	f, err := Open(path, number)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func value(f *File, key string) (string, error) {
	var s string
	err := f.View(func(v *View) error {
		b, err := v.Value("values", []byte(key))
		s = string(b)
		return err
	})
	return s, err
}

// TestSeries builds files upon each other, small and large changes in turn, and holds each
// against a plain set.
func TestSeries(t *testing.T) {
	t.Parallel()
	for seed := range uint64(6) {
		random := rand.New(rand.NewPCG(seed, 5))
		hash := func() uint64 {
			if random.IntN(4) == 0 {
				return uint64(random.IntN(8)) << 61 // crowded, at the edges of blocks
			}
			return random.Uint64()
		}
		dir, m := t.TempDir(), newModel()
		var f *File
		edited, merged := 0, 0
		for number := uint64(1); number < 9; number++ {
			c := &Change{}
			size := []int{20, 2000, 30, 5, 40000}[random.IntN(5)]
			for space := range Spaces {
				for range random.IntN(size) {
					c.Adds[space] = append(c.Adds[space], Posting{hash(), uint64(random.IntN(1 << 20))})
				}
				c.Adds[space] = append(c.Adds[space], c.Adds[space][:len(c.Adds[space])/9]...)
				adds := map[Posting]bool{}
				for _, p := range c.Adds[space] {
					adds[p] = true
				}
				for _, p := range sorted(m[space]) {
					if len(c.Removes[space]) < random.IntN(size) && !adds[p] {
						c.Removes[space] = append(c.Removes[space], p)
					}
				}
			}
			if number%4 == 0 {
				c.Keep = func(p Posting) bool { return p.Ref%3 != 0 }
			}
			for space := range Spaces {
				for p := range m[space] {
					if c.Keep != nil && !c.Keep(p) {
						delete(m[space], p)
					}
				}
				for _, p := range c.Removes[space] {
					delete(m[space], p)
				}
				for _, p := range c.Adds[space] {
					m[space][p] = true
				}
			}
			c.normalize()
			if f != nil && c.small(&f.meta) {
				edited++
			} else {
				merged++
			}
			before := f
			f = build(t, dir, number, before, c, map[string]string{"n": fmt.Sprint(number)})
			for space := range Spaces {
				if f.Count(space) != uint64(len(m[space])) {
					t.Fatalf("seed %d file %d: %d postings, want %d", seed, number, f.Count(space), len(m[space]))
				}
				if have := find(t, f, space, 0, 1<<64-1); !slices.Equal(have, m.refs(space, 0, 1<<64-1)) {
					t.Fatalf("seed %d file %d: not the same postings", seed, number)
				}
				for range 20 {
					from := hash()
					to := from
					if random.IntN(2) == 0 {
						to = max(from, hash())
					}
					if have, want := find(t, f, space, from, to), m.refs(space, from, to); !slices.Equal(have, want) {
						t.Fatalf("seed %d file %d: from %x to %x: %d, want %d", seed, number, from, to, len(have), len(want))
					}
				}
			}
		}
		if edited == 0 || merged == 0 {
			t.Errorf("seed %d: %d edited, %d merged", seed, edited, merged)
		}
	}
}

func TestValues(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	one := Posting{Hash: 1, Ref: 1}
	a := build(t, dir, 1, nil, &Change{Adds: [Spaces][]Posting{{one}}}, map[string]string{"a": "1", "b": "2", "c": ""})
	for number, c := range map[uint64]*Change{2: {}, 3: {Keep: func(Posting) bool { return true }}} {
		b := build(t, dir, number, a, c, map[string]string{"a": "carry", "b": "delete", "c": "carry", "d": "4"})
		for key, want := range map[string]string{"a": "1", "c": "", "d": "4"} {
			if have, err := value(b, key); have != want || err != nil {
				t.Errorf("file %d: %s is %q, %v", number, key, have, err)
			}
		}
		for _, key := range []string{"b", "e"} {
			if _, err := value(b, key); !errors.Is(err, ErrDamaged) {
				t.Errorf("file %d: %s: %v", number, key, err)
			}
		}
		if have := find(t, b, 0, 0, 9); !slices.Equal(have, []uint64{1}) {
			t.Errorf("file %d: %v", number, have)
		}
	}
	if have, err := value(a, "b"); have != "2" || err != nil {
		t.Errorf("the first file changed: %q %v", have, err)
	}
	if _, err := Open(a.path, 2); !errors.Is(err, ErrDamaged) {
		t.Errorf("opened under another number: %v", err)
	}
}

// TestDamageIsNeverLess: of a bent file a reader gets what was written, or an error.
func TestDamageIsNeverLess(t *testing.T) {
	t.Parallel()
	dir, random := t.TempDir(), rand.New(rand.NewPCG(8, 9))
	c := &Change{}
	for i := range 3000 {
		c.Adds[0] = append(c.Adds[0], Posting{random.Uint64(), uint64(i)})
	}
	asked := c.Adds[0][17].Hash
	f := build(t, dir, 1, nil, c, map[string]string{"a": "1"})
	f = build(t, dir, 2, f, &Change{Removes: [Spaces][]Posting{{c.Adds[0][3]}}}, map[string]string{"a": "carry"})
	want := find(t, f, 0, asked, asked)
	path := f.path
	f.Close()
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	noticed := 0
	for i := range 500 {
		b := slices.Clone(whole)
		at := random.IntN(len(b))
		switch random.IntN(4) {
		case 0:
			b = b[:at]
		case 1:
			end := min(len(b), at+pageSize)
			clear(b[at:end])
		default:
			b[at] ^= byte(1 + random.IntN(255))
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := Open(path, 2)
		if err != nil {
			noticed++
			continue
		}
		var refs []uint64
		var text string
		err = f.View(func(v *View) (err error) {
			refs, err = v.Find(nil, 0, asked, asked)
			none, none1 := v.Find(nil, 1, asked, asked)
			a, err2 := v.Value("values", []byte("a"))
			text = string(a)
			return cmp.Or(err, err2, none1, lengthError(len(none)))
		})
		if err == nil && (!slices.Equal(refs, want) || text != "1") {
			t.Fatalf("byte %d: found %v and %q, want %v", at, refs, text, want)
		}
		if err != nil {
			noticed++
		}
		// What is made of a bent file is right as well, or not made.
		// Another name each time: what the library had open when it gave up stays locked.
		nextPath := fmt.Sprint(path, "-", i)
		if b, err := Build(nextPath, 3, f, &Change{Adds: [Spaces][]Posting{{{asked, 7}}}}); err == nil {
			if err := b.Finish(func(v *Values) error { return v.Carry("values", []byte("a")) }); err == nil {
				next, err := Open(nextPath, 3)
				if err != nil {
					t.Fatalf("byte %d: the next file: %v", at, err)
				}
				_ = next.View(func(v *View) error {
					if refs, err := v.Find(nil, 0, asked, asked); err == nil && len(refs) != len(want)+1 {
						t.Errorf("byte %d: the next file has %v", at, refs)
					}
					return nil
				})
				next.Close()
			}
			b.Close()
		}
		os.Remove(nextPath)
		f.Close()
	}
	if noticed < 50 {
		t.Errorf("only %d of 500 were noticed", noticed)
	}
}

func lengthError(n int) error {
	if n != 0 {
		return fmt.Errorf("%d found", n)
	}
	return nil
}

// TestSize: at most 100 bytes a key (docs/performance.md).
func TestSize(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 1))
	c := &Change{}
	for i := range 20_000 {
		c.Adds[0] = append(c.Adds[0], Posting{random.Uint64(), uint64(i)})
		c.Adds[1] = append(c.Adds[1], Posting{random.Uint64(), uint64(i)})
	}
	f := build(t, t.TempDir(), 1, nil, c, nil)
	info, err := os.Stat(f.path)
	if err != nil {
		t.Fatal(err)
	}
	if per := info.Size() / 40_000; per > 40 {
		t.Errorf("%d bytes a posting", per)
	}
}

func BenchmarkFind(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 1))
	c := &Change{}
	for i := range 600_000 {
		c.Adds[0] = append(c.Adds[0], Posting{random.Uint64(), uint64(i)})
	}
	f := build(b, b.TempDir(), 1, nil, c, nil)
	for b.Loop() {
		hash := c.Adds[0][random.IntN(600_000)].Hash
		if n := len(find(b, f, 0, hash, hash)); n != 1 {
			b.Fatal(n)
		}
	}
}
