package index

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/durable"
	"github.com/distributed-trust/distrust/records/index/internal/postings"
	"github.com/distributed-trust/distrust/records/index/internal/store"
)

// Writer prepares the next generation: updates append to the record stores as they come, so that
// a large set need not be in memory at once, and nothing counts before [Writer.Commit].
type Writer struct {
	dir    Dir
	prev   *snapshot   // nil when there was none
	number uint64      // of the next generation
	own    string      // as the generation in force has it
	stores []storeFile // that lie there

	mu     sync.Mutex // guards what follows: a rebuild reads several stores at once
	logs   map[string]*logWriter
	taken  map[uint32]bool // numbers of logs that are in use
	lowest uint32          // no number below is free

	adds *postings.Sorter // what comes
	away map[uint32]bool  // numbers of logs all of whose postings go, those that came as well
	room int64            // see [postings.Change]; tests set it

	bearing   Touched  // what the updates so far bear on
	withdrawn []string // ids that withdraws which came or went take back, not looked at yet

	// step is called before every change to a file, with the name of the change; its error ends
	// the writing as a crash would. Tests set it.
	step     durable.Steps
	stepping sync.Mutex
}

// sorted is how many postings of a space are sorted in memory: 8 MiB.
const sorted = 512 << 10

// Apply makes the updates the next generation: record stores first, then the generation, then
// current, each on the disk before the next begins. Whatever fails on the way leaves the previous
// generation in force. With a zero config the one of before stays. The caller holds the writers'
// lock. Several updates of one log follow one another.
func Apply(ctx context.Context, d Dir, updates []Update, config Config) error {
	w, err := Begin(d)
	if err != nil {
		return err
	}
	defer w.Close()
	for _, u := range updates {
		if err := w.Update(ctx, u); err != nil {
			return err
		}
	}
	return w.Commit(ctx, config)
}

// Begin starts the next generation. A *[DamageError] without a log: [Rebuild] first. The caller
// holds the writers' lock until Close.
func Begin(d Dir) (*Writer, error) {
	w, err := newWriter(d)
	if err != nil {
		return nil, err
	}
	w.prev, err = openCurrent(d)
	if err != nil && !errors.Is(err, ErrNone) {
		return nil, err
	}
	return w, nil
}

// newWriter is a writer that knows of no generation, but of the files that lie there.
func newWriter(d Dir) (*Writer, error) {
	w := &Writer{
		dir: d, number: 1, logs: map[string]*logWriter{}, away: map[uint32]bool{},
		bearing: Touched{keys: map[uint64]bool{}},
		step:    func(string) error { return nil },
	}
	w.adds = postings.NewSorter(sorted, w.createRuns)
	for _, folder := range []string{d.Cache, d.sources()} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return nil, fmt.Errorf("preparing index: %w", err)
		}
	}
	generations, err := d.generations()
	if err != nil {
		return nil, err
	}
	for _, n := range generations {
		w.number = max(w.number, n+1)
	}
	if cur, err := d.readCurrent(); err == nil { // its files may be lost: a number never comes again
		w.number, w.own = max(w.number, cur.number+1), cur.own
	}
	w.stores, err = d.listStores()
	return w, err
}

// Close lets go of the files. What was not committed is dropped; the next writer clears it away.
func (w *Writer) Close() error {
	var errs []error
	for _, l := range w.logs {
		errs = append(errs, l.close())
	}
	errs = append(errs, w.adds.Close())
	if w.prev != nil {
		errs = append(errs, w.prev.close())
		w.prev = nil
	}
	return errors.Join(errs...)
}

// Update takes one log's update. An error leaves the writer of no use: close it.
func (w *Writer) Update(ctx context.Context, u Update) error {
	if err := w.update(ctx, u); err != nil {
		return fmt.Errorf("updating records of log %s: %w", u.Log, err)
	}
	return nil
}

func (w *Writer) update(ctx context.Context, u Update) error {
	l, err := w.log(u.Log)
	if err != nil {
		return err
	}
	if u.Drop {
		return l.drop()
	}
	err = l.take(ctx, u)
	var damage *DamageError
	if u.Replace && errors.As(err, &damage) && damage.Log == u.Log {
		// What the store held is of no use any more, and the whole set is at hand.
		if err = l.begin(); err == nil {
			err = l.take(ctx, u)
		}
	}
	if err != nil {
		return err
	}
	return l.out.Rest()
}

// createRuns makes the file for what is sorted.
func (w *Writer) createRuns() (*os.File, error) {
	if err := w.before("create sorted runs"); err != nil {
		return nil, err
	}
	return durable.CreateTemp(w.dir.Cache)
}

// before asks before a change, one goroutine at a time.
func (w *Writer) before(change string) error {
	w.stepping.Lock()
	defer w.stepping.Unlock()
	return w.step(change)
}

// log finds the writer of a log.
func (w *Writer) log(id string) (*logWriter, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if l, ok := w.logs[id]; ok {
		return l, nil
	}
	if err := store.CheckLog(id); err != nil {
		return nil, err
	}
	l := &logWriter{w: w, state: &logState{}}
	l.reset()
	if w.prev != nil {
		state, err := w.prev.findLog(id)
		if err != nil {
			return nil, err
		}
		if state != nil {
			own := *state // what the snapshot remembers stays as it is
			own.late = slices.Clone(state.late)
			l.state, l.before = &own, state
		}
	}
	if l.before == nil {
		num, err := w.freeNumber()
		if err != nil {
			return nil, err
		}
		l.state.num = num
	}
	l.state.Log = id
	w.logs[id] = l
	return l, nil
}

// freeNumber finds a number for a log. The caller holds mu.
func (w *Writer) freeNumber() (uint32, error) {
	if w.taken == nil {
		w.taken = map[uint32]bool{}
		if w.prev != nil {
			err := w.prev.view(func(t *table) error {
				rows, err := t.rows()
				for _, r := range rows {
					w.taken[r.num] = true
				}
				return err
			})
			if err != nil {
				return 0, err
			}
		}
	}
	for ; w.lowest < maxLogs; w.lowest++ {
		if n := w.lowest; !w.taken[n] {
			w.taken[n] = true
			return n, nil
		}
	}
	return 0, errors.New("too many logs")
}

// touched lists the logs of this writer in the order of their ids.
func (w *Writer) touched() []*logWriter {
	list := make([]*logWriter, 0, len(w.logs))
	for _, l := range w.logs {
		list = append(list, l)
	}
	slices.SortFunc(list, func(a, b *logWriter) int { return strings.Compare(a.state.Log, b.state.Log) })
	return list
}

// keysFor is what the log's records are opened with after the update.
func keysFor(u Update) (records.Log, bool) {
	switch {
	case u.Keys.ID != "":
		return u.Keys, true
	case !u.Head.IsZero():
		return u.Head.Log(), true
	}
	return records.Log{}, false
}
