package journal

import (
	"cmp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/distributed-trust/distrust/records/trust"
	"github.com/distributed-trust/distrust/schema"
)

// Report is one record that speaks against an accepted thing now.
type Report struct {
	Record   string // id
	Log      string
	Source   string          // the user's name for the log
	Category schema.Category // of a report; "" for a record that knows other bytes or another signer
	Reason   string          // foreign text, cut to a screenful
	Issued   int64           // Unix seconds
	Own      bool            // the user's own word
}

// Alarm is an accepted thing that is now distrusted or a mismatch.
type Alarm struct {
	ID      string        // 32 hex, the same for the same bytes accepted as the same thing
	Entry   Entry         // as it was accepted first; Records are those that carried that
	Verdict trust.Verdict // now
	Reports []Report      // who says so now, the user's own first, then the newest
	Raised  time.Time     // since when it is open, or was until it was acknowledged
	Acked   time.Time     // zero: open
	Reason  string        // why it was acknowledged

	// Known are the ids of all records that the alarm ever showed: one that is not among them
	// opens an acknowledged alarm again.
	Known []string
}

// Change is what [Raise] found.
type Change struct {
	Alarms []Alarm // all that are to be kept: raised, still open, acknowledged; by id
	Raised []Alarm // those that are new, or open again because of a new report
	Closed []Alarm // those of before for which nothing reports any more; not among Alarms
}

// Raise compares what was accepted with what is decided about it now. It is pure: decide gives
// the decision over [Entry.Query], alarms are those of before, now is the clock.
//
// An alarm is raised when a thing became DISTRUSTED or a MISMATCH. What the user overruled was
// reported already: there only records that are new since then raise one. An acknowledged alarm
// stays so until a record speaks that it has not shown. An alarm closes when its thing is neither
// any more; one whose thing is not given stays as it is.
func Raise(things []Thing, decide func(Thing) trust.Decision, alarms []Alarm, now time.Time) Change {
	before := map[string]Alarm{}
	for _, a := range alarms {
		before[a.ID] = a
	}
	var c Change
	for i := range things {
		t := &things[i]
		old, had := before[t.ID]
		delete(before, t.ID)
		d := decide(*t)
		a, news := t.alarm(old, had, &d, Reports(&d), now)
		switch {
		case a == nil && had:
			c.Closed = append(c.Closed, old)
		case a == nil:
		default:
			c.Alarms = append(c.Alarms, *a)
			if news {
				c.Raised = append(c.Raised, *a)
			}
		}
	}
	for _, a := range before {
		c.Alarms = append(c.Alarms, a)
	}
	slices.SortFunc(c.Alarms, func(a, b Alarm) int { return strings.Compare(a.ID, b.ID) })
	return c
}

func bad(v trust.Verdict) bool { return v == trust.Distrusted || v == trust.Mismatch }

// alarm is the alarm over a thing after a decision, nil when there is none, and whether it is news.
func (t *Thing) alarm(old Alarm, had bool, d *trust.Decision, against []Report, now time.Time) (a *Alarm, news bool) {
	if !bad(d.Verdict) {
		return nil, false
	}
	unseen := func(r Report) bool { return !t.known[r.Record] }
	if !t.plain && !slices.ContainsFunc(against, unseen) {
		return nil, false
	}
	a = &Alarm{ID: t.ID, Entry: t.Entry.clone(), Verdict: d.Verdict, Reports: against, Raised: now}
	if had {
		a.Raised, a.Acked, a.Reason, a.Known = old.Raised, old.Acked, old.Reason, slices.Clone(old.Known)
	}
	fresh := false
	for _, r := range against {
		if r.Record != "" && !slices.Contains(a.Known, r.Record) {
			a.Known = append(a.Known, r.Record)
			fresh = fresh || unseen(r)
		}
	}
	if had && !a.Acked.IsZero() && fresh {
		a.Raised, a.Acked, a.Reason = now, time.Time{}, ""
		return a, true
	}
	return a, !had
}

// Reports lists the records that speak against a thing: the reports that count, the user's own
// included, and what makes a mismatch.
func Reports(d *trust.Decision) []Report {
	var list []Report
	add := func(s *trust.Statement, source string, own bool) {
		if !slices.ContainsFunc(list, func(r Report) bool { return r.Record == s.ID }) {
			list = append(list, Report{
				Record: s.ID, Log: s.Log, Source: source, Category: s.Category,
				Reason: clip(s.Reason), Issued: s.Issued, Own: own,
			})
		}
	}
	if d.Own != nil && d.Own.Statement.Kind == schema.KindDistrust {
		add(&d.Own.Statement, d.Own.Source, true)
	}
	for i := range d.Voices {
		if v := &d.Voices[i]; v.NotCounted == trust.Counts && v.Statement.Kind == schema.KindDistrust {
			add(&v.Statement, v.Source, v.Own)
		}
	}
	if d.Verdict == trust.Mismatch {
		for i := range d.Findings {
			if f := &d.Findings[i]; f.Statement.ID != "" && (f.Counted || f.Kind == trust.FindingOtherSigner) {
				add(&f.Statement, f.Source, f.Source == "")
			}
		}
	}
	slices.SortStableFunc(list, func(a, b Report) int {
		if a.Own != b.Own {
			if a.Own {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(b.Issued, a.Issued), strings.Compare(a.Record, b.Record))
	})
	return list
}

// maxReason is how much of a reason an alarm keeps, in bytes.
const maxReason = 400

// clip cuts a text between two characters.
func clip(s string) string {
	if len(s) <= maxReason {
		return s
	}
	at := maxReason
	for at > 0 && !utf8.RuneStart(s[at]) {
		at--
	}
	return s[:at] + "…"
}

// Ack marks the alarm whose id begins with prefix (one or more digits) as seen; false when there
// is none, or more than one. The alarms that are given stay as they are.
func Ack(alarms []Alarm, prefix, reason string, now time.Time) ([]Alarm, bool) {
	found, ok := only(alarms, prefix, func(a Alarm) string { return a.ID })
	if !ok {
		return alarms, false
	}
	alarms = slices.Clone(alarms)
	alarms[found].Acked, alarms[found].Reason = now, reason
	return alarms, true
}
