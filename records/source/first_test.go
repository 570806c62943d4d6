package source

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/internal/testkit"
	"github.com/distributed-trust/distrust/schema"
)

// TestHostileFirstContact is what a first contact meets besides an honest log.
func TestHostileFirstContact(t *testing.T) {
	t.Parallel()
	alice := testkit.NewKey("alice")
	cases := []struct {
		name  string
		url   func(t *testing.T) string
		kind  string
		state State
	}{
		{"wrong fingerprint", func(t *testing.T) string {
			return newForge(t, "mallory").dir
		}, string(records.WrongFingerprint), StateRefused},
		{"listed, but did not sign", func(t *testing.T) string {
			mallory := newForge(t, "mallory")
			mallory.seal(func(d *schema.Head) { d.Keys = append(d.Keys, alice.Listed(schema.Active, false)) })
			return mallory.dir
		}, string(records.WrongFingerprint), StateRefused},
		{"signed once, retired since", func(t *testing.T) string {
			f := newForge(t, "alice")
			f.seal(func(d *schema.Head) { d.Keys = append(d.Keys, testkit.NewKey("second").Listed(schema.Active, false)) })
			f.key = testkit.NewKey("second")
			f.seal(func(d *schema.Head) { d.Keys[0].State = schema.Retired })
			return f.dir
		}, string(records.WrongFingerprint), StateRefused},
		{"claimed log id", func(t *testing.T) string {
			f := emptyForge(t, "alice")
			f.key = testkit.NewKey("mallory")
			doc := records.FirstHead(f.key.Key(), testkit.Salt, testStart, func(d *schema.Head) {
				d.Keys = append(d.Keys, alice.Listed(schema.Active, false))
			})
			doc.Log = records.LogID(alice.Key(), testkit.Salt)
			h, err := records.SealHead(context.Background(), doc, f.key)
			if err != nil {
				t.Fatal(err)
			}
			f.publish(h)
			return f.dir
		}, string(records.WrongLog), StateRefused},
		{"edited by hand", func(t *testing.T) string {
			f := emptyForge(t, "alice")
			one := &schema.Record{}
			*one = trustFile("one")
			one.Log = records.LogID(f.key.Key(), testkit.Salt)
			e := f.say(*one)
			h := f.nextHead(nil)
			f.files[e.Path] = append([]byte("# a comment\n"), f.files[e.Path]...)
			f.publish(h)
			return f.dir
		}, KindUnfit, StateRefused},
		{"needs a newer program", func(t *testing.T) string {
			f := emptyForge(t, "alice")
			f.files["head.yml"] = []byte("distrust: 2\nkind: \"head\"\n")
			f.files["head.yml.sig"] = []byte("x")
			f.commit("from the future")
			return f.dir
		}, KindNewer, StateRefused},
		{"not a trust repository", func(t *testing.T) string {
			f := emptyForge(t, "alice")
			f.files["main.go"] = []byte("package main\n")
			f.commit("code")
			return f.dir
		}, KindNotTrust, StateRefused},
		{"names that F4 forbids", func(t *testing.T) string {
			f := emptyForge(t, "alice")
			h := f.nextHead(nil)
			f.files["records/any/A.yml"] = []byte("x")
			f.publish(h)
			return f.dir
		}, KindUnfit, StateRefused},
		{"empty repository", func(t *testing.T) string { return emptyForge(t, "alice").dir }, KindEmpty, StateEmpty},
		{"no repository", func(t *testing.T) string { return t.TempDir() }, KindNoGit, StateNotRepository},
		{"nothing there", func(t *testing.T) string { return filepath.Join(t.TempDir(), "nothing") }, KindNoGit, StateNotRepository},
		{"an address that is never reached", func(*testing.T) string { return "ext::sh -c true" }, KindURL, StateRefused},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t)
			r := m.first(Spec{Name: "alice", URL: c.url(t), Fingerprint: alice.Fingerprint()}, nil)
			if r.State != c.state || KindOf(r.Err) != c.kind {
				t.Fatalf("got %s, kind %q: %v", r.State, KindOf(r.Err), r.Err)
			}
			if left, _ := os.ReadDir(filepath.Join(m.dirs.Data, "sources")); len(left) != 0 {
				t.Errorf("left behind: %v", left)
			}
			if pins, _, err := Pins(m.dirs); len(pins) != 0 || err != nil {
				t.Errorf("pins: %v, %v", pins, err)
			}
		})
	}
}

// TestFirstUse makes a first contact without a fingerprint: only a yes to what is offered is one.
func TestFirstUse(t *testing.T) {
	t.Parallel()
	alice := newForge(t, "alice")
	second := testkit.NewKey("second")
	alice.seal(func(d *schema.Head) {
		d.Name = "Alice Example"
		d.Keys = append(d.Keys, second.Listed(schema.Active, false))
	})
	first := alice.key
	alice.key = second
	alice.say(trustFile("one"))
	alice.seal(nil)
	spec := Spec{Name: "alice", URL: alice.dir}
	m := newMachine(t)

	if r := m.first(spec, nil); r.State != StateRefused || !errors.Is(r.Err, ErrFirstUse) {
		t.Errorf("nobody to ask: %s: %v", r.State, r.Err)
	}
	if r := m.sync(spec)[0]; !errors.Is(r.Err, ErrFirstUse) {
		t.Errorf("sync never asks: %s: %v", r.State, r.Err)
	}
	var got Offer
	no := func(o Offer) (bool, error) { got = o; return false, nil }
	if r := m.first(spec, no); r.State != StateRefused || !errors.Is(r.Err, ErrFirstUse) {
		t.Errorf("no: %s: %v", r.State, r.Err)
	}
	if got.Fingerprint != second.Fingerprint() || !got.Accepts(first.Fingerprint()) || !got.Accepts(second.Fingerprint()) ||
		got.Accepts("") || got.Accepts(testkit.NewKey("mallory").Fingerprint()) {
		t.Errorf("offered %q and %q", got.Fingerprint, got.Others)
	}
	if got.Head.Name != "Alice Example" || got.Head.Seq != 3 || got.Head.Records != 1 || got.Log != alice.log() || got.URL != alice.dir {
		t.Errorf("offered %+v", got)
	}
	broken := errors.New("terminal is gone")
	if r := m.first(spec, func(Offer) (bool, error) { return true, broken }); !errors.Is(r.Err, broken) || r.Good() {
		t.Errorf("an answer that failed: %s: %v", r.State, r.Err)
	}
	if r := m.first(spec, func(Offer) (bool, error) { return true, nil }); r.State != StateNews || r.Log != alice.log() || r.Added != 1 {
		t.Errorf("yes: %s: %v", r.State, r.Err)
	}
}

// TestHostileSecondRepository meets a log that has a pin: in order, it is said; else it is refused. The pin
// is never replaced.
func TestHostileSecondRepository(t *testing.T) {
	t.Parallel()
	alice := newForge(t, "alice")
	old := alice.mark()
	alice.say(trustFile("one"))
	alice.seal(nil)
	m := newMachine(t)
	spec := m.follow(alice)
	before := m.pin(spec.Log)

	again := Spec{Name: "again", URL: alice.dir, Fingerprint: alice.key.Fingerprint()}
	r := m.first(again, nil)
	var followed *FollowedError
	if r.State != StateFollowed || !errors.As(r.Err, &followed) || followed.Name != "alice" || followed.URL != alice.dir {
		t.Errorf("%s: %v", r.State, r.Err)
	}

	mirror := filepath.Join(t.TempDir(), "mirror")
	testkit.Git(alice.t, alice.dir, "clone", "-q", "--bare", alice.dir, mirror)
	if r := m.first(Spec{Name: "mirror", URL: mirror, Fingerprint: alice.key.Fingerprint()}, nil); r.State != StateFollowed {
		t.Errorf("an honest mirror: %s: %v", r.State, r.Err)
	}
	stale := filepath.Join(t.TempDir(), "stale")
	testkit.Git(alice.t, alice.dir, "clone", "-q", "--bare", alice.dir, stale)
	testkit.Git(alice.t, alice.dir, "--git-dir="+stale, "update-ref", "refs/heads/main", old.commit)
	r = m.first(Spec{Name: "stale", URL: stale, Fingerprint: alice.key.Fingerprint()}, nil)
	if KindOf(r.Err) != string(records.Rollback) {
		t.Errorf("an older copy under another name: %s: %v", r.State, r.Err)
	}
	if after := m.pin(spec.Log); after.Sum != before.Sum {
		t.Errorf("the pin changed: %+v", after)
	}

	// The same in one sync: the second entry of a log is refused.
	rs := m.sync(spec, Spec{Name: "twin", URL: mirror, Log: spec.Log})
	var claim *ClaimError
	if !rs[0].Good() || !errors.As(rs[1].Err, &claim) || claim.Name != "alice" {
		t.Errorf("%s, %s: %v", rs[0].State, rs[1].State, rs[1].Err)
	}
	two := newMachine(t)
	entry := Spec{Name: "one", URL: alice.dir, Fingerprint: alice.key.Fingerprint()}
	other := entry
	other.Name = "two"
	rs = two.sync(entry, other)
	if rs[0].State != StateNews || !errors.As(rs[1].Err, &claim) {
		t.Errorf("two first contacts with one log: %s, %s: %v", rs[0].State, rs[1].State, rs[1].Err)
	}
}

// TestHostileClaimOfOwnLog: no repository may pass for the user (F5.1).
func TestHostileClaimOfOwnLog(t *testing.T) {
	t.Parallel()
	alice := newForge(t, "alice")
	m := newMachine(t)
	m.opt.Own = []string{alice.log()}
	r := m.first(Spec{Name: "me", URL: alice.dir, Fingerprint: alice.key.Fingerprint()}, nil)
	var claim *ClaimError
	if r.State != StateRefused || !errors.As(r.Err, &claim) || !claim.Own {
		t.Errorf("%s: %v", r.State, r.Err)
	}
}

// TestSharedConfiguration is another machine of the user: sources.yml knows log and fingerprint, this
// machine has no pin yet.
func TestSharedConfiguration(t *testing.T) {
	t.Parallel()
	alice := newForge(t, "alice")
	alice.say(trustFile("one"))
	alice.seal(nil)
	m := newMachine(t)
	spec := Spec{Name: "alice", URL: alice.dir, Log: alice.log(), Fingerprint: alice.key.Fingerprint()}
	if r := m.sync(spec)[0]; r.State != StateNews || !r.First {
		t.Errorf("%s: %v", r.State, r.Err)
	}
	spec.Log = newForge(t, "bob").log()
	r := newMachine(t).sync(spec)[0]
	if KindOf(r.Err) != string(records.WrongLog) {
		t.Errorf("another log than the entry names: %s: %v", r.State, r.Err)
	}
}

// TestEntryWithoutLog syncs an entry that was written by hand, with a fingerprint but without a log: it
// stays one source, and it cannot go back either.
func TestEntryWithoutLog(t *testing.T) {
	t.Parallel()
	alice := newForge(t, "alice")
	old := alice.mark()
	alice.say(trustFile("one"))
	alice.seal(nil)
	m := newMachine(t)
	spec := Spec{Name: "alice", URL: alice.dir, Fingerprint: alice.key.Fingerprint()}
	if r := m.sync(spec)[0]; r.State != StateNews || r.Log != alice.log() {
		t.Fatalf("%s: %v", r.State, r.Err)
	}
	if r := m.sync(spec)[0]; !r.Good() || r.Log != alice.log() {
		t.Errorf("again: %s: %v", r.State, r.Err)
	}
	two := alice.say(trustFile("two"))
	alice.seal(nil)
	if r := m.sync(spec)[0]; r.State != StateNews || r.Added != 1 {
		t.Errorf("news: %s, +%d: %v", r.State, r.Added, r.Err)
	}
	if len(m.holds(alice.log())) != 2 {
		t.Errorf("without %s", two.Path)
	}
	twin := spec
	twin.Name = "twin"
	if r := m.sync(twin)[0]; r.State != StateFollowed {
		t.Errorf("under another name: %s: %v", r.State, r.Err)
	}
	alice.reset(old)
	if r := m.sync(spec)[0]; KindOf(r.Err) != string(records.Rollback) {
		t.Errorf("back: %s: %v", r.State, r.Err)
	}
}

// TestUnfollowAndFollowAgain: a tombstone keeps the log's place.
func TestUnfollowAndFollowAgain(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	alice := newForge(t, "alice")
	old := alice.mark()
	one := alice.say(trustFile("one"))
	alice.seal(nil)
	m := newMachine(t)
	spec := m.follow(alice)
	if err := Unfollow(ctx, m.dirs, spec.Log, testNow, m.apply); err != nil {
		t.Fatal(err)
	}
	if !m.pin(spec.Log).Tombstone() || len(m.holds(spec.Log)) != 0 {
		t.Error("unfollowing left the source in force")
	}
	newest := alice.mark()
	alice.reset(old)
	again := Spec{Name: "back", URL: alice.dir, Fingerprint: alice.key.Fingerprint()}
	if r := m.first(again, nil); KindOf(r.Err) != string(records.Rollback) || r.Head.Seq != 0 {
		t.Errorf("an older state after unfollowing: %s: %v", r.State, r.Err)
	}
	if !m.pin(spec.Log).Tombstone() {
		t.Error("a refusal revived the tombstone")
	}
	alice.reset(newest)
	wrong := again
	wrong.Fingerprint = testkit.NewKey("mallory").Fingerprint()
	if r := m.first(wrong, nil); KindOf(r.Err) != string(records.WrongFingerprint) {
		t.Errorf("another key than the log's: %s: %v", r.State, r.Err)
	}
	if r := m.first(again, nil); r.State != StateNews || r.Added != 1 {
		t.Errorf("followed again: %s, +%d: %v", r.State, r.Added, r.Err)
	}
	pin := m.pin(spec.Log)
	if pin.Tombstone() || pin.Name != "back" {
		t.Errorf("the pin: %+v", pin)
	}
	m.wantHolds(spec.Log, []records.Envelope{one})

	if err := Forget(ctx, m.dirs, spec.Log, m.apply); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadPin(m.dirs, spec.Log); !errors.Is(err, ErrNoPin) {
		t.Errorf("forgotten: %v", err)
	}
	alice.reset(old)
	if r := m.first(again, nil); r.State != StateNews || !r.First || r.Head.Seq != 1 {
		t.Errorf("after forgetting any state is a first one: %s: %v", r.State, r.Err)
	}
	if err := Unfollow(ctx, m.dirs, newForge(t, "bob").log(), testNow, m.apply); !errors.Is(err, ErrNoPin) {
		t.Errorf("unfollowing a stranger: %v", err)
	}
}

// TestLook looks a repository over without remembering anything.
func TestLook(t *testing.T) {
	t.Parallel()
	alice := newForge(t, "alice")
	one := alice.say(trustFile("one"))
	alice.files["records/any/aa/note.txt"] = []byte("hello\n")
	alice.seal(nil)
	m := newMachine(t)
	m.opt.Own = []string{alice.log()}
	p, err := Look(context.Background(), m.dirs, Spec{Name: "alice", URL: alice.dir}, m.opt)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Records) != 1 || p.Records[0].ID() != idOf(one) || len(p.Skipped) != 1 || len(p.Heads) != 2 ||
		p.Heads[1].ID() != alice.head.ID() || p.Offer.Fingerprint != alice.key.Fingerprint() {
		t.Errorf("saw %+v", p)
	}
	if left, _ := os.ReadDir(filepath.Join(m.dirs.Data, "sources")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	if _, err := Look(context.Background(), m.dirs, Spec{URL: alice.dir, Fingerprint: testkit.NewKey("bob").Fingerprint()}, m.opt); KindOf(err) != string(records.WrongFingerprint) {
		t.Errorf("a wrong fingerprint: %v", err)
	}
}
