package index

import (
	"fmt"

	"github.com/distributed-trust/distrust/records/index/internal/store"
	"github.com/distributed-trust/distrust/records/trust"
	"github.com/distributed-trust/distrust/schema"
)

// Touched says which decisions a change of the index can bear on, so that after a sync not everything
// has to be decided again. It may say yes in vain, never no.
type Touched struct {
	all      bool            // anything may come to something else
	projects bool            // whatever has a project or a signer may
	keys     map[uint64]bool // of what speaks about one thing
}

// maxTouched is how many keys are told apart: where more changes at once, anything may have.
const maxTouched = 64 << 10

// None says that nothing was touched.
func (t *Touched) None() bool { return !t.all && !t.projects && len(t.keys) == 0 }

// Bears says whether the decision over q can be another one after the change. It does not know the clock:
// what expires meanwhile, and a head that a source renews, are for the caller to look at.
func (t *Touched) Bears(q trust.Query) bool {
	if t.all || t.projects && (q.Project != "" || len(q.Signatures) > 0) {
		return true
	}
	s := search{q: q}
	for _, keys := range [][]uint64{s.fileKeys(), s.signerKeys(), s.twinKeys(), s.projectKeys()} {
		for _, key := range keys {
			if t.keys[key] {
				return true
			}
		}
	}
	return false
}

// statement notes a record that comes or goes. See [trust.Decide] for what a decision looks at.
func (t *Touched) statement(st *trust.Statement) {
	if t.all = t.all || len(t.keys) > maxTouched; t.all {
		clear(t.keys)
		return
	}
	if st.Kind == schema.KindFollow {
		t.all = true // who is heard at all
		return
	}
	for i := range st.Subjects {
		s := &st.Subjects[i]
		switch {
		case s.Project != "" || s.Release != "":
			t.all = true // a file is known as a project's by what others say of it
		case s.Signer != "" && st.Kind == schema.KindDistrust:
			t.projects = true // somebody may let that key sign for any of them
		}
	}
	for _, key := range keysOf(nil, st) {
		t.keys[key] = true
	}
}

// Touched says what the updates so far bear on. It is asked before [Writer.Commit].
func (w *Writer) Touched() (*Touched, error) {
	t := &w.bearing
	for _, l := range w.logs {
		replaced := l.fresh && l.before != nil // the store is written anew: what went is not known one by one
		t.all = t.all || replaced || l.survey
	}
	// What takes a record back bears on what that one is about. One that came with these updates has
	// been noted itself.
	for len(w.withdrawn) > 0 && !t.all && w.prev != nil {
		ids := w.withdrawn
		w.withdrawn = nil
		found, err := w.prev.lookup(func(v *table) (refs []ref, err error) {
			for _, id := range ids {
				if refs, err = v.find(refs, spaceIDs, hashID(id), hashID(id)); err != nil {
					return nil, err
				}
			}
			return refs, nil
		})
		if err != nil {
			return nil, fmt.Errorf("reading index: %w", err)
		}
		for _, f := range found {
			said, err := f.frame.Said(&f.log.Keys)
			if err != nil {
				return nil, w.prev.blame(f.log, err)
			}
			w.bear(&said.Statement)
		}
	}
	return t, nil
}

// touch notes a record that comes or goes.
func (l *logWriter) touch(s *store.Said) {
	if l.state.isLate(s) {
		l.w.bearing.all = true // what the user says last moves the time of every decision (D1)
	}
	l.w.bear(&s.Statement)
}

// bear notes a record that comes, goes, or is taken back.
func (w *Writer) bear(st *trust.Statement) {
	w.bearing.statement(st)
	if st.Kind == schema.KindWithdraw && !w.bearing.all {
		w.withdrawn = append(w.withdrawn, st.Withdraws...)
	}
}
