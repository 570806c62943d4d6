package trust

import (
	"fmt"
	"testing"

	"gopkg.in/yaml.v3"
)

// networkQuery is one query of network*.yaml: what the widest single path is that D2 finds.
type networkQuery struct {
	ID      int            `yaml:"id"`
	Network string         `yaml:"network"`
	Project string         `yaml:"project"`
	Follows map[string]int `yaml:"follows"`
	Voices  []sourceVector `yaml:"voices"`
	Widest  int            `yaml:"widest"`
	Source  string         `yaml:"source"` // where the fact is from
}

// sourceVector is written [source, strength].
type sourceVector struct {
	Source   string
	Strength int
}

func (v *sourceVector) UnmarshalYAML(n *yaml.Node) error {
	return decodeList(n, &v.Source, &v.Strength)
}

// networkEdge is written [from, to, weight, depth, [scopes]].
type networkEdge struct {
	From, To      string
	Weight, Depth int
	Scopes        []string
}

func (e *networkEdge) UnmarshalYAML(n *yaml.Node) error {
	return decodeList(n, &e.From, &e.To, &e.Weight, &e.Depth, &e.Scopes)
}

func decodeList(n *yaml.Node, into ...any) error {
	if n.Kind != yaml.SequenceNode || len(n.Content) != len(into) {
		return fmt.Errorf("line %d: not a list of %d", n.Line, len(into))
	}
	for i := range into {
		if err := n.Content[i].Decode(into[i]); err != nil {
			return err
		}
	}
	return nil
}

func runNetworks(t *testing.T, file string) int {
	var vectors struct {
		Format   int                      `yaml:"format"`
		Networks map[string][]networkEdge `yaml:"networks"`
		Queries  []networkQuery           `yaml:"queries"`
	}
	load(t, file, &vectors)
	if vectors.Format != 1 {
		t.Fatalf("format %d is not known", vectors.Format)
	}
	for _, q := range vectors.Queries {
		t.Run(fmt.Sprint(q.ID), func(t *testing.T) {
			edges, ok := vectors.Networks[q.Network]
			if !ok {
				t.Fatalf("network %q is not in the file", q.Network)
			}
			if got := q.widest(edges); got != q.Widest {
				t.Errorf("%s: widest is %d, want %d (%s)", q.Network, got, q.Widest, q.Source)
			}
		})
	}
	return len(vectors.Queries)
}

// widest is the most that the best single voice can add. The scale is 120 and a follow sees 300
// hops: as far as any path of these networks is long.
func (q *networkQuery) widest(edges []networkEdge) int {
	net := &Network{}
	for name, weight := range q.Follows {
		net.Follows = append(net.Follows, Follow{Log: name, Weight: weight, Depth: 300, ViaMax: 120})
	}
	for _, e := range edges {
		net.Edges = append(net.Edges, Edge{From: e.From, To: e.To, Weight: e.Weight, Depth: e.Depth, Scopes: e.Scopes})
	}
	reach := net.Reach(q.Project, 0)
	widest := 0
	for _, v := range q.Voices {
		if route, ok := reach.Heard(v.Source); ok {
			widest = max(widest, min(route.Width, v.Strength))
		}
	}
	return widest
}
