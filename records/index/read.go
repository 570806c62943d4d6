package index

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/distributed-trust/distrust/records/index/internal/store"
	"github.com/distributed-trust/distrust/records/trust"
)

// Generation is an open index. It may be used by several goroutines at once. When the files under
// it were replaced and taken away, it goes on with the generation that is in force by then.
type Generation struct {
	dir Dir
	mu  sync.RWMutex
	s   *snapshot
}

// Open opens the generation in force, read-only. [ErrNone]: nothing was ever written. A
// *[DamageError] without a log: [Rebuild] makes it anew.
func Open(d Dir) (*Generation, error) {
	s, err := openCurrent(d)
	if err != nil {
		return nil, err
	}
	return &Generation{dir: d, s: s}, nil
}

// Close lets go of the files. The generation must not be used afterwards.
func (g *Generation) Close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.s.close()
}

// Number is the number of the generation: another one may hold other records.
func (g *Generation) Number() uint64 {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.s.cur.number
}

// read runs do on the open snapshot. When that fails over damage and another generation is in
// force by now, the files were only taken away: do runs once more, on the new one.
func (g *Generation) read(do func(*snapshot) error) error {
	g.mu.RLock()
	s := g.s
	err := do(s)
	g.mu.RUnlock()
	var damage *DamageError
	if !errors.As(err, &damage) {
		return err
	}
	if cur, curErr := g.dir.readCurrent(); curErr != nil || cur == s.cur {
		return err
	}
	if renewErr := g.renew(s); renewErr != nil {
		return renewErr
	}
	g.mu.RLock()
	defer g.mu.RUnlock()
	return do(g.s)
}

// renew opens the generation in force in place of old, unless another reader did already.
func (g *Generation) renew(old *snapshot) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.s != old {
		return nil
	}
	s, err := openCurrent(g.dir)
	if err != nil {
		return err
	}
	g.s = s
	return old.close()
}

// Config is the compiled configuration that came with the generation; zero when none did.
func (g *Generation) Config() (Config, error) {
	var c Config
	err := g.read(func(s *snapshot) (err error) {
		c, err = s.config()
		return err
	})
	return c, err
}

// Each opens every record of a log, the private one too, in the order in which they came. A log
// that the generation does not know has none. Records whose key the log no longer lists cannot
// be opened and are left out; [Generation.Statements] has them.
func (g *Generation) Each(log string, do func(Entry) error) error {
	return g.eachFrame(log, func(l *logState, f store.Frame) error {
		e, err := openEntry(f, l)
		switch {
		case errors.Is(err, store.ErrUnlisted):
			return nil
		case err != nil:
			return storeDamage(g.dir, l.Log, l.store, err)
		}
		return do(e)
	})
}

// openEntry opens a record again.
func openEntry(f store.Frame, l *logState) (Entry, error) {
	r, s, err := f.Open(&l.Keys)
	return Entry{Record: r, Void: s.Void, Vanished: s.Vanished}, err
}

// Statements calls do for every record of a log and its path, in the order in which they came,
// without opening them again.
func (g *Generation) Statements(log string, do func(st trust.Statement, path string) error) error {
	return g.eachFrame(log, func(l *logState, f store.Frame) error {
		s, err := f.Said(&l.Keys)
		if err != nil {
			return storeDamage(g.dir, l.Log, l.store, err)
		}
		return do(s.Statement, s.Path)
	})
}

// Sound reads the record store of a log through, once: every entry has to have its checksum, and to say
// something. No signature is verified. A log that the generation does not know is sound.
func (g *Generation) Sound(log string) error {
	return g.read(func(s *snapshot) error {
		l, err := s.findLog(log)
		if l == nil || err != nil {
			return err
		}
		f, err := store.Open(s.dir.storePath(l.Log, l.store), l.Log)
		if err != nil {
			return s.blame(l, err)
		}
		defer f.Close()
		return s.blame(l, f.Check(l.size))
	})
}

// eachFrame goes through the live frames of a log. Only their finding is tried again when the
// generation moves; after that they are read from the file that was found.
func (g *Generation) eachFrame(log string, do func(*logState, store.Frame) error) error {
	var l *logState
	var f *store.File
	var live *store.Live
	err := g.read(func(s *snapshot) (err error) {
		if l, err = s.findLog(log); l == nil || err != nil {
			return err
		}
		f, live, err = s.openLive(l)
		return err
	})
	if err != nil || l == nil {
		return err
	}
	defer f.Close()
	var theirs error // what do says is no damage
	err = f.Each(live, func(f store.Frame) error {
		theirs = do(l, f)
		return theirs
	})
	if theirs != nil {
		return theirs
	}
	return storeDamage(g.dir, l.Log, l.store, err)
}

// openLive opens a store for its caller and finds what is live in it.
func (s *snapshot) openLive(l *logState) (*store.File, *store.Live, error) {
	f, err := store.Open(s.dir.storePath(l.Log, l.store), l.Log)
	if err != nil {
		return nil, nil, s.blame(l, err)
	}
	var damage error
	live, err := f.Replay(l.size, func(_ int64, err error) { damage = cmp.Or(damage, err) })
	if err = cmp.Or(err, damage); err != nil {
		f.Close()
		return nil, nil, s.blame(l, err)
	}
	return f, live, nil
}

// minPrefix is how many digits of an id name a record at least.
const minPrefix = 4

// ByID opens the records whose id begins with prefix (hex, 4 digits and up), of all logs, in the
// order of their ids. A record whose key its log no longer lists is left out.
func (g *Generation) ByID(prefix string) ([]Entry, error) {
	prefix = strings.ToLower(prefix)
	from, to, ok := idRange(prefix)
	if !ok || len(prefix) < minPrefix || len(prefix) > 64 {
		return nil, nil
	}
	var entries []Entry
	err := g.read(func(s *snapshot) error {
		entries = nil
		found, err := s.lookup(func(t *table) ([]ref, error) { return t.find(nil, spaceIDs, from, to) })
		if err != nil {
			return err
		}
		for _, c := range found {
			e, err := openEntry(c.frame, c.log)
			switch {
			case errors.Is(err, store.ErrUnlisted):
			case err != nil:
				return s.blame(c.log, err)
			case strings.HasPrefix(e.Record.ID(), prefix):
				entries = append(entries, e)
			}
		}
		return nil
	})
	slices.SortFunc(entries, func(a, b Entry) int { return strings.Compare(a.Record.ID(), b.Record.ID()) })
	return entries, err
}
