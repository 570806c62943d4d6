package trust

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// TestCompileInAnyOrder: sources and follows in the order of log ids, as a check gets them from the index, compile
// to the same as in any other, also where a source has two heads or none, or is followed twice.
func TestCompileInAnyOrder(t *testing.T) {
	t.Parallel()
	for seed := range rounds(t, 2000) {
		d := newDice(uint64(seed))
		n := d.network(3)
		n.Follows = append(n.Follows, Follow{Log: "unknown", Name: "nobody's", Weight: 50, Depth: d.IntN(3)})
		if d.chance(2) {
			again := pick(d, n.Follows...)
			again.Name, again.Weight = again.Name+" again", d.IntN(101)
			n.Follows = append(n.Follows, again)
		}
		if d.chance(2) {
			again := pick(d, n.Sources...)
			again.Expires = testNow
			n.Sources = append(n.Sources, again)
		}
		gone := pick(d, n.Sources...).Log
		n.Sources = slices.DeleteFunc(n.Sources, func(s Source) bool { return s.Log == gone })
		mixed := d.shuffled(n).Compile()
		slices.SortStableFunc(n.Sources, func(a, b Source) int { return strings.Compare(a.Log, b.Log) })
		slices.SortStableFunc(n.Follows, func(a, b Follow) int {
			return cmp.Or(strings.Compare(a.Log, b.Log), cmp.Compare(a.Weight, b.Weight), strings.Compare(a.Name, b.Name))
		})
		n.Compile()
		for _, project := range []string{"", testProject} {
			now := testNow + int64(d.IntN(3)) - 1
			a, b := n.Reach(project, now), mixed.Reach(project, now)
			for _, routes := range [][2][]Route{{a.Routes(), b.Routes()}, {(&Reach{heard: a.trusted}).Routes(), (&Reach{heard: b.trusted}).Routes()}} {
				if !reflect.DeepEqual(routes[0], routes[1]) {
					t.Fatalf("seed %d: in order it is %+v, mixed %+v", seed, routes[0], routes[1])
				}
			}
		}
		unknown := n.Unknown()
		if !reflect.DeepEqual(unknown, mixed.Unknown()) {
			t.Fatalf("seed %d: unknown are %+v, mixed %+v", seed, unknown, mixed.Unknown())
		}
		for _, f := range n.Follows {
			known := slices.ContainsFunc(n.Sources, func(s Source) bool { return s.Log == f.Log })
			listed := slices.ContainsFunc(unknown, func(u Follow) bool { return u.Log == f.Log })
			if known == listed {
				t.Fatalf("seed %d: %s has a head: %v, and is listed as unknown: %v", seed, f.Log, known, listed)
			}
		}
	}
}

// TestEdges holds the edges of statements to what D2 and D3 say of each: it is a follow, its key counts, and no
// withdraw that counts takes it back in its own log. In which order all that is said comes is no matter.
func TestEdges(t *testing.T) {
	t.Parallel()
	all := func(a, b Edge) int { return strings.Compare(fmt.Sprintf("%+v", a), fmt.Sprintf("%+v", b)) }
	for seed := range rounds(t, 2000) {
		d := newDice(uint64(seed))
		said := append(d.published([]string{"a", "b", "c", "d"}), fileTrust("a", "e00"))
		var want []Edge
		for _, s := range said {
			if refStands(said, s) {
				want = append(want, Edge{
					From: s.Log, To: s.Source.Log, Weight: s.Weight, Depth: s.Depth, Scopes: s.Scopes, Issued: s.Issued, Expires: s.Expires,
				})
			}
		}
		d.Shuffle(len(said), func(i, j int) { said[i], said[j] = said[j], said[i] })
		got := Edges(said)
		for i := 1; i < len(got); i++ {
			if a, b := &got[i-1], &got[i]; cmp.Or(strings.Compare(a.From, b.From), strings.Compare(a.To, b.To), cmp.Compare(b.Issued, a.Issued)) > 0 {
				t.Fatalf("seed %d: %+v comes before %+v", seed, *a, *b)
			}
		}
		slices.SortFunc(got, all)
		slices.SortFunc(want, all)
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("seed %d: edges are %+v, want %+v", seed, got, want)
		}
	}
}
