package trust

import (
	"cmp"
	"slices"
	"strings"
)

// compiled is a network made ready for passes: the graph, and the user's follows over it.
type compiled struct {
	graph     *graph
	follows   []Follow // one for a log, in the order of log ids
	nodes     []int32  // of each follow
	extra     []string // followed logs that the graph does not know, sorted; numbered after its own
	ownIssued []int64  // sorted

	heard   []*pass // memo, guarded by graph.mu
	trusted []*pass // memo, guarded by graph.mu
}

// Compile prepares n for many calls: afterwards [Decide] and [Network.Reach] share one compact
// graph and remember its passes, also when called from several goroutines. It returns n. The
// fields of n must not change afterwards; [Network.WithFollows] makes a variation.
//
// Without it every call compiles anew: the same answers, at the price of reading every edge.
func (n *Network) Compile() *Network {
	if n.compiled == nil {
		n.compiled = n.compile(newGraph(n.Sources, n.Own, n.Lost, slices.Values(n.Edges)))
	}
	return n
}

// WithFollows is n as it would be with other follows: the answer to "what if". It shares the
// compiled graph of n when there is one.
func (n *Network) WithFollows(follows []Follow) *Network {
	m := &Network{
		Own: n.Own, Follows: follows, Edges: n.Edges, Sources: n.Sources, Lost: n.Lost, OwnIssued: n.OwnIssued,
	}
	if n.compiled != nil {
		m.compiled = m.compile(n.compiled.graph)
	}
	return m
}

// ready is the compiled form of n, made for this call only when Compile was not called.
func (n *Network) ready() *compiled {
	if n.compiled != nil {
		return n.compiled
	}
	return n.compile(newGraph(n.Sources, n.Own, n.Lost, slices.Values(n.Edges)))
}

func (n *Network) compile(g *graph) *compiled {
	c := &compiled{
		graph: g, follows: ordered(n.Follows), nodes: make([]int32, len(n.Follows)),
		ownIssued: slices.Sorted(slices.Values(n.OwnIssued)),
	}
	c.nodes = c.nodes[:len(c.follows)]
	at := 0 // in g.logs, which are in the same order
	for i := range c.follows {
		log := c.follows[i].Log
		for at < len(g.logs) && g.logs[at] < log {
			at++
		}
		if at < len(g.logs) && g.logs[at] == log {
			c.nodes[i] = int32(at)
			continue
		}
		c.nodes[i] = int32(len(g.logs) + len(c.extra))
		c.extra = append(c.extra, log)
	}
	return c
}

// ordered are follows with one for a log, in the order of log ids.
func ordered(follows []Follow) []Follow {
	inOrder := true
	for i := 1; i < len(follows) && inOrder; i++ {
		inOrder = follows[i-1].Log < follows[i].Log
	}
	if inOrder {
		return follows
	}
	follows = slices.Clone(follows)
	// Of two follows of one log, which the configuration refuses, the weaker one holds.
	slices.SortFunc(follows, func(a, b Follow) int {
		return cmp.Or(strings.Compare(a.Log, b.Log), cmp.Compare(a.Weight, b.Weight), cmp.Compare(a.Depth, b.Depth),
			cmp.Compare(a.ViaMax, b.ViaMax), cmp.Compare(a.Expires, b.Expires), strings.Compare(a.Name, b.Name),
			slices.Compare(a.Scopes, b.Scopes))
	})
	return slices.CompactFunc(follows, func(a, b Follow) bool { return a.Log == b.Log })
}

// follow finds the follow of a log; an index into follows.
func (c *compiled) follow(log string) (int, bool) {
	return slices.BinarySearchFunc(c.follows, log, func(f Follow, log string) int { return strings.Compare(f.Log, log) })
}

// node finds the number of a log.
func (c *compiled) node(log string) (int32, bool) {
	if node, ok := c.graph.find(log); ok {
		return node, true
	}
	i, ok := slices.BinarySearch(c.extra, log)
	return int32(len(c.graph.logs) + i), ok
}

// log is the id of a node.
func (c *compiled) log(node int32) string {
	if n := int32(len(c.graph.logs)); node >= n {
		return c.extra[node-n]
	}
	return c.graph.logs[node]
}

// fact is what is known of a node; of one that only a follow names, nothing.
func (c *compiled) fact(node int32) fact {
	if int(node) >= len(c.graph.facts) {
		return fact{}
	}
	return c.graph.facts[node]
}

// compareNodes compares two nodes by log id.
func (c *compiled) compareNodes(a, b int32) int {
	if n := int32(len(c.graph.logs)); a < n && b < n {
		return cmp.Compare(a, b)
	}
	return strings.Compare(c.log(a), c.log(b))
}

// isOwn says whether a log is one of the user's.
func (c *compiled) isOwn(log string) bool { return c.graph.fact(log).own }

// name is what the user calls a source: as in the follow, else as the source is known, else the
// first digits of its id.
func (c *compiled) name(log string) string {
	if i, ok := c.follow(log); ok && c.follows[i].Name != "" {
		return c.follows[i].Name
	}
	if s := c.graph.fact(log).source; s != nil && s.Name != "" {
		return s.Name
	}
	return log[:min(len(log), 8)]
}

// Unknown lists the follows of logs of which no head was accepted, in the order of log ids.
func (n *Network) Unknown() []Follow {
	c := n.ready()
	var unknown []Follow
	for i, node := range c.nodes {
		if c.fact(node).source == nil {
			unknown = append(unknown, c.follows[i])
		}
	}
	return unknown
}

// Reach is who may be heard about one project at one time: the outcome of the network pass (D2).
type Reach struct {
	heard   *pass
	trusted *pass
}

// Route is how one source is heard.
type Route struct {
	Log    string   // the source
	Name   string   // the user's name for it
	Path   []string // log ids from the follow to the source, the source last
	Names  []string // the same in names
	Hops   int      // beyond the follow: 0 for a followed source
	Width  int      // the most that a voice of the source can carry
	Follow Follow   // that the path starts with
}

// Reach runs the network pass for a project, "" when none is known, at now in Unix seconds (D2).
// For [Decide] now is the clock, or later when a head or an own record is newer (D1).
func (n *Network) Reach(project string, now int64) *Reach {
	c := n.ready()
	return &Reach{heard: c.pass(project, now, false), trusted: c.pass(project, now, true)}
}

// Heard is how reports of a log are heard: W in D2. It is false when they are not.
func (r *Reach) Heard(log string) (Route, bool) { return r.heard.route(log) }

// Trusted is how trust of a log is heard, W_t in D2: without the edges of stale sources. That the
// head of the log itself is stale is no matter of the network; its trust does not count then.
func (r *Reach) Trusted(log string) (Route, bool) { return r.trusted.route(log) }

// Routes lists how every source is heard that reports are heard of, in the order of log ids.
func (r *Reach) Routes() []Route {
	p := r.heard
	nodes := make([]int32, 0, p.heard)
	for node, at := range p.first {
		if at > 0 {
			nodes = append(nodes, int32(node))
		}
	}
	slices.SortFunc(nodes, p.c.compareNodes)
	routes := make([]Route, len(nodes))
	for i, node := range nodes {
		routes[i] = p.routeTo(p.first[node] - 1)
	}
	return routes
}

// Len counts the sources that reports are heard of.
func (r *Reach) Len() int { return r.heard.heard }

// find is the first settled state of a log, W(v).
func (p *pass) find(log string) (int32, bool) {
	node, ok := p.c.node(log)
	if !ok {
		return 0, false
	}
	return p.first[node] - 1, p.first[node] > 0
}

func (p *pass) route(log string) (Route, bool) {
	at, ok := p.find(log)
	if !ok {
		return Route{}, false
	}
	return p.routeTo(at), true
}

func (p *pass) routeTo(at int32) Route {
	s := p.states[at]
	r := Route{
		Hops: int(s.hops), Width: int(s.width), Follow: p.c.follows[s.follow],
		Path: make([]string, s.hops+1), Names: make([]string, s.hops+1),
	}
	for i := int(s.hops); i >= 0; i-- {
		r.Path[i] = p.c.log(p.states[at].node)
		r.Names[i] = p.c.name(r.Path[i])
		at = p.states[at].parent
	}
	r.Log, r.Name = r.Path[s.hops], r.Names[s.hops]
	return r
}
