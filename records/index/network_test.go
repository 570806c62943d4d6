package index

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/distributed-trust/distrust/records/index/internal/store"
	"github.com/distributed-trust/distrust/records/trust"
	"github.com/distributed-trust/distrust/schema"
)

// followOf is a public follow of another log.
func (l testLog) followOf(to testLog, weight int, issued time.Time, scopes ...string) Entry {
	return l.entry(schema.Record{Kind: schema.KindFollow, Weight: weight, Issued: issued, Scopes: scopes, Source: &schema.FollowSource{
		Log: to.id(), URL: "https://example.org/" + to.id() + ".git", Key: to.key.Key().Fingerprint(),
	}})
}

func (l testLog) withdrawOf(entries ...Entry) Entry {
	doc := schema.Record{Kind: schema.KindWithdraw}
	for _, e := range entries {
		doc.Withdraws = append(doc.Withdraws, e.Record.ID())
	}
	return l.entry(doc)
}

func TestFollows(t *testing.T) {
	t.Parallel()
	alice, bob := newLog(t, "alice"), newLog(t, "bob")
	d := testDir(t)
	f1, f2, other := alice.followOf(bob, 50, testStart), alice.followOf(bob, 60, testStart), alice.entry(trusted("x", "x"))
	withdraw, unrelated := alice.withdrawOf(f1), alice.withdrawOf(other)
	check := func(name string, edges []int, said ...Entry) {
		t.Helper()
		g := open(t, d)
		net, err := g.Network()
		if err != nil {
			t.Fatal(err)
		}
		follows, err := g.Follows()
		if err != nil {
			t.Fatal(err)
		}
		var weights []int
		for _, e := range net.Edges {
			if e.From != alice.id() || e.To != bob.id() {
				t.Errorf("%s: an edge %+v", name, e)
			}
			weights = append(weights, e.Weight)
		}
		slices.Sort(weights)
		want := []string{}
		for _, e := range said {
			want = append(want, e.Record.ID())
		}
		slices.Sort(want)
		if have := ids(follows); !slices.Equal(weights, edges) || !slices.Equal(have, want) {
			t.Errorf("%s: edges of weight %v, follows %v", name, weights, have)
		}
	}
	apply(t, d, alice.update(withdraw, other, unrelated))
	check("withdraw before the follow", nil)
	apply(t, d, alice.update(f1))
	check("one follow", nil, f1, withdraw)
	apply(t, d, alice.update(f2), bob.update(bob.entry(trusted("y", "y"))))
	check("two follows", []int{60}, f1, f2, withdraw)
	apply(t, d, alice.next(func(*schema.Head) {}).update())
	check("a new head", []int{60}, f1, f2, withdraw)
	more := alice.entry(trusted("z", "z"))
	apply(t, d, Update{Log: bob.id(), Drop: true}, alice.update(more)) // everything is written anew
	check("another log dropped", []int{60}, f1, f2, withdraw)
	apply(t, d, Update{Log: alice.id(), Remove: []string{withdraw.Record.ID()}})
	check("withdraw removed", []int{50, 60}, f1, f2)
	apply(t, d, Update{Log: alice.id(), Remove: []string{f1.Record.ID(), f2.Record.ID()}})
	check("follows removed", nil)
}

// TestFollowsCarryNoWords keeps what is read of all logs together small: the reason of a follow, and what a
// withdraw takes back besides follows, stay in the record store.
func TestFollowsCarryNoWords(t *testing.T) {
	t.Parallel()
	alice, bob := newLog(t, "alice"), newLog(t, "bob")
	d := testDir(t)
	follow := alice.entry(schema.Record{
		Kind: schema.KindFollow, Weight: 50, Reason: strings.Repeat("words ", 1000), Scopes: []string{"pkg:npm/*"},
		Source: &schema.FollowSource{Log: bob.id(), URL: "https://example.org/bob.git", Key: bob.key.Key().Fingerprint()},
	})
	other := alice.entry(trusted("x", "x"))
	withdraw := alice.entry(schema.Record{
		Kind: schema.KindWithdraw, Reason: "more words", Withdraws: []string{other.Record.ID(), follow.Record.ID()},
	})
	apply(t, d, alice.update(follow, other, withdraw))
	said, err := open(t, d).Follows()
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(said, func(a, b trust.Statement) int { return strings.Compare(string(a.Kind), string(b.Kind)) })
	if len(said) != 2 || said[0].Reason != "" || len(said[0].Scopes) != 1 || said[0].Source.URL != "https://example.org/bob.git" {
		t.Fatalf("follows %+v", said)
	}
	if said[1].Reason != "" || !slices.Equal(said[1].Withdraws, []string{follow.Record.ID()}) {
		t.Errorf("what takes it back %+v", said[1])
	}
}

// TestWithdrawsAgain: who takes back the same follows again and again makes nothing larger by it.
func TestWithdrawsAgain(t *testing.T) {
	t.Parallel()
	alice, bob := newLog(t, "alice"), newLog(t, "bob")
	said := func(times int) []byte {
		v := newSurvey(&logState{LogInfo: LogInfo{Log: alice.id(), Keys: alice.keys, Issued: testStart}})
		add := func(id string, kind schema.Kind, withdraws ...string) {
			v.add(&store.Said{By: alice.keys.Keys[0].Key, Statement: trust.Statement{
				ID: id, Kind: kind, Weight: 50, Source: schema.FollowSource{Log: bob.id()}, Withdraws: withdraws,
			}})
		}
		var all []string
		for i := range 50 {
			all = append(all, fmt.Sprintf("%064x", i))
			add(all[i], schema.KindFollow)
		}
		for i := range times {
			add(fmt.Sprintf("f%063x", i), schema.KindWithdraw, all...)
		}
		return v.said()
	}
	once := said(1)
	follows, err := decodeFollows(nil, once, &alice.keys)
	if err != nil || len(follows) != 51 || len(trust.Edges(follows)) != 0 {
		t.Errorf("%d statements, %v", len(follows), err)
	}
	if again := said(1000); len(again) != len(once) {
		t.Errorf("%d bytes, and %d when it is said again", len(once), len(again))
	}
}

// TestEdgesAreThoseOfTheRecords holds the edges that an index keeps to those of all its records, read one by one,
// over whatever comes and goes: follows, withdraws, keys that are compromised and records that are kept, whole logs.
func TestEdgesAreThoseOfTheRecords(t *testing.T) {
	t.Parallel()
	void, most := 0, 0
	for seed := range uint64(6) {
		d := dice{rand.New(rand.NewPCG(seed, 3)), t}
		dir := testDir(t)
		logs := []testLog{newLog(t, "alice"), newLog(t, "bob"), newLog(t, "carol")}
		said := make([][]Entry, len(logs))
		for range 14 {
			var updates []Update
			for i := range logs {
				l, u := &logs[i], Update{Log: logs[i].id()}
				switch d.IntN(8) {
				case 0:
					l.keys.Keys, l.keys.Keep = slices.Clone(l.keys.Keys), nil
					l.keys.Keys[0].State = pick(d, schema.Active, schema.Compromised)
					if len(said[i]) > 0 && d.chance(2) {
						l.keys.Keep = []string{pick(d, said[i]...).Record.ID()}
					}
					u = l.update()
				case 1:
					for range min(len(said[i]), 3) {
						u.Remove = append(u.Remove, pick(d, said[i]...).Record.ID())
					}
				case 2:
					u.Drop = d.chance(2)
				}
				for range d.IntN(4) * (1 - len(u.Remove)/3) {
					e := l.followOf(pick(d, logs...), 1+d.IntN(100), testStart.Add(time.Duration(d.IntN(5))*time.Second), pick(d, nil, nil, []string{"pkg:npm/*"})...)
					if len(said[i]) > 0 && d.chance(3) {
						e = l.withdrawOf(pick(d, slices.Concat(said...)...), pick(d, said[i]...)) // of another log, too
					}
					u.Add, said[i] = append(u.Add, e), append(said[i], e)
				}
				if u.Keys.ID == "" {
					u.Head, u.Keys = l.head, l.keys
				}
				updates = append(updates, u)
			}
			apply(t, dir, updates...)
			if d.chance(4) {
				if _, err := Rebuild(context.Background(), dir, Config{}); err != nil {
					t.Fatal(err)
				}
			}
			n, v := checkEdges(t, dir)
			most, void = max(most, n), void+v
		}
	}
	if most < 10 || void < 10 {
		t.Errorf("at most %d edges, and %d statements were void", most, void)
	}
}

// checkEdges holds the edges of an index to its records, and gives how many edges there are, and void statements.
func checkEdges(t *testing.T, dir Dir) (edges, void int) {
	t.Helper()
	g := open(t, dir)
	infos, err := g.Logs()
	if err != nil {
		t.Fatal(err)
	}
	var all []trust.Statement
	for _, info := range infos {
		err := g.Statements(info.Log, func(st trust.Statement, _ string) error {
			if st.Void {
				void++
			}
			all = append(all, st)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	net, err := g.Network()
	if err != nil {
		t.Fatal(err)
	}
	lines := func(edges []trust.Edge) []string {
		var list []string
		for _, e := range edges {
			list = append(list, fmt.Sprintf("%+v", e))
		}
		slices.Sort(list)
		return list
	}
	if have, want := lines(net.Edges), lines(trust.Edges(all)); !slices.Equal(have, want) {
		t.Fatalf("edges\n%s\nthose of the records\n%s", strings.Join(have, "\n"), strings.Join(want, "\n"))
	}
	return len(net.Edges), void
}
