package trust

import (
	"testing"

	"github.com/distributed-trust/distrust/schema"
)

// scene is a decision before and after somebody tries something.
type scene struct {
	q          Query
	statements []Statement
	n          *Network
	now        int64
}

// person is what an attack is made against: alice at full says yes, carol at half says what she
// wants, and mallory is followed by a hair.
func person() scene {
	return scene{
		q: Query{Name: vectorFile, Size: -1, Digest: vectorDigest(""), Project: testProject},
		n: &Network{
			Own: []string{"me"},
			Follows: []Follow{
				follow("alice"), {Log: "carol", Name: "carol", Weight: 50, ViaMax: 50}, {Log: "mallory", Name: "mallory", Weight: 1, Depth: 3, ViaMax: 50},
			},
			Sources: known("me", "alice", "carol", "mallory"),
		},
		now: testNow,
	}
}

func (s *scene) says(statements ...Statement) { s.statements = append(s.statements, statements...) }

func (s *scene) decide() Decision { return decideAt(s.q, s.statements, s.n, s.now) }

// otherBytes is trust in a file of the same name with other bytes.
func otherBytes(log, id, version string) Statement {
	s := fileTrust(log, id)
	s.Project, s.Version = testProject, version
	s.Subjects = []schema.Subject{{File: vectorFile, Size: -1, Digest: vectorDigest("other")}}
	return s
}

// signerTrust lets a key sign for a pattern of projects.
func signerTrust(log, id, signer, pattern string) Statement {
	return Statement{
		ID: id, Log: log, Kind: schema.KindTrust, Issued: 1, Strength: 100,
		Subjects: []schema.Subject{{Signer: signer, Size: -1, Pattern: []string{pattern}}},
	}
}

// signed is a good signature beside the file.
func signed(signer string) []Signature {
	return []Signature{{Format: "ssh", Signer: signer, State: SignatureGood}}
}

// TestHostile is the part of the table of attackers that the decision answers
// (docs/threat-model.md): each attack by name, and what comes of it.
func TestHostile(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		try  func(*scene)
		want Verdict
	}{
		"somebody else withdraws a report": {func(s *scene) {
			s.says(fileTrust("alice", "yes"), fileReport("carol", "no"))
			s.says(Statement{ID: "w", Log: "alice", Kind: schema.KindWithdraw, Issued: 2, Withdraws: []string{"no"}})
		}, Distrusted},
		"a report is named as seen in somebody else's record": {func(s *scene) {
			yes := fileTrust("alice", "yes")
			yes.Issued, yes.Seen = 5, []string{"no"}
			s.says(yes, fileReport("carol", "no"))
		}, Distrusted},
		"a seen list of one's own does not silence the next report": {func(s *scene) {
			own := fileTrust("me", "own")
			own.Issued, own.Seen = 5, []string{"no"}
			next := fileReport("alice", "next")
			s.says(own, fileReport("carol", "no"), next)
		}, Distrusted},
		"a release is reported, and the project is left out of the question": {func(s *scene) {
			yes := fileTrust("alice", "yes")
			yes.Project, yes.Version = testProject, "1.0"
			s.says(yes, Statement{
				ID: "no", Log: "carol", Kind: schema.KindDistrust, Category: schema.Malware, Issued: 1, Strength: 100,
				Subjects: []schema.Subject{{Release: testProject + "@1.0", Size: -1}},
			})
			s.q.Project = ""
		}, Distrusted},
		"an older, narrower yes of the reporter": {func(s *scene) {
			yes := fileTrust("carol", "yes")
			no := fileReport("carol", "no")
			no.Issued = 2
			s.says(fileTrust("alice", "a"), yes, no)
		}, Distrusted},
		"one more report of the reporter, a weak and newer one": {func(s *scene) {
			weak := fileReport("carol", "weak")
			weak.Issued, weak.Strength = 9, 1
			s.says(fileTrust("alice", "a"), fileReport("carol", "no"), weak)
		}, Distrusted},
		"a report dated in the future counts from when it came": {func(s *scene) {
			no := fileReport("carol", "no")
			no.Issued = testNow + 1_000_000
			s.says(fileTrust("alice", "a"), no)
		}, Distrusted},
		"a yes dated in the future does not count yet": {func(s *scene) {
			yes := fileTrust("alice", "yes")
			yes.Issued = testNow + 1_000_000
			s.says(yes)
		}, Unknown},
		"a list of weight 1 cannot block": {func(s *scene) {
			s.says(fileTrust("alice", "yes"), otherBytes("mallory", "other", ""))
		}, Trusted},
		"a report of weight 1 takes 1 away, and nothing more": {func(s *scene) {
			s.says(fileTrust("alice", "yes"), fileTrust("carol", "yes too"), fileReport("mallory", "no"))
		}, Trusted},
		"puppets behind a list of weight 1 cannot block, nor vouch": {func(s *scene) {
			for _, puppet := range []string{"p1", "p2", "p3", "p4"} {
				s.n.Edges = append(s.n.Edges, edgeTo("mallory", puppet, 100, 2))
				s.n.Sources = append(s.n.Sources, known(puppet)...)
				s.says(fileTrust(puppet, "yes of "+puppet))
			}
		}, Unknown},
		"a stranger nobody follows": {func(s *scene) {
			s.n.Sources = append(s.n.Sources, known("stranger")...)
			s.says(fileTrust("stranger", "yes"))
		}, Unknown},
		"a muted source is let in by a friend": {func(s *scene) {
			s.n.Follows = append(s.n.Follows, Follow{Log: "muted", Name: "muted", Weight: 0})
			s.n.Follows[0].Depth = 1
			s.n.Edges = append(s.n.Edges, edgeTo("alice", "muted", 100, 0))
			s.n.Sources = append(s.n.Sources, known("muted")...)
			s.says(fileTrust("muted", "yes"))
		}, Unknown},
		"one log under two names is heard once": {func(s *scene) {
			s.n.Follows[0].Weight, s.n.Follows[0].Depth = 50, 1
			s.n.Edges = append(s.n.Edges, edgeTo("carol", "alice", 100, 0))
			s.says(fileTrust("alice", "yes"), fileTrust("alice", "copy"))
		}, Unknown},
		"other bytes are hidden by a puppet that knows both": {func(s *scene) {
			s.says(otherBytes("alice", "other", ""), fileTrust("mallory", "these"))
		}, Mismatch},
		"other bytes, well signed by a key that the user trusts for the project": {func(s *scene) {
			s.says(otherBytes("alice", "other", "1.0"), signerTrust("me", "own", vectorSigner, testProject))
			s.q.Version, s.q.Signatures = "1.0", signed(vectorSigner)
		}, Mismatch},
		"yesterday's trusted bytes under today's version": {func(s *scene) {
			old := fileTrust("alice", "old")
			old.Project, old.Version = testProject, "1.0"
			s.says(old)
			s.q.Version = "2.0"
		}, Mismatch},
		"trusted bytes under another project's name": {func(s *scene) {
			s.says(signerTrust("alice", "yes", vectorSigner, "pkg:pypi/other"))
			s.q.Signatures = signed(vectorSigner)
		}, Unknown},
		"the signer of one project signs for all that share its beginning": {func(s *scene) {
			s.says(signerTrust("alice", "yes", vectorSigner, "pkg:pypi/req"))
			s.q.Signatures = signed(vectorSigner)
		}, Unknown},
		"a good signature by a key that the project does not have": {func(s *scene) {
			s.says(signerTrust("me", "own", vectorSigner, testProject))
			s.q.Signatures = signed("ssh:ssh-ed25519 mallory")
		}, Mismatch},
		"a bad signature beside the file": {func(s *scene) {
			s.says(signerTrust("me", "own", vectorSigner, testProject))
			s.q.Signatures = []Signature{{Format: "ssh", Signer: vectorSigner, State: SignatureBad}}
		}, Mismatch},
		"the signature is left out": {func(s *scene) {
			s.says(signerTrust("me", "own", vectorSigner, testProject))
		}, Unknown},
		"a revoked key signs": {func(s *scene) {
			s.says(signerTrust("me", "own", vectorSigner, testProject))
			s.q.Signatures = []Signature{{Format: "openpgp", Signer: vectorSigner, State: SignatureRevoked}}
		}, Unknown},
		"a trusted signer is reported as stolen": {func(s *scene) {
			no := signerTrust("carol", "no", vectorSigner, "")
			no.Kind, no.Category, no.Subjects[0].Pattern = schema.KindDistrust, schema.CompromisedKey, nil
			s.says(signerTrust("alice", "yes", vectorSigner, testProject), no)
			s.q.Signatures = signed(vectorSigner)
		}, Distrusted},
		"the source went silent: its yes is stale": {func(s *scene) {
			s.n.Sources = known("me", "carol", "mallory")
			s.n.Sources = append(s.n.Sources, Source{Log: "alice", Name: "alice", Expires: testNow - 1})
			s.says(fileTrust("alice", "yes"))
		}, Unknown},
		"the source went silent: its report is not": {func(s *scene) {
			s.n.Sources = append(known("me", "alice"), Source{Log: "carol", Name: "carol", Expires: testNow - 1})
			s.says(fileTrust("alice", "yes"), fileReport("carol", "no"))
		}, Distrusted},
		"the clock is set back to before an expiry": {func(s *scene) {
			yes := fileTrust("alice", "yes")
			yes.Expires = testNow - 10
			s.says(yes)
			s.n.Sources[2].Issued = testNow - 5 // an accepted head knows better
			s.now = testNow - 100
		}, Unknown},
		"what a compromised key signed": {func(s *scene) {
			yes := fileTrust("alice", "yes")
			yes.Void = true
			s.says(yes)
		}, Unknown},
		"a report drops out of its repository": {func(s *scene) {
			no := fileReport("carol", "no")
			no.Vanished = true
			s.says(fileTrust("alice", "yes"), no)
		}, Distrusted},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := person()
			c.try(&s)
			if got := s.decide(); got.Verdict != c.want {
				t.Errorf("%s, want %s\nP %d, N %d, voices %+v, findings %+v", got.Verdict, c.want, got.For, got.Against, got.Voices, got.Findings)
			}
		})
	}
}

// TestMissingSignature: a signature by the expected signer that does not count is told from none at all, and from
// one by a key that nobody has.
func TestMissingSignature(t *testing.T) {
	t.Parallel()
	revoked := Signature{Format: "openpgp", Signer: vectorSigner, State: SignatureRevoked}
	unknown := Signature{Format: "openpgp", State: SignatureNoKey}
	weak := Signature{Format: "openpgp", Signer: "openpgp:other", State: SignatureWeak}
	for _, c := range []struct {
		signatures []Signature
		want       SignatureState
	}{
		{nil, ""},
		{[]Signature{weak}, ""},
		{[]Signature{unknown}, SignatureNoKey},
		{[]Signature{weak, {Format: "openpgp", State: SignatureWrongPurpose}, unknown}, SignatureWrongPurpose},
		{[]Signature{revoked, unknown}, SignatureRevoked},
		{[]Signature{unknown, revoked}, SignatureRevoked},
	} {
		s := person()
		s.says(signerTrust("me", "own", vectorSigner, testProject))
		s.q.Signatures = c.signatures
		got := s.decide().Findings
		if len(got) != 1 || got[0].Kind != FindingUnsigned || got[0].Signer != vectorSigner || got[0].State != c.want {
			t.Errorf("%+v: %+v", c.signatures, got)
		}
	}
}
