package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	urfave "github.com/urfave/cli/v2"

	"github.com/distributed-trust/distrust/cli/render"
	"github.com/distributed-trust/distrust/records/index"
	"github.com/distributed-trust/distrust/records/journal"
	"github.com/distributed-trust/distrust/records/source"
)

func syncCommand(*Env) *Command {
	return &Command{
		Name: "sync", Operands: "[NAME...]", Min: 0, Max: Any, Group: Follow,
		Summary: "fetch whom you follow, publish what you said, and say what changed",
		Text: `Fetches all sources at once and verifies every change. A state that is not accepted changes nothing: the last good one ` +
			`stays in force, and you are told why. What you accepted on this machine is decided again; what is reported now raises an ` +
			`alarm. Your own records are published on a terminal, or always with publish: auto in config.yml.` + "\n\n" +
			`At a prompt, check and the like say once a day when the last sync was more than a week ago.`,
		Flags: append([]urfave.Flag{
			&urfave.BoolFlag{Name: quietFlagName, Aliases: []string{"q"}, Usage: "print only refusals and alarms; what is unreachable counts after 7 days"},
			&urfave.BoolFlag{Name: notifyFlagName, Usage: "show new alarms on the desktop, too, with notify-send"},
			&urfave.BoolFlag{Name: "no-push", Usage: "publish nothing"},
			&urfave.BoolFlag{Name: installTimerFlagName, Usage: "write a systemd user timer that syncs four times a day; it does not turn it on"},
			&urfave.BoolFlag{Name: removeTimerFlagName, Usage: "remove that timer"},
			&urfave.BoolFlag{Name: acceptNewFlagName, Usage: "also fetch the sources that others lead to"},
			jsonFlag(),
		}, append(acceptRewriteFlags(), signFlags()...)...),
		Examples: []Example{
			{"distrust sync", "everybody"},
			{"distrust sync alice", "one source"},
			{"distrust sync --quiet --notify", "in a cron job"},
			{"distrust sync --install-timer", "on a machine with systemd"},
			{"distrust sync --accept-rewrite alice", "after she told you why her repository went back"},
		},
		Exits: []Exit{Alarms, Refused, Unreachable},
		Run:   runSync,
	}
}

// acceptNewFlagName is the yes to sources that others lead to.
const acceptNewFlagName = "accept-new"

// quietGrace is how long an unreachable source is nobody's business with --quiet (C2).
const quietGrace = 7 * 24 * time.Hour

// runSync exchanges with the own remote and fetches the sources.
func runSync(ctx context.Context, in *Invocation) (Exit, error) {
	if in.Bool(installTimerFlagName) || in.Bool(removeTimerFlagName) {
		return runTimer(in)
	}
	m, err := in.machine()
	if err != nil {
		return Failed, err
	}
	names, err := rewrittenNames(in)
	if err != nil {
		return Usage, err
	}
	s := &syncRun{m: m, in: in, ctx: ctx, quiet: in.Bool(quietFlagName), looked: map[string]bool{}}
	if len(names) == 0 {
		s.syncHome()
		if len(m.sources) == 0 && s.remote == "" && len(s.exits) == 0 {
			s.sayNothing()
		}
	}
	failed := s.syncSources(names)
	if failed != nil {
		// What came before it is in force, and what it changed would never be told.
		s.ctx = context.WithoutCancel(ctx)
	}
	if err := cmp.Or(failed, s.after()); err != nil {
		return Failed, err
	}
	return WorstOfSync(s.exits...), nil
}

// syncRun is one run of sync.
type syncRun struct {
	m      *machine
	in     *Invocation
	ctx    context.Context
	quiet  bool
	exits  []Exit
	remote string          // of the own home; "" when it is not published
	missed bool            // that remote was not reached
	looked map[string]bool // logs that others lead to, and that this run has dealt with
}

// sayNothing says why nothing was exchanged: nobody is followed and nothing is published.
func (s *syncRun) sayNothing() {
	if s.quiet || s.in.Bool(jsonFlagName) {
		return
	}
	s.in.Env.say("nothing to sync: you follow nobody, and your home is not published")
	s.in.Env.hint(render.Hint{Text: "paste a line that somebody shares", Command: render.Words("distrust", "follow", "URL", "SHA256:FINGERPRINT")})
}

// complain says what went wrong with one part of the sync; the rest goes on.
func (s *syncRun) complain(exit Exit, who string, err error) {
	_, hint := advise(err)
	s.in.Env.say(fmt.Sprintf("error: %s: %s", who, oneLine(err)))
	s.in.Env.hint(hint)
	s.exits = append(s.exits, exit)
}

// note says something of which a person should know, and nobody has to.
func (s *syncRun) note(format string, args ...any) {
	if !s.quiet {
		s.in.Env.say(fmt.Sprintf(format, args...))
	}
}

// tell prints a line of the report.
func (s *syncRun) tell(format string, args ...any) {
	if !s.quiet && !s.in.Bool(jsonFlagName) {
		fmt.Fprintf(s.in.Env.Stdout, format+"\n", args...)
	}
}

// syncSources fetches the sources and puts what was accepted in force. With --accept-new it goes on
// with those that they lead to, until nothing new is reached.
func (s *syncRun) syncSources(names []string) error {
	specs, err := s.m.specs(names)
	if err != nil || len(specs) == 0 {
		return err
	}
	for first := true; len(specs) > 0; first = false {
		everybody := !s.missed
		for _, some := range s.m.portions(specs) {
			results, err := s.fetch(some)
			if err != nil {
				return err
			}
			everybody = everybody && reachedAll(results)
		}
		if first && len(names) == 0 && everybody {
			s.noteSynced()
		}
		if specs, err = s.acceptReached(); err != nil {
			return err
		}
	}
	return nil
}

// metAtOnce is how many sources are met for the first time together. Each holds a file open until its
// records are in force, of which systems allow some thousands, and what is in force stays when the
// rest of a long first sync is cut short.
const metAtOnce = 500

// portions are sources as they are fetched together: all that were met before, then the others.
func (m *machine) portions(specs []source.Spec) [][]source.Spec {
	var met, others []source.Spec
	for _, spec := range specs {
		if _, err := os.Stat(filepath.Join(m.dirs.Pins(), spec.Log+".json")); spec.Log == "" || errors.Is(err, os.ErrNotExist) {
			others = append(others, spec)
		} else {
			met = append(met, spec)
		}
	}
	portions := slices.Collect(slices.Chunk(others, metAtOnce))
	if len(met) > 0 {
		portions = slices.Insert(portions, 0, met)
	}
	return portions
}

// fetch syncs some sources and puts what was accepted in force. Other commands may write while it
// waits for the network. There are no results when nothing could be put in force.
func (s *syncRun) fetch(specs []source.Spec) ([]*source.Result, error) {
	options, err := s.m.fetchOptions(s.ctx)
	if err != nil {
		return nil, err
	}
	progress := s.in.fetchProgress()
	options.Progress = progress.event
	if name := s.in.String(acceptRewriteFlagName); name != "" {
		options.Accept = func(r source.Replacement) (bool, error) {
			if r.Source != name {
				return false, nil // one that the named source leads to
			}
			progress.close()
			return s.acceptRewrite(r)
		}
	}
	batch, err := source.Sync(s.ctx, s.m.sourceDirs(), specs, options)
	progress.close()
	if err != nil {
		return nil, err
	}
	defer batch.Close()
	unlock, err := s.m.lock(s.ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := s.m.watching(s.ctx); err != nil {
		return nil, err
	}
	results := batch.Results()
	if err := s.m.noteLogs(specs, results); err != nil {
		s.complain(Failed, "what was fetched first cannot count yet", err)
	}
	failed := batch.Commit(s.ctx, func(ctx context.Context, updates []index.Update) error { return s.m.apply(ctx, updates...) })
	for _, r := range results {
		s.report(r)
	}
	if failed != nil {
		s.exits = append(s.exits, Failed) // which source it was has been said
		return nil, nil
	}
	return results, nil
}

// reachedAll says whether every one of some sources was reached, and what it has could be put in force.
func reachedAll(results []*source.Result) bool {
	return len(results) > 0 && !slices.ContainsFunc(results, func(r *source.Result) bool { return exitOfSource(r) == Unreachable })
}

// noteSynced remembers that everybody was reached, for "last synced 3 days ago" (C4).
func (s *syncRun) noteSynced() {
	if err := s.m.noteMoment(syncedFile); err != nil {
		s.complain(Failed, "remembering the sync", err)
	}
}

// after raises alarms, and says which remembered verdicts changed.
func (s *syncRun) after() error {
	unlock, err := s.m.lock(s.ctx)
	if err != nil {
		return err
	}
	change, err := s.m.raise(s.ctx)
	unlock() // what follows may read large files
	if err != nil {
		return err
	}
	if err := s.sayChanges(change); err != nil {
		return err
	}
	if err := s.in.printRaised(s.ctx, change.Raised); err != nil {
		return err
	}
	s.notify(change.Raised)
	for _, a := range change.Closed {
		s.tell("closed  %s  nobody says so any more of %s", shortDigits(a.ID), render.Escape(entryName(a.Entry)))
	}
	if open := openAlarms(change.Alarms); open > 0 {
		s.exits = append(s.exits, Alarms)
		if open > len(change.Raised) {
			s.in.Env.say(fmt.Sprintf("%s open: distrust alarms", count(open, "alarm")))
		}
	}
	return nil
}

func entryName(e journal.Entry) string {
	return nameOr(e.Name, render.Short(render.Digest(e.Query())))
}

// count writes a number with its noun.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
