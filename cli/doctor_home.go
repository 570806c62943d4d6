package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/distributed-trust/distrust/cli/render"
	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/home"
	"github.com/distributed-trust/distrust/schema"
	"github.com/distributed-trust/distrust/sshsig/signer"
)

// endsSoon is how long before its end a head is spoken of (C3, sync).
const endsSoon = 100 * 24 * time.Hour

// maxNamed is how many files or records of one kind are named in full.
const maxNamed = 20

// key looks for the key that the next record would be signed with, and asks nothing.
func (d *doctor) key(ctx context.Context, check string) string {
	found, err := d.findKeys(ctx)
	var unusable *signer.UnusableError
	switch {
	case errors.As(err, &unusable):
		one := d.fault(check, unusable.Named, err)
		if errors.Is(err, signer.ErrKeyPermissions) {
			one.text = "others may read " + unusable.Named + ": it is not used, as ssh does not"
			one.mend = func(context.Context) (string, error) {
				return unusable.Named + " is yours alone now", os.Chmod(unusable.Named, 0o600)
			}
		}
		return ""
	case err != nil && errors.Is(d.homeErr, home.ErrNoHome):
		return "none yet; it is found or made when you first sign something"
	case err != nil:
		d.fault(check, "", err)
		return ""
	case len(found) > 1:
		d.say(note, check, "", fmt.Sprintf("%d keys of %s can sign and none is chosen: you will be asked", len(found), found[0].Rung), render.Hint{
			Text: "or name one", Command: render.Words("distrust", "init", "--key", found[0].Key().Fingerprint()),
		})
		return ""
	}
	key := found[0]
	if d.home != nil {
		if err := d.home.CheckSigner(key); err != nil {
			d.fault(check, "", err)
			return ""
		}
	}
	how := "signs without a question"
	if !key.Quiet() {
		how = "asks for a passphrase or a touch"
	}
	return fmt.Sprintf("%s of %s (%s), %s", key.Key().Fingerprint(), key.Origin(), key.Rung, how)
}

// findKeys are the keys that may sign the next record, those of the own log first.
func (d *doctor) findKeys(ctx context.Context) ([]signer.Candidate, error) {
	sources := d.m.keySources()
	sources.Passphrase = nil
	found, err := signer.Find(ctx, sources, signer.Choice{Stored: d.m.chosen.Key})
	return ofMyLog(d.home, found), err
}

// ownHome looks over the user's own repository.
func (d *doctor) ownHome(ctx context.Context, check string) string {
	dir := d.m.defaultHome()
	switch {
	case errors.Is(d.homeErr, home.ErrNoHome):
		return "none yet; it is made with the first record"
	case d.homeErr != nil:
		d.fault(check, dir, d.homeErr)
		return ""
	}
	head := d.home.Head()
	doc := head.Doc()
	if err := d.home.Ready(); err != nil {
		d.fault(check, dir, err)
	}
	opened, err := d.home.Records(ctx)
	if err != nil {
		d.fault(check, dir, err)
	}
	d.skipped(check, d.home.Skipped(), "nobody reads it: mend it or remove it, then: distrust seal")
	d.byHand(ctx, check)
	d.beside(check)
	d.lifetime(check, head, render.Words("distrust", "seal"))
	d.fewKeys(check, head, render.Words("distrust", "key", "add", "KEY"))
	d.published(check, head)
	return fmt.Sprintf("%s, head %d over %s, good until %s", dir, doc.Seq, count(len(opened), "record"), render.Date(head.Expires()))
}

// skipped names files that are not read as records, and why. advice is what to do about them.
func (f *findings) skipped(check string, refused []*records.Refusal, advice string) {
	for i, r := range refused {
		if i == maxNamed {
			f.say(problem, check, "", fmt.Sprintf("%s more not read", count(len(refused)-i, "file")), render.Hint{})
			return
		}
		grade := problem
		hint := render.Hint{Text: advice}
		if errors.Is(r, schema.ErrNotUnderstood) {
			grade, hint = note, hintf("only a newer distrust reads it")
		}
		f.say(grade, check, r.Path, r.Error(), hint)
	}
}

// byHand says what in the home no head covers.
func (d *doctor) byHand(ctx context.Context, check string) {
	seal := render.Hint{Command: render.Words("distrust", "seal")}
	if n := d.home.Unsealed(); n > 0 {
		d.say(problem, check, "", count(n, "commit")+" that no head covers: nobody reads them, and no record can be added", seal)
	}
	var key records.Signer
	if found, err := d.findKeys(ctx); err == nil && len(found) == 1 {
		key = found[0]
	}
	found, err := d.home.Pending(ctx, key)
	if err != nil {
		d.fault(check, d.home.Dir(), err)
		return
	}
	d.pending(check, found, seal)
}

// pending says what waits to be sealed, and what cannot be.
func (f *findings) pending(check string, found *home.ByHand, seal render.Hint) {
	for i, r := range found.Refused {
		if i == maxNamed {
			f.say(problem, check, "", fmt.Sprintf("%s more cannot be sealed", count(len(found.Refused)-i, "file")), render.Hint{})
			break
		}
		f.say(problem, check, r.Path, r.Error(), hintf("it cannot be sealed: mend it or remove it"))
	}
	if n := len(found.Added) + len(found.Sign); n > 0 {
		f.say(note, check, "", "waiting to be sealed: "+count(n, "record"), seal)
	}
	if n := len(found.Removed); n > 0 {
		f.say(note, check, "", "removed, and waiting to be sealed: "+count(n, "record"), seal)
	}
}

// beside says which files beside the set are not what they should be (F4).
func (d *doctor) beside(check string) {
	odd, err := d.home.Beside()
	if err != nil {
		d.fault(check, d.home.Dir(), err)
		return
	}
	for i := range odd {
		one := d.oddFile(check, odd[i], fixHint())
		if i > 0 {
			continue // mended with the first
		}
		one.mend = func(ctx context.Context) (string, error) {
			h, err := home.Open(ctx, d.m.defaultHome())
			if err != nil {
				return "", err
			}
			defer h.Close()
			restored, err := h.RestoreBeside(ctx, d.m.options())
			return "made again, in a commit: " + joinWords(restored), err
		}
	}
}

// oddFile says of one file beside a set what is wrong with it. Without a README nobody is misled.
func (f *findings) oddFile(check string, r *records.Refusal, next render.Hint) *finding {
	if r.Path == records.Readme {
		return f.say(note, check, r.Path, r.Error(), next)
	}
	return f.say(problem, check, r.Path, r.Error(), next)
}

// lifetime says that a head has ended or ends soon (F5.6).
func (d *doctor) lifetime(check string, head records.Head, seal []render.Arg) {
	d.ends(check, head.Expires(), d.in.Env.Now(), render.Hint{Command: seal})
}

func (f *findings) ends(check string, expires, now time.Time, next render.Hint) {
	switch left := expires.Sub(now); {
	case left <= 0:
		f.say(problem, check, "", "the head has expired on "+render.Date(expires)+": trust of this log no longer counts", next)
	case left < endsSoon:
		f.say(note, check, "", "the head expires in "+render.Span(left), next)
	}
}

// fewKeys says that a log can be lost, or taken (F5.4).
func (f *findings) fewKeys(check string, head records.Head, add []render.Arg) {
	if home.ActiveKeys(head.Doc()) == 1 {
		f.say(note, check, "", "one key can sign: if it is lost, so is the log", render.Hint{Command: add})
	}
	if !head.HasRecovery() {
		f.say(note, check, "", "no recovery key: who steals a key cannot be beaten", render.Hint{Command: append(add, render.Word("--recovery"))})
	}
}

// published says what of the home others do not have yet.
func (d *doctor) published(check string, head records.Head) {
	remote := d.home.Remote()
	if remote == "" {
		d.say(note, check, "", "it is on this machine only: nobody can follow you, and there is no copy", render.Hint{
			Command: render.Words("distrust", "init", "URL"),
		})
		return
	}
	last, err := d.home.LastPublished()
	sync := render.Hint{Command: render.Words("distrust", "sync")}
	switch {
	case err != nil:
		d.fault(check, d.home.Dir(), err)
	case last.IsZero():
		d.say(note, check, remote, "nothing is published at "+remote+" yet", sync)
	case last.ID() != head.ID():
		d.say(note, check, remote, fmt.Sprintf("head %d is not published yet; the remote has %d", head.Doc().Seq, last.Doc().Seq), sync)
	}
}

// private looks over the records that are never published.
func (d *doctor) private(ctx context.Context, check string) string {
	p, err := d.m.private(d.home)
	if errors.Is(err, home.ErrNoHome) {
		return "none"
	}
	if err != nil {
		d.fault(check, d.m.dirs.Private(), err)
		return ""
	}
	opened, err := p.Records(ctx)
	if err != nil {
		d.fault(check, d.m.dirs.Private(), err)
	}
	d.skipped(check, p.Skipped(), "it does not count: mend it or remove it")
	return count(len(opened), "record") + ", every signature good"
}
