package source

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"github.com/distributed-trust/distrust/records/index"
	"github.com/distributed-trust/distrust/records/trust"
	"github.com/distributed-trust/distrust/schema"
)

const (
	defaultParallel = 8
	lockRetry       = 50 * time.Millisecond
)

// Batch is what a sync found, verified but not in force yet. [Batch.Commit] puts it in force,
// [Batch.Close] without it leaves everything as it was. While a Batch is open no other sync of the
// same State begins. A result's Source may be changed before the Commit: it names the pin.
type Batch struct {
	dirs      Dirs
	options   Options
	first     bool              // it is the first contact of one source that the user wants to follow
	gen       *index.Generation // nil when there is none
	edges     func() (map[string][]trust.Statement, error)
	lock      *flock.Flock
	work      []*work
	events    sync.Mutex
	questions sync.Mutex
}

// Sync fetches the sources in parallel, judges what they publish (F5), and verifies what changed.
// One source's failure is its result's, never the others'. The error is about this machine: the
// lock, or an index that is damaged (*[index.DamageError]: rebuild it first, since without it
// a report that disappears could not be told from one that never was).
func Sync(ctx context.Context, d Dirs, specs []Spec, o Options) (*Batch, error) {
	return begin(ctx, &Batch{dirs: d, options: o}, specs, nil)
}

// First makes the first contact with one source. Without a fingerprint ask is called with what the
// repository offers; no is [ErrFirstUse]. A log that is followed already is a [FollowedError].
func First(ctx context.Context, d Dirs, spec Spec, o Options, ask func(Offer) (bool, error)) (*Batch, error) {
	return begin(ctx, &Batch{dirs: d, options: o, first: true}, []Spec{spec}, ask)
}

func begin(ctx context.Context, b *Batch, specs []Spec, ask func(Offer) (bool, error)) (*Batch, error) {
	lock, err := lockSync(ctx, b.dirs, func() { b.event(Event{Stage: StageWaiting}) })
	if err != nil {
		return nil, err
	}
	b.lock = lock
	if err := b.prepare(); err != nil {
		b.Close()
		return nil, err
	}
	b.work = make([]*work, len(specs))
	for i, spec := range specs {
		b.work[i] = newWork(b, spec, ask)
	}
	b.refuseTwice()
	b.run(ctx)
	if err := ctx.Err(); err != nil {
		b.Close()
		return nil, fmt.Errorf("syncing: %w", context.Cause(ctx))
	}
	b.refuseTwice()
	return b, nil
}

// lockSync waits for the one lock of syncs. It is not the writers' lock: what is fetched for a
// minute must not keep anybody from writing.
func lockSync(ctx context.Context, d Dirs, waiting func()) (*flock.Flock, error) {
	if err := os.MkdirAll(d.State, 0o700); err != nil {
		return nil, fmt.Errorf("locking sources: %w", err)
	}
	lock := flock.New(d.syncLock(), flock.SetPermissions(0o600))
	ok, err := lock.TryLock()
	if err == nil && !ok {
		waiting()
		ok, err = lock.TryLockContext(ctx, lockRetry)
	}
	if err != nil || !ok {
		return nil, fmt.Errorf("locking sources: %w", err)
	}
	return lock, nil
}

// prepare sweeps what a killed run left and opens the index.
func (b *Batch) prepare() error {
	err := b.dirs.sweep()
	if err != nil {
		return err
	}
	b.gen, err = index.Open(b.options.Index)
	if err != nil && !errors.Is(err, index.ErrNone) {
		return fmt.Errorf("syncing: %w", err)
	}
	b.edges = sync.OnceValues(b.readEdges)
	return nil
}

// readEdges sorts the public follows of the index by the log that published them.
func (b *Batch) readEdges() (map[string][]trust.Statement, error) {
	if b.gen == nil {
		return nil, nil
	}
	said, err := b.gen.Follows()
	if err != nil {
		return nil, fmt.Errorf("reading edges: %w", err)
	}
	edges := map[string][]trust.Statement{}
	for i := range said {
		if e := &said[i]; e.Kind == schema.KindFollow {
			edges[e.Log] = append(edges[e.Log], *e)
		}
	}
	return edges, nil
}

// refuseTwice lets one source have a log (F5.1): the first that names it.
func (b *Batch) refuseTwice() {
	names := map[string]string{}
	for _, w := range b.work {
		log := w.result.Log
		if log == "" || w.result.Err != nil {
			continue
		}
		if name, taken := names[log]; taken {
			w.fail(&ClaimError{Log: log, Name: name})
			continue
		}
		names[log] = w.spec.Name
	}
}

// run does the work of all sources, some at a time.
func (b *Batch) run(ctx context.Context) {
	parallel := b.options.Parallel
	if parallel <= 0 {
		parallel = defaultParallel
	}
	slots := make(chan struct{}, parallel)
	done := 0
	var all sync.WaitGroup
	for _, w := range b.work {
		if w.result.Err != nil {
			continue
		}
		all.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			w.run(ctx)
			b.event(Event{Source: w.spec.Name, Stage: StageDone}, &done)
		})
	}
	all.Wait()
}

// event reports progress, one call at a time. With a counter the event is one more source done.
func (b *Batch) event(e Event, done ...*int) {
	b.events.Lock()
	defer b.events.Unlock()
	for _, n := range done {
		*n++
		e.Done, e.Total = *n, len(b.work)
	}
	if b.options.Progress != nil {
		b.options.Progress(e)
	}
}

// Results are what came of each source, in the order in which they were given.
func (b *Batch) Results() []*Result {
	results := make([]*Result, len(b.work))
	for i, w := range b.work {
		results[i] = &w.result
	}
	return results
}

// Updates are what the index has to take before the pins may move.
func (b *Batch) Updates() []index.Update {
	var updates []index.Update
	for _, w := range b.work {
		if w.result.Err == nil && w.result.Update != nil {
			updates = append(updates, *w.result.Update)
		}
	}
	return updates
}

// Commit puts in force what was accepted, in the order of S3.5: vanished reports are kept, apply
// writes record stores and index ([index.Apply]; it is not called when there is nothing to write),
// then the pins move. The caller holds the writers' lock. An error of apply leaves every pin where
// it was. A source whose pin changed meanwhile is left alone ([RaceError]); a pin that cannot be
// written fails its source alone: the index is then ahead of it, and the next sync mends that.
func (b *Batch) Commit(ctx context.Context, apply func(context.Context, []index.Update) error) error {
	var errs []error
	fail := func(w *work, err error) {
		w.fail(err)
		errs = append(errs, fmt.Errorf("%s: %w", w.spec.Name, err))
	}
	for _, w := range b.work {
		if err := w.keep(); err != nil {
			fail(w, err)
		}
	}
	if updates := b.Updates(); len(updates) > 0 {
		if err := apply(ctx, updates); err != nil {
			err = fmt.Errorf("writing index: %w", err)
			for _, w := range b.work {
				if w.result.Err == nil { // nothing of it is in force, and nobody may read that it is
					w.fail(err)
				}
			}
			return err
		}
	}
	for _, w := range b.work {
		errs = append(errs, w.closeSpool())
	}
	// Each pin is put on the disk for good, which is mostly waiting.
	done := make([]error, len(b.work))
	var all sync.WaitGroup
	slots := make(chan struct{}, defaultParallel)
	for i, w := range b.work {
		all.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			done[i] = w.commit()
		})
	}
	all.Wait()
	for i, err := range done {
		if err != nil {
			fail(b.work[i], err)
		}
	}
	return errors.Join(errs...)
}

// Close lets other syncs begin and removes what was fetched and not put in force.
func (b *Batch) Close() error {
	var errs []error
	for _, w := range b.work {
		errs = append(errs, w.closeSpool(), w.dropAside())
		if w.temporary != "" {
			errs = append(errs, os.RemoveAll(w.temporary))
		}
	}
	if b.gen != nil {
		errs = append(errs, b.gen.Close())
		b.gen = nil
	}
	if b.lock != nil {
		errs = append(errs, b.lock.Unlock())
		b.lock = nil
	}
	return errors.Join(errs...)
}

// shortLog is what a log is called when nobody has named it.
func shortLog(log string) string { return log[:min(len(log), 8)] }
