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

	now    map[string]bool        // ids of the records in in
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
	c.now = map[string]bool{}
	for _, e := range c.in.entries {
		c.now[e.Record.ID()] = true
	}
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
		if _, known := c.before[id]; known && !c.now[id] {
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
				c.in.opened++
			}
		}
	}
	return opened, nil
}

// after is the set now, as far as it can end one of the old reports: what came in, and of what was
// there before only records that name one of them or speak about the same thing.
func (c *change) after(old []records.Record) (iter.Seq[records.Record], error) {
	var stayed []records.Record
	if !c.whole && c.gen != nil {
		about := map[string]bool{}
		for _, r := range old {
			if doc := r.Doc(); doc.Kind == schema.KindDistrust {
				about[r.ID()] = true
				for _, s := range doc.Subjects {
					about[subjectKey(s)] = true
				}
			}
		}
		delete(about, "")
		var ids []string
		err := c.gen.Statements(c.log.ID, func(st trust.Statement, _ string) error {
			if _, gone := slices.BinarySearch(c.left, st.ID); !gone && bearsOn(st, about) {
				ids = append(ids, st.ID)
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("reading index: %w", err)
		}
		if stayed, err = c.open(ids); err != nil {
			return nil, err
		}
	}
	return func(yield func(records.Record) bool) {
		for _, r := range stayed {
			if !yield(r) {
				return
			}
		}
		for _, e := range c.in.entries {
			if !yield(e.Record) {
				return
			}
		}
	}, nil
}

// bearsOn says whether a statement may end a report: it withdraws one, or trusts the same thing.
func bearsOn(st trust.Statement, about map[string]bool) bool {
	switch st.Kind {
	case schema.KindWithdraw:
		return slices.ContainsFunc(st.Withdraws, func(id string) bool { return about[id] })
	case schema.KindTrust:
		return slices.ContainsFunc(st.Subjects, func(s schema.Subject) bool { return about[subjectKey(s)] })
	default:
		return false
	}
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
		if c.now[r.ID()] {
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
			u.Add = append(u.Add, index.Entry{Record: r, Void: c.log.Void(r), Vanished: true})
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
	for id := range c.now {
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
