package home

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/internal/testkit"
	"github.com/distributed-trust/distrust/schema"
)

var (
	laptop   = testkit.NewKey("laptop")
	desktop  = testkit.NewKey("desktop")
	phone    = testkit.NewKey("phone")
	offline  = testkit.NewKey("offline")
	stranger = testkit.NewKey("stranger")
)

func TestCreate(t *testing.T) {
	t.Parallel()
	h := newHome(t, laptop)
	doc := h.Head().Doc()
	if doc.Seq != 1 || doc.Log != h.LogID() || doc.Name != "Me" || doc.Keys[0].Name != "ssh-ed25519" {
		t.Errorf("first head: %+v", doc)
	}
	stock(t, h)

	// Files of somebody's are not made a home of.
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "mine"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Create(t.Context(), dir, laptop, Profile{}, zeros(1), testOptions()); !errors.Is(err, ErrNotEmpty) {
		t.Errorf("in a folder with files: %v", err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("what was there: %v %v", entries, err)
	}
}

// What fails leaves nothing that would pass for a broken home.
func TestCreateLeavesNothing(t *testing.T) {
	t.Parallel()
	for name, profile := range map[string]Profile{"a name that no head can hold": {Name: "a\nb"}, "a contact of another kind": {Contact: "ftp://x"}} {
		missing, empty := filepath.Join(t.TempDir(), "missing"), t.TempDir()
		for _, dir := range []string{missing, empty} {
			if _, err := Create(t.Context(), dir, laptop, profile, zeros(1), testOptions()); err == nil {
				t.Fatalf("%s was taken", name)
			}
		}
		if _, err := os.Stat(missing); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: the folder was left", name)
		}
		if entries, err := os.ReadDir(empty); err != nil || len(entries) > 0 {
			t.Errorf("%s: left %v %v", name, entries, err)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	missing := filepath.Join(t.TempDir(), "missing")
	if _, err := Open(t.Context(), missing); !errors.Is(err, ErrNoHome) {
		t.Errorf("a missing folder: %v", err)
	}
	if _, err := Open(t.Context(), t.TempDir()); !errors.Is(err, ErrNoHome) {
		t.Errorf("a folder without git: %v", err)
	}
	dir := t.TempDir()
	testkit.Git(t, dir, "init", "-q")
	if _, err := Open(t.Context(), dir); !errors.Is(err, ErrNotHome) {
		t.Errorf("a repository without commits: %v", err)
	}
	testkit.Git(t, dir, "commit", "-q", "--allow-empty", "-m", "x")
	if _, err := Open(t.Context(), dir); !errors.Is(err, ErrNotHome) {
		t.Errorf("a repository without a log: %v", err)
	}
	h := newHome(t, laptop)
	remove(t, h, "head.yml.sig")
	testkit.Git(t, h.Dir(), "commit", "-q", "-am", "x", "--amend")
	if _, err := Open(t.Context(), h.Dir()); !errors.Is(err, ErrUnsealed) {
		t.Errorf("a head without its signature: %v", err)
	}
}

func TestWrite(t *testing.T) {
	t.Parallel()
	h := newHome(t, laptop)
	written := say(t, h, laptop, 1, "one", "two")
	if len(written) != 2 || written[0].Doc().Subjects[0].File != "one" {
		t.Fatalf("written: %v", written)
	}
	say(t, h, laptop, 2, "three")
	wantNames(t, h, "one three two")
	h = reopen(t, h)
	wantNames(t, h, "one three two")
	if doc := h.Head().Doc(); doc.Seq != 3 || doc.Records != 3 {
		t.Errorf("head %d over %d records", doc.Seq, doc.Records)
	}
	stock(t, h)

	if _, err := h.Write(t.Context(), stranger, []schema.Record{trustDoc("x")}, optionsAt(3)); !errors.Is(err, ErrNotYourKey) {
		t.Errorf("a key that the log does not know: %v", err)
	}
	if _, err := h.Write(t.Context(), laptop, nil, optionsAt(3)); err == nil {
		t.Error("nothing was written as something")
	}
	if _, err := h.Write(t.Context(), laptop, []schema.Record{{Kind: schema.KindTrust}}, optionsAt(3)); err == nil {
		t.Error("a record about nothing was written")
	}
	if headOf(t, h.Dir()) != h.at.Commit {
		t.Error("a refusal moved HEAD")
	}
}

// The newest word about a thing is never a matter of chance (D1), also within a second, within one
// call, over an opening, and when the clock goes back.
func TestWriteOrdersRecordsOfOneThing(t *testing.T) {
	t.Parallel()
	h := newHome(t, laptop)
	last := time.Time{}
	step := func(h *Home, now time.Time, docs ...schema.Record) {
		t.Helper()
		opts := testOptions()
		opts.Now = now
		written, err := h.Write(t.Context(), laptop, docs, opts)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range written.Records {
			if issued := r.Doc().Issued; !issued.After(last) {
				t.Errorf("issued %s, the one before %s", issued, last)
			}
			last = r.Doc().Issued
		}
		if issued := written.Head.Doc().Issued; issued.Before(last) {
			t.Errorf("the head was issued %s, its newest record %s: followers would wait", issued, last)
		}
	}
	now := testNow.Add(time.Minute + 300*time.Millisecond)
	step(h, now, trustDoc("a"), reportDoc("a"))
	step(h, now, trustDoc("a"))
	h = reopen(t, h)
	step(h, now, reportDoc("a"))
	step(h, now.Add(time.Second), trustDoc("a"))
	h = reopen(t, h)
	step(h, now.Add(-30*time.Second), reportDoc("a"))
	h = reopen(t, h)
	step(h, now.Add(-20*time.Second), trustDoc("a"))

	// Far ahead is a clock that was set back, and no reason for a head from the future.
	opts := testOptions()
	opts.Now = now.Add(-2 * time.Minute)
	written, err := h.Write(t.Context(), laptop, []schema.Record{reportDoc("a")}, opts)
	if err != nil {
		t.Fatal(err)
	}
	if issued := written.Head.Doc().Issued; !issued.Equal(opts.Now.Truncate(time.Second)) {
		t.Errorf("the head was issued %s, two minutes after %s", issued, opts.Now)
	}

	say(t, h, laptop, 4, "c")
	if n := len(h.sealed.late); n != 1 {
		t.Errorf("%d records are looked at for every new one", n)
	}
	// Another thing has its own time.
	other := say(t, h, laptop, 5, "b")
	if issued := other[0].Doc().Issued; !issued.Equal(testNow.Add(5 * time.Minute)) {
		t.Errorf("another thing was issued %s", issued)
	}
}

// What the user staged, edited and keeps beside the records stays as it is (A2).
func TestWriteLeavesTheUsersWork(t *testing.T) {
	t.Parallel()
	h := newHome(t, laptop)
	put(t, h, "dotfiles/rc", "1\n")
	testkit.Git(t, h.Dir(), "add", "-A")
	testkit.Git(t, h.Dir(), "commit", "-q", "-m", "mine")
	put(t, h, "dotfiles/rc", "staged\n")
	testkit.Git(t, h.Dir(), "add", "-A")
	put(t, h, "dotfiles/rc", "edited\n")
	put(t, h, "new", "untracked\n")
	before := testkit.Git(t, h.Dir(), "status", "--porcelain")
	h = reopen(t, h)
	say(t, h, laptop, 1, "one")
	if after := testkit.Git(t, h.Dir(), "status", "--porcelain"); after != before {
		t.Errorf("status before:\n%s\nafter:\n%s", before, after)
	}
	if staged := testkit.Git(t, h.Dir(), "show", ":dotfiles/rc"); staged != "staged" {
		t.Errorf("staged: %q", staged)
	}
	if committed := testkit.Git(t, h.Dir(), "show", "HEAD:dotfiles/rc"); committed != "1" {
		t.Errorf("committed: %q", committed)
	}
}

// A change made meanwhile, by hand or by another process, is never built over.
func TestWriteWhenTheBranchMoved(t *testing.T) {
	t.Parallel()
	h := newHome(t, laptop)
	other := reopen(t, h)
	say(t, other, laptop, 1, "one")
	if _, err := h.Write(t.Context(), laptop, []schema.Record{trustDoc("two")}, optionsAt(2)); !errors.Is(err, ErrMoved) {
		t.Errorf("over a moved branch: %v", err)
	}
	h = reopen(t, h)
	say(t, h, laptop, 2, "two")
	wantNames(t, h, "one two")
	stock(t, h)
}

func TestRefusedStatesOfGit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		make func(t *testing.T, h *Home)
		want error
	}{
		{"locked", func(t *testing.T, h *Home) { put(t, h, ".git/index.lock", "") }, ErrLocked},
		{"detached", func(t *testing.T, h *Home) { testkit.Git(t, h.Dir(), "checkout", "-q", "--detach") }, ErrDetached},
		{"a merge", func(t *testing.T, h *Home) { put(t, h, ".git/MERGE_HEAD", headOf(t, h.Dir())+"\n") }, ErrBusy},
		{"a rebase", func(t *testing.T, h *Home) { put(t, h, ".git/rebase-merge/done", "") }, ErrBusy},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := newHome(t, laptop)
			say(t, h, laptop, 1, "one")
			at := headOf(t, h.Dir())
			c.make(t, h)
			h = reopen(t, h)
			wantNames(t, h, "one") // reading goes on
			defer func() {
				if now := headOf(t, h.Dir()); now != at {
					t.Errorf("HEAD moved from %s to %s", at, now)
				}
			}()
			if _, err := h.Write(t.Context(), laptop, []schema.Record{trustDoc("x")}, optionsAt(2)); !errors.Is(err, c.want) {
				t.Errorf("Write: %v", err)
			}
			if errors.Is(c.want, ErrLocked) {
				return // waiting for a lock takes its time
			}
			if _, err := h.WriteUnsealed(t.Context(), laptop, []schema.Record{trustDoc("x")}, optionsAt(2)); !errors.Is(err, c.want) {
				t.Errorf("WriteUnsealed: %v", err)
			}
			if _, err := h.Renew(t.Context(), laptop, "x", nil, optionsAt(2)); !errors.Is(err, c.want) {
				t.Errorf("Renew: %v", err)
			}
		})
	}
}

// An index that holds the state at opening is told what changed, and nothing else.
func TestUpdateGivesTheDifference(t *testing.T) {
	t.Parallel()
	h := newHome(t, laptop)
	old := say(t, h, laptop, 1, "a", "b", "c")
	h = reopen(t, h)
	known := h.Head().ID()
	check := func(add, remove int, replace bool) {
		t.Helper()
		u, err := h.Update(t.Context(), known)
		if err != nil || len(u.Add) != add || len(u.Remove) != remove || u.Replace != replace || u.Head.ID() != h.Head().ID() {
			t.Errorf("+%d -%d replace %v, want +%d -%d %v: %v", len(u.Add), len(u.Remove), u.Replace, add, remove, replace, err)
		}
	}
	check(0, 0, false)
	say(t, h, laptop, 2, "d")
	check(1, 0, false)
	remove(t, h, old[1].Path())
	remove(t, h, records.SignaturePath(old[1].Path()))
	found, err := h.Pending(t.Context(), laptop)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Seal(t.Context(), laptop, found, optionsAt(3)); err != nil {
		t.Fatal(err)
	}
	check(1, 1, false)
	u, err := h.Update(t.Context(), known)
	if err != nil || u.Remove[0] != old[1].ID() {
		t.Errorf("removed %v %v", u.Remove, err)
	}
	if u, err := h.Update(t.Context(), strings.Repeat("0", 64)); err != nil || !u.Replace || len(u.Add) != 3 {
		t.Errorf("another head: %+v %v", u, err)
	}
	if _, err := h.AddKey(t.Context(), laptop, desktop.Key(), "d", false, optionsAt(4)); err != nil {
		t.Fatal(err)
	}
	check(3, 0, true) // other records may open now
}
