package index

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/index/internal/store"
	"github.com/distributed-trust/distrust/schema"
)

// logWriter appends to the store of one log and collects what changes in the index.
type logWriter struct {
	w      *Writer
	state  *logState // as it will be
	before *logState // in the previous generation; nil: it does not know the log

	out     *store.Writer // nil until something is to be written
	fresh   bool          // the store is written anew: nothing of before counts
	dropped bool          // the log goes
	done    bool          // the store is on the disk as it will be
	survey  bool          // edges and late times may have changed: the store is gone through before the commit

	noted   bool               // there are postings of this writer under the log's number
	known   map[store.ID]int64 // where the records are that came with this writer
	removed map[int64]bool     // where records were that went, of whatever age

	follows []byte // what the log says about others, when a survey was made
}

func (l *logWriter) close() error {
	if l.out == nil {
		return nil
	}
	err := l.out.Close()
	l.out = nil
	return err
}

// reset forgets what this writer took for the log so far.
func (l *logWriter) reset() {
	l.known, l.removed = map[store.ID]int64{}, map[int64]bool{}
	l.follows, l.survey = nil, false
}

func (l *logWriter) drop() (err error) {
	l.close() // what was written to it is not read again
	l.reset()
	l.dropped, l.fresh = true, true
	l.state.LogInfo = LogInfo{Log: l.state.Log}
	l.state.num, err = l.leave()
	return err
}

// blame blames the store for an error of reading it.
func (l *logWriter) blame(err error) error {
	return storeDamage(l.w.dir, l.state.Log, l.state.store, err)
}

// take brings an update into the store.
func (l *logWriter) take(ctx context.Context, u Update) error {
	if l.dropped || l.out == nil {
		if err := l.open(); err != nil {
			return err
		}
	}
	if err := l.setState(u); err != nil {
		return err
	}
	l.state.Stamp = u.Stamp
	var came map[store.ID]bool // where everything else goes
	if u.Replace && (!l.fresh || len(l.known) > 0) {
		came = map[store.ID]bool{}
	}
	n := 0
	add := func(s *store.Said, f store.Frame) error {
		if n++; n%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		id, err := store.ParseID(s.Statement.ID)
		if err != nil {
			return err
		}
		if came != nil {
			came[id] = true
		}
		return l.add(id, s, f)
	}
	if err := u.each(add); err != nil {
		return err
	}
	var gone []store.ID
	if u.Replace {
		var err error
		if gone, err = l.others(came); err != nil {
			return err
		}
	} else {
		for _, text := range u.Remove {
			if id, err := store.ParseID(text); err == nil { // else it is not there
				gone = append(gone, id)
			}
		}
	}
	for _, id := range gone {
		if err := l.remove(id); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// each calls do for every record that comes in.
func (u *Update) each(do func(*store.Said, store.Frame) error) error {
	if u.Spool != nil {
		if u.Spool.log != u.Log {
			return fmt.Errorf("spooled records belong to log %q", u.Spool.log)
		}
		if err := u.Spool.each(&records.Log{ID: u.Log}, do); err != nil {
			return err
		}
	}
	for _, e := range u.Add {
		if e.Record.Log() != u.Log {
			return fmt.Errorf("record %s belongs to log %q", e.Record.ID(), e.Record.Log())
		}
		s, f := frameOf(e)
		if err := do(&s, f); err != nil {
			return err
		}
	}
	return nil
}

// others lists the records of the log that were there before this update and did not come again.
func (l *logWriter) others(came map[store.ID]bool) ([]store.ID, error) {
	if came == nil {
		return nil, nil
	}
	var gone []store.ID
	for id := range l.known {
		if !came[id] {
			gone = append(gone, id)
		}
	}
	if !l.fresh {
		before, err := l.out.Replay()
		if err != nil {
			return nil, l.blame(err)
		}
		for id := range before.Frames {
			if !came[id] {
				gone = append(gone, id)
			}
		}
	}
	slices.SortFunc(gone, func(a, b store.ID) int { return bytes.Compare(a[:], b[:]) })
	return gone, nil
}

// open opens the store for appending, or begins a new one.
func (l *logWriter) open() error {
	if err := l.clearAway(); err != nil {
		return err
	}
	if l.before == nil || l.dropped {
		return l.begin()
	}
	if err := l.w.before("open store"); err != nil {
		return err
	}
	out, err := store.Append(l.w.dir.storePath(l.state.Log, l.state.store), l.state.Log, l.state.size)
	if err != nil {
		return l.blame(err)
	}
	l.out = out
	return nil
}

// begin writes a new store under a number that nothing refers to.
func (l *logWriter) begin() error {
	l.close()
	l.reset()
	info := l.state.LogInfo
	info.Records, info.Vanished, info.Edges = 0, 0, 0
	num, err := l.leave()
	if err != nil {
		return err
	}
	l.state = &logState{LogInfo: info, num: num}
	if l.before != nil {
		l.state.store = l.before.store + 1
	}
	l.fresh, l.dropped = true, false
	if err := l.w.before("create store"); err != nil {
		return err
	}
	out, err := store.Create(l.w.dir.storePath(l.state.Log, l.state.store), l.state.Log)
	if err != nil {
		return err
	}
	l.out = out
	if info.Keys.ID == "" {
		return nil
	}
	return out.State(infoBytes(&l.state.LogInfo))
}

// leave gives up what is found under the log's number, and gives the number that it has from here on.
func (l *logWriter) leave() (uint32, error) {
	if !l.noted && (l.before == nil || l.before.num != l.state.num) {
		return l.state.num, nil
	}
	l.w.mu.Lock()
	defer l.w.mu.Unlock()
	l.noted, l.w.away[l.state.num] = false, true
	return l.w.freeNumber()
}

// clearAway removes store files of the log that a crash left: a later rebuild must not take one
// for the newest.
func (l *logWriter) clearAway() error {
	var keep uint32
	if l.before != nil {
		keep = l.before.store
	}
	for _, s := range l.w.stores {
		if s.log != l.state.Log || s.number == keep {
			continue
		}
		if err := l.w.before("remove left-over store"); err != nil {
			return err
		}
		if err := os.Remove(l.w.dir.storePath(s.log, s.number)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// setState takes the head and the keys of an update.
func (l *logWriter) setState(u Update) error {
	if !u.Head.IsZero() && u.Head.Doc().Log != u.Log {
		return errors.New("the head is of another log")
	}
	keys, ok := keysFor(u)
	switch {
	case !ok && l.state.Keys.ID == "":
		return errors.New("a log without keys")
	case !ok:
		return nil
	case keys.ID != u.Log:
		return errors.New("the keys are of another log")
	}
	info := l.state.LogInfo
	info.Keys = keys
	if !u.Head.IsZero() {
		info = infoOf(u.Head, keys)
		info.Records, info.Vanished, info.Edges = l.state.Records, l.state.Vanished, l.state.Edges
	}
	b := infoBytes(&info)
	if bytes.Equal(b, infoBytes(&l.state.LogInfo)) {
		return nil
	}
	// What a key signed may be void now, or count again.
	rekeyed := l.state.Keys.ID != "" && !bytes.Equal(infoBytes(&LogInfo{Keys: info.Keys}), infoBytes(&LogInfo{Keys: l.state.Keys}))
	if rekeyed || info.Issued.Before(l.state.Issued) || len(l.state.late) > 0 {
		l.survey = true
	}
	l.w.bearing.all = l.w.bearing.all || rekeyed
	l.state.LogInfo = info.clone()
	return l.out.State(b)
}

// add takes one record. One that is there already with the same bytes and flags stays.
func (l *logWriter) add(id store.ID, s *store.Said, f store.Frame) error {
	at, old, ok, err := l.find(id)
	if err != nil {
		return err
	}
	if ok {
		if f.Same(old) {
			return nil
		}
		if err := l.forget(id, at, old); err != nil {
			return err
		}
	}
	off, err := l.out.Append(f)
	if err != nil {
		return err
	}
	l.known[id] = off
	l.touch(s)
	return l.note(s, off, f.Size())
}

// note adds a record that lies in the store to what is known of the log, and to its postings.
func (l *logWriter) note(s *store.Said, off, size int64) error {
	l.state.Records++
	l.state.live += size
	if s.Statement.Vanished {
		l.state.Vanished++
	}
	if l.state.isLate(s) && !store.Void(&l.state.Keys, s.By, s.Statement.ID) {
		l.state.late = append(l.state.late, s.Statement.Issued)
	}
	l.mark(s)
	l.noted = true
	ref := makeRef(l.state.num, off)
	if err := l.w.adds.Add(spaceIDs, ref, hashID(s.Statement.ID)); err != nil {
		return err
	}
	var room [8]uint64
	return l.w.adds.Add(spaceKeys, ref, keysOf(room[:0], &s.Statement)...)
}

// mark notes whether a record that comes or goes may change the log's edges.
func (l *logWriter) mark(s *store.Said) {
	if s.Statement.Kind == schema.KindFollow || s.Statement.Kind == schema.KindWithdraw && l.state.Edges > 0 {
		l.survey = true
	}
}

// remove takes a record away; one that is not there is no error.
func (l *logWriter) remove(id store.ID) error {
	at, old, ok, err := l.find(id)
	if err != nil || !ok {
		return err
	}
	if err := l.forget(id, at, old); err != nil {
		return err
	}
	return l.out.Remove(id.String())
}

// forget takes a record out of the index.
func (l *logWriter) forget(id store.ID, at int64, f store.Frame) error {
	s, err := f.Said(&l.state.Keys)
	if err != nil {
		return l.blame(err)
	}
	l.state.Records--
	l.state.live -= f.Size()
	if s.Statement.Vanished {
		l.state.Vanished--
	}
	if l.state.isLate(&s) {
		l.survey = true // another one may have come at the same time
	}
	l.mark(&s)
	l.touch(&s)
	l.removed[at] = true
	delete(l.known, id)
	return nil
}

// find looks for a live record of the log.
func (l *logWriter) find(id store.ID) (at int64, f store.Frame, ok bool, err error) {
	if at, ok := l.known[id]; ok {
		f, err := l.out.Frame(at)
		return at, f, err == nil, l.blame(err)
	}
	if l.fresh || l.w.prev == nil {
		return 0, store.Frame{}, false, nil
	}
	var refs []ref
	err = l.w.prev.view(func(t *table) (err error) {
		hash := hashID(id.String())
		refs, err = t.find(nil, spaceIDs, hash, hash)
		return err
	})
	if err != nil {
		return 0, store.Frame{}, false, err
	}
	for _, r := range refs {
		if r.log() != l.state.num || l.removed[r.off()] {
			continue
		}
		f, err := l.out.Frame(r.off())
		if err != nil {
			return 0, store.Frame{}, false, l.blame(err)
		}
		if have, err := f.ID(); err != nil || have == id {
			return r.off(), f, err == nil, l.blame(err)
		}
	}
	return 0, store.Frame{}, false, nil
}
