package cli

import (
	"context"

	urfave "github.com/urfave/cli/v2"

	"github.com/distributed-trust/distrust/records/home"
	"github.com/distributed-trust/distrust/schema"
	"github.com/distributed-trust/distrust/sshsig/signer"
)

func keyAddCommand(*Env) *Command {
	return &Command{
		Name: "add", Operands: "KEY", Min: 1, Max: 1, Group: Own,
		Summary: "let another key sign for you, such as that of a second machine",
		Text: `KEY is a public key or a .pub file. It takes effect for those who follow you when you sync.` + "\n\n" +
			`A recovery key wins the log back when another key is stolen (distrust help stolen-key). Add one early, and keep it apart ` +
			`from your machines. Any key may add the first one; after that only a recovery key adds or changes one.`,
		Flags: append([]urfave.Flag{
			&urfave.BoolFlag{Name: "recovery", Usage: "it can win the log back from a thief; keep it offline"},
			&urfave.StringFlag{Name: "name", Usage: "call the key `NAME`"},
			jsonFlag(),
		}, signFlags()...),
		Examples: []Example{
			{"distrust key add 'ssh-ed25519 AAAA... laptop'", "as printed by distrust init on the other machine"},
			{"distrust key add offline.pub --recovery", "once, early"},
		},
		Exits: []Exit{NotSetUp},
		Run:   runKeyAdd,
	}
}

// runKeyAdd makes a head with one more key.
func runKeyAdd(ctx context.Context, in *Invocation) (Exit, error) {
	key, comment, err := readPublicKey(in.Operands[0])
	if err != nil {
		return Failed, err
	}
	name := nameOr(in.String("name"), nameOr(comment, key.Type()))
	if err := schema.ValidText(name); err != nil {
		return Usage, BadValue("name", err)
	}
	return in.signInHome(ctx, func(m *machine, h *home.Home, s signer.Signer) (Exit, error) {
		if _, err := h.AddKey(ctx, s, key, name, in.Bool("recovery"), m.options()); err != nil {
			return Failed, err
		}
		if err := in.saidKey(h, key, "added"); err != nil {
			return Failed, err
		}
		in.Env.say("those who follow you, and your other machines, learn of it with: distrust sync")
		return Done, m.refresh(ctx, h)
	})
}
