package index

import (
	"crypto/sha256"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"testing"
)

// TestFork: what is applied to a fork is nowhere else, whether the log was there before or not.
func TestFork(t *testing.T) {
	t.Parallel()
	from, to := testDir(t), testDir(t)
	if err := Fork(from, to); !errors.Is(err, ErrNone) {
		t.Fatalf("a fork of nothing: %v", err)
	}
	alice, bob, carol := newLog(t, "alice"), newLog(t, "bob"), newLog(t, "carol")
	q := fileQuery("tool", "tool")
	apply(t, from, alice.update(alice.entry(trusted("other", "other"))), bob.update(bob.entry(trusted("tool", "tool"))))
	before := content(t, from)
	if err := Fork(from, to, alice.id(), carol.id()); err != nil {
		t.Fatal(err)
	}
	said := func(d Dir) int { return len(candidates(t, d, q)) }
	if said(from) != 1 || said(to) != 1 {
		t.Fatalf("%d and %d statements before", said(from), said(to))
	}
	apply(t, to, alice.update(alice.entry(trusted("tool", "tool"))), carol.update(carol.entry(trusted("tool", "tool"))))
	if said(to) != 3 {
		t.Errorf("%d statements in the fork", said(to))
	}
	if said(from) != 1 || !maps.Equal(content(t, from), before) {
		t.Error("the fork wrote where it came from")
	}
	if err := os.RemoveAll(filepath.Dir(to.Cache)); err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(content(t, from), before) || open(t, from).Each(bob.id(), func(Entry) error { return nil }) != nil {
		t.Error("what a fork leaves behind was not its own")
	}
}

// content is the SHA-256 of every file of an index.
func content(t *testing.T, d Dir) map[string][32]byte {
	t.Helper()
	sums := map[string][32]byte{}
	for _, top := range []string{d.Cache, d.Data} {
		err := filepath.WalkDir(top, func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			b, err := os.ReadFile(path)
			sums[path] = sha256.Sum256(b)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return sums
}
