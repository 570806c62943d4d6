package cli

import (
	"context"
	"slices"

	"github.com/distributed-trust/distrust/cli/config"
	"github.com/distributed-trust/distrust/cli/render"
	"github.com/distributed-trust/distrust/records/journal"
	"github.com/distributed-trust/distrust/records/trust"
)

// outcome is what came of deciding again.
type outcome struct {
	journal.Change
	changes []render.Change // other verdicts than before
	notices []notice        // and those of them that lost what carried them
}

// raise decides again what the changes since the last time bear on, and raises and closes alarms. The
// caller holds the lock.
func (m *machine) raise(ctx context.Context) (*outcome, error) {
	if err := m.watching(ctx); err != nil {
		return nil, err
	}
	if err := m.watch.scan(); err != nil {
		return nil, err
	}
	m.env.warnSkipped(m.watch.skipped, m.dirs)
	if m.watch.all { // to see whether it is worth while reads all of it
		if err := journal.Compact(ctx, m.dirs.Journal()); err != nil {
			m.env.warn("%v", err)
		}
	}
	alarms, err := loadAlarms(m.dirs)
	if err != nil || len(m.watch.things) == 0 && len(alarms) == 0 {
		return &outcome{}, err
	}
	w, err := m.in.world(ctx)
	if err != nil {
		return nil, err
	}
	defer w.close()
	again := m.watch.again(w)
	result := &outcome{}
	if result.Change, err = result.decide(w, m.watch, again, alarms); err != nil {
		return nil, err
	}
	if len(again) > 0 && (len(alarms) > 0 || len(result.Alarms) > 0) {
		if err := journal.SaveAlarms(m.dirs.Alarms(), result.Alarms); err != nil {
			return nil, err
		}
	}
	return result, m.watch.done(w, len(result.Alarms))
}

// again are the things that have to be decided: those that were touched, those that came since, or all.
func (s *watch) again(w *world) []journal.Thing {
	s.all = s.all || w.number() != s.generation
	if s.all {
		return s.things
	}
	var again []journal.Thing
	for _, t := range s.things {
		if _, touched := s.before[t.ID]; touched || t.Newest >= s.last.Entries {
			again = append(again, t)
		}
	}
	return again
}

// decide decides things, and compares with what they came to before.
func (o *outcome) decide(w *world, s *watch, things []journal.Thing, alarms []journal.Alarm) (journal.Change, error) {
	var failed error
	change := journal.Raise(things, func(t journal.Thing) trust.Decision {
		d, _, _, err := w.decide(t.Entry.Query())
		if err != nil && failed == nil {
			failed = err
		}
		if before, known := s.before[t.ID]; known && before.verdict != d.Verdict {
			o.compare(w, t, before, &d)
		}
		return d
	}, alarms, w.now)
	return change, failed
}

// compare notes another verdict. Support that is lost makes no line for each thing, but a notice for each
// source and cause.
func (o *outcome) compare(w *world, t journal.Thing, before stood, d *trust.Decision) {
	if d.Verdict == trust.Unknown && before.verdict == trust.Trusted {
		if why, ok := before.lost(d); ok {
			i := slices.IndexFunc(o.notices, func(n notice) bool { return n.loss == why })
			if i < 0 {
				i = len(o.notices)
				o.notices = append(o.notices, notice{loss: why})
			}
			o.notices[i].things = append(o.notices[i].things, t)
		}
	}
	o.changes = append(o.changes, changeOf(w, t, before.verdict, d))
}

// done remembers up to where the alarms are right.
func (s *watch) done(w *world, alarms int) error {
	stamp, err := config.Stamp(s.m.dirs)
	if err != nil {
		return err
	}
	now := decided{Generation: w.number(), Settings: stamp, Entries: s.entries, Alarms: alarms, Full: s.last.Full}
	if s.all {
		now.Full = w.now.Unix()
	}
	if now == s.last {
		return nil
	}
	return writeDecided(s.m.dirs, now)
}

// warnSkipped says how much of the journal cannot be read.
func (e *Env) warnSkipped(skipped int, dirs config.Dirs) {
	if skipped > 0 {
		e.warn("%s of %s damaged and not read; what they held raises no alarm", count(skipped, "line"), dirs.Journal())
	}
}
