package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	urfave "github.com/urfave/cli/v2"

	"github.com/distributed-trust/distrust/cli/config"
	"github.com/distributed-trust/distrust/cli/render"
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
			textsFlag("project", "you speak about `PATTERN` (repeatable)"),
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

// publishAlways has every sync publish: the user named the place where (C3).
func (m *machine) publishAlways() error {
	return config.EditConfig(m.dirs, func(c *config.Config) { c.Publish = config.PublishAuto })
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

// isSSH says whether a remote is reached over ssh: ssh://, or user@host:path.
func isSSH(remote string) bool {
	return strings.HasPrefix(remote, "ssh://") || !strings.Contains(remote, "://") && !isLocalPath(remote)
}
