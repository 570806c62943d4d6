package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	urfave "github.com/urfave/cli/v2"

	"github.com/distributed-trust/distrust/cli/render"
	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/home"
	"github.com/distributed-trust/distrust/schema"
	"github.com/distributed-trust/distrust/sshsig"
)

func keyCommand(env *Env) *Command {
	return &Command{
		Name: "key", Group: Own,
		Summary: "the keys that may sign for you",
		Sub:     []*Command{keyListCommand(env), keyAddCommand(env), keyRetireCommand(env), keyCompromisedCommand(env)},
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

// runKeyList lists the keys of the home's log, those that an epoch left out among them.
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
	table := render.Table{Columns: []render.Column{{Head: "STATE"}, {Head: "FINGERPRINT"}, {Head: "NAME", Cut: true}}}
	for _, k := range h.Keys() {
		key, err := sshsig.ParseKey(k.Key)
		if err != nil {
			return Failed, err // no head with such a key is ever opened
		}
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
	in.Env.sayKeys(h.Head())
	return Done, nil
}

// sayKeys warns of a log that one loss or one theft would end (F5.4).
func (env *Env) sayKeys(head records.Head) {
	if home.ActiveKeys(head.Doc()) == 1 {
		env.say("your log has one key that can sign: if it is lost, so is the log; add another: distrust key add KEY")
	}
	if !head.HasRecovery() {
		env.say("your log has no recovery key: who steals a key cannot be beaten; add one: distrust key add KEY --recovery")
	}
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

// saidKey prints what became of a key of the home, as JSON or after a verb.
func (in *Invocation) saidKey(h *home.Home, key sshsig.Key, verb string) error {
	for _, k := range h.Keys() {
		if k.Key != key.String() {
			continue
		}
		if in.Bool(jsonFlagName) {
			return printKeyJSON(in, k, key)
		}
		fmt.Fprintf(in.Env.Stdout, "%s  %s  %s\n", verb, key.Fingerprint(), render.Escape(k.Name))
	}
	return nil
}

// listedKey finds the key of a home that is meant: by its fingerprint, its name, or as it is written.
func listedKey(h *home.Home, arg string) (sshsig.Key, error) {
	var found []sshsig.Key
	written, _, err := readPublicKey(arg)
	for _, k := range h.Keys() {
		key, err := sshsig.ParseKey(k.Key)
		if err != nil {
			return key, err
		}
		if k.Name == arg || key.Fingerprint() == arg {
			found = append(found, key)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return written, usagef("%d keys are called %q: name one by its fingerprint, %s or %s",
			len(found), arg, found[0].Fingerprint(), found[1].Fingerprint())
	case err != nil && strings.HasPrefix(arg, "SHA256:"):
		return written, fmt.Errorf("%w: %s", home.ErrKeyUnknown, arg)
	case err != nil:
		return written, fmt.Errorf("%w: no key is called so, and %w", home.ErrKeyUnknown, err)
	}
	return written, nil
}

// readPublicKey reads a public key, or the file that holds one.
func readPublicKey(arg string) (sshsig.Key, string, error) {
	key, comment, err := sshsig.ParseAuthorizedKey(arg)
	if err == nil {
		return key, comment, nil
	}
	b, readErr := readAtMost(arg, maxKeyFile)
	if errors.Is(readErr, fs.ErrNotExist) {
		return key, "", fmt.Errorf("%q is neither a public key (%w) nor a file", arg, err)
	}
	if readErr != nil {
		return key, "", readErr
	}
	key, comment, err = sshsig.ParseAuthorizedKey(string(b))
	if err != nil {
		return key, "", fmt.Errorf("reading %s: %w", arg, err)
	}
	return key, comment, nil
}
