package index

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/distributed-trust/distrust/records/index/internal/postings"
)

// rebuildUntil rebuilds and crashes before the n-th change of a file.
func rebuildUntil(d Dir, n int, config Config) (changes []string, err error) {
	w, err := newWriter(d)
	if err != nil {
		return nil, err
	}
	defer w.Close()
	w.step, w.adds = until(n, &changes), postings.NewSorter(20, w.createRuns)
	_, err = w.rebuild(context.Background(), config)
	return changes, err
}

// TestRebuildCrashesBetweenAnyTwoChanges: a rebuild that stops anywhere leaves readers a right
// answer or none, and the next one mends everything: where the cache is lost, where it is damaged,
// and where a store is, of which the rest is written anew.
func TestRebuildCrashesBetweenAnyTwoChanges(t *testing.T) {
	t.Parallel()
	config := Config{Stamp: "stamp", Own: []string{"blob"}}
	world, _, updates := damagedWorld(t)
	harms := map[string]func(t *testing.T, d Dir){
		"no cache": func(t *testing.T, d Dir) {
			if err := os.RemoveAll(d.Cache); err != nil {
				t.Fatal(err)
			}
		},
		"damaged current":    func(t *testing.T, d Dir) { write(t, d.currentPath(), []byte("index-1 1")) },
		"damaged generation": func(t *testing.T, d Dir) { write(t, filepath.Join(d.Cache, "index-2"), make([]byte, 100)) },
		"damaged store": func(t *testing.T, d Dir) {
			path := d.storePath(updates[0].Log, 0)
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			b[len(b)/2] ^= 1
			write(t, path, b)
			write(t, d.currentPath(), nil)
		},
	}
	for name, harm := range harms {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before := copyDir(t, world)
			harm(t, before)
			after := copyDir(t, before)
			if _, err := Rebuild(context.Background(), after, config); err != nil {
				t.Fatal(err)
			}
			want, err := observe(after)
			if err != nil {
				t.Fatal(err)
			}
			for n := 0; ; n++ {
				d := copyDir(t, before)
				changes, err := rebuildUntil(d, n, config)
				if err == nil {
					if n < 5 {
						t.Errorf("only %d changes: %q", n, changes)
					}
					return
				}
				what := fmt.Sprintf("crash before change %d of %q", n, changes)
				if !errors.Is(err, errCrash) {
					t.Fatalf("%s: %v", what, err)
				}
				rightOrDamaged(t, d, want, what)
				if _, err := Rebuild(context.Background(), d, config); err != nil {
					t.Fatalf("%s: %v", what, err)
				}
				if have, err := observe(d); err != nil || have != want {
					t.Fatalf("%s: rebuilt: %v\n%s\nwant\n%s", what, err, have, want)
				}
				checkFolders(t, d)
			}
		})
	}
}
