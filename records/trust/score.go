package trust

import (
	"cmp"
	"slices"
)

// heard is one voice on its way through a pass.
type heard struct {
	state    int32 // W(v) or W_t(v): the first settled state of its source
	strength int
}

// bound is the most that a voice can add: the smaller of its strength and its source's width.
func (p *pass) bound(v heard) int { return min(int(p.states[v.state].width), v.strength) }

// order gives the indexes of voices in the order of D4: the most that they can add, then the
// fewest hops, then the log id. Log ids are distinct: one source is one voice.
func (p *pass) order(voices []heard) []int {
	order := make([]int, len(voices))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int {
		a, b := p.states[voices[i].state], p.states[voices[j].state]
		return cmp.Or(cmp.Compare(p.bound(voices[j]), p.bound(voices[i])), cmp.Compare(a.hops, b.hops), p.c.compareNodes(a.node, b.node))
	})
	return order
}

// residual is what is left of something that starts with an amount of its own.
type residual map[int32]int

// of is what is left of key, which starts with whole.
func (r residual) of(key int32, whole int) int {
	if used, ok := r[key]; ok {
		return whole - used
	}
	return whole
}

// pack adds up trust (D4): each voice in its order takes as much as its strength, its width, and
// what is left of every source and every state on its path and of the part of the follow that
// lies behind its source allow. It returns the amount of each voice and the sum.
func (p *pass) pack(voices []heard) ([]int, int) {
	amounts, sum := make([]int, len(voices)), 0
	nodes, states, behind := residual{}, residual{}, residual{}
	for _, i := range p.order(voices) {
		amount := p.bound(voices[i])
		last := p.states[voices[i].state]
		for at := voices[i].state; at >= 0; at = p.states[at].parent {
			s := p.states[at]
			whole := p.states[p.first[s.node]-1].width
			amount = min(amount, nodes.of(s.node, int(whole)), states.of(at, int(s.width)))
		}
		if last.hops >= 1 {
			amount = min(amount, behind.of(last.follow, p.behind(last.follow)))
		}
		if amount <= 0 {
			continue
		}
		for at := voices[i].state; at >= 0; at = p.states[at].parent {
			nodes[p.states[at].node] += amount
			states[at] += amount
		}
		if last.hops >= 1 {
			behind[last.follow] += amount
		}
		amounts[i] = amount
		sum += amount
	}
	return amounts, sum
}

// maxSilenced bounds how many combinations packWithout tries: two to this power.
const maxSilenced = 10

// packWithout packs the voices of sources of which none reports, knowing those that would be
// trust too had their source not reported. Where a source is heard over two states, packing is
// greedy enough that a voice which falls silent can free more than it took. A report must never
// raise trust (D6), so the sum is at most what it would be with any of the silenced voices back;
// what is too much is taken from the last. On a tree of paths, the usual case, packing cannot
// rise and nothing is tried.
func (p *pass) packWithout(voices, silenced []heard) ([]int, int) {
	amounts, sum := p.pack(voices)
	all := append(slices.Clone(voices), silenced...)
	if len(silenced) == 0 || p.isTree(all) {
		return amounts, sum
	}
	least := 0
	if len(silenced) <= maxSilenced {
		least = sum
		for set := range 1 << len(silenced) {
			with := all[:len(voices):len(voices)]
			for i, v := range silenced {
				if set&(1<<i) != 0 {
					with = append(with, v)
				}
			}
			_, s := p.pack(with)
			least = min(least, s)
		}
	}
	order := p.order(voices)
	for i := len(order) - 1; i >= 0 && sum > least; i-- {
		less := min(amounts[order[i]], sum-least)
		amounts[order[i]] -= less
		sum -= less
	}
	return amounts, sum
}

// isTree says whether no source is on the paths of the voices in two states.
func (p *pass) isTree(voices []heard) bool {
	at := map[int32]int32{}
	for _, v := range voices {
		for s := v.state; s >= 0; s = p.states[s].parent {
			node := p.states[s].node
			if other, ok := at[node]; ok && other != s {
				return false
			}
			at[node] = s
		}
	}
	return true
}

// behind is the most that all that lies behind a follow's source can add.
func (p *pass) behind(follow int32) int {
	f := p.c.follows[follow]
	return min(f.ViaMax, f.Weight)
}

// addUp adds up reports (D4): for each follow its source's own amount and, at most via_max, the
// amounts behind it, together at most its weight. Unlike trust, reports never take from each
// other beyond that, so one more never lowers the sum. The amounts of the voices add up to it:
// the source's own comes first, then the order of D4.
func (p *pass) addUp(voices []heard) ([]int, int) {
	amounts, sum := make([]int, len(voices)), 0
	own, behind := residual{}, residual{}
	for _, direct := range []bool{true, false} {
		for _, i := range p.order(voices) {
			s := p.states[voices[i].state]
			if (s.hops == 0) != direct {
				continue
			}
			f := p.c.follows[s.follow]
			amount := min(p.bound(voices[i]), own.of(s.follow, f.Weight))
			if !direct {
				amount = min(amount, behind.of(s.follow, f.ViaMax))
				behind[s.follow] += amount
			}
			own[s.follow] += amount
			amounts[i] = amount
			sum += amount
		}
	}
	return amounts, sum
}
