package trust

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/distributed-trust/distrust/schema"
)

// known makes sources of logs whose heads are in force.
func known(logs ...string) []Source {
	var sources []Source
	for _, log := range logs {
		sources = append(sources, Source{Log: log, Name: log, Expires: farAway})
	}
	return sources
}

// follow is a plain follow at full.
func follow(log string) Follow { return Follow{Log: log, Name: log, Weight: 100, ViaMax: 50} }

// edgeTo is a public follow.
func edgeTo(from, to string, weight, depth int) Edge {
	return Edge{From: from, To: to, Weight: weight, Depth: depth, Issued: 1}
}

// TestBoundaries moves now by a second around every time there is: something begins at its
// second and ends before its expiry (D1).
func TestBoundaries(t *testing.T) {
	t.Parallel()
	const at = 5000
	trust := fileTrust("a", "r")
	set := func(change func(n *Network, s *[]Statement)) (*Network, []Statement) {
		n := &Network{Own: []string{"me"}, Follows: []Follow{follow("a")}, Sources: known("a", "hub")}
		s := []Statement{trust}
		change(n, &s)
		return n, s
	}
	viaHub := func(n *Network, also ...Edge) {
		n.Follows = []Follow{{Log: "hub", Weight: 100, Depth: 1, ViaMax: 100}}
		n.Edges = append([]Edge{edgeTo("hub", "a", 100, 0)}, also...)
	}
	for name, c := range map[string]struct {
		change               func(n *Network, s *[]Statement)
		before, at, justPast int // P
	}{
		"trust issued":   {func(_ *Network, s *[]Statement) { (*s)[0].Issued = at }, 0, 100, 100},
		"trust expires":  {func(_ *Network, s *[]Statement) { (*s)[0].Expires = at }, 100, 0, 0},
		"follow expires": {func(n *Network, _ *[]Statement) { n.Follows[0].Expires = at }, 100, 0, 0},
		"head expires":   {func(n *Network, _ *[]Statement) { n.Sources[0].Expires = at }, 100, 0, 0},
		"hub's expires":  {func(n *Network, _ *[]Statement) { viaHub(n); n.Sources[1].Expires = at }, 100, 0, 0},
		"edge expires":   {func(n *Network, _ *[]Statement) { viaHub(n); n.Edges[0].Expires = at }, 100, 0, 0},
		"edge issued":    {func(n *Network, _ *[]Statement) { viaHub(n); n.Edges[0].Issued = at }, 0, 100, 100},
		"a newer edge": {func(n *Network, _ *[]Statement) {
			e := edgeTo("hub", "a", 30, 0)
			e.Issued = at
			viaHub(n, e)
		}, 100, 30, 30},
		"report in future": {func(_ *Network, s *[]Statement) {
			r := fileReport("a", "no")
			r.Issued = at
			*s = append(*s, r)
		}, 0, 0, 0},
	} {
		n, statements := set(c.change)
		for compiled := range 2 {
			for i, want := range []int{c.before, c.at, c.justPast} {
				got := decideAt(testQuery(testProject, ""), statements, n, at-1+int64(i))
				if got.For != want || got.Now != at-1+int64(i) {
					t.Errorf("%s, %d s after: P is %d, want %d (now %d)", name, i-1, got.For, want, got.Now)
				}
			}
			if compiled == 0 {
				n.Compile()
			}
		}
	}
}

// TestNow moves now up to the newest accepted head and the newest own record that is at most an
// hour after the clock (D1).
func TestNow(t *testing.T) {
	t.Parallel()
	const clock, hour = 10_000, 3600
	own := func(issued int64) []Statement {
		s := fileTrust("me", "own")
		s.Issued = issued
		return []Statement{s}
	}
	void := own(clock + 7)
	void[0].Void = true
	for name, c := range map[string]struct {
		n          Network
		statements []Statement
		want       int64
	}{
		"the clock":                        {want: clock},
		"a newer head":                     {n: Network{Sources: []Source{{Log: "a", Issued: clock + 5}, {Log: "b", Issued: 3}}}, want: clock + 5},
		"an older head":                    {n: Network{Sources: []Source{{Log: "a", Issued: clock - 5}}}, want: clock},
		"an own record":                    {n: Network{Own: []string{"me"}}, statements: own(clock + 7), want: clock + 7},
		"an own record in an hour":         {n: Network{Own: []string{"me"}}, statements: own(clock + hour), want: clock + hour},
		"an own record in over an hour":    {n: Network{Own: []string{"me"}}, statements: own(clock + hour + 1), want: clock},
		"an own record elsewhere":          {n: Network{OwnIssued: []int64{clock + hour + 1, clock + 9, clock + 3}}, want: clock + 9},
		"an own record in exactly an hour": {n: Network{OwnIssued: []int64{clock + hour, clock + hour + 1}}, want: clock + hour},
		"somebody's record":                {statements: own(clock + 7), want: clock},
		"a void own record":                {n: Network{Own: []string{"me"}}, statements: void, want: clock},
	} {
		if got := decideAt(Query{Size: -1}, c.statements, &c.n, clock); got.Now != c.want {
			t.Errorf("%s: now is %d, want %d", name, got.Now, c.want)
		}
	}
}

// TestFiles matches digests, sizes and git ids: trust when all that both sides know agrees, a
// report when one does (F2).
func TestFiles(t *testing.T) {
	t.Parallel()
	a, b := vectorDigest("a").SHA256, vectorDigest("b").SHA256
	n := &Network{Own: []string{"me"}, Follows: []Follow{follow("x")}, Sources: known("x")}
	for name, c := range map[string]struct {
		subject    schema.Subject
		query      Query
		yes, no    bool
		notCounted NotCounted
	}{
		"one digest":            {schema.Subject{Size: -1, Digest: schema.Digest{SHA256: a}}, Query{Size: -1, Digest: schema.Digest{SHA256: a}}, true, true, ""},
		"another digest":        {schema.Subject{Size: -1, Digest: schema.Digest{SHA256: b}}, Query{Size: -1, Digest: schema.Digest{SHA256: a}}, false, false, ""},
		"a second that agrees":  {schema.Subject{Size: -1, Digest: schema.Digest{SHA256: a, SHA512: b}}, Query{Size: -1, Digest: schema.Digest{SHA256: a, SHA512: b}}, true, true, ""},
		"a second that differs": {schema.Subject{Size: -1, Digest: schema.Digest{SHA256: a, SHA512: b}}, Query{Size: -1, Digest: schema.Digest{SHA256: a, SHA512: a}}, false, true, NotMatching},
		"a second unknown":      {schema.Subject{Size: -1, Digest: schema.Digest{SHA256: a}}, Query{Size: -1, Digest: schema.Digest{SHA256: a, SHA512: b}}, true, true, ""},
		"none in common":        {schema.Subject{Size: -1, Digest: schema.Digest{SHA256: a}}, Query{Size: -1, Digest: schema.Digest{SHA512: a}}, false, false, ""},
		"nothing known":         {schema.Subject{Size: -1, Digest: schema.Digest{SHA256: a}}, Query{Size: -1}, false, false, ""},
		"the size":              {schema.Subject{Size: 7, Digest: schema.Digest{SHA256: a}}, Query{Size: 7, Digest: schema.Digest{SHA256: a}}, true, true, ""},
		"another size":          {schema.Subject{Size: 8, Digest: schema.Digest{SHA256: a}}, Query{Size: 7, Digest: schema.Digest{SHA256: a}}, false, true, NotMatching},
		"size unknown":          {schema.Subject{Size: 8, Digest: schema.Digest{SHA256: a}}, Query{Size: -1, Digest: schema.Digest{SHA256: a}}, true, true, ""},
		"a commit":              {schema.Subject{Size: -1, Git: schema.GitID{Commit: a}}, Query{Size: -1, Git: schema.GitID{Commit: a, Tree: b}}, true, true, ""},
		"a tree":                {schema.Subject{Size: -1, Git: schema.GitID{Tree: b}}, Query{Size: -1, Git: schema.GitID{Commit: a, Tree: b}}, true, true, ""},
		"a commit is no tree":   {schema.Subject{Size: -1, Git: schema.GitID{Commit: a}}, Query{Size: -1, Git: schema.GitID{Tree: a}}, false, false, ""},
	} {
		yes := Statement{ID: "r", Log: "x", Kind: schema.KindTrust, Strength: 100, Subjects: []schema.Subject{c.subject}}
		no := yes
		no.Kind = schema.KindDistrust
		got := decideAt(c.query, []Statement{yes}, n, 1)
		if (got.For == 100) != c.yes {
			t.Errorf("%s: trust counts %d", name, got.For)
		}
		if c.notCounted != "" && (len(got.Voices) != 1 || got.Voices[0].NotCounted != c.notCounted) {
			t.Errorf("%s: voices are %+v", name, got.Voices)
		}
		if got := decideAt(c.query, []Statement{no}, n, 1); (got.Against == 100) != c.no {
			t.Errorf("%s: a report counts %d", name, got.Against)
		}
	}
}

// TestOneRecordManySubjects counts a record once, at its most specific level.
func TestOneRecordManySubjects(t *testing.T) {
	t.Parallel()
	n := &Network{Own: []string{"me"}, Follows: []Follow{follow("x")}, Sources: known("x")}
	yes := fileTrust("x", "r")
	yes.Subjects = append(yes.Subjects, schema.Subject{Signer: vectorSigner, Size: -1, Pattern: []string{"pkg:pypi/*"}}, yes.Subjects[0])
	got := decideAt(testQuery(testProject, ""), []Statement{yes, yes}, n, testNow)
	if len(got.Voices) != 1 || got.Voices[0].Level != LevelFile || got.For != 100 {
		t.Errorf("voices are %+v", got.Voices)
	}
	no := fileReport("x", "r")
	no.Subjects = []schema.Subject{{Project: testProject}, {Release: testProject + "@1.0"}, {Signer: "ssh:another"}}
	got = decideAt(testQuery(testProject, "1.0"), []Statement{no}, n, testNow)
	if len(got.Voices) != 1 || got.Voices[0].Level != LevelRelease || got.Against != 100 {
		t.Errorf("voices are %+v", got.Voices)
	}
}

// TestHostileSelfDelegation lets sources lead to themselves, to each other and to the user in circles:
// nobody is heard twice, and the user is no source.
func TestHostileSelfDelegation(t *testing.T) {
	t.Parallel()
	n := &Network{
		Own:     []string{"me"},
		Follows: []Follow{{Log: "a", Weight: 50, Depth: 3, ViaMax: 100}, {Log: "me", Weight: 100, Depth: 3, ViaMax: 100}},
		Sources: known("a", "b", "me"),
		Edges:   []Edge{edgeTo("a", "a", 100, 3), edgeTo("a", "b", 100, 3), edgeTo("b", "a", 100, 3), edgeTo("b", "b", 100, 3), edgeTo("b", "me", 100, 3), edgeTo("me", "c", 100, 3)},
	}
	reach := n.Reach(testProject, testNow)
	if reach.Len() != 2 {
		t.Errorf("%d sources are heard: %+v", reach.Len(), reach.Routes())
	}
	r, ok := reach.Heard("b")
	if want := (Route{Log: "b", Name: "b", Path: []string{"a", "b"}, Names: []string{"a", "b"}, Hops: 1, Width: 50, Follow: n.Follows[0]}); !ok || !reflect.DeepEqual(r, want) {
		t.Errorf("b is heard as %+v", r)
	}
	got := decideAt(testQuery(testProject, ""), []Statement{fileTrust("a", "1"), fileTrust("b", "2"), fileTrust("a", "3")}, n, testNow)
	if got.For != 50 {
		t.Errorf("P is %d", got.For)
	}
}

// TestTwoStates reaches a source by a wide path that ends there and by a narrow one that goes on.
func TestTwoStates(t *testing.T) {
	t.Parallel()
	n := &Network{
		Follows: []Follow{{Log: "a", Weight: 80, Depth: 1, ViaMax: 100}, {Log: "b", Weight: 30, Depth: 2, ViaMax: 100}},
		Sources: known("a", "b", "x", "y"),
		Edges:   []Edge{edgeTo("a", "x", 100, 0), edgeTo("b", "x", 100, 3), edgeTo("x", "y", 100, 0)},
	}
	reach := n.Reach("", testNow)
	x, _ := reach.Heard("x")
	y, _ := reach.Heard("y")
	if x.Width != 80 || y.Width != 30 || !slices.Equal(y.Path, []string{"b", "x", "y"}) {
		t.Errorf("x has %+v, y has %+v", x, y)
	}
	// What y says passes through x in its narrow state: what x itself has used is gone.
	weak := fileTrust("x", "1")
	weak.Strength = 60
	got := decideAt(testQuery("", ""), []Statement{weak, fileTrust("y", "2")}, n, testNow)
	if got.For != 80 || got.Voices[1].Amount != 20 {
		t.Errorf("P is %d, voices are %+v", got.For, got.Voices)
	}
	// And what two say behind it shares the width of that state, not that of x.
	n.Follows[1].Weight = 100
	n.Edges[1].Weight = 30
	n.Edges = append(n.Edges, edgeTo("x", "z", 100, 0))
	n.Sources = known("a", "b", "x", "y", "z")
	if got := decideAt(testQuery("", ""), []Statement{fileTrust("y", "1"), fileTrust("z", "2")}, n, testNow); got.For != 30 {
		t.Errorf("P is %d, voices are %+v", got.For, got.Voices)
	}
}

// TestHostileStar gives one source 100,000 edges to puppets that all say yes, then no.
func TestHostileStar(t *testing.T) {
	t.Parallel()
	const puppets = 100_000
	n := &Network{Own: []string{"me"}, Follows: []Follow{{Log: "hub", Weight: 100, Depth: 1, ViaMax: 50}}, Sources: known("hub")}
	said := make([]Statement, 0, puppets)
	for i := range puppets {
		log := fmt.Sprintf("p%06d", i)
		n.Sources = append(n.Sources, Source{Log: log, Expires: farAway})
		n.Edges = append(n.Edges, edgeTo("hub", log, 100, 3))
		said = append(said, fileTrust(log, log))
	}
	n.Compile()
	q := testQuery("", "")
	if got := decideAt(q, said, n, testNow); got.For != 50 || got.Verdict != Unknown || len(got.Voices) != puppets {
		t.Errorf("P is %d, %s, %d voices", got.For, got.Verdict, len(got.Voices))
	}
	for i := range said {
		said[i].Kind = schema.KindDistrust
	}
	if got := decideAt(q, said, n, testNow); got.Against != 50 || got.By != ByReported {
		t.Errorf("N is %d, %s", got.Against, got.By)
	}
}

// TestUnusualConfiguration decides on the safe side where the configuration or the caller is odd.
func TestUnusualConfiguration(t *testing.T) {
	t.Parallel()
	q, yes := testQuery(testProject, ""), []Statement{fileTrust("x", "r")}
	twice := &Network{Follows: []Follow{follow("x"), {Log: "x", Weight: 0}}, Sources: known("x")}
	if got := decideAt(q, yes, twice, 1); got.For != 0 {
		t.Errorf("a source that is followed and muted adds %d", got.For)
	}
	unknown := &Network{Follows: []Follow{follow("x")}}
	if got := decideAt(q, yes, unknown, 1); got.For != 0 || got.Voices[0].NotCounted != StaleSource {
		t.Errorf("a source without an accepted head adds %d", got.For)
	}
	n := &Network{Follows: []Follow{follow("x")}, Sources: known("x")}
	if got := Decide(q, nil, n, Policy{}, time.Unix(1, 0)); got.Verdict != Unknown || got.Policy != DefaultPolicy() {
		t.Errorf("without a policy: %s, %+v", got.Verdict, got.Policy)
	}
	if got := Decide(Query{}, yes, &Network{}, DefaultPolicy(), time.Unix(1, 0)); got.Verdict != Unknown {
		t.Errorf("nothing asked, nobody followed: %s", got.Verdict)
	}
	empty := fileTrust("x", "r")
	empty.Subjects = []schema.Subject{{Signer: vectorSigner, Size: -1}}
	if got := decideAt(q, []Statement{empty}, n, 1); got.For != 0 {
		t.Errorf("a signer trust without patterns adds %d", got.For)
	}
}

// TestReports lists what one has seen who overrules: every report of heard sources.
func TestReports(t *testing.T) {
	t.Parallel()
	n := &Network{Own: []string{"me"}, Follows: []Follow{follow("x"), follow("y"), {Log: "mute"}}, Sources: known("x", "y", "mute")}
	void, answered := fileReport("x", "void"), fileReport("y", "answered")
	void.Void = true
	answer := fileTrust("y", "answer")
	answer.Issued = 2
	statements := []Statement{fileReport("x", "b"), fileReport("x", "a"), void, answered, answer, fileReport("mute", "m"), fileReport("me", "own"), fileReport("stranger", "s")}
	d := decideAt(testQuery(testProject, ""), statements, n, testNow)
	if got, want := d.Reports(), []string{"a", "answered", "b"}; !slices.Equal(got, want) {
		t.Errorf("reports are %q, want %q", got, want)
	}
}
