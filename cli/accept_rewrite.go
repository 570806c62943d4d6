package cli

import (
	"errors"
	"fmt"

	urfave "github.com/urfave/cli/v2"

	"github.com/distributed-trust/distrust/cli/render"
	"github.com/distributed-trust/distrust/cli/terminal"
	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/source"
)

// The flags of taking a head that does not follow from the accepted one.
const (
	acceptRewriteFlagName = "accept-rewrite"
	rewrittenHeadFlagName = "head"
)

func acceptRewriteFlags() []urfave.Flag {
	return []urfave.Flag{
		&urfave.StringFlag{Name: acceptRewriteFlagName, Usage: "fetch `NAME` alone, show both heads when the new one does not follow from the accepted one, and ask whether to take it"},
		&urfave.StringFlag{Name: rewrittenHeadFlagName, Usage: "with --accept-rewrite: take the head with this `ID` without a question"},
	}
}

// rewrittenNames are the sources to fetch: with --accept-rewrite the one that it names.
func rewrittenNames(in *Invocation) ([]string, error) {
	name := in.String(acceptRewriteFlagName)
	switch {
	case name == "" && in.Given(rewrittenHeadFlagName):
		return nil, usagef("--%s goes with --%s NAME", rewrittenHeadFlagName, acceptRewriteFlagName)
	case name == "":
		return in.Operands, nil
	case len(in.Operands) > 0:
		return nil, usagef("--%s names the one source: give no other", acceptRewriteFlagName)
	}
	return []string{name}, nil
}

// acceptRewrite shows both heads and asks whether the new one takes the place of the accepted one.
// Only the whole word yes, or the new head's id given beforehand, is a yes.
func (s *syncRun) acceptRewrite(r source.Replacement) (bool, error) {
	env := s.in.Env
	env.say(fmt.Sprintf("%s: %s", r.Source, oneLine(r.Why)))
	env.say("  accepted  " + headText(r.Pinned))
	env.say("  new       " + headText(r.New))
	if r.Evidence != "" {
		env.say("  both are kept in " + r.Evidence)
	}
	env.say("  its reports go on counting, and its compromised keys stay compromised")
	if id := s.in.String(rewrittenHeadFlagName); id != "" {
		if id != r.New.ID() {
			return false, fmt.Errorf("the new head is not %s", id)
		}
		return true, nil
	}
	tty, err := s.in.Terminal()
	if errors.Is(err, terminal.ErrCannotAsk) {
		env.hint(render.Hint{
			Text:    "only after the owner told you through another channel that this head is right",
			Command: render.Words("distrust", "sync", "--"+acceptRewriteFlagName, r.Source, "--"+rewrittenHeadFlagName, r.New.ID()),
		})
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer tty.Close()
	answer, err := tty.Choose(s.ctx, "Take the new head in place of the accepted one (yes/no)?", "yes", "no")
	return answer == "yes", err
}

// headText is a head as people compare it: its number, its date, who signed it, and its id.
func headText(h records.Head) string {
	doc := h.Doc()
	return fmt.Sprintf("head %d of %s by %s  %s", doc.Seq, render.Date(doc.Issued), h.SignedBy().Fingerprint(), h.ID())
}
