package trust

import (
	"cmp"
	"slices"
	"strings"

	"github.com/distributed-trust/distrust/schema"
)

// source is one log that said something about the subject; the user's logs together are one.
type source struct {
	log  string // of the user: ""
	said []said
}

// word is what one source says in the end: one source, one voice (D3).
type word struct {
	*said
	at     rank
	weight int // its strength, of a report the greatest of all that stand
}

// choose finds the word of a source when the query has the given names, leaving out the reports
// in seen. A report stands unless the same source has a trust record that is newer and at least
// as specific; if any stands the word is a report, else the most specific, newest trust.
func (s *source) choose(names []name, seen map[string]bool) (word, bool) {
	var report word
	for i := range s.said {
		x := &s.said[i]
		if !x.counts() || !x.isReport() || seen[x.s.ID] {
			continue
		}
		if at := x.as(names); at != noRank && !s.answers(x, at) {
			strength := max(report.weight, x.strength())
			report = report.or(word{x, at, 0})
			report.weight = strength
		}
	}
	if report.said != nil {
		return report, true
	}
	return s.trust()
}

// trust is the word of a source as far as it trusts, whatever it reports besides.
func (s *source) trust() (word, bool) {
	var trust word
	for i := range s.said {
		if x := &s.said[i]; x.counts() && !x.isReport() {
			trust = trust.or(word{x, x.rank, x.strength()})
		}
	}
	return trust, trust.said != nil
}

// answers says whether a trust record of the source is newer than a report and at least as
// specific as at.
func (s *source) answers(report *said, at rank) bool {
	for i := range s.said {
		x := &s.said[i]
		if x.counts() && !x.isReport() && x.rank >= at && x.s.Issued > report.s.Issued {
			return true
		}
	}
	return false
}

// or is the better of two words: the more specific, then the newer, then the smaller id. A word
// without a level is none.
func (w word) or(v word) word {
	switch {
	case v.at == noRank:
		return w
	case w.said == nil:
		return v
	}
	by := cmp.Or(cmp.Compare(v.at, w.at), cmp.Compare(v.s.Issued, w.s.Issued), strings.Compare(w.s.ID, v.s.ID))
	if by > 0 {
		return v
	}
	return w
}

// listed says whether a record is worth a line when the query has the given names: it matches, or
// nearly so.
func (x *said) listed(names []name) bool {
	if x.isReport() {
		return x.as(names) != noRank
	}
	return x.rank != noRank || x.misfit
}

// gather looks at every statement once and sorts what matters by source.
func (d *decider) gather(statements []*Statement) {
	d.own = &source{}
	byLog := map[string]*source{}
	taken := map[recordOf]bool{}
	for _, s := range statements {
		x, ok := d.m.look(s)
		if key := (recordOf{s.Log, s.ID}); !ok || taken[key] {
			continue
		} else if s.ID != "" {
			taken[key] = true
		}
		of := d.own
		if !d.c.isOwn(s.Log) {
			if of = byLog[s.Log]; of == nil {
				of = &source{log: s.Log}
				byLog[s.Log] = of
				d.others = append(d.others, of)
			}
		}
		of.said = append(of.said, x)
	}
	slices.SortFunc(d.others, func(a, b *source) int { return strings.Compare(a.log, b.log) })
	slices.SortFunc(d.own.said, compareSaid)
	for _, s := range d.others {
		slices.SortFunc(s.said, compareSaid)
	}
}

// compareSaid is the order of one source's records: the newest first.
func compareSaid(a, b said) int {
	return cmp.Or(cmp.Compare(b.s.Issued, a.s.Issued), strings.Compare(a.s.ID, b.s.ID))
}

// findNames notes which projects and versions the query has for reports: those that the user
// named, those in own records of these bytes, and those that records of these bytes of heard
// sources name with the bar for blocking or more (D3). A source is heard here about the project
// that it names, so that a scoped feed is not evaded by leaving out the project.
func (d *decider) findNames() {
	asked := name{d.q.Project, d.q.Version}
	names := map[name]bool{}
	for n := range d.own.names() {
		names[n] = true
	}
	by := map[name][]naming{}
	for _, s := range d.others {
		for n, strength := range s.names() {
			by[n] = append(by[n], naming{s.log, strength})
		}
	}
	for n, all := range by {
		if names[n] {
			continue
		}
		p := d.pass(n.project, false)
		var voices []heard
		for _, v := range all {
			if at, ok := p.find(v.log); ok {
				voices = append(voices, heard{at, v.strength})
			}
		}
		if _, sum := p.addUp(voices); sum >= d.pol.Block {
			names[n] = true
		}
	}
	delete(names, asked)
	for n := range names {
		d.names = append(d.names, n)
	}
	slices.SortFunc(d.names, func(a, b name) int {
		return cmp.Or(strings.Compare(a.project, b.project), strings.Compare(a.version, b.version))
	})
	d.names = slices.Insert(d.names, 0, asked)
}

// naming is a source that names a project or version, and how strongly.
type naming struct {
	log      string
	strength int
}

// names are the names that a source's records of these very bytes give them, each with the
// greatest strength of those that do. A record that names a version names its project too.
func (s *source) names() map[name]int {
	names := map[name]int{}
	for i := range s.said {
		x := &s.said[i]
		if !x.counts() || !x.knows || x.s.Project == "" {
			continue
		}
		for _, version := range []string{"", x.s.Version} {
			n := name{x.s.Project, version}
			names[n] = max(names[n], x.strength())
		}
	}
	return names
}

// seenReports collects the reports that an active own trust record about the subject has seen:
// the user overruled them (D4, N').
func (d *decider) seenReports() map[string]bool {
	seen := map[string]bool{}
	for i := range d.own.said {
		x := &d.own.said[i]
		if x.counts() && x.s.Kind == schema.KindTrust && x.rank != noRank {
			for _, id := range x.s.Seen {
				seen[id] = true
			}
		}
	}
	return seen
}
