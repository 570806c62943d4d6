package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	urfave "github.com/urfave/cli/v2"

	"github.com/distributed-trust/distrust/cli/config"
	"github.com/distributed-trust/distrust/cli/render"
	"github.com/distributed-trust/distrust/cli/terminal"
	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/home"
	"github.com/distributed-trust/distrust/schema"
	"github.com/distributed-trust/distrust/sshsig/signer"
)

// The flags that say which key signs (C7).
const (
	keyFlagName     = "key"
	makeKeyFlagName = "make-key"
)

// signFlags are the flags of every command that signs.
func signFlags() []urfave.Flag {
	return append([]urfave.Flag{homeFlag()}, keyFlags()...)
}

// keyFlags say which key signs.
func keyFlags() []urfave.Flag {
	return []urfave.Flag{
		&urfave.StringFlag{Name: keyFlagName, Usage: "sign with `KEY`: a file, a public key, or SHA256:... of one in the agent"},
		&urfave.BoolFlag{Name: makeKeyFlagName, Usage: "make a key when there is none"},
	}
}

// signer finds the key to sign with, in the order of C7. Of several on one rung those that the log
// of the home lists come first; h is nil where there is no home yet. The user chooses among what is
// left, once, and the choice is kept.
func (m *machine) signer(ctx context.Context, h *home.Home) (signer.Signer, error) {
	if err := m.forgetOutOfForce(ctx, h); err != nil {
		return nil, err
	}
	choice := signer.Choice{Explicit: m.in.String(keyFlagName), Stored: m.chosen.Key}
	found, err := signer.Find(ctx, m.keySources(), choice)
	var none *signer.NoKeyError
	if errors.As(err, &none) {
		return m.makeKey(ctx, none)
	}
	if err != nil {
		return nil, err
	}
	found = ofMyLog(h, found)
	picked := found[0]
	if len(found) > 1 {
		if picked, err = m.askForKey(ctx, found); err != nil {
			return nil, err
		}
	}
	if !isRecovery(h, picked) { // that is for the day when another one is stolen
		m.picked = picked.Ref
	}
	return picked, nil
}

// forgetOutOfForce lets the key go that was chosen once, when the log says that it signs no more.
func (m *machine) forgetOutOfForce(ctx context.Context, h *home.Home) error {
	if h == nil || m.chosen.Key == "" {
		return nil
	}
	found, err := signer.Find(ctx, m.keySources(), signer.Choice{Stored: m.chosen.Key})
	if errors.Is(err, signer.ErrNoKey) { // said when it is to sign
		return nil
	}
	if err != nil {
		return err
	}
	var out *home.SignerError
	if errors.As(h.CheckSigner(found[0]), &out) && out.State != "" {
		m.chosen.Key = ""
	}
	return nil
}

// isRecovery says whether a key is a recovery key of the home's log.
func isRecovery(h *home.Home, s signer.Signer) bool {
	return h != nil && slices.ContainsFunc(h.Keys(), func(k schema.Key) bool { return k.Recovery && k.Key == s.Key().String() })
}

// keepKey writes down which key was picked, once something was signed with it: one that turned
// out to be no use is not chosen. The caller holds the lock.
func (m *machine) keepKey() error {
	if m.chosen.Key != "" || m.picked == "" {
		return nil
	}
	m.chosen.Key = m.picked
	return config.SaveMachine(m.dirs, m.chosen)
}

// ofMyLog leaves of several keys those that the log lists as active, if any: there is nothing to
// ask when only one of them can sign.
func ofMyLog(h *home.Home, found []signer.Candidate) []signer.Candidate {
	if len(found) < 2 || h == nil {
		return found
	}
	var mine []signer.Candidate
	for _, c := range found {
		if h.CheckSigner(c) == nil {
			mine = append(mine, c)
		}
	}
	if len(mine) == 0 {
		return found
	}
	return mine
}

// keySources says where keys may lie.
func (m *machine) keySources() signer.Sources {
	sources := signer.Sources{AgentSocket: m.env.Getenv("SSH_AUTH_SOCK"), Getenv: m.env.Getenv}
	if home, err := m.env.UserHome(); err == nil {
		sources.Home = home
	}
	sources.Passphrase = func(ctx context.Context, prompt string) ([]byte, error) {
		tty, err := m.in.Terminal()
		if err != nil {
			return nil, err
		}
		defer tty.Close()
		return tty.Passphrase(ctx, render.Escape(prompt))
	}
	return sources
}

// askForKey lets the user choose among the keys of one rung, by number.
func (m *machine) askForKey(ctx context.Context, found []signer.Candidate) (signer.Candidate, error) {
	tty, err := m.in.Terminal()
	if errors.Is(err, terminal.ErrCannotAsk) {
		return signer.Candidate{}, fail(NotSetUp, fmt.Errorf("%d keys can sign and none was chosen", len(found)),
			"name one", render.Words("distrust", "init", "--key", found[0].Key().Fingerprint())...)
	}
	if err != nil {
		return signer.Candidate{}, err
	}
	defer tty.Close()
	text := fmt.Sprintf("Which key shall sign your records? From %s:\n", found[0].Rung)
	var words []string
	byWord := map[string]signer.Candidate{}
	for i, c := range found {
		word := fmt.Sprint(i + 1)
		text += fmt.Sprintf("  %s  %s  %s\n", word, c.Key().Fingerprint(), render.Escape(c.Name))
		words, byWord[word] = append(words, word), c
	}
	if err := tty.Print(text); err != nil {
		return signer.Candidate{}, err
	}
	answer, err := tty.Choose(ctx, "Number:", words...)
	if err != nil {
		return signer.Candidate{}, err
	}
	if answer == "" {
		return signer.Candidate{}, fail(NotSetUp, errors.New("no key was chosen"), "name one with --key")
	}
	return byWord[answer], nil
}

// makeKey makes a key after a yes, or with --make-key.
func (m *machine) makeKey(ctx context.Context, none *signer.NoKeyError) (signer.Signer, error) {
	path := filepath.Join(m.dirs.Keys(), "id_ed25519")
	if !m.in.Bool(makeKeyFlagName) {
		yes, err := m.confirmKey(ctx, path)
		if err != nil {
			return nil, err
		}
		if !yes {
			return nil, none
		}
	}
	s, err := signer.Generate(path, "distrust")
	if errors.Is(err, os.ErrExist) {
		// Made before and forgotten by state.yml: it is still ours.
		s, err = signer.FromKeyFile(ctx, m.keySources(), path)
	}
	if err != nil {
		return nil, err
	}
	m.env.say(fmt.Sprintf("made a key for you: %s, %s", path, s.Key().Fingerprint()))
	m.chosen.Key = path
	return s, config.SaveMachine(m.dirs, m.chosen)
}

// confirmKey asks whether a key shall be made; where nobody can be asked the answer is no.
func (m *machine) confirmKey(ctx context.Context, path string) (bool, error) {
	tty, err := m.in.Terminal()
	if errors.Is(err, terminal.ErrCannotAsk) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer tty.Close()
	return tty.Confirm(ctx, fmt.Sprintf("You have no ssh key that can sign. Make one in %s", render.Escape(path)))
}

// signerOf is signer for a home that may come to need a signature.
func (m *machine) signerOf(h *home.Home) func(context.Context) (records.Signer, error) {
	return func(ctx context.Context) (records.Signer, error) { return m.signer(ctx, h) }
}

// options are what every change of a home needs. The author of the commit proves nothing, so it
// tells nobody who the user is.
func (m *machine) options() home.Options {
	return home.Options{Now: m.env.Now(), Author: home.Author{Name: "distrust", Email: "distrust@localhost"}}
}

// homeToWrite is homeToSign for a record: where there is no home one is made, once, and that is said
// (C3, "Own").
func (m *machine) homeToWrite(ctx context.Context) (*home.Home, signer.Signer, error) {
	h, s, err := m.homeToSign(ctx)
	if err == nil {
		if err := h.CheckSigner(s); err != nil {
			return nil, nil, errors.Join(err, h.Close())
		}
		return h, s, nil
	}
	if !errors.Is(err, home.ErrNoHome) {
		return nil, nil, err
	}
	if m.in.Given(homeFlagName) {
		return nil, nil, fail(NotSetUp, err, "clone it there first", render.Words("git", "clone", "URL", m.homeDir())...)
	}
	if h, s, err = m.createHome(ctx, home.Profile{}); err != nil {
		return nil, nil, err
	}
	m.env.say(fmt.Sprintf("made your home %s, a git repository on this machine", h.Dir()))
	m.env.say(fmt.Sprintf("records are signed with %s (%s); nothing is published", s.Key().Fingerprint(), s.Origin()))
	m.env.say("if you already have a home elsewhere, remove this one and run: distrust init URL")
	return h, s, nil
}
