package trust

import (
	"math"
	"slices"

	"github.com/distributed-trust/distrust/schema"
)

// state is a source with some hops still allowed, as the network pass settled it (D2).
type state struct {
	node   int32
	parent int32 // index of the state before it on its path; -1: a follow
	follow int32 // index of the follow that its path starts with
	width  int16
	hops   int16
	left   int16 // hops still allowed: r in D2
}

// pass is the outcome of one network pass. It holds for every project that gives the same
// answers to the scopes that it met, and for every now in [from, until): that is what lets one
// pass serve a whole scope class.
type pass struct {
	c      *compiled
	from   int64
	until  int64
	direct []bool   // of each follow: do its scopes match
	asked  []answer // of each list of scopes met on an edge
	states []state  // settled, in order
	first  []int32  // of each node: its first state, plus one; 0: it is not heard
	heard  int      // nodes with a state
	stale  []int32  // nodes reached whose head expired, in the order of log ids
	walked bool     // an edge of a stale source may have been walked
}

// answer is whether a list of scopes of the graph matched.
type answer struct {
	scope   int32
	matched bool
}

// scratch is what a pass works with. It is kept between passes because clearing what was touched
// is cheaper than zeroing arrays of the size of the network.
type scratch struct {
	settled []int16 // of each node: most hops left in any settled state, plus one; 0: none
	follows []bool  // of each node: the user follows it, whatever weight, scope or expiry
	answers []int8  // of each list of scopes: 0 not asked, 1 matched, -1 not
	queues  []queue // of each width: the states to settle
	widest  int     // no queue above it holds a state
	size    int     // how many states the last pass settled, a guess for the next
}

// queue holds the states of one width that wait for their turn.
type queue struct {
	follows []int32 // indexes of the follows, which come first and in order (D2)
	next    int     // of these
	line    []state // the others that came in the order in which they are settled
	front   int     // of these
	heap    []state // the others that did not
}

// pass finds the pass for a project and a time, or runs it. With trust the edges of stale
// sources are left out: that is W_t, otherwise it is W (D2).
func (c *compiled) pass(project string, now int64, trust bool) *pass {
	c.graph.mu.Lock()
	defer c.graph.mu.Unlock()
	p := c.remembered(&c.heard, project, now, false)
	if trust && p.walked {
		p = c.remembered(&c.trusted, project, now, true)
	}
	return p
}

// remembered finds a pass in one of the two memos, or runs it and puts it there.
func (c *compiled) remembered(memo *[]*pass, project string, now int64, trust bool) *pass {
	for _, p := range *memo {
		if p.holds(project, now) {
			return p
		}
	}
	p := c.run(project, now, trust)
	if len(*memo) == maxPasses {
		*memo = slices.Delete(*memo, 0, 1)
	}
	*memo = append(*memo, p)
	return p
}

// maxPasses bounds how many passes a network remembers.
const maxPasses = 32

// holds says whether p is the outcome for this project and time too.
func (p *pass) holds(project string, now int64) bool {
	if now < p.from || now >= p.until {
		return false
	}
	for i, f := range p.c.follows {
		if schema.MatchAny(f.Scopes, project) != p.direct[i] {
			return false
		}
	}
	for _, a := range p.asked {
		if schema.MatchAny(p.c.graph.scopes[a.scope], project) != a.matched {
			return false
		}
	}
	return true
}

// reached says whether now >= t, and narrows the time that the pass holds for accordingly.
func (p *pass) reached(t, now int64) bool {
	if now >= t {
		p.from = max(p.from, t)
		return true
	}
	p.until = min(p.until, t)
	return false
}

// expired says whether something that ends at t, or never when t is 0, has ended.
func (p *pass) expired(t, now int64) bool { return t != 0 && p.reached(t, now) }

// run settles states, the widest first, until none is left (D2).
func (c *compiled) run(project string, now int64, trust bool) *pass {
	g, w := c.graph, &c.graph.work
	size := max(w.size, len(c.follows))
	p := &pass{
		c: c, from: math.MinInt64, until: math.MaxInt64,
		states: make([]state, 0, size), first: make([]int32, len(g.logs)+len(c.extra)),
	}
	c.prepare(w)
	c.start(p, project, now)
	for {
		s, ok := c.pop(p)
		if !ok {
			break
		}
		if w.settled[s.node] > s.left {
			continue
		}
		at, stale := int32(len(p.states)), c.isStale(p, s.node, now)
		p.states = append(p.states, s)
		if w.settled[s.node] == 0 {
			p.first[s.node] = at + 1
			p.heard++
			if stale && c.fact(s.node).source != nil {
				p.stale = append(p.stale, s.node)
			}
		}
		w.settled[s.node] = s.left + 1
		if s.left < 1 || int(s.node) >= len(g.logs) || stale && trust {
			continue
		}
		p.walked = p.walked || stale
		c.expand(p, at, project, now)
	}
	c.tidy(p, w)
	w.size = len(p.states)
	slices.SortFunc(p.stale, c.compareNodes)
	return p
}

// prepare sizes the scratch and marks the followed nodes.
func (c *compiled) prepare(w *scratch) {
	nodes := len(c.graph.logs) + len(c.extra)
	if len(w.settled) < nodes {
		w.settled = make([]int16, nodes)
		w.follows = make([]bool, nodes)
	}
	if w.answers == nil {
		w.answers = make([]int8, len(c.graph.scopes))
	}
	for _, node := range c.nodes {
		w.follows[node] = true
	}
}

// tidy leaves the scratch as prepare wants to find it.
func (c *compiled) tidy(p *pass, w *scratch) {
	for _, node := range c.nodes {
		w.follows[node] = false
	}
	for _, s := range p.states {
		w.settled[s.node] = 0
	}
	for _, a := range p.asked {
		w.answers[a.scope] = 0
	}
}

// start queues every follow that may be heard at all, in the order of log ids.
func (c *compiled) start(p *pass, project string, now int64) {
	p.direct = make([]bool, len(c.follows))
	for i := range c.follows {
		f, node := &c.follows[i], c.nodes[i]
		p.direct[i] = schema.MatchAny(f.Scopes, project)
		known := c.fact(node)
		if !p.direct[i] || f.Weight <= 0 || known.own || known.lost || p.expired(f.Expires, now) {
			continue
		}
		q := c.graph.work.queue(f.Weight)
		q.follows = append(q.follows, int32(i))
	}
}

// expand follows the edges that leave a settled state. Of the records about the same source only
// the newest that is not from the future is looked at; of several of one second all are, which
// the program never writes.
func (c *compiled) expand(p *pass, at int32, project string, now int64) {
	g, s := c.graph, p.states[at]
	edges := g.edges[g.first[s.node]:g.first[s.node+1]]
	for i := 0; i < len(edges); {
		first, last := i, i
		for ; last < len(edges) && edges[last].to == edges[first].to; last++ {
		}
		for i = first; i < last && !p.reached(edges[i].issued, now); i++ {
		}
		for newest := i; i < last && edges[i].issued == edges[newest].issued; i++ {
			c.step(p, at, &edges[i], project, now)
		}
		i = last
	}
}

// step pushes the state that an edge leads to from a settled state, when it leads anywhere.
func (c *compiled) step(p *pass, at int32, e *edge, project string, now int64) {
	g, w, s := c.graph, &c.graph.work, p.states[at]
	left := min(s.left-1, e.depth)
	width := min(s.width, e.weight)
	if s.hops == 0 {
		width = min(width, int16(c.follows[s.follow].ViaMax))
	}
	// A state that is settled already with as many hops left would be dropped when popped. So would
	// a source that is on the path: it is settled with more.
	if width <= 0 || w.settled[e.to] > left || w.follows[e.to] || g.facts[e.to].own || g.facts[e.to].lost {
		return
	}
	if p.expired(e.expires, now) || !p.matches(e.scope, project) {
		return
	}
	c.push(p, state{node: e.to, parent: at, follow: s.follow, width: width, hops: s.hops + 1, left: left})
}

// matches says whether a list of scopes matches the project, and remembers that it was asked.
func (p *pass) matches(scope int32, project string) bool {
	if scope == 0 {
		return true
	}
	known := &p.c.graph.work.answers[scope]
	if *known == 0 {
		*known = -1
		if schema.MatchAny(p.c.graph.scopes[scope], project) {
			*known = 1
		}
		p.asked = append(p.asked, answer{scope, *known == 1})
	}
	return *known == 1
}

// before is the order within one width: the fewest hops, then the path of log ids, then the most
// hops left (D2).
func (c *compiled) before(p *pass, a, b *state) bool {
	if a.hops != b.hops {
		return a.hops < b.hops
	}
	if by := c.comparePaths(p, a, b); by != 0 {
		return by < 0
	}
	return a.left > b.left
}

// comparePaths compares two paths of the same length, log id by log id from the follow on.
func (c *compiled) comparePaths(p *pass, a, b *state) int {
	if a.parent != b.parent {
		if by := c.comparePaths(p, &p.states[a.parent], &p.states[b.parent]); by != 0 {
			return by
		}
	}
	return c.compareNodes(a.node, b.node)
}

// queue is the queue of a width, to put something in.
func (w *scratch) queue(width int) *queue {
	for len(w.queues) <= width {
		w.queues = append(w.queues, queue{})
	}
	w.widest = max(w.widest, width)
	return &w.queues[width]
}

// push keeps a state until its turn, in the queue of its width: what an edge leads to is never wider
// than what led there, so that the queues are emptied from the widest down. Where many follow at the same
// weight nearly all come in their order, and only have to be put in line.
func (c *compiled) push(p *pass, s state) {
	q := c.graph.work.queue(int(s.width))
	if n := len(q.line); n == 0 || !c.before(p, &s, &q.line[n-1]) {
		q.line = append(q.line, s)
		return
	}
	h := append(q.heap, s)
	i := len(h) - 1
	for i > 0 {
		up := (i - 1) / 2
		if !c.before(p, &s, &h[up]) {
			break
		}
		h[i] = h[up]
		i = up
	}
	h[i] = s
	q.heap = h
}

// pop takes the state that is to be settled next; false: none is left.
func (c *compiled) pop(p *pass) (state, bool) {
	w := &c.graph.work
	for w.widest > 0 && w.queues[w.widest].empty() {
		w.widest--
	}
	if w.widest == 0 {
		return state{}, false
	}
	q := &w.queues[w.widest]
	if q.next < len(q.follows) {
		i := q.follows[q.next]
		q.next++
		f := &c.follows[i]
		return state{node: c.nodes[i], parent: -1, follow: i, width: int16(f.Weight), left: int16(f.Depth)}, true
	}
	h := q.heap
	if q.front < len(q.line) && (len(h) == 0 || c.before(p, &q.line[q.front], &h[0])) {
		q.front++
		return q.line[q.front-1], true
	}
	top, last := h[0], h[len(h)-1]
	h = h[:len(h)-1]
	for i := 0; len(h) > 0; {
		down := 2*i + 1
		if down+1 < len(h) && c.before(p, &h[down+1], &h[down]) {
			down++
		}
		if down >= len(h) || !c.before(p, &h[down], &last) {
			h[i] = last
			break
		}
		h[i] = h[down]
		i = down
	}
	q.heap = h
	return top, true
}

// empty says whether nothing waits any more; a queue is then as good as new.
func (q *queue) empty() bool {
	if q.next < len(q.follows) || q.front < len(q.line) || len(q.heap) > 0 {
		return false
	}
	q.follows, q.next, q.line, q.front = q.follows[:0], 0, q.line[:0], 0
	return true
}

// isStale says whether the head of a node has expired, or is not known at all: then nothing that
// it says for trust counts.
func (c *compiled) isStale(p *pass, node int32, now int64) bool {
	s := c.fact(node).source
	return s == nil || p.reached(s.Expires, now)
}
