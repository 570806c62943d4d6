package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/distributed-trust/distrust/cli/config"
	"github.com/distributed-trust/distrust/cli/render"
	"github.com/distributed-trust/distrust/cli/terminal"
	"github.com/distributed-trust/distrust/records/source"
)

// fetchOptions says how sources are fetched on this machine.
func (m *machine) fetchOptions(ctx context.Context) (source.Options, error) {
	own, err := m.ownLogs(ctx)
	if err != nil {
		return source.Options{}, err
	}
	// A damaged index is mended first: without it a report that disappears could not be told from
	// one that never was.
	g, err := m.in.generation(ctx)
	if err != nil {
		return source.Options{}, err
	}
	if g != nil {
		g.Close()
	}
	child, err := m.env.fetchChild()
	if err != nil {
		return source.Options{}, err
	}
	return source.Options{
		Now: m.env.Now(), Own: own, Index: m.indexDir(), Access: m.sourceAccess(), Child: child, Git: m.env.userGit(),
	}, nil
}

// delegated are the pins of the sources that were reached through others and accepted with
// sync --accept-new, and that the user does not follow.
func (m *machine) delegated() ([]*source.Pin, error) {
	pins, _, err := source.Pins(m.sourceDirs())
	return slices.DeleteFunc(pins, func(p *source.Pin) bool {
		followed := slices.ContainsFunc(m.sources, func(s config.Source) bool { return s.Log == p.Log })
		return !p.Delegated || p.Tombstone() || followed
	}), err
}

// reachedName is what a source is called here that the user never named: the first digits of its
// log. What it calls itself might be anybody's name.
func reachedName(log string) string { return log[:8] }

// specs are the followed sources as package source takes them, and those that were reached
// through others and accepted. Without names they are all.
func (m *machine) specs(names []string) ([]source.Spec, error) {
	var specs []source.Spec
	for _, s := range m.sources {
		specs = append(specs, source.Spec{
			Name: s.Name, URL: s.URL, Log: s.Log, Fingerprint: s.Fingerprint, Limits: limitsOf(s.Limits),
			Insecure: s.Insecure, Git: s.Transport == config.Git,
		})
	}
	pins, err := m.delegated()
	if err != nil {
		return nil, err
	}
	for _, pin := range pins {
		specs = append(specs, source.Spec{Name: reachedName(pin.Log), URL: pin.URL, Log: pin.Log, Delegated: true})
	}
	if len(names) == 0 {
		return specs, nil
	}
	var named []source.Spec
	for _, name := range names {
		found := false
		for _, spec := range specs {
			if spec.Name == name {
				named, found = append(named, spec), true
			}
		}
		if !found {
			return nil, noSuchSource(name)
		}
	}
	return named, nil
}

// noteLogs writes the logs of sources into sources.yml that a first contact has found out for entries
// which the user wrote: from then on a repository with another log is refused (C7). An entry that lost
// its log gets back the one that is pinned, which its fingerprint vouches for, unless another entry has that.
func (m *machine) noteLogs(specs []source.Spec, results []*source.Result) error {
	found := map[string]string{}
	for i, r := range results {
		var followed *source.FollowedError
		switch {
		case specs[i].Log != "":
		case r.Good():
			found[specs[i].Name] = r.Log
		case errors.As(r.Err, &followed) && specs[i].Fingerprint != "" && !slices.ContainsFunc(m.sources, func(s config.Source) bool { return s.Log == followed.Log }):
			found[specs[i].Name] = followed.Log
			r.Log, r.State, r.Err = followed.Log, source.StateUnchanged, nil
		}
	}
	if len(found) == 0 {
		return nil
	}
	return m.editSources(func(all []config.Source) ([]config.Source, error) {
		for i, s := range all {
			if log := found[s.Name]; log != "" && s.Log == "" {
				all[i].Log = log
			}
		}
		return all, nil
	})
}

func noSuchSource(name string) error {
	return fail(Failed, fmt.Errorf("you follow nobody named %q", name), "see whom you follow", render.Words("distrust", "sources")...)
}

// limitsOf hands the limits of sources.yml on.
func limitsOf(l config.Limits) source.Limits {
	return source.Limits{
		PackBytes: l.Pack, Objects: l.Objects, ObjectBytes: l.Object, InflatedBytes: l.Inflated,
		Advertisement: l.Advertisement, StoreBytes: l.Store, Memory: l.Memory, Files: int(l.Files), SetBytes: l.Bytes, NewCommits: int(l.Commits),
		Timeout: l.Timeout, Idle: l.Idle, Edges: int(l.Edges), Patterns: int(l.Patterns), Vanished: int(l.Vanished),
	}
}

// fetchProgress shows a bar for each source that is being fetched.
type fetchProgress struct {
	mu   sync.Mutex
	all  *terminal.Progress
	bars map[string]*terminal.Bar
	done map[string]int
}

func (in *Invocation) fetchProgress() *fetchProgress {
	show := in.Env.IsTerminal(in.Env.Stderr) && !in.Stderr.Sentences
	return &fetchProgress{all: terminal.NewProgress(in.Env.Stderr, show), bars: map[string]*terminal.Bar{}, done: map[string]int{}}
}

// event moves the bar of a source.
func (p *fetchProgress) event(e source.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.all == nil || e.Source == "" {
		return
	}
	if e.Stage == source.StageDone {
		p.bars[e.Source].Done()
		delete(p.bars, e.Source)
		return
	}
	bar, ok := p.bars[e.Source]
	if !ok {
		bar = p.all.Bar(render.Cut(render.Escape(e.Source), 30), int64(e.Total), terminal.Count)
		p.bars[e.Source] = bar
	}
	if e.Stage == source.StageVerifying {
		bar.SetTotal(int64(e.Total))
		bar.Add(int64(e.Done - p.done[e.Source]))
		p.done[e.Source] = e.Done
	}
}

// close takes the bars off the screen; events after it are ignored.
func (p *fetchProgress) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all.Close()
	p.all = nil
}

// exitOfSource is the exit code of what came of one source (C2).
func exitOfSource(r *source.Result) Exit {
	var damaged *source.PinError
	if errors.As(r.Err, &damaged) {
		return Failed // a file of ours, not what was fetched
	}
	switch r.State {
	case source.StateNews, source.StateUnchanged, source.StateFollowed:
		return Done
	case source.StateRefused:
		return Refused
	case source.StateUnreachable, source.StateEmpty, source.StateNotRepository:
		return Unreachable
	case source.StateFailed:
		return Failed
	}
	return Failed
}

// sayOdd says what of a source was not read, and what else is odd but harmless.
func (m *machine) sayOdd(r *source.Result) {
	for i, refusal := range r.Skipped {
		if i == maxSkippedShown {
			m.env.say(fmt.Sprintf("%s: %d more records are not read", r.Source, len(r.Skipped)-i))
			break
		}
		m.env.say(fmt.Sprintf("%s: not read: %v", r.Source, refusal))
	}
	if r.NotUnderstood > 0 {
		m.env.say(fmt.Sprintf("%s: not read, a newer distrust is needed: %s", r.Source, count(r.NotUnderstood, "record")))
	}
	if r.Unsealed > 0 {
		m.env.say(fmt.Sprintf("%s: not read: %s", r.Source, count(r.Unsealed, "unsealed commit")))
	}
	for _, note := range r.Notes {
		m.env.say(r.Source + ": " + note)
	}
	if !r.Expires.IsZero() && !m.env.Now().Before(r.Expires) {
		m.env.say(fmt.Sprintf("%s is stale since %s: its trust does not count, its reports do", r.Source, render.Date(r.Expires)))
	}
	if r.NewURL != "" {
		line, ok := render.Command(render.Words("distrust", "follow", r.Source, "--url", r.NewURL)...)
		if ok {
			m.env.say(fmt.Sprintf("%s now publishes at %s: %s", r.Source, r.NewURL, line))
		}
	}
}

// maxSkippedShown is how many refused records are named in full.
const maxSkippedShown = 5
