package source

import (
	"path/filepath"
	"testing"
)

// TestNothingLeftAside looks for what a sync sets aside for its commit: it is gone whether there is one or not.
func TestNothingLeftAside(t *testing.T) {
	t.Parallel()
	alice := newForge(t, "alice")
	m := newMachine(t)
	spec := m.follow(alice)
	aside := func() []string {
		found, err := filepath.Glob(filepath.Join(m.dirs.store(spec.Log), "*"+nextSuffix))
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	alice.say(trustFile("one"))
	alice.seal(nil)
	b, err := Sync(t.Context(), m.dirs, []Spec{spec}, m.opt)
	if err != nil {
		t.Fatal(err)
	}
	if len(aside()) != 2 {
		t.Errorf("before the commit: %v", aside())
	}
	if err := b.Close(); err != nil || len(aside()) != 0 {
		t.Errorf("closed: %v: %v", aside(), err)
	}
	if r := m.sync(spec)[0]; r.State != StateNews || len(aside()) != 0 {
		t.Errorf("%s, %v: %v", r.State, aside(), r.Err)
	}
	if list := readFileList(filepath.Join(m.dirs.store(spec.Log), filesFile)); list.Head != m.pin(spec.Log).HeadID() {
		t.Errorf("the list is that of head %q", list.Head)
	}
}
