package cli

import (
	"context"

	"github.com/distributed-trust/distrust/cli/config"
	"github.com/distributed-trust/distrust/records/journal"
	"github.com/distributed-trust/distrust/records/trust"
)

// raise decides what this machine accepted once more, and raises and closes alarms. The caller
// holds the lock.
func (m *machine) raise(ctx context.Context) (journal.Change, error) {
	entries, skipped, err := journal.Scan(m.dirs.Journal())
	if err != nil {
		return journal.Change{}, err
	}
	m.env.warnSkipped(skipped, m.dirs)
	if err := journal.Compact(ctx, m.dirs.Journal()); err != nil {
		m.env.warn("%v", err)
	}
	alarms, err := loadAlarms(m.dirs)
	if err != nil {
		return journal.Change{}, err
	}
	if len(entries) == 0 && len(alarms) == 0 {
		return journal.Change{}, nil
	}
	w, err := m.in.world(ctx)
	if err != nil {
		return journal.Change{}, err
	}
	defer w.close()
	var failed error
	change := journal.Raise(journal.Things(entries), func(t journal.Thing) trust.Decision {
		decision, _, _, err := w.decide(t.Entry.Query())
		if err != nil && failed == nil {
			failed = err
		}
		return decision
	}, alarms, m.env.Now())
	if failed != nil {
		return journal.Change{}, failed
	}
	return change, journal.SaveAlarms(m.dirs.Alarms(), change.Alarms)
}

// warnSkipped says how much of the journal cannot be read.
func (e *Env) warnSkipped(skipped int, dirs config.Dirs) {
	if skipped > 0 {
		e.warn("%s of %s damaged and not read; what they held raises no alarm", count(skipped, "line"), dirs.Journal())
	}
}
