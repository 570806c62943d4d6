package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/distributed-trust/distrust/cli/render"
	"github.com/distributed-trust/distrust/cli/terminal"
	"github.com/distributed-trust/distrust/records/journal"
	"github.com/distributed-trust/distrust/records/subject"
	"github.com/distributed-trust/distrust/records/subject/lockfile"
)

func journalAddCommand(*Env) *Command {
	return &Command{
		Name: "add", Operands: "PATH...", Min: 1, Max: Any, Group: Follow,
		Summary: "watch files that are here already",
		Text: `You hear of it when one of them is reported, whatever is known of it now. Of a folder all files are taken, hidden ones too, on ` +
			`its own file system, and no link is followed. Of a lock file that you name all files that it pins by digest are taken: package-lock.json, ` +
			`yarn.lock of yarn 1, Cargo.lock, poetry.lock, uv.lock, Gemfile.lock with checksums, requirements.txt with hashes. ` +
			`Again: says what is new, changed or gone since; what was there before stays watched.`,
		Flags: append(journalListFlags()[:1:1], quietFlag()),
		Examples: []Example{
			{"distrust journal add ~/bin", "everything in a folder"},
			{"distrust journal add package-lock.json", "everything that it pins, installed or not"},
			{"distrust journal add requests-2.33.0.tar.gz --for pypi:requests@2.33.0", "and reports on the project count"},
		},
		Exits: []Exit{Alarms},
		Run:   runJournalAdd,
	}
}

// adding is one run of journal add.
type adding struct {
	in               *Invocation
	w                *world
	project, version string
	file             string                     // the journal
	known            map[string][]journal.Entry // what was put under watch before, by path
	pinned           map[string][]journal.Entry // the same of what lock files pin, by theirs
	failed           bool                       // something was not read
}

// runJournalAdd puts files under watch, says how they differ from what was watched in their places, and
// raises alarms over what is reported already.
func runJournalAdd(ctx context.Context, in *Invocation) (Exit, error) {
	project, version, err := in.project()
	if err != nil {
		return Usage, err
	}
	if project != "" && slices.ContainsFunc(in.Operands, lockfile.Known) {
		return Usage, usagef("a lock file names its projects itself, and --%s is given", forFlagName)
	}
	if in.NoJournal() {
		return Usage, usagef("journal add writes the journal, and --%s is given", noJournalFlag)
	}
	m, err := in.machine()
	if err != nil {
		return Failed, err
	}
	if !m.config.Journal {
		return Failed, fail(Failed, errors.New("this machine keeps no journal"), "take journal: off out of "+m.dirs.ConfigFile())
	}
	a := &adding{
		in: in, project: project, version: version, file: m.dirs.Journal(),
		known: map[string][]journal.Entry{}, pinned: map[string][]journal.Entry{},
	}
	if err := a.run(ctx); err != nil {
		return Failed, err
	}
	unlock, err := m.lock(ctx)
	if err != nil {
		return Failed, err
	}
	defer unlock()
	change, err := m.raise(ctx)
	if err != nil {
		return Failed, err
	}
	switch {
	case len(change.Raised) > 0:
		return Alarms, in.printRaised(ctx, change.Raised)
	case a.failed:
		return Failed, nil
	}
	return Done, nil
}

// run puts the operands under watch.
func (a *adding) run(ctx context.Context) (err error) {
	if a.w, err = a.in.world(ctx); err != nil {
		return err
	}
	defer a.w.close()
	entries, err := journal.Read(a.file)
	if err != nil {
		return err
	}
	for _, e := range entries {
		switch {
		case e.Pinned:
			a.pinned[e.Path] = append(a.pinned[e.Path], e)
		case e.Added && e.Project == a.project && e.Version == a.version:
			a.known[e.Path] = append(a.known[e.Path], e)
		}
	}
	for _, operand := range a.in.Operands {
		if err := a.add(ctx, operand); err != nil {
			return err
		}
	}
	return nil
}

// add puts a file, all below a folder, or all that a lock file pins under watch.
func (a *adding) add(ctx context.Context, operand string) error {
	top, err := filepath.Abs(operand)
	if err != nil {
		return err
	}
	if info, err := os.Stat(top); lockfile.Known(top) && (err != nil || !info.IsDir()) {
		return a.addPins(ctx, operand, top)
	}
	var before []string // paths that were watched
	for path := range a.known {
		if within(path, top) {
			before = append(before, path)
		}
	}
	slices.Sort(before)
	found, err := walk(ctx, top, func(err error) { a.unread(err) })
	if err != nil && (len(before) == 0 || !errors.Is(err, os.ErrNotExist)) {
		return fmt.Errorf("watching %s: %w", operand, err)
	}
	changes, err := a.hash(ctx, operand, found)
	if err != nil {
		return err
	}
	there := map[string]bool{}
	for _, f := range found {
		there[f.shown] = true
	}
	for _, path := range before {
		if !there[path] {
			changes[path] = "gone"
		}
	}
	a.tell(operand, len(found), changes, len(before) > 0)
	return nil
}

// unread says that something was not looked at; the rest is.
func (a *adding) unread(err error) {
	a.in.Env.warn("not watched: %v", err)
	a.failed = true
}

// addAtOnce is how many files are written into the journal together: each look at what it ends with reads as
// many lines, and of files that are all the same, such as empty ones, understands them.
const addAtOnce = 128

// hash reads files and writes down those that are not watched yet: what is new, and what is changed.
func (a *adding) hash(ctx context.Context, operand string, found []foundFile) (changes map[string]string, err error) {
	var waiting []journal.Entry // to be written; also when it is interrupted
	write := func(ctx context.Context) error {
		entries := waiting
		waiting = nil
		if len(entries) == 0 {
			return nil
		}
		return journal.Append(ctx, a.file, entries...)
	}
	defer func() { err = errors.Join(err, write(context.WithoutCancel(ctx))) }()
	var total int64
	for _, f := range found {
		total += f.size
	}
	env := a.in.Env
	progress := terminal.NewProgress(env.Stderr, env.IsTerminal(env.Stderr) && !a.in.Bool(quietFlagName))
	defer progress.Close()
	bar := progress.Bar(render.Cut(render.Escape(operand), 30), total, terminal.Bytes)
	changes = map[string]string{}
	var unread []error // said once the bar is off the screen
	for _, f := range found {
		s, err := f.read(ctx, counter(bar))
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			unread = append(unread, err)
			continue
		}
		before := a.known[f.shown]
		if slices.ContainsFunc(before, func(e journal.Entry) bool { return e.Digest.SHA256 == s.Digest.SHA256 }) {
			continue
		}
		changes[f.shown] = "new"
		if len(before) > 0 {
			changes[f.shown] = "changed"
		}
		e, err := a.entry(s, a.project, a.version)
		if err != nil {
			return nil, err
		}
		a.known[e.Path] = append(a.known[e.Path], e)
		if waiting = append(waiting, e); len(waiting) == addAtOnce {
			if err := write(ctx); err != nil {
				return nil, err
			}
		}
	}
	progress.Close()
	for _, err := range unread {
		a.unread(err)
	}
	return changes, nil
}

// entry is what the journal keeps of something that is put under watch, whatever is known of it.
func (a *adding) entry(s subject.Subject, project, version string) (journal.Entry, error) {
	q := query(s, project, version)
	d, _, _, err := a.w.decide(q)
	if err != nil {
		return journal.Entry{}, err
	}
	e := a.w.entry(a.in, s, render.Report{Query: q, Decision: d})
	e.Command, e.Added = "journal add", true
	return e, nil
}

// tell says what is watched, and of what was watched before what became of it.
func (a *adding) tell(operand string, files int, changes map[string]string, again bool) {
	if a.in.Bool(quietFlagName) {
		return
	}
	out := a.in.Env.Stdout
	counts := map[string]int{}
	for _, path := range slices.Sorted(maps.Keys(changes)) {
		counts[changes[path]]++
		if again {
			fmt.Fprintf(out, "%s  %s\n", changes[path], render.Escape(path))
		}
	}
	var parts []string
	for _, word := range []string{"new", "changed", "gone"} {
		if n := counts[word]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, word))
		}
	}
	line := fmt.Sprintf("watching  %s  %s  %s", render.Escape(operand), count(files, "file"), nameOr(strings.Join(parts, ", "), "nothing changed"))
	fmt.Fprintln(out, line)
	if counts["gone"] > 0 {
		a.in.Env.say("what is gone stays watched; to let it go: distrust journal forget PATH")
	}
}
