package cli

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"

	urfave "github.com/urfave/cli/v2"

	"github.com/distributed-trust/distrust/cli/config"
	"github.com/distributed-trust/distrust/cli/render"
	"github.com/distributed-trust/distrust/cli/terminal"
	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/index"
	"github.com/distributed-trust/distrust/records/source"
)

// The flags of follow (C3).
const (
	weightFlagName   = "weight"
	depthFlagName    = "depth"
	scopeFlagName    = "scope"
	publicFlagName   = "public"
	insecureFlagName = "insecure-transport"
	dryRunFlagName   = "dry-run"
)

func followCommand(*Env) *Command {
	return &Command{
		Name: "follow", Operands: "URL [SHA256:FINGERPRINT] | NAME", Min: 1, Max: 2, Group: Follow,
		Summary: "let somebody's records count for you",
		Text: `Paste the line that they share. The fingerprint is what makes it theirs; without one you are asked about the key that ` +
			`is shown, once, as ssh asks about a host. With a NAME that you follow already: changes weight, depth, scopes or address.` + "\n\n" +
			`Weight: full (one is enough), half (two), third (three), mute, or 0 to 100. It is full within ` +
			`scopes, and half without any or where the source itself claims a whole kind of projects.` + "\n\n" +
			`With --dry-run everything is fetched and verified, what this machine remembers is decided with it, and nothing is kept: ` +
			`exit code 7 says that following would raise an alarm.`,
		Flags: append([]urfave.Flag{
			&urfave.StringFlag{Name: "as", Usage: "call it `NAME`"},
			&urfave.StringFlag{Name: weightFlagName, Usage: "`WEIGHT`: full, half, third, mute, or 0 to 100"},
			&urfave.StringFlag{Name: depthFlagName, Usage: "also hear whom they follow, `N` steps away (0 to 3)"},
			textsFlag(scopeFlagName, "only about `PATTERN` (repeatable)"),
			&urfave.BoolFlag{Name: publicFlagName, Usage: "also say so in your own repository, so that others may go on from there"},
			&urfave.BoolFlag{Name: "tofu", Usage: "trust the key on first use without a question"},
			&urfave.BoolFlag{Name: insecureFlagName, Usage: "allow http:// and git:// (others on the way can read along)"},
			&urfave.StringFlag{Name: "url", Usage: "fetch NAME from `URL` from now on"},
			&urfave.BoolFlag{Name: dryRunFlagName, Usage: "change nothing; say which remembered verdicts would change"},
			jsonFlag(),
		}, signFlags()...),
		Examples: []Example{
			{"distrust follow https://example.org/alice/trust.git SHA256:Wv3cbVqQLzFqPlF1b7yXn2gxZ5xPqk1lL9m0cO3yQpE", "as pasted from a page of hers"},
			{"distrust follow alice --weight full", "take her choices as yours"},
			{"distrust follow alice --weight mute --dry-run", "what would change without her?"},
			{"distrust follow /srv/team/trust.git --scope github:team/ --as team", "a folder, and only about one group of projects"},
		},
		Exits: []Exit{Alarms, Refused, NotSetUp, Unreachable},
		Run:   runFollow,
	}
}

// runFollow follows a source, or changes how far it is followed.
func runFollow(ctx context.Context, in *Invocation) (Exit, error) {
	m, err := in.machine()
	if err != nil {
		return Failed, err
	}
	wish, err := in.followWish()
	if err != nil {
		return Usage, err
	}
	i := slices.IndexFunc(m.sources, func(s config.Source) bool { return s.Name == in.Operands[0] })
	if wish.name != "" && slices.ContainsFunc(m.sources, func(s config.Source) bool { return s.Name == wish.name && s.Name != in.Operands[0] }) {
		return Usage, BadValue("as", fmt.Errorf("%q is taken: distrust sources %s", wish.name, wish.name))
	}
	if i >= 0 {
		return m.changeFollow(ctx, m.sources[i].Name, wish)
	}
	if wish.newURL != "" {
		return Usage, usagef("--url changes a source that you follow, and %q is none", in.Operands[0])
	}
	if name := in.Operands[0]; config.ValidName(name) == nil && !fileExists(name) {
		return Failed, fail(Failed, fmt.Errorf("%q is neither a source that you follow nor a folder", name),
			"see whom you follow", render.Words("distrust", "sources")...)
	}
	return m.firstFollow(ctx, wish)
}

// notByHand refuses the address of an entry that the user wrote and that was never fetched: a second
// entry of the same log would only get in its way.
func (m *machine) notByHand(address string) error {
	for _, s := range m.sources {
		if s.URL == address && s.Log == "" {
			return fail(Failed, fmt.Errorf("%s in sources.yml has this address, and was not fetched yet", s.Name),
				"fetch it", render.Words("distrust", "sync", s.Name)...)
		}
	}
	return nil
}

// changeFollow changes an entry of sources.yml.
func (m *machine) changeFollow(ctx context.Context, name string, wish followWish) (Exit, error) {
	if wish.fingerprint != "" {
		return Usage, usagef("%s is followed already, and its log does not change: leave the fingerprint out", name)
	}
	if m.in.Bool(dryRunFlagName) {
		return m.previewChange(ctx, name, wish)
	}
	unlock, err := m.lock(ctx)
	if err != nil {
		return Failed, err
	}
	defer unlock()
	var changed config.Source
	err = m.editSources(func(all []config.Source) ([]config.Source, error) {
		for i := range all {
			if all[i].Name == name {
				wish.apply(&all[i])
				changed = all[i]
			}
		}
		return all, wish.mayPublish(changed.URL)
	})
	if err != nil {
		return Failed, err
	}
	if err := m.apply(ctx); err != nil {
		return Failed, err
	}
	if m.in.Bool(jsonFlagName) {
		if err := m.printFollowedJSON(ctx, changed.Name); err != nil {
			return Failed, err
		}
	} else {
		fmt.Fprintf(m.env.Stdout, "following  %s  %s%s\n", changed.Name, render.WeightWord(changed.EffectiveWeight()), scopesText(changed.Scopes))
	}
	if wish.newURL != "" {
		m.env.say("nothing was fetched from the new address yet: distrust sync " + changed.Name)
	}
	return Done, m.followPublicly(ctx, changed)
}

func scopesText(scopes []string) string {
	if len(scopes) == 0 {
		return ""
	}
	short := make([]string, len(scopes))
	for i, s := range scopes {
		short[i] = render.Escape(render.Project(s))
	}
	return "  about " + strings.Join(short, ", ")
}

// firstSpec is the source at the address that the user typed.
func (m *machine) firstSpec(wish followWish) (source.Spec, error) {
	address, err := remoteURL(m.in.Operands[0])
	if err != nil {
		return source.Spec{}, err
	}
	insecure := m.in.Bool(insecureFlagName)
	if err := source.CheckURL(address, insecure); err != nil {
		return source.Spec{}, err
	}
	spec := source.Spec{Name: nameOr(wish.name, address), URL: address, Fingerprint: wish.fingerprint, Insecure: insecure}
	return spec, errors.Join(wish.mayPublish(address), m.notByHand(address))
}

// firstFollow makes the first contact with a source and follows it when it is accepted.
func (m *machine) firstFollow(ctx context.Context, wish followWish) (Exit, error) {
	spec, err := m.firstSpec(wish)
	if err != nil {
		return Failed, err
	}
	options, err := m.fetchOptions(ctx)
	if err != nil {
		return Failed, err
	}
	dirs := m.sourceDirs()
	if m.in.Bool(dryRunFlagName) {
		scratch, remove, err := m.scratch()
		if err != nil {
			return Failed, err
		}
		defer remove()
		dirs = scratch
	}
	progress := m.in.fetchProgress()
	options.Progress = progress.event
	shown := ""
	batch, err := source.First(ctx, dirs, spec, options, func(o source.Offer) (bool, error) {
		progress.close()
		shown = o.Fingerprint
		return m.askFirstUse(ctx, o)
	})
	progress.close()
	if err != nil {
		return Failed, err
	}
	defer batch.Close()
	result := batch.Results()[0]
	var followed *source.FollowedError
	m.nameFollowed(result.Err)
	if errors.As(result.Err, &followed) {
		if m.in.Bool(jsonFlagName) {
			return Done, m.printFollowedJSON(ctx, followed.Name)
		}
		fmt.Fprintf(m.env.Stdout, "followed already  %s  %s\n", render.Escape(followed.Name), render.Escape(followed.URL))
		if command := wish.command(followed.Name); len(command) > 0 {
			m.env.hint(render.Hint{Text: "nothing was changed; to change it", Command: command})
		}
		return Done, nil
	}
	if result.Err != nil {
		return exitOfSource(result), result.Err
	}
	spec.Fingerprint = nameOr(spec.Fingerprint, shown)
	if m.in.Bool(dryRunFlagName) {
		return m.previewFollow(ctx, batch, dirs, wish, spec)
	}
	return m.acceptFollow(ctx, batch, result, wish, spec)
}

// nameFollowed puts the names of sources.yml into errors about a log that is followed: a pin may
// have been written under another one.
func (m *machine) nameFollowed(err error) {
	var followed *source.FollowedError
	var claimed *source.ClaimError
	for _, s := range m.sources {
		if errors.As(err, &followed) && followed.Log == s.Log {
			followed.Name = s.Name
		}
		if errors.As(err, &claimed) && claimed.Log == s.Log {
			claimed.Name = s.Name
		}
	}
}

// askFirstUse asks about an unknown key in ssh's words (C5). Only the whole word yes, or the
// fingerprint that the user has from elsewhere, is a yes.
func (m *machine) askFirstUse(ctx context.Context, o source.Offer) (bool, error) {
	if m.in.Bool(dryRunFlagName) {
		m.env.say(fmt.Sprintf("nobody has vouched for %s: ask for the fingerprint before you follow", o.Fingerprint))
		return true, nil
	}
	if m.in.Bool("tofu") {
		m.env.say(fmt.Sprintf("trusting %s on first use, because of --tofu", o.Fingerprint))
		return true, nil
	}
	tty, err := m.in.Terminal()
	if errors.Is(err, terminal.ErrCannotAsk) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer tty.Close()
	text := fmt.Sprintf("The authenticity of source '%s' can't be established.\n"+
		"The key fingerprint is %s.\nIt calls itself \"%s\": head %d of %s, %d records.\n",
		render.Escape(o.URL), o.Fingerprint, render.Escape(o.Head.Name), o.Head.Seq, render.Date(o.Head.Issued), o.Head.Records)
	if err := tty.Print(text); err != nil {
		return false, err
	}
	answer, err := tty.Choose(ctx, "Are you sure you want to follow it (yes/no/[fingerprint])?", append([]string{"yes", "no", o.Fingerprint}, o.Others...)...)
	return answer == "yes" || o.Accepts(answer), err
}

// acceptFollow puts a first contact in force: sources.yml, index, pin.
func (m *machine) acceptFollow(ctx context.Context, batch *source.Batch, result *source.Result, wish followWish, spec source.Spec) (Exit, error) {
	unlock, err := m.lock(ctx)
	if err != nil {
		return Failed, err
	}
	defer unlock()
	entry := m.newEntry(result, wish, spec)
	result.Source = entry.Name // the pin is called so, too
	err = m.editSources(func(all []config.Source) ([]config.Source, error) { return append(all, entry), nil })
	if err != nil {
		return Failed, err
	}
	err = batch.Commit(ctx, func(ctx context.Context, updates []index.Update) error { return m.apply(ctx, updates...) })
	if err != nil {
		// What could not be put in force is not followed either.
		undo := config.EditSources(m.dirs, func(all []config.Source) ([]config.Source, error) {
			return slices.DeleteFunc(all, func(s config.Source) bool { return s.Name == entry.Name }), nil
		})
		return Failed, errors.Join(err, undo)
	}
	if m.in.Bool(jsonFlagName) {
		err = m.printFollowedJSON(ctx, entry.Name)
	} else {
		m.sayFollowed(entry, result)
	}
	if err != nil {
		return Failed, err
	}
	if len(m.sources) == 1 {
		if err := m.noteMoment(syncedFile); err != nil {
			return Failed, err
		}
	}
	return Done, m.followPublicly(ctx, entry)
}

// newEntry is the entry of sources.yml for a source that is followed for the first time.
func (m *machine) newEntry(result *source.Result, wish followWish, spec source.Spec) config.Source {
	entry := config.Source{
		Log: result.Log, URL: spec.URL, Fingerprint: spec.Fingerprint, Insecure: spec.Insecure,
		Weight: config.DefaultWeight, ViaMax: config.DefaultViaMax, Scopes: result.Head.Projects,
	}
	entry.Name = m.freeName(wish.name, result.Head.Name, spec.URL)
	wish.name = entry.Name
	if slices.ContainsFunc(entry.Scopes, config.IsWide) {
		entry.Weight = config.WeightHalf // the scopes are the head's own word, and leave next to nothing out
	}
	wish.apply(&entry)
	return entry
}

// sayFollowed says who is followed now, how far, and what was odd.
func (m *machine) sayFollowed(entry config.Source, result *source.Result) {
	m.sayWhom("following", entry, result)
	if weight := entry.EffectiveWeight(); weight > 0 && weight < m.config.Policy.Trust {
		m.env.say(fmt.Sprintf("%s alone is not enough; to take these choices as yours: distrust follow %s --weight full", entry.Name, entry.Name))
	}
}

// sayWhom says who is, or would be followed, how far, and what was odd.
func (m *machine) sayWhom(verb string, entry config.Source, result *source.Result) {
	fmt.Fprintf(m.env.Stdout, "%s  %s  %s%s\n", verb, entry.Name, render.WeightWord(entry.EffectiveWeight()), scopesText(entry.Scopes))
	fmt.Fprintf(m.env.Stdout, "  head %d of %s, %s, key %s\n", result.Head.Seq, render.Date(result.Head.Issued), count(int(result.Head.Records), "record"), entry.Fingerprint)
	m.sayOdd(result)
}

// freeName is a name for a source that no other has: as asked for, else as it calls itself, else
// from its address.
func (m *machine) freeName(asked, suggested, address string) string {
	if asked != "" {
		return asked
	}
	base := records.Slug(suggested, 32)
	if suggested == "" || config.ValidName(base) != nil {
		base = records.Slug(lastElement(address), 32)
	}
	if config.ValidName(base) != nil {
		base = "source"
	}
	name := base
	for n := 2; slices.ContainsFunc(m.sources, func(s config.Source) bool { return s.Name == name }); n++ {
		name = fmt.Sprintf("%s-%d", base, n)
	}
	return name
}

// lastElement is what of an address may serve as a name: https://example.org/alice/trust.git is
// alice, as nearly every repository is called trust.
func lastElement(address string) string {
	p := address
	if at, err := url.Parse(address); err == nil && at.Host != "" {
		p = at.Path
	}
	name := strings.TrimSuffix(path.Base(p), ".git")
	if name == "trust" || name == "distrust" {
		if parent := path.Base(path.Dir(p)); parent != "." && parent != "/" {
			name = parent
		}
	}
	return name
}
