package cli

import (
	"context"

	urfave "github.com/urfave/cli/v2"

	"github.com/distributed-trust/distrust/records/home"
	"github.com/distributed-trust/distrust/sshsig/signer"
)

func keyRetireCommand(*Env) *Command {
	return &Command{
		Name: "retire", Operands: "KEY", Min: 1, Max: 1, Group: Own,
		Summary: "let a key that was not stolen sign no more",
		Text: `KEY is its name in distrust key list, its fingerprint, the public key or a .pub file. What it signed counts on. A key ` +
			`that somebody else may have is not retired but compromised: distrust key compromised.`,
		Flags: append([]urfave.Flag{jsonFlag()}, signFlags()...),
		Examples: []Example{
			{"distrust key retire laptop", "the machine was given away, wiped"},
			{"distrust key retire SHA256:... --key recovery.key", "an old recovery key, by the new one"},
		},
		Exits: []Exit{NotSetUp},
		Run:   runKeyRetire,
	}
}

// runKeyRetire makes a head in which a key is retired.
func runKeyRetire(ctx context.Context, in *Invocation) (Exit, error) {
	return in.signInHome(ctx, func(m *machine, h *home.Home, s signer.Signer) (Exit, error) {
		key, err := listedKey(h, in.Operands[0])
		if err != nil {
			return Failed, err
		}
		if _, err := h.RetireKey(ctx, s, key, m.options()); err != nil {
			return Failed, err
		}
		if err := in.saidKey(h, key, "retired"); err != nil {
			return Failed, err
		}
		in.Env.say("what it signed counts on; those who follow you learn of it with: distrust sync")
		in.Env.say("lines with its fingerprint lead nobody to you any more: distrust share")
		in.Env.sayKeys(h.Head())
		return Done, m.refresh(ctx, h)
	})
}
