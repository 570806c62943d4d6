package cli

import (
	"context"
	"fmt"

	"github.com/distributed-trust/distrust/cli/render"
	"github.com/distributed-trust/distrust/records/index"
	"github.com/distributed-trust/distrust/records/source"
)

// newlyReached are the sources that public follows of sources lead to and that were not accepted
// yet. Their addresses come out of records, so nothing is fetched from them without a yes (S3.1).
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
	for _, r := range source.Reached(*w.network, pins, s.in.Env.Now()) {
		if !r.Accepted {
			fresh = append(fresh, r)
		}
	}
	return fresh, nil
}

// acceptReached fetches them with --accept-new, else it lists them. What they publish may lead
// further, so it goes on until nothing new is reached.
func (s *syncRun) acceptReached() error {
	tried := map[string]bool{}
	for {
		reached, err := s.newlyReached()
		if err != nil {
			return err
		}
		var specs []source.Spec
		for _, r := range reached {
			if tried[r.Log] {
				continue
			}
			tried[r.Log] = true
			if !s.in.Bool("accept-new") {
				s.tell("reached through %s  %s  %s", render.Escape(r.Names[0]), render.Escape(lastName(r)), render.Escape(r.URL))
				continue
			}
			specs = append(specs, r.Spec())
		}
		if len(specs) == 0 {
			if len(tried) > 0 && !s.in.Bool("accept-new") {
				s.in.Env.say(fmt.Sprintf("%s reached and not fetched: distrust sync --accept-new", count(len(tried), "source")))
			}
			return nil
		}
		if err := s.fetch(specs); err != nil {
			return err
		}
	}
}

func lastName(r source.Reach) string {
	if n := len(r.Names); n > 0 {
		return r.Names[n-1]
	}
	return r.Log[:8]
}

// fetch syncs some sources and puts what was accepted in force. The caller holds the lock.
func (s *syncRun) fetch(specs []source.Spec) error {
	options, err := s.m.fetchOptions(s.ctx)
	if err != nil {
		return err
	}
	batch, err := source.Sync(s.ctx, s.m.sourceDirs(), specs, options)
	if err != nil {
		return err
	}
	defer batch.Close()
	err = batch.Commit(s.ctx, func(ctx context.Context, updates []index.Update) error { return s.m.apply(ctx, updates...) })
	for _, r := range batch.Results() {
		s.report(r)
	}
	return err
}
