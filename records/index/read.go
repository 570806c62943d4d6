package index

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/trust"
	"github.com/distributed-trust/distrust/schema"
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
	err := g.read(func(s *snapshot) error {
		return s.view(func(t *table) error {
			b, err := t.value(bucketMeta, keyConfig)
			if err != nil {
				return err
			}
			c, err = decodeConfig(b)
			return err
		})
	})
	return c, err
}

func encodeConfig(c Config) []byte {
	var e encoder
	e.string(c.Stamp)
	return append(e.b, c.Blob...)
}

func decodeConfig(b []byte) (Config, error) {
	d := decode(b)
	c := Config{Stamp: d.string()}
	if d.s != "" {
		c.Blob = []byte(d.s)
	}
	if d.bad {
		return Config{}, errShort
	}
	return c, nil
}

// Logs lists all logs by id.
func (g *Generation) Logs() ([]LogInfo, error) {
	var logs []LogInfo
	err := g.read(func(s *snapshot) error {
		logs = nil
		return s.view(func(t *table) error {
			rows, err := t.rows()
			if err != nil {
				return err
			}
			for _, row := range rows {
				l, err := t.log(row.num)
				if err != nil {
					return err
				}
				logs = append(logs, l.LogInfo.clone())
			}
			return nil
		})
	})
	return logs, err
}

// Log is one log; false when the generation does not know it.
func (g *Generation) Log(id string) (LogInfo, bool, error) {
	var info LogInfo
	var found bool
	err := g.read(func(s *snapshot) error {
		l, err := s.findLog(id)
		if l != nil {
			info, found = l.LogInfo.clone(), true
		}
		return err
	})
	return info, found, err
}

// Late lists when those records of a log were issued that are newer than its head, in order; of a
// log without heads, all. For the user's own logs they are [trust.Network]'s OwnIssued: older
// records never move now (D1).
func (g *Generation) Late(log string) ([]int64, error) {
	var late []int64
	err := g.read(func(s *snapshot) error {
		l, err := s.findLog(log)
		if l != nil {
			late = slices.Clone(l.late)
		}
		return err
	})
	return late, err
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

func (l LogInfo) clone() LogInfo {
	l.Projects = slices.Clone(l.Projects)
	l.Keys.Keys = slices.Clone(l.Keys.Keys)
	l.Keys.Keep = slices.Clone(l.Keys.Keep)
	return l
}

// rows reads the table of all logs, by id.
func (t *table) rows() ([]sourceRow, error) {
	b, err := t.value(bucketMeta, keySources)
	if err != nil {
		return nil, err
	}
	return decodeRows(b)
}

// Network is what the logs say about each other: Sources (every log with an accepted head, by
// id; Name is what the head suggests), Edges (all public follows) and Retracted (what takes
// follows back). Own, Follows and Lost, and the user's names, are the caller's to fill in.
func (g *Generation) Network() (trust.Network, error) {
	var net trust.Network
	err := g.read(func(s *snapshot) error {
		net = trust.Network{}
		return s.view(func(t *table) error {
			rows, err := t.rows()
			if err != nil {
				return err
			}
			for _, row := range rows {
				if row.head {
					net.Sources = append(net.Sources, trust.Source{Log: row.log, Name: row.name, Issued: row.issued, Expires: row.expires})
				}
				if !row.edges {
					continue
				}
				if err := t.edges(row.num, &net); err != nil {
					return err
				}
			}
			return nil
		})
	})
	return net, err
}

// edges appends what one log says about others.
func (t *table) edges(num uint32, net *trust.Network) error {
	l, err := t.log(num)
	if err != nil {
		return err
	}
	b, err := t.value(bucketEdges, numberKey(num))
	if err != nil {
		return err
	}
	d := decode(b)
	for range d.count(1) {
		part := &decoder{s: d.string()}
		s := decodeSaid(part, &l.Keys)
		if err := part.finish(); err != nil {
			return err
		}
		if s.st.Kind == schema.KindFollow {
			net.Edges = append(net.Edges, s.st)
		} else {
			net.Retracted = append(net.Retracted, s.st)
		}
	}
	return d.finish()
}

// Each opens every record of a log, the private one too, in the order in which they came. A log
// that the generation does not know has none. Records whose key the log no longer lists cannot
// be opened and are left out; [Generation.Statements] has them.
func (g *Generation) Each(log string, do func(Entry) error) error {
	return g.eachFrame(log, func(l *logState, f frame) error {
		e, _, err := openFrame(f, l)
		if errors.Is(err, errUnlisted) {
			return nil
		}
		if err != nil {
			return storeDamage(g.dir, l.Log, l.store, err)
		}
		return do(e)
	})
}

// Statements calls do for every record of a log and its path, in the order in which they came,
// without opening them again.
func (g *Generation) Statements(log string, do func(st trust.Statement, path string) error) error {
	return g.eachFrame(log, func(l *logState, f frame) error {
		s, err := readSaid(f, &l.Keys)
		if err != nil {
			return storeDamage(g.dir, l.Log, l.store, err)
		}
		return do(s.st, s.path)
	})
}

// eachFrame goes through the live frames of a log. Only their finding is tried again when the
// generation moves; after that the open file keeps them.
func (g *Generation) eachFrame(log string, do func(*logState, frame) error) error {
	var l *logState
	var frames []frame
	err := g.read(func(s *snapshot) (err error) {
		frames = nil
		if l, err = s.findLog(log); l == nil || err != nil {
			return err
		}
		f, err := s.store(l)
		if err != nil {
			return err
		}
		var damage error
		all, err := replay(f, l.size, func(off int64, err error) { damage = cmp.Or(damage, err) })
		if err = cmp.Or(err, damage); err != nil {
			return storeDamage(s.dir, l.Log, l.store, err)
		}
		for _, at := range all.inOrder() {
			fr, err := s.frame(l, makeRef(l.num, at.off))
			if err != nil {
				return err
			}
			frames = append(frames, fr)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, f := range frames {
		if err := do(l, f); err != nil {
			return err
		}
	}
	return nil
}

// errUnlisted says that a record's key is none of the log's keys any more (F5.4).
var errUnlisted = errors.New("its key is not a key of the log")

// openFrame opens a record again, signature included, and holds what the store says about it
// against it.
func openFrame(f frame, l *logState) (Entry, trust.Statement, error) {
	part, yaml, sig, err := splitRecordBody(f.body)
	if err != nil {
		return Entry{}, trust.Statement{}, err
	}
	s, err := readSaid(f, &l.Keys)
	if err != nil {
		return Entry{}, trust.Statement{}, err
	}
	if !listed(&l.Keys, s.by) {
		return Entry{}, trust.Statement{}, errUnlisted
	}
	r, err := records.Open(records.Envelope{Path: s.path, YAML: yaml, Sig: sig}, l.Keys)
	if err != nil {
		return Entry{}, trust.Statement{}, fmt.Errorf("opening record %s again: %w", s.st.ID, err)
	}
	e := Entry{Record: r, Void: l.Keys.Void(r), Vanished: s.vanished}
	opened := saidOf(e)
	var again encoder
	encodeSaid(&again, &opened)
	if string(again.b) != string(part) {
		return Entry{}, trust.Statement{}, fmt.Errorf("opening record %s again: it says something else than the store", s.st.ID)
	}
	return e, trust.FromRecord(r, e.Void, e.Vanished), nil
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
			e, _, err := openFrame(c.frame, c.log)
			switch {
			case errors.Is(err, errUnlisted):
			case err != nil:
				return storeDamage(s.dir, c.log.Log, c.log.store, err)
			case strings.HasPrefix(e.Record.ID(), prefix):
				entries = append(entries, e)
			}
		}
		return nil
	})
	slices.SortFunc(entries, func(a, b Entry) int { return strings.Compare(a.Record.ID(), b.Record.ID()) })
	return entries, err
}

// found is one record that a look-up led to.
type found struct {
	ref   ref
	log   *logState
	frame frame
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
		if list[i].frame, err = s.frame(list[i].log, list[i].ref); err != nil {
			return nil, err
		}
	}
	return list, nil
}
