package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	urfave "github.com/urfave/cli/v2"

	"github.com/distributed-trust/distrust/cli/config"
	"github.com/distributed-trust/distrust/cli/render"
	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/home"
	"github.com/distributed-trust/distrust/schema"
	"github.com/distributed-trust/distrust/sshsig"
	"github.com/distributed-trust/distrust/sshsig/signer"
)

// The flags of key compromised.
const (
	keepBeforeFlagName = "keep-before"
	backToFlagName     = "back-to"
)

func keyCompromisedCommand(*Env) *Command {
	return &Command{
		Name: "compromised", Operands: "KEY", Min: 1, Max: 1, Group: Own,
		Summary: "give up a stolen key, and win the log back",
		Text: `KEY is its name in distrust key list, its fingerprint, the public key or a .pub file. What it ever signed is void, but ` +
			`for what --keep-before names. Sign with the recovery key: then everything that a thief published, or will publish, ends ` +
			`there, for those who saw the thief first, too. The next sync puts your log over whatever lies at the remote.` + "\n\n" +
			`With an ordinary key those who saw the thief first stay there. The whole story: distrust help stolen-key.`,
		Flags: append([]urfave.Flag{
			&urfave.StringFlag{Name: keepBeforeFlagName, Usage: "stand by what it signed before `DATE`"},
			&urfave.IntFlag{Name: backToFlagName, Usage: "go on from head `N`, the last one that is yours: sync brought a thief's"},
			&urfave.BoolFlag{Name: "dry-run", Usage: "only show what would become of it"},
			jsonFlag(),
		}, signFlags()...),
		Examples: []Example{
			{"distrust key compromised laptop --key recovery.key", "it was stolen; nothing that it signed counts"},
			{"distrust key compromised laptop --key recovery.key --keep-before 2026-11-20", "it was yours until then"},
			{"distrust key compromised laptop --key recovery.key --back-to 41 --dry-run", "what came after head 41 is not yours"},
		},
		Exits: []Exit{NotSetUp},
		Run:   runKeyCompromised,
	}
}

// runKeyCompromised makes a head in which a key is compromised, in a new epoch when a recovery key signs.
func runKeyCompromised(ctx context.Context, in *Invocation) (Exit, error) {
	options, err := in.compromiseOptions()
	if err != nil {
		return Usage, err
	}
	return in.signInHome(ctx, func(m *machine, h *home.Home, s signer.Signer) (Exit, error) {
		key, err := listedKey(h, in.Operands[0])
		if err != nil {
			return Failed, err
		}
		plan, err := h.PlanCompromise(ctx, s.Key(), key, options)
		if err != nil {
			return Failed, err
		}
		out := in.Env.Stdout
		if in.Bool(jsonFlagName) {
			out = in.Env.Stderr
		}
		if in.Bool("dry-run") {
			showCompromise(plan, out)
			return Done, nil
		}
		if _, err := h.Compromise(ctx, s, plan, m.options()); err != nil {
			return Failed, err
		}
		if err := in.saidKey(h, key, "compromised"); err != nil {
			return Failed, err
		}
		showCompromise(plan, out)
		if err := m.signPrivateAgain(ctx, h, s, key, options.KeepBefore); err != nil {
			return Failed, err
		}
		in.sayNext(h, plan)
		return Done, m.refresh(ctx, h)
	})
}

// compromiseOptions reads the flags.
func (in *Invocation) compromiseOptions() (home.CompromiseOptions, error) {
	options := home.CompromiseOptions{BackTo: int64(in.Int(backToFlagName))}
	if in.Given(backToFlagName) && options.BackTo < 1 {
		return options, BadValue(backToFlagName, errors.New("the first head has the number 1"))
	}
	if when := in.String(keepBeforeFlagName); when != "" {
		at, err := config.ParseWhen(when, in.Env.Now())
		if err != nil {
			return options, BadValue(keepBeforeFlagName, err)
		}
		if at.After(in.Env.Now()) {
			return options, BadValue(keepBeforeFlagName, errors.New("that is still to come"))
		}
		options.KeepBefore = at
	}
	return options, nil
}

// showCompromise says what becomes of the records and keys of a log, one line each.
func showCompromise(plan *home.Compromise, out io.Writer) {
	doc := plan.After.Doc()
	fmt.Fprintf(out, "  goes on from head %d of %s\n", doc.Seq, render.Date(doc.Issued))
	fmt.Fprintf(out, "  of what it signed %s, %s\n", counts(len(plan.Keep)+len(plan.Again)), void(len(plan.Void)))
	for _, r := range plan.Keep {
		fmt.Fprintf(out, "    kept  %s  %s  %s\n", render.Date(r.Doc().Issued), r.Kind(), render.Escape(subjectsText(r.Doc())))
	}
	for _, r := range plan.Again {
		fmt.Fprintf(out, "    signed again  %s  %s  %s\n", render.Date(r.Doc().Issued), r.Kind(), render.Escape(subjectsText(r.Doc())))
	}
	for _, k := range plan.LeftOut {
		fmt.Fprintf(out, "  left out  %s\n", keyText(k))
	}
	for _, k := range doc.Keys {
		if k.State == schema.Active && k.Key != plan.Key.String() {
			text := keyText(k)
			if slices.Contains(plan.Added, k.Key) {
				text += "  (added with the compromised key: is it yours?)"
			}
			fmt.Fprintf(out, "  can sign  %s\n", text)
		}
	}
}

// counts says how many records count.
func counts(n int) string {
	if n == 1 {
		return "1 record counts"
	}
	return fmt.Sprintf("%d records count", n)
}

// void says how many records are void.
func void(n int) string {
	if n == 1 {
		return "1 is void"
	}
	return fmt.Sprintf("%d are void", n)
}

// keyText names a key of a head.
func keyText(k schema.Key) string {
	fingerprint := k.Key
	if key, err := sshsig.ParseKey(k.Key); err == nil {
		fingerprint = key.Fingerprint()
	}
	text := strings.TrimSpace(fingerprint + "  " + render.Escape(k.Name))
	if k.Recovery {
		text += "  (recovery)"
	}
	return text
}

// signPrivateAgain keeps the private records that the key signed before a time: no head could.
func (m *machine) signPrivateAgain(ctx context.Context, h *home.Home, s records.Signer, key sshsig.Key, before time.Time) error {
	if before.IsZero() || m.homeDir() != m.defaultHome() {
		return nil
	}
	p, err := m.private(h)
	if errors.Is(err, home.ErrNoHome) {
		return nil
	}
	if err != nil {
		return err
	}
	n, err := p.SignAgain(ctx, s, key, before)
	if err == nil && n > 0 {
		m.env.say(fmt.Sprintf("signed %s again", count(n, "private record")))
	}
	return err
}

// sayNext says what is left to do after a theft.
func (in *Invocation) sayNext(h *home.Home, plan *home.Compromise) {
	env, doc := in.Env, h.Head().Doc()
	ordinary := false
	for _, k := range doc.Keys {
		ordinary = ordinary || k.State == schema.Active && !k.Recovery
	}
	switch {
	case plan.Raises:
		env.say(fmt.Sprintf("epoch %d: no head of a thief counts any more, whoever saw it first", doc.Epoch))
	case h.Head().HasRecovery():
		env.say("those who saw a thief's head first stay there: sign with the recovery key to end that")
	default:
		env.say("those who saw a thief's head first stay there: your log has no recovery key")
	}
	if len(plan.Unsealed) > 0 {
		env.say(fmt.Sprintf("%s that other keys of yours signed since is not sealed: distrust seal", count(len(plan.Unsealed), "record")))
	}
	if !ordinary {
		env.say("only a recovery key can sign now: add one for every day: distrust key add KEY --key RECOVERY-KEY")
	}
	publish := render.Words("distrust", "sync")
	if dir := in.String(homeFlagName); dir != "" {
		publish = append(publish, render.Words("--home", dir)...)
	}
	if line, ok := render.Command(publish...); ok {
		env.say("publish it now: " + line)
	}
	env.say("lines with the fingerprint of the compromised key lead nobody to you any more; then: distrust share")
	env.sayKeys(h.Head())
}
