package source

import (
	"errors"
	"testing"

	"github.com/distributed-trust/distrust/records"
)

// TestLookLimits holds what is looked over to the limits that need records to be counted, as a first
// contact is.
func TestLookLimits(t *testing.T) {
	t.Parallel()
	alice := newForge(t, "alice")
	alice.say(followOf(newForge(t, "bob"), "https://example.org/bob"))
	alice.say(followOf(newForge(t, "carol"), "https://example.org/carol"))
	alice.seal(nil)
	m := newMachine(t)
	spec := Spec{Name: "alice", URL: alice.dir, Limits: Limits{Edges: 2}}
	if _, err := Look(t.Context(), m.dirs, spec, m.opt); err != nil {
		t.Errorf("as many as may be: %v", err)
	}
	spec.Limits.Edges = 1
	var limit *LimitError
	if _, err := Look(t.Context(), m.dirs, spec, m.opt); !errors.As(err, &limit) || limit.Option != "edges" {
		t.Errorf("one more: %v", err)
	}
}

// TestLookBeside gives what lies at the top of the newest commit, sealed or not, and says how large
// the set is.
func TestLookBeside(t *testing.T) {
	t.Parallel()
	alice := newForge(t, "alice")
	alice.say(trustFile("one"))
	alice.files["LICENSE"] = []byte("free\n")
	alice.seal(nil)
	alice.files[records.AllowedSigners] = []byte("nobody\n")
	alice.commit("somebody else's signers")
	m := newMachine(t)
	p, err := Look(t.Context(), m.dirs, Spec{Name: "alice", URL: alice.dir}, m.opt)
	if err != nil {
		t.Fatal(err)
	}
	if b, ok := p.Beside["LICENSE"]; !ok || b != nil {
		t.Errorf("LICENSE: %q, %t", b, ok)
	}
	if b := string(p.Beside[records.AllowedSigners]); b != "nobody\n" {
		t.Errorf("allowed signers: %q", b)
	}
	if p.Tip != nil || p.Files < 4 || p.Bytes == 0 {
		t.Errorf("%d files, %d bytes, tip %v", p.Files, p.Bytes, p.Tip)
	}
	alice.files["head.yml"] = []byte("broken\n")
	alice.commit("unsealed")
	if p, err = Look(t.Context(), m.dirs, Spec{Name: "alice", URL: alice.dir}, m.opt); err != nil || p.Tip == nil || p.Offer.Unsealed != 1 {
		t.Errorf("unsealed: %v, %+v", err, p)
	}
}
