package source

import (
	"cmp"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/trust"
	"github.com/distributed-trust/distrust/schema"
)

// intake takes what passed the [gate]: it has the heads judged first, and then opens records on
// every core while they come. What opened is handed on at once, in the order in which it came: a set may be
// larger than memory should hold.
type intake struct {
	judge  func(*headSet) (log records.Log, again bool, err error)
	take   func(records.Record) error // called by one goroutine at a time
	report func(stage Stage, done, total int)
	whole  bool // the whole set will come: its size is known

	set   *headSet
	log   records.Log
	total int // records that will come; 0: unknown

	skipped map[string]bool // paths of the set of before that were not read
	touched map[string]bool // those of them that were handed over, or went

	opening chan *opening // on every core
	opened  chan *opening // the same, in order
	workers sync.WaitGroup
	mu      sync.Mutex        // guards what follows
	now     map[string]bool   // ids of the records that were taken
	follows []trust.Statement // among them
	refused []*records.Refusal
	gone    []string // ids of records that went, or can no longer be read
	looked  int      // records that were opened, or could not be
	failed  error    // of take
}

// opening is a record on its way.
type opening struct {
	envelope records.Envelope
	record   records.Record
	err      error
	done     chan struct{}
}

func (in *intake) heads(set *headSet) (bool, error) {
	in.set = set
	log, again, err := in.judge(set)
	if err != nil {
		return false, err
	}
	if in.whole {
		in.total = int(set.Published.Head.Doc().Records)
	}
	in.report(StageVerifying, 0, in.total)
	in.log, in.touched, in.now = log, map[string]bool{}, map[string]bool{}
	// Bounded: what is read waits until it can be verified.
	const most = 64
	in.opening, in.opened = make(chan *opening, most), make(chan *opening, most)
	for range runtime.GOMAXPROCS(0) {
		in.workers.Go(func() {
			for o := range in.opening {
				o.record, o.err = records.Open(o.envelope, in.log)
				close(o.done)
			}
		})
	}
	in.workers.Go(func() {
		for o := range in.opened {
			<-o.done
			in.finish(o)
		}
	})
	return again, nil
}

func (in *intake) record(e records.Envelope) error {
	in.touch(e.Path)
	o := &opening{envelope: e, done: make(chan struct{})}
	in.opening <- o
	in.opened <- o
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.failed
}

func (in *intake) touch(path string) {
	if in.skipped[path] {
		in.touched[path] = true
	}
}

func (in *intake) removed(path, id string) {
	in.touch(path)
	in.mu.Lock()
	defer in.mu.Unlock()
	in.gone = append(in.gone, id)
}

func (in *intake) stray(path string) {
	in.touch(path)
	in.refuse(&records.Refusal{Path: path, Rule: "F4", Reason: "it is neither a record nor the signature of one"})
}

// finish hands on what was opened.
func (in *intake) finish(o *opening) {
	if o.err == nil {
		err := in.take(o.record)
		in.mu.Lock()
		defer in.mu.Unlock()
		in.failed = cmp.Or(in.failed, err)
		in.now[o.record.ID()] = true
		if o.record.Kind() == schema.KindFollow {
			in.follows = append(in.follows, trust.FromRecord(o.record, in.log.Void(o.record), false))
		}
		in.count()
		return
	}
	var refusal *records.Refusal
	if !errors.As(o.err, &refusal) {
		refusal = &records.Refusal{Path: o.envelope.Path, Reason: o.err.Error(), Err: o.err}
	}
	in.refuse(refusal)
	in.mu.Lock()
	defer in.mu.Unlock()
	// It may have been read before, under another signature: for readers it has left the set.
	in.gone = append(in.gone, schema.RecordID(o.envelope.YAML))
}

func (in *intake) refuse(r *records.Refusal) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.refused = append(in.refused, r)
	in.count()
}

// count counts a record, and reports now and then.
func (in *intake) count() {
	const often = 1000
	if in.looked++; in.looked%often == 0 {
		in.report(StageVerifying, in.looked, in.total)
	}
}

// stop waits until everything that came was opened and handed on.
func (in *intake) stop() error {
	if in.opening == nil {
		return in.failed
	}
	close(in.opening)
	close(in.opened)
	in.workers.Wait()
	in.opening = nil
	slices.SortFunc(in.refused, func(a, b *records.Refusal) int { return strings.Compare(a.Path, b.Path) })
	return in.failed
}

// verified is how many signatures were looked at, successful or not.
func (in *intake) verified() int {
	if in.set == nil {
		return 0
	}
	return in.set.Verified + in.looked
}
