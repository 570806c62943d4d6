package postings

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
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
	var refs []uint64
	for p := range m[space] {
		if from <= p.Hash && p.Hash <= to {
			refs = append(refs, p.Ref)
		}
	}
	slices.Sort(refs)
	return refs
}

// plenty is room for all postings of a test.
const plenty = 1 << 20

// sorter has postings of both spaces, in memory as far as there is room.
func sorter(t testing.TB, room int, adds [Spaces][]Posting) *Sorter {
	t.Helper()
	dir := t.TempDir()
	s := NewSorter(room, func() (*os.File, error) { return os.CreateTemp(dir, "runs-*") })
	for space, list := range adds {
		for _, p := range list {
			if err := s.Add(space, p.Ref, p.Hash); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("left behind: %v, %v", left, err)
		}
	})
	return s
}

// adding is a change that adds postings to the first space, and may go into a file upon another.
func adding(t testing.TB, list ...Posting) *Change {
	t.Helper()
	return &Change{Adds: sorter(t, plenty, [Spaces][]Posting{list}), Room: 1 << 30}
}

// find looks up what lies from one hash to another, by reference.
func find(t testing.TB, f *File, space int, from, to uint64) []uint64 {
	t.Helper()
	var refs []uint64
	err := f.View(func(v *View) (err error) {
		refs, err = v.Find(nil, space, from, to)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(refs)
	return refs
}

// build makes the next file of a series. An empty value deletes.
func build(t testing.TB, dir string, number uint64, old *File, c *Change, values map[uint64]string) *File {
	t.Helper()
	path := filepath.Join(dir, fmt.Sprint("file-", number))
	b, err := Build(path, number, old, c)
	if err != nil {
		t.Fatal(err)
	}
	err = b.Finish(func(v *Values) error {
		for id, body := range values {
			if body == "" {
				err = v.Delete(id)
			} else {
				err = v.Put(id, []byte(body))
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
	var below *File
	if b.Upon() {
		below = reopen(t, old.whole())
	}
	f, err := Open(path, number, below)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// reopen opens a file once more: each is closed with the one upon it.
func reopen(t testing.TB, f *File) *File {
	t.Helper()
	again, err := Open(f.path, f.meta.number, nil)
	if err != nil {
		t.Fatal(err)
	}
	return again
}

func value(f *File, id uint64) (string, error) {
	var s string
	err := f.View(func(v *View) error {
		b, err := v.Value(id)
		s = string(b)
		return err
	})
	return s, err
}

// TestSeries builds files upon each other, small and large changes in turn, some with runs in a file,
// and holds each against a plain set.
func TestSeries(t *testing.T) {
	t.Parallel()
	upon, whole := 0, 0
	for seed := range uint64(6) {
		random := rand.New(rand.NewPCG(seed, 5))
		hash := func() uint64 {
			if random.IntN(4) == 0 {
				return uint64(random.IntN(8)) << 61 // crowded, at the edges of blocks
			}
			return random.Uint64()
		}
		dir, m, values := t.TempDir(), newModel(), map[uint64]string{}
		var f *File
		ref := uint64(0) // none comes twice
		for number := uint64(1); number < 12; number++ {
			size := []int{20, 2000, 30, 5, 10000}[random.IntN(5)]
			c := &Change{Room: int64(random.IntN(2)) << 19}
			var adds [Spaces][]Posting
			for space := range Spaces {
				for range random.IntN(size) {
					adds[space] = append(adds[space], Posting{hash(), ref})
					ref += uint64(random.IntN(2))
				}
				adds[space] = append(adds[space], adds[space][:len(adds[space])/9]...)
			}
			c.Adds = sorter(t, []int{20, 700, plenty}[random.IntN(3)], adds)
			gone := map[uint64]bool{}
			for range random.IntN(size) / 4 {
				c.Gone = append(c.Gone, uint64(random.IntN(1+int(ref))))
				gone[c.Gone[len(c.Gone)-1]] = true
			}
			if random.IntN(4) == 0 {
				c.Keep = func(r uint64) bool { return r%3 != 0 }
			}
			for space := range Spaces {
				for _, p := range adds[space] {
					m[space][p] = true
				}
				maps.DeleteFunc(m[space], func(p Posting, _ bool) bool {
					return gone[p.Ref] || c.Keep != nil && !c.Keep(p.Ref)
				})
			}
			ref += 2
			put := map[uint64]string{}
			for range random.IntN(4) {
				id := uint64(random.IntN(6))<<32 | 1
				put[id] = []string{"", fmt.Sprint(number)}[random.IntN(2)]
				values[id] = put[id]
			}
			if c.small(f) {
				upon++
			} else {
				whole++
			}
			f = build(t, dir, number, f, c, put)
			for space := range Spaces {
				if have := find(t, f, space, 0, math.MaxUint64); !slices.Equal(have, m.refs(space, 0, math.MaxUint64)) {
					t.Fatalf("seed %d file %d: %d postings, want %d", seed, number, len(have), len(m[space]))
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
			for id, want := range values {
				if have, err := value(f, id); have != want || want != "" && err != nil {
					t.Fatalf("seed %d file %d: value %x is %q, %v; want %q", seed, number, id, have, err, want)
				}
			}
		}
	}
	if upon < 10 || whole < 10 {
		t.Errorf("%d upon another, %d whole", upon, whole)
	}
}

// TestWholeIsTheSame: what was built step by step is, once it is whole, to the byte what is built at
// once, from memory or from runs in a file.
func TestWholeIsTheSame(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(2, 3))
	var all [Spaces][]Posting
	for i := range 5000 {
		all[i%2] = append(all[i%2], Posting{random.Uint64(), uint64(i)})
	}
	dir := t.TempDir()
	keep := func(uint64) bool { return true }
	var f *File
	for n := range 10 {
		var some [Spaces][]Posting
		for space := range Spaces {
			some[space] = all[space][n*250 : (n+1)*250]
		}
		c := &Change{Adds: sorter(t, plenty, some), Room: int64(n%3) << 20}
		f = build(t, dir, uint64(n+1), f, c, map[uint64]string{uint64(n): "value"})
	}
	values := map[uint64]string{}
	for n := range uint64(10) {
		values[n] = "value"
	}
	files := []*File{
		build(t, t.TempDir(), 20, f, &Change{Adds: sorter(t, 1, [Spaces][]Posting{}), Keep: keep}, nil),
		build(t, t.TempDir(), 20, nil, &Change{Adds: sorter(t, plenty, all)}, values),
		build(t, t.TempDir(), 20, nil, &Change{Adds: sorter(t, 100, all)}, values),
	}
	for i, f := range files {
		for space := range allSpaces {
			if a, b := content(t, f, space), content(t, files[0], space); !slices.Equal(a, b) {
				t.Errorf("file %d, space %d: %d postings, want %d", i, space, len(a), len(b))
			}
		}
	}
}

// content is a space of a whole file, in the order in which it lies there.
func content(t testing.TB, f *File, space int) (list []Posting) {
	t.Helper()
	err := f.read(func(l *layer) error {
		return merge([]source{l.all(space)}, func(p Posting) error { list = append(list, p); return nil })
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestValues(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	one := Posting{Hash: 1, Ref: 1}
	a := build(t, dir, 1, nil, adding(t, one), map[uint64]string{1: "1", 2: "2", 3: "3"})
	for number, room := range map[uint64]int64{2: 0, 3: 1 << 20} {
		c := adding(t)
		c.Room = room
		b := build(t, dir, number, a, c, map[uint64]string{2: "", 3: "other", 4: "4"})
		if upon := b.below != nil; upon != (room > 0) {
			t.Fatalf("file %d lies upon another: %v", number, upon)
		}
		b = build(t, dir, number+10, b, c, map[uint64]string{5: "5"})
		b = build(t, dir, number+20, b, c, nil)
		for id, want := range map[uint64]string{1: "1", 3: "other", 4: "4", 5: "5"} {
			if have, err := value(b, id); have != want || err != nil {
				t.Errorf("file %d: %d is %q, %v", number, id, have, err)
			}
		}
		if have, err := value(b, 2); have != "" || room == 0 && !errors.Is(err, ErrDamaged) {
			t.Errorf("file %d: what was deleted is %q, %v", number, have, err)
		}
		if _, err := value(b, 6); !errors.Is(err, ErrDamaged) {
			t.Errorf("file %d: %v", number, err)
		}
		if have := find(t, b, 0, 0, 9); !slices.Equal(have, []uint64{1}) {
			t.Errorf("file %d: %v", number, have)
		}
	}
	if have, err := value(a, 2); have != "2" || err != nil {
		t.Errorf("the first file changed: %q %v", have, err)
	}
	upper := build(t, dir, 40, a, adding(t), nil)
	for what, open := range map[string]func() (*File, error){
		"under another number":      func() (*File, error) { return Open(a.path, 2, nil) },
		"without the one below":     func() (*File, error) { return Open(upper.path, 40, nil) },
		"upon one that is not its":  func() (*File, error) { return Open(upper.path, 40, upper) },
		"whole, upon a file":        func() (*File, error) { return Open(a.path, 1, upper) },
		"which another format made": func() (*File, error) { return Open(otherFormat(t, dir), 1, nil) },
	} {
		if f, err := open(); !errors.Is(err, ErrDamaged) {
			t.Errorf("opened %s: %v %v", what, f, err)
		}
	}
}

// otherFormat is a file of a format that is not read.
func otherFormat(t testing.TB, dir string) string {
	t.Helper()
	path := filepath.Join(dir, "other")
	b, err := Build(path, 1, nil, adding(t))
	if err != nil {
		t.Fatal(err)
	}
	body := []byte{formatVersion - 1, 1, 0, 0, 0, 0}
	if err := errors.Join(b.put(pair{bucketMeta, keyMeta, seal(bucketMeta, keyMeta, body)}), b.flush(), b.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestDamageIsNeverLess: of bent files a reader gets what was written, or an error. The lower of two
// must not be taken for what the upper says otherwise.
func TestDamageIsNeverLess(t *testing.T) {
	if underRace {
		t.Skip("the race detector gives up over what is damaged")
	}
	t.Parallel()
	dir, random := t.TempDir(), rand.New(rand.NewPCG(8, 9))
	var list []Posting
	for i := range 3000 {
		list = append(list, Posting{random.Uint64(), uint64(i)})
	}
	asked := list[17].Hash
	lower := build(t, dir, 1, nil, adding(t, list...), map[uint64]string{1: "old", 2: "2"})
	c := adding(t, Posting{asked, 5000})
	c.Gone = []uint64{17}
	upper := build(t, dir, 2, lower, c, map[uint64]string{1: "new"})
	if upper.below == nil {
		t.Fatal("it does not lie upon the first")
	}
	want := find(t, upper, 0, asked, asked)
	upper.Close()
	for i := range 300 {
		path := []string{lower.path, upper.path}[i%2]
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, bend(random, whole), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := openBoth(lower.path, upper.path)
		if err == nil {
			askBent(t, f, asked, want)
			// What is made of a bent file is right as well, or not made. Another name each time: what
			// the library had open when it gave up stays locked.
			next := filepath.Join(dir, fmt.Sprint("next-", i))
			c := adding(t, Posting{asked, 7})
			c.Room = int64(i/2%2) << 20
			if b, err := Build(next, 3, f, c); err == nil {
				err := b.Finish(func(*Values) error { return nil })
				if err == nil && !b.Upon() {
					made, err := Open(next, 3, nil)
					if err != nil {
						t.Fatalf("the next file: %v", err)
					}
					askBent(t, made, asked, append([]uint64{7}, want...))
					made.Close()
				}
				b.Close()
			}
			os.Remove(next)
			f.Close()
		}
		if err := os.WriteFile(path, whole, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func openBoth(lower, upper string) (*File, error) {
	below, err := Open(lower, 1, nil)
	if err != nil {
		return nil, err
	}
	f, err := Open(upper, 2, below)
	if err != nil {
		below.Close()
	}
	return f, err
}

// bend cuts a file, clears a page of it, or changes a byte, most often one that is not 0.
func bend(random *rand.Rand, whole []byte) []byte {
	b := slices.Clone(whole)
	at := random.IntN(len(b))
	for n := 0; n < 200 && b[at] == 0; n++ {
		at = random.IntN(len(b))
	}
	switch random.IntN(4) {
	case 0:
		return b[:at]
	case 1:
		clear(b[at:min(len(b), at+pageSize)])
	default:
		b[at] ^= byte(1 + random.IntN(255))
	}
	return b
}

func askBent(t *testing.T, f *File, asked uint64, want []uint64) {
	t.Helper()
	var refs []uint64
	var a, b string
	err := f.View(func(v *View) (err error) {
		refs, err = v.Find(nil, 0, asked, asked)
		none, none1 := v.Find(nil, 1, asked, asked)
		one, err1 := v.Value(1)
		two, err2 := v.Value(2)
		a, b = string(one), string(two)
		return cmp.Or(err, err1, err2, none1, lengthError(len(none)))
	})
	slices.Sort(refs)
	if err == nil && (!slices.Equal(refs, want) || a != "new" || b != "2") {
		t.Fatalf("found %v, %q and %q, want %v", refs, a, b, want)
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
	var adds [Spaces][]Posting
	for i := range 20_000 {
		adds[0] = append(adds[0], Posting{random.Uint64(), uint64(i)})
		adds[1] = append(adds[1], Posting{random.Uint64(), uint64(i)})
	}
	f := build(t, t.TempDir(), 1, nil, &Change{Adds: sorter(t, plenty, adds)}, nil)
	if per := f.size / 40_000; per > 40 {
		t.Errorf("%d bytes a posting", per)
	}
	// What lies upon it costs little, and never becomes large beside it.
	ref := uint64(1 << 20)
	most := int64(0)
	for number := uint64(2); number < 40; number++ {
		var some []Posting
		for range 300 {
			ref++
			some = append(some, Posting{random.Uint64(), ref})
		}
		c := adding(t, some...)
		c.Room = 256 << 10
		if f = build(t, t.TempDir(), number, f, c, nil); f.below != nil {
			most = max(most, f.size)
		}
	}
	if most == 0 || most > 512<<10 {
		t.Errorf("a file upon another has up to %d bytes", most)
	}
}

func BenchmarkFind(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 1))
	var list []Posting
	for i := range 600_000 {
		list = append(list, Posting{random.Uint64(), uint64(i)})
	}
	f := build(b, b.TempDir(), 1, nil, adding(b, list...), nil)
	for b.Loop() {
		hash := list[random.IntN(600_000)].Hash
		if n := len(find(b, f, 0, hash, hash)); n != 1 {
			b.Fatal(n)
		}
	}
}
