package index

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/google/renameio/v2/maybe"
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
	for _, l := range w.touched() {
		if l.dropped || l.file == nil {
			continue
		}
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
	if err := w.step("swap current"); err != nil {
		return err
	}
	if err := maybe.WriteFile(filepath.Join(w.dir.Cache, currentName), []byte(cur.text()), 0o600); err != nil {
		return err
	}
	if err := w.sync(w.dir.Cache); err != nil {
		return err
	}
	return w.clear(cur)
}

// same says whether the generation in force is already what was asked for.
func (w *Writer) same(config Config) (bool, error) {
	if w.prev == nil {
		return false, nil
	}
	for _, l := range w.logs {
		if l.dropped && l.before != nil || l.file != nil && (l.fresh || l.changed()) {
			return false, nil
		}
	}
	if config.IsZero() {
		return true, nil
	}
	var have Config
	err := w.prev.view(func(t *table) error {
		b, err := t.value(bucketMeta, keyConfig)
		if err != nil {
			return err
		}
		have, err = decodeConfig(b)
		return err
	})
	return err == nil && have.Stamp == config.Stamp && bytes.Equal(have.Blob, config.Blob), err
}

func (w *Writer) sync(folder string) error {
	if err := w.step("sync folder"); err != nil {
		return err
	}
	return syncFolder(folder)
}

// writeGeneration writes the generation's file. A small change edits a copy of the last one; else
// it is written anew.
func (w *Writer) writeGeneration(config Config) (current, error) {
	cur := current{number: w.number}
	path := filepath.Join(w.dir.Cache, cur.file())
	changes := w.changes()
	var b *builder
	var err error
	if w.prev != nil && !changes.everything(&w.prev.meta) {
		b, err = w.editCopy(path, changes)
	} else {
		b, err = w.writeAnew(path, changes)
	}
	if b != nil {
		defer b.close()
	}
	if err == nil {
		err = b.finish(w, config)
	}
	if err != nil {
		return current{}, err
	}
	if err := w.step("sync generation"); err != nil {
		return current{}, err
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

// changes is what an update does to the postings.
type changes struct {
	adds    [spaces][]posting // sorted, each once
	removes [spaces][]posting // sorted
	removed map[ref]bool      // records that go
	logs    map[uint32]bool   // logs all of whose postings of before go
}

// changes gathers what the logs of this writer change.
func (w *Writer) changes() *changes {
	c := &changes{removed: map[ref]bool{}, logs: map[uint32]bool{}}
	for _, l := range w.touched() {
		for r := range l.removed {
			c.removed[r] = true
		}
		if l.fresh && l.before != nil {
			c.logs[l.state.num] = true
		}
		if l.dropped || l.file == nil {
			continue
		}
		if l.fresh {
			c.adds[spaceKeys] = append(c.adds[spaceKeys], posting{hashKey(classLog, l.state.Log), makeRef(l.state.num, 0)})
		}
		for i := range spaces {
			for _, p := range l.adds[i] {
				if !l.removed[p.ref] {
					c.adds[i] = append(c.adds[i], p)
				}
			}
			c.removes[i] = append(c.removes[i], l.removes[i]...)
		}
	}
	for i := range spaces {
		slices.SortFunc(c.adds[i], posting.compare)
		c.adds[i] = slices.Compact(c.adds[i]) // a record may name a key twice
		slices.SortFunc(c.removes[i], posting.compare)
		c.removes[i] = slices.Compact(c.removes[i])
	}
	return c
}

// everything says whether the change is so large, or of such a kind, that all postings are gone
// through.
func (c *changes) everything(m *meta) bool {
	if len(c.logs) > 0 {
		return true
	}
	for i := range spaces {
		changed, after := uint64(len(c.adds[i])+len(c.removes[i])), m.count[i]+uint64(len(c.adds[i]))
		if changed > m.count[i]/4+blockTarget || after > uint64(blockMost)<<m.bits[i] {
			return true
		}
	}
	return false
}

// clear removes what the new generation has replaced. Files that another program has open may
// refuse; the next writer tries again.
func (w *Writer) clear(cur current) error {
	numbers, err := w.dir.generations()
	if err != nil {
		return err
	}
	for _, n := range numbers {
		if n != cur.number {
			if err := w.step("remove old generation"); err != nil {
				return err
			}
			_ = os.Remove(filepath.Join(w.dir.Cache, current{number: n}.file()))
		}
	}
	stores, err := w.dir.listStores()
	if err != nil {
		return err
	}
	for _, s := range stores {
		if l, ok := w.logs[s.log]; ok && (l.dropped || l.file != nil && s.number != l.state.store) {
			if err := w.step("remove old store"); err != nil {
				return err
			}
			if err := os.Remove(w.dir.storePath(s.log, s.number)); err != nil && l.dropped && !errors.Is(err, os.ErrNotExist) {
				return err // what the user forgot must not come back with a rebuild
			}
		}
	}
	return nil
}
