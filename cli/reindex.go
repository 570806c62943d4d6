package cli

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/distributed-trust/distrust/cli/config"
	"github.com/distributed-trust/distrust/records/home"
	"github.com/distributed-trust/distrust/records/index"
	"github.com/distributed-trust/distrust/records/trust"
)

// compile puts the configuration together for an index that knows these logs.
func (m *machine) compile(own []string, projects func(log string) []string) index.Config {
	follows := config.Follows(config.WithDefaultScopes(m.sources, projects))
	slices.SortFunc(follows, func(a, b trust.Follow) int { return strings.Compare(a.Log, b.Log) })
	return index.Config{Policy: m.config.Policy, Journal: m.config.Journal, Own: own, Follows: follows}
}

// apply brings updates into the index, with the configuration as it is now. A damaged index is
// made again first. The caller holds the lock.
func (m *machine) apply(ctx context.Context, updates ...index.Update) error {
	if err := m.keepKey(); err != nil {
		return err
	}
	err := m.applyOnce(ctx, updates...)
	var damage *index.DamageError
	if !errors.As(err, &damage) || damage.Log != "" {
		return err
	}
	if err := m.rebuild(ctx); err != nil {
		return err
	}
	return m.applyOnce(ctx, updates...)
}

func (m *machine) applyOnce(ctx context.Context, updates ...index.Update) error {
	stamp, err := config.Stamp(m.dirs)
	if err != nil {
		return err
	}
	own, err := m.ownLogs(ctx)
	if err != nil {
		return err
	}
	settings := m.compileWith(own, updates)
	settings.Stamp = stamp
	return m.commit(ctx, updates, settings)
}

// commit makes updates the next generation of the index. A watch is told before and after.
func (m *machine) commit(ctx context.Context, updates []index.Update, settings index.Config) error {
	if m.watch == nil {
		return index.Apply(ctx, m.indexDir(), updates, settings)
	}
	w, err := index.Begin(m.indexDir())
	if err != nil {
		return err
	}
	defer w.Close()
	for _, u := range updates {
		if err := w.Update(ctx, u); err != nil {
			return err
		}
	}
	touched, err := w.Touched()
	if err != nil {
		return err
	}
	if err := m.watch.changing(ctx, touched, updates, settings); err != nil {
		return err
	}
	if err := w.Commit(ctx, settings); err != nil {
		return err
	}
	return m.watch.changed()
}

// compileWith is compile with what the logs say they speak about: in the updates, else in the index.
func (m *machine) compileWith(own []string, updates []index.Update) index.Config {
	said := map[string][]string{}
	for _, u := range updates {
		if !u.Head.IsZero() {
			said[u.Log] = u.Head.Doc().Projects
		}
	}
	g, err := index.Open(m.indexDir())
	if err != nil {
		return m.compile(own, func(log string) []string { return said[log] })
	}
	defer g.Close()
	return m.compile(own, func(log string) []string {
		if projects, ok := said[log]; ok {
			return projects
		}
		info, _, err := g.Log(log)
		if err != nil {
			return nil
		}
		return info.Projects
	})
}

// ownLogs are the logs whose records are the user's own word (D1): the home's and the private one.
// Where the folder of one is gone or cannot be read, what it said stays the user's word: deleting a
// folder silences nobody, and a home in disorder keeps no news away.
func (m *machine) ownLogs(ctx context.Context) ([]string, error) {
	lostHome, lostPrivate := m.formerlyOwn()
	if m.ownLog == "" { // else this command has opened the home already
		h, err := m.ownHome(ctx)
		if err != nil && len(lostHome) == 0 {
			return nil, err
		}
		if h != nil {
			h.Close()
		}
	}
	private := ""
	p, err := m.private(nil) // whoever may sign there, the log is the same
	if err == nil {
		private = p.Log().ID
	} else if !errors.Is(err, home.ErrNoHome) && len(lostPrivate) == 0 {
		return nil, err
	}
	return slices.Concat(orLost(m.ownLog, lostHome), orLost(private, lostPrivate)), nil
}

// orLost is the log that is there, else those that were.
func orLost(log string, lost []string) []string {
	if log != "" {
		return []string{log}
	}
	return lost
}

// formerlyOwn are the logs that the index knows as the user's own, with heads and without.
func (m *machine) formerlyOwn() (published, private []string) {
	g, err := index.Open(m.indexDir())
	if err != nil {
		return nil, nil
	}
	defer g.Close()
	before, err := g.Config()
	if err != nil {
		return nil, nil
	}
	for _, log := range before.Own {
		if info, ok, err := g.Log(log); err == nil && ok && info.HeadID == "" {
			private = append(private, log)
		} else {
			published = append(published, log)
		}
	}
	return published, private
}

// mend makes a damaged index again and opens it.
func (in *Invocation) mend(ctx context.Context, dir index.Dir, damage *index.DamageError) (*index.Generation, error) {
	m, err := in.machine()
	if err != nil {
		return nil, err
	}
	if !in.locked {
		unlock, err := m.lock(ctx)
		if err != nil {
			return nil, errors.Join(damage, err)
		}
		defer unlock()
	}
	// Somebody else may have mended it while we waited.
	if g, err := index.Open(dir); err == nil {
		return g, nil
	}
	if err := m.rebuild(ctx); err != nil {
		return nil, err
	}
	return index.Open(dir)
}

// rebuild makes the index again from the record stores: it is a cache. The caller holds the lock.
func (m *machine) rebuild(ctx context.Context) error {
	rebuilt, err := index.Rebuild(ctx, m.indexDir(), index.Config{})
	if err != nil {
		return err
	}
	if err := m.applyOwn(ctx); err != nil {
		return err
	}
	m.env.warn("the index could not be read, and was made again from %s of %s", count(rebuilt.Records, "record"), count(rebuilt.Logs, "log"))
	return nil
}

// ownUpdates bring the user's own logs into the index known, nil when that holds nothing that counts: the
// home's, unless h is nil, and the private one, if there is one.
func (m *machine) ownUpdates(ctx context.Context, h *home.Home, known *index.Generation) ([]index.Update, error) {
	var updates []index.Update
	if h != nil {
		own, err := h.Update(ctx, headIn(known, h.LogID()))
		if err != nil {
			return nil, err
		}
		updates = append(updates, own)
	}
	p, err := m.private(h)
	if errors.Is(err, home.ErrNoHome) {
		return updates, nil
	}
	if err != nil {
		return nil, err
	}
	private, err := p.Update(ctx, known)
	return append(updates, private), err
}

// applyOwn brings the user's own logs whole into an index that has lost or damaged them. The caller
// holds the lock.
func (m *machine) applyOwn(ctx context.Context) error {
	h, err := m.ownHome(ctx)
	if err != nil {
		return err
	}
	if h != nil {
		defer h.Close()
	}
	updates, err := m.ownUpdates(ctx, h, nil)
	if err != nil {
		return err
	}
	return m.applyOnce(ctx, updates...)
}

// known has do work with the index as it is, nil when it cannot be read: the user's own logs are then
// given to it whole.
func (m *machine) known(do func(*index.Generation) error) error {
	g, err := index.Open(m.indexDir())
	if err != nil {
		return do(nil)
	}
	defer g.Close()
	return do(g)
}

// headIn is the head of a log that an index holds; "" when it holds none.
func headIn(g *index.Generation, log string) string {
	if g == nil {
		return ""
	}
	info, _, err := g.Log(log)
	if err != nil {
		return ""
	}
	return info.HeadID
}

// takeOwn brings updates of the user's own logs into the index. Where the record store of one turns out
// to be damaged, what is left of it is of no use, and all comes anew.
func (m *machine) takeOwn(ctx context.Context, updates ...index.Update) error {
	err := m.apply(ctx, updates...)
	var damage *index.DamageError
	if errors.As(err, &damage) && slices.ContainsFunc(updates, func(u index.Update) bool { return u.Log == damage.Log }) {
		return m.applyOwn(ctx)
	}
	return err
}
