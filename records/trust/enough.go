package trust

import (
	"maps"
	"slices"
	"time"

	"github.com/distributed-trust/distrust/schema"
)

// ChangeKind says what kind of change would be enough.
type ChangeKind string

// The changes that Enough looks for.
const (
	ChangeFollow  ChangeKind = "follow"  // follow this source at full
	ChangeSigner  ChangeKind = "signer"  // trust this signer for the project
	ChangeProject ChangeKind = "project" // say that the file belongs to this project
)

// Change is one single thing that would turn a verdict into TRUSTED.
type Change struct {
	Kind     ChangeKind
	Log      string // kind follow: the source
	Name     string // kind follow: what the user calls it
	Followed bool   // kind follow: the user follows it already, at less
	Signer   string // kind signer
	Project  string // kinds signer and project
}

const (
	maxChanges = 64    // of one kind that are tried
	defaultVia = 50    // via_max of a follow that does not say (D1)
	standIn    = "own" // log of the user who has none yet
)

// Enough lists the single changes that would each be enough to turn UNKNOWN into TRUSTED: a source
// to follow at full, a signer to trust for the project, a project to name. Each is tried with
// [Decide], so what it lists holds for these statements. For any other verdict there is none: a
// report or a mismatch is not argued away. It costs a decision for each candidate.
func Enough(q Query, statements []Statement, net *Network, pol Policy, clock time.Time) []Change {
	n := net
	if n.compiled == nil {
		n = n.WithFollows(n.Follows).Compile()
	}
	d := newDecider(q, statements, n, pol, clock)
	trusted := func(q Query, statements []Statement, n *Network) bool {
		return Decide(q, statements, n, pol, clock).Verdict == Trusted
	}
	if Decide(q, statements, n, pol, clock).Verdict != Unknown {
		return nil
	}
	var changes []Change
	for _, f := range d.fuller(n.Follows) {
		if trusted(q, statements, n.WithFollows(f.follows)) {
			_, followed := d.c.follow(f.log)
			changes = append(changes, Change{Kind: ChangeFollow, Log: f.log, Name: d.c.name(f.log), Followed: followed})
		}
	}
	signers := d.signerCandidates()
	if len(signers) > 0 {
		n = n.withOwn()
	}
	for _, id := range signers {
		own := Statement{
			Log: n.Own[0], Kind: schema.KindTrust, Issued: d.now, Strength: full,
			Subjects: []schema.Subject{{Signer: id, Size: -1, Pattern: []string{q.Project}}},
		}
		if trusted(q, append(slices.Clone(statements), own), n) {
			changes = append(changes, Change{Kind: ChangeSigner, Signer: id, Project: q.Project})
		}
	}
	for _, project := range d.projectCandidates() {
		named := q
		named.Project = project
		if trusted(named, statements, n) {
			changes = append(changes, Change{Kind: ChangeProject, Project: project})
		}
	}
	return changes
}

// withOwn is n with a log of the user's own, which only looks like one where they have none yet.
func (n *Network) withOwn() *Network {
	if len(n.Own) > 0 {
		return n
	}
	m := n.WithFollows(n.Follows)
	m.Own, m.compiled = []string{standIn}, nil
	return m.Compile()
}

// fuller is the user's follows with one source at full.
type fuller struct {
	log     string
	follows []Follow
}

// fuller lists the follows that are worth a try: for each source that trusts the subject and that
// the user has not muted, its follow at full, or a new one without scopes.
func (d *decider) fuller(follows []Follow) []fuller {
	var all []fuller
	for _, s := range d.others {
		if _, ok := s.trust(); !ok || !d.fresh(s.log) || len(all) == maxChanges {
			continue
		}
		changed := slices.Clone(follows)
		i := slices.IndexFunc(changed, func(f Follow) bool { return f.Log == s.log })
		if i < 0 {
			changed = append(changed, Follow{Log: s.log, Weight: full, ViaMax: defaultVia})
		} else if changed[i].Weight <= 0 || changed[i].Weight >= full {
			continue
		} else {
			changed[i].Weight = full
		}
		all = append(all, fuller{s.log, changed})
	}
	return all
}

// signerCandidates lists who signed well, when there is a project to trust them for.
func (d *decider) signerCandidates() []string {
	if d.q.Project == "" {
		return nil
	}
	ids := slices.Compact(slices.Sorted(slices.Values(d.m.signers)))
	return ids[:min(len(ids), maxChanges)]
}

// projectCandidates lists the projects that active trust records give the subject, when none was
// named.
func (d *decider) projectCandidates() []string {
	if d.q.Project != "" {
		return nil
	}
	projects := map[string]bool{}
	for _, s := range append(slices.Clone(d.others), d.own) {
		for i := range s.said {
			x := &s.said[i]
			if !x.counts() || x.isReport() {
				continue
			}
			if x.knows {
				projects[x.s.Project] = true
			}
			for _, subject := range x.s.Subjects {
				if !slices.Contains(d.m.signers, subject.Signer) {
					continue
				}
				for _, pattern := range subject.Pattern {
					projects[pattern] = schema.ValidProject(pattern) == nil
				}
			}
		}
	}
	maps.DeleteFunc(projects, func(p string, ok bool) bool { return p == "" || !ok })
	all := slices.Sorted(maps.Keys(projects))
	return all[:min(len(all), maxChanges)]
}
