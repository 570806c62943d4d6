package trust

import (
	"cmp"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/distributed-trust/distrust/schema"
)

// graph is a network of sources in small integers: what does not depend on the user's follows.
// A node is a log; nodes are numbered in the order of log ids, so that comparing numbers compares
// ids.
type graph struct {
	logs   []string // sorted
	first  []int32  // edges[first[v]:first[v+1]] leave v
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
	source *Source // nil: no head was accepted
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
	g := &graph{}
	linked := map[string]int32{}
	note := func(log string) {
		if _, ok := linked[log]; !ok {
			linked[log] = 0
		}
	}
	for l := range links {
		note(l.from)
		note(l.to)
	}
	g.addNodes(sources, own, lost, linked)
	for log := range linked {
		linked[log], _ = g.find(log)
	}
	g.addEdges(links, linked)
	return g
}

// find is the number of a log.
func (g *graph) find(log string) (int32, bool) {
	i, ok := slices.BinarySearch(g.logs, log)
	return int32(i), ok
}

// fact is what is known of a log by its id; of one that the graph does not have, nothing.
func (g *graph) fact(log string) fact {
	if node, ok := g.find(log); ok {
		return g.facts[node]
	}
	return fact{}
}

// addNodes numbers the logs that have a source, are the user's own or lost, or have links.
func (g *graph) addNodes(sources []Source, own, lost []string, linked map[string]int32) {
	g.logs = make([]string, 0, len(sources)+len(own)+len(lost)+len(linked))
	for i := range sources {
		g.logs = append(g.logs, sources[i].Log)
	}
	g.logs = append(append(g.logs, own...), lost...)
	g.logs = slices.AppendSeq(g.logs, maps.Keys(linked))
	slices.Sort(g.logs)
	g.logs = slices.Compact(g.logs)
	g.facts = make([]fact, len(g.logs))
	node := int32(0)
	for i := range sources {
		s := &sources[i]
		node = g.next(node, s.Log)
		// One log has one accepted head; of two that claim to be it the one that ends first
		// is believed, whatever their order.
		if f := &g.facts[node]; f.source == nil || s.before(f.source) {
			f.source = s
		}
		g.newest = max(g.newest, s.Issued)
	}
	for _, log := range own {
		node, _ := g.find(log)
		g.facts[node].own = true
	}
	for _, log := range lost {
		node, _ := g.find(log)
		g.facts[node].lost = true
	}
}

// before says which of two heads of one log is believed.
func (s *Source) before(t *Source) bool {
	return cmp.Or(cmp.Compare(s.Expires, t.Expires), cmp.Compare(s.Issued, t.Issued), strings.Compare(s.Name, t.Name)) < 0
}

// next is the number of a log that the graph has: at node or soon after it where the logs that are asked
// for come in order, as they do from the index.
func (g *graph) next(node int32, log string) int32 {
	for range 4 {
		if int(node) < len(g.logs) && g.logs[node] == log {
			return node
		}
		node++
	}
	node, _ = g.find(log)
	return node
}

// addEdges packs the links; numbers are those of the logs that have any.
func (g *graph) addEdges(links iter.Seq[link], numbers map[string]int32) {
	g.first, g.scopes = make([]int32, len(g.logs)+1), [][]string{nil}
	if len(numbers) == 0 {
		return
	}
	total := 0
	for l := range links {
		g.first[numbers[l.from]+1]++
		total++
	}
	for v := range g.logs {
		g.first[v+1] += g.first[v]
	}
	g.edges = make([]edge, total)
	ids := make([]string, total)
	fill := slices.Clone(g.first)
	scopes := map[string]int32{"": 0}
	for l := range links {
		at := &fill[numbers[l.from]]
		e := l.edge
		e.to = numbers[l.to]
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
