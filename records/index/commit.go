package index

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/distributed-trust/distrust/records/durable"
	"github.com/distributed-trust/distrust/records/index/internal/postings"
	"github.com/distributed-trust/distrust/records/index/internal/store"
	"github.com/distributed-trust/distrust/records/trust"
)

// Commit makes the updates the generation in force. With a zero config the one of before stays.
// After an error the previous generation is in force still, unless the error came from clearing
// away what is no longer needed.
func (w *Writer) Commit(ctx context.Context, config Config) error {
	if err := w.commit(ctx, config); err != nil {
		return fmt.Errorf("writing index: %w", err)
	}
	return nil
}

func (w *Writer) commit(ctx context.Context, config Config) error {
	if same, err := w.same(config); err != nil {
		return err
	} else if same {
		return w.clear(w.prev.cur) // what a crash may have left
	}
	created := false
	for _, l := range w.written() {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := l.commit(); err != nil {
			return err
		}
		created = created || l.fresh
	}
	if created {
		if err := w.sync(w.dir.sources()); err != nil {
			return err
		}
	}
	cur, err := w.writeGeneration(config)
	if err != nil {
		return err
	}
	if err := w.sync(w.dir.Cache); err != nil {
		return err
	}
	if err := w.dir.writeCurrent(cur, w.step); err != nil {
		return err
	}
	return w.clear(cur)
}

// written lists the logs whose stores are open for writing.
func (w *Writer) written() []*logWriter {
	return slices.DeleteFunc(w.touched(), func(l *logWriter) bool { return l.dropped || l.out == nil })
}

// same says whether the generation in force is already what was asked for.
func (w *Writer) same(config Config) (bool, error) {
	if w.prev == nil {
		return false, nil
	}
	for _, l := range w.logs {
		if l.dropped && l.before != nil || l.out != nil && (l.fresh || l.out.Changed() || l.state.Stamp != l.before.Stamp) {
			return false, nil
		}
	}
	if config.IsZero() {
		return true, nil
	}
	have, err := w.prev.config()
	return err == nil && have.Equal(config), err
}

func (w *Writer) sync(folder string) error {
	if err := w.before("sync folder"); err != nil {
		return err
	}
	return durable.SyncDir(folder)
}

// writeGeneration writes the generation's file.
func (w *Writer) writeGeneration(config Config) (current, error) {
	cur := current{generationFile: generationFile{number: w.number}, own: w.own}
	if !config.IsZero() {
		cur.own = strings.Join(slices.DeleteFunc(slices.Clone(config.Own), func(log string) bool { return store.CheckLog(log) != nil }), " ")
	}
	path := filepath.Join(w.dir.Cache, cur.name())
	change, err := w.change()
	if err != nil {
		return current{}, err
	}
	if err := w.before("create " + cur.name()); err != nil {
		return current{}, err
	}
	var old *postings.File
	if w.prev != nil {
		old = w.prev.file
	}
	b, err := postings.Build(path, w.number, old, change)
	if err == nil {
		defer b.Close()
		err = w.before("write " + cur.name())
	}
	if err == nil {
		err = b.Finish(func(v *postings.Values) error { return w.putValues(v, config) })
	}
	if errors.Is(err, postings.ErrDamaged) && w.prev != nil {
		return current{}, w.prev.damage(err)
	}
	if err == nil {
		err = w.adds.Close() // before it is swept away: some systems let nobody remove an open file
	}
	if err != nil {
		return current{}, err
	}
	if err := w.before("sync " + cur.name()); err != nil {
		return current{}, err
	}
	if b.Upon() {
		below := w.prev.cur.files()
		cur.below = below[len(below)-1]
	}
	cur.size, err = syncedSize(path)
	return cur, err
}

// syncedSize brings a closed file to the disk and says how long it is.
func syncedSize(path string) (int64, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0o600)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	if err := f.Sync(); err != nil {
		return 0, err
	}
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// change gathers what the logs of this writer change.
func (w *Writer) change() (*postings.Change, error) {
	c := &postings.Change{Adds: w.adds, Room: w.room}
	for _, l := range w.written() {
		if l.fresh {
			if err := w.adds.Add(spaceKeys, makeRef(l.state.num, 0), hashKey(classLog, l.state.Log)); err != nil {
				return nil, err
			}
		}
		for off := range l.removed {
			c.Gone = append(c.Gone, makeRef(l.state.num, off))
		}
	}
	if len(w.away) > 0 {
		c.Keep = func(r uint64) bool { return !w.away[ref(r).log()] }
	}
	return c, nil
}

// putValues writes what is known of the logs that changed, and the configuration.
func (w *Writer) putValues(v *postings.Values, config Config) error {
	rows, err := w.putLogs(v)
	if err != nil {
		return err
	}
	if err := v.Put(valueID(valueSources), encodeRows(rows)); err != nil {
		return err
	}
	if w.prev != nil {
		if config.IsZero() {
			return nil // the one of before stays
		}
		have, err := w.prev.config()
		if err != nil || have.Equal(config) {
			return err
		}
	}
	return v.Put(valueID(valueConfig), encodeConfig(config))
}

// putLogs writes the logs that changed and returns the table of all.
func (w *Writer) putLogs(v *postings.Values) ([]sourceRow, error) {
	var rows []sourceRow
	if w.prev != nil {
		err := w.prev.view(func(t *table) (err error) {
			rows, err = t.rows()
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	rows = slices.DeleteFunc(rows, func(r sourceRow) bool {
		l, ok := w.logs[r.log]
		return ok && (l.dropped || l.out != nil)
	})
	for num := range w.away {
		for _, what := range [...]uint64{valueLog, valueFollows, valueEdges} {
			if err := v.Delete(logValue(what, num)); err != nil {
				return nil, err
			}
		}
	}
	for _, l := range w.written() {
		rows = append(rows, l.state.row())
		if err := v.Put(logValue(valueLog, l.state.num), l.state.encode()); err != nil {
			return nil, err
		}
		if err := l.putEdges(v); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(rows, func(a, b sourceRow) int { return strings.Compare(a.log, b.log) })
	return rows, nil
}

// putEdges writes what a log says about others, where that is not what it was.
func (l *logWriter) putEdges(v *postings.Values) error {
	follows, edges := logValue(valueFollows, l.state.num), logValue(valueEdges, l.state.num)
	switch {
	case l.state.Edges > 0 && l.follows != nil:
		said, err := decodeFollows(nil, l.follows, &l.state.Keys)
		if err != nil {
			return l.blame(err)
		}
		return errors.Join(v.Put(follows, l.follows), v.Put(edges, encodeEdges(trust.Edges(said))))
	case l.state.Edges == 0 && l.before != nil && l.before.Edges > 0:
		return errors.Join(v.Delete(follows), v.Delete(edges))
	}
	return nil
}

// clear removes what the new generation has replaced. Files that another program has open may
// refuse; the next writer tries again.
func (w *Writer) clear(cur current) error {
	numbers, err := w.dir.generations()
	if err != nil {
		return err
	}
	for _, n := range numbers {
		if n != cur.number && n != cur.below.number {
			if err := w.before("remove old generation"); err != nil {
				return err
			}
			_ = os.Remove(filepath.Join(w.dir.Cache, generationFile{number: n}.name()))
		}
	}
	if err := w.before("sweep"); err != nil {
		return err
	}
	if err := durable.Sweep(w.dir.Cache); err != nil {
		return err
	}
	stores, err := w.dir.listStores()
	if err != nil {
		return err
	}
	for _, s := range stores {
		if l, ok := w.logs[s.log]; ok && (l.dropped || l.out != nil && s.number != l.state.store) {
			if err := w.before("remove old store"); err != nil {
				return err
			}
			if err := os.Remove(w.dir.storePath(s.log, s.number)); err != nil && l.dropped && !errors.Is(err, os.ErrNotExist) {
				return err // what the user forgot must not come back with a rebuild
			}
		}
	}
	return nil
}
