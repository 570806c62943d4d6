package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/mdp/qrterminal/v3"
	urfave "github.com/urfave/cli/v2"

	"github.com/distributed-trust/distrust/cli/render"
	"github.com/distributed-trust/distrust/cli/terminal"
	"github.com/distributed-trust/distrust/records/home"
)

func shareCommand(*Env) *Command {
	return &Command{
		Name: "share", Group: Own,
		Summary: "print the line that others paste to follow you",
		Text: `Put it where people know that it comes from you: the address alone proves nothing, the fingerprint does. ` +
			`Number and date of your newest head go with it, so that a follower sees at once when an old state is shown.`,
		Flags: []urfave.Flag{
			homeFlag(),
			&urfave.BoolFlag{Name: "qr", Usage: "also as a QR code"},
			&urfave.BoolFlag{Name: "markdown", Usage: "as a paragraph for a README"},
		},
		Examples: []Example{
			{"distrust share", "the line"},
			{"distrust share --markdown >> README.md", "for a web page"},
		},
		Exits: []Exit{NotSetUp},
		Run:   runShare,
	}
}

// runShare prints the line of F6.
func runShare(ctx context.Context, in *Invocation) (Exit, error) {
	m, err := in.machine()
	if err != nil {
		return Failed, err
	}
	h, err := m.home(ctx)
	if err != nil {
		return Failed, err
	}
	defer h.Close()
	url, err := in.sharedURL(ctx, h)
	if err != nil {
		return Failed, err
	}
	doc := h.Head().Doc()
	line, ok := render.Command(render.Words("distrust", "follow", url, h.Head().SignedBy().Fingerprint())...)
	if !ok {
		return Failed, fmt.Errorf("the address %q cannot be written safely on a command line", url)
	}
	if in.Bool("markdown") {
		fmt.Fprintf(in.Env.Stdout, "To follow what %s says about software (head %d of %s):\n\n    %s\n",
			render.Escape(nameOr(doc.Name, "this repository")), doc.Seq, render.Date(doc.Issued), line)
	} else {
		fmt.Fprintln(in.Env.Stdout, line)
	}
	if in.Bool("qr") {
		qrterminal.GenerateHalfBlock(line, qrterminal.L, in.Env.Stdout)
	}
	in.Env.say(fmt.Sprintf("your newest head is %d of %s", doc.Seq, render.Date(doc.Issued)))
	return Done, nil
}

// sharedURL is where followers fetch from. An ssh address would give them an account of the
// user's to knock at, so it needs a yes.
func (in *Invocation) sharedURL(ctx context.Context, h *home.Home) (string, error) {
	url := nameOr(h.Head().Doc().URL, h.Remote())
	if url == "" {
		return "", fail(NotSetUp, errors.New("your home is not published anywhere"),
			"publish it", render.Words("distrust", "init", "URL")...)
	}
	if !isSSH(url) {
		return url, nil
	}
	refused := fail(Failed, fmt.Errorf("%s is an ssh address: only people with an account there can use it", url),
		"name an https address", render.Words("distrust", "init", "--publish-as", "https://...")...)
	tty, err := in.Terminal()
	if errors.Is(err, terminal.ErrCannotAsk) {
		return "", refused
	}
	if err != nil {
		return "", err
	}
	defer tty.Close()
	yes, err := tty.Confirm(ctx, render.Escape(url)+" is an ssh address: share it all the same")
	if err != nil {
		return "", err
	}
	if !yes {
		return "", refused
	}
	return url, nil
}
