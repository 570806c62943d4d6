package home

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/internal/testkit"
)

// The file that remembers what was published may be lost or damaged.
func TestPublishedFile(t *testing.T) {
	t.Parallel()
	damages := map[string]func(file string) error{
		"missing": os.Remove,
		"empty":   func(file string) error { return os.WriteFile(file, nil, 0o600) },
		"cut off": func(file string) error { return os.Truncate(file, 100) },
		"of other bytes": func(file string) error {
			b, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			return os.WriteFile(file, []byte(strings.Replace(string(b), `"head":"`, `"head":"AAAA`, 1)), 0o600)
		},
	}
	for name, damage := range damages {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRemote(t)
			a, b := r.two()
			hurt := func() {
				t.Helper()
				if err := damage(a.publishedFile()); err != nil {
					t.Fatal(err)
				}
				a = reopen(t, a)
			}
			hurt() // nobody wrote anything
			r.sync(a, laptop, 3)
			say(t, a, laptop, 3, "one")
			hurt() // only this home did
			r.sync(a, laptop, 3)
			r.sync(b, desktop, 3)
			say(t, b, desktop, 4, "two")
			r.sync(b, desktop, 4)
			hurt() // only the other did
			r.sync(a, laptop, 5)
			wantSame(t, a, b, "one two")
			say(t, a, laptop, 6, "three")
			say(t, b, desktop, 6, "four")
			r.sync(b, desktop, 6)
			hurt() // both did: nobody can tell whether "three" was published
			var lost *PublishedError
			err := r.trySync(a, laptop, 7)
			if name == "missing" { // as in a home that was never published
				if err != nil {
					t.Fatal(err)
				}
			} else if !errors.As(err, &lost) || lost.File != a.publishedFile() {
				t.Fatalf("%v", err)
			} else if err := os.Remove(lost.File); err != nil {
				t.Fatal(err)
			}
			r.sync(a, laptop, 8)
			r.sync(b, desktop, 9)
			wantSame(t, a, b, "four one three two")
		})
	}
}

// Stopped between a push and the note of it, the next run knows from the remote's history.
func TestStoppedAfterThePush(t *testing.T) {
	t.Parallel()
	r := newRemote(t)
	a := r.first(laptop)
	old := readText(t, a.publishedFile())
	say(t, a, laptop, 3, "one")
	say(t, a, laptop, 4, "two")
	r.sync(a, laptop, 4)
	if err := os.WriteFile(a.publishedFile(), []byte(old), 0o600); err != nil {
		t.Fatal(err)
	}
	// Meanwhile the host takes a published head back, above our own commit.
	dir := filepath.Join(t.TempDir(), "clone")
	testkit.Git(t, a.Dir(), "clone", "-q", "--no-local", a.Dir(), dir)
	testkit.Git(t, dir, "revert", "--no-edit", "HEAD")
	testkit.Git(t, dir, "push", "-q", r.url, "HEAD:main")
	wantKind(t, r.trySync(reopen(t, a), laptop, 5), records.Rollback)
	r.forge(headOf(t, a.Dir()))
	r.sync(reopen(t, a), laptop, 6)
	if readText(t, a.publishedFile()) == old {
		t.Error("still not noted")
	}
}

// A remote that was emptied is filled again; nothing was lost.
func TestRemoteEmptiedAgain(t *testing.T) {
	t.Parallel()
	r := newRemote(t)
	a := r.first(laptop)
	say(t, a, laptop, 3, "one")
	r.sync(a, laptop, 3)
	testkit.Git(t, r.url, "update-ref", "-d", "refs/heads/main")
	if got := r.sync(a, laptop, 4); !got.Pushed || got.Published != 1 {
		t.Errorf("%+v", got)
	}
	wantSame(t, a, r.join(), "one")
}

// An empty remote is no licence to publish what those who know the log would refuse.
func TestRemoteEmptiedAndHomeReverted(t *testing.T) {
	t.Parallel()
	r := newRemote(t)
	a := r.first(laptop)
	say(t, a, laptop, 3, "one")
	r.sync(a, laptop, 3)
	testkit.Git(t, r.url, "update-ref", "-d", "refs/heads/main")
	testkit.Git(t, a.Dir(), "revert", "--no-edit", "HEAD")
	a = reopen(t, a)
	wantKind(t, r.trySync(a, laptop, 4), records.Rollback)
	testkit.Git(t, a.Dir(), "revert", "--no-edit", "HEAD")
	r.sync(reopen(t, a), laptop, 5)
	wantSame(t, reopen(t, a), r.join(), "one")
}
