package home

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/internal/testkit"
	"github.com/distributed-trust/distrust/schema"
)

// forge moves the remote's branch as a host, or a thief of its account, could.
func (r *remoteKit) forge(commit string) {
	testkit.Git(r, r.url, "update-ref", "refs/heads/main", commit)
}

func TestRemoteRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		forge func(r *remoteKit, a *Home)
		kind  records.HeadErrorKind
		err   error
	}{
		{"rolled back", func(r *remoteKit, a *Home) { r.forge(testkit.Git(r, a.Dir(), "rev-parse", "HEAD~1")) }, records.Rollback, nil},
		{"another log", func(r *remoteKit, _ *Home) {
			other := newHome(r, stranger)
			testkit.Git(r, other.Dir(), "push", "-q", "-f", r.url, "main")
		}, records.WrongLog, nil},
		{"a fork by one of its own keys", func(r *remoteKit, a *Home) {
			dir := filepath.Join(r.TempDir(), "fork")
			testkit.Git(r, a.Dir(), "clone", "-q", "--no-local", a.Dir(), dir)
			testkit.Git(r, dir, "reset", "-q", "--hard", "HEAD~1")
			fork := openHome(r, dir)
			say(r, fork, laptop, 20, "forked")
			testkit.Git(r, dir, "push", "-q", "-f", r.url, "HEAD:main")
		}, records.Fork, nil},
		{"a stranger's head on top", func(r *remoteKit, a *Home) {
			dir := filepath.Join(r.TempDir(), "clone")
			testkit.Git(r, a.Dir(), "clone", "-q", "--no-local", a.Dir(), dir)
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
			testkit.Git(r, dir, "commit", "-q", "-am", "x")
			testkit.Git(r, dir, "push", "-q", r.url, "HEAD:main")
		}, records.NoAuthority, nil},
		{"a head from the future", func(r *remoteKit, a *Home) {
			say(r, a, laptop, 60*24*30, "later")
			testkit.Git(r, a.Dir(), "push", "-q", r.url, "main")
			testkit.Git(r, a.Dir(), "reset", "-q", "--hard", "HEAD~1")
		}, records.Future, nil},
		{"no trust repository", func(r *remoteKit, _ *Home) {
			dir := r.TempDir()
			testkit.Git(r, dir, "init", "-q", "-b", "main")
			testkit.Git(r, dir, "commit", "-q", "--allow-empty", "-m", "x")
			testkit.Git(r, dir, "push", "-q", "-f", r.url, "main")
		}, "", ErrUnpublished},
		{"nothing fits its head", func(r *remoteKit, a *Home) {
			dir := filepath.Join(r.TempDir(), "clone")
			testkit.Git(r, a.Dir(), "clone", "-q", "--no-local", a.Dir(), dir)
			testkit.Git(r, dir, "checkout", "-q", "--orphan", "other")
			put(r, openRaw(dir), "records/any/x.yml", "x\n")
			testkit.Git(r, dir, "add", "-A")
			testkit.Git(r, dir, "commit", "-q", "-m", "x")
			testkit.Git(r, dir, "push", "-q", "-f", r.url, "HEAD:main")
		}, "", ErrUnpublished},
		{"another branch", func(r *remoteKit, a *Home) {
			testkit.Git(r, a.Dir(), "push", "-q", r.url, "main:other")
			testkit.Git(r, r.url, "update-ref", "-d", "refs/heads/main")
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

type rawHome struct{ dir string }

// openRaw is a folder as put wants it.
func openRaw(dir string) *rawHome { return &rawHome{dir} }

func (r *rawHome) Dir() string { return r.dir }

// A sync never overwrites what the user has not committed, or committed otherwise.
func TestSyncKeepsTheUsersFiles(t *testing.T) {
	t.Parallel()
	r := newRemote(t)
	a, b := r.two()
	for _, h := range []*Home{a, b} {
		put(t, h, "mine", "of "+filepath.Base(h.Dir())+"\n")
	}
	testkit.Git(t, a.Dir(), "add", "mine")
	testkit.Git(t, a.Dir(), "commit", "-q", "-m", "mine")
	a = reopen(t, a)
	r.sync(a, laptop, 3)
	var dirty *DirtyError
	if _, err := b.Sync(t.Context(), syncOptions(desktop, 4)); !errors.As(err, &dirty) {
		t.Errorf("over an uncommitted file: %v", err)
	}
	testkit.Git(t, b.Dir(), "add", "mine")
	testkit.Git(t, b.Dir(), "commit", "-q", "-m", "mine")
	b = reopen(t, b)
	var conflict *ConflictError
	if err := r.trySync(b, desktop, 5); !errors.As(err, &conflict) {
		t.Errorf("over another commit: %v", err)
	}
}

func TestSyncWhileGitIsBusy(t *testing.T) {
	t.Parallel()
	r := newRemote(t)
	a, b := r.two()
	say(t, a, laptop, 3, "one")
	r.sync(a, laptop, 3)
	put(t, b, ".git/MERGE_HEAD", headOf(t, b.Dir())+"\n")
	if _, err := b.Sync(t.Context(), syncOptions(desktop, 4)); !errors.Is(err, ErrBusy) {
		t.Errorf("in a merge: %v", err)
	}
	remove(t, b, ".git/MERGE_HEAD")
	testkit.Git(t, b.Dir(), "checkout", "-q", "--detach")
	b = reopen(t, b)
	if _, err := b.Sync(t.Context(), syncOptions(desktop, 4)); !errors.Is(err, ErrDetached) {
		t.Errorf("detached: %v", err)
	}
	testkit.Git(t, b.Dir(), "checkout", "-q", "main")
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
	testkit.Git(t, work, "init", "-q", "-b", "main")
	testkit.Git(t, work, "commit", "-q", "--allow-empty", "-m", "x")
	testkit.Git(t, work, "push", "-q", r.url, "main")
	if _, err := join(testNow); !errors.Is(err, ErrUnpublished) {
		t.Errorf("no trust repository: %v", err)
	}
	h := newHome(t, laptop)
	testkit.Git(t, h.Dir(), "push", "-q", "-f", r.url, "main")
	if _, err := join(testNow.Add(-48 * time.Hour)); err == nil {
		t.Error("a head from the future was taken")
	} else {
		wantKind(t, err, records.Future)
	}
	remove(t, h, "keys/1.yml")
	testkit.Git(t, h.Dir(), "commit", "-q", "-am", "x")
	testkit.Git(t, h.Dir(), "push", "-q", r.url, "main")
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
