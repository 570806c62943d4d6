package cli

import (
	"context"
	"fmt"
	"slices"

	urfave "github.com/urfave/cli/v2"

	"github.com/distributed-trust/distrust/cli/render"
	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/home"
	"github.com/distributed-trust/distrust/schema"
	"github.com/distributed-trust/distrust/sshsig/signer"
)

func sealCommand(*Env) *Command {
	return &Command{
		Name: "seal", Group: Say,
		Summary: "sign a new head over records that came by hand or by merge",
		Text: `Shows what changed under records/ in your home since the last head, then signs a head over it: records that others ` +
			`signed and you merged, records of yours that you wrote or edited by hand (they are signed again), and removals. ` +
			`A file that is no good record is named with its line, and nothing is sealed then. With nothing to seal the head is renewed.`,
		Flags: append([]urfave.Flag{&urfave.BoolFlag{Name: "dry-run", Usage: "only show what would be sealed"}}, signFlags()...),
		Examples: []Example{
			{"distrust seal", "after a merge or an edit, or to prolong the head"},
			{"distrust seal --dry-run", "look first"},
		},
		Exits: []Exit{NotSetUp},
		Run:   runSeal,
	}
}

// runSeal seals what came by hand.
func runSeal(ctx context.Context, in *Invocation) (Exit, error) {
	return in.signInHome(ctx, func(m *machine, h *home.Home, s signer.Signer) (Exit, error) {
		found, err := h.Pending(ctx, s)
		if err != nil {
			return Failed, err
		}
		showPending(in, found)
		if len(found.Refused) > 0 {
			return Failed, fmt.Errorf("nothing was sealed: %w", &home.RefusedError{Refused: found.Refused})
		}
		if in.Bool("dry-run") {
			if found.Empty() {
				in.Env.say("nothing came by hand; without --dry-run the head is renewed")
			}
			return Done, nil
		}
		written, err := h.Seal(ctx, s, found, m.options())
		if err != nil {
			return Failed, err
		}
		if err := sayStillCounted(ctx, in, h, found.Removed); err != nil {
			return Failed, err
		}
		doc := written.Head.Doc()
		fmt.Fprintf(in.Env.Stdout, "sealed  head %d over %s, good until %s\n", doc.Seq, count(int(doc.Records), "record"), render.Date(doc.Expires))
		return Done, m.refresh(ctx, h)
	})
}

// sayStillCounted says of reports that were removed and not withdrawn how to take them back: to remove a
// report ends it for nobody who has it (F5.7).
func sayStillCounted(ctx context.Context, in *Invocation, h *home.Home, removed []records.Record) error {
	removed = slices.DeleteFunc(slices.Clone(removed), func(r records.Record) bool { return r.Kind() != schema.KindDistrust })
	if len(removed) == 0 {
		return nil
	}
	all, err := h.Records(ctx)
	if err != nil {
		return err
	}
	for _, r := range removed {
		if !slices.ContainsFunc(all, func(w records.Record) bool { return slices.Contains(w.Doc().Withdraws, r.ID()) }) {
			doc := r.Doc()
			in.Env.say(fmt.Sprintf("who has your report on %s still counts it; to take it back: distrust withdraw %s", subjectsText(doc), r.ID()))
		}
	}
	return nil
}

// showPending lists what would be sealed, one line each.
func showPending(in *Invocation, found *home.ByHand) {
	out := in.Env.Stdout
	for _, r := range found.Added {
		doc := r.Doc()
		fmt.Fprintf(out, "new      %s  %s  %s\n", doc.Kind, render.Escape(subjectsText(doc)), render.Escape(r.Path()))
	}
	for _, doc := range found.Sign {
		fmt.Fprintf(out, "to sign  %s  %s\n", doc.Kind, render.Escape(subjectsText(doc)))
	}
	for _, r := range found.Removed {
		doc := r.Doc()
		fmt.Fprintf(out, "removed  %s  %s  %s\n", doc.Kind, render.Escape(subjectsText(doc)), render.Escape(r.Path()))
	}
	for _, path := range found.Others {
		fmt.Fprintf(out, "other    %s\n", render.Escape(path))
	}
	for _, refusal := range found.Refused {
		in.Env.say("refused: " + refusal.Error())
	}
}
