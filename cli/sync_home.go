package cli

import (
	"errors"
	"slices"
	"time"

	"github.com/distributed-trust/distrust/cli/config"
	"github.com/distributed-trust/distrust/cli/render"
	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/home"
	"github.com/distributed-trust/distrust/records/index"
	"github.com/distributed-trust/distrust/sshsig/signer"
)

// renewNotice is how long before its end a head that cannot be renewed is spoken of (C3).
const renewNotice = 100 * 24 * time.Hour

// renew makes a new head at half of the old one's life, with a key that needs no question and no
// touch; when there is none, the end is announced from 100 days before it on (C3).
func (s *syncRun) renew(h *home.Home) {
	head := h.Head()
	issued, now := head.Doc().Issued, s.in.Env.Now()
	if now.Before(issued.Add(head.Expires().Sub(issued) / 2)) {
		return
	}
	if key := s.quietKey(h); key != nil {
		if _, err := h.Renew(s.ctx, key, "distrust: renew the head", nil, s.m.options()); err == nil {
			s.tell("renewed your head: good until %s", render.Date(h.Head().Expires()))
			return
		}
	}
	switch left := head.Expires().Sub(now); {
	case left <= 0:
		s.note("your head expired on %s, and what you trust counts for nobody else: distrust seal", render.Date(head.Expires()))
	case left < renewNotice:
		s.note("your head expires in %s: distrust seal", count(int(left/(24*time.Hour)), "day"))
	}
}

// quietKey is the one key that may sign in the home without anybody being asked; nil when there is none.
func (s *syncRun) quietKey(h *home.Home) records.Signer {
	sources := s.m.keySources()
	sources.Passphrase = nil
	found, err := signer.Find(s.ctx, sources, signer.Choice{Explicit: s.in.String(keyFlagName), Stored: s.m.chosen.Key})
	if err != nil {
		return nil
	}
	found = ofMyLog(h, found)
	if len(found) != 1 || !found[0].Quiet() || h.CheckSigner(found[0]) != nil {
		return nil
	}
	return found[0]
}

// sayOverruled says what the home's raised epoch was put over, and what of it is left to look at.
func (s *syncRun) sayOverruled(h *home.Home, result *home.SyncResult) {
	if result == nil || result.Overruled.IsZero() {
		return
	}
	was := result.Overruled.Doc()
	s.tell("put over  head %d of %s at the remote, signed by %s: your epoch %d counts",
		was.Seq, render.Date(was.Issued), result.Overruled.SignedBy().Fingerprint(), h.Head().Doc().Epoch)
	if n := len(result.Unsealed); n > 0 {
		s.note("%s of your other keys lay there: look and sign: distrust seal", count(n, "record"))
	}
}

// stolenHint is the next step where the user's own remote holds what nobody may accept: there is no
// owner to ask.
func stolenHint(err error) error {
	var refused *records.HeadError
	judged := errors.As(err, &refused) && refused.Kind != records.Future && refused.Kind != records.WrongLog
	if !judged && !errors.Is(err, home.ErrUnpublished) {
		return err
	}
	return fail(Refused, err, "if that was nobody of yours, a key or the account there is stolen", render.Words("distrust", "help", "stolen-key")...)
}

// syncHome renews the own head when it is time, and exchanges with the remote of the home.
func (s *syncRun) syncHome() {
	unlock, err := s.m.lock(s.ctx)
	if err != nil {
		s.complain(Failed, "your home", err)
		return
	}
	defer unlock()
	if err := s.m.watching(s.ctx); err != nil {
		s.complain(Failed, "what you accepted", err)
		return
	}
	if err := s.mendOwn(); err != nil {
		s.complain(Failed, "your records", err)
	}
	h, err := s.m.home(s.ctx)
	if errors.Is(err, home.ErrNoHome) {
		return
	}
	if err != nil {
		s.complain(Failed, "your home", err)
		return
	}
	defer h.Close()
	s.remote = h.Remote()
	s.renew(h)
	if err := s.exchange(h); err != nil {
		s.missedHome(err)
	}
	if err := s.m.refresh(s.ctx, h); err != nil {
		s.complain(Failed, "your home", err)
	}
}

// missedHome says why the home could not be exchanged with its remote.
func (s *syncRun) missedHome(err error) {
	exit := exitOfHome(err)
	s.missed = exit == Unreachable
	if s.missed && s.quiet && s.in.Env.Now().Sub(readSynced(s.in)) < quietGrace {
		return
	}
	s.complain(exit, "your home", err)
}

// mendOwn brings back what a damaged record store lost of the user's own records.
func (s *syncRun) mendOwn() error {
	own, err := s.m.ownLogs(s.ctx)
	if err != nil {
		return nil // a home that cannot be opened is complained about as such
	}
	g, err := s.in.generation(s.ctx)
	if g == nil || err != nil {
		return err
	}
	defer g.Close()
	damaged := func(log string) bool {
		var damage *index.DamageError
		return errors.As(g.Sound(log), &damage)
	}
	if !slices.ContainsFunc(own, damaged) {
		return nil
	}
	return s.m.applyOwn(s.ctx)
}

// exitOfHome is the exit code of what went wrong with the home's own remote (C2).
func exitOfHome(err error) Exit {
	var refused *records.HeadError
	switch {
	case errors.As(err, &refused), errors.Is(err, home.ErrUnsealed), errors.Is(err, home.ErrNotHome):
		return Refused
	case errors.Is(err, home.ErrUnreachable), errors.Is(err, home.ErrAuth):
		return Unreachable
	case errors.Is(err, home.ErrNotYourKey), errors.Is(err, signer.ErrNoKey):
		return NotSetUp
	}
	return Failed
}

// exchange pulls and publishes.
func (s *syncRun) exchange(h *home.Home) error {
	result, err := h.Sync(s.ctx, home.SyncOptions{
		Options: s.m.options(), Access: s.m.homeAccess(true), Publish: s.mayPublish, Signer: s.m.signerOf(h),
	})
	for _, r := range result.Pulled {
		doc := r.Doc()
		s.tell("from your other machine  %s  %s", doc.Kind, render.Escape(subjectsText(doc)))
	}
	s.sayOverruled(h, result)
	switch {
	case err != nil:
		return stolenHint(err)
	case result.Pushed:
		s.tell("published  %s to %s", headWith(result.Published), render.Escape(result.URL))
	case result.Waiting:
		s.note("%s not published: run it on a terminal, or set publish: auto in config.yml", count(result.Pending, "record"))
	case result.URL != "" && len(result.Pulled) == 0:
		s.tell("your home  unchanged")
	}
	return nil
}

// mayPublish says what leaves the machine before it leaves (C3).
func (s *syncRun) mayPublish(n int, url string) (bool, error) {
	if s.in.Bool("no-push") || s.m.config.Publish == config.PublishNever {
		return false, nil
	}
	if s.m.config.Publish != config.PublishAuto && !s.in.Env.IsTerminal(s.in.Env.Stderr) {
		return false, nil
	}
	s.note("publishing %s to %s", headWith(n), url)
	return true, nil
}

// headWith is what a push shows to others: new records, or at least a new head.
func headWith(records int) string {
	if records == 0 {
		return "your head"
	}
	return count(records, "record")
}
