package trust

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/distributed-trust/distrust/schema"
)

// source is one log that said something about the subject; the user's logs together are one.
type source struct {
	log  string // of the user: ""
	said []said

	// By sort:
	reports map[bucket][]*said  // that count
	newest  [fileRank + 1]int64 // of each level, when the newest trust that is as specific was issued
	trusted word
	words   map[standing]word // by standing
	whole   *word             // by decider.word
}

// word is what one source says in the end: one source, one voice (D3).
type word struct {
	*said
	at     rank
	weight int // its strength, of a report the greatest of all that stand
}

// choose finds the word of a source when the query has the given names, leaving out the reports
// in seen, which is nil or always the same. A report stands unless the same source has a trust
// record that is newer and at least as specific; if any stands the word is a report, else the most
// specific, newest trust.
func (s *source) choose(names []name, seen map[string]bool) (word, bool) {
	s.sort()
	report := s.standing(bucket{}, seen)
	for _, n := range names {
		if n.project == "" {
			continue
		}
		report = report.with(s.standing(bucket{n.project, ""}, seen))
		if n.version != "" {
			report = report.with(s.standing(bucket(n), seen))
		}
	}
	if report.said != nil {
		return report, true
	}
	return s.trust()
}

// word is the word of a source for all names of the query, with no report left out.
func (d *decider) word(s *source) (word, bool) {
	if s.whole == nil {
		w, _ := s.choose(d.names, nil)
		s.whole = &w
	}
	return *s.whole, s.whole.said != nil
}

// bucket names the reports that match a query for one reason: its bytes or signers, its project,
// or its release. A report that matches for several is in several; where it stands as the less
// specific, it stands as the more specific too.
type bucket struct{ project, version string }

// rank is where a report of a bucket matches.
func (b bucket) rank(x *said) rank {
	switch {
	case b.project == "":
		return x.rank
	case b.version == "":
		return projectRank
	}
	return releaseRank
}

// sort puts the records into buckets, once: a source may say very much about one thing, and it is
// asked for every name that the thing has.
func (s *source) sort() {
	if s.reports != nil {
		return
	}
	s.reports = map[bucket][]*said{}
	s.words = map[standing]word{}
	for r := range s.newest {
		s.newest[r] = math.MinInt64
	}
	put := func(b bucket, x *said) {
		if of := s.reports[b]; len(of) == 0 || of[len(of)-1] != x {
			s.reports[b] = append(of, x)
		}
	}
	for i := range s.said {
		x := &s.said[i]
		switch {
		case !x.counts():
		case !x.isReport():
			for r := noRank; r <= x.rank; r++ {
				s.newest[r] = max(s.newest[r], x.s.Issued)
			}
			s.trusted = s.trusted.or(word{x, x.rank, x.strength()})
		default:
			if x.rank != noRank {
				put(bucket{}, x)
			}
			for _, named := range x.named {
				if project, version, ok := schema.SplitRelease(named.Release); ok {
					put(bucket{project, version}, x)
				} else if named.Project != "" {
					put(bucket{named.Project, ""}, x)
				}
			}
		}
	}
}

// standing is a bucket, with or without the reports that the user has seen.
type standing struct {
	bucket
	seen bool
}

// standing is the word of those reports of a bucket that stand; none has no record.
func (s *source) standing(b bucket, seen map[string]bool) word {
	reports := s.reports[b]
	if len(reports) == 0 {
		return word{}
	}
	key := standing{b, seen != nil}
	report, known := s.words[key]
	if known {
		return report
	}
	for _, x := range reports {
		if at := b.rank(x); !seen[x.s.ID] && !s.answers(x, at) {
			report = report.with(word{x, at, x.strength()})
		}
	}
	s.words[key] = report
	return report
}

// with is the better of two words of the same source that stand, with the greatest strength of both.
func (w word) with(v word) word {
	strength := max(w.weight, v.weight)
	w = w.or(v)
	w.weight = strength
	return w
}

// trust is the word of a source as far as it trusts, whatever it reports besides.
func (s *source) trust() (word, bool) {
	s.sort()
	return s.trusted, s.trusted.said != nil
}

// answers says whether a trust record of the source is newer than a report and at least as
// specific as at.
func (s *source) answers(report *said, at rank) bool { return s.newest[at] > report.s.Issued }

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
