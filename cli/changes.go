package cli

import (
	"slices"

	"github.com/distributed-trust/distrust/cli/render"
	"github.com/distributed-trust/distrust/records/journal"
	"github.com/distributed-trust/distrust/records/trust"
)

// things are what this machine remembers, in the order in which it was accepted.
func (m *machine) things() ([]journal.Thing, error) {
	entries, err := journal.Read(m.dirs.Journal())
	return journal.Things(entries), err
}

// changeOf is what a thing comes to in a world, and came to before.
func changeOf(w *world, t journal.Thing, was trust.Verdict, d *trust.Decision) render.Change {
	return render.Change{
		ID: t.ID, Name: entryName(t.Entry), Before: was,
		After: render.Report{Query: t.Entry.Query(), Decision: *d, Follows: len(w.compiled.Follows)},
	}
}

// sayChanges says which remembered verdicts a sync has changed. What an alarm or a notice tells is not told
// twice.
func (s *syncRun) sayChanges(o *outcome) error {
	for _, c := range o.changes {
		if s.in.Bool(jsonFlagName) {
			if err := render.WriteChangeJSON(s.in.Env.Stdout, c); err != nil {
				return err
			}
			continue
		}
		noticed := slices.ContainsFunc(o.notices, func(n notice) bool { return n.about(c.ID) })
		if s.quiet || noticed {
			continue
		}
		told := slices.ContainsFunc(o.Raised, func(a journal.Alarm) bool { return a.ID == c.ID })
		if err := render.WriteChange(s.in.Env.Stdout, c, !told); err != nil {
			return err
		}
	}
	for _, n := range o.notices {
		s.tell("%s", n.line())
	}
	return nil
}
