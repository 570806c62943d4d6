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

// newGraph numbers the logs and packs the edges, which it reads three times; their order is no matter.
func newGraph(sources []Source, own, lost []string, edges iter.Seq[Edge]) *graph {
	g := &graph{}
	numbers := g.addLogs(sources, own, lost, edges)
	g.addFacts(sources, own, lost)
	g.addEdges(edges, numbers)
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

// addLogs numbers the logs that have a source, are the user's own or lost, or have edges. It gives the numbers
// by log where there are edges.
func (g *graph) addLogs(sources []Source, own, lost []string, edges iter.Seq[Edge]) map[string]int32 {
	g.logs = make([]string, 0, len(sources)+len(own)+len(lost))
	for i := range sources {
		g.logs = append(g.logs, sources[i].Log)
	}
	g.logs = append(append(g.logs, own...), lost...)
	slices.Sort(g.logs)
	g.logs = slices.Compact(g.logs)
	var numbers map[string]int32 // made for the first edge: many follow nobody who follows in public
	known := len(g.logs)
	for e := range edges {
		if numbers == nil {
			numbers = make(map[string]int32, known)
			for i, log := range g.logs {
				numbers[log] = int32(i)
			}
		}
		for _, log := range [...]string{e.From, e.To} {
			if _, ok := numbers[log]; !ok {
				numbers[log] = 0
				g.logs = append(g.logs, log)
			}
		}
	}
	if len(g.logs) > known {
		slices.Sort(g.logs)
		for i, log := range g.logs {
			numbers[log] = int32(i)
		}
	}
	return numbers
}

// addFacts notes what is known of each log besides its edges.
func (g *graph) addFacts(sources []Source, own, lost []string) {
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

// addEdges packs the edges between logs with these numbers.
func (g *graph) addEdges(edges iter.Seq[Edge], numbers map[string]int32) {
	g.first, g.scopes = make([]int32, len(g.logs)+1), [][]string{nil}
	if len(numbers) == 0 {
		return
	}
	total := 0
	for e := range edges {
		g.first[numbers[e.From]+1]++
		total++
	}
	for v := range g.logs {
		g.first[v+1] += g.first[v]
	}
	g.edges = make([]edge, total)
	fill := slices.Clone(g.first)
	scopes := map[string]int32{"": 0}
	for e := range edges {
		at := &fill[numbers[e.From]]
		key := ""
		if len(e.Scopes) > 0 {
			key = "\n" + strings.Join(e.Scopes, "\n")
		}
		scope, ok := scopes[key]
		if !ok {
			scope = int32(len(g.scopes))
			scopes[key] = scope
			g.scopes = append(g.scopes, e.Scopes)
		}
		g.edges[*at] = edge{
			issued: e.Issued, expires: e.Expires, to: numbers[e.To], scope: scope, weight: int16(e.Weight), depth: int16(e.Depth),
		}
		*at++
	}
	for v := range g.logs {
		// Of several about one source the newest come first. In which order those of one second are
		// looked at is no matter, for all of them are.
		slices.SortFunc(g.edges[g.first[v]:g.first[v+1]], func(a, b edge) int {
			return cmp.Or(cmp.Compare(a.to, b.to), cmp.Compare(b.issued, a.issued))
		})
	}
}

// Edges are the follows among statements that can ever count: those that are neither void nor
// withdrawn by their own log (D2, D3). They come in the order of logs.
func Edges(statements []Statement) []Edge {
	gone := withdrawals(statements)
	var edges []Edge
	for i := range statements {
		s := &statements[i]
		if s.Kind != schema.KindFollow || s.Void {
			continue
		}
		if _, ok := gone[recordOf{s.Log, s.ID}]; !ok {
			edges = append(edges, Edge{
				From: s.Log, To: s.Source.Log, Weight: s.Weight, Depth: s.Depth, Scopes: s.Scopes, Issued: s.Issued, Expires: s.Expires,
			})
		}
	}
	slices.SortStableFunc(edges, func(a, b Edge) int {
		return cmp.Or(strings.Compare(a.From, b.From), strings.Compare(a.To, b.To), cmp.Compare(b.Issued, a.Issued))
	})
	return edges
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
