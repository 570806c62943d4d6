package index

import (
	"slices"

	"github.com/distributed-trust/distrust/records/index/internal/codec"
	"github.com/distributed-trust/distrust/records/index/internal/store"
	"github.com/distributed-trust/distrust/schema"
)

// survey collects what the index keeps of a log as a whole.
type survey struct {
	state   *logState
	late    []int64
	follows [][]byte
	ids     map[string]bool // of the follows
	takes   []store.Said    // withdraws
}

func newSurvey(state *logState) *survey {
	return &survey{state: state, ids: map[string]bool{}}
}

// isLate says whether a record is newer than its log's head (see [Generation.Late]).
func (l *logState) isLate(s *store.Said) bool {
	return l.HeadID == "" || s.Statement.Issued > l.Issued.Unix()
}

func (v *survey) add(s *store.Said) {
	if v.state.isLate(s) && !store.Void(&v.state.Keys, s.By, s.Statement.ID) {
		v.late = append(v.late, s.Statement.Issued)
	}
	switch s.Statement.Kind {
	case schema.KindFollow:
		v.ids[s.Statement.ID] = true
		edge := *s
		edge.Statement.Reason = "" // no path needs their words
		v.follows = append(v.follows, edge.Bytes())
	case schema.KindWithdraw:
		v.takes = append(v.takes, *s)
	default: // other records are found by their keys
	}
}

// said encodes the follows, and for each that is taken back one withdraw that does so: what else says so again
// would make the value many times as large as the follows, whose number is bounded.
func (v *survey) said() []byte {
	list := v.follows
	for _, take := range v.takes {
		if store.Void(&v.state.Keys, take.By, take.Statement.ID) {
			continue
		}
		take.Statement.Withdraws = slices.DeleteFunc(slices.Clone(take.Statement.Withdraws), func(id string) bool {
			first := v.ids[id]
			delete(v.ids, id)
			return !first
		})
		take.Statement.Reason = ""
		if len(take.Statement.Withdraws) > 0 {
			list = append(list, take.Bytes())
		}
	}
	var e codec.Encoder
	e.Uint(uint64(len(list)))
	for _, b := range list {
		e.Bytes(b)
	}
	return e.B
}

// settle takes over what a survey found.
func (l *logWriter) settle(v *survey) {
	l.follows, l.state.Edges = v.said(), len(v.follows)
	l.setLate(v.late)
	l.survey = false
}

// setLate takes late times in any order.
func (l *logWriter) setLate(late []int64) {
	slices.Sort(late)
	l.state.late = slices.Compact(late)
}

// commit ends the store's update, rewrites it when more than half of it is dead, and brings it to
// the disk.
func (l *logWriter) commit() error {
	if l.done {
		return nil
	}
	if l.out.Changed() {
		if err := l.finish(); err != nil {
			return err
		}
	}
	l.state.size = l.out.Size()
	if err := l.w.before("sync store"); err != nil {
		return err
	}
	if err := l.out.Sync(); err != nil {
		return err
	}
	l.done = true
	return l.out.Rest()
}

func (l *logWriter) finish() error {
	if err := l.out.Commit(); err != nil {
		return err
	}
	wasteful := l.wasteful()
	if !l.survey && !wasteful {
		l.setLate(l.state.late) // with those that came
		return nil
	}
	all, err := l.out.Replay()
	if err != nil {
		return l.blame(err)
	}
	if wasteful {
		return l.rewrite(l.out, all)
	}
	v := newSurvey(l.state)
	err = l.out.Each(all, func(f store.Frame) error {
		s, err := f.Said(&l.state.Keys)
		if err == nil {
			v.add(&s)
		}
		return err
	})
	if err != nil {
		return l.blame(err)
	}
	l.settle(v)
	return nil
}

// rewriteFrom is the size from which a store is worth rewriting.
const rewriteFrom = 64 << 10

func (l *logWriter) wasteful() bool {
	return !l.fresh && l.out.Size() > rewriteFrom && l.state.live < l.out.Size()/2
}

// rewrite copies the live frames of a store, which it closes, to a new one, and commits that.
func (l *logWriter) rewrite(old *store.Writer, all *store.Live) error {
	defer old.Close()
	l.out = nil
	if err := l.begin(); err != nil {
		return err
	}
	v := newSurvey(l.state)
	var writing error
	err := old.Each(all, func(f store.Frame) error {
		s, err := f.Said(&l.state.Keys)
		if err != nil {
			return err
		}
		off, err := l.out.Append(f)
		if err != nil {
			writing = err
			return err
		}
		v.add(&s)
		writing = l.note(&s, off, f.Size())
		return writing
	})
	switch {
	case writing != nil:
		return writing
	case err != nil:
		return l.blame(err)
	}
	l.settle(v)
	return l.out.Commit()
}
