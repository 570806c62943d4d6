package trust

import (
	"slices"
	"time"
)

// decider is one decision under way.
type decider struct {
	q   Query
	pol Policy
	now int64
	c   *compiled
	m   *matcher

	own    *source
	others []*source // by log id
	names  []name    // that reports are looked up by; the query's own first
	seen   map[string]bool
	passes map[hearing]*pass
}

// hearing is what a network pass is made for, at the decision's time.
type hearing struct {
	project string
	trust   bool
}

// pass is W, or with trust W_t, for a project; asked for often, so it is kept at hand.
func (d *decider) pass(project string, trust bool) *pass {
	p, ok := d.passes[hearing{project, trust}]
	if !ok {
		p = d.c.pass(project, d.now, trust)
		d.passes[hearing{project, trust}] = p
	}
	return p
}

// count is one score: the voices that make it and what each added.
type count struct {
	pass    *pass
	name    name // that the query had
	words   []word
	from    []*source
	voices  []heard
	amounts []int
	sum     int
}

// Decide gives the verdict over what q describes (D1 to D5). It is pure: the same statements and
// network in any order give the same decision, and clock is the only time that it knows.
//
// The statements are a superset of what may matter; those that do not are passed over. It has to
// hold, of every log that may be heard and of the user's own: the trust and distrust records about
// the query's digests and git id and about the signers of its signatures; the distrust records
// about its project and release and about every project and release that a record of these digests
// names; the trust records that name a file of the same name; the trust and distrust records about
// any signer that a trust record lets sign for the project; and the withdraws of all these.
func Decide(q Query, statements []Statement, net *Network, pol Policy, clock time.Time) Decision {
	d := newDecider(q, statements, net, pol, clock)
	against, unseen := d.against(nil), d.against(d.seen)
	support := d.support()
	own, ownTrusts := d.own.choose(d.names, nil)
	signers := d.projectSigners(statements)
	other := d.otherBytes()
	r := Decision{
		For: support.sum, Against: against.sum, Unseen: unseen.sum, Other: other.sum,
		Policy: d.pol, Now: d.now, Project: q.Project, Version: q.Version,
		Findings: append(other.findings, d.signerFindings(signers)...),
	}
	fileTrust := ownTrusts && !own.isReport() && own.at == fileRank
	signerTrust := ownTrusts && !own.isReport() && own.at == signerRank
	mismatch := d.mismatch(&r, other, signers)
	switch {
	case ownTrusts && own.isReport():
		r.Verdict, r.By = Distrusted, ByOwn
	case r.Unseen >= d.pol.Block:
		r.Verdict, r.By = Distrusted, ByReported
	case fileTrust:
		r.Verdict, r.By = Trusted, ByOwn
	case mismatch != ByNone:
		r.Verdict, r.By = Mismatch, mismatch
	case signerTrust:
		r.Verdict, r.By = Trusted, ByOwn
	case r.For-r.Against >= d.pol.Trust:
		r.Verdict, r.By, r.Disputed = Trusted, ByNetwork, r.Against > 0
	default:
		r.Verdict, r.By = Unknown, ByNone
	}
	d.list(&r, own, support, against)
	return r
}

// newDecider sorts the statements and finds what every score needs.
func newDecider(q Query, statements []Statement, net *Network, pol Policy, clock time.Time) *decider {
	d := &decider{q: q, pol: pol.orDefault(), c: net.ready(), passes: map[hearing]*pass{}}
	d.now = d.c.now(statements, clock)
	d.m = newMatcher(q, statements, d.now)
	all := make([]*Statement, len(statements))
	for i := range statements {
		all[i] = &statements[i]
	}
	d.gather(all)
	d.findNames()
	d.seen = d.seenReports()
	return d
}

// orDefault puts the default in place of a bar that is not positive: with such a bar everything
// would pass.
func (p Policy) orDefault() Policy {
	standard := DefaultPolicy()
	if p.Trust < 1 {
		p.Trust = standard.Trust
	}
	if p.Block < 1 {
		p.Block = standard.Block
	}
	return p
}

// clockSlack is how far an own record may be ahead of the clock and still move now (D1).
const clockSlack = int64(time.Hour / time.Second)

// now is the latest of the clock, the newest issued of an accepted head, and the newest issued of
// an own record that is at most an hour after the clock (D1).
func (c *compiled) now(statements []Statement, clock time.Time) int64 {
	at := clock.Unix()
	now := max(at, c.graph.newest)
	own := func(issued int64) {
		if issued <= at+clockSlack {
			now = max(now, issued)
		}
	}
	if i, exact := slices.BinarySearch(c.ownIssued, at+clockSlack); exact {
		own(c.ownIssued[i])
	} else if i > 0 {
		own(c.ownIssued[i-1])
	}
	for i := range statements {
		if s := &statements[i]; s.Issued > now && !s.Void && c.isOwn(s.Log) {
			own(s.Issued)
		}
	}
	return now
}

// fresh says whether the trust of a log may count: its head is known and has not expired.
func (d *decider) fresh(log string) bool {
	s := d.c.graph.fact(log).source
	return s != nil && d.now < s.Expires
}

// add takes a word into a count when its source is heard there.
func (n *count) add(s *source, w word) {
	if at, ok := n.pass.find(s.log); ok {
		n.from = append(n.from, s)
		n.words = append(n.words, w)
		n.voices = append(n.voices, heard{at, w.weight})
	}
}

// against is N, or N' when the reports in seen are left out: over the names that the query has
// for reports, the largest sum. Of equal ones the first counts, which is the query's own.
func (d *decider) against(seen map[string]bool) count {
	var most count
	for i, n := range d.names {
		sum := count{pass: d.pass(n.project, false), name: n}
		for _, s := range d.others {
			if w, ok := s.choose([]name{n}, seen); ok && w.isReport() {
				sum.add(s, w)
			}
		}
		sum.amounts, sum.sum = sum.pass.addUp(sum.voices)
		if i == 0 || sum.sum > most.sum {
			most = sum
		}
	}
	return most
}

// support is P: the trust of every source that is heard, not stale, and does not report.
func (d *decider) support() count {
	n := count{pass: d.pass(d.q.Project, true), name: d.names[0]}
	var silenced []heard
	for _, s := range d.others {
		if !d.fresh(s.log) {
			continue
		}
		w, ok := d.word(s)
		if !ok {
			continue
		}
		if !w.isReport() {
			n.add(s, w)
		} else if w, ok := s.trust(); ok {
			if at, ok := n.pass.find(s.log); ok {
				silenced = append(silenced, heard{at, w.weight})
			}
		}
	}
	n.amounts, n.sum = n.pass.packWithout(n.voices, silenced)
	return n
}
