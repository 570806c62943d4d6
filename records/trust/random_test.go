package trust

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/distributed-trust/distrust/schema"
)

// dice makes random networks and what is said in them. Everything comes from its seed.
type dice struct{ *rand.Rand }

func newDice(seed uint64) dice { return dice{rand.New(rand.NewPCG(seed, 7))} }

// pick is one of some values.
func pick[T any](d dice, values ...T) T { return values[d.IntN(len(values))] }

// chance is true once in n times.
func (d dice) chance(n int) bool { return d.IntN(n) == 0 }

const (
	testProject = "pkg:pypi/requests"
	testNow     = int64(1000)
)

// testScopes are the scopes of random follows and edges, most of them none.
func (d dice) scopes() []string {
	if !d.chance(4) {
		return nil
	}
	return pick(d, []string{"pkg:pypi/*"}, []string{"pkg:npm/*"}, []string{testProject}, []string{"*"}, []string{"pkg:npm/*", "pkg:pypi/*"})
}

// network makes a random network: up to five follows among up to twelve sources, with depths up
// to depth, and with some of everything that makes an edge or a source count less.
func (d dice) network(depth int) *Network {
	n := &Network{Own: []string{"me"}}
	logs := make([]string, 3+d.IntN(10))
	for i := range logs {
		logs[i] = fmt.Sprintf("s%02d", i)
	}
	for i, log := range logs {
		if i < 1+d.IntN(5) {
			n.Follows = append(n.Follows, Follow{
				Log: log, Name: log, Weight: pick(d, 100, 100, 50, 50, 34, 20, d.IntN(101)), Depth: d.IntN(depth + 1),
				ViaMax: pick(d, 50, 100, 30, d.IntN(101)), Scopes: d.scopes(), Expires: pick(d, 0, 0, 0, 0, testNow, testNow+1),
			})
		}
		n.Sources = append(n.Sources, Source{Log: log, Name: log, Issued: 1, Expires: pick(d, farAway, farAway, farAway, farAway, testNow, testNow+1)})
	}
	n.Edges = Edges(d.published(logs))
	if d.chance(6) {
		n.Lost = []string{pick(d, logs...)}
	}
	return n
}

// published is what logs say about each other in public: follows, and withdraws that may take them back.
func (d dice) published(logs []string) []Statement {
	var all []Statement
	for i := range d.IntN(3 * len(logs)) {
		from, to := pick(d, logs...), pick(d, append(logs, "me")...)
		e := Statement{
			ID: fmt.Sprintf("e%02d", i), Log: from, Kind: schema.KindFollow, Source: schema.FollowSource{Log: to},
			Weight: pick(d, 100, 50, 40, 30, 1+d.IntN(100)), Depth: d.IntN(4), Scopes: d.scopes(),
			Issued: pick(d, 1, 1, 2, 3, testNow, testNow+1), Expires: pick(d, 0, 0, 0, testNow, testNow+1), Void: d.chance(15),
		}
		all = append(all, e)
		if d.chance(5) {
			// Two of one second, which the program never writes.
			e.ID, e.Depth, e.Weight = "x"+e.ID, d.IntN(4), pick(d, e.Weight, 50)
			all = append(all, e)
		}
		if d.chance(10) {
			all = append(all, Statement{
				ID: "w" + e.ID, Kind: schema.KindWithdraw, Log: pick(d, e.Log, pick(d, logs...)), Withdraws: []string{e.ID}, Void: d.chance(4),
			})
		}
	}
	return all
}

// plain is a random network in which everything counts: what the bounds of D6 speak about.
func (d dice) plain(depth int) *Network {
	n := d.network(depth)
	for i := range n.Follows {
		n.Follows[i].Scopes, n.Follows[i].Expires = nil, 0
	}
	for i := range n.Edges {
		n.Edges[i].Scopes, n.Edges[i].Issued, n.Edges[i].Expires = nil, int64(i), 0
	}
	for i := range n.Sources {
		n.Sources[i].Expires = farAway
	}
	n.Lost = nil
	return n
}

// testQuery asks about one file, with a good signature.
func testQuery(project, version string) Query {
	return Query{
		Name: vectorFile, Size: -1, Digest: vectorDigest(""), Project: project, Version: version,
		Signatures: []Signature{{Format: "ssh", Signer: vectorSigner, State: SignatureGood}},
	}
}

// record makes a random trust or distrust record of a log that has to do with testQuery.
func (d dice) record(log, id string) Statement {
	s := Statement{
		ID: id, Log: log, Kind: pick(d, schema.KindTrust, schema.KindTrust, schema.KindDistrust),
		Issued: pick(d, 1, 2, 3, 4, testNow, testNow+1), Strength: pick(d, 100, 100, 100, 60, 1+d.IntN(100)),
		Project: pick(d, "", testProject, testProject, "pkg:npm/other"), Void: d.chance(20),
	}
	if s.Project != "" {
		s.Version = pick(d, "", vectorVersion, vectorVersion, "0.9")
	}
	subject := schema.Subject{Size: -1}
	if s.Kind == schema.KindTrust {
		s.Expires = pick(d, 0, 0, 0, testNow, testNow+1)
	}
	switch kind := d.IntN(8); {
	case kind == 0:
		subject.Signer = pick(d, vectorSigner, vectorSigner, "ssh:another")
		if s.Kind == schema.KindTrust {
			subject.Pattern = pick(d, []string{testProject}, []string{"pkg:npm/*"}, []string{"*"})
		}
	case kind == 1 && s.Kind == schema.KindDistrust:
		subject.Release = pick(d, testProject, "pkg:npm/other") + "@" + pick(d, vectorVersion, "0.9")
	case kind == 2 && s.Kind == schema.KindDistrust:
		subject.Project = pick(d, testProject, "pkg:npm/other")
	case kind == 3:
		subject.File, subject.Digest = vectorFile, vectorDigest("other")
	default:
		subject.File, subject.Digest = vectorFile, vectorDigest("")
	}
	s.Subjects = []schema.Subject{subject}
	return s
}

// statements makes what the sources of a network, and sometimes the user, say.
func (d dice) statements(n *Network) []Statement {
	var all []Statement
	for i := range d.IntN(2 + 2*len(n.Sources)) {
		log := n.Sources[d.IntN(len(n.Sources))].Log
		if d.chance(8) {
			log = "me"
		}
		s := d.record(log, fmt.Sprintf("r%02d", i))
		if log == "me" && s.Kind == schema.KindTrust && len(all) > 0 {
			s.Seen = []string{all[d.IntN(len(all))].ID}
		}
		all = append(all, s)
		if d.chance(12) {
			all = append(all, Statement{
				ID: "w" + s.ID, Kind: schema.KindWithdraw, Log: pick(d, log, n.Sources[0].Log), Withdraws: []string{s.ID}, Void: d.chance(4),
			})
		}
	}
	return all
}

// fileTrust is the plainest yes.
func fileTrust(log, id string) Statement {
	return Statement{
		ID: id, Log: log, Kind: schema.KindTrust, Issued: 1, Strength: 100,
		Subjects: []schema.Subject{{File: vectorFile, Size: -1, Digest: vectorDigest("")}},
	}
}

// fileReport is the plainest no.
func fileReport(log, id string) Statement {
	s := fileTrust(log, id)
	s.Kind, s.Category = schema.KindDistrust, schema.Malware
	return s
}

// decideAt decides with the default policy at a time in seconds.
func decideAt(q Query, statements []Statement, n *Network, now int64) Decision {
	return Decide(q, statements, n, DefaultPolicy(), time.Unix(now, 0))
}

// shuffled is n in another order.
func (d dice) shuffled(n *Network) *Network {
	m := &Network{
		Own: slices.Clone(n.Own), Follows: slices.Clone(n.Follows), Edges: slices.Clone(n.Edges),
		Sources: slices.Clone(n.Sources), Lost: slices.Clone(n.Lost),
	}
	d.Shuffle(len(m.Follows), func(i, j int) { m.Follows[i], m.Follows[j] = m.Follows[j], m.Follows[i] })
	d.Shuffle(len(m.Edges), func(i, j int) { m.Edges[i], m.Edges[j] = m.Edges[j], m.Edges[i] })
	d.Shuffle(len(m.Sources), func(i, j int) { m.Sources[i], m.Sources[j] = m.Sources[j], m.Sources[i] })
	return m
}

func clockAt(now int64) time.Time { return time.Unix(now, 0) }
