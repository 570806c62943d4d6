package source

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/distributed-trust/distrust/records"
)

// errCrash is where the power went.
var errCrash = errors.New("crash")

// TestCrashBetweenAnyTwoSteps ends the commit of a sync, and of a first contact, before every single
// change of a file: what is in force is then one of the two states, whole, and the next run ends
// where an undisturbed one does (S4).
func TestCrashBetweenAnyTwoSteps(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]bool{"first contact": true, "news, a report that vanishes, and one that comes back": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			alice := newForge(t, "alice")
			gone, back := alice.say(reportFile("gone")), alice.say(reportFile("back"))
			stays := alice.say(trustFile("stays"))
			alice.seal(nil)
			m := newMachine(t)
			spec := Spec{Name: "alice", URL: alice.dir, Fingerprint: alice.key.Fingerprint()}
			if !first {
				spec = m.follow(alice)
				alice.take(back)
				alice.seal(nil)
				m.sync(spec)
				alice.take(gone)
				alice.files[back.Path], alice.files[records.SignaturePath(back.Path)] = back.YAML, back.Sig
			}
			fresh := alice.say(trustFile("fresh"))
			alice.seal(nil)
			want := []records.Envelope{stays, fresh, back}
			var vanished []records.Envelope
			if first {
				want = append(want, gone)
			} else {
				vanished = []records.Envelope{gone}
			}
			for step := 1; ; step++ {
				if step > 200 {
					t.Fatal("the commit does not end")
				}
				c := m.copy()
				reached := c.crash(spec, step, first)
				if p, broken, err := Pins(c.dirs); err != nil || len(broken) > 0 || !first && len(p) != 1 {
					t.Fatalf("step %d: pins %v, damaged %v: %v", step, p, broken, err)
				}
				r := c.again(spec, first)
				if r.Err != nil {
					t.Fatalf("step %d: the next run: %v", step, r.Err)
				}
				c.wantHolds(r.Log, want, vanished...)
				if c.pin(r.Log).HeadID() != alice.head.ID() {
					t.Errorf("step %d: the pin did not follow", step)
				}
				if left := c.kept(r.Log); left != len(vanished) {
					t.Errorf("step %d: %d reports are kept, want %d", step, left, len(vanished))
				}
				// Where only lists were lost that save work, one more run takes the whole set again.
				later := Spec{Name: "alice", URL: alice.dir, Log: r.Log}
				c.sync(later)
				if r := c.sync(later)[0]; r.State != StateUnchanged {
					t.Errorf("step %d: runs after that: %s: %v", step, r.State, r.Err)
				}
				c.wantHolds(r.Log, want, vanished...)
				if t.Failed() || !reached {
					break
				}
			}
		})
	}
}

// copy is the same machine in another folder.
func (m *machine) copy() *machine {
	m.t.Helper()
	c := newMachine(m.t)
	for from, to := range map[string]string{m.dirs.Data: c.dirs.Data, m.dirs.State: c.dirs.State, m.dirs.Cache: c.dirs.Cache} {
		if _, err := os.Stat(from); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err := os.CopyFS(to, os.DirFS(from)); err != nil {
			m.t.Fatal(err)
		}
	}
	return c
}

// crash runs a sync whose commit ends before its n-th change, as if the machine went off: nothing is
// cleared away. It says whether the commit came so far.
func (m *machine) crash(spec Spec, n int, first bool) bool {
	m.t.Helper()
	steps, committing := 0, false
	m.dirs.step = func(string) error {
		if !committing {
			return nil
		}
		if steps++; steps >= n {
			return errCrash
		}
		return nil
	}
	b := m.begin(spec, first)
	m.dirs.step, committing = nil, true
	err := b.Commit(context.Background(), m.apply)
	if err != nil && !errors.Is(err, errCrash) {
		m.t.Fatal(err)
	}
	if b.gen != nil {
		err = b.gen.Close()
	}
	if err = errors.Join(err, b.lock.Unlock()); err != nil && !errors.Is(err, errCrash) { // what ends with the process
		m.t.Fatal(err)
	}
	return steps >= n
}

func (m *machine) begin(spec Spec, first bool) *Batch {
	m.t.Helper()
	run := func() (*Batch, error) { return Sync(context.Background(), m.dirs, []Spec{spec}, m.opt) }
	if first {
		run = func() (*Batch, error) { return First(context.Background(), m.dirs, spec, m.opt, nil) }
	}
	b, err := run()
	if err != nil {
		m.t.Fatal(err)
	}
	return b
}

// again is the next run of a person whose last one broke off.
func (m *machine) again(spec Spec, first bool) *Result {
	m.t.Helper()
	b := m.begin(spec, first)
	r := m.finish(b)[0]
	if first && r.State == StateFollowed { // the pin was in force already
		r.Err = nil
	}
	return r
}

// kept counts the reports that are kept of a log.
func (m *machine) kept(log string) int {
	m.t.Helper()
	entries, err := os.ReadDir(filepath.Join(m.dirs.State, "kept", log))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		m.t.Fatal(err)
	}
	n := 0
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".yml") {
			n++
		}
	}
	return n
}
