package source

import (
	"testing"

	"github.com/distributed-trust/distrust/records/index"
	"github.com/distributed-trust/distrust/records/trust"
	"github.com/distributed-trust/distrust/schema"
)

// reached lists what the machine's index leads to from one follow.
func (m *machine) reached(log string, depth int) []Reach {
	m.t.Helper()
	g, err := index.Open(m.opt.Index)
	if err != nil {
		m.t.Fatal(err)
	}
	defer g.Close()
	net, err := g.Network()
	if err != nil {
		m.t.Fatal(err)
	}
	follows, err := g.Follows()
	if err != nil {
		m.t.Fatal(err)
	}
	net.Follows = []trust.Follow{{Name: "alice", Log: log, Weight: 100, Depth: depth, ViaMax: 50, Scopes: []string{"pkg:pypi/*"}}}
	pins, _, err := Pins(m.dirs)
	if err != nil {
		m.t.Fatal(err)
	}
	return Reached(net, follows, pins, m.opt.Now)
}

func id(letter string) (log string) {
	for range 32 {
		log += letter
	}
	return log
}

func edge(record, from, to string, issued int64, weight int) trust.Statement {
	return trust.Statement{
		ID: record, Log: id(from), Kind: schema.KindFollow, Issued: issued, Weight: weight, Depth: 3,
		Source: schema.FollowSource{Log: id(to), URL: "https://example.org/" + record + ".git", Key: "SHA256:" + record},
	}
}

func TestReached(t *testing.T) {
	t.Parallel()
	now := testNow.Unix()
	said := []trust.Statement{
		edge("old", "a", "b", now-20, 30), edge("new", "a", "b", now-10, 40), edge("future", "a", "b", now+10, 90),
		edge("back", "a", "b", now-7, 90),
		edge("taken", "a", "f", now-10, 90),
		edge("self", "a", "0", now-10, 90), edge("muted", "a", "e", now-10, 90),
		edge("two", "b", "c", now-10, 90), edge("three", "c", "d", now-10, 90),
		edge("unheard", "e", "9", now-10, 90),
		{ID: "w", Log: id("a"), Kind: schema.KindWithdraw, Withdraws: []string{"taken", "back"}, Issued: now - 5},
	}
	spent := edge("expired", "a", "b", now-10, 40)
	spent.Expires = now - 1
	said = append(said, spent)
	net := trust.Network{
		Own: []string{id("0")},
		Follows: []trust.Follow{
			{Name: "alice", Log: id("a"), Weight: 100, Depth: 2, ViaMax: 50},
			{Name: "mute", Log: id("e"), Weight: 0},
		},
		Edges: trust.Edges(said),
	}
	pins := []*Pin{{Log: id("c"), Delegated: true, URL: "https://example.org/accepted.git"}, {Log: id("b"), Unfollowed: testNow, Delegated: true}}
	got := Reached(net, said, pins, testNow)
	if len(got) != 2 {
		t.Fatalf("reached %+v", got)
	}
	b, c := got[0], got[1]
	if b.Log != id("b") || b.URL != "https://example.org/new.git" || b.Key != "SHA256:new" || b.Width != 40 || b.Accepted || b.Pin != nil {
		t.Errorf("b: %+v", b)
	}
	if c.Log != id("c") || !c.Accepted || c.Width != 40 || len(c.Path) != 3 {
		t.Errorf("c: %+v", c)
	}
	if spec := c.Spec(); spec.URL != "https://example.org/accepted.git" || !spec.Delegated || spec.Log != id("c") {
		t.Errorf("c is fetched as %+v", spec)
	}
	if spec := b.Spec(); spec.URL != b.URL || spec.Fingerprint != "SHA256:new" {
		t.Errorf("b is fetched as %+v", spec)
	}
	if net.Edges[0].Scopes != nil || len(Reached(net, said, nil, testNow)) != 2 {
		t.Error("asking changed the network")
	}
}
