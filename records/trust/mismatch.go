package trust

import (
	"maps"
	"slices"
	"strings"

	"github.com/distributed-trust/distrust/schema"
)

// full is what a source that knows the file with other bytes is worth: no strength makes that
// less of a contradiction (D4, M).
const full = 100

// otherCount is M and the findings that make it.
type otherCount struct {
	findings []Finding
	sum      int
}

// otherBytes is M (D4): how much the heard sources contradict that these bytes are what was asked
// for. Either they know the same file of the project, and version, with other digests; or they
// know these digests, but only as another project or version. An own contradiction makes M at
// least 100.
func (d *decider) otherBytes() otherCount {
	var r otherCount
	if x, ok := d.own.contradiction(d.ownCounts); ok {
		f := Finding{Kind: x.finding, Statement: *x.s, Counted: d.ownCounts(x)}
		if f.Counted {
			f.Amount = full
		}
		r.findings = append(r.findings, f)
		r.sum = f.Amount
	}
	n := count{pass: d.pass(d.q.Project, true)}
	reports := d.pass(d.q.Project, false)
	var counted, notes []Finding
	for _, s := range d.others {
		x, ok := s.contradiction(nil)
		if !ok {
			continue
		}
		f := Finding{Kind: x.finding, Source: d.c.name(s.log), Statement: *x.s}
		_, trusted := n.pass.find(s.log)
		_, heard := reports.find(s.log)
		switch {
		case trusted && d.fresh(s.log) && d.contradicts(x):
			f.Counted = true
			counted = append(counted, f)
			n.add(s, word{x, fileRank, full})
		case heard || x.finding == FindingNeedsProject && d.follows(s.log):
			notes = append(notes, f)
		}
	}
	amounts, sum := n.pass.pack(n.voices)
	for _, i := range n.pass.order(n.voices) {
		counted[i].Amount = amounts[i]
		r.findings = append(r.findings, counted[i])
	}
	r.findings = append(r.findings, notes...)
	r.sum = max(r.sum, sum)
	return r
}

// contradicts says whether a finding feeds M; that needs a project.
func (d *decider) contradicts(x *said) bool {
	return d.q.Project != "" && (x.finding == FindingOtherBytes || x.finding == FindingOtherProject)
}

// ownCounts says whether an own finding feeds M: when it and the query both name a version, so
// that one contradicts the other. Else new bytes may just be a new version: a note.
func (d *decider) ownCounts(x *said) bool {
	return d.contradicts(x) && x.s.Version != "" && d.q.Version != ""
}

// follows says whether the user follows a log and has not muted it, in whatever scope.
func (d *decider) follows(log string) bool {
	i, ok := d.c.follow(log)
	return ok && d.c.follows[i].Weight > 0
}

// contradiction finds the finding of a source: of its active records one that counts, when counts
// is given, then the gravest, then the newest. A source that trusts these very bytes for what was
// asked has none: it knows several files of that name.
func (s *source) contradiction(counts func(*said) bool) (*said, bool) {
	var found *said
	most := 0
	for i := range s.said {
		x := &s.said[i]
		if !x.counts() || x.isReport() {
			continue
		}
		if x.rank == fileRank {
			return nil, false
		}
		grave := x.finding.gravity()
		if grave > 0 && counts != nil && counts(x) {
			grave += full
		}
		if grave > most {
			found, most = x, grave
		}
	}
	return found, found != nil
}

// signer is a signer that the query's project has: the user trusts it for the project, or the
// sources do with the bar for trust or more.
type signer struct {
	id     string
	own    bool
	source string     // name of the source with the greatest part, "" when it is the user
	says   *Statement // that makes it one
}

// projectSigners finds the signers that the query's project has (D5, line 4). Each is decided as
// a subject of its own: only records about that signer matter here.
func (d *decider) projectSigners(statements []Statement) []signer {
	if d.q.Project == "" {
		return nil
	}
	about := map[string][]*Statement{}
	vouched := map[string]bool{}
	for i := range statements {
		s := &statements[i]
		if s.Kind != schema.KindTrust && s.Kind != schema.KindDistrust {
			continue
		}
		for _, subject := range s.Subjects {
			if subject.Signer == "" {
				continue
			}
			if of := about[subject.Signer]; len(of) == 0 || of[len(of)-1] != s {
				about[subject.Signer] = append(of, s)
			}
			if s.Kind == schema.KindTrust && vouches(subject, d.q.Project) {
				vouched[subject.Signer] = true
			}
		}
	}
	var found []signer
	for _, id := range slices.Sorted(maps.Keys(vouched)) {
		if s, ok := d.projectSigner(id, about[id]); ok {
			found = append(found, s)
		}
	}
	return found
}

// projectSigner decides about one signer as if it had signed.
func (d *decider) projectSigner(id string, statements []*Statement) (signer, bool) {
	one := &decider{q: Query{Size: -1, Project: d.q.Project}, pol: d.pol, now: d.now, c: d.c, passes: d.passes, names: []name{{}}}
	one.m = &matcher{q: one.q, now: d.now, signers: []string{id}, gone: d.m.gone}
	one.gather(statements)
	if w, ok := one.own.choose(one.names, nil); ok && !w.isReport() {
		return signer{id: id, own: true, says: w.s}, true
	}
	n := one.support()
	if n.sum < d.pol.Trust {
		return signer{}, false
	}
	most := n.pass.order(n.voices)[0]
	return signer{id: id, source: d.c.name(n.from[most].log), says: n.words[most].s}, true
}

// wellSigned says whether the file has a good signature, and by one of the project's signers.
func (d *decider) wellSigned(signers []signer) (signed, known bool) {
	for _, s := range signers {
		known = known || slices.Contains(d.m.signers, s.id)
	}
	return len(d.m.signers) > 0, known
}

// signerFindings says which of the project's signers did not sign, when none of them did.
func (d *decider) signerFindings(signers []signer) []Finding {
	signed, known := d.wellSigned(signers)
	if known {
		return nil
	}
	kind := FindingUnsigned
	if signed {
		kind = FindingOtherSigner
	}
	var findings []Finding
	for _, s := range signers {
		findings = append(findings, Finding{Kind: kind, Source: s.source, Signer: s.id, Statement: *s.says, State: d.worthless(s.id)})
	}
	slices.SortStableFunc(findings, func(a, b Finding) int { return strings.Compare(a.Source, b.Source) })
	return findings
}

// worthless is the state of a signature by a signer that does not count, or else of one whose signer
// nobody can tell.
func (d *decider) worthless(signer string) SignatureState {
	var state SignatureState
	for _, s := range d.q.Signatures {
		switch {
		case s.State == SignatureGood:
		case s.Signer == signer:
			return s.State
		case s.Signer == "" && state == "":
			state = s.State
		}
	}
	return state
}

// mismatch is line 4 of D5: what is wrong with the file as such, or ByNone.
func (d *decider) mismatch(r *Decision, other otherCount, signers []signer) Reason {
	for _, s := range d.q.Signatures {
		if s.State == SignatureBad {
			return BySignature
		}
	}
	if r.Other >= d.pol.Block && r.For-r.Other < d.pol.Trust {
		parts := map[FindingKind]int{}
		for _, f := range other.findings {
			parts[f.Kind] += f.Amount
		}
		if parts[FindingOtherProject] > parts[FindingOtherBytes] {
			return BySubstitution
		}
		return ByOtherBytes
	}
	if signed, known := d.wellSigned(signers); signed && !known && len(signers) > 0 && r.For < d.pol.Trust {
		return ByChangedSigner
	}
	return ByNone
}
