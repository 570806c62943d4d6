package cli

import (
	"fmt"
	"strings"

	"github.com/distributed-trust/distrust/cli/render"
	"github.com/distributed-trust/distrust/records/source"
)

// newlyReached are the sources that public follows of sources lead to and that were neither accepted
// nor looked at in this run yet. Their addresses come out of records, so nothing is fetched from them
// without a yes (S3.1).
func (s *syncRun) newlyReached() ([]source.Reach, error) {
	w, err := s.in.worldAsIs(s.ctx)
	if err != nil {
		return nil, err
	}
	defer w.close()
	pins, _, err := source.Pins(s.m.sourceDirs())
	if err != nil {
		return nil, err
	}
	var fresh []source.Reach
	reached, err := w.reached(pins)
	if err != nil {
		return nil, err
	}
	for _, r := range reached {
		if !r.Accepted && !s.looked[r.Log] {
			s.looked[r.Log] = true
			fresh = append(fresh, r)
		}
	}
	return fresh, nil
}

// reached lists the sources that the network leads to beyond the user's follows.
func (w *world) reached(pins []*source.Pin) ([]source.Reach, error) {
	if w.generation == nil {
		return nil, nil
	}
	follows, err := w.generation.Follows()
	return source.Reached(*w.network, follows, pins, w.now), err
}

// acceptReached gives the sources to fetch next, with --accept-new; else it lists them.
func (s *syncRun) acceptReached() ([]source.Spec, error) {
	reached, err := s.newlyReached()
	if err != nil {
		return nil, err
	}
	var specs []source.Spec
	for _, r := range reached {
		spec := r.Spec()
		spec.Name = reachedName(r.Log)
		if needsInsecure(r.URL) {
			s.sayInsecure(r)
			continue
		}
		specs = append(specs, spec)
		if !s.in.Bool(acceptNewFlagName) {
			s.tell("reached through %s  %s  %s", render.Escape(throughText(r)), spec.Name, render.Escape(r.URL))
		}
	}
	if s.in.Bool(acceptNewFlagName) {
		return specs, nil
	}
	if len(specs) > 0 {
		s.note("%s reached and not fetched: distrust sync --%s", count(len(specs), "source"), acceptNewFlagName)
	}
	return nil, nil
}

// throughText names the way to a source that others lead to: first whom the user follows, whose
// name is the user's own.
func throughText(r source.Reach) string {
	return strings.Join(r.Names[:max(len(r.Names)-1, 0)], " > ")
}

// needsInsecure says whether an address is one that only --insecure-transport allows.
func needsInsecure(url string) bool {
	return source.CheckURL(url, false) != nil && source.CheckURL(url, true) == nil
}

// sayInsecure says that a source which others lead to lies where no --accept-new goes: whoever wants
// it follows it by its address, and allows that one alone.
func (s *syncRun) sayInsecure(r source.Reach) {
	if s.quiet {
		return
	}
	s.in.Env.say(fmt.Sprintf("%s, reached through %s, is not fetched: what comes from %s can be read on the way",
		reachedName(r.Log), throughText(r), r.URL))
	s.in.Env.hint(render.Hint{Text: "if you do not mind, follow it yourself", Command: render.Words("distrust", "follow", r.URL, r.Key, "--"+insecureFlagName)})
}
