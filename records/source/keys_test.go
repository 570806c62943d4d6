package source

import (
	"testing"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/index"
	"github.com/distributed-trust/distrust/records/internal/testkit"
	"github.com/distributed-trust/distrust/schema"
)

// TestHostileCompromisedKey: what a compromised key signed is void, what the owner stands by is not (F5.8).
func TestHostileCompromisedKey(t *testing.T) {
	t.Parallel()
	alice := newForge(t, "alice")
	laptop := testkit.NewKey("laptop")
	alice.seal(func(d *schema.Head) { d.Keys = append(d.Keys, laptop.Listed(schema.Active, false)) })
	void, kept := alice.say(trustFile("void"), laptop), alice.say(trustFile("kept"), laptop)
	fine := alice.say(trustFile("fine"))
	alice.seal(nil)
	m := newMachine(t)
	spec := m.follow(alice)
	alice.seal(func(d *schema.Head) {
		d.Keys[1].State = schema.Compromised
		d.Keep = []string{idOf(kept)}
	})
	if r := m.sync(spec)[0]; r.State != StateNews {
		t.Fatalf("%s: %v", r.State, r.Err)
	}
	g, err := index.Open(m.opt.Index)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	want := map[string]bool{idOf(void): true, idOf(kept): false, idOf(fine): false}
	err = g.Each(spec.Log, func(e index.Entry) error {
		if e.Void != want[e.Record.ID()] {
			t.Errorf("%s: void %v", e.Record.Path(), e.Void)
		}
		delete(want, e.Record.ID())
		return nil
	})
	if err != nil || len(want) != 0 {
		t.Errorf("missing %v, %v", want, err)
	}
}

// TestHostileThief: a thief publishes first, the owner answers with the recovery key and
// raises the epoch; a follower who saw the thief ends on the owner's log (F5.4).
func TestHostileThief(t *testing.T) {
	t.Parallel()
	alice := newForge(t, "alice")
	owner, offline := alice.key, testkit.NewKey("offline")
	alice.seal(func(d *schema.Head) { d.Keys = append(d.Keys, offline.Listed(schema.Active, true)) })
	stolen := alice.mark()
	m := newMachine(t)
	spec := m.follow(alice)

	thief := testkit.NewKey("thief")
	alice.seal(func(d *schema.Head) { d.Keys = append(d.Keys, thief.Listed(schema.Active, false)) })
	lie := alice.say(trustFile("evil"), thief)
	alice.key = thief
	for range 5 { // the thief is ahead by numbers
		alice.seal(nil)
	}
	if r := m.sync(spec)[0]; r.State != StateNews {
		t.Fatalf("%s: %v", r.State, r.Err)
	}
	m.wantHolds(spec.Log, []records.Envelope{lie})

	alice.reset(stolen)
	alice.key = offline
	fresh := testkit.NewKey("fresh")
	alice.seal(func(d *schema.Head) {
		d.Epoch++
		d.Keys[0].State = schema.Compromised
		d.Keys = append(d.Keys, fresh.Listed(schema.Active, false))
	})
	alice.key = fresh
	alice.seal(nil)
	word := alice.say(trustFile("true"))
	alice.seal(nil)
	alice.seal(nil)
	r := m.sync(spec)[0]
	if r.State != StateNews || r.Head.Epoch != 1 {
		t.Fatalf("%s, epoch %d: %v", r.State, r.Head.Epoch, r.Err)
	}
	m.wantHolds(spec.Log, []records.Envelope{word})
	if pin := m.pin(spec.Log); len(pin.Dropped) != 1 || pin.Dropped[0] != thief.Key().String() {
		t.Errorf("dropped keys: %v", pin.Dropped)
	}
	// The thief cannot come back.
	alice.reset(stolen)
	alice.key = owner
	alice.say(trustFile("again"))
	alice.seal(nil)
	if r := m.sync(spec)[0]; r.State != StateRefused {
		t.Errorf("the thief came back: %s", r.State)
	}
}
