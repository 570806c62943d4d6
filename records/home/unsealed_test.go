package home

import (
	"testing"

	"github.com/distributed-trust/distrust/records/internal/testkit"
	"github.com/distributed-trust/distrust/schema"
)

// Records merged at the remote by somebody who cannot seal wait there, above the sealed state, also
// when this home has records of its own to publish, sealed and unsealed.
func TestUnsealedAtTheRemote(t *testing.T) {
	t.Parallel()
	r := newRemote(t)
	a, b := r.two()
	say(t, a, laptop, 3, "base")
	r.sync(a, laptop, 3)
	r.sync(b, desktop, 3)

	pull := r.join()
	if _, err := pull.WriteUnsealed(t.Context(), desktop, []schema.Record{trustDoc("pull")}, optionsAt(4)); err != nil {
		t.Fatal(err)
	}
	testkit.Git(t, pull.Dir(), "push", "-q", r.url, "main")

	if got := r.sync(b, desktop, 5); got.Pushed || b.Unsealed() != 1 {
		t.Errorf("fast forward: %+v, %d unsealed", got, b.Unsealed())
	}
	wantNames(t, b, "base")

	say(t, a, laptop, 6, "one")
	if _, err := a.WriteUnsealed(t.Context(), laptop, []schema.Record{trustDoc("own")}, optionsAt(7)); err != nil {
		t.Fatal(err)
	}
	if got := r.sync(a, laptop, 8); !got.Rebuilt || !got.Pushed || got.Published != 2 {
		t.Errorf("rebuilt: %+v", got)
	}
	wantNames(t, a, "base one")
	if a.Unsealed() != 1 {
		t.Errorf("%d unsealed", a.Unsealed())
	}
	r.sync(b, desktop, 9)
	wantSame(t, a, b, "base one")
	found, err := b.Pending(t.Context(), desktop)
	if err != nil || len(found.Added) != 2 {
		t.Fatalf("%+v %v", found, err)
	}
	if _, err := b.Seal(t.Context(), desktop, found, optionsAt(10)); err != nil {
		t.Fatal(err)
	}
	r.sync(b, desktop, 10)
	r.sync(a, laptop, 11)
	wantSame(t, a, b, "base one own pull")
	stock(t, a)
}

// What the user did with git alone, a merge or a revert, is never published as a fork.
func TestGitByHandIsNoFork(t *testing.T) {
	t.Parallel()
	for name, do := range map[string]func(t *testing.T, r *remoteKit, b *Home) string{
		"merged": func(t *testing.T, r *remoteKit, b *Home) string {
			say(t, b, desktop, 4, "two")
			testkit.Git(t, b.Dir(), "fetch", "-q", r.url, "main")
			testkit.Run(t, b.Dir(), nil, "git", "merge", "-q", "-X", "ours", "FETCH_HEAD")
			testkit.Git(t, b.Dir(), "checkout", "-q", "--ours", ".")
			testkit.Git(t, b.Dir(), "add", "-A")
			testkit.Run(t, b.Dir(), nil, "git", "commit", "-q", "-m", "merged")
			return "base one two"
		},
		"merged and sealed": func(t *testing.T, r *remoteKit, b *Home) string {
			say(t, b, desktop, 4, "two")
			testkit.Git(t, b.Dir(), "fetch", "-q", r.url, "main")
			testkit.Git(t, b.Dir(), "merge", "-q", "-X", "ours", "FETCH_HEAD")
			b = reopen(t, b)
			found, err := b.Pending(t.Context(), desktop)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := b.Seal(t.Context(), desktop, found, optionsAt(5)); err != nil {
				t.Fatal(err)
			}
			return "base one two"
		},
		"reverted": func(t *testing.T, r *remoteKit, b *Home) string {
			r.sync(b, desktop, 4)
			testkit.Git(t, b.Dir(), "revert", "--no-edit", "HEAD")
			return "base"
		},
		"reverted, and written since": func(t *testing.T, r *remoteKit, b *Home) string {
			r.sync(b, desktop, 4)
			testkit.Git(t, b.Dir(), "revert", "--no-edit", "HEAD")
			say(t, reopen(t, b), desktop, 5, "two")
			return "base two"
		},
		"reset": func(t *testing.T, r *remoteKit, b *Home) string {
			r.sync(b, desktop, 4)
			testkit.Git(t, b.Dir(), "reset", "-q", "--hard", "HEAD~1")
			return "base one"
		},
		"amended": func(t *testing.T, r *remoteKit, b *Home) string {
			r.sync(b, desktop, 4)
			testkit.Git(t, b.Dir(), "commit", "-q", "--amend", "-m", "mine")
			return "base one"
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRemote(t)
			a, b := r.two()
			say(t, a, laptop, 2, "base")
			r.sync(a, laptop, 2)
			r.sync(b, desktop, 2)
			say(t, a, laptop, 3, "one")
			r.sync(a, laptop, 3)
			f := newFollower(t, r)
			f.look(4)
			want := do(t, r, b)
			b = reopen(t, b)
			r.sync(b, desktop, 6)
			f.look(7)
			r.sync(a, laptop, 8)
			wantSame(t, a, b, want)
			f.look(9)
		})
	}
}
