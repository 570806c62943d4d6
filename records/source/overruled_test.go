package source

import (
	"errors"
	"testing"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/internal/testkit"
	"github.com/distributed-trust/distrust/schema"
)

// TestRaisedEpochOverTheThief: the owner's home puts its raised epoch over the thief's commits as a second
// parent. Followers of before, of the thief's days and of afterwards end on the owner's log, and
// neither a replay of the recovery nor of the thief moves them (F5.3, F5.4).
func TestRaisedEpochOverTheThief(t *testing.T) {
	t.Parallel()
	alice := newForge(t, "alice")
	owner, offline, evil := alice.key, testkit.NewKey("offline"), testkit.NewKey("thief")
	alice.seal(func(d *schema.Head) { d.Keys = append(d.Keys, offline.Listed(schema.Active, true)) })
	good := alice.say(trustFile("good"))
	report := alice.say(reportFile("bad"))
	alice.seal(nil)
	before := alice.mark()
	early, late, during, after := newMachine(t), newMachine(t), newMachine(t), newMachine(t)
	spec := early.follow(alice)
	late.follow(alice)

	alice.take(report)
	alice.seal(func(d *schema.Head) { d.Keys = append(d.Keys, evil.Listed(schema.Active, false)) })
	lie := alice.say(trustFile("evil"), evil)
	alice.seal(nil)
	theft := alice.mark()
	during.follow(alice)
	wantState(t, late.sync(spec)[0], StateNews, "")
	late.wantHolds(spec.Log, []records.Envelope{good, lie}, report)

	alice.reset(before)
	alice.key = offline
	alice.seal(func(d *schema.Head) {
		d.Epoch++
		d.Keys[0].State, d.Keep = schema.Compromised, []string{idOf(good), idOf(report)}
	})
	over := testkit.Git(t, alice.dir, "commit-tree", alice.tip+"^{tree}", "-p", alice.tip, "-p", theft.commit, "-m", "over")
	testkit.Git(t, alice.dir, "update-ref", "refs/heads/main", over)
	alice.tip = over
	recovered := alice.mark()
	for _, m := range []*machine{early, late, during} {
		wantState(t, m.sync(spec)[0], StateNews, "")
		m.wantHolds(spec.Log, []records.Envelope{good, report})
	}
	old := Spec{Name: "alice", URL: alice.dir, Fingerprint: owner.Fingerprint()}
	wantState(t, after.first(old, nil), StateRefused, records.WrongFingerprint)
	after.follow(alice)
	after.wantHolds(spec.Log, []records.Envelope{good, report})

	alice.seal(func(d *schema.Head) { d.Epoch++ })
	all := []*machine{early, late, during, after}
	for _, m := range all {
		wantState(t, m.sync(spec)[0], StateNews, "")
	}
	for name, replay := range map[string]mark{"the thief": theft, "the recovery": recovered} {
		alice.reset(replay)
		for i, m := range all {
			if r := m.sync(spec)[0]; r.State != StateRefused {
				t.Errorf("%s replayed, follower %d: %s", name, i, r.State)
			}
			m.wantHolds(spec.Log, []records.Envelope{good, report})
		}
	}
}

func wantState(t *testing.T, r *Result, want State, kind records.HeadErrorKind) {
	t.Helper()
	var refused *records.HeadError
	if errors.As(r.Err, &refused); r.State != want || kind != "" && (refused == nil || refused.Kind != kind) {
		t.Fatalf("%s: %v, want %s %s", r.State, r.Err, want, kind)
	}
}
