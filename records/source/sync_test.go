package source

import (
	"context"
	"errors"
	"testing"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/index"
	"github.com/distributed-trust/distrust/records/internal/testkit"
	"github.com/distributed-trust/distrust/schema"
)

func TestFollowAndSyncNews(t *testing.T) {
	t.Parallel()
	alice := newForge(t, "alice")
	one := alice.say(trustFile("one"))
	alice.seal(nil)
	m := newMachine(t)

	spec := m.follow(alice)
	m.wantHolds(spec.Log, []records.Envelope{one})
	pin := m.pin(spec.Log)
	if pin.HeadID() != alice.head.ID() || pin.Branch != "main" || pin.URL != alice.dir || !pin.FirstSeen.Equal(testNow) {
		t.Errorf("pinned %+v", pin)
	}

	r := m.sync(spec)[0]
	if r.State != StateUnchanged || r.Verified != 0 || r.Update != nil || r.Head.Seq != 2 {
		t.Errorf("nothing new: state %s, %d signatures verified, update %v, seq %d", r.State, r.Verified, r.Update, r.Head.Seq)
	}

	two := alice.say(reportFile("two"))
	alice.take(one)
	alice.seal(nil)
	r = m.sync(spec)[0]
	if r.State != StateNews || r.Added != 1 || r.Removed != 1 || r.First || r.Head.Seq != 3 {
		t.Errorf("news: %s, +%d -%d, first %v, seq %d: %v", r.State, r.Added, r.Removed, r.First, r.Head.Seq, r.Err)
	}
	if r.Verified != 3 { // the pin, the published head, and what is new
		t.Errorf("%d signatures verified for one new record", r.Verified)
	}
	m.wantHolds(spec.Log, []records.Envelope{two})
	if m.pin(spec.Log).HeadID() != alice.head.ID() {
		t.Error("the pin did not move")
	}
}

// TestSeveralHeadsAtOnce syncs after several heads: all of them lead to the newest (F5.3).
func TestSeveralHeadsAtOnce(t *testing.T) {
	t.Parallel()
	alice := newForge(t, "alice")
	m := newMachine(t)
	spec := m.follow(alice)
	var said []records.Envelope
	for _, text := range []string{"a", "b", "c", "d"} {
		said = append(said, alice.say(trustFile(text)))
		alice.seal(nil)
	}
	r := m.sync(spec)[0]
	if r.State != StateNews || r.Head.Seq != 5 || r.Added != 4 {
		t.Fatalf("%s: %v; seq %d, +%d", r.State, r.Err, r.Head.Seq, r.Added)
	}
	m.wantHolds(spec.Log, said)
}

// TestCommitIsTheOnlyEffect closes a batch without a commit: nothing was changed.
func TestCommitIsTheOnlyEffect(t *testing.T) {
	t.Parallel()
	alice := newForge(t, "alice")
	m := newMachine(t)
	spec := m.follow(alice)
	before := m.pin(spec.Log)
	alice.say(trustFile("x"))
	alice.seal(nil)

	b, err := Sync(context.Background(), m.dirs, []Spec{spec}, m.opt)
	if err != nil {
		t.Fatal(err)
	}
	if r := b.Results()[0]; r.State != StateNews {
		t.Fatalf("%s: %v", r.State, r.Err)
	}
	b.Close()
	if got := m.pin(spec.Log); got.Sum != before.Sum {
		t.Error("the pin moved without a commit")
	}

	b, err = Sync(context.Background(), m.dirs, []Spec{spec}, m.opt)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	full := errors.New("disk full")
	err = b.Commit(context.Background(), func(context.Context, []index.Update) error { return full })
	if !errors.Is(err, full) {
		t.Errorf("commit: %v", err)
	}
	if r := b.Results()[0]; r.Good() || r.Update != nil || !errors.Is(r.Err, full) {
		t.Errorf("the result says %s, %v, although nothing is in force", r.State, r.Err)
	}
	if got := m.pin(spec.Log); got.Sum != before.Sum {
		t.Error("the pin moved although the index could not be written")
	}
	b.Close()
	if r := m.sync(spec)[0]; r.State != StateNews || r.Added != 1 {
		t.Errorf("the next sync: %s, +%d: %v", r.State, r.Added, r.Err)
	}
}

// TestIndexAheadOfPin is a run that was killed between index and pin: the next one mends it.
func TestIndexAheadOfPin(t *testing.T) {
	t.Parallel()
	alice := newForge(t, "alice")
	m := newMachine(t)
	spec := m.follow(alice)
	one := alice.say(trustFile("x"))
	alice.seal(nil)
	b, err := Sync(context.Background(), m.dirs, []Spec{spec}, m.opt)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.apply(context.Background(), b.Updates()); err != nil {
		t.Fatal(err)
	}
	b.Close() // killed here

	r := m.sync(spec)[0]
	if r.State != StateNews || r.Head.Seq != 2 || !r.Update.Replace {
		t.Errorf("%s, seq %d: %v", r.State, r.Head.Seq, r.Err)
	}
	m.wantHolds(spec.Log, []records.Envelope{one})
	if r := m.sync(spec)[0]; r.State != StateUnchanged || r.Verified != 0 {
		t.Errorf("afterwards: %s, %d verified", r.State, r.Verified)
	}
}

func TestUnsealedCommits(t *testing.T) {
	t.Parallel()
	alice := newForge(t, "alice")
	one := alice.say(trustFile("one"))
	alice.seal(nil)
	m := newMachine(t)
	spec := m.follow(alice)

	alice.say(trustFile("two"))
	alice.commit("two, by hand")
	alice.say(trustFile("three"))
	alice.commit("three, by hand")
	r := m.sync(spec)[0]
	if r.State != StateUnchanged || r.Unsealed != 2 || r.Update != nil {
		t.Fatalf("%s, %d unsealed: %v", r.State, r.Unsealed, r.Err)
	}
	m.wantHolds(spec.Log, []records.Envelope{one})
	if r := m.sync(spec)[0]; r.State != StateUnchanged || r.Unsealed != 2 || r.Verified != 0 {
		t.Errorf("again: %s, %d unsealed, %d verified", r.State, r.Unsealed, r.Verified)
	}

	alice.seal(nil) // a key holder seals what was merged
	r = m.sync(spec)[0]
	if r.State != StateNews || r.Unsealed != 0 || r.Added != 2 {
		t.Errorf("sealed: %s, %d unsealed, +%d: %v", r.State, r.Unsealed, r.Added, r.Err)
	}
}

// TestSkippedRecords has records in the set that are not read: they are skipped alone, counted, and
// looked at again when the keys of the log change.
func TestSkippedRecords(t *testing.T) {
	t.Parallel()
	alice := newForge(t, "alice")
	good := alice.say(trustFile("good"))
	bob := testkit.NewKey("bob")
	early := alice.say(trustFile("early"), bob) // bob's key comes later
	alice.files["records/any/aa/unknown-0123456789abcdef.yml"] = []byte("distrust: 2\nkind: \"trust\"\n")
	alice.files["records/any/aa/note.txt"] = []byte("hello\n")
	alice.seal(nil)
	m := newMachine(t)
	spec := m.follow(alice)
	m.wantHolds(spec.Log, []records.Envelope{good})
	pin := m.pin(spec.Log)
	if pin.Skipped != 2 || pin.NotUnderstood != 1 {
		t.Errorf("%d skipped, %d not understood; %v", pin.Skipped, pin.NotUnderstood, ReadSkipped(m.dirs, spec.Log))
	}
	if got := ReadSkipped(m.dirs, spec.Log); len(got) != 3 {
		t.Errorf("the list of skipped files: %v", got)
	}

	more := alice.say(trustFile("more"))
	alice.seal(nil)
	r := m.sync(spec)[0]
	if r.State != StateNews || len(r.Skipped) != 0 || r.SkippedAll != 2 || r.NotUnderstood != 1 {
		t.Errorf("%s: skipped now %v, in all %d, %d not understood", r.State, r.Skipped, r.SkippedAll, r.NotUnderstood)
	}

	alice.seal(func(d *schema.Head) { d.Keys = append(d.Keys, bob.Listed(schema.Active, false)) })
	r = m.sync(spec)[0]
	if r.State != StateNews || r.Added != 1 || r.SkippedAll != 1 {
		t.Errorf("bob's key came: %s, +%d, %d skipped: %v", r.State, r.Added, r.SkippedAll, r.Err)
	}
	m.wantHolds(spec.Log, []records.Envelope{good, early, more})
}

// TestStoreDeleted deletes what is a cache: everything is fetched again and nothing changes.
func TestStoreDeleted(t *testing.T) {
	t.Parallel()
	alice := newForge(t, "alice")
	one := alice.say(trustFile("one"))
	alice.seal(nil)
	m := newMachine(t)
	spec := m.follow(alice)
	for _, part := range []string{"", gitFolder, filesFile, skippedFile, gitFolder + "/objects"} {
		if err := removeAll(m.dirs.store(spec.Log) + "/" + part); err != nil {
			t.Fatal(err)
		}
		r := m.sync(spec)[0]
		if !r.Good() || r.Added != 0 || r.Removed != 0 {
			t.Errorf("without %q: %s, +%d -%d: %v", part, r.State, r.Added, r.Removed, r.Err)
		}
		two := alice.say(trustFile("after " + part))
		alice.seal(nil)
		r = m.sync(spec)[0]
		if r.State != StateNews || r.Added != 1 || r.Removed != 0 {
			t.Errorf("news after %q was deleted: %s, +%d -%d: %v", part, r.State, r.Added, r.Removed, r.Err)
		}
		alice.take(two)
		alice.seal(nil)
		if r = m.sync(spec)[0]; r.Removed != 1 {
			t.Errorf("taken back: %s, -%d: %v", r.State, r.Removed, r.Err)
		}
		m.wantHolds(spec.Log, []records.Envelope{one})
	}
}

func TestManySourcesAtOnce(t *testing.T) {
	t.Parallel()
	const many = 20
	m := newMachine(t)
	m.opt.Parallel = many
	var specs []Spec
	var forges []*forge
	for i := range many {
		f := newForge(t, "source-"+string(rune('a'+i)))
		f.say(trustFile(f.dir))
		f.seal(nil)
		forges = append(forges, f)
		specs = append(specs, Spec{Name: f.key.Fingerprint(), URL: f.dir, Log: f.log(), Fingerprint: f.key.Fingerprint()})
	}
	events := map[Stage]int{}
	m.opt.Progress = func(e Event) { events[e.Stage]++ }
	for i, r := range m.sync(specs...) {
		if r.State != StateNews || !r.First || r.Added != 1 || r.Source != specs[i].Name {
			t.Errorf("%s: %s, +%d: %v", r.Source, r.State, r.Added, r.Err)
		}
	}
	if events[StageDone] != many || events[StageFetching] != many {
		t.Errorf("events: %v", events)
	}
	forges[3].say(trustFile("news"))
	forges[3].seal(nil)
	states := map[State]int{}
	for _, r := range m.sync(specs...) {
		states[r.State]++
	}
	if states[StateNews] != 1 || states[StateUnchanged] != many-1 {
		t.Errorf("states: %v", states)
	}
}

// TestTwoSyncsAtOnce runs two: the second waits, and then finds nothing new.
func TestTwoSyncsAtOnce(t *testing.T) {
	t.Parallel()
	alice := newForge(t, "alice")
	m := newMachine(t)
	spec := m.follow(alice)
	one := alice.say(trustFile("x"))
	alice.seal(nil)

	first, err := Sync(context.Background(), m.dirs, []Spec{spec}, m.opt)
	if err != nil {
		t.Fatal(err)
	}
	waiting := make(chan struct{})
	done := make(chan *Result)
	second := *m
	second.opt.Progress = func(e Event) {
		if e.Stage == StageWaiting {
			close(waiting)
		}
	}
	go func() {
		b, err := Sync(context.Background(), second.dirs, []Spec{spec}, second.opt)
		if err != nil {
			t.Error(err)
			done <- &Result{}
			return
		}
		defer b.Close()
		if err := b.Commit(context.Background(), second.apply); err != nil {
			t.Error(err)
		}
		done <- b.Results()[0]
	}()
	<-waiting
	if r := m.finish(first)[0]; r.State != StateNews || r.Added != 1 {
		t.Errorf("first: %s, +%d: %v", r.State, r.Added, r.Err)
	}
	if r := <-done; r.State != StateUnchanged || r.Verified != 0 {
		t.Errorf("second: %s, %d verified: %v", r.State, r.Verified, r.Err)
	}
	m.wantHolds(spec.Log, []records.Envelope{one})

	b, err := Sync(context.Background(), m.dirs, nil, m.opt)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	ctx, cancel := context.WithCancel(context.Background())
	opt := m.opt
	opt.Progress = func(Event) { cancel() }
	if _, err := Sync(ctx, m.dirs, nil, opt); !errors.Is(err, context.Canceled) {
		t.Errorf("waiting was not given up: %v", err)
	}
}

// TestUnfollowDuringSync changes the pin between fetching and committing: what was fetched is not
// put in force.
func TestUnfollowDuringSync(t *testing.T) {
	t.Parallel()
	alice, bob := newForge(t, "alice"), newForge(t, "bob")
	m := newMachine(t)
	specs := []Spec{m.follow(alice), m.follow(bob)}
	for _, f := range []*forge{alice, bob} {
		f.say(trustFile("x"))
		f.seal(nil)
	}
	b, err := Sync(context.Background(), m.dirs, specs, m.opt)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if err := Unfollow(context.Background(), m.dirs, specs[0].Log, testNow, m.apply); err != nil {
		t.Fatal(err)
	}
	err = b.Commit(context.Background(), m.apply)
	var race *RaceError
	if !errors.As(err, &race) || race.Log != specs[0].Log {
		t.Errorf("commit: %v", err)
	}
	if states := b.Results(); states[0].State != StateFailed || states[1].State != StateNews {
		t.Errorf("%s, %s", states[0].State, states[1].State)
	}
	if !m.pin(specs[0].Log).Tombstone() {
		t.Error("the tombstone is gone")
	}
	if got := m.holds(specs[0].Log); len(got) != 0 {
		t.Errorf("the index holds records of an unfollowed source: %v", got)
	}
}

func TestNewURL(t *testing.T) {
	t.Parallel()
	alice := newForge(t, "alice")
	alice.seal(func(d *schema.Head) { d.URL = "https://example.org/alice.git" })
	m := newMachine(t)
	spec := m.follow(alice)
	if got := m.pin(spec.Log).Moved; got != "" {
		t.Errorf("a mirror that is followed by path is no move: %q", got)
	}
	alice.seal(func(d *schema.Head) { d.URL = "https://example.net/alice.git" })
	for range 2 { // said until it is followed there
		if r := m.sync(spec)[0]; r.NewURL != "https://example.net/alice.git" {
			t.Errorf("new url %q: %v", r.NewURL, r.Err)
		}
	}
	alice.say(trustFile("x"))
	alice.seal(nil)
	if r := m.sync(spec)[0]; r.NewURL != "https://example.net/alice.git" {
		t.Errorf("after another head: new url %q: %v", r.NewURL, r.Err)
	}
	alice.seal(func(d *schema.Head) { d.URL = alice.dir })
	if r := m.sync(spec)[0]; r.NewURL != "" {
		t.Errorf("taken back: new url %q: %v", r.NewURL, r.Err)
	}
}
