package cli

import (
	"context"
	"fmt"
	"io"
	"os"

	urfave "github.com/urfave/cli/v2"

	"github.com/distributed-trust/distrust/cli/render"
	"github.com/distributed-trust/distrust/schema"
	"github.com/distributed-trust/distrust/sshsig"
)

func keyCommand(env *Env) *Command {
	return &Command{
		Name: "key", Group: Own,
		Summary: "the keys that may sign for you",
		Sub:     []*Command{keyListCommand(env), keyAddCommand(env)},
	}
}

func keyListCommand(*Env) *Command {
	return &Command{
		Name: "list", Group: Own,
		Summary:  "list the keys of your log",
		Flags:    []urfave.Flag{homeFlag(), jsonFlag()},
		Examples: []Example{{"distrust key list", "fingerprints, states and names"}},
		Exits:    []Exit{NotSetUp},
		Run:      runKeyList,
	}
}

// runKeyList lists the keys of the home's head.
func runKeyList(ctx context.Context, in *Invocation) (Exit, error) {
	m, err := in.machine()
	if err != nil {
		return Failed, err
	}
	h, err := m.home(ctx)
	if err != nil {
		return Failed, err
	}
	defer h.Close()
	doc := h.Head().Doc()
	recovery := false
	table := render.Table{Columns: []render.Column{{Head: "STATE"}, {Head: "FINGERPRINT"}, {Head: "NAME", Cut: true}}}
	for _, k := range doc.Keys {
		key, err := sshsig.ParseKey(k.Key)
		if err != nil {
			return Failed, err // no head with such a key is ever opened
		}
		recovery = recovery || k.Recovery
		if in.Bool(jsonFlagName) {
			if err := printKeyJSON(in, k, key); err != nil {
				return Failed, err
			}
			continue
		}
		state := string(k.State)
		if k.Recovery {
			state += ", recovery"
		}
		table.Row(state, key.Fingerprint(), k.Name)
	}
	if in.Bool(jsonFlagName) {
		return Done, nil
	}
	if err := table.Write(in.Env.Stdout, in.Stdout); err != nil {
		return Failed, err
	}
	if len(doc.Keys) == 1 {
		in.Env.say("your log has one key: if it is lost, so is the log")
	}
	if !recovery {
		in.Env.say("your log has no recovery key: whoever steals an active key cannot be beaten")
	}
	return Done, nil
}

func printKeyJSON(in *Invocation, k schema.Key, key sshsig.Key) error {
	return render.EncodeJSON(in.Env.Stdout, struct {
		Format      int             `json:"format"`
		Key         string          `json:"key"`
		Fingerprint string          `json:"fingerprint"`
		Name        string          `json:"name"`
		State       schema.KeyState `json:"state"`
		Recovery    bool            `json:"recovery"`
	}{schema.Version, k.Key, key.Fingerprint(), k.Name, k.State, k.Recovery})
}

func keyAddCommand(*Env) *Command {
	return &Command{
		Name: "add", Operands: "KEY", Min: 1, Max: 1, Group: Own,
		Summary: "let another key sign for you, such as that of a second machine",
		Text:    `KEY is a public key or a .pub file. It takes effect for those who follow you when you sync.`,
		Flags: append([]urfave.Flag{
			&urfave.BoolFlag{Name: "recovery", Usage: "it can win the log back from a thief; keep it offline"},
			&urfave.StringFlag{Name: "name", Usage: "call the key `NAME`"},
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
	m, unlock, err := in.lockedMachine(ctx)
	if err != nil {
		return Failed, err
	}
	defer unlock()
	h, s, err := m.homeToSign(ctx)
	if err != nil {
		return Failed, err
	}
	defer h.Close()
	if _, err := h.AddKey(ctx, s, key, name, in.Bool("recovery"), m.options()); err != nil {
		return Failed, err
	}
	fmt.Fprintf(in.Env.Stdout, "added  %s  %s\n", key.Fingerprint(), render.Escape(name))
	in.Env.say("those who follow you, and your other machines, learn of it with: distrust sync")
	return Done, m.refresh(ctx, h)
}

// readPublicKey reads a public key, or the file that holds one.
func readPublicKey(arg string) (sshsig.Key, string, error) {
	key, comment, err := sshsig.ParseAuthorizedKey(arg)
	if err == nil {
		return key, comment, nil
	}
	f, openErr := os.Open(arg)
	if openErr != nil {
		return key, "", fmt.Errorf("%q is neither a public key (%w) nor a file", arg, err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxKeyFile))
	if err != nil {
		return key, "", fmt.Errorf("reading %s: %w", arg, err)
	}
	key, comment, err = sshsig.ParseAuthorizedKey(string(b))
	if err != nil {
		return key, "", fmt.Errorf("reading %s: %w", arg, err)
	}
	return key, comment, nil
}
