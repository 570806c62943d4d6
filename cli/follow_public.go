package cli

import (
	"context"

	"github.com/distributed-trust/distrust/cli/config"
	"github.com/distributed-trust/distrust/schema"
)

// followPublicly says in the user's own repository that the source is followed, with --public. Of one that is
// muted it says what stands there.
func (m *machine) followPublicly(ctx context.Context, entry config.Source) error {
	if !m.in.Bool(publicFlagName) {
		if entry.EffectiveWeight() > 0 {
			return nil
		}
		return m.sayStillPublic(ctx, entry.Name, entry.Log)
	}
	h, s, err := m.homeToWrite(ctx)
	if err != nil {
		return err
	}
	defer h.Close()
	doc := schema.Record{
		Kind: schema.KindFollow, Weight: entry.EffectiveWeight(), Depth: entry.Depth, Scopes: entry.Scopes,
		Source: &schema.FollowSource{Log: entry.Log, URL: entry.URL, Key: entry.Fingerprint},
	}
	if _, err := h.Write(ctx, s, []schema.Record{doc}, m.options()); err != nil {
		return err
	}
	m.env.say("your repository says so too; publish it with: distrust sync")
	return m.refresh(ctx, h)
}

// sayStillPublic says which records of the user's own still lead others to somebody who is heard here no more.
// They stand until they are withdrawn, each of them: behind the newest an older one counts again (D2).
func (m *machine) sayStillPublic(ctx context.Context, name, log string) error {
	w, err := m.in.worldAsIs(ctx)
	if err != nil {
		return err
	}
	defer w.close()
	if w.generation == nil {
		return nil
	}
	follows, err := w.generation.Follows()
	withdrawn := withdrawnBy(follows)
	for _, st := range follows {
		if st.Kind == schema.KindFollow && !st.Void && st.Source.Log == log && w.isOwn(st.Log) && !withdrawn[st.ID] {
			m.env.say("your repository still says that you follow " + name + "; take it back with: distrust withdraw " + st.ID[:16])
		}
	}
	return err
}
