package index

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/distributed-trust/distrust/records/trust"
	"github.com/distributed-trust/distrust/schema"
)

// logWriter appends to the store of one log and collects what changes in the index.
type logWriter struct {
	w      *Writer
	state  *logState // as it will be
	before *logState // in the previous generation; nil: it does not know the log

	file      *os.File
	out       *bufio.Writer
	flushed   int64 // of the file
	committed int64 // of the store; what is after it came with this writer

	fresh   bool // the store is written anew: nothing of before counts
	dropped bool // the log goes
	survey  bool // edges and late times may have changed: the store is gone through before the commit

	adds     [spaces][]posting
	removes  [spaces][]posting // of the previous generation
	removed  map[ref]bool      // records that went, of whatever age
	known    map[string]ref    // records that came with this writer
	edges    []byte            // body of the edges value, set by surveyStore
	newEdges bool
}

func (l *logWriter) close() error {
	if l.file == nil {
		return nil
	}
	err := l.file.Close()
	l.file = nil
	return err
}

// reset forgets what this writer took for the log so far.
func (l *logWriter) reset() {
	l.adds, l.removes = [spaces][]posting{}, [spaces][]posting{}
	l.removed, l.known = map[ref]bool{}, map[string]ref{}
	l.edges, l.newEdges, l.survey = nil, false, false
}

func (l *logWriter) drop() {
	l.close() // what was written to it is not read again
	l.reset()
	l.dropped, l.fresh = true, true
	l.state.store = l.nextStore()
	l.state.LogInfo = LogInfo{Log: l.state.Log}
}

// nextStore is the number of a store file that nothing refers to.
func (l *logWriter) nextStore() uint32 {
	if l.before == nil {
		return 0
	}
	return l.before.store + 1
}

// take brings an update into the store.
func (l *logWriter) take(ctx context.Context, u Update) error {
	if l.dropped || l.file == nil {
		if err := l.open(); err != nil {
			return err
		}
	}
	if err := l.setState(u); err != nil {
		return err
	}
	gone := u.Remove
	if u.Replace {
		var err error
		if gone, err = l.others(u.Add); err != nil {
			return err
		}
	}
	for i, e := range u.Add {
		if i%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if err := l.add(e); err != nil {
			return err
		}
	}
	for _, id := range gone {
		if err := l.remove(id); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// others lists the records of the log that are not among the entries.
func (l *logWriter) others(entries []Entry) ([]string, error) {
	stay := make(map[string]bool, len(entries))
	for _, e := range entries {
		stay[e.Record.ID()] = true
	}
	var gone []string
	for id := range l.known {
		if !stay[id] {
			gone = append(gone, id)
		}
	}
	if !l.fresh {
		before, err := l.goThrough(l.before.size)
		if err != nil {
			return nil, err
		}
		for id := range before.frames {
			if !stay[id] {
				gone = append(gone, id)
			}
		}
	}
	slices.Sort(gone)
	return gone, nil
}

// goThrough replays the store up to a commit. Damage is the store's.
func (l *logWriter) goThrough(end int64) (*live, error) {
	var damage error
	all, err := replay(l.file, end, func(_ int64, err error) { damage = err })
	if err = errors.Join(err, damage); err != nil {
		return nil, storeDamage(l.w.dir, l.state.Log, l.state.store, err)
	}
	return all, nil
}

// open opens the store for appending, where the last commit ends, or begins a new one.
func (l *logWriter) open() error {
	if err := l.clearAway(); err != nil {
		return err
	}
	if l.before == nil || l.dropped {
		return l.begin()
	}
	d := l.w.dir
	path := d.storePath(l.state.Log, l.state.store)
	f, err := os.OpenFile(path, os.O_RDWR, 0o600)
	if err != nil {
		return storeDamage(d, l.state.Log, l.state.store, err)
	}
	l.file = f
	if err := checkStoreHeader(f, l.state.Log); err != nil {
		return storeDamage(d, l.state.Log, l.state.store, err)
	}
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.Size() < l.state.size {
		err := fmt.Errorf("%d bytes, %d were written", info.Size(), l.state.size)
		return storeDamage(d, l.state.Log, l.state.store, err)
	}
	if info.Size() > l.state.size { // an update that was never committed
		if err := l.w.step("cut store"); err != nil {
			return err
		}
		if err := f.Truncate(l.state.size); err != nil {
			return err
		}
	}
	if _, err := f.Seek(l.state.size, io.SeekStart); err != nil {
		return err
	}
	l.out, l.flushed, l.committed = bufio.NewWriterSize(f, 1<<16), l.state.size, l.state.size
	return nil
}

// begin writes a new store under a number that nothing refers to.
func (l *logWriter) begin() error {
	l.close()
	l.reset()
	info := l.state.LogInfo
	info.Records, info.Vanished, info.Edges = 0, 0, 0
	l.state = &logState{LogInfo: info, num: l.state.num, store: l.nextStore()}
	l.fresh, l.dropped = true, false
	f, err := l.w.create(l.w.dir.storePath(l.state.Log, l.state.store))
	if err != nil {
		return err
	}
	l.file, l.out, l.flushed, l.committed = f, bufio.NewWriterSize(f, 1<<16), 0, 0
	header, err := newStoreHeader(l.state.Log)
	if err != nil {
		return err
	}
	l.state.size = int64(len(header))
	if _, err = l.out.Write(header); err != nil || info.Keys.ID == "" {
		return err
	}
	return l.writeState()
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
		if err := l.w.step("remove left-over store"); err != nil {
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
		counts := info
		info = infoOf(u.Head, keys)
		info.Records, info.Vanished, info.Edges = counts.Records, counts.Vanished, counts.Edges
	}
	var before, after encoder
	encodeInfo(&before, &l.state.LogInfo)
	encodeInfo(&after, &info)
	if bytes.Equal(before.b, after.b) {
		return nil
	}
	if info.Issued.Before(l.state.Issued) || len(l.state.late) > 0 {
		l.survey = true
	}
	l.state.LogInfo = info.clone()
	return l.writeState()
}

func (l *logWriter) writeState() error {
	var e encoder
	encodeInfo(&e, &l.state.LogInfo)
	_, err := l.append(frameState, e.b)
	return err
}

// append writes one frame and says where it begins.
func (l *logWriter) append(kind frameKind, body []byte) (int64, error) {
	if len(body) > maxBody {
		return 0, fmt.Errorf("%d bytes do not go into a record store", len(body))
	}
	at := l.state.size
	b := appendFrame(nil, kind, body)
	if at+int64(len(b)) >= maxOffset {
		return 0, errors.New("the record store is full")
	}
	if _, err := l.out.Write(b); err != nil {
		return 0, err
	}
	l.state.size += int64(len(b))
	return at, nil
}

// add takes one record. One that is there already with the same bytes and flags stays.
func (l *logWriter) add(e Entry) error {
	if e.Record.Log() != l.state.Log {
		return fmt.Errorf("record %s belongs to log %q", e.Record.ID(), e.Record.Log())
	}
	s := saidOf(e)
	var body encoder
	encodeRecordBody(&body, &s, e.Record.Envelope())
	if at, ok, err := l.find(s.st.ID); err != nil {
		return err
	} else if ok {
		old, err := l.read(at)
		if err != nil {
			return err
		}
		if bytes.Equal(old.body, body.b) {
			return nil
		}
		if err := l.forget(at, old); err != nil {
			return err
		}
	}
	off, err := l.append(frameRecord, body.b)
	if err != nil {
		return err
	}
	l.count(&s, l.state.size-off)
	return l.note(&s, makeRef(l.state.num, off))
}

// count adds a record to what is known of the log.
func (l *logWriter) count(s *said, size int64) {
	l.state.Records++
	l.state.live += size
	if s.vanished {
		l.state.Vanished++
	}
	l.mark(&s.st)
}

// mark notes whether a record that comes or goes may change the log's edges or late times.
func (l *logWriter) mark(st *trust.Statement) {
	switch {
	case st.Kind == schema.KindFollow:
		l.survey = true
	case st.Kind == schema.KindWithdraw && l.state.Edges > 0:
		l.survey = true
	case l.state.HeadID == "" || st.Issued > l.state.Issued.Unix() || len(l.state.late) > 0:
		l.survey = true
	}
}

// note collects the postings of a record.
func (l *logWriter) note(s *said, r ref) error {
	l.known[s.st.ID] = r
	l.adds[spaceIDs] = append(l.adds[spaceIDs], posting{hashID(s.st.ID), r})
	for _, hash := range keysOf(nil, &s.st) {
		l.adds[spaceKeys] = append(l.adds[spaceKeys], posting{hash, r})
	}
	return nil
}

// remove takes a record away; one that is not there is no error.
func (l *logWriter) remove(id string) error {
	at, ok, err := l.find(id)
	if err != nil || !ok {
		return err
	}
	old, err := l.read(at)
	if err != nil {
		return err
	}
	if err := l.forget(at, old); err != nil {
		return err
	}
	_, err = l.append(frameRemove, []byte(id))
	return err
}

// forget takes a record out of the index.
func (l *logWriter) forget(at ref, f frame) error {
	s, err := readSaid(f, &l.state.Keys)
	if err != nil {
		return storeDamage(l.w.dir, l.state.Log, l.state.store, err)
	}
	l.state.Records--
	l.state.live -= f.next() - f.off
	if s.vanished {
		l.state.Vanished--
	}
	l.mark(&s.st)
	l.removed[at] = true
	if _, ok := l.known[s.st.ID]; ok {
		delete(l.known, s.st.ID)
		return nil
	}
	l.removes[spaceIDs] = append(l.removes[spaceIDs], posting{hashID(s.st.ID), at})
	for _, hash := range keysOf(nil, &s.st) {
		l.removes[spaceKeys] = append(l.removes[spaceKeys], posting{hash, at})
	}
	return nil
}

// find looks for a live record of the log.
func (l *logWriter) find(id string) (ref, bool, error) {
	if r, ok := l.known[id]; ok {
		return r, true, nil
	}
	if l.fresh || l.w.prev == nil {
		return 0, false, nil
	}
	var refs []ref
	err := l.w.prev.view(func(t *table) (err error) {
		refs, err = t.find(nil, spaceIDs, hashID(id), hashID(id))
		return err
	})
	if err != nil {
		return 0, false, err
	}
	for _, r := range refs {
		if r.log() != l.state.num || l.removed[r] {
			continue
		}
		f, err := l.read(r)
		if err != nil {
			return 0, false, err
		}
		if have, err := recordID(f); err != nil || have == id {
			return r, err == nil, err
		}
	}
	return 0, false, nil
}

// read reads a frame of the store, of before or of this writer.
func (l *logWriter) read(r ref) (frame, error) {
	if r.off() >= l.flushed {
		if err := l.out.Flush(); err != nil {
			return frame{}, err
		}
		l.flushed = l.state.size
	}
	f, err := readFrame(l.file, r.off(), l.flushed)
	if err != nil {
		return frame{}, storeDamage(l.w.dir, l.state.Log, l.state.store, err)
	}
	return f, nil
}

// commit ends the store's update, rewrites it when more than half of it is dead, and brings it to
// the disk.
func (l *logWriter) commit() error {
	if !l.changed() {
		return nil
	}
	if err := l.end(); err != nil {
		return err
	}
	if l.survey || l.wasteful() {
		if err := l.lookOver(); err != nil {
			return err
		}
	}
	if err := l.w.step("sync store"); err != nil {
		return err
	}
	return l.file.Sync()
}

// changed says whether anything was written since the last commit.
func (l *logWriter) changed() bool { return l.state.size != l.committed }

// end writes that the update is whole.
func (l *logWriter) end() error {
	if _, err := l.append(frameCommit, nil); err != nil {
		return err
	}
	l.flushed, l.committed = l.state.size, l.state.size
	return l.out.Flush()
}

// rewriteFrom is the size from which a store is worth rewriting.
const rewriteFrom = 64 << 10

func (l *logWriter) wasteful() bool {
	return !l.fresh && l.state.size > rewriteFrom && l.state.live < l.state.size/2
}

// lookOver reads the whole store once, to write it anew or to find its edges and late times.
func (l *logWriter) lookOver() error {
	all, err := l.goThrough(l.state.size)
	if err != nil {
		return err
	}
	if l.wasteful() {
		return l.rewrite(l.file, all)
	}
	survey := newSurvey(l.state)
	for _, at := range all.inOrder() {
		f, err := l.read(makeRef(l.state.num, at.off))
		if err != nil {
			return err
		}
		s, err := readSaid(f, &l.state.Keys)
		if err != nil {
			return err
		}
		survey.add(&s)
	}
	l.settle(survey)
	return nil
}

// rewrite copies the live frames of a store, which it closes, to a new one.
func (l *logWriter) rewrite(old *os.File, all *live) error {
	defer old.Close()
	l.file = nil
	if err := l.begin(); err != nil {
		return err
	}
	survey := newSurvey(l.state)
	for _, at := range all.inOrder() {
		f, err := readFrame(old, at.off, all.end)
		if err != nil {
			return err
		}
		s, err := readSaid(f, &l.state.Keys)
		if err != nil {
			return err
		}
		off, err := l.append(frameRecord, f.body)
		if err != nil {
			return err
		}
		l.count(&s, l.state.size-off)
		if err := l.note(&s, makeRef(l.state.num, off)); err != nil {
			return err
		}
		survey.add(&s)
	}
	l.settle(survey)
	return l.end()
}

// settle takes over what a survey found.
func (l *logWriter) settle(s *survey) {
	l.edges, l.state.Edges = s.edges()
	l.newEdges = true
	slices.Sort(s.late)
	l.state.late = slices.Compact(s.late)
}

// survey collects what an index value keeps of a whole log.
type survey struct {
	state   *logState
	late    []int64
	follows [][]byte
	ids     map[string]bool // of the follows
	takes   []said          // withdraws
}

func newSurvey(state *logState) *survey {
	return &survey{state: state, ids: map[string]bool{}}
}

func (v *survey) add(s *said) {
	if !void(&v.state.Keys, s.by, s.st.ID) && (v.state.HeadID == "" || s.st.Issued > v.state.Issued.Unix()) {
		v.late = append(v.late, s.st.Issued)
	}
	switch s.st.Kind {
	case schema.KindFollow:
		v.ids[s.st.ID] = true
		v.follows = append(v.follows, encodedSaid(s))
	case schema.KindWithdraw:
		v.takes = append(v.takes, *s)
	}
}

func encodedSaid(s *said) []byte {
	var e encoder
	encodeSaid(&e, s)
	return e.b
}

// edges encodes the follows, and the withdraws that take one of them back.
func (v *survey) edges() (body []byte, follows int) {
	list := v.follows
	for i := range v.takes {
		if slices.ContainsFunc(v.takes[i].st.Withdraws, func(id string) bool { return v.ids[id] }) {
			list = append(list, encodedSaid(&v.takes[i]))
		}
	}
	var e encoder
	e.uint(uint64(len(list)))
	for _, b := range list {
		e.string(string(b))
	}
	return e.b, len(v.follows)
}
