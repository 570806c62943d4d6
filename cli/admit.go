package cli

import (
	"context"
	"errors"
	"io"

	"github.com/distributed-trust/distrust/cli/render"
	"github.com/distributed-trust/distrust/cli/terminal"
	"github.com/distributed-trust/distrust/records/trust"
)

// candidate is something that a command is about to use.
type candidate struct {
	spokenOf
	proofs *proofs                       // what its signatures were checked with
	open   func() (io.ReadCloser, error) // the very bytes that were read, to be looked at; nil when there are none
}

// admit is the gate of commands that use bytes: it settles what c is, and says what is wrong with it
// unless it may be used. Done means go on.
func (in *Invocation) admit(ctx context.Context, w *world, c candidate, project, version string) (Exit, error) {
	r, err := in.settle(ctx, w, c, project, version)
	if err != nil {
		return Failed, err
	}
	w.remember(ctx, in, c.Subject, r)
	return in.refuse(r)
}

// refuse says why something may not be used; it says nothing of what may.
func (in *Invocation) refuse(r render.Report) (Exit, error) {
	exit := Exit(r.Exit)
	if exit == Done {
		return Done, nil
	}
	if _, err := io.WriteString(in.Env.Stderr, r.ChangedSigner(in.Stderr)); err != nil {
		return Failed, err
	}
	return exit, in.sayRefused(r, checkHint(r))
}

// sayRefused is the line of a refusal, and the next step.
func (in *Invocation) sayRefused(r render.Report, hint render.Hint) error {
	_, err := io.WriteString(in.Env.Stderr, "distrust: refused: ")
	if err = errors.Join(err, render.WriteCheck(in.Env.Stderr, r, in.Stderr)); err != nil {
		return err
	}
	in.Env.hint(hint)
	return nil
}

// settle decides about c and, where nobody knows enough and the user can be asked, asks (C5). The report
// is what holds then. What it trusts is for the caller to remember, once it is where it is said to be.
func (in *Invocation) settle(ctx context.Context, w *world, c candidate, project, version string) (render.Report, error) {
	r, err := w.report(in, c.Subject, c.query(project, version), "trust")
	if err != nil {
		return r, err
	}
	if r.Decision.Verdict == trust.Unknown {
		return in.ask(ctx, c, r)
	}
	return r, nil
}

// ask puts the question about something unknown, when anybody can be asked, and gives what holds after
// the answer.
func (in *Invocation) ask(ctx context.Context, c candidate, r render.Report) (render.Report, error) {
	tty, err := in.Terminal()
	var cannot *terminal.CannotAsk
	if errors.As(err, &cannot) {
		if !in.Bool(quietFlagName) {
			in.Env.say("not asked: " + cannot.Reason)
		}
		return r, nil
	}
	if err != nil {
		return r, err
	}
	answer, signer, err := in.question(ctx, tty, c, r)
	err = errors.Join(err, tty.Close()) // it is opened again for a passphrase, perhaps
	if err != nil {
		return r, err
	}
	if answer == render.AnswerNo {
		r.Hints = nil // it was decided just now
		return r, nil
	}
	if err := in.record(ctx, c, r, answer, signer); err != nil {
		return r, err
	}
	after, err := in.world(ctx)
	if err != nil {
		return r, err
	}
	defer after.close()
	q := r.Query
	if r, err = after.report(in, c.Subject, q, "trust"); err != nil {
		return r, err
	}
	if answer == render.AnswerDeny {
		r.Hints = nil
	}
	return r, nil
}
