package cli

import (
	"errors"
	"time"

	"github.com/distributed-trust/distrust/cli/render"
	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/home"
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
