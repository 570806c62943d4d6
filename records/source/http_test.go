package source

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/internal/testkit"
)

func TestFollowAndSyncOverHTTP(t *testing.T) {
	t.Parallel()
	alice := newForge(t, "alice")
	one := alice.say(trustFile("one"))
	alice.seal(nil)
	server := testkit.Serve(t, filepath.Dir(alice.dir))
	m := newMachine(t)
	spec := Spec{Name: "alice", URL: server.URL + "/alice", Fingerprint: alice.key.Fingerprint()}
	if r := m.first(spec, nil); KindOf(r.Err) != KindURL {
		t.Errorf("http without --insecure-transport: %s: %v", r.State, r.Err)
	}
	if server.Requests.Load() != 0 {
		t.Error("an address that is not allowed was asked")
	}
	spec.Insecure = true
	r := m.first(spec, nil)
	if r.State != StateNews || r.Added != 1 {
		t.Fatalf("%s: %v", r.State, r.Err)
	}
	spec.Log = r.Log
	two := alice.say(reportFile("two"))
	alice.seal(nil)
	if r := m.sync(spec)[0]; r.State != StateNews || r.Added != 1 {
		t.Errorf("news: %s, +%d: %v", r.State, r.Added, r.Err)
	}
	m.wantHolds(spec.Log, []records.Envelope{one, two})
	if r := m.sync(spec)[0]; r.State != StateUnchanged || r.Verified != 0 {
		t.Errorf("no news: %s: %v", r.State, r.Err)
	}

	// The same log by another way: its pin decides, not the address.
	spec.URL = alice.dir
	three := alice.say(trustFile("three"))
	alice.seal(nil)
	if r := m.sync(spec)[0]; r.State != StateNews || r.Added != 1 || m.pin(spec.Log).URL != alice.dir {
		t.Errorf("by path: %s, +%d: %v", r.State, r.Added, r.Err)
	}
	m.wantHolds(spec.Log, []records.Envelope{one, two, three})
}

// With the user's git the same comes of it, and without one nothing, and nothing is lost.
func TestFollowAndSyncWithGit(t *testing.T) {
	t.Parallel()
	testkit.Need(t, "git")
	program, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	alice := newForge(t, "alice")
	one := alice.say(trustFile("one"))
	alice.seal(nil)
	server := testkit.Serve(t, filepath.Dir(alice.dir))
	m := newMachine(t)
	m.opt.Git = Git{Path: program, Environ: testkit.Env()}
	spec := Spec{Name: "alice", URL: server.URL + "/alice", Fingerprint: alice.key.Fingerprint(), Git: true}
	if r := m.first(spec, nil); KindOf(r.Err) != KindURL || server.Requests.Load() != 0 {
		t.Errorf("http without --insecure-transport: %s: %v", r.State, r.Err)
	}
	spec.Insecure = true
	r := m.first(spec, nil)
	if r.State != StateNews || r.Added != 1 {
		t.Fatalf("%s: %v", r.State, r.Err)
	}
	spec.Log = r.Log
	if pin := m.pin(spec.Log); pin.URL != spec.URL || pin.Branch != "main" {
		t.Errorf("pinned from %s, branch %s", pin.URL, pin.Branch)
	}
	two := alice.say(reportFile("two"))
	alice.seal(nil)
	if r := m.sync(spec)[0]; r.State != StateNews || r.Added != 1 {
		t.Errorf("news: %s, +%d: %v", r.State, r.Added, r.Err)
	}
	m.wantHolds(spec.Log, []records.Envelope{one, two})
	if r := m.sync(spec)[0]; r.State != StateUnchanged || r.Verified != 0 {
		t.Errorf("no news: %s: %v", r.State, r.Err)
	}
	m.opt.Git.Path = ""
	if r := m.sync(spec)[0]; r.State != StateUnreachable || !errors.Is(r.Err, ErrNoGit) {
		t.Errorf("without git: %s: %v", r.State, r.Err)
	}
	m.wantHolds(spec.Log, []records.Envelope{one, two})
	if left, _ := filepath.Glob(filepath.Join(m.dirs.Data, "sources", temporaryPrefix+"*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if _, err := os.Stat(filepath.Join(m.dirs.store(spec.Log), gitFolder)); err != nil {
		t.Errorf("the store is gone: %v", err)
	}
}

func TestUnreachableOverHTTP(t *testing.T) {
	t.Parallel()
	alice := newForge(t, "alice")
	url := testkit.Serve(t, filepath.Dir(alice.dir)).URL
	m := newMachine(t)
	spec := Spec{Name: "alice", URL: url + "/alice", Fingerprint: alice.key.Fingerprint(), Insecure: true}
	r := m.first(spec, nil)
	if r.State != StateNews {
		t.Fatalf("%s: %v", r.State, r.Err)
	}
	spec.Log = r.Log
	before := m.pin(spec.Log)
	if err := os.RemoveAll(alice.dir); err != nil {
		t.Fatal(err)
	}
	later := *m
	later.opt.Now = testNow.AddDate(0, 0, 8)
	r = later.sync(spec)[0]
	if r.Good() || r.State == StateRefused || r.State == StateFailed {
		t.Errorf("a repository that is gone: %s: %v", r.State, r.Err)
	}
	if !r.Fetched.Equal(testNow) || m.pin(spec.Log).Sum != before.Sum {
		t.Errorf("last verified fetch %v", r.Fetched)
	}
}

// TestReachedSources goes from a followed source to whom it follows in public: listed at once,
// fetched after a yes, then synced like a source.
func TestReachedSources(t *testing.T) {
	t.Parallel()
	alice, bob := newForge(t, "alice"), newForge(t, "bob")
	url := testkit.Serve(t, filepath.Dir(bob.dir)).URL
	word := bob.say(trustFile("bob's word"))
	bob.seal(nil)
	alice.say(followOf(bob, url+"/bob", "pkg:npm/x/*"))
	alice.seal(nil)
	m := newMachine(t)
	follow := m.follow(alice)

	if got := m.reached(follow.Log, 0); len(got) != 0 {
		t.Errorf("a follow without depth leads to %v", got)
	}
	reached := m.reached(follow.Log, 1)
	if len(reached) != 1 || reached[0].Log != bob.log() || reached[0].Accepted || reached[0].Width != 50 || reached[0].Key != bob.key.Fingerprint() {
		t.Fatalf("reached %+v", reached)
	}
	spec := reached[0].Spec()
	if r := m.sync(spec)[0]; KindOf(r.Err) != KindURL {
		t.Errorf("http of a record, not allowed by anybody: %s: %v", r.State, r.Err)
	}
	path := spec
	path.URL = bob.dir
	if r := m.sync(path)[0]; KindOf(r.Err) != KindURL {
		t.Errorf("a path that nobody typed: %s: %v", r.State, r.Err)
	}
	spec.Insecure = true
	if r := m.sync(spec)[0]; r.State != StateNews || !r.First {
		t.Fatalf("%s: %v", r.State, r.Err)
	}
	m.wantHolds(spec.Log, []records.Envelope{word})
	reached = m.reached(follow.Log, 1)
	if len(reached) != 1 || !reached[0].Accepted || !m.pin(spec.Log).Delegated {
		t.Fatalf("after the yes: %+v", reached)
	}
	more := bob.say(reportFile("bob's report"))
	bob.seal(nil)
	spec = reached[0].Spec()
	spec.Insecure = true
	if r := m.sync(spec)[0]; r.State != StateNews || r.Added != 1 {
		t.Errorf("%s: %v", r.State, r.Err)
	}

	// The user follows bob now: the pin goes on, it is no claim and no second source.
	direct := Spec{Name: "bob", URL: bob.dir, Fingerprint: bob.key.Fingerprint()}
	if r := m.first(direct, nil); r.Err != nil || !r.Good() || m.pin(spec.Log).Delegated {
		t.Errorf("%s: %v", r.State, r.Err)
	}
	m.wantHolds(spec.Log, []records.Envelope{word, more})
}
