package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/distributed-trust/distrust/cli/render"
	"github.com/distributed-trust/distrust/cli/terminal"
	"github.com/distributed-trust/distrust/records/home"
	"github.com/distributed-trust/distrust/schema"
)

// joinOrCreate takes over the log at a URL, or makes one and publishes it when nothing is there.
func (m *machine) joinOrCreate(ctx context.Context, remote string, profile home.Profile) (*home.Home, error) {
	insecure := m.in.Bool(insecureFlagName)
	if isLocalPath(remote) {
		made, err := home.MakeRemote(remote)
		if err != nil {
			return nil, err
		}
		if made {
			m.env.say("made an empty repository: " + remote)
		}
	}
	h, err := home.Join(ctx, m.homeDir(), remote, m.homeAccess(insecure), m.env.Now())
	if errors.Is(err, home.ErrEmptyRemote) {
		return m.createAt(ctx, remote, profile)
	}
	if err != nil {
		return nil, cannotJoin(err)
	}
	if err := m.mayJoin(h.LogID(), remote); err != nil {
		return nil, errors.Join(err, h.Close(), os.RemoveAll(h.Dir())) // all of it came from the remote just now
	}
	if err := m.publishAlways(); err != nil {
		return h, err
	}
	doc := h.Head().Doc()
	fmt.Fprintf(m.env.Stdout, "joined %s\n", render.Escape(remote))
	fmt.Fprintf(m.env.Stdout, "log    %s of %s, head %d of %s, %s\n", doc.Log, render.Escape(nameOr(doc.Name, "nobody named")), doc.Seq, render.Date(doc.Issued), count(int(doc.Records), "record"))
	s, err := m.signer(ctx, h)
	if err != nil {
		return h, err
	}
	if err := h.CheckSigner(s); err != nil {
		m.env.say("this machine's key is not in the log yet, so it can read and not sign")
		_, hint := advise(err)
		m.env.hint(hint)
	}
	return h, nil
}

// mayJoin refuses to take for the user's own word what they follow as somebody else's.
func (m *machine) mayJoin(log, remote string) error {
	for _, s := range m.sources {
		if s.Log == log {
			return fail(Failed, fmt.Errorf("%s holds the log of %s, whom you follow", remote, s.Name),
				"if it is your own", render.Words("distrust", "unfollow", s.Name)...)
		}
	}
	return nil
}

// cannotJoin is the error of a remote that holds something, and no log that could be the user's.
func cannotJoin(err error) error {
	if errors.Is(err, home.ErrNotHome) {
		return fail(Refused, err, "check the address: to publish there, the repository has to be empty")
	}
	if errors.Is(err, home.ErrUnsealed) {
		return fail(Refused, err, "on the machine that publishes there, run", render.Words("distrust", "seal")...)
	}
	return err
}

// moveRemote looks at another remote for a home: an empty one, or one that holds this very log, is
// to be published at. One that holds another log of the user's is joined, and the records made
// here are signed again for it after a yes.
func (m *machine) moveRemote(ctx context.Context, h **home.Home, remote string, profile home.Profile) (publish bool, err error) {
	probe := (*h).Dir() + ".joining"
	if err := os.RemoveAll(probe); err != nil {
		return false, err
	}
	defer os.RemoveAll(probe)
	if isLocalPath(remote) {
		if _, err := home.MakeRemote(remote); err != nil {
			return false, err
		}
	}
	other, err := home.Join(ctx, probe, remote, m.homeAccess(m.in.Bool(insecureFlagName)), m.env.Now())
	if errors.Is(err, home.ErrEmptyRemote) {
		return true, nil
	}
	if err != nil {
		return false, cannotJoin(err)
	}
	log := other.LogID()
	other.Close()
	if log == (*h).LogID() {
		return true, nil
	}
	if err := m.mayJoin(log, remote); err != nil {
		return false, err
	}
	if (*h).Remote() != "" {
		return false, fail(Failed, fmt.Errorf("%s holds another log than your home, which is published at %s", remote, (*h).Remote()),
			"move the home away first", render.Words("mv", (*h).Dir(), (*h).Dir()+"-old")...)
	}
	return false, m.rejoin(ctx, h, remote, profile)
}

// rejoin replaces an unpublished home by the log at remote. The old one is kept beside it.
func (m *machine) rejoin(ctx context.Context, h **home.Home, remote string, profile home.Profile) error {
	dir, log := (*h).Dir(), (*h).LogID()
	var docs []schema.Record
	all, err := (*h).Records(ctx)
	if err != nil {
		return err
	}
	for _, r := range all {
		docs = append(docs, r.Doc())
	}
	(*h).Close()
	kept := filepath.Join(filepath.Dir(dir), "home-"+log[:8])
	if err := os.Rename(dir, kept); err != nil {
		return fmt.Errorf("keeping the old home: %w", err)
	}
	m.env.say("your unpublished home is kept as " + kept)
	joined, err := m.joinOrCreate(ctx, remote, profile)
	if joined != nil {
		*h = joined
	} else if back := os.Rename(kept, dir); back != nil {
		return errors.Join(err, back)
	} else if *h, back = home.Open(ctx, dir); back != nil {
		return errors.Join(err, back)
	}
	if err != nil || len(docs) == 0 {
		return err
	}
	return m.signAgain(ctx, *h, docs)
}

// signAgain takes the records of a former home into the joined log, after a yes.
func (m *machine) signAgain(ctx context.Context, h *home.Home, docs []schema.Record) error {
	docs = slices.DeleteFunc(docs, func(d schema.Record) bool { return d.Kind == schema.KindWithdraw })
	yes := false
	tty, err := m.in.Terminal()
	switch {
	case err == nil:
		defer tty.Close()
		yes, err = tty.Confirm(ctx, fmt.Sprintf("Sign its %d records again for the joined log", len(docs)))
	case errors.Is(err, terminal.ErrCannotAsk):
		err = nil
	}
	if err != nil {
		return err
	}
	if !yes {
		m.env.say("its records were not taken over")
		return nil
	}
	s, err := m.signer(ctx, h)
	if err != nil {
		return err
	}
	_, err = h.Write(ctx, s, docs, m.options())
	return err
}
