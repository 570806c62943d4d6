package trust

import (
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"

	"github.com/distributed-trust/distrust/schema"
)

// rounds is how many random networks a property is tried on.
func rounds(t *testing.T, n int) int {
	if testing.Short() {
		return n / 10
	}
	return n
}

// TestReachIsTheReference compares the network pass with the reference over the statements, for
// reports and for trust, one compiled network answering for many projects and times, and its
// widths with the exact best single path.
func TestReachIsTheReference(t *testing.T) {
	t.Parallel()
	for seed := range rounds(t, 3000) {
		d := newDice(uint64(seed))
		n := d.network(3)
		compiled := d.shuffled(n).Compile()
		for range 6 {
			project := pick(d, "", testProject, "pkg:pypi/other", "pkg:npm/x", "pkg:cargo/y")
			now := testNow + int64(d.IntN(3)) - 1
			reach := compiled.Reach(project, now)
			comparePass(t, seed, refPass(n, project, now, false), reach.heard)
			comparePass(t, seed, refPass(n, project, now, true), reach.trusted)
			widest := refWidest(n, project, now)
			for _, r := range reach.Routes() {
				if widest[r.Log] != r.Width {
					t.Fatalf("seed %d: width of %s is %d, the best path has %d", seed, r.Log, r.Width, widest[r.Log])
				}
			}
			if len(widest) != reach.Len() {
				t.Fatalf("seed %d: %d sources are heard, %d can be", seed, reach.Len(), len(widest))
			}
		}
	}
}

func comparePass(t *testing.T, seed int, want []refState, p *pass) {
	t.Helper()
	if len(want) != len(p.states) {
		t.Fatalf("seed %d: %d states are settled, want %d", seed, len(p.states), len(want))
	}
	for i, s := range p.states {
		r := p.routeTo(int32(i))
		if !slices.Equal(r.Path, want[i].path) || int(s.width) != want[i].width || int(s.left) != want[i].left || r.Follow.Log != want[i].follow.Log {
			t.Fatalf("seed %d: state %d is %v width %d left %d, want %+v", seed, i, r.Path, s.width, s.left, want[i])
		}
	}
}

// TestScoresAreTheReference compares P and N with the reference, each source saying one thing.
func TestScoresAreTheReference(t *testing.T) {
	t.Parallel()
	for seed := range rounds(t, 3000) {
		d := newDice(uint64(seed))
		n := d.network(3)
		trusts, reports := map[string]int{}, map[string]int{}
		var statements []Statement
		for _, s := range n.Sources {
			x := fileTrust(s.Log, "r"+s.Log)
			x.Strength = pick(d, 100, 60, 1+d.IntN(100))
			switch d.IntN(3) {
			case 0:
				if !refStale(n, s.Log, testNow) {
					trusts[s.Log] = x.Strength
				}
			case 1:
				x.Kind = schema.KindDistrust
				reports[s.Log] = x.Strength
			default:
				continue
			}
			statements = append(statements, x)
		}
		got := decideAt(testQuery(testProject, ""), statements, n, testNow)
		if want := refPack(refPass(n, testProject, testNow, true), trusts); got.For != want {
			t.Fatalf("seed %d: P is %d, want %d", seed, got.For, want)
		}
		if want := refReports(n, refPass(n, testProject, testNow, false), reports); got.Against != want {
			t.Fatalf("seed %d: N is %d, want %d", seed, got.Against, want)
		}
		if err := addsUp(got); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

// TestOrderIsNoMatter decides the same in every order of everything, compiled or not.
func TestOrderIsNoMatter(t *testing.T) {
	t.Parallel()
	for seed := range rounds(t, 3000) {
		d := newDice(uint64(seed))
		n := d.network(3)
		statements := d.statements(n)
		q := testQuery(pick(d, "", testProject), pick(d, "", vectorVersion))
		want := decideAt(q, statements, n, testNow)
		wantEnough := Enough(q, statements, n, DefaultPolicy(), clockAt(testNow))
		if err := addsUp(want); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		for range 3 {
			m := d.shuffled(n)
			if d.chance(2) {
				m.Compile()
			}
			other := slices.Clone(statements)
			d.Shuffle(len(other), func(i, j int) { other[i], other[j] = other[j], other[i] })
			if got := decideAt(q, other, m, testNow); !reflect.DeepEqual(got, want) {
				t.Fatalf("seed %d: another order gives\n%+v, not\n%+v", seed, got, want)
			}
			if got := Enough(q, other, m, DefaultPolicy(), clockAt(testNow)); !reflect.DeepEqual(got, wantEnough) {
				t.Fatalf("seed %d: another order gives %+v, not %+v", seed, got, wantEnough)
			}
		}
	}
}

// TestManyAtOnce decides about different projects at different times in several goroutines over
// one compiled network.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	d := newDice(5)
	n := d.network(3)
	statements := d.statements(n)
	shared := n.WithFollows(n.Follows).Compile()
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for j := range 50 {
				q := testQuery([]string{"", testProject, "pkg:npm/x"}[(i+j)%3], "")
				now := testNow + int64((i*j)%5) - 2
				if got, want := decideAt(q, statements, shared, now), decideAt(q, statements, n, now); !reflect.DeepEqual(got, want) {
					t.Errorf("%s at %d: %s, want %s", q.Project, now, numbers(got), numbers(want))
				}
			}
		})
	}
	group.Wait()
}

// everybody makes every source of a network say the same.
func everybody(n *Network, say func(log, id string) Statement) []Statement {
	var all []Statement
	for _, s := range n.Sources {
		all = append(all, say(s.Log, "r"+s.Log))
	}
	return all
}

// TestHostileCrowdsAreBounded keeps P under every bound of D6: the follows together, each edge, each
// source, and the maximum flow.
func TestHostileCrowdsAreBounded(t *testing.T) {
	t.Parallel()
	full := 0
	for seed := range rounds(t, 4000) {
		d := newDice(uint64(seed))
		n := d.plain(3)
		statements := everybody(n, fileTrust)
		for i := range statements {
			statements[i].Strength = pick(d, 100, 50, 1+d.IntN(100))
		}
		got := decideAt(testQuery(testProject, ""), statements, n, testNow)
		follows := 0
		for _, f := range n.Follows {
			follows += f.Weight
		}
		flow := maxFlow(n, statements)
		if got.For > follows || got.For > flow {
			t.Fatalf("seed %d: P is %d, the follows give %d, the maximum flow %d", seed, got.For, follows, flow)
		}
		if got.For == flow && flow > 0 {
			full++
		}
		edges, sources := map[[2]string]int{}, map[string]int{}
		for _, v := range got.Voices {
			for i, log := range v.Path {
				sources[log] += v.Amount
				if i > 0 {
					edges[[2]string{v.Path[i-1], log}] += v.Amount
				}
			}
		}
		reach := n.Reach(testProject, testNow)
		for log, amount := range sources {
			if r, ok := reach.Trusted(log); !ok || amount > r.Width {
				t.Fatalf("seed %d: %d passes through %s, whose width is %d", seed, amount, log, r.Width)
			}
		}
		for e, amount := range edges {
			weight := 0
			for _, x := range refEdges(n, e[0], testProject, testNow) {
				if x.To == e[1] {
					weight += x.Weight
				}
			}
			if amount > weight {
				t.Fatalf("seed %d: %d passes over the edge %v of %d", seed, amount, e, weight)
			}
		}
	}
	if full == 0 {
		t.Error("no network reached its maximum flow: the bound proves nothing")
	}
}

// TestDepthOne keeps what holds at a depth of at most one: a follow less costs at most its weight,
// and a voice more never costs anything.
func TestDepthOne(t *testing.T) {
	t.Parallel()
	for seed := range rounds(t, 4000) {
		d := newDice(uint64(seed))
		n := d.plain(1)
		statements := everybody(n, fileTrust)
		d.Shuffle(len(statements), func(i, j int) { statements[i], statements[j] = statements[j], statements[i] })
		q := testQuery(testProject, "")
		all := decideAt(q, statements, n, testNow).For
		if fewer := decideAt(q, statements[1:], n, testNow).For; fewer > all {
			t.Fatalf("seed %d: one more trust record lowers P from %d to %d", seed, fewer, all)
		}
		gone := d.IntN(len(n.Follows))
		without := n.WithFollows(slices.Delete(slices.Clone(n.Follows), gone, gone+1))
		if got := decideAt(q, statements, without, testNow).For; got < all-n.Follows[gone].Weight {
			t.Fatalf("seed %d: a follow of %d less lowers P from %d to %d", seed, n.Follows[gone].Weight, all, got)
		}
	}
}

// TestHostilePuppets gives somebody a few edges from honest sources and any number of puppets that all
// say the same: they add at most the weights of those edges to P, and to N at most the weights of
// the follows that they stand behind.
func TestHostilePuppets(t *testing.T) {
	t.Parallel()
	for seed := range rounds(t, 4000) {
		d := newDice(uint64(seed))
		n := d.plain(3)
		say := pick(d, fileTrust, fileReport)
		var honest []Statement
		for _, s := range n.Sources {
			if d.chance(2) {
				honest = append(honest, say(s.Log, "r"+s.Log))
			}
		}
		q := testQuery(testProject, "")
		before := decideAt(q, honest, n, testNow)
		m, bought, loud := d.withPuppets(n, honest, say)
		after := decideAt(q, loud, m, testNow)
		if after.For-before.For > bought {
			t.Fatalf("seed %d: puppets with edges of %d raise P from %d to %d", seed, bought, before.For, after.For)
		}
		behind := map[string]int{}
		for _, v := range after.Voices {
			if slices.ContainsFunc(v.Path, isPuppet) {
				behind[v.Path[0]] = v.Weight
			}
		}
		stand := 0
		for _, weight := range behind {
			stand += weight
		}
		if after.Against-before.Against > stand {
			t.Fatalf("seed %d: puppets behind follows of %d raise N from %d to %d", seed, stand, before.Against, after.Against)
		}
	}
}

func isPuppet(log string) bool { return log[0] == 'p' }

// withPuppets adds puppets to a network, with edges among themselves and to anybody, and a few
// edges from honest sources. It returns the sum of these, and what is said with the puppets.
func (d dice) withPuppets(n *Network, honest []Statement, say func(log, id string) Statement) (*Network, int, []Statement) {
	m := d.shuffled(n)
	loud := slices.Clone(honest)
	var puppets []string
	for i := range 1 + d.IntN(6) {
		log := fmt.Sprintf("p%d", i)
		puppets = append(puppets, log)
		m.Sources = append(m.Sources, Source{Log: log, Expires: farAway})
		loud = append(loud, say(log, "r"+log))
	}
	edge := func(from, to string, weight, depth int) {
		m.Edges = append(m.Edges, Edge{From: from, To: to, Issued: int64(len(m.Edges)), Weight: weight, Depth: depth})
	}
	bought := map[[2]string]int{}
	for range 1 + d.IntN(3) {
		from, to := n.Sources[d.IntN(len(n.Sources))].Log, pick(d, puppets...)
		weight := 1 + d.IntN(100)
		bought[[2]string{from, to}] = weight // the newest holds
		edge(from, to, weight, d.IntN(4))
	}
	for range d.IntN(12) {
		edge(pick(d, puppets...), pick(d, append(puppets, n.Sources[d.IntN(len(n.Sources))].Log)...), 100, 3)
	}
	sum := 0
	for _, weight := range bought {
		sum += weight
	}
	return m, sum, loud
}

// TestHostileOneMoreRecord adds one record of a source to what is said. A report never lowers N and never
// makes anything TRUSTED; trust never turns DISTRUSTED into TRUSTED, unless it is the answer of
// one who reported.
func TestHostileOneMoreRecord(t *testing.T) {
	t.Parallel()
	for seed := range rounds(t, 8000) {
		d := newDice(uint64(seed))
		n := d.plain(3)
		statements := d.statements(n)
		q := testQuery(pick(d, "", testProject, testProject), pick(d, "", vectorVersion))
		before := decideAt(q, statements, n, testNow)
		more := d.record(n.Sources[d.IntN(len(n.Sources))].Log, "zz")
		after := decideAt(q, append(slices.Clone(statements), more), n, testNow)
		if more.Kind == schema.KindDistrust {
			if after.Against < before.Against || after.Unseen < before.Unseen {
				t.Fatalf("seed %d: a report lowers N from %d to %d, N' from %d to %d", seed, before.Against, after.Against, before.Unseen, after.Unseen)
			}
			if after.For > before.For {
				t.Fatalf("seed %d: a report raises P from %d to %d", seed, before.For, after.For)
			}
			if before.Verdict != Trusted && after.Verdict == Trusted {
				t.Fatalf("seed %d: a report turns %s into TRUSTED", seed, before.Verdict)
			}
			continue
		}
		reporter := slices.ContainsFunc(statements, func(s Statement) bool { return s.Log == more.Log && s.Kind == schema.KindDistrust })
		if before.Verdict == Distrusted && after.Verdict == Trusted && !reporter {
			t.Fatalf("seed %d: trust of %s turns DISTRUSTED into TRUSTED", seed, more.Log)
		}
	}
}

// numbers is a decision without the lines that explain it.
func numbers(d Decision) string {
	return fmt.Sprintf("%s by %s: for %d, against %d, unseen %d, other %d", d.Verdict, d.By, d.For, d.Against, d.Unseen, d.Other)
}

// TestNothingAdds adds things that must change no number and no verdict.
func TestNothingAdds(t *testing.T) {
	t.Parallel()
	for seed := range rounds(t, 1500) {
		d := newDice(uint64(seed))
		n := d.network(3)
		statements := d.statements(n)
		q := testQuery(testProject, vectorVersion)
		want := decideAt(q, statements, n, testNow)
		log := n.Sources[d.IntN(len(n.Sources))].Log
		yes, no := fileTrust(log, "yes"), fileReport(log, "no")
		stranger := fileTrust("stranger", "stranger")
		elsewhere := fileReport(log, "elsewhere")
		elsewhere.Subjects = []schema.Subject{{Project: "pkg:npm/elsewhere"}}
		signer := fileTrust(log, "signer")
		signer.Subjects = []schema.Subject{{Signer: vectorSigner, Size: -1, Pattern: []string{"pkg:npm/*"}}}
		expired, future, void := yes, yes, no
		expired.Expires, future.Issued, void.Void = want.Now, want.Now+1, true
		taken := Statement{ID: "taken", Log: log, Kind: schema.KindWithdraw, Withdraws: []string{"no"}}
		var foreign []Statement
		for _, s := range statements {
			foreign = append(foreign, Statement{ID: "f" + s.ID, Log: "stranger", Kind: schema.KindWithdraw, Withdraws: []string{s.ID}})
		}
		for name, more := range map[string][]Statement{
			"a stranger": {stranger}, "a record of another project": {elsewhere}, "a signer of another project": {signer},
			"an expired record": {expired}, "a record of tomorrow": {future}, "a void report": {void},
			"a withdrawn report": {no, taken}, "foreign withdraws": foreign,
			"a second copy": statements,
		} {
			got := decideAt(q, append(slices.Clone(statements), more...), n, testNow)
			if numbers(got) != numbers(want) {
				t.Fatalf("seed %d: %s changes %v to %v", seed, name, numbers(want), numbers(got))
			}
		}
		i := d.IntN(len(n.Follows))
		muted := slices.Clone(n.Follows)
		muted[i].Weight = 0
		gone := slices.DeleteFunc(slices.Clone(statements), func(s Statement) bool { return s.Log == muted[i].Log })
		loud, quiet := decideAt(q, statements, n.WithFollows(muted), testNow), decideAt(q, gone, n.WithFollows(muted), testNow)
		if numbers(loud) != numbers(quiet) {
			t.Fatalf("seed %d: the records of a muted source change something", seed)
		}
	}
}
