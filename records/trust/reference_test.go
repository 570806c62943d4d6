package trust

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/distributed-trust/distrust/schema"
)

// refState is a settled state of the reference: D2 in the words of the specification, with whole
// paths and linear searches, straight over the statements.
type refState struct {
	path   []string
	before []string // ids of the states before it on its path
	follow Follow
	width  int
	left   int
}

// id tells states of the same path apart, which edges of one second can make.
func (s refState) id() string { return fmt.Sprint("state ", s.path, s.left) }

func (s refState) log() string { return s.path[len(s.path)-1] }

func (s refState) compare(o refState) int {
	return cmp.Or(cmp.Compare(o.width, s.width), cmp.Compare(len(s.path), len(o.path)),
		slices.Compare(s.path, o.path), cmp.Compare(o.left, s.left))
}

// refPass is the network pass of D2: the settled states in order.
func refPass(n *Network, project string, now int64, trust bool) []refState {
	var heap, settled []refState
	for _, f := range n.Follows {
		if f.Weight > 0 && (f.Expires == 0 || now < f.Expires) && refMatch(f.Scopes, project) && !slices.Contains(n.Own, f.Log) && !slices.Contains(n.Lost, f.Log) {
			heap = append(heap, refState{path: []string{f.Log}, follow: f, width: f.Weight, left: f.Depth})
		}
	}
	for len(heap) > 0 {
		at := 0
		for i := range heap {
			if heap[i].compare(heap[at]) < 0 {
				at = i
			}
		}
		s := heap[at]
		heap = slices.Delete(heap, at, at+1)
		if slices.ContainsFunc(settled, func(o refState) bool { return o.log() == s.log() && o.left >= s.left }) {
			continue
		}
		settled = append(settled, s)
		if s.left < 1 || trust && refStale(n, s.log(), now) {
			continue
		}
		for _, e := range refEdges(n, s.log(), project, now) {
			to := e.To
			if slices.Contains(n.Own, to) || slices.Contains(n.Lost, to) || slices.Contains(s.path, to) ||
				slices.ContainsFunc(n.Follows, func(f Follow) bool { return f.Log == to }) {
				continue
			}
			width := min(s.width, e.Weight)
			if len(s.path) == 1 {
				width = min(width, s.follow.ViaMax)
			}
			if width > 0 {
				path := append(slices.Clone(s.path), to)
				before := append(slices.Clone(s.before), s.id())
				heap = append(heap, refState{path: path, before: before, follow: s.follow, width: width, left: min(s.left-1, e.Depth)})
			}
		}
	}
	return settled
}

// refStale says whether a log's trust does not count.
func refStale(n *Network, log string, now int64) bool {
	i := slices.IndexFunc(n.Sources, func(s Source) bool { return s.Log == log })
	return i < 0 || now >= n.Sources[i].Expires
}

// refEdges are the active, matching edges that leave a log.
func refEdges(n *Network, log, project string, now int64) []Edge {
	var newest, edges []Edge
	for _, e := range n.Edges {
		if e.From == log && e.Issued <= now {
			newest = append(newest, e)
		}
	}
	for _, e := range newest {
		older := slices.ContainsFunc(newest, func(o Edge) bool { return o.To == e.To && o.Issued > e.Issued })
		if !older && (e.Expires == 0 || now < e.Expires) && refMatch(e.Scopes, project) {
			edges = append(edges, e)
		}
	}
	return edges
}

// refStands says whether a follow counts among all that is said.
func refStands(said []Statement, e Statement) bool {
	return e.Kind == schema.KindFollow && !e.Void && !slices.ContainsFunc(said, func(w Statement) bool {
		return w.Kind == schema.KindWithdraw && !w.Void && w.Log == e.Log && slices.Contains(w.Withdraws, e.ID)
	})
}

// refMatch is MatchAny in other words.
func refMatch(patterns []string, project string) bool {
	if len(patterns) == 0 {
		return true
	}
	for _, p := range patterns {
		if p == "*" || project != "" && p == project || project != "" && strings.HasSuffix(p, "/*") && strings.HasPrefix(project, p[:len(p)-1]) {
			return true
		}
	}
	return false
}

// refFirst is W: the first settled state of a log.
func refFirst(settled []refState, log string) (refState, bool) {
	i := slices.IndexFunc(settled, func(s refState) bool { return s.log() == log })
	if i < 0 {
		return refState{}, false
	}
	return settled[i], true
}

// refWidest is the exact best single path to every log, by walking every simple path there is.
func refWidest(n *Network, project string, now int64) map[string]int {
	widest := map[string]int{}
	var walk func(path []string, f Follow, width, left int)
	walk = func(path []string, f Follow, width, left int) {
		log := path[len(path)-1]
		widest[log] = max(widest[log], width)
		if left < 1 {
			return
		}
		for _, e := range refEdges(n, log, project, now) {
			to := e.To
			if slices.Contains(n.Own, to) || slices.Contains(n.Lost, to) || slices.Contains(path, to) ||
				slices.ContainsFunc(n.Follows, func(f Follow) bool { return f.Log == to }) {
				continue
			}
			w := min(width, e.Weight)
			if len(path) == 1 {
				w = min(w, f.ViaMax)
			}
			if w > 0 {
				walk(append(slices.Clone(path), to), f, w, min(left-1, e.Depth))
			}
		}
	}
	for _, f := range n.Follows {
		if f.Weight > 0 && (f.Expires == 0 || now < f.Expires) && refMatch(f.Scopes, project) && !slices.Contains(n.Own, f.Log) && !slices.Contains(n.Lost, f.Log) {
			walk([]string{f.Log}, f, f.Weight, f.Depth)
		}
	}
	return widest
}

// refPack is P of D4 in the words of the specification. trusts maps a log to its strength.
func refPack(settled []refState, trusts map[string]int) int {
	type voice struct {
		refState
		bound int
	}
	var voices []voice
	for log, strength := range trusts {
		if s, ok := refFirst(settled, log); ok {
			voices = append(voices, voice{s, min(s.width, strength)})
		}
	}
	slices.SortFunc(voices, func(a, b voice) int {
		return cmp.Or(cmp.Compare(b.bound, a.bound), cmp.Compare(len(a.path), len(b.path)), cmp.Compare(a.log(), b.log()))
	})
	left := map[string]int{}
	for _, s := range settled {
		left[s.id()] = s.width
		if _, ok := left["node "+s.log()]; !ok {
			left["node "+s.log()] = s.width
		}
		left["behind "+s.follow.Log] = min(s.follow.ViaMax, s.follow.Weight)
	}
	sum := 0
	for _, v := range voices {
		on := append(slices.Clone(v.before), v.id())
		for _, log := range v.path {
			on = append(on, "node "+log)
		}
		if len(v.path) > 1 {
			on = append(on, "behind "+v.follow.Log)
		}
		amount := v.bound
		for _, key := range on {
			amount = min(amount, left[key])
		}
		for _, key := range on {
			left[key] -= amount
		}
		sum += amount
	}
	return sum
}

// refReports is N of D4 in the words of the specification.
func refReports(n *Network, settled []refState, reports map[string]int) int {
	sum := 0
	for _, f := range n.Follows {
		own, behind := 0, 0
		for log, strength := range reports {
			s, ok := refFirst(settled, log)
			switch {
			case !ok || s.follow.Log != f.Log:
			case len(s.path) == 1:
				own += min(s.width, strength)
			default:
				behind += min(s.width, strength)
			}
		}
		sum += min(f.Weight, own+min(f.ViaMax, behind))
	}
	return sum
}
