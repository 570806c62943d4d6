package trust

import (
	"slices"

	"github.com/distributed-trust/distrust/schema"
)

// rank orders the levels of D3; a greater one is more specific.
type rank int8

const (
	noRank rank = iota
	projectRank
	signerRank
	releaseRank
	fileRank
)

// level is the rank as callers see it.
func (r rank) level() Level {
	return [...]Level{noRank: "", projectRank: LevelProject, signerRank: LevelSigner, releaseRank: LevelRelease, fileRank: LevelFile}[r]
}

// name is a project and a version that a query has, or that records give it (D3). Either may be
// empty; a version has a project.
type name struct{ project, version string }

// said is one trust or distrust record in the light of a query.
type said struct {
	s     *Statement
	state NotCounted // of the record by itself: void, withdrawn, expired, not yet; or Counts
	since int64      // of state

	rank    rank             // where it matches; of a report only file and signer, which need no name
	named   []schema.Subject // of a report: its releases and projects
	knows   bool             // a file subject has the digests asked about, whatever project it names
	misfit  bool             // it nearly matches
	finding FindingKind      // of a trust record that is no voice but worth a word
}

// counts says whether the record is active and neither withdrawn nor void.
func (m *said) counts() bool { return m.state == Counts }

// isReport says whether it is a distrust record.
func (m *said) isReport() bool { return m.s.Kind == schema.KindDistrust }

// strength is what the record's voice is worth at most; not given counts as 100 (F2).
func (m *said) strength() int {
	if m.s.Strength == 0 {
		return 100
	}
	return m.s.Strength
}

// as is where a report matches when the query has the given names: at file or signer level
// always, at release and project level when it names one of them.
func (m *said) as(names []name) rank {
	best := m.rank
	for _, s := range m.named {
		for _, n := range names {
			switch {
			case n.project == "":
			case s.Project == n.project:
				best = max(best, projectRank)
			case n.version != "" && s.Release == n.project+"@"+n.version:
				best = max(best, releaseRank)
			}
		}
	}
	return best
}

// matcher looks at records in the light of one query.
type matcher struct {
	q       Query
	now     int64
	signers []string // of the good signatures
	gone    map[recordOf]int64
}

// newMatcher notes what the statements take back, and who signed.
func newMatcher(q Query, statements []Statement, now int64) *matcher {
	m := &matcher{q: q, now: now, gone: withdrawals(statements)}
	for _, s := range q.Signatures {
		if s.State == SignatureGood && s.Signer != "" {
			m.signers = append(m.signers, s.Signer)
		}
	}
	return m
}

// look says what a trust or distrust record is to the query; false: nothing at all.
func (m *matcher) look(s *Statement) (said, bool) {
	x := said{s: s}
	switch s.Kind {
	case schema.KindTrust:
		m.lookAtTrust(&x)
	case schema.KindDistrust:
		m.lookAtReport(&x)
	default:
		return said{}, false
	}
	if x.rank == noRank && x.named == nil && x.finding == "" && !x.misfit {
		return said{}, false
	}
	x.state, x.since = m.state(s)
	return x, true
}

// state is what becomes of a record by itself: void, withdrawn, or not active at this time (D1).
// A report is always active: it counts from when it was received.
func (m *matcher) state(s *Statement) (NotCounted, int64) {
	since, withdrawn := m.gone[recordOf{s.Log, s.ID}]
	switch {
	case s.Void:
		return VoidRecord, 0
	case withdrawn:
		return WithdrawnRec, since
	case s.Kind == schema.KindDistrust:
		return Counts, 0
	case s.Issued > m.now:
		return NotYet, 0
	case s.Expires != 0 && m.now >= s.Expires:
		return ExpiredRec, s.Expires
	}
	return Counts, 0
}

// lookAtReport matches a distrust record: a file when one digest agrees, a signer whatever the
// project (F2).
func (m *matcher) lookAtReport(x *said) {
	for _, s := range x.s.Subjects {
		switch {
		case s.Release != "" || s.Project != "":
			x.named = append(x.named, s)
		case s.Signer != "":
			if slices.Contains(m.signers, s.Signer) {
				x.rank = max(x.rank, signerRank)
			}
		default:
			if same, _ := m.compare(s); same {
				x.rank, x.knows = fileRank, true
			}
		}
	}
}

// lookAtTrust matches a trust record: a file when all digests and the size agree, a signer when
// its patterns match the project (F2, D3).
func (m *matcher) lookAtTrust(x *said) {
	for _, s := range x.s.Subjects {
		switch {
		case s.Release != "" || s.Project != "": // of reports only (F2)
		case s.Signer == "":
			m.lookAtFile(x, s)
		case !slices.Contains(m.signers, s.Signer):
		case m.q.Project == "":
			x.note(FindingNeedsProject)
		case vouches(s, m.q.Project):
			x.rank = max(x.rank, signerRank)
		default:
			x.misfit = true
		}
	}
}

// vouches says whether a signer subject of a trust record covers a project. No project, or no
// pattern, is never covered.
func vouches(s schema.Subject, project string) bool {
	return project != "" && len(s.Pattern) > 0 && schema.MatchAny(s.Pattern, project)
}

// lookAtFile matches one file or git subject of a trust record.
func (m *matcher) lookAtFile(x *said, s schema.Subject) {
	same, other := m.compare(s)
	sized := s.Size < 0 || m.q.Size < 0 || s.Size == m.q.Size
	switch {
	case same && !other && sized:
		x.knows = true
		if m.otherName(x.s) {
			x.note(FindingOtherProject)
		} else {
			x.rank = fileRank
		}
		return
	case same:
		x.misfit = true
	}
	if !other || m.q.Name == "" || s.File != m.q.Name {
		return
	}
	switch {
	case m.q.Project == "" || x.s.Project == "":
		x.note(FindingNameTwin)
	case x.s.Project == m.q.Project && (x.s.Version == m.q.Version || x.s.Version == "" || m.q.Version == ""):
		x.note(FindingOtherBytes)
	}
}

// note sets the finding of a record, the gravest when several of its subjects have one.
func (x *said) note(kind FindingKind) {
	if kind.gravity() > x.finding.gravity() {
		x.finding = kind
	}
}

// gravity orders the findings that a record can have; none is 0.
func (k FindingKind) gravity() int {
	grave := [...]FindingKind{FindingNameTwin, FindingNeedsProject, FindingOtherBytes, FindingOtherProject}
	return slices.Index(grave[:], k) + 1
}

// otherName says whether a record names another project or version than the query's. A query
// without one has no other one (D3).
func (m *matcher) otherName(s *Statement) bool {
	if m.q.Project == "" || s.Project == "" {
		return false
	}
	return s.Project != m.q.Project || m.q.Version != "" && s.Version != "" && s.Version != m.q.Version
}

// compare says whether a digest, or the git id, of a subject is the query's, and whether one
// differs. Where only one side knows one, it says nothing.
func (m *matcher) compare(s schema.Subject) (same, other bool) {
	for _, p := range [...][2]string{
		{s.Digest.SHA256, m.q.Digest.SHA256},
		{s.Digest.SHA512, m.q.Digest.SHA512},
		{s.Git.Commit, m.q.Git.Commit},
		{s.Git.Tree, m.q.Git.Tree},
	} {
		switch {
		case p[0] == "" || p[1] == "":
		case p[0] == p[1]:
			same = true
		default:
			other = true
		}
	}
	return same, other
}
