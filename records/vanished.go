package records

import (
	"iter"
	"slices"
	"time"

	"github.com/distributed-trust/distrust/schema"
)

// Ended is a report that left the set of its log in good order.
type Ended struct {
	Report Record
	By     []string // ids of the withdraw record, or of the trust records, that ended it
}

// Vanished tells which reports a log let disappear (F5.7). before are the log's records that were
// in the set, with the reports that had vanished earlier; only distrust and withdraw records among
// them matter. after is the whole set now; it is read once. log is the log as it is now: what a
// compromised key signed withdraws nothing and trusts nothing (F5.8).
//
// A report that is gone is vanished, kept and still counted, unless a withdraw of the log names it,
// or newer trust records that are active at now speak as specifically about everything that it
// reports. Void reports vanish too: [Log.Void] keeps them from counting, and the owner may stand by
// them later. Both lists are in the order of before.
func Vanished(before []Record, after iter.Seq[Record], log Log, now time.Time) (vanished []Record, ended []Ended) {
	gone := map[string]Record{}
	for _, r := range before {
		if r.doc.Kind == schema.KindDistrust && r.doc.Log == log.ID {
			gone[r.id] = r
		}
	}
	ends := endings{withdraws: map[string]string{}, trusts: map[string][]Record{}}
	wanted := subjectsOf(gone)
	for _, r := range before {
		ends.addWithdraw(r, log) // what was taken back once stays so
	}
	for r := range after {
		delete(gone, r.id)
		ends.addWithdraw(r, log)
		ends.addTrust(r, log, wanted, now)
	}
	for _, r := range before {
		if _, missing := gone[r.id]; !missing {
			continue
		}
		delete(gone, r.id) // before may hold it twice
		if by := ends.of(r); by != nil {
			ended = append(ended, Ended{Report: r, By: by})
			continue
		}
		vanished = append(vanished, r)
	}
	return vanished, ended
}

// endings is what can end a report: withdraws by the record that they name, trust by the thing
// that it is about.
type endings struct {
	withdraws map[string]string
	trusts    map[string][]Record
}

func (e endings) addWithdraw(r Record, log Log) {
	if r.doc.Kind != schema.KindWithdraw || r.doc.Log != log.ID || log.Void(r) {
		return
	}
	for _, id := range r.doc.Withdraws {
		if e.withdraws[id] == "" || r.id < e.withdraws[id] {
			e.withdraws[id] = r.id
		}
	}
}

func (e endings) addTrust(r Record, log Log, wanted map[string]bool, now time.Time) {
	d := &r.doc
	if d.Kind != schema.KindTrust || d.Log != log.ID || log.Void(r) {
		return
	}
	if d.Issued.After(now) || (!d.Expires.IsZero() && !now.Before(d.Expires)) {
		return // not active (D1)
	}
	for _, s := range d.Subjects {
		if about := aboutOf(s); wanted[about] {
			e.trusts[about] = append(e.trusts[about], r)
		}
	}
}

// of gives the records that end a report, nil when none do.
func (e endings) of(report Record) []string {
	if id := e.withdraws[report.id]; id != "" {
		return []string{id}
	}
	var by []string
	for _, s := range report.doc.Subjects {
		id := e.trusted(report, s)
		if id == "" {
			return nil
		}
		by = append(by, id)
	}
	slices.Sort(by)
	return slices.Compact(by)
}

// trusted finds a newer, not withdrawn trust record that speaks as specifically about one subject
// of a report (D3). Of several, the one with the smallest id, so that order plays no part.
func (e endings) trusted(report Record, s schema.Subject) string {
	best := ""
	for _, t := range e.trusts[aboutOf(s)] {
		if e.withdraws[t.id] != "" || !t.doc.Issued.After(report.doc.Issued) {
			continue
		}
		covers := func(o schema.Subject) bool { return coversSubject(o, s) }
		if !coversProject(t.doc, report.doc) || !slices.ContainsFunc(t.doc.Subjects, covers) {
			continue
		}
		if best == "" || t.id < best {
			best = t.id
		}
	}
	return best
}

// aboutOf names what a trust record would have to be about to be as specific as a report on s. It is
// empty for releases and projects: nothing positive is ever said about those, so only a withdraw
// ends a report on them.
func aboutOf(s schema.Subject) string {
	switch s.Kind() {
	case schema.SubjectFile:
		return "file " + s.Digest.SHA256
	case schema.SubjectSigner:
		return "signer " + s.Signer
	case schema.SubjectGit:
		return "git " + s.Git.Commit + " " + s.Git.Tree
	case schema.SubjectRelease, schema.SubjectProject:
	}
	return ""
}

// coversSubject says whether trust in t answers a report on r wherever that report matches. A
// report on a signer holds for every project, so only trust for every project ends it; where it
// is answered for some, the decision weighs both (D3).
func coversSubject(t, r schema.Subject) bool {
	if aboutOf(t) != aboutOf(r) {
		return false
	}
	switch t.Kind() {
	case schema.SubjectFile: // a report matches by either digest
		return r.Digest.SHA512 == "" || t.Digest.SHA512 == r.Digest.SHA512
	case schema.SubjectSigner:
		return slices.Contains(t.Pattern, "*")
	case schema.SubjectGit:
		return true
	case schema.SubjectRelease, schema.SubjectProject:
	}
	return false
}

// coversProject says whether trust that names a project or version can answer the report: it says
// nothing about another one (D3).
func coversProject(t, r schema.Record) bool {
	return t.Project == "" || (t.Project == r.Project && (t.Version == "" || t.Version == r.Version))
}

func subjectsOf(reports map[string]Record) map[string]bool {
	about := map[string]bool{}
	for _, r := range reports {
		for _, s := range r.doc.Subjects {
			about[aboutOf(s)] = true
		}
	}
	delete(about, "")
	return about
}
