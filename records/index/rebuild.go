package index

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/distributed-trust/distrust/records/index/internal/codec"
	"github.com/distributed-trust/distrust/records/index/internal/store"
)

// Rebuild makes the generation in force from the record stores alone, whatever the cache holds.
// Nothing is verified again: look-ups open what decides. What cannot be read of a store is left
// out, and said: only a new fetch of that log brings it back. The caller holds the writers' lock.
func Rebuild(ctx context.Context, d Dir, config Config) (Rebuilt, error) {
	w, err := newWriter(d)
	if err != nil {
		return Rebuilt{}, err
	}
	defer w.Close()
	return w.rebuild(ctx, config)
}

func (w *Writer) rebuild(ctx context.Context, config Config) (Rebuilt, error) {
	done, err := w.adoptAll(ctx, byLog(w.stores))
	if err != nil {
		return Rebuilt{}, fmt.Errorf("rebuilding index: %w", err)
	}
	if err := w.Commit(ctx, config); err != nil {
		return Rebuilt{}, err
	}
	return done, nil
}

// adoptAll takes the stores of all logs, read on all cores.
func (w *Writer) adoptAll(ctx context.Context, groups [][]storeFile) (Rebuilt, error) {
	type adopted struct {
		log    *logWriter
		damage []Damage
	}
	list := make([]adopted, len(groups))
	for _, files := range groups { // the logs have their numbers in the order of their ids
		if _, err := w.log(files[0].log); err != nil {
			return Rebuilt{}, err
		}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(groups)) && ctx.Err() == nil; i = next.Add(1) - 1 {
				var err error
				if list[i].log, list[i].damage, err = w.adopt(groups[i]); err != nil {
					cancel(err)
				}
			}
		})
	}
	workers.Wait()
	if err := context.Cause(ctx); err != nil {
		return Rebuilt{}, err
	}
	var done Rebuilt
	for _, a := range list {
		done.Damaged = append(done.Damaged, a.damage...)
		if a.log != nil {
			done.Logs++
			done.Records += a.log.state.Records
		}
	}
	return done, nil
}

// byLog groups store files by their log, the newest file of each first.
func byLog(files []storeFile) [][]storeFile {
	files = slices.Clone(files)
	slices.SortFunc(files, func(a, b storeFile) int {
		return cmp.Or(strings.Compare(a.log, b.log), cmp.Compare(b.number, a.number))
	})
	var groups [][]storeFile
	for len(files) > 0 {
		n := 1
		for n < len(files) && files[n].log == files[0].log {
			n++
		}
		groups, files = append(groups, files[:n]), files[n:]
	}
	return groups
}

// adoptable is a store as a rebuild finds it.
type adoptable struct {
	storeFile
	live   *store.Live // nil when nothing can be read
	damage []Damage
}

// whole says whether nothing that was committed is damaged.
func (a *adoptable) whole() bool {
	return !slices.ContainsFunc(a.damage, func(d Damage) bool { return d.Offset < a.live.End })
}

// adopt takes the store of a log into the next generation: the newest of its files that is whole,
// else the newest that holds anything. It is nil when none does.
func (w *Writer) adopt(files []storeFile) (*logWriter, []Damage, error) {
	var best *adoptable
	var damage []Damage
	for _, s := range files {
		a, err := w.inspect(s)
		if err != nil {
			return nil, nil, err
		}
		damage = append(damage, a.damage...)
		if a.live == nil || a.live.State == nil {
			continue
		}
		if a.whole() {
			best, damage = a, a.damage // what an older or unfinished file lacks is not missing
			break
		}
		if best == nil {
			best = a
		}
	}
	if best == nil {
		return nil, damage, nil
	}
	l, err := w.takeStore(best)
	return l, damage, err
}

// inspect reads a whole store. Damage is part of the answer; the error is that of the system.
func (w *Writer) inspect(s storeFile) (*adoptable, error) {
	a := &adoptable{storeFile: s}
	path := w.dir.storePath(s.log, s.number)
	blame := func(off int64, err error) {
		a.damage = append(a.damage, Damage{Log: s.log, Path: path, Offset: off, Err: err})
	}
	f, err := store.Open(path, s.log)
	if errors.Is(err, os.ErrPermission) {
		return nil, err
	}
	if err != nil {
		blame(0, err)
		return a, nil
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return nil, err
	}
	if a.live, err = f.Replay(size, blame); err != nil {
		return nil, err
	}
	switch {
	case a.live.State == nil:
		blame(store.HeaderSize, errors.New("the states of the log's keys are missing"))
	case a.live.End < size && len(a.damage) == 0:
		blame(a.live.End, errors.New("an update that was not finished is left out"))
	}
	return a, nil
}

// takeStore indexes a store as it is, or, when a part of it is damaged, what is left of it in a
// new file. What comes after the last commit is cut off.
func (w *Writer) takeStore(a *adoptable) (*logWriter, error) {
	l, err := w.log(a.log)
	if err != nil {
		return nil, err
	}
	d := codec.Decode(a.live.State)
	l.state.LogInfo = decodeInfo(d)
	l.state.store, l.state.size = a.number, a.live.End
	if err := d.Finish(); err != nil || l.state.Log != a.log {
		return nil, l.blame(errors.Join(err, errors.New("the states of the log's keys are damaged")))
	}
	if err := w.before("open store"); err != nil {
		return nil, err
	}
	out, err := store.Append(w.dir.storePath(a.log, a.number), a.log, a.live.End)
	if err != nil {
		return nil, err
	}
	l.before = &logState{store: a.number} // its other files are of no use
	if !a.whole() {
		if err := l.rewrite(out, a.live); err != nil {
			return nil, err
		}
		return l, l.commit()
	}
	l.out, l.fresh = out, true
	v := newSurvey(l.state)
	var writing error
	err = out.Each(a.live, func(f store.Frame) error {
		s, err := f.Said(&l.state.Keys)
		if err != nil {
			return err
		}
		v.add(&s)
		writing = l.note(&s, f.Off, f.Size())
		return writing
	})
	switch {
	case writing != nil:
		return nil, writing
	case err != nil:
		return nil, l.blame(err)
	}
	l.settle(v)
	return l, l.commit()
}
