package source

import (
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/index"
	"github.com/distributed-trust/distrust/schema"
)

// intake is the sink of a job: it has the heads judged first, and then opens records on every core
// while they come.
type intake struct {
	judge  func(*headSet) (log records.Log, again bool, err error)
	report func(stage Stage, done, total int)
	whole  bool // the whole set will come: its size is known

	set   *headSet
	log   records.Log
	total int // records that will come; 0: unknown

	touched map[string]bool // paths that were handed over, or went

	opening chan records.Envelope
	workers sync.WaitGroup
	mu      sync.Mutex // guards what follows
	entries []index.Entry
	refused []*records.Refusal
	gone    []string // ids of records that went, or can no longer be read
	opened  int
}

func (in *intake) fetched() { in.report(StageReading, 0, 0) }

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
	in.log, in.touched = log, map[string]bool{}
	// Bounded: what is read waits until it can be verified.
	in.opening = make(chan records.Envelope, 64)
	for range runtime.GOMAXPROCS(0) {
		in.workers.Go(func() {
			for e := range in.opening {
				in.open(e)
			}
		})
	}
	return again, nil
}

func (in *intake) record(e records.Envelope) error {
	in.touched[e.Path] = true
	in.opening <- e
	return nil
}

func (in *intake) removed(path, id string) error {
	in.touched[path] = true
	in.mu.Lock()
	defer in.mu.Unlock()
	in.gone = append(in.gone, id)
	return nil
}

func (in *intake) stray(path string) error {
	in.touched[path] = true
	in.refuse(&records.Refusal{Path: path, Rule: "F4", Reason: "it is neither a record nor the signature of one"})
	return nil
}

func (in *intake) open(e records.Envelope) {
	r, err := records.Open(e, in.log)
	var refusal *records.Refusal
	if err != nil && !errors.As(err, &refusal) {
		refusal = &records.Refusal{Path: e.Path, Reason: err.Error(), Err: err}
	}
	if refusal != nil {
		in.refuse(refusal)
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	if refusal != nil {
		// It may have been read before, under another signature: for readers it has left the set.
		in.gone = append(in.gone, schema.RecordID(e.YAML))
		return
	}
	in.entries = append(in.entries, index.Entry{Record: r, Void: in.log.Void(r)})
	in.count()
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
	if in.opened++; in.opened%often == 0 {
		in.report(StageVerifying, in.opened, in.total)
	}
}

// stop waits until everything that came was opened, and puts it in an order that does not depend on
// which core was faster.
func (in *intake) stop() {
	if in.opening == nil {
		return
	}
	close(in.opening)
	in.workers.Wait()
	in.opening = nil
	slices.SortFunc(in.entries, func(a, b index.Entry) int { return strings.Compare(a.Record.Path(), b.Record.Path()) })
	slices.SortFunc(in.refused, func(a, b *records.Refusal) int { return strings.Compare(a.Path, b.Path) })
}

// verified is how many signatures were looked at, successful or not.
func (in *intake) verified() int {
	if in.set == nil {
		return 0
	}
	return in.set.Verified + in.opened
}
