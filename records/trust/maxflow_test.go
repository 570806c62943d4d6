package trust

// maxFlow is the most that can flow from the user over follows and edges to the sources that
// trust, whatever the hops: the bound of D6, by the shortest augmenting paths.
func maxFlow(n *Network, trusts []Statement) int {
	type arc struct {
		to, left int
		back     int // index in arcs of the arc the other way
	}
	var arcs []arc
	out := map[int][]int{}
	add := func(from, to, capacity int) {
		out[from] = append(out[from], len(arcs))
		out[to] = append(out[to], len(arcs)+1)
		arcs = append(arcs, arc{to, capacity, len(arcs) + 1}, arc{from, 0, len(arcs)})
	}
	const user, sink = 0, 1
	number := map[string]int{}
	node := func(log string) int {
		if _, ok := number[log]; !ok {
			number[log] = len(number) + 2
		}
		return number[log]
	}
	for _, f := range n.Follows {
		add(user, node(f.Log), f.Weight)
	}
	for _, s := range n.Sources {
		for _, e := range refEdges(n, s.Log, testProject, testNow) {
			add(node(s.Log), node(e.To), e.Weight)
		}
	}
	for _, s := range trusts {
		add(node(s.Log), sink, s.Strength)
	}
	flow := 0
	for {
		by := map[int]int{user: -1} // node -> arc that reached it
		queue := []int{user}
		for len(queue) > 0 {
			v := queue[0]
			queue = queue[1:]
			for _, a := range out[v] {
				if _, seen := by[arcs[a].to]; !seen && arcs[a].left > 0 {
					by[arcs[a].to] = a
					queue = append(queue, arcs[a].to)
				}
			}
		}
		if _, ok := by[sink]; !ok {
			return flow
		}
		amount := 1 << 30
		for v := sink; v != user; v = arcs[arcs[by[v]].back].to {
			amount = min(amount, arcs[by[v]].left)
		}
		for v := sink; v != user; v = arcs[arcs[by[v]].back].to {
			arcs[by[v]].left -= amount
			arcs[arcs[by[v]].back].left += amount
		}
		flow += amount
	}
}
