package postings

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
)

// TestSorter: whatever the room, and however many add at once, what was added comes out in order.
func TestSorter(t *testing.T) {
	t.Parallel()
	const adders, each = 4, 3000
	for _, room := range []int{1, 7, 1000, adders * each, plenty} {
		s := sorter(t, room, [Spaces][]Posting{})
		var all sync.WaitGroup
		for n := range uint64(adders) {
			all.Go(func() {
				random := rand.New(rand.NewPCG(n, 1))
				for i := range uint64(each) {
					if err := s.Add(int(i%2), n*each+i, random.Uint64()); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		want := [Spaces][]Posting{}
		for n := range uint64(adders) {
			random := rand.New(rand.NewPCG(n, 1))
			for i := range uint64(each) {
				want[i%2] = append(want[i%2], Posting{random.Uint64(), n*each + i})
			}
		}
		for space := range Spaces {
			var have []Posting
			if err := merge(s.sources(space), func(p Posting) error { have = append(have, p); return nil }); err != nil {
				t.Fatal(err)
			}
			slices.SortFunc(want[space], Posting.Compare)
			if !slices.Equal(have, want[space]) || s.Count(space) != len(have) {
				t.Errorf("room for %d, space %d: not what was added: %d of %d", room, space, len(have), len(want[space]))
			}
			if (s.file != nil) != (room < adders*each/2) {
				t.Errorf("room for %d: a file: %v", room, s.file != nil)
			}
		}
	}
}

// TestDamagedRuns: of runs that are not what was written no file is made.
func TestDamagedRuns(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(4, 4))
	for i := range 60 {
		var adds [Spaces][]Posting
		for n := range 500 {
			adds[n%2] = append(adds[n%2], Posting{random.Uint64(), uint64(n)})
		}
		s := sorter(t, 100, adds)
		at := int64(random.IntN(int(s.end)))
		if i == 0 {
			at = s.runs[1][0].off + 3 // nothing whole is left to read
		}
		if i%3 == 0 {
			if err := s.file.Truncate(at); err != nil {
				t.Fatal(err)
			}
		} else {
			b := make([]byte, 1)
			if _, err := s.file.ReadAt(b, at); err != nil {
				t.Fatal(err)
			}
			b[0] ^= byte(1 + random.IntN(255))
			if _, err := s.file.WriteAt(b, at); err != nil {
				t.Fatal(err)
			}
		}
		b, err := Build(filepath.Join(t.TempDir(), "file"), 1, nil, &Change{Adds: s})
		if !errors.Is(err, errRun) {
			t.Fatalf("byte %d of %d: %v", at, s.end, err)
		}
		if errors.Is(err, ErrDamaged) {
			t.Error("an older file is blamed")
		}
		if b != nil {
			b.Close()
		}
	}
}

// TestSorterWithoutRoom: where the file cannot be made or written, adding says so.
func TestSorterWithoutRoom(t *testing.T) {
	t.Parallel()
	full := errors.New("no space left")
	s := NewSorter(3, func() (*os.File, error) { return nil, full })
	var err error
	for i := range uint64(9) {
		err = errors.Join(err, s.Add(0, i, i))
	}
	if !errors.Is(err, full) {
		t.Errorf("%v", err)
	}
	path := filepath.Join(t.TempDir(), "runs")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s = NewSorter(3, func() (*os.File, error) { return os.Open(path) })
	err = s.Add(0, 1, 1, 2, 3, 4)
	if !errors.Is(err, os.ErrPermission) && err == nil {
		t.Errorf("a file that cannot be written: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
