package trust

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"testing"

	"github.com/distributed-trust/distrust/schema"
)

// largeNetwork is a compiled network of P8: 20 follows with depth 3 over sources that each follow
// ten others. The edges come straight into the graph: ten million of them in a list would
// take a gigabyte that no pass touches.
func largeNetwork(sources int) *Network {
	const degree, follows = 10, 20
	log := func(i int) string { return fmt.Sprintf("%032x", uint64(i)*0x9e3779b97f4a7c15) }
	logs := make([]string, sources)
	n := &Network{Own: []string{"me"}}
	for i := range logs {
		logs[i] = log(i)
		n.Sources = append(n.Sources, Source{Log: logs[i], Issued: 1, Expires: farAway})
	}
	for i := range follows {
		n.Follows = append(n.Follows, Follow{Log: logs[i], Weight: 100 - i, Depth: 3, ViaMax: 100})
	}
	edges := iter.Seq[Edge](func(yield func(Edge) bool) {
		r := rand.New(rand.NewPCG(1, 2))
		for _, from := range logs {
			for range degree {
				if weight, to := 1+r.IntN(100), logs[r.IntN(sources)]; !yield(edgeTo(from, to, weight, 3)) {
					return
				}
			}
		}
	})
	n.compiled = n.compile(newGraph(n.Sources, n.Own, nil, edges))
	return n
}

// BenchmarkPass is one network pass over a compiled network (P8).
func BenchmarkPass(b *testing.B) {
	for _, sources := range []int{10_000, 1_000_000} {
		b.Run(fmt.Sprintf("%d_sources", sources), func(b *testing.B) {
			n := largeNetwork(sources)
			var p *pass
			b.ReportAllocs()
			for b.Loop() {
				p = n.compiled.run(testProject, testNow, false)
			}
			b.ReportMetric(float64(p.heard), "heard")
		})
	}
}

// BenchmarkCompile packs 100,000 edges.
func BenchmarkCompile(b *testing.B) {
	n := largeNetwork(10_000)
	g := n.compiled.graph
	for v, log := range g.logs {
		for _, e := range g.edges[g.first[v]:g.first[v+1]] {
			n.Edges = append(n.Edges, edgeTo(log, g.logs[e.to], int(e.weight), int(e.depth)))
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		n.compiled = nil
		n.Compile()
	}
}

// twentyVoices are sources that are heard over one to four logs.
func twentyVoices(n *Network) []string {
	var logs []string
	for _, s := range n.compiled.pass(testProject, testNow, true).states {
		if len(logs) < 5*int(s.hops+1) {
			logs = append(logs, n.compiled.log(s.node))
		}
	}
	return logs[:20]
}

// BenchmarkScore packs 20 voices, without and with everything that a decision does around it (P8).
func BenchmarkScore(b *testing.B) {
	n := largeNetwork(10_000)
	logs := twentyVoices(n)
	p := n.compiled.pass(testProject, testNow, true)
	var voices []heard
	var statements []Statement
	for i, log := range logs {
		at, _ := p.find(log)
		voices = append(voices, heard{at, 100})
		statements = append(statements, fileTrust(log, fmt.Sprint(i)))
	}
	b.Run("pack", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			p.pack(voices)
		}
	})
	b.Run("reports", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			p.addUp(voices)
		}
	})
	q := testQuery(testProject, "")
	for _, said := range [][]Statement{statements[:1], statements} {
		b.Run(fmt.Sprintf("decide_%d", len(said)), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if d := decideAt(q, said, n, testNow); len(d.Voices) != len(said) || d.Voices[0].Statement.Kind != schema.KindTrust {
					b.Fatal(d)
				}
			}
		})
	}
}
