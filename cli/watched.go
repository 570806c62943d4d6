package cli

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/distributed-trust/distrust/cli/config"
	"github.com/distributed-trust/distrust/records/durable"
	"github.com/distributed-trust/distrust/records/index"
	"github.com/distributed-trust/distrust/records/journal"
	"github.com/distributed-trust/distrust/records/trust"
)

// decided says up to where the alarms are right: the index, settings and journal that they were
// raised from. What touches none of these needs no decision again, but for the clock.
type decided struct {
	Generation uint64 `json:"generation"` // of the index
	Settings   string `json:"settings"`   // stamp of the user's files
	Entries    int    `json:"entries"`    // how many the journal held
	Alarms     int    `json:"alarms"`     // how many the alarms file held
	Full       int64  `json:"full"`       // when everything was decided last, Unix seconds
}

// fullEvery is how often everything is decided again, for what only time changes: heads and records
// that expire.
const fullEvery = 24 * time.Hour

func decidedFile(d config.Dirs) string { return filepath.Join(d.State, "decided") }

// readDecided is the zero value when nothing is known: then everything is decided.
func readDecided(d config.Dirs) decided {
	var last decided
	b, err := os.ReadFile(decidedFile(d))
	if err != nil || json.Unmarshal(b, &last) != nil {
		return decided{}
	}
	return last
}

func writeDecided(d config.Dirs, now decided) error {
	b, err := json.Marshal(now)
	if err != nil {
		return err
	}
	return durable.WriteFile(decidedFile(d), append(b, '\n'), 0o600)
}

// watch follows one command's changes of the index, so that what they bear on, and no more, is decided
// before and after (A2).
type watch struct {
	m          *machine
	last       decided
	things     []journal.Thing
	entries    int              // of the journal
	skipped    int              // damaged lines of the journal
	read       os.FileInfo      // the journal when it was read; nil: there was none
	all        bool             // everything is to be decided again
	generation uint64           // of the index, as far as this watch knows all changes
	before     map[string]stood // what things came to before they were touched, by id
}

// watching begins to watch what this command changes. The caller holds the lock, and has changed
// nothing yet.
func (m *machine) watching(ctx context.Context) error {
	if m.watch != nil {
		return nil
	}
	s := &watch{m: m, last: readDecided(m.dirs), before: map[string]stood{}}
	if err := s.scan(); err != nil {
		return err
	}
	alarms, damaged := loadAlarms(m.dirs) // which raise complains about: what comes before it goes on
	stamp, err := config.Stamp(m.dirs)
	if err != nil {
		return err
	}
	now, last := m.env.Now(), s.last
	w, err := m.in.worldAsIs(ctx)
	var damage *index.DamageError
	switch {
	case errors.As(err, &damage):
		s.all = true // what is damaged is about to be mended
		m.watch = s
		return nil
	case err != nil:
		return err
	}
	defer w.close()
	s.generation = w.number()
	since := now.Sub(time.Unix(last.Full, 0))
	s.all = damaged != nil || last.Generation != s.generation || last.Settings != stamp || last.Entries > s.entries || last.Alarms != len(alarms) ||
		since < 0 || since >= fullEvery
	if s.all {
		// What time alone has changed since is a change, too.
		if last.Full != 0 && since > 0 {
			w.now = time.Unix(last.Full, 0)
		}
		err = s.stand(w, func(journal.Thing) bool { return true })
	}
	m.watch = s
	if errors.As(err, &damage) {
		return nil
	}
	return err
}

// scan reads the journal, unless it is as it was read before.
func (s *watch) scan() error {
	file := s.m.dirs.Journal()
	info, err := os.Stat(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil || s.read != nil && os.SameFile(info, s.read) && info.Size() == s.read.Size() {
		return err // it only ever grows, or is another file
	}
	entries, skipped, err := journal.Scan(file)
	s.things, s.entries, s.skipped, s.read = journal.Things(entries), len(entries), skipped, info
	return err
}

// number is that of the index's generation, 0 when there is none.
func (w *world) number() uint64 {
	if w.generation == nil {
		return 0
	}
	return w.generation.Number()
}

// stand notes what the wanted things come to in a world, unless that is known of an earlier one.
func (s *watch) stand(w *world, wanted func(journal.Thing) bool) error {
	for _, t := range s.things {
		if _, known := s.before[t.ID]; known || !wanted(t) {
			continue
		}
		d, _, _, err := w.decide(t.Entry.Query())
		if err != nil {
			return err
		}
		s.before[t.ID] = stoodOn(&d)
	}
	return nil
}

// changing is told what is about to be put in force, while the index is as it was.
func (s *watch) changing(ctx context.Context, touched *index.Touched, updates []index.Update, settings index.Config) error {
	if s.all {
		return nil
	}
	w, err := s.m.in.worldAsIs(ctx)
	if err != nil {
		return err
	}
	defer w.close()
	bears := touched.Bears
	if w.number() != s.generation || w.otherwise(updates, settings) {
		s.all = true
		bears = func(trust.Query) bool { return true }
	}
	return s.stand(w, func(t journal.Thing) bool { return bears(t.Entry.Query()) })
}

// changed is told that it is in force.
func (s *watch) changed() error {
	g, err := index.Open(s.m.indexDir())
	if err != nil {
		return err
	}
	defer g.Close()
	s.generation = g.Number()
	return nil
}

// otherwise says whether a change bears on more than its records do: other settings, a source that was
// stale and is not any more, and a head that is ahead of our clock, which moves the time of decisions (D1).
func (w *world) otherwise(updates []index.Update, settings index.Config) bool {
	if w.generation == nil {
		return true
	}
	if before, err := w.generation.Config(); err != nil || !before.Equal(settings) {
		return true
	}
	expires := map[string]int64{}
	for _, known := range w.network.Sources {
		expires[known.Log] = known.Expires
	}
	now := w.now.Unix()
	for _, u := range updates {
		if u.Head.IsZero() {
			continue
		}
		before, known := expires[u.Log]
		if known && (before <= now) != (u.Head.Expires().Unix() <= now) || u.Head.Doc().Issued.Unix() > now {
			return true
		}
	}
	return false
}
