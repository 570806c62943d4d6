package source

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/internal/testkit"
	"github.com/distributed-trust/distrust/schema"
)

// TestHostileStates shows a follower what no honest publisher shows. Every case is refused with
// its own kind, and pin, index and records stay what they were.
func TestHostileStates(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name     string
		attack   func(t *testing.T, alice *forge, start mark)
		kind     string
		state    State
		evidence bool
	}{
		{"rollback", func(_ *testing.T, alice *forge, start mark) {
			alice.reset(start)
		}, string(records.Rollback), StateRefused, true},
		{"fork", func(_ *testing.T, alice *forge, start mark) {
			alice.reset(start)
			alice.say(trustFile("the other story"))
			alice.seal(nil)
		}, string(records.Fork), StateRefused, true},
		{"fork that went on", func(_ *testing.T, alice *forge, start mark) {
			alice.reset(start)
			alice.say(trustFile("the other story"))
			alice.seal(nil)
			alice.say(trustFile("and more of it"))
			alice.seal(nil)
		}, string(records.Fork), StateRefused, true},
		{"skipped number", func(_ *testing.T, alice *forge, _ mark) {
			alice.say(trustFile("hidden"))
			alice.head = alice.nextHead(nil) // signed, never shown
			alice.say(trustFile("shown"))
			alice.seal(nil)
		}, string(records.Rewrite), StateRefused, true},
		{"squashed history", func(_ *testing.T, alice *forge, _ mark) {
			alice.say(trustFile("a"))
			alice.seal(nil)
			alice.say(trustFile("b"))
			alice.seal(nil)
			alice.orphan()
			alice.commit("one commit")
		}, string(records.Rewrite), StateRefused, true},
		{"a stranger's head", func(_ *testing.T, alice *forge, _ mark) {
			mallory := testkit.NewKey("mallory")
			alice.key = mallory
			alice.say(trustFile("evil"), mallory)
			alice.publish(alice.nextHead(func(d *schema.Head) { d.Keys[0] = mallory.Listed(schema.Active, false) }))
		}, string(records.NoAuthority), StateRefused, true},
		{"another log", func(t *testing.T, alice *forge, _ mark) {
			other := newForge(t, "other")
			replaceRepository(t, alice, other)
		}, string(records.WrongLog), StateRefused, true},
		{"head from the future", func(_ *testing.T, alice *forge, _ mark) {
			alice.seal(func(d *schema.Head) { d.Issued = testNow.Add(2 * time.Hour) })
		}, string(records.Future), StateRefused, true},
		{"keys changed, not kept", func(_ *testing.T, alice *forge, _ mark) {
			h := alice.nextHead(func(d *schema.Head) { d.Keys = append(d.Keys, testkit.NewKey("second").Listed(schema.Active, false)) })
			alice.publish(h)
			delete(alice.files, records.HeadPath(h.Doc().Seq))
			alice.commit("lose the kept head")
		}, string(records.NotKept), StateRefused, true},
		{"no log any more", func(_ *testing.T, alice *forge, _ mark) {
			alice.files = map[string][]byte{"README.md": []byte("gone\n")}
			alice.orphan()
			alice.commit("nothing")
		}, KindNotTrust, StateRefused, false},
		{"deleted", func(t *testing.T, alice *forge, _ mark) {
			if err := os.RemoveAll(alice.dir); err != nil {
				t.Fatal(err)
			}
		}, KindNoGit, StateNotRepository, false},
		{"branch renamed", func(_ *testing.T, alice *forge, _ mark) {
			testkit.Git(alice.t, alice.dir, "branch", "-q", "-M", "main", "other")
		}, KindTransport, StateUnreachable, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			alice := newForge(t, "alice")
			start := alice.mark()
			one := alice.say(reportFile("one"))
			alice.seal(nil)
			m := newMachine(t)
			spec := m.follow(alice)
			before := m.pin(spec.Log)

			c.attack(t, alice, start)
			for range 2 { // and again: a refusal leaves nothing behind that would let it pass
				r := m.sync(spec)[0]
				if r.State != c.state || KindOf(r.Err) != c.kind {
					t.Fatalf("got %s, kind %q: %v", r.State, KindOf(r.Err), r.Err)
				}
				if r.Good() || r.Update != nil || r.HeadID != before.HeadID() {
					t.Errorf("the result does not say what is in force: %+v", r)
				}
				checkEvidence(t, m, r, c.evidence)
			}
			m.wantHolds(spec.Log, []records.Envelope{one})
			after := m.pin(spec.Log)
			if after.Head != before.Head || after.Tip != before.Tip || after.Commit != before.Commit || !after.Fetched.Equal(before.Fetched) {
				t.Error("the pin moved")
			}
			if refused := c.state == StateRefused; refused != (after.Refused != nil) || refused && after.Refused.Kind != c.kind {
				t.Errorf("the pin remembers %+v", after.Refused)
			}
		})
	}
}

// checkEvidence holds a refusal to both heads, on the disk as they were signed.
func checkEvidence(t *testing.T, m *machine, r *Result, want bool) {
	t.Helper()
	if !want {
		if r.Evidence != "" {
			t.Errorf("evidence in %s", r.Evidence)
		}
		return
	}
	var refused *records.HeadError
	if !errors.As(r.Err, &refused) {
		t.Fatalf("no head error: %v", r.Err)
	}
	all, err := Evidence(m.dirs, r.Log)
	if err != nil || len(all) != 1 || all[0] != r.Evidence {
		t.Fatalf("evidence %v (%v), the result names %q", all, err, r.Evidence)
	}
	for name, head := range map[string]records.Head{"pinned.yml": refused.Pinned, "got.yml": refused.Got} {
		yaml, err := os.ReadFile(filepath.Join(r.Evidence, name))
		if err != nil {
			t.Fatal(err)
		}
		sig, err := os.ReadFile(filepath.Join(r.Evidence, name+".sig"))
		if err != nil {
			t.Fatal(err)
		}
		h, err := records.OpenHead(name, yaml, sig)
		if err != nil || h.ID() != head.ID() {
			t.Errorf("%s is not the head of the refusal: %v", name, err)
		}
	}
}

// replaceRepository puts another forge's repository in the place of one.
func replaceRepository(t *testing.T, f, by *forge) {
	t.Helper()
	if err := os.RemoveAll(f.dir); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(by.dir, f.dir); err != nil {
		t.Fatal(err)
	}
}

// TestRefusalPasses comes back to an honest state after a refusal: it is accepted, and the reason is
// gone.
func TestRefusalPasses(t *testing.T) {
	t.Parallel()
	alice := newForge(t, "alice")
	start := alice.mark()
	alice.say(trustFile("one"))
	alice.seal(nil)
	m := newMachine(t)
	spec := m.follow(alice)
	honest := alice.mark()
	alice.reset(start)
	if r := m.sync(spec)[0]; r.State != StateRefused {
		t.Fatalf("%s", r.State)
	}
	alice.reset(honest)
	if r := m.sync(spec)[0]; r.State != StateUnchanged || m.pin(spec.Log).Refused != nil {
		t.Errorf("%s: %v; the pin remembers %v", r.State, r.Err, m.pin(spec.Log).Refused)
	}
}

// TestRewrittenHistoryWithAllHeads: git's ancestry is a note, not a rule (F5.3).
func TestRewrittenHistoryWithAllHeads(t *testing.T) {
	t.Parallel()
	alice := newForge(t, "alice")
	m := newMachine(t)
	spec := m.follow(alice)
	first := alice.head
	alice.say(trustFile("one"))
	second := alice.nextHead(nil)
	files := alice.files
	// The same heads on commits that never were the ones that were pinned.
	alice.orphan()
	alice.files = map[string][]byte{"README.md": []byte("cleaned\n")}
	alice.files["head.yml"], alice.files["head.yml.sig"] = first.Bytes()
	alice.commit("first, again")
	alice.files = files
	alice.publish(second)

	r := m.sync(spec)[0]
	if r.State != StateNews || r.Head.Seq != 2 {
		t.Fatalf("%s, seq %d: %v", r.State, r.Head.Seq, r.Err)
	}
	if len(r.Notes) != 1 || !strings.Contains(r.Notes[0], "rewritten") {
		t.Errorf("notes: %v", r.Notes)
	}
}

// TestHostileSourceAmongMany: one source's failure is no other's.
func TestHostileSourceAmongMany(t *testing.T) {
	t.Parallel()
	alice, bob, carol := newForge(t, "alice"), newForge(t, "bob"), newForge(t, "carol")
	m := newMachine(t)
	start := bob.mark()
	bob.seal(nil)
	specs := []Spec{m.follow(alice), m.follow(bob), m.follow(carol)}
	alice.say(trustFile("news"))
	alice.seal(nil)
	bob.reset(start)
	if err := os.RemoveAll(carol.dir); err != nil {
		t.Fatal(err)
	}
	rs := m.sync(specs...)
	if rs[0].State != StateNews || rs[1].State != StateRefused || rs[2].State != StateNotRepository {
		t.Errorf("%s, %s, %s", rs[0].State, rs[1].State, rs[2].State)
	}
	if !errors.Is(rs[2].Err, ErrNotRepository) {
		t.Errorf("carol: %v", rs[2].Err)
	}
}

// TestHostileSizes raises and lowers what a source may be (F7): more is refused with the number and the
// option, and nothing is cut.
func TestHostileSizes(t *testing.T) {
	t.Parallel()
	friends := []*forge{newForge(t, "bob"), newForge(t, "carol"), newForge(t, "dave")}
	cases := []struct {
		option string
		limits Limits
	}{
		{"files", Limits{Files: 5}},
		{"bytes", Limits{SetBytes: 1000}},
		{"edges", Limits{Edges: 2}},
		{"patterns", Limits{Patterns: 2}},
		{"commits", Limits{NewCommits: 1}},
		{"timeout", Limits{Timeout: time.Nanosecond}},
	}
	for _, c := range cases {
		t.Run(c.option, func(t *testing.T) {
			t.Parallel()
			alice := newForge(t, "alice")
			m := newMachine(t)
			spec := m.follow(alice)
			before := m.pin(spec.Log)
			for _, friend := range friends {
				name := filepath.Base(friend.dir)
				alice.say(followOf(friend, "https://example.org/"+name+".git", "pkg:npm/"+name+"/*"))
				alice.seal(nil)
			}
			spec.Limits = c.limits
			r := m.sync(spec)[0]
			var limit *LimitError
			if c.option == "timeout" {
				if r.Good() {
					t.Errorf("no time at all was enough: %s", r.State)
				}
			} else if r.State != StateRefused || !errors.As(r.Err, &limit) || limit.Option != c.option || limit.Got <= limit.Limit {
				t.Errorf("%s: %v", r.State, r.Err)
			}
			if m.pin(spec.Log).Head != before.Head {
				t.Error("the pin moved")
			}
			spec.Limits = Limits{}
			r = m.sync(spec)[0]
			if edges := m.edges(spec.Log); r.State != StateNews || r.Added != 3 || edges != 3 {
				t.Errorf("with the limits of F7: %s, +%d, %d edges: %v", r.State, r.Added, edges, r.Err)
			}
		})
	}
}

// TestHostileSizeInPieces counts the files of the whole set, not only those that are new.
func TestHostileSizeInPieces(t *testing.T) {
	t.Parallel()
	alice := newForge(t, "alice")
	m := newMachine(t)
	spec := m.follow(alice)
	spec.Limits.Files = 6 // the kept head, and two records, with their signatures
	for i, want := range []State{StateNews, StateNews, StateRefused} {
		alice.say(trustFile(strings.Repeat("x", i)))
		alice.seal(nil)
		var limit *LimitError
		r := m.sync(spec)[0]
		if r.State != want || want == StateRefused && (!errors.As(r.Err, &limit) || limit.Got != 8) {
			t.Errorf("%d records: %s: %v", i+1, r.State, r.Err)
		}
	}
}

// TestHostileEdgesInPieces counts edges over the whole set, not only over what is new.
func TestHostileEdgesInPieces(t *testing.T) {
	t.Parallel()
	alice, bob, carol := newForge(t, "alice"), newForge(t, "bob"), newForge(t, "carol")
	first := alice.say(followOf(bob, "https://example.org/bob.git", "pkg:npm/a", "pkg:npm/b"))
	alice.seal(nil)
	m := newMachine(t)
	spec := m.follow(alice)
	alice.say(followOf(carol, "https://example.org/carol.git", "pkg:npm/b", "pkg:npm/c"))
	alice.seal(nil)
	spec.Limits.Patterns = 2
	var limit *LimitError
	if r := m.sync(spec)[0]; !errors.As(r.Err, &limit) || limit.Got != 3 {
		t.Errorf("%s: %v", r.State, r.Err)
	}
	alice.take(first)
	alice.seal(nil)
	if r := m.sync(spec)[0]; r.State != StateNews {
		t.Errorf("after one edge went: %s: %v", r.State, r.Err)
	}
}

// TestNewerHeadOnTop: a state that needs a newer program is not in force, and that is said each time.
func TestNewerHeadOnTop(t *testing.T) {
	t.Parallel()
	alice := newForge(t, "alice")
	m := newMachine(t)
	spec := m.follow(alice)
	alice.files["head.yml"] = []byte("distrust: 2\nkind: \"head\"\n")
	alice.commit("a format of later years")
	for range 2 {
		r := m.sync(spec)[0]
		if r.State != StateUnchanged || r.Unsealed != 1 || len(r.Notes) != 1 || !strings.Contains(r.Notes[0], "newer") {
			t.Errorf("%s, %d unsealed, notes %v: %v", r.State, r.Unsealed, r.Notes, r.Err)
		}
	}
}

// TestHostileEvidence: a source can make forks for ever, a machine cannot keep them all.
func TestHostileEvidence(t *testing.T) {
	t.Parallel()
	alice := newForge(t, "alice")
	start := alice.mark()
	alice.say(trustFile("one"))
	alice.seal(nil)
	m := newMachine(t)
	pinned := alice.head
	for i := range maxEvidence + 3 {
		alice.reset(start)
		got := alice.nextHead(func(d *schema.Head) { d.Name = strings.Repeat("x", i+1) })
		dir, err := keepEvidence(m.dirs, &records.HeadError{Kind: records.Fork, Pinned: pinned, Got: got}, &Refused{At: testNow, Kind: "fork"})
		if err != nil || (dir == "") != (i >= maxEvidence) {
			t.Fatalf("evidence %d: %q, %v", i, dir, err)
		}
	}
	if all, err := Evidence(m.dirs, pinned.Doc().Log); err != nil || len(all) != maxEvidence {
		t.Errorf("%d kept, %v", len(all), err)
	}
}

// TestHostileEdgeBytes refuses public follows whose addresses take more than every check should read.
func TestHostileEdgeBytes(t *testing.T) {
	t.Parallel()
	alice, bob := newForge(t, "alice"), newForge(t, "bob")
	m := newMachine(t)
	spec := m.follow(alice)
	alice.say(followOf(bob, "https://example.org/"+strings.Repeat("b", 3*edgeBytes)+".git", "pkg:npm/b/*"))
	alice.seal(nil)
	spec.Limits = Limits{Edges: 2}
	r := m.sync(spec)[0]
	var limit *LimitError
	if r.State != StateRefused || !errors.As(r.Err, &limit) || limit.Option != "edges" || limit.Limit != 2*edgeBytes {
		t.Errorf("%s: %v", r.State, r.Err)
	}
	spec.Limits = Limits{}
	if r = m.sync(spec)[0]; r.State != StateNews {
		t.Errorf("with the limits of F7: %s: %v", r.State, r.Err)
	}
}
