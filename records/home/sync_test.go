package home

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/internal/testkit"
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
func (r *remoteKit) trySync(h *Home, key testkit.Key, minutes int) error {
	r.Helper()
	before, published := headOf(r, h.Dir()), readText(r, h.publishedFile())
	_, err := h.Sync(r.Context(), syncOptions(key, minutes))
	if err != nil {
		if now := headOf(r, h.Dir()); now != before {
			r.Errorf("a refused sync moved HEAD from %s to %s", before, now)
		}
		if now := readText(r, h.publishedFile()); now != published {
			r.Errorf("a refused sync changed what is remembered as published")
		}
		if out := testkit.Git(r, h.Dir(), "status", "--porcelain"); out != "" {
			r.Errorf("a refused sync left:\n%s", out)
		}
	}
	return err
}

func readText(t testing.TB, file string) string {
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
	a, b := r.two()
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
	a, b := r.two()
	say(t, a, laptop, 3, "one")
	r.sync(a, laptop, 3)
	say(t, b, desktop, 3, "two")
	say(t, b, desktop, 4, "three")
	put(t, b, "dotfiles", "mine\n")
	testkit.Git(t, b.Dir(), "add", "dotfiles")
	testkit.Git(t, b.Dir(), "commit", "-q", "-m", "mine")
	b = reopen(t, b)
	seq := a.Head().Doc().Seq
	got := r.sync(b, desktop, 5)
	if !got.Rebuilt || got.Published != 2 || len(got.Pulled) != 1 || b.Head().Doc().Seq != seq+1 {
		t.Errorf("%+v, head %d after %d", got, b.Head().Doc().Seq, seq)
	}
	if n := testkit.Git(t, b.Dir(), "rev-list", "--count", a.at.Commit+"..HEAD"); n != "1" {
		t.Errorf("%s commits on the other's", n)
	}
	if readText(t, filepath.Join(b.Dir(), "dotfiles")) != "mine\n" {
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
	a, b := r.two()
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
	a, b := r.two()
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
	a, b := r.two()
	put(t, b, "dotfiles", "mine\n")
	testkit.Git(t, b.Dir(), "add", "dotfiles")
	testkit.Git(t, b.Dir(), "commit", "-q", "-m", "mine")
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
	if readText(t, filepath.Join(b.Dir(), "dotfiles")) != "mine\n" {
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
		a, b := r.two()
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
