package records

import (
	"errors"
	"math"
	"slices"
)

// links finds heads by their id, so that a chain can be walked back along prev (F5.3). One head
// may have been signed more than once: copies with other signatures stay apart.
type links struct {
	copies map[string][]Head
	kept   map[string]bool
	above  []Head // the kept heads, for oneChain
}

func newLinks(c Chain) links {
	l := links{copies: map[string][]Head{}, kept: map[string]bool{}, above: c.Kept}
	add := func(h Head) {
		known := func(o Head) bool { return o.signer == h.signer }
		if !h.IsZero() && !slices.ContainsFunc(l.copies[h.id], known) {
			l.copies[h.id] = append(l.copies[h.id], h)
		}
	}
	add(c.Published)
	for _, h := range c.Kept {
		add(h)
		l.kept[h.id] = true
	}
	for _, h := range c.Between {
		add(h)
	}
	return l
}

// before finds the head that h names as its previous one.
func (l links) before(h Head) (Head, bool) {
	copies := l.copies[h.doc.Prev]
	if h.doc.Prev == "" || len(copies) == 0 {
		return Head{}, false
	}
	return copies[0], true
}

// path walks back from h to base along prev and gives the heads above base, oldest first. Each
// must be found and have the next number (F5.3): a gap is a rewrite, a chain that comes out
// beside base is a fork.
func (l links) path(base, h Head) ([]Head, error) {
	var path []Head
	for h.id != base.id {
		path = append(path, h)
		prev, found := l.before(h)
		if h.doc.Prev == base.id {
			prev, found = base, true
		}
		switch {
		case !found && h.doc.Seq <= base.doc.Seq+1:
			return nil, headError(Fork, base, h, "its chain does not meet the accepted head %d, %s", base.doc.Seq, shortID(base))
		case !found:
			e := headError(Rewrite, base, path[0], "head %d is missing on the way from the accepted head %d", h.doc.Seq-1, base.doc.Seq)
			e.Missing = h.doc.Seq - 1
			return nil, e
		case prev.doc.Seq != h.doc.Seq-1:
			e := headError(Rewrite, base, path[0], "head %d comes after head %d", h.doc.Seq, prev.doc.Seq)
			e.Missing = h.doc.Seq - 1
			return nil, e
		case prev.doc.Seq <= base.doc.Seq && prev.id != base.id:
			return nil, headError(Fork, base, prev, "its chain does not meet the accepted head %d, %s", base.doc.Seq, shortID(base))
		}
		h = prev
	}
	slices.Reverse(path)
	return path, nil
}

// orFork prefers to say that h left the accepted chain over what is wrong with its keys, which then
// is no wonder. A head without authority stays that: it cannot prove a fork.
func (l links) orFork(base, h Head, err error) error {
	var e, fork *HeadError
	if errors.As(err, &e) && e.Kind == NoAuthority {
		return err
	}
	if _, other := l.path(base, h); errors.As(other, &fork) && fork.Kind == Fork {
		return other
	}
	return err
}

// follow judges every head of a path in order (F5.2: a head that changes keys and is not kept is
// refused, wherever it stands). Of several signatures over one head, one that may is enough.
func (st state) follow(path []Head, l links) (state, error) {
	for _, h := range path {
		var next state
		var err error
		for _, signed := range l.copies[h.id] {
			if next, err = st.judge(step{head: signed, kept: l.kept[h.id]}); err == nil {
				break
			}
		}
		if err != nil {
			return state{}, err
		}
		st = next
	}
	return st, nil
}

// oneChain refuses kept heads that stand beside the path: they would lend it keys that no head on
// it ever added. Those at or below base, above the end, or of a lower epoch's other chain do not
// count.
func (l links) oneChain(base Head, path []Head) error {
	if len(path) == 0 {
		return nil
	}
	for _, s := range stepsAbove(l.above, base, path[len(path)-1]) {
		i := s.head.doc.Seq - path[0].doc.Seq // numbers on the path have no gap
		if i < 0 || i >= int64(len(path)) || path[i].id == s.head.id {
			continue
		}
		return headError(Fork, path[i], s.head, "two heads with seq %d: %s and %s", s.head.doc.Seq, shortID(path[i]), shortID(s.head))
	}
	return nil
}

// walk judges the kept heads above st up to the published one, in order (F5.2, F5.4), before anything
// is asked about the heads between: who has no authority cannot prove a fork. It gives the state
// from which the unbroken chain of F5.3 has to run: st itself, or the head of a raised epoch that a
// recovery key of st signed. Kept heads that only their signature ties to st lend no authority to
// skip the chain, so a raise by a recovery key that they add is judged like any other head. The state
// is given also with an error.
func (st state) walk(steps []step, l links) (base state, err error) {
	base = st
	for {
		i := slices.IndexFunc(steps, func(s step) bool { return s.head.doc.Epoch != base.head.doc.Epoch })
		if i < 0 || !base.mayRaise(steps[i].head) {
			break
		}
		raised, err := base.raise(steps[i], l)
		if err != nil {
			return base, err
		}
		base, steps = raised, steps[i+1:]
	}
	last := base
	for _, s := range steps {
		if last, err = last.judge(s); err != nil {
			return base, err
		}
	}
	return base, nil
}

// raise takes over a head that raises the epoch. It need not meet st, but its own chain must count
// right as far as it is found, and the keys of that chain are dropped like st's when it does not
// list them (F5.4).
func (st state) raise(s step, l links) (state, error) {
	next, err := st.judge(s)
	if err != nil {
		return state{}, err
	}
	older := map[string]bool{}
	for h := s.head; h.id != st.head.id; {
		prev, found := l.before(h)
		if !found {
			break
		}
		if prev.doc.Seq != h.doc.Seq-1 || prev.doc.Log != h.doc.Log {
			e := headError(Rewrite, prev, h, "head %d comes after head %d", h.doc.Seq, prev.doc.Seq)
			e.Missing = h.doc.Seq - 1
			return state{}, e
		}
		for _, k := range prev.doc.Keys {
			older[k.Key] = true
		}
		h = prev
	}
	next.dropped = st.droppedBy(s.head, older)
	return next, nil
}

// adjoins holds two kept heads that follow each other to their link, when their numbers say that no
// head lies between (F5.3).
func adjoins(prev, h Head) error {
	if h.doc.Seq == prev.doc.Seq+1 && h.doc.Prev != prev.id {
		return headError(Fork, prev, h, "head %d does not follow from the kept head %d, %s", h.doc.Seq, prev.doc.Seq, shortID(prev))
	}
	return nil
}

// stepsTo sorts the kept heads up to h, which comes last in any case. Kept heads above h are
// ignored (F5.5); so are those of a lower epoch with a seq that a later epoch has taken again:
// its seq is that of its own chain + 1, so they are not on it (F5.4).
func stepsTo(kept []Head, h Head) []step {
	var steps []step
	isKept := false
	for _, k := range kept {
		switch {
		case k.id == h.id:
			isKept = true // h comes with its own signature
		case k.Compare(h) <= 0:
			steps = append(steps, step{head: k, kept: true})
		}
	}
	slices.SortStableFunc(steps, func(a, b step) int { return a.head.Compare(b.head) })
	steps = slices.CompactFunc(steps, func(a, b step) bool { return a.head.id == b.head.id })
	return onOneChain(append(steps, step{head: h, kept: isKept}))
}

// onOneChain leaves out the sorted steps whose seq a later epoch counts again.
func onOneChain(steps []step) []step {
	var chain []step
	epoch := steps[len(steps)-1].head.doc.Epoch
	lowest, limit := int64(math.MaxInt64), int64(math.MaxInt64) // of this epoch, of the later ones
	for _, s := range slices.Backward(steps) {
		if s.head.doc.Epoch != epoch {
			epoch, limit = s.head.doc.Epoch, min(limit, lowest)
		}
		lowest = min(lowest, s.head.doc.Seq)
		if s.head.doc.Seq < limit {
			chain = append(chain, s)
		}
	}
	slices.Reverse(chain)
	return chain
}

// stepsAbove are the steps to h that are above the pin.
func stepsAbove(kept []Head, pin, h Head) []step {
	return slices.DeleteFunc(stepsTo(kept, h), func(s step) bool { return s.head.Compare(pin) <= 0 })
}
