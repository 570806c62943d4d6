package trust

import (
	"cmp"
	"iter"
	"slices"
	"strings"
	"sync"

	"github.com/distributed-trust/distrust/schema"
)

// graph is a network of sources in small integers: what does not depend on the user's follows.
// A node is a log; nodes are numbered in the order of log ids, so that comparing numbers compares
// ids.
type graph struct {
	logs   []string
	number map[string]int32
	first  []int32 // edges[first[v]:first[v+1]] leave v
	edges  []edge
	scopes [][]string // the distinct lists of patterns; scopes[0] is none
	facts  []fact     // of each node
	newest int64      // newest issued of an accepted head (D1)

	mu   sync.Mutex // guards work and the memo of every compiled network over this graph
	work scratch
}

// edge is one public follow. Those of the same two nodes lie together, the newest first.
type edge struct {
	issued, expires int64
	to              int32
	scope           int32
	weight, depth   int16
}

// fact is what is known of a node besides its edges.
type fact struct {
	source Source
	known  bool // a head was accepted
	own    bool
	lost   bool
}

// link is one edge on its way into a graph.
type link struct {
	from, to, id string
	scopes       []string
	edge
}

// newGraph numbers the logs and packs the links. It reads links twice; their order is no matter.
func newGraph(sources []Source, own, lost []string, links iter.Seq[link]) *graph {
	g := &graph{number: map[string]int32{}}
	g.addNodes(sources, own, lost, links)
	g.addEdges(links)
	return g
}

func (g *graph) addNodes(sources []Source, own, lost []string, links iter.Seq[link]) {
	add := func(log string) {
		if _, ok := g.number[log]; !ok {
			g.number[log] = 0
			g.logs = append(g.logs, log)
		}
	}
	for _, s := range sources {
		add(s.Log)
	}
	for _, log := range own {
		add(log)
	}
	for _, log := range lost {
		add(log)
	}
	for l := range links {
		add(l.from)
		add(l.to)
	}
	slices.Sort(g.logs)
	for i, log := range g.logs {
		g.number[log] = int32(i)
	}
	g.facts = make([]fact, len(g.logs))
	for _, s := range sources {
		f := &g.facts[g.number[s.Log]]
		// One log has one accepted head; of two that claim to be it the one that ends first
		// is believed, whatever their order.
		if !f.known || cmp.Or(cmp.Compare(s.Expires, f.source.Expires), cmp.Compare(s.Issued, f.source.Issued), strings.Compare(s.Name, f.source.Name)) < 0 {
			f.source, f.known = s, true
		}
		g.newest = max(g.newest, s.Issued)
	}
	for _, log := range own {
		g.facts[g.number[log]].own = true
	}
	for _, log := range lost {
		g.facts[g.number[log]].lost = true
	}
}

func (g *graph) addEdges(links iter.Seq[link]) {
	g.first = make([]int32, len(g.logs)+1)
	total := 0
	for l := range links {
		g.first[g.number[l.from]+1]++
		total++
	}
	for v := range g.logs {
		g.first[v+1] += g.first[v]
	}
	g.edges = make([]edge, total)
	ids := make([]string, total)
	fill := slices.Clone(g.first)
	scopes := map[string]int32{"": 0}
	g.scopes = [][]string{nil}
	for l := range links {
		at := &fill[g.number[l.from]]
		e := l.edge
		e.to = g.number[l.to]
		key := ""
		if len(l.scopes) > 0 {
			key = "\n" + strings.Join(l.scopes, "\n")
		}
		scope, ok := scopes[key]
		if !ok {
			scope = int32(len(g.scopes))
			scopes[key] = scope
			g.scopes = append(g.scopes, l.scopes)
		}
		e.scope = scope
		g.edges[*at], ids[*at] = e, l.id
		*at++
	}
	for v := range g.logs {
		lo, hi := g.first[v], g.first[v+1]
		sortEdges(g.edges[lo:hi], ids[lo:hi])
	}
}

// sortEdges brings the edges that leave one node into their order: by target, then the newest
// first, then the smaller record id.
func sortEdges(edges []edge, ids []string) {
	type pair struct {
		edge
		id string
	}
	pairs := make([]pair, len(edges))
	for i := range edges {
		pairs[i] = pair{edges[i], ids[i]}
	}
	slices.SortFunc(pairs, func(a, b pair) int {
		return cmp.Or(cmp.Compare(a.to, b.to), cmp.Compare(b.issued, a.issued), cmp.Compare(a.id, b.id))
	})
	for i := range pairs {
		edges[i] = pairs[i].edge
	}
}

// links are the edges of n that can ever count: follows that are neither void nor withdrawn by
// their own log (D2, D3).
func (n *Network) links() iter.Seq[link] {
	gone := withdrawals(n.Retracted)
	return func(yield func(link) bool) {
		for i := range n.Edges {
			s := &n.Edges[i]
			if s.Kind != schema.KindFollow || s.Void {
				continue
			}
			if _, ok := gone[recordOf{s.Log, s.ID}]; ok {
				continue
			}
			l := link{from: s.Log, to: s.Source.Log, id: s.ID, scopes: s.Scopes, edge: edge{
				issued: s.Issued, expires: s.Expires, weight: int16(s.Weight), depth: int16(s.Depth),
			}}
			if !yield(l) {
				return
			}
		}
	}
}

// recordOf names a record together with its log: a withdraw acts only on records of its own log.
type recordOf struct{ log, id string }

// withdrawals collects what the statements take back, and since when. A withdraw that is void
// takes nothing back (F2). A withdraw is final: withdrawing it changes nothing.
func withdrawals(statements []Statement) map[recordOf]int64 {
	gone := map[recordOf]int64{}
	for i := range statements {
		s := &statements[i]
		if s.Kind != schema.KindWithdraw || s.Void {
			continue
		}
		for _, id := range s.Withdraws {
			key := recordOf{s.Log, id}
			if since, ok := gone[key]; !ok || s.Issued < since {
				gone[key] = s.Issued
			}
		}
	}
	return gone
}
