package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	urfave "github.com/urfave/cli/v2"

	"github.com/distributed-trust/distrust/cli/config"
	"github.com/distributed-trust/distrust/cli/render"
	"github.com/distributed-trust/distrust/cli/terminal"
	"github.com/distributed-trust/distrust/records/home"
	"github.com/distributed-trust/distrust/schema"
	"github.com/distributed-trust/distrust/sshsig/signer"
)

func initCommand(*Env) *Command {
	return &Command{
		Name: "init", Operands: "[URL]", Min: 0, Max: 1, Group: Own,
		Summary: "make your home, or join the one that you have elsewhere",
		Text: `Without a URL: makes a home on this machine; other commands do that by themselves when they need one. With the URL of ` +
			`an empty repository: makes a home and publishes it there; a path that does not exist yet is made. With the URL of your ` +
			`home: takes it over, and prints what to run on a machine that can sign if this machine's key is not in it yet. Again: changes ` +
			`what your head says about you.`,
		Flags: append([]urfave.Flag{
			&urfave.StringFlag{Name: "name", Usage: "suggest `NAME` to those who follow you"},
			&urfave.StringFlag{Name: "contact", Usage: "a mailto: or https: `URL` for messages"},
			&urfave.StringFlag{Name: "publish-as", Usage: "followers fetch from `URL`, you push elsewhere"},
			&urfave.StringSliceFlag{Name: "project", Usage: "you speak about `PATTERN` (repeatable)"},
			&urfave.BoolFlag{Name: insecureFlagName, Usage: "allow http:// and git://"},
		}, signFlags()...),
		Examples: []Example{
			{"distrust init", "a home on this machine only"},
			{"distrust init git@example.org:alice/trust.git --publish-as https://example.org/alice/trust.git", "publish, or join on a second machine"},
			{"distrust init --name 'Alice Example' --project github:alice/", "change what your head says"},
		},
		Exits: []Exit{Refused, NotSetUp, Unreachable},
		Run:   runInit,
	}
}

// runInit makes, joins or edits the home.
func runInit(ctx context.Context, in *Invocation) (Exit, error) {
	profile, err := in.profile()
	if err != nil {
		return Usage, err
	}
	m, unlock, err := in.lockedMachine(ctx)
	if err != nil {
		return Failed, err
	}
	defer unlock()
	remote := ""
	if len(in.Operands) == 1 {
		if remote, err = remoteURL(in.Operands[0]); err != nil {
			return Failed, err
		}
	}
	h, err := m.home(ctx)
	switch {
	case err == nil:
		defer func() { h.Close() }()
		return m.initAgain(ctx, &h, remote, profile)
	case !errors.Is(err, home.ErrNoHome):
		return Failed, err
	case remote == "":
		var s signer.Signer
		if h, s, err = m.createHome(ctx, profile); err == nil {
			m.sayHome(h, s)
		}
	default:
		h, err = m.joinOrCreate(ctx, remote, profile)
	}
	if err != nil {
		return Failed, err
	}
	defer h.Close()
	return Done, m.refresh(ctx, h)
}

// profile reads the flags that change what the head says.
func (in *Invocation) profile() (home.Profile, error) {
	p := home.Profile{Name: in.String("name"), Contact: in.String("contact"), URL: in.String("publish-as")}
	for _, typed := range in.Strings("project") {
		pattern, err := schema.NormalizePattern(typed)
		if err != nil {
			return p, BadValue("project", err)
		}
		p.Projects = append(p.Projects, pattern)
	}
	if p.Name != "" {
		if err := schema.ValidText(p.Name); err != nil {
			return p, BadValue("name", err)
		}
	}
	if p.Contact != "" && !strings.HasPrefix(p.Contact, "mailto:") && !strings.HasPrefix(p.Contact, "https:") {
		return p, BadValue("contact", errors.New("a contact is a mailto: or an https: address"))
	}
	return p, nil
}

// remoteURL is the remote as it is remembered: a path becomes absolute.
func remoteURL(typed string) (string, error) {
	if !isLocalPath(typed) {
		return typed, nil
	}
	return filepath.Abs(typed)
}

// isLocalPath says whether a remote is a folder on this machine: no scheme, and no host in front
// of a colon.
func isLocalPath(remote string) bool {
	if strings.Contains(remote, "://") {
		return false
	}
	host, _, hasColon := strings.Cut(remote, ":")
	return !hasColon || strings.ContainsAny(host, "/"+string(filepath.Separator)) || filepath.VolumeName(remote) != ""
}

// createHome makes a home on this machine only. No key is asked for, or made, where none can be.
func (m *machine) createHome(ctx context.Context, profile home.Profile) (*home.Home, signer.Signer, error) {
	dir := m.homeDir()
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return nil, nil, fmt.Errorf("creating home %s: %w", dir, home.ErrNotEmpty)
	}
	s, err := m.signer(ctx, nil)
	if err != nil {
		return nil, nil, err
	}
	profile.KeyName = m.machineName()
	h, err := home.Create(ctx, dir, s, profile, rand.Reader, m.options())
	return h, s, err
}

// machineName is what the first key of a log is called: where it lives.
func (m *machine) machineName() string {
	name, err := os.Hostname()
	if err != nil || schema.ValidText(name) != nil || name == "" {
		return "this machine"
	}
	return name
}

func (m *machine) sayHome(h *home.Home, s signer.Signer) {
	fmt.Fprintf(m.env.Stdout, "home  %s\n", render.Escape(h.Dir()))
	fmt.Fprintf(m.env.Stdout, "log   %s\n", h.LogID())
	fmt.Fprintf(m.env.Stdout, "key   %s  %s\n", s.Key().Fingerprint(), render.Escape(s.Origin()))
	m.env.sayKeys(h.Head())
}

// joinOrCreate takes over the log at a URL, or makes one and publishes it when nothing is there.
func (m *machine) joinOrCreate(ctx context.Context, remote string, profile home.Profile) (*home.Home, error) {
	insecure := m.in.Bool(insecureFlagName)
	if isLocalPath(remote) {
		made, err := home.MakeRemote(remote)
		if err != nil {
			return nil, err
		}
		if made {
			m.env.say("made an empty repository: " + remote)
		}
	}
	h, err := home.Join(ctx, m.homeDir(), remote, m.homeAccess(insecure), m.env.Now())
	if errors.Is(err, home.ErrEmptyRemote) {
		return m.createAt(ctx, remote, profile)
	}
	if err != nil {
		return nil, cannotJoin(err)
	}
	if err := m.mayJoin(h.LogID(), remote); err != nil {
		return nil, errors.Join(err, h.Close(), os.RemoveAll(h.Dir())) // all of it came from the remote just now
	}
	if err := m.publishAlways(); err != nil {
		return h, err
	}
	doc := h.Head().Doc()
	fmt.Fprintf(m.env.Stdout, "joined %s\n", render.Escape(remote))
	fmt.Fprintf(m.env.Stdout, "log    %s of %s, head %d of %s, %s\n", doc.Log, render.Escape(nameOr(doc.Name, "nobody named")), doc.Seq, render.Date(doc.Issued), count(int(doc.Records), "record"))
	s, err := m.signer(ctx, h)
	if err != nil {
		return h, err
	}
	if err := h.CheckSigner(s); err != nil {
		m.env.say("this machine's key is not in the log yet, so it can read and not sign")
		_, hint := advise(err)
		m.env.hint(hint)
	}
	return h, nil
}

// publishAlways has every sync publish: the user named the place where (C3).
func (m *machine) publishAlways() error {
	return config.EditConfig(m.dirs, func(c *config.Config) { c.Publish = config.PublishAuto })
}

// mayJoin refuses to take for the user's own word what they follow as somebody else's.
func (m *machine) mayJoin(log, remote string) error {
	for _, s := range m.sources {
		if s.Log == log {
			return fail(Failed, fmt.Errorf("%s holds the log of %s, whom you follow", remote, s.Name),
				"if it is your own", render.Words("distrust", "unfollow", s.Name)...)
		}
	}
	return nil
}

// cannotJoin is the error of a remote that holds something, and no log that could be the user's.
func cannotJoin(err error) error {
	if errors.Is(err, home.ErrNotHome) {
		return fail(Refused, err, "check the address: to publish there, the repository has to be empty")
	}
	if errors.Is(err, home.ErrUnsealed) {
		return fail(Refused, err, "on the machine that publishes there, run", render.Words("distrust", "seal")...)
	}
	return err
}

func nameOr(name, other string) string {
	if name == "" {
		return other
	}
	return name
}

// createAt makes a home and publishes it at an empty remote.
func (m *machine) createAt(ctx context.Context, remote string, profile home.Profile) (*home.Home, error) {
	h, s, err := m.createHome(ctx, withURL(profile, "", remote))
	if err != nil {
		return nil, err
	}
	m.sayHome(h, s)
	return h, m.publishAt(ctx, h, remote)
}

// publishAt sets the remote of a home and publishes there, now and at every sync.
func (m *machine) publishAt(ctx context.Context, h *home.Home, remote string) error {
	if err := h.SetRemote(remote); err != nil {
		return err
	}
	if err := m.publishAlways(); err != nil {
		return err
	}
	result, err := h.Sync(ctx, home.SyncOptions{
		Options: m.options(), Access: m.homeAccess(m.in.Bool(insecureFlagName)),
		Publish: func(n int, url string) (bool, error) {
			if n > 0 {
				m.env.say(fmt.Sprintf("publishing %s to %s", headWith(n), url))
			}
			return true, nil
		},
		Signer: m.signerOf(h),
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(m.env.Stdout, "published %s at %s\n", headWith(result.Published), render.Escape(remote))
	return nil
}

// initAgain edits the home that is there already: its profile, and where it is published.
func (m *machine) initAgain(ctx context.Context, h **home.Home, remote string, profile home.Profile) (Exit, error) {
	publish := false
	if remote != "" && remote != (*h).Remote() {
		var err error
		if publish, err = m.moveRemote(ctx, h, remote, profile); err != nil {
			return Failed, err
		}
		if publish {
			profile = withURL(profile, (*h).Head().Doc().URL, remote)
		}
	}
	s, err := m.signer(ctx, *h)
	if err != nil {
		return Failed, err
	}
	written, err := (*h).SetProfile(ctx, s, profile, m.options())
	if err != nil {
		return Failed, err
	}
	m.sayHome(*h, s)
	switch {
	case publish:
		if err := m.publishAt(ctx, *h, remote); err != nil {
			return Failed, err
		}
	case written != nil:
		m.env.say("your head says so from now on; publish it with: distrust sync")
	}
	return Done, m.refresh(ctx, *h)
}

// withURL has a head that names no address yet name the remote, unless that is a folder of this
// machine.
func withURL(profile home.Profile, known, remote string) home.Profile {
	if profile.URL == "" && known == "" && !isLocalPath(remote) {
		profile.URL = remote
	}
	return profile
}

// moveRemote looks at another remote for a home: an empty one, or one that holds this very log, is
// to be published at. One that holds another log of the user's is joined, and the records made
// here are signed again for it after a yes.
func (m *machine) moveRemote(ctx context.Context, h **home.Home, remote string, profile home.Profile) (publish bool, err error) {
	probe := (*h).Dir() + ".joining"
	if err := os.RemoveAll(probe); err != nil {
		return false, err
	}
	defer os.RemoveAll(probe)
	if isLocalPath(remote) {
		if _, err := home.MakeRemote(remote); err != nil {
			return false, err
		}
	}
	other, err := home.Join(ctx, probe, remote, m.homeAccess(m.in.Bool(insecureFlagName)), m.env.Now())
	if errors.Is(err, home.ErrEmptyRemote) {
		return true, nil
	}
	if err != nil {
		return false, cannotJoin(err)
	}
	log := other.LogID()
	other.Close()
	if log == (*h).LogID() {
		return true, nil
	}
	if err := m.mayJoin(log, remote); err != nil {
		return false, err
	}
	if (*h).Remote() != "" {
		return false, fail(Failed, fmt.Errorf("%s holds another log than your home, which is published at %s", remote, (*h).Remote()),
			"move the home away first", render.Words("mv", (*h).Dir(), (*h).Dir()+"-old")...)
	}
	return false, m.rejoin(ctx, h, remote, profile)
}

// rejoin replaces an unpublished home by the log at remote. The old one is kept beside it.
func (m *machine) rejoin(ctx context.Context, h **home.Home, remote string, profile home.Profile) error {
	dir, log := (*h).Dir(), (*h).LogID()
	var docs []schema.Record
	all, err := (*h).Records(ctx)
	if err != nil {
		return err
	}
	for _, r := range all {
		docs = append(docs, r.Doc())
	}
	(*h).Close()
	kept := filepath.Join(filepath.Dir(dir), "home-"+log[:8])
	if err := os.Rename(dir, kept); err != nil {
		return fmt.Errorf("keeping the old home: %w", err)
	}
	m.env.say("your unpublished home is kept as " + kept)
	joined, err := m.joinOrCreate(ctx, remote, profile)
	if joined != nil {
		*h = joined
	} else if back := os.Rename(kept, dir); back != nil {
		return errors.Join(err, back)
	} else if *h, back = home.Open(ctx, dir); back != nil {
		return errors.Join(err, back)
	}
	if err != nil || len(docs) == 0 {
		return err
	}
	return m.signAgain(ctx, *h, docs)
}

// signAgain takes the records of a former home into the joined log, after a yes.
func (m *machine) signAgain(ctx context.Context, h *home.Home, docs []schema.Record) error {
	docs = slices.DeleteFunc(docs, func(d schema.Record) bool { return d.Kind == schema.KindWithdraw })
	yes := false
	tty, err := m.in.Terminal()
	switch {
	case err == nil:
		defer tty.Close()
		yes, err = tty.Confirm(ctx, fmt.Sprintf("Sign its %d records again for the joined log", len(docs)))
	case errors.Is(err, terminal.ErrCannotAsk):
		err = nil
	}
	if err != nil {
		return err
	}
	if !yes {
		m.env.say("its records were not taken over")
		return nil
	}
	s, err := m.signer(ctx, h)
	if err != nil {
		return err
	}
	_, err = h.Write(ctx, s, docs, m.options())
	return err
}

// isSSH says whether a remote is reached over ssh: ssh://, or user@host:path.
func isSSH(remote string) bool {
	return strings.HasPrefix(remote, "ssh://") || !strings.Contains(remote, "://") && !isLocalPath(remote)
}
