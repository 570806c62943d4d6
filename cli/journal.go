package cli

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	urfave "github.com/urfave/cli/v2"

	"github.com/distributed-trust/distrust/cli/render"
	"github.com/distributed-trust/distrust/records/journal"
)

func journalCommand(env *Env) *Command {
	return &Command{
		Name: "journal", Group: Follow, Max: 0,
		Summary: "what this machine accepted, and what it watches",
		Text: `Whatever is trusted by a command here, or used against its advice, is remembered on this machine, and decided again after ` +
			`every sync (distrust help alarms). The journal is never published. With journal: off in config.yml none is kept.`,
		Flags: journalListFlags(),
		Examples: []Example{
			{"distrust journal", "everything that is watched"},
			{"distrust journal add ~/bin ~/Downloads", "watch what is here already"},
		},
		Sub: []*Command{journalAddCommand(env), journalForgetCommand(env), journalListCommand(env)},
		Run: runJournalList,
	}
}

func journalListFlags() []urfave.Flag { return []urfave.Flag{forFlag(), jsonFlag()} }

func journalListCommand(*Env) *Command {
	return &Command{
		Name: "list", Group: Follow,
		Summary:  "the same as distrust journal",
		Flags:    journalListFlags(),
		Examples: []Example{{"distrust journal list --for pypi:requests --json", "for programs"}},
		Run:      runJournalList,
	}
}

// runJournalList lists what is watched, one line a thing.
func runJournalList(_ context.Context, in *Invocation) (Exit, error) {
	project, version, err := in.project()
	if err != nil {
		return Usage, err
	}
	dirs, err := in.Env.Dirs()
	if err != nil {
		return Failed, err
	}
	entries, skipped, err := journal.Scan(dirs.Journal())
	if err != nil {
		return Failed, err
	}
	in.Env.warnSkipped(skipped, dirs)
	table := render.Table{Columns: []render.Column{
		{Head: "ID"}, {Head: "SINCE"}, {Head: "BY"}, {Head: "WHAT", Cut: true}, {Head: "PROJECT", Cut: true},
	}}
	for _, t := range journal.Things(entries) {
		e := t.Entry
		if project != "" && (e.Project != project || version != "" && e.Version != version) {
			continue
		}
		if in.Bool(jsonFlagName) {
			if err := render.WriteThingJSON(in.Env.Stdout, t); err != nil {
				return Failed, err
			}
			continue
		}
		table.Row(shortDigits(t.ID), render.Date(e.Time), e.Command, entryName(e), render.Release(e.Project, e.Version))
	}
	if err := table.Write(in.Env.Stdout, in.Stdout); err != nil {
		return Failed, err
	}
	if table.Len() == 0 && !in.Bool(jsonFlagName) {
		in.Env.say("nothing is remembered")
	}
	return Done, nil
}

func journalForgetCommand(*Env) *Command {
	return &Command{
		Name: "forget", Operands: "ID|PATH...", Min: 1, Max: Any, Group: Follow,
		Summary: "watch something no longer",
		Text: `ID is from distrust journal, its first digits are enough; PATH is a file, or a folder with all below it, which need not be ` +
			`there any more. Nothing is said of it later, and an alarm about it goes.`,
		Examples: []Example{
			{"distrust journal forget 3f2a91c0", "a thing, wherever it was accepted"},
			{"distrust journal forget ~/Downloads", "what was accepted or added there"},
		},
		Run: runJournalForget,
	}
}

// runJournalForget drops entries, and the alarms over things that nothing is left of.
func runJournalForget(ctx context.Context, in *Invocation) (Exit, error) {
	m, unlock, err := in.lockedMachine(ctx)
	if err != nil {
		return Failed, err
	}
	defer unlock()
	entries, err := journal.Read(m.dirs.Journal())
	if err != nil {
		return Failed, err
	}
	var wanted []func(journal.Entry) bool
	for _, operand := range in.Operands {
		is, err := named(entries, operand)
		if err != nil {
			return Failed, err
		}
		wanted = append(wanted, is)
	}
	alarms, err := loadAlarms(m.dirs)
	if err != nil {
		return Failed, err
	}
	went, err := journal.Forget(ctx, m.dirs.Journal(), func(e journal.Entry) bool {
		return slices.ContainsFunc(wanted, func(is func(journal.Entry) bool) bool { return is(e) })
	})
	if err != nil {
		return Failed, err
	}
	// What comes next must not be taken for what went.
	if err := os.Remove(decidedFile(m.dirs)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return Failed, err
	}
	if entries, err = journal.Read(m.dirs.Journal()); err != nil {
		return Failed, err
	}
	left := journal.Things(entries)
	kept := slices.DeleteFunc(slices.Clone(alarms), func(a journal.Alarm) bool {
		watched := slices.ContainsFunc(left, func(t journal.Thing) bool { return t.ID == a.ID })
		return !watched && slices.ContainsFunc(journal.Things(went), func(t journal.Thing) bool { return t.ID == a.ID })
	})
	if len(kept) < len(alarms) {
		if err := journal.SaveAlarms(m.dirs.Alarms(), kept); err != nil {
			return Failed, err
		}
	}
	for _, t := range journal.Things(went) {
		fmt.Fprintf(in.Env.Stdout, "forgotten  %s  %s\n", shortDigits(t.ID), render.Escape(entryName(t.Entry)))
	}
	return Done, nil
}

// named finds the entries that an operand names: those of a thing, by its id, or those of a path and
// of all below it.
func named(entries []journal.Entry, operand string) (func(journal.Entry) bool, error) {
	if _, err := hex.DecodeString(operand + operand); err == nil && len(operand) >= minID {
		if thing, ok := journal.Find(journal.Things(entries), operand); ok {
			return func(e journal.Entry) bool { return journal.Things([]journal.Entry{e})[0].ID == thing.ID }, nil
		}
	}
	path, err := filepath.Abs(operand)
	if err != nil {
		return nil, err
	}
	is := func(e journal.Entry) bool { return e.Path != "" && within(e.Path, path) }
	if !slices.ContainsFunc(entries, is) {
		return nil, fail(Failed, fmt.Errorf("nothing that is remembered has the id or lay at %q", operand), "see what there is",
			render.Words("distrust", "journal")...)
	}
	return is, nil
}

// minID is how many digits name a thing at least, so that no short file name is taken for some.
const minID = 4

// within says whether a path is another one or lies below it.
func within(path, top string) bool {
	rest, ok := strings.CutPrefix(path, top)
	return ok && (rest == "" || strings.HasSuffix(top, string(filepath.Separator)) || rest[0] == filepath.Separator)
}
