package index

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/distributed-trust/distrust/records/index/internal/postings"
	"github.com/distributed-trust/distrust/records/index/internal/store"
	"github.com/distributed-trust/distrust/records/trust"
)

// The values of a generation have ids: what they are, and of a log's its number.
const (
	valueSources = iota // the table of all logs
	valueConfig         // the compiled configuration
	valueLog            // logState
	valueFollows        // where a log has follows: these and what takes them back
	valueEdges          // of the same logs: the follows that count, as every check reads them
)

func logValue(what uint64, num uint32) uint64 { return what<<32 | uint64(num) }

func valueID(what uint64) uint64 { return logValue(what, 0) }

// Postings lie in two spaces.
const (
	spaceKeys = iota // of keysOf, and of the logs' own ids
	spaceIDs         // of record ids
)

// snapshot is one generation, open, with the stores that were read so far.
type snapshot struct {
	dir  Dir
	cur  current
	path string
	file *postings.File

	mu     sync.Mutex // guards what follows
	stores map[uint32]*store.File
	logs   map[uint32]*logState
	opened map[ref]trust.Statement // what was opened lately: a list of a thousand files is not opened for each of them
	size   int                     // of opened, in subjects
}

// maxRemembered is how many subjects the remembered statements have together: a few megabytes.
const maxRemembered = 16 << 10

// recall gives what a record says that was opened before.
func (s *snapshot) recall(r ref) (trust.Statement, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st, ok := s.opened[r]
	return st, ok
}

// remember keeps what an opened record says.
func (s *snapshot) remember(r ref, st trust.Statement) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.size += 1 + len(st.Subjects); s.opened == nil || s.size > maxRemembered {
		s.opened, s.size = map[ref]trust.Statement{}, 1+len(st.Subjects)
	}
	s.opened[r] = st
}

// moves is how often a reader follows a current that moves under it before it gives up.
const moves = 8

// openCurrent opens the generation in force and follows current when it moves meanwhile.
func openCurrent(d Dir) (*snapshot, error) {
	cur, err := d.readCurrent()
	for range moves {
		if err != nil {
			return nil, err
		}
		s, openErr := openSnapshot(d, cur)
		if openErr == nil {
			return s, nil
		}
		last := cur
		cur, err = d.readCurrent()
		if err == nil && cur == last {
			return nil, openErr
		}
	}
	return nil, errors.New("opening index: it is replaced faster than it can be read")
}

func openSnapshot(d Dir, cur current) (*snapshot, error) {
	s := &snapshot{
		dir: d, cur: cur, path: filepath.Join(d.Cache, cur.name()),
		stores: map[uint32]*store.File{}, logs: map[uint32]*logState{},
	}
	var err error
	if s.file, err = openFiles(d, cur); err != nil {
		return nil, s.damage(err)
	}
	return s, nil
}

// openFiles opens the files of a generation.
func openFiles(d Dir, cur current) (*postings.File, error) {
	var file *postings.File
	for _, f := range slices.Backward(cur.files()) {
		path := filepath.Join(d.Cache, f.name())
		info, err := os.Stat(path)
		if err == nil && info.Size() != f.size {
			err = fmt.Errorf("%d bytes, %d were written", info.Size(), f.size)
		}
		var upper *postings.File
		if err == nil {
			upper, err = postings.Open(path, f.number, file)
		}
		if err != nil {
			if file != nil {
				file.Close()
			}
			return nil, err
		}
		file = upper
	}
	return file, nil
}

// damage blames the generation for an error, unless it is known whom to blame, or nobody is.
func (s *snapshot) damage(err error) error {
	var known *DamageError
	if err == nil || errors.As(err, &known) || errors.Is(err, os.ErrPermission) {
		return err
	}
	return &DamageError{Path: s.path, Err: err}
}

// close lets go of the files. Nobody may be reading.
func (s *snapshot) close() error {
	errs := []error{s.file.Close()}
	for _, f := range s.stores {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}

// view reads in the generation. Whatever goes wrong there is damage.
func (s *snapshot) view(do func(*table) error) error {
	return s.damage(s.file.View(func(v *postings.View) error { return do(&table{s, v}) }))
}

// table is a generation within one reading.
type table struct {
	s *snapshot
	*postings.View
}

// find appends the records with postings from one hash to another, both included.
func (t *table) find(refs []ref, space int, from, to uint64) ([]ref, error) {
	found, err := t.Find(nil, space, from, to)
	for _, r := range found {
		refs = append(refs, ref(r))
	}
	return refs, err
}

// log reads what is known of a log by its number.
func (t *table) log(num uint32) (*logState, error) {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	if l, ok := t.s.logs[num]; ok {
		return l, nil
	}
	b, err := t.Value(logValue(valueLog, num))
	if err != nil {
		return nil, err
	}
	l, err := decodeLogState(num, b)
	if err == nil {
		t.s.logs[num] = l
	}
	return l, err
}

// logNumber finds the number of a log; false when the generation does not know it.
func (t *table) logNumber(log string) (uint32, bool, error) {
	hash := hashKey(classLog, log)
	refs, err := t.find(nil, spaceKeys, hash, hash)
	if err != nil {
		return 0, false, err
	}
	for _, r := range refs {
		if r.off() != 0 {
			continue // a record whose key has the same hash
		}
		if l, err := t.log(r.log()); err != nil || l.Log == log {
			return r.log(), err == nil, err
		}
	}
	return 0, false, nil
}

// rows reads the table of all logs, by id.
func (t *table) rows() ([]sourceRow, error) {
	b, err := t.Value(valueID(valueSources))
	if err != nil {
		return nil, err
	}
	return decodeRows(b)
}

// findLog is nil when the generation does not know the log.
func (s *snapshot) findLog(id string) (*logState, error) {
	var found *logState
	err := s.view(func(t *table) error {
		num, ok, err := t.logNumber(id)
		if err != nil || !ok {
			return err
		}
		found, err = t.log(num)
		return err
	})
	return found, err
}

// config is the compiled configuration.
func (s *snapshot) config() (c Config, err error) {
	err = s.view(func(t *table) error {
		b, err := t.Value(valueID(valueConfig))
		if err != nil {
			return err
		}
		c, err = decodeConfig(b)
		return err
	})
	if c.IsZero() && len(c.Own) == 0 && s.cur.own != "" {
		c.Own = strings.Fields(s.cur.own)
	}
	return c, err
}

// store opens the store of a log and keeps it open.
func (s *snapshot) store(l *logState) (*store.File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f, ok := s.stores[l.num]; ok {
		return f, nil
	}
	f, err := store.Open(s.dir.storePath(l.Log, l.store), l.Log)
	if err != nil {
		return nil, s.blame(l, err)
	}
	s.stores[l.num] = f
	return f, nil
}

// blame blames the store of a log.
func (s *snapshot) blame(l *logState, err error) error {
	return storeDamage(s.dir, l.Log, l.store, err)
}

// frame reads a record's frame from its store.
func (s *snapshot) frame(l *logState, off int64) (store.Frame, error) {
	f, err := s.store(l)
	if err != nil {
		return store.Frame{}, err
	}
	fr, err := f.Frame(off, l.size)
	return fr, s.blame(l, err)
}

// found is one record that a look-up led to.
type found struct {
	ref   ref
	log   *logState
	frame store.Frame
}

// lookup reads the frames of the records that find names.
func (s *snapshot) lookup(find func(*table) ([]ref, error)) ([]found, error) {
	var list []found
	err := s.view(func(t *table) error {
		refs, err := find(t)
		if err != nil {
			return err
		}
		for _, r := range refs {
			l, err := t.log(r.log())
			if err != nil {
				return err
			}
			list = append(list, found{ref: r, log: l})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i := range list {
		if list[i].frame, err = s.frame(list[i].log, list[i].ref.off()); err != nil {
			return nil, err
		}
	}
	return list, nil
}
