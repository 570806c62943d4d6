package cli

import (
	"context"
	"slices"

	"github.com/distributed-trust/distrust/cli/render"
	"github.com/distributed-trust/distrust/records/journal"
	"github.com/distributed-trust/distrust/records/trust"
)

// verdicts are what everything came to that this machine remembers, by the ids of the things.
type verdicts map[string]trust.Verdict

// remembered decides everything that this machine remembers, as things are.
func (m *machine) remembered(ctx context.Context) (verdicts, error) {
	things, err := m.things()
	if err != nil || len(things) == 0 {
		return verdicts{}, err
	}
	w, err := m.in.worldAsIs(ctx)
	if err != nil {
		return nil, err
	}
	defer w.close()
	all := verdicts{}
	for _, t := range things {
		decision, _, _, err := w.decide(t.Entry.Query())
		if err != nil {
			return nil, err
		}
		all[t.ID] = decision.Verdict
	}
	return all, nil
}

// things are what this machine remembers, in the order in which it was accepted.
func (m *machine) things() ([]journal.Thing, error) {
	entries, err := journal.Read(m.dirs.Journal())
	return journal.Things(entries), err
}

// changes are the things that come to another verdict in the world that open gives than they did before.
// Those that were not remembered then are not among them.
func (m *machine) changes(ctx context.Context, open func(context.Context) (*world, error), before verdicts) ([]render.Change, error) {
	things, err := m.things()
	if err != nil || len(things) == 0 || len(before) == 0 {
		return nil, err
	}
	w, err := open(ctx)
	if err != nil {
		return nil, err
	}
	defer w.close()
	var found []render.Change
	for _, t := range things {
		was, known := before[t.ID]
		if !known {
			continue
		}
		decision, _, _, err := w.decide(t.Entry.Query())
		if err != nil {
			return nil, err
		}
		if decision.Verdict == was {
			continue
		}
		found = append(found, changeOf(w, t, was, &decision))
	}
	return found, nil
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
