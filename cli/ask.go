package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"

	urfave "github.com/urfave/cli/v2"

	"github.com/distributed-trust/distrust/cli/render"
	"github.com/distributed-trust/distrust/records/subject"
)

// questionText is what the commands that ask say about it.
const questionText = `When nobody knows enough, you are asked on the terminal: trust just these bytes, or the key that signed them for this ` +
	`project, or neither. The answer is a private record on this machine, and the second time nobody is asked. Where nobody can be asked the ` +
	`answer is no.`

func askCommand(*Env) *Command {
	return &Command{
		Name: "ask", Operands: "FILE", Min: 1, Max: 1, Group: Decide,
		Summary: "check, and ask you once when nobody knows",
		Text:    questionText + " Use it in front of &&.\n\n" + signatureText,
		Flags:   append(append([]urfave.Flag{forFlag(), jsonFlag(), quietFlag()}, signatureFlags()...), keyFlags()...),
		Examples: []Example{
			{"distrust ask install.sh && sh install.sh", "ask once, then be silent"},
			{"distrust ask requests-2.33.0.tar.gz --for pypi:requests", "trust its signer for the project, if you like"},
			{"distrust ask .envrc && source <(distrust cat .envrc)", "before a shell reads it"},
		},
		Exits: []Exit{Unknown, Distrusted, Mismatch, NotSetUp},
		Run:   runAsk,
	}
}

// runAsk decides about one file, with the user's help where nobody else knows.
func runAsk(ctx context.Context, in *Invocation) (Exit, error) {
	file := in.Operands[0]
	if file == "-" {
		return Usage, usagef("ask takes a file: what comes through a pipe is for distrust pipe and distrust cat")
	}
	p, err := in.proofsFor(ctx)
	if err != nil {
		return Failed, err
	}
	defer p.world.close()
	s, signatures, err := p.read(ctx, file)
	if errors.Is(err, subject.ErrDigest) {
		return Usage, usagef("%v", err)
	}
	if err != nil {
		return Failed, err
	}
	c := candidate{spokenOf: spokenOf{s, signatures}, proofs: p}
	if _, again := regularFile(s.Path); again { // what comes through a pipe comes once
		c.open = func() (io.ReadCloser, error) { return readAgain(ctx, s) }
	}
	r, err := in.settle(ctx, p.world, c, p.project, p.version)
	if err != nil {
		return Failed, err
	}
	p.world.remember(ctx, in, s, r)
	return Exit(r.Exit), in.showAsked(r)
}

// showAsked prints what ask came to.
func (in *Invocation) showAsked(r render.Report) error {
	if !in.Bool(quietFlagName) {
		if _, err := io.WriteString(in.Env.Stderr, r.ChangedSigner(in.Stderr)); err != nil {
			return err
		}
	}
	return checkOutput(in)(r)
}

// readAgain gives the bytes of a file that was read before, when they are still the same: what is shown
// to the user is what the answer is about.
func readAgain(ctx context.Context, s subject.Subject) (io.ReadCloser, error) {
	h, err := hold(math.MaxInt64)
	if err != nil {
		return nil, err
	}
	again, err := subject.FromFile(ctx, s.Path, subject.Options{Tee: h})
	if err == nil && again.Digest.SHA256 != s.Digest.SHA256 {
		err = fail(Unknown, fmt.Errorf("%s has changed since it was read", s.Arg), "run it again")
	}
	if err != nil {
		return nil, errors.Join(err, h.close())
	}
	return heldOnce{h.content(), h}, nil
}

// heldOnce is a copy that is forgotten once it was read.
type heldOnce struct {
	io.Reader
	held *held
}

// Close forgets the copy.
func (h heldOnce) Close() error { return h.held.close() }
