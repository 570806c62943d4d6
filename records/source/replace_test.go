package source

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/index"
	"github.com/distributed-trust/distrust/records/internal/testkit"
	"github.com/distributed-trust/distrust/schema"
)

// TestReplacedHead takes a head in place of the pinned one on request: without a yes nothing changes,
// with one the reports stay, and the key that was compromised in the lost heads stays compromised.
func TestReplacedHead(t *testing.T) {
	t.Parallel()
	alice := newForge(t, "alice")
	laptop := testkit.NewKey("laptop")
	alice.seal(func(d *schema.Head) { d.Keys = append(d.Keys, laptop.Listed(schema.Active, false)) })
	word := alice.say(trustFile("one"), laptop)
	alice.seal(nil)
	start := alice.mark()
	m := newMachine(t)
	spec := m.follow(alice)
	report := alice.say(reportFile("two"))
	alice.seal(func(d *schema.Head) { d.Keys[1].State = schema.Compromised })
	if r := m.sync(spec)[0]; r.State != StateNews {
		t.Fatal(r.Err)
	}
	pinned := alice.head
	alice.reset(start)

	var asked []Replacement
	answer := false
	m.opt.Accept = func(r Replacement) (bool, error) {
		asked = append(asked, r)
		return answer, nil
	}
	if r := m.sync(spec)[0]; r.State != StateRefused || KindOf(r.Err) != string(records.Rollback) || m.pin(spec.Log).HeadID() != pinned.ID() {
		t.Fatalf("after a no: %s: %v", r.State, r.Err)
	}
	answer = true
	r := m.sync(spec)[0]
	if r.State != StateNews || r.Head.Seq != 3 || len(r.Vanished) != 1 || len(r.Notes) == 0 {
		t.Fatalf("after a yes: %s, seq %d, %d vanished, %v: %v", r.State, r.Head.Seq, len(r.Vanished), r.Notes, r.Err)
	}
	for _, a := range asked {
		if a.Source != spec.Name || a.Pinned.ID() != pinned.ID() || a.New.ID() != alice.head.ID() || a.Why.Kind != records.Rollback {
			t.Errorf("asked about %+v", a)
		}
		for _, name := range []string{"pinned.yml", "got.yml"} {
			if _, err := os.Stat(filepath.Join(a.Evidence, name)); err != nil {
				t.Error(err)
			}
		}
	}
	m.wantHolds(spec.Log, []records.Envelope{word}, report)
	g, err := index.Open(m.opt.Index)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	err = g.Each(spec.Log, func(e index.Entry) error {
		if e.Void != (e.Record.ID() == idOf(word)) {
			t.Errorf("%s: void %v", e.Record.Path(), e.Void)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}

	// Nobody is asked about what follows from the new pin, nor about what is no state of the log.
	asked = nil
	alice.say(trustFile("three"))
	alice.seal(nil)
	if r := m.sync(spec)[0]; r.State != StateNews || len(asked) != 0 {
		t.Errorf("the next head: %s, asked %d times: %v", r.State, len(asked), r.Err)
	}
	other := newForge(t, "bob")
	spec.URL = other.dir
	if r := m.sync(spec)[0]; r.State != StateRefused || len(asked) != 0 {
		t.Errorf("another log: %s, asked %d times: %v", r.State, len(asked), r.Err)
	}
}

// TestHostileAllowedSigners substitutes the file for stock tools, leaves it out, and makes it something
// else (F4): it is said with every sync, and changes nothing of what is accepted.
func TestHostileAllowedSigners(t *testing.T) {
	t.Parallel()
	alice := newForge(t, "alice")
	one := alice.say(trustFile("one"))
	alice.seal(nil)
	m := newMachine(t)
	spec := m.follow(alice)
	if got := m.pin(spec.Log).Signers; got != "" {
		t.Errorf("an honest file: %s", got)
	}
	for what, change := range map[string]func(){
		"not what the keys": func() { alice.files[records.AllowedSigners] = []byte("* " + testkit.NewKey("thief").Text() + "\n") },
		"is missing":        func() { delete(alice.files, records.AllowedSigners) },
		"not what":          func() { alice.files[records.AllowedSigners] = make([]byte, records.MaxBesideBytes+1) },
	} {
		change()
		alice.commit("somebody who may push")
		for range 2 { // said each time, not only when it is new
			r := m.sync(spec)[0]
			if r.State != StateUnchanged || len(r.Notes) != 1 || !strings.Contains(r.Notes[0], what) {
				t.Errorf("%s: %s, %q: %v", what, r.State, r.Notes, r.Err)
			}
		}
		if got := m.pin(spec.Log).Signers; !strings.Contains(got, what) {
			t.Errorf("the pin remembers %q", got)
		}
		m.wantHolds(spec.Log, []records.Envelope{one})
	}
	alice.seal(nil)
	if r := m.sync(spec)[0]; r.State != StateNews || len(r.Notes) != 0 {
		t.Errorf("mended: %s, %q: %v", r.State, r.Notes, r.Err)
	}
}

// TestStoreGoneDuringSync deletes the git store and the lists beside it while a sync is at each of its
// stages: the sync succeeds or fails alone, nothing is lost, and the next one goes on.
func TestStoreGoneDuringSync(t *testing.T) {
	t.Parallel()
	for _, stage := range []Stage{StageFetching, StageReading, StageVerifying, StageDone} {
		t.Run(string(stage), func(t *testing.T) {
			t.Parallel()
			alice := newForge(t, "alice")
			one := alice.say(trustFile("one"))
			alice.seal(nil)
			m := newMachine(t)
			spec := m.follow(alice)
			two := alice.say(reportFile("two"))
			alice.seal(nil)
			m.opt.Progress = func(e Event) {
				if e.Stage == stage {
					if err := removeAll(m.dirs.store(spec.Log)); err != nil {
						t.Error(err)
					}
				}
			}
			b, err := Sync(t.Context(), m.dirs, []Spec{spec}, m.opt)
			if err != nil {
				t.Fatal(err)
			}
			_ = b.Commit(t.Context(), m.apply)
			r := b.Results()[0]
			if err := b.Close(); err != nil {
				t.Fatal(err)
			}
			if !r.Good() && r.State != StateFailed {
				t.Errorf("%s: %v", r.State, r.Err)
			}
			m.opt.Progress = nil
			if r := m.sync(spec)[0]; !r.Good() || r.Head.Seq != 3 {
				t.Errorf("afterwards: %s, seq %d: %v", r.State, r.Head.Seq, r.Err)
			}
			m.wantHolds(spec.Log, []records.Envelope{one, two})
		})
	}
}

// TestHostileFreeze has a host show the same head for ever: it is accepted, and goes stale (F5.6).
func TestHostileFreeze(t *testing.T) {
	t.Parallel()
	alice := newForge(t, "alice")
	frozen := alice.mark()
	alice.say(reportFile("news that the host hides"))
	alice.seal(nil)
	alice.reset(frozen)
	m := newMachine(t)
	spec := m.follow(alice)
	for _, days := range []int{399, 401} {
		m.opt.Now = testStart.AddDate(0, 0, days)
		r := m.sync(spec)[0]
		if stale := !m.opt.Now.Before(r.Expires); r.State != StateUnchanged || stale != (days > 400) {
			t.Errorf("after %d days: %s, expires %s: %v", days, r.State, r.Expires, r.Err)
		}
	}
}
