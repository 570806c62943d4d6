package postings

import (
	"slices"
)

// source gives postings in their order, one with each call, and false after the last.
type source func() (Posting, bool, error)

// listed gives the postings of a sorted list.
func listed(list []Posting) source {
	return func() (Posting, bool, error) {
		if len(list) == 0 {
			return Posting{}, false, nil
		}
		p := list[0]
		list = list[1:]
		return p, true, nil
	}
}

// all gives the postings of a space of the file.
func (l *layer) all(space int) source {
	var n uint32
	var block []byte
	return func() (Posting, bool, error) {
		for len(block) == 0 {
			if n>>l.f.meta.bits[space] > 0 {
				return Posting{}, false, nil
			}
			var err error
			if block, err = l.block(space, n); err != nil {
				return Posting{}, false, err
			}
			n++
		}
		p := postingAt(block, 0)
		block = block[postingSize:]
		return p, true, nil
	}
}

// head is the next posting of a source.
type head struct {
	Posting
	from source
}

// merge calls do for the postings of all sources in their order, once for each.
func merge(sources []source, do func(Posting) error) error {
	var heap []head // none is smaller than those at i*2+1 and i*2+2
	for _, from := range sources {
		p, ok, err := from()
		if err != nil {
			return err
		}
		if ok {
			heap = append(heap, head{p, from})
		}
	}
	slices.SortFunc(heap, func(a, b head) int { return a.Compare(b.Posting) })
	var last Posting
	for first := true; len(heap) > 0; first = false {
		least := heap[0].Posting
		if first || least != last {
			if err := do(least); err != nil {
				return err
			}
			last = least
		}
		p, ok, err := heap[0].from()
		if err != nil {
			return err
		}
		if ok {
			heap[0].Posting = p
		} else {
			heap[0] = heap[len(heap)-1]
			heap = heap[:len(heap)-1]
		}
		sink(heap)
	}
	return nil
}

// sink brings the first of a heap to where it belongs.
func sink(heap []head) {
	for i := 0; ; {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(heap); child++ {
			if heap[child].Compare(heap[least].Posting) < 0 {
				least = child
			}
		}
		if least == i {
			return
		}
		heap[i], heap[least] = heap[least], heap[i]
		i = least
	}
}
