package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/distributed-trust/distrust/cli/config"
	"github.com/distributed-trust/distrust/cli/render"
	"github.com/distributed-trust/distrust/records/index"
	"github.com/distributed-trust/distrust/records/source"
	"github.com/distributed-trust/distrust/records/trust"
)

// scratchPrefix begins the names of the folders in the cache that a dry run works in.
const scratchPrefix = "dry-run-"

// scratch is a place for a first contact that is forgotten again: it knows the pins of this machine,
// so that what would be refused is, and what is written there goes with remove.
func (m *machine) scratch() (dirs source.Dirs, remove func(), err error) {
	if err := os.MkdirAll(m.dirs.Cache, 0o700); err != nil {
		return dirs, nil, err
	}
	left, err := filepath.Glob(filepath.Join(m.dirs.Cache, scratchPrefix+"*"))
	for _, dir := range left { // of runs that were killed
		if info, gone := os.Stat(dir); gone == nil && m.env.Now().Sub(info.ModTime()) > quietGrace {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}
	if err != nil {
		return dirs, nil, err
	}
	dir, err := os.MkdirTemp(m.dirs.Cache, scratchPrefix)
	if err != nil {
		return dirs, nil, err
	}
	remove = func() { os.RemoveAll(dir) }
	for _, folder := range []string{"pins", "kept"} {
		err := os.CopyFS(filepath.Join(dir, folder), os.DirFS(filepath.Join(m.dirs.State, folder)))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			remove()
			return dirs, nil, fmt.Errorf("copying what is remembered of sources: %w", err)
		}
	}
	return source.Dirs{Data: dir, State: dir, Cache: dir}, remove, nil
}

// previewFollow says what following a source would change. The batch is never committed; its updates go
// into an index in scratch.
func (m *machine) previewFollow(ctx context.Context, batch *source.Batch, scratch source.Dirs, wish followWish, spec source.Spec) (Exit, error) {
	result := batch.Results()[0]
	entry := m.newEntry(result, wish, spec)
	if !m.in.Bool(jsonFlagName) {
		m.sayWhom("would follow", entry, result)
	}
	at := index.Dir{Cache: filepath.Join(scratch.Cache, "index"), Data: filepath.Join(scratch.Cache, "index")}
	if err := m.fork(ctx, at, result.Log); err != nil {
		return Failed, err
	}
	if err := index.Apply(ctx, at, batch.Updates(), index.Config{}); err != nil {
		return Failed, err
	}
	return m.preview(ctx, at, append(slices.Clone(m.sources), entry))
}

// fork begins an index of its own with what is known now.
func (m *machine) fork(ctx context.Context, at index.Dir, written string) error {
	unlock, err := m.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if err := index.Fork(m.indexDir(), at, written); !errors.Is(err, index.ErrNone) {
		return err
	}
	return nil
}

// previewChange says what following somebody in another way would change.
func (m *machine) previewChange(ctx context.Context, name string, wish followWish) (Exit, error) {
	sources := slices.Clone(m.sources)
	i := slices.IndexFunc(sources, func(s config.Source) bool { return s.Name == name })
	wish.apply(&sources[i])
	if err := wish.mayPublish(sources[i].URL); err != nil {
		return Failed, err
	}
	if s := sources[i]; !m.in.Bool(jsonFlagName) {
		fmt.Fprintf(m.env.Stdout, "would follow  %s  %s%s\n", s.Name, render.WeightWord(s.EffectiveWeight()), scopesText(s.Scopes))
	}
	return m.preview(ctx, m.indexDir(), sources)
}

// preview prints which remembered verdicts would change with these sources and this index.
func (m *machine) preview(ctx context.Context, at index.Dir, sources []config.Source) (Exit, error) {
	things, changes, err := m.wouldChange(ctx, at, sources)
	if err != nil {
		return Failed, err
	}
	exit := Done
	for _, c := range changes {
		c.Planned = true
		if after := c.After.Decision.Verdict; after == trust.Distrusted || after == trust.Mismatch {
			exit = Alarms
		}
		write := func() error { return render.WriteChange(m.env.Stdout, c, true) }
		if m.in.Bool(jsonFlagName) {
			write = func() error { return render.WriteChangeJSON(m.env.Stdout, c) }
		}
		if err := write(); err != nil {
			return Failed, err
		}
	}
	m.env.say(fmt.Sprintf("%d of %s would change; nothing was changed", len(changes), count(things, "remembered verdict")))
	return exit, nil
}

// wouldChange decides everything that this machine remembers as things are, and as they would be.
func (m *machine) wouldChange(ctx context.Context, at index.Dir, sources []config.Source) (things int, changes []render.Change, err error) {
	all, err := m.things()
	if err != nil {
		return 0, nil, err
	}
	now, err := m.in.worldAsIs(ctx)
	if err != nil {
		return 0, nil, err
	}
	defer now.close()
	then, err := m.imagined(ctx, at, sources)
	if err != nil {
		return 0, nil, err
	}
	defer then.close()
	for _, t := range all {
		q := t.Entry.Query()
		is, _, _, err := now.decide(q)
		if err != nil {
			return 0, nil, err
		}
		would, _, _, err := then.decide(q)
		if err != nil {
			return 0, nil, err
		}
		if is.Verdict != would.Verdict {
			changes = append(changes, changeOf(then, t, is.Verdict, &would))
		}
	}
	return len(all), changes, nil
}

// imagined is the world of an index as it would be with these sources.
func (m *machine) imagined(ctx context.Context, at index.Dir, sources []config.Source) (*world, error) {
	own, err := m.ownLogs(ctx)
	if err != nil {
		return nil, err
	}
	w := &world{now: m.env.Now(), network: &trust.Network{}}
	w.generation, err = index.Open(at)
	if errors.Is(err, index.ErrNone) {
		w.generation, err = nil, nil
	}
	if err != nil {
		return nil, err
	}
	if w.generation != nil {
		network, err := w.generation.Network()
		if err != nil {
			w.close()
			return nil, err
		}
		w.network = &network
	}
	as := *m
	as.sources = sources
	w.compiled = as.compile(own, w.projects)
	if err := w.settle(); err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}
