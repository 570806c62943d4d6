package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"

	urfave "github.com/urfave/cli/v2"

	"github.com/distributed-trust/distrust/cli/config"
	"github.com/distributed-trust/distrust/cli/render"
	"github.com/distributed-trust/distrust/records/index"
	"github.com/distributed-trust/distrust/records/source"
)

func unfollowCommand(*Env) *Command {
	return &Command{
		Name: "unfollow", Operands: "NAME", Min: 1, Max: 1, Group: Follow,
		Summary: "let somebody's records no longer count for you",
		Text: `What was accepted of them last is remembered, so that following them again cannot show an older state. ` +
			`With --forget that is dropped too. What your repository says of them in public stands until you withdraw it: the command is shown.`,
		Flags:    []urfave.Flag{&urfave.BoolFlag{Name: "forget", Usage: "drop everything that is remembered of them"}},
		Examples: []Example{{"distrust unfollow alice", "their trust and their reports stop counting"}},
		Run:      runUnfollow,
	}
}

// runUnfollow drops a source: from sources.yml, then the index, then its store.
func runUnfollow(ctx context.Context, in *Invocation) (Exit, error) {
	m, unlock, err := in.lockedMachine(ctx)
	if err != nil {
		return Failed, err
	}
	defer unlock()
	name := in.Operands[0]
	i := slices.IndexFunc(m.sources, func(s config.Source) bool { return s.Name == name })
	if i < 0 {
		return m.leaveOther(ctx, name)
	}
	log := m.sources[i].Log
	if err := m.mayUnfollow(name, log); err != nil {
		return Failed, err
	}
	err = m.editSources(func(all []config.Source) ([]config.Source, error) {
		return slices.DeleteFunc(all, func(s config.Source) bool { return s.Name == name }), nil
	})
	if err != nil {
		return Failed, err
	}
	if log != "" {
		if err := m.dropLog(ctx, name, log); err != nil {
			return Failed, err
		}
	}
	fmt.Fprintf(in.Env.Stdout, "no longer following  %s\n", name)
	return Done, m.sayStillPublic(ctx, name, log)
}

// mayUnfollow refuses to leave a tombstone from a pin that cannot be read, before anything is
// changed: what it remembers would be lost without a word.
func (m *machine) mayUnfollow(name, log string) error {
	if log == "" || m.in.Bool("forget") {
		return nil
	}
	_, err := source.ReadPin(m.sourceDirs(), log)
	var damaged *source.PinError
	if errors.As(err, &damaged) {
		return &Problem{Exit: Failed, Err: err, Hint: damagedPin(name)}
	}
	return nil
}

// damagedPin is the next step after a pin that cannot be read.
func damagedPin(name string) render.Hint {
	return render.Hint{Text: "restore it from a backup, or drop all that is known of them", Command: render.Words("distrust", "unfollow", name, "--forget")}
}

// leaveOther drops a source that is not in sources.yml: one that others lead to, or, with --forget, what
// is remembered of somebody who was unfollowed before.
func (m *machine) leaveOther(ctx context.Context, name string) (Exit, error) {
	delegated, err := m.delegated()
	if err != nil {
		return Failed, err
	}
	for _, pin := range delegated {
		if reachedName(pin.Log) == name {
			if err := m.dropLog(ctx, name, pin.Log); err != nil {
				return Failed, err
			}
			fmt.Fprintf(m.env.Stdout, "no longer fetched  %s\n", name)
			return Done, nil
		}
	}
	if !m.in.Bool("forget") {
		return Failed, noSuchSource(name)
	}
	pins, _, err := source.Pins(m.sourceDirs())
	if err != nil {
		return Failed, err
	}
	i := slices.IndexFunc(pins, func(p *source.Pin) bool { return p.Name == name && p.Tombstone() })
	if i < 0 {
		return Failed, noSuchSource(name)
	}
	if err := m.dropLog(ctx, name, pins[i].Log); err != nil {
		return Failed, err
	}
	fmt.Fprintf(m.env.Stdout, "forgotten  %s\n", name)
	return Done, nil
}

// dropLog takes a log out of the index and leaves a tombstone, or nothing with --forget.
func (m *machine) dropLog(ctx context.Context, name, log string) error {
	apply := func(ctx context.Context, updates []index.Update) error { return m.apply(ctx, updates...) }
	if m.in.Bool("forget") {
		return source.Forget(ctx, m.sourceDirs(), log, apply)
	}
	// The tombstone is found again by the name that was used last.
	if pin, err := source.ReadPin(m.sourceDirs(), log); err == nil && pin.Name != name {
		pin.Name = name
		if err := source.WritePin(m.sourceDirs(), pin); err != nil {
			return err
		}
	}
	err := source.Unfollow(ctx, m.sourceDirs(), log, m.env.Now(), apply)
	if errors.Is(err, source.ErrNoPin) {
		return nil
	}
	return err
}
