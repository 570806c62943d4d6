package index

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/distributed-trust/distrust/records/index/internal/postings"
	"github.com/distributed-trust/distrust/records/trust"
)

// rebuildSorting rebuilds with little room for sorting.
func rebuildSorting(d Dir, room int, create func() (*os.File, error)) error {
	w, err := newWriter(d)
	if err != nil {
		return err
	}
	defer w.Close()
	if create == nil {
		create = w.createRuns
	}
	w.adds = postings.NewSorter(room, create)
	_, err = w.rebuild(context.Background(), Config{})
	return err
}

// TestRebuildIsTheSame: what a rebuild makes of the stores, in memory or by way of runs in a file, says
// the same to every question as what grew step by step, on the lists of logs, edges and records as on look-ups.
func TestRebuildIsTheSame(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		d, w := newWorld(t, seed)
		var queries []trust.Query
		for range 30 {
			queries = append(queries, d.query())
		}
		say := func(dir Dir) string {
			g := open(t, dir)
			text := contents(t, dir)
			for _, q := range queries {
				statements, lookup, err := g.Candidates(q, trust.DefaultPolicy())
				if err != nil {
					t.Fatal(err)
				}
				text += fmt.Sprintf("%+v %+v\n", statements, lookup)
			}
			return text
		}
		want := say(w.dir)
		for _, room := range []int{1, 50, sorted} {
			dir := copyDir(t, w.dir)
			if err := os.RemoveAll(dir.Cache); err != nil {
				t.Fatal(err)
			}
			if err := rebuildSorting(dir, room, nil); err != nil {
				t.Fatal(err)
			}
			if have := say(dir); have != want {
				t.Fatalf("seed %d, room for %d:\n%s\nwant\n%s", seed, room, have, want)
			}
			checkFolders(t, dir)
		}
	}
}

// TestRebuildWithoutRoom: where runs cannot be written a rebuild fails, says why, and leaves nothing in
// force that was not; the next one is well.
func TestRebuildWithoutRoom(t *testing.T) {
	t.Parallel()
	d, want, _ := damagedWorld(t)
	full := errors.New("no space left on device")
	if err := rebuildSorting(d, 3, func() (*os.File, error) { return nil, full }); !errors.Is(err, full) {
		t.Fatalf("%v", err)
	}
	if have, err := observe(d); err != nil || have != want {
		t.Errorf("after a rebuild that failed: %v\n%s\nwant\n%s", err, have, want)
	}
	if _, err := Rebuild(context.Background(), d, Config{Stamp: "stamp", Own: []string{"blob"}}); err != nil {
		t.Fatal(err)
	}
	if have, err := observe(d); err != nil || have != want {
		t.Errorf("after the next rebuild: %v\n%s\nwant\n%s", err, have, want)
	}
}
