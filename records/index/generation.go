package index

import (
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

const (
	currentName      = "current"
	generationPrefix = "index-"

	// pageSize holds several blocks, and keeps small indexes free of inner pages.
	pageSize = 16 << 10
	// lockTimeout is never reached: nobody writes to a generation that current names.
	lockTimeout = time.Second
	// moves is how often a reader follows a current that moves under it before it gives up.
	moves = 8
)

// current is what the file of that name says: which generation is in force, and how long its
// file is. Its text is "index-<n> <size> <CRC-32C of both, 8 hex>" and LF.
type current struct {
	number uint64
	size   int64
}

func (c current) file() string { return generationPrefix + strconv.FormatUint(c.number, 10) }

func (c current) text() string {
	s := c.file() + " " + strconv.FormatInt(c.size, 10)
	return fmt.Sprintf("%s %08x\n", s, crc32.Checksum([]byte(s), castagnoli))
}

func parseCurrent(text string) (current, error) {
	file, rest, _ := strings.Cut(text, " ")
	size, _, _ := strings.Cut(rest, " ")
	number, ok := generationNumber(file)
	bytes, err := strconv.ParseInt(size, 10, 64)
	c := current{number, bytes}
	if !ok || err != nil || c.text() != text {
		return current{}, errors.New("it does not name a generation")
	}
	return c, nil
}

// generationNumber reads the number out of a generation's file name.
func generationNumber(name string) (uint64, bool) {
	digits, ok := strings.CutPrefix(name, generationPrefix)
	n, err := strconv.ParseUint(digits, 10, 64)
	return n, ok && err == nil && strconv.FormatUint(n, 10) == digits
}

// readCurrent reads which generation is in force. Without one it is ErrNone where no store lies
// either, and damage where one does: its reports must not go unheard.
func (d Dir) readCurrent() (current, error) {
	path := filepath.Join(d.Cache, currentName)
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		stores, err := d.listStores()
		if err != nil {
			return current{}, err
		}
		if len(stores) == 0 {
			return current{}, ErrNone
		}
		return current{}, &DamageError{Path: path, Err: errors.New("it is missing, record stores are there")}
	case err != nil:
		return current{}, fmt.Errorf("reading index: %w", err)
	}
	c, err := parseCurrent(string(text))
	if err != nil {
		return current{}, &DamageError{Path: path, Err: err}
	}
	return c, nil
}

// snapshot is one generation file, open and mapped.
type snapshot struct {
	dir  Dir
	cur  current
	path string
	db   *bolt.DB
	meta meta

	mu     sync.Mutex // guards what follows
	stores map[uint32]*os.File
	logs   map[uint32]*logState
}

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
		dir: d, cur: cur, path: filepath.Join(d.Cache, cur.file()),
		stores: map[uint32]*os.File{}, logs: map[uint32]*logState{},
	}
	info, err := os.Stat(s.path)
	if err == nil && info.Size() != cur.size {
		err = fmt.Errorf("%d bytes, %d were written", info.Size(), cur.size)
	}
	if err == nil {
		s.db, err = openBolt(s.path, true)
	}
	if err != nil {
		return nil, s.damage(err)
	}
	if err := s.view(func(t *table) (err error) {
		s.meta, err = t.meta()
		return err
	}); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// openBolt opens a bbolt file. What its library says by panics becomes an error.
func openBolt(path string, readOnly bool) (db *bolt.DB, err error) {
	var files []*os.File // to close when the library fails in the middle
	err = guarded(func() (err error) {
		db, err = bolt.Open(path, 0o600, &bolt.Options{
			ReadOnly: readOnly, Timeout: lockTimeout, PageSize: pageSize, NoStatistics: true,
			NoSync: true, NoGrowSync: true, FreelistType: bolt.FreelistMapType,
			OpenFile: func(name string, flag int, mode os.FileMode) (*os.File, error) {
				f, err := os.OpenFile(name, flag, mode)
				if err == nil {
					files = append(files, f)
				}
				return f, err
			},
		})
		return err
	})
	if err != nil {
		for _, f := range files {
			f.Close() // a second close of what the library closed is harmless
		}
		return nil, err
	}
	return db, nil
}

// guarded runs what touches mapped pages: damage there shows as panics of the library or as
// memory faults, and becomes an error.
func guarded(do func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("its pages are damaged: %v", p)
		}
	}()
	return do()
}

// damage blames the generation for an error, unless it is known whom to blame, or nobody is.
func (s *snapshot) damage(err error) error {
	var known *DamageError
	if err == nil || errors.As(err, &known) || errors.Is(err, os.ErrPermission) || errors.Is(err, berrors.ErrTimeout) {
		return err
	}
	return &DamageError{Path: s.path, Err: err}
}

// close lets go of the files. Nobody may be reading.
func (s *snapshot) close() error {
	var errs []error
	for _, f := range s.stores {
		errs = append(errs, f.Close())
	}
	if s.db != nil {
		errs = append(errs, guarded(s.db.Close))
	}
	return errors.Join(errs...)
}

// view reads in the generation. Nothing that it hands out may be kept: the pages are mapped.
func (s *snapshot) view(do func(*table) error) error {
	return s.damage(guarded(func() error {
		return s.db.View(func(tx *bolt.Tx) error { return do(&table{s: s, tx: tx}) })
	}))
}

// table is a generation within one transaction.
type table struct {
	s       *snapshot
	tx      *bolt.Tx
	buckets [spaces]*bolt.Bucket
}

// value reads one sealed value. A missing one is damage, for every key that is asked for is there.
func (t *table) value(bucket, key []byte) ([]byte, error) {
	b := t.tx.Bucket(bucket)
	if b == nil {
		return nil, fmt.Errorf("bucket %s is missing", bucket)
	}
	return unseal(bucket, key, b.Get(key))
}

func (t *table) meta() (meta, error) {
	b, err := t.value(bucketMeta, keyMeta)
	if err != nil {
		return meta{}, err
	}
	m, err := decodeMeta(b)
	if err == nil && m.number != t.s.cur.number {
		err = fmt.Errorf("it is generation %d, %d was expected", m.number, t.s.cur.number)
	}
	return m, err
}

// block reads one block of postings.
func (t *table) block(space int, n uint32) ([]byte, error) {
	b := t.buckets[space]
	if b == nil {
		if b = t.tx.Bucket(bucketSpace[space]); b == nil {
			return nil, fmt.Errorf("bucket %s is missing", bucketSpace[space])
		}
		t.buckets[space] = b
	}
	key := numberKey(n)
	postings, err := unseal(bucketSpace[space], key, b.Get(key))
	if err == nil && len(postings)%postingSize != 0 {
		err = errShort
	}
	return postings, err
}

// find appends the records with postings from one hash to another, both included.
func (t *table) find(refs []ref, space int, from, to uint64) ([]ref, error) {
	last := t.s.meta.blockOf(space, to)
	for n := t.s.meta.blockOf(space, from); ; n++ {
		b, err := t.block(space, n)
		if err != nil {
			return nil, err
		}
		count := len(b) / postingSize
		for i := firstPosting(b, from); i < count; i++ {
			p := postingAt(b, i)
			if p.hash > to {
				break
			}
			refs = append(refs, p.ref)
		}
		if n == last {
			return refs, nil
		}
	}
}

// firstPosting is the index of the first posting of a block at or above the hash.
func firstPosting(b []byte, hash uint64) int {
	lo, hi := 0, len(b)/postingSize
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if postingAt(b, mid).hash < hash {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// log reads what is known of a log by its number. A free number is damage: nothing refers to it.
func (t *table) log(num uint32) (*logState, error) {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	if l, ok := t.s.logs[num]; ok {
		return l, nil
	}
	b, err := t.value(bucketLogs, numberKey(num))
	if err != nil {
		return nil, err
	}
	if len(b) == 0 {
		return nil, fmt.Errorf("log number %d is free", num)
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

// store opens the store of a log and keeps it open.
func (s *snapshot) store(l *logState) (*os.File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f, ok := s.stores[l.num]; ok {
		return f, nil
	}
	f, err := openStore(s.dir, l.Log, l.store)
	if err != nil {
		return nil, err
	}
	s.stores[l.num] = f
	return f, nil
}

// frame reads a record's frame from its store.
func (s *snapshot) frame(l *logState, r ref) (frame, error) {
	f, err := s.store(l)
	if err != nil {
		return frame{}, err
	}
	fr, err := readFrame(f, r.off(), l.size)
	if err == nil && fr.kind != frameRecord {
		err = fmt.Errorf("%w at %d: not a record", errFrame, r.off())
	}
	if err != nil {
		return frame{}, storeDamage(s.dir, l.Log, l.store, err)
	}
	return fr, nil
}
