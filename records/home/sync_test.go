package home

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/schema"
)

func wantKind(t testing.TB, err error, want records.HeadErrorKind) {
	t.Helper()
	var refused *records.HeadError
	if !errors.As(err, &refused) || refused.Kind != want {
		t.Errorf("got %v, want a HeadError of kind %s", err, want)
	}
}

// trySync syncs and, when that is refused, holds the home to what it was.
func (r *remoteKit) trySync(h *Home, key testKey, minutes int) error {
	r.Helper()
	before, published := headOf(r, h.Dir()), readFile(r, h.publishedFile())
	_, err := h.Sync(r.Context(), syncOptions(key, minutes))
	if err != nil {
		if now := headOf(r, h.Dir()); now != before {
			r.Errorf("a refused sync moved HEAD from %s to %s", before, now)
		}
		if now := readFile(r, h.publishedFile()); now != published {
			r.Errorf("a refused sync changed what is remembered as published")
		}
		if out := git(r, h.Dir(), "status", "--porcelain"); out != "" {
			r.Errorf("a refused sync left:\n%s", out)
		}
	}
	return err
}

func readFile(t testing.TB, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return string(b)
}

// wantSame holds two homes to one state.
func wantSame(t testing.TB, a, b *Home, want string) {
	t.Helper()
	wantNames(t, a, want)
	wantNames(t, b, want)
	if a.Head().ID() != b.Head().ID() || a.at.Commit != b.at.Commit {
		t.Errorf("heads %d at %s and %d at %s", a.Head().Doc().Seq, a.at.Commit, b.Head().Doc().Seq, b.at.Commit)
	}
}

func TestSyncWithoutRemote(t *testing.T) {
	t.Parallel()
	h := newHome(t, laptop)
	if result, err := h.Sync(t.Context(), SyncOptions{}); err != nil || result.URL != "" {
		t.Errorf("%+v %v", result, err)
	}
}

func TestFirstPublishAndFastForward(t *testing.T) {
	t.Parallel()
	r := newRemote(t)
	a, b := r.two(laptop, desktop)
	say(t, a, laptop, 3, "one")
	if got := r.sync(a, laptop, 3); got.Published != 1 || got.Rebuilt || len(got.Pulled) != 0 {
		t.Errorf("publishing: %+v", got)
	}
	if got := r.sync(a, laptop, 3); got.Pushed || got.Published != 0 {
		t.Errorf("nothing to publish: %+v", got)
	}
	if got := r.sync(b, desktop, 4); len(got.Pulled) != 1 || got.Pushed || got.Rebuilt {
		t.Errorf("pulling: %+v", got)
	}
	wantSame(t, a, b, "one")
	stock(t, b)
}

// Both wrote: the second puts its records on the first's, sealed once, in one linear commit.
func TestDivergedIsRebuilt(t *testing.T) {
	t.Parallel()
	r := newRemote(t)
	a, b := r.two(laptop, desktop)
	say(t, a, laptop, 3, "one")
	r.sync(a, laptop, 3)
	say(t, b, desktop, 3, "two")
	say(t, b, desktop, 4, "three")
	put(t, b, "dotfiles", "mine\n")
	git(t, b.Dir(), "add", "dotfiles")
	git(t, b.Dir(), "commit", "-q", "-m", "mine")
	b = reopen(t, b)
	seq := a.Head().Doc().Seq
	got := r.sync(b, desktop, 5)
	if !got.Rebuilt || got.Published != 2 || len(got.Pulled) != 1 || b.Head().Doc().Seq != seq+1 {
		t.Errorf("%+v, head %d after %d", got, b.Head().Doc().Seq, seq)
	}
	if n := git(t, b.Dir(), "rev-list", "--count", a.at.Commit+"..HEAD"); n != "1" {
		t.Errorf("%s commits on the other's", n)
	}
	if readFile(t, filepath.Join(b.Dir(), "dotfiles")) != "mine\n" {
		t.Error("the user's own file is gone")
	}
	r.sync(a, laptop, 6)
	wantSame(t, a, b, "one three two")
	stock(t, a)
	stock(t, b)
}

// What was changed in the head, and removed, is done again on top of the other's head.
func TestRebuildCarriesEditsAndRemovals(t *testing.T) {
	t.Parallel()
	r := newRemote(t)
	a, b := r.two(laptop, desktop)
	say(t, a, laptop, 3, "one", "two")
	r.sync(a, laptop, 3)
	r.sync(b, desktop, 3)
	old := say(t, b, desktop, 4, "three")[0]

	say(t, a, laptop, 5, "four")
	if _, err := a.SetProfile(t.Context(), laptop, Profile{Contact: "https://example.org/a"}, optionsAt(5)); err != nil {
		t.Fatal(err)
	}
	r.sync(a, laptop, 5)

	gone, err := b.Records(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range gone {
		if one.Doc().Subjects[0].File == "one" {
			remove(t, b, one.Path())
		}
	}
	found, err := b.Pending(t.Context(), desktop)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Seal(t.Context(), desktop, found, optionsAt(6)); err != nil {
		t.Fatal(err)
	}
	if _, err := b.AddKey(t.Context(), desktop, phone.Key(), "phone", false, optionsAt(7)); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Renew(t.Context(), desktop, "x", func(d *schema.Head) error {
		d.Name, d.Keep = "Renamed", []string{old.ID()}
		return nil
	}, optionsAt(7)); err != nil {
		t.Fatal(err)
	}
	r.sync(b, desktop, 8)
	r.sync(a, laptop, 9)
	wantSame(t, a, b, "four three two")
	doc := a.Head().Doc()
	if doc.Name != "Renamed" || doc.Contact != "https://example.org/a" || len(doc.Keys) != 3 || len(doc.Keep) != 1 {
		t.Errorf("the head says %+v", doc)
	}
	if _, err := r.join().Write(t.Context(), phone, []schema.Record{trustDoc("p")}, optionsAt(10)); err != nil {
		t.Errorf("the key that came by the rebuild: %v", err)
	}
	stock(t, a)
}

// Two first recovery keys cannot both stand: one is the other's to add.
func TestRebuildAsksTheRecoveryKey(t *testing.T) {
	t.Parallel()
	r := newRemote(t)
	a, b := r.two(laptop, desktop)
	r.sync(b, desktop, 3)
	if _, err := a.AddKey(t.Context(), laptop, offline.Key(), "safe", true, optionsAt(3)); err != nil {
		t.Fatal(err)
	}
	r.sync(a, laptop, 3)
	if _, err := b.AddKey(t.Context(), desktop, phone.Key(), "other", true, optionsAt(4)); err != nil {
		t.Fatal(err)
	}
	if err := r.trySync(b, desktop, 5); !errors.Is(err, ErrRecoveryNeeded) {
		t.Errorf("%v", err)
	}
	if err := r.trySync(b, offline, 6); err != nil {
		t.Errorf("signed by the recovery key: %v", err)
	}
	if keys := b.Head().Doc().Keys; len(keys) != 4 || !keys[3].Recovery {
		t.Errorf("keys: %+v", keys)
	}
}

// A machine that cannot sign takes over what others published, its own files included.
func TestSyncWithoutAKey(t *testing.T) {
	t.Parallel()
	r := newRemote(t)
	a, b := r.two(laptop, desktop)
	put(t, b, "dotfiles", "mine\n")
	git(t, b.Dir(), "add", "dotfiles")
	git(t, b.Dir(), "commit", "-q", "-m", "mine")
	b = reopen(t, b)
	say(t, a, laptop, 3, "one")
	r.sync(a, laptop, 3)
	opts := syncOptions(desktop, 4)
	opts.Signer, opts.Publish = nil, nil
	got, err := b.Sync(t.Context(), opts)
	if err != nil || len(got.Pulled) != 1 || got.Pushed || !got.Waiting {
		t.Errorf("%+v %v", got, err)
	}
	wantNames(t, b, "one")
	if readFile(t, filepath.Join(b.Dir(), "dotfiles")) != "mine\n" {
		t.Error("the user's own file is gone")
	}
	say(t, b, desktop, 5, "two")
	say(t, a, laptop, 5, "three")
	r.sync(a, laptop, 5)
	opts = syncOptions(desktop, 6)
	opts.Signer = nil
	if _, err := b.Sync(t.Context(), opts); !errors.Is(err, ErrNotYourKey) {
		t.Errorf("a rebuild without a key: %v", err)
	}
}

func TestPublishSaysNo(t *testing.T) {
	t.Parallel()
	r := newRemote(t)
	a := r.first(laptop)
	say(t, a, laptop, 3, "one", "two")
	opts := syncOptions(laptop, 4)
	asked := 0
	opts.Publish = func(n int, url string) (bool, error) {
		if asked++; n != 2 || url != r.url {
			t.Errorf("asked about %d records at %s", n, url)
		}
		return false, nil
	}
	got, err := a.Sync(t.Context(), opts)
	if err != nil || got.Pushed || !got.Waiting || got.Pending != 2 || asked != 1 {
		t.Errorf("%+v %v, asked %d times", got, err, asked)
	}
	boom := errors.New("no terminal")
	opts.Publish = func(int, string) (bool, error) { return false, boom }
	if _, err := a.Sync(t.Context(), opts); !errors.Is(err, boom) {
		t.Errorf("%v", err)
	}
	if got := r.sync(a, laptop, 5); got.Published != 2 {
		t.Errorf("%+v", got)
	}
}

// Somebody else publishes each time while we sign: tried again, five times, and asked once.
func TestPushRace(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		races int
		want  error
	}{{1, nil}, {4, nil}, {5, ErrPushRefused}} {
		r := newRemote(t)
		a, b := r.two(laptop, desktop)
		say(t, b, desktop, 3, "mine")
		asked, signed, races := 0, 0, c.races
		opts := syncOptions(desktop, 30)
		opts.Publish = func(int, string) (bool, error) { asked++; return true, nil }
		race := func() {
			if races--; races >= 0 {
				say(t, a, laptop, 10+signed, "race"+string(rune('0'+signed)))
				r.sync(a, laptop, 11+signed)
			}
		}
		opts.Signer = func(context.Context) (records.Signer, error) { signed++; race(); return desktop, nil }
		// The first push loses too: the remote moves between fetch and push.
		opts.Publish = func(int, string) (bool, error) { asked++; race(); return true, nil }
		result, err := b.Sync(t.Context(), opts)
		if !errors.Is(err, c.want) || asked != 1 {
			t.Errorf("%d races: %v, asked %d times", c.races, err, asked)
		}
		if c.want == nil && (!result.Pushed || len(result.Pulled) != c.races) {
			t.Errorf("%d races: %+v", c.races, result)
		}
		stock(t, b)
		if got := r.sync(b, desktop, 40); c.want != nil && !got.Pushed {
			t.Errorf("after all the races: %+v", got)
		}
		r.sync(a, laptop, 41)
		if a.Head().ID() != b.Head().ID() {
			t.Error("two heads in the end")
		}
	}
}

// forge moves the remote's branch as a host, or a thief of its account, could.
func (r *remoteKit) forge(commit string) {
	git(r, r.url, "update-ref", "refs/heads/main", commit)
}

func TestRemoteRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		forge func(r *remoteKit, a *Home)
		kind  records.HeadErrorKind
		err   error
	}{
		{"rolled back", func(r *remoteKit, a *Home) { r.forge(git(r, a.Dir(), "rev-parse", "HEAD~1")) }, records.Rollback, nil},
		{"another log", func(r *remoteKit, _ *Home) {
			other := newHome(r, stranger)
			git(r, other.Dir(), "push", "-q", "-f", r.url, "main")
		}, records.WrongLog, nil},
		{"a fork by one of its own keys", func(r *remoteKit, a *Home) {
			dir := filepath.Join(r.TempDir(), "fork")
			git(r, a.Dir(), "clone", "-q", "--no-local", a.Dir(), dir)
			git(r, dir, "reset", "-q", "--hard", "HEAD~1")
			fork := openHome(r, dir)
			say(r, fork, laptop, 20, "forked")
			git(r, dir, "push", "-q", "-f", r.url, "HEAD:main")
		}, records.Fork, nil},
		{"a stranger's head on top", func(r *remoteKit, a *Home) {
			dir := filepath.Join(r.TempDir(), "clone")
			git(r, a.Dir(), "clone", "-q", "--no-local", a.Dir(), dir)
			other := openHome(r, dir)
			doc := records.NextHead(other.Head(), other.Head().Doc().Root, other.Head().Doc().Records, testNow, func(d *schema.Head) {
				d.Keys = append(d.Keys, schema.Key{Key: stranger.Key().String(), Name: "x", State: schema.Active})
			})
			head, err := records.SealHead(r.Context(), doc, stranger)
			if err != nil {
				r.Fatal(err)
			}
			b, sig := head.Bytes()
			put(r, other, "head.yml", string(b))
			put(r, other, "head.yml.sig", string(sig))
			git(r, dir, "commit", "-q", "-am", "x")
			git(r, dir, "push", "-q", r.url, "HEAD:main")
		}, records.NoAuthority, nil},
		{"a head from the future", func(r *remoteKit, a *Home) {
			say(r, a, laptop, 60*24*30, "later")
			git(r, a.Dir(), "push", "-q", r.url, "main")
			git(r, a.Dir(), "reset", "-q", "--hard", "HEAD~1")
		}, records.Future, nil},
		{"no trust repository", func(r *remoteKit, _ *Home) {
			dir := r.TempDir()
			git(r, dir, "init", "-q", "-b", "main")
			git(r, dir, "commit", "-q", "--allow-empty", "-m", "x")
			git(r, dir, "push", "-q", "-f", r.url, "main")
		}, "", ErrUnpublished},
		{"nothing fits its head", func(r *remoteKit, a *Home) {
			dir := filepath.Join(r.TempDir(), "clone")
			git(r, a.Dir(), "clone", "-q", "--no-local", a.Dir(), dir)
			git(r, dir, "checkout", "-q", "--orphan", "other")
			put(r, openRaw(dir), "records/any/x.yml", "x\n")
			git(r, dir, "add", "-A")
			git(r, dir, "commit", "-q", "-m", "x")
			git(r, dir, "push", "-q", "-f", r.url, "HEAD:main")
		}, "", ErrUnpublished},
		{"another branch", func(r *remoteKit, a *Home) {
			git(r, a.Dir(), "push", "-q", r.url, "main:other")
			git(r, r.url, "update-ref", "-d", "refs/heads/main")
		}, "", ErrNoBranch},
		{"nothing at all", func(r *remoteKit, _ *Home) {
			if err := os.RemoveAll(r.url); err != nil {
				r.Fatal(err)
			}
		}, "", ErrUnreachable},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRemote(t)
			a := r.first(laptop)
			say(t, a, laptop, 3, "one")
			say(t, a, laptop, 4, "two")
			r.sync(a, laptop, 4)
			c.forge(r, a)
			a = reopen(t, a)
			for range 2 { // it stays refused
				err := r.trySync(a, laptop, 30)
				if c.err != nil && !errors.Is(err, c.err) {
					t.Errorf("%v", err)
				}
				if c.kind != "" {
					wantKind(t, err, c.kind)
				}
			}
			if c.kind != records.Future {
				wantNames(t, a, "one two")
			}
		})
	}
}

// openRaw is a folder as put wants it.
func openRaw(dir string) *rawHome { return &rawHome{dir} }

type rawHome struct{ dir string }

func (r *rawHome) Dir() string { return r.dir }

// A remote that was emptied is filled again; nothing was lost.
func TestRemoteEmptiedAgain(t *testing.T) {
	t.Parallel()
	r := newRemote(t)
	a := r.first(laptop)
	say(t, a, laptop, 3, "one")
	r.sync(a, laptop, 3)
	git(t, r.url, "update-ref", "-d", "refs/heads/main")
	if got := r.sync(a, laptop, 4); !got.Pushed || got.Published != 1 {
		t.Errorf("%+v", got)
	}
	wantSame(t, a, r.join(), "one")
}

// Records merged at the remote by somebody who cannot seal wait there, above the sealed state, also
// when this home has records of its own to publish, sealed and unsealed.
func TestUnsealedAtTheRemote(t *testing.T) {
	t.Parallel()
	r := newRemote(t)
	a, b := r.two(laptop, desktop)
	say(t, a, laptop, 3, "base")
	r.sync(a, laptop, 3)
	r.sync(b, desktop, 3)

	pull := r.join()
	if _, err := pull.WriteUnsealed(t.Context(), desktop, []schema.Record{trustDoc("pull")}, optionsAt(4)); err != nil {
		t.Fatal(err)
	}
	git(t, pull.Dir(), "push", "-q", r.url, "main")

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
			git(t, b.Dir(), "fetch", "-q", r.url, "main")
			tryGit(t, b.Dir(), "merge", "-q", "-X", "ours", "FETCH_HEAD")
			git(t, b.Dir(), "checkout", "-q", "--ours", ".")
			git(t, b.Dir(), "add", "-A")
			tryGit(t, b.Dir(), "commit", "-q", "-m", "merged")
			return "base one two"
		},
		"merged and sealed": func(t *testing.T, r *remoteKit, b *Home) string {
			say(t, b, desktop, 4, "two")
			git(t, b.Dir(), "fetch", "-q", r.url, "main")
			git(t, b.Dir(), "merge", "-q", "-X", "ours", "FETCH_HEAD")
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
			git(t, b.Dir(), "revert", "--no-edit", "HEAD")
			return "base"
		},
		"reverted, and written since": func(t *testing.T, r *remoteKit, b *Home) string {
			r.sync(b, desktop, 4)
			git(t, b.Dir(), "revert", "--no-edit", "HEAD")
			say(t, reopen(t, b), desktop, 5, "two")
			return "base two"
		},
		"reset": func(t *testing.T, r *remoteKit, b *Home) string {
			r.sync(b, desktop, 4)
			git(t, b.Dir(), "reset", "-q", "--hard", "HEAD~1")
			return "base one"
		},
		"amended": func(t *testing.T, r *remoteKit, b *Home) string {
			r.sync(b, desktop, 4)
			git(t, b.Dir(), "commit", "-q", "--amend", "-m", "mine")
			return "base one"
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRemote(t)
			a, b := r.two(laptop, desktop)
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
			a, b := r.two(laptop, desktop)
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
	old := readFile(t, a.publishedFile())
	say(t, a, laptop, 3, "one")
	say(t, a, laptop, 4, "two")
	r.sync(a, laptop, 4)
	if err := os.WriteFile(a.publishedFile(), []byte(old), 0o600); err != nil {
		t.Fatal(err)
	}
	// Meanwhile the host takes a published head back, above our own commit.
	dir := filepath.Join(t.TempDir(), "clone")
	git(t, a.Dir(), "clone", "-q", "--no-local", a.Dir(), dir)
	git(t, dir, "revert", "--no-edit", "HEAD")
	git(t, dir, "push", "-q", r.url, "HEAD:main")
	wantKind(t, r.trySync(reopen(t, a), laptop, 5), records.Rollback)
	r.forge(headOf(t, a.Dir()))
	r.sync(reopen(t, a), laptop, 6)
	if readFile(t, a.publishedFile()) == old {
		t.Error("still not noted")
	}
}

// A sync never overwrites what the user has not committed, or committed otherwise.
func TestSyncKeepsTheUsersFiles(t *testing.T) {
	t.Parallel()
	r := newRemote(t)
	a, b := r.two(laptop, desktop)
	for _, h := range []*Home{a, b} {
		put(t, h, "mine", "of "+filepath.Base(filepath.Dir(h.Dir()))+"\n")
	}
	git(t, a.Dir(), "add", "mine")
	git(t, a.Dir(), "commit", "-q", "-m", "mine")
	a = reopen(t, a)
	r.sync(a, laptop, 3)
	var dirty *DirtyError
	if _, err := b.Sync(t.Context(), syncOptions(desktop, 4)); !errors.As(err, &dirty) {
		t.Errorf("over an uncommitted file: %v", err)
	}
	git(t, b.Dir(), "add", "mine")
	git(t, b.Dir(), "commit", "-q", "-m", "mine")
	b = reopen(t, b)
	var conflict *ConflictError
	if err := r.trySync(b, desktop, 5); !errors.As(err, &conflict) {
		t.Errorf("over another commit: %v", err)
	}
}

func TestSyncWhileGitIsBusy(t *testing.T) {
	t.Parallel()
	r := newRemote(t)
	a, b := r.two(laptop, desktop)
	say(t, a, laptop, 3, "one")
	r.sync(a, laptop, 3)
	put(t, b, ".git/MERGE_HEAD", headOf(t, b.Dir())+"\n")
	if _, err := b.Sync(t.Context(), syncOptions(desktop, 4)); !errors.Is(err, ErrBusy) {
		t.Errorf("in a merge: %v", err)
	}
	remove(t, b, ".git/MERGE_HEAD")
	git(t, b.Dir(), "checkout", "-q", "--detach")
	b = reopen(t, b)
	if _, err := b.Sync(t.Context(), syncOptions(desktop, 4)); !errors.Is(err, ErrDetached) {
		t.Errorf("detached: %v", err)
	}
	git(t, b.Dir(), "checkout", "-q", "main")
	b = reopen(t, b)
	r.sync(b, desktop, 5)
	wantSame(t, a, b, "one")
}

func TestJoinRefuses(t *testing.T) {
	t.Parallel()
	r := newRemote(t)
	join := func(now time.Time) (string, error) {
		dir := filepath.Join(t.TempDir(), "home")
		h, err := Join(t.Context(), dir, r.url, remoteAccess(), now)
		if err == nil {
			h.Close()
			return dir, nil
		}
		if _, left := os.Stat(dir); !errors.Is(left, fs.ErrNotExist) {
			t.Errorf("%v left %s", err, dir)
		}
		return dir, err
	}
	if _, err := join(testNow); !errors.Is(err, ErrEmptyRemote) {
		t.Errorf("nothing there: %v", err)
	}
	work := t.TempDir()
	git(t, work, "init", "-q", "-b", "main")
	git(t, work, "commit", "-q", "--allow-empty", "-m", "x")
	git(t, work, "push", "-q", r.url, "main")
	if _, err := join(testNow); !errors.Is(err, ErrUnpublished) {
		t.Errorf("no trust repository: %v", err)
	}
	h := newHome(t, laptop)
	git(t, h.Dir(), "push", "-q", "-f", r.url, "main")
	if _, err := join(testNow.Add(-48 * time.Hour)); err == nil {
		t.Error("a head from the future was taken")
	} else {
		wantKind(t, err, records.Future)
	}
	remove(t, h, "keys/1.yml")
	git(t, h.Dir(), "commit", "-q", "-am", "x")
	git(t, h.Dir(), "push", "-q", r.url, "main")
	if _, err := join(testNow); err == nil {
		t.Error("a log without its first head was taken")
	} else {
		wantKind(t, err, records.NotKept)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "mine"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Join(t.Context(), dir, r.url, remoteAccess(), testNow); !errors.Is(err, ErrNotEmpty) {
		t.Errorf("in a folder with files: %v", err)
	}
}
