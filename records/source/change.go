package source

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/index"
	"github.com/distributed-trust/distrust/records/trust"
	"github.com/distributed-trust/distrust/schema"
)

// change compares the set that was accepted with the one before, for the rule that reports stay
// (F5.7).
type change struct {
	in    *intake
	whole bool // in holds the whole set, not only what is new
	log   records.Log
	gen   *index.Generation // what was known before; nil: nothing
	spool *index.Spool      // the records of in; nil: none

	before map[string]beforeEntry // of the index, when it had to be looked at
	left   []string               // ids that were in the set, and are not now
	kept   *keptReports

	counted  []records.Record // all vanished reports that count
	vanished []records.Record // those of them that are new
	ended    []records.Ended
	lost     int // reports that left the set and could not be read any more
}

type beforeEntry struct {
	kind     schema.Kind
	vanished bool
}

// compare finds out what left the set and which of it stays.
func (c *change) compare(d Dirs, now time.Time) error {
	var err error
	if c.kept, err = readKept(d, c.log); err != nil {
		return err
	}
	if !c.whole && len(c.in.gone) == 0 && c.kept.count() == 0 {
		return nil // the usual sync: nothing has ever left
	}
	if err := c.readBefore(); err != nil {
		return err
	}
	gone, err := c.openLeft()
	if err != nil {
		return err
	}
	old := slices.Concat(c.kept.records, gone)
	after, err := c.after(old)
	if err != nil {
		return err
	}
	c.counted, c.ended = records.Vanished(old, after, c.log, now)
	c.keep(gone)
	return nil
}

// readBefore reads what the index knew, and finds what left the set. No signature is verified.
func (c *change) readBefore() error {
	c.before = map[string]beforeEntry{}
	if c.gen == nil {
		return nil
	}
	err := c.gen.Statements(c.log.ID, func(st trust.Statement, _ string) error {
		c.before[st.ID] = beforeEntry{st.Kind, st.Vanished}
		return nil
	})
	var damage *index.DamageError
	switch {
	case c.whole && errors.As(err, &damage) && damage.Log != "":
		c.lost++ // what lies behind the damage is not known any more; the set itself comes whole
	case err != nil:
		return fmt.Errorf("reading index: %w", err)
	}
	gone := c.in.gone
	if c.whole {
		gone = make([]string, 0, len(c.before))
		for id := range c.before {
			gone = append(gone, id)
		}
	}
	for _, id := range gone {
		if _, known := c.before[id]; known && !c.in.now[id] {
			c.left = append(c.left, id)
		}
	}
	slices.Sort(c.left)
	c.left = slices.Compact(c.left)
	return nil
}

// openLeft opens what left the set and bears on reports: these, and withdraws.
func (c *change) openLeft() ([]records.Record, error) {
	var ids []string
	for _, id := range c.left {
		kind := c.before[id].kind
		if (kind == schema.KindDistrust || kind == schema.KindWithdraw) && !c.kept.has(id) {
			ids = append(ids, id)
		}
	}
	return c.open(ids)
}

// open opens records of the log from the record store.
func (c *change) open(ids []string) ([]records.Record, error) {
	var opened []records.Record
	for _, id := range ids {
		entries, err := c.gen.ByID(id)
		var damage *index.DamageError
		if c.whole && errors.As(err, &damage) && damage.Log != "" {
			c.lost++ // what cannot be read is said; the rest of the set must not wait for it
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("reading index: %w", err)
		}
		for _, e := range entries {
			if e.Record.Log() == c.log.ID {
				opened = append(opened, e.Record)
				c.in.looked++
			}
		}
	}
	return opened, nil
}

// after is the set now, as far as it bears on the old reports: these themselves, trust in the same
// things, and withdraws of either.
func (c *change) after(old []records.Record) (iter.Seq[records.Record], error) {
	about := map[string]bool{} // subjects of the reports, and ids that may be withdrawn
	for _, r := range old {
		if r.Kind() == schema.KindDistrust {
			about[r.ID()] = true
			for _, s := range r.Doc().Subjects {
				about[subjectKey(s)] = true
			}
		}
	}
	delete(about, "")
	if len(about) == 0 {
		return slices.Values([]records.Record(nil)), nil
	}
	bears, err := c.openThose(func(st *trust.Statement) bool {
		same := func(s schema.Subject) bool { return about[subjectKey(s)] }
		if !about[st.ID] && (st.Kind != schema.KindTrust || !slices.ContainsFunc(st.Subjects, same)) {
			return false
		}
		about[st.ID] = true
		return true
	})
	if err != nil {
		return nil, err
	}
	withdraws, err := c.openThose(func(st *trust.Statement) bool {
		return slices.ContainsFunc(st.Withdraws, func(id string) bool { return about[id] })
	})
	return slices.Values(slices.Concat(bears, withdraws)), err
}

// openThose opens what is wanted of the set now: of what stayed, and of what came in.
func (c *change) openThose(wanted func(*trust.Statement) bool) ([]records.Record, error) {
	var ids []string
	if !c.whole && c.gen != nil {
		err := c.gen.Statements(c.log.ID, func(st trust.Statement, _ string) error {
			if _, gone := slices.BinarySearch(c.left, st.ID); !gone && !st.Vanished && wanted(&st) {
				ids = append(ids, st.ID)
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("reading index: %w", err)
		}
	}
	opened, err := c.open(ids)
	if err != nil || c.spool == nil {
		return opened, err
	}
	came, err := c.spool.Open(c.log, wanted)
	c.in.looked += len(came)
	return append(opened, came...), err
}

// subjectKey is what two subjects share when trust in one can end a report on the other.
func subjectKey(s schema.Subject) string {
	return s.Digest.SHA256 + s.Signer + s.Git.Commit + s.Git.Tree // exactly one of them, or none
}

// keep says what goes under State/kept. A report that ended in good order is kept too, with the
// withdraw that ended it: it counts again when that withdraw turns out to be void (F2).
func (c *change) keep(gone []records.Record) {
	ends := map[string]bool{}
	for _, e := range c.ended {
		for _, id := range e.By {
			ends[id] = true
		}
		if !c.kept.has(e.Report.ID()) {
			c.kept.add = append(c.kept.add, e.Report)
		}
	}
	for _, r := range gone {
		if r.Kind() == schema.KindWithdraw && ends[r.ID()] {
			c.kept.add = append(c.kept.add, r)
		}
	}
	for _, r := range c.counted {
		if !c.kept.has(r.ID()) {
			c.kept.add = append(c.kept.add, r)
			if !c.before[r.ID()].vanished {
				c.vanished = append(c.vanished, r)
			}
		}
	}
	for _, r := range c.kept.records {
		if c.in.now[r.ID()] {
			c.kept.drop = append(c.kept.drop, r.ID())
		}
	}
}

// apply completes the update of the index with what left the set and what stays of it.
func (c *change) apply(u *index.Update) {
	stays := map[string]bool{}
	for _, r := range c.counted {
		stays[r.ID()] = true
		if c.whole || !c.before[r.ID()].vanished {
			u.Add = append(u.Add, index.Entry{Record: r, Vanished: true})
		}
	}
	if c.whole {
		return // the whole set is replaced
	}
	for _, id := range c.left {
		if !stays[id] {
			u.Remove = append(u.Remove, id)
		}
	}
	for _, e := range c.ended {
		if id := e.Report.ID(); c.before[id].vanished {
			u.Remove = append(u.Remove, id)
		}
	}
}

// counts are how many records came and went, vanished reports not among either.
func (c *change) counts() (added, removed int) {
	for id := range c.in.now {
		if _, known := c.before[id]; !known {
			added++
		}
	}
	for _, id := range c.left {
		if !c.before[id].vanished {
			removed++
		}
	}
	return added, removed - len(c.vanished)
}
