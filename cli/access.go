package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/distributed-trust/distrust/cli/render"
	"github.com/distributed-trust/distrust/records/home"
	"github.com/distributed-trust/distrust/records/source"
)

// homeAccess is how the user's own remote is reached: a person typed its URL.
func (m *machine) homeAccess(insecure bool) home.Remote {
	return home.Remote{Typed: true, Insecure: insecure, Credentials: m.credentials, SSH: m.ssh()}
}

// sourceAccess is how sources are reached.
func (m *machine) sourceAccess() source.Access {
	return source.Access{Credentials: m.credentials, SSH: m.ssh()}
}

// ssh is how ssh remotes are reached: the agent's keys, and the user's known hosts, which an
// accepted host is added to, as ssh does (S3.6).
func (m *machine) ssh() source.SSH {
	settings := source.SSH{Agent: m.env.Getenv("SSH_AUTH_SOCK"), AcceptHost: m.acceptHost}
	if home, err := m.env.UserHome(); err == nil {
		settings.KnownHosts = []string{filepath.Join(home, ".ssh", "known_hosts")}
	}
	return settings
}

// errHostRefused means that the user did not accept an unknown ssh host.
var errHostRefused = errors.New("the host was not accepted")

// acceptHost asks about an unknown host in ssh's words; only the whole word yes, or the whole
// fingerprint, is a yes.
func (m *machine) acceptHost(ctx context.Context, h source.HostKey) error {
	tty, err := m.in.Terminal()
	if err != nil {
		return err
	}
	defer tty.Close()
	text := fmt.Sprintf("The authenticity of host '%s (%s)' can't be established.\n%s key fingerprint is %s.\n",
		render.Escape(h.Host), render.Escape(h.Address), render.Escape(h.Type), h.Fingerprint)
	if err := tty.Print(text); err != nil {
		return err
	}
	answer, err := tty.Choose(ctx, "Are you sure you want to continue connecting (yes/no/[fingerprint])?", "yes", "no", h.Fingerprint)
	if err != nil {
		return err
	}
	if answer != "yes" && answer != h.Fingerprint {
		return errHostRefused
	}
	return nil
}

// credentials asks git's credential helpers for an https remote, when there is a git (S3.6). No
// git, and no helper that knows, is no error: the fetch is tried without.
func (m *machine) credentials(ctx context.Context, remote string) (user, secret string, err error) {
	program, err := m.env.LookPath("git")
	if err != nil {
		return "", "", nil
	}
	// The configuration of a repository that we happen to stand in, which came with what is to be checked
	// perhaps, names programs, too: it has no say.
	home, err := m.env.UserHome()
	if err != nil {
		return "", "", nil
	}
	at, err := url.Parse(remote)
	if err != nil || at.Host == "" || strings.ContainsAny(remote, "\n\r\x00") {
		return "", "", nil
	}
	command := exec.CommandContext(ctx, program, "credential", "fill")
	command.Dir = home
	command.Env = append(m.env.Environ(), "GIT_TERMINAL_PROMPT=0", "GIT_ASKPASS=", "SSH_ASKPASS=")
	command.Stdin = strings.NewReader(fmt.Sprintf("protocol=%s\nhost=%s\npath=%s\n\n", at.Scheme, at.Host, strings.TrimPrefix(at.Path, "/")))
	var out bytes.Buffer
	command.Stdout = &out
	if err := command.Run(); err != nil {
		return "", "", ctx.Err()
	}
	for line := range strings.Lines(out.String()) {
		key, value, _ := strings.Cut(strings.TrimRight(line, "\n"), "=")
		switch key {
		case "username":
			user = value
		case "password":
			secret = value
		}
	}
	return user, secret, nil
}
