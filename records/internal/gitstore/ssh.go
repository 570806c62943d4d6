package gitstore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
	xknownhosts "golang.org/x/crypto/ssh/knownhosts"
)

// SSH is what a connection over ssh needs. Nothing is taken from the
// environment or from ~/.ssh/config.
type SSH struct {
	Agent      string   // the agent's socket; empty: no agent
	KnownHosts []string // known_hosts files; an accepted host is added to the first

	// AcceptHost is asked once about a host that no file knows, as ssh asks; an
	// error refuses it. nil: every unknown host is refused.
	AcceptHost func(ctx context.Context, h HostKey) error
}

// HostKey is the key that a host showed.
type HostKey struct {
	Host        string // with the port, as known_hosts writes it
	Address     string
	Type        string
	Fingerprint string // SHA256:…

	key ssh.PublicKey
}

// A HostKeyError says that a host is not known (ErrUnknownHost), or that it
// showed another key than the known one.
type HostKeyError struct {
	HostKey
	Changed bool
	Known   string // file and line of the known key
}

func (e *HostKeyError) Error() string {
	if e.Changed {
		return fmt.Sprintf("host %s shows another key than the known one (%s): %s %s", e.Host, e.Known, e.Type, e.Fingerprint)
	}
	return fmt.Sprintf("host %s is not known: %s %s", e.Host, e.Type, e.Fingerprint)
}

// Is makes an unknown host ErrUnknownHost; a changed key is no such thing.
func (e *HostKeyError) Is(target error) bool { return target == ErrUnknownHost && !e.Changed }

// remember adds an accepted host to the first known_hosts file.
func (s SSH) remember(h HostKey) (err error) {
	if len(s.KnownHosts) == 0 {
		return nil
	}
	name := s.KnownHosts[0]
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return fmt.Errorf("remembering a host: %w", err)
	}
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("remembering a host: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	text := knownhosts.Line([]string{h.Host}, h.key) + "\n"
	var last [1]byte
	if info, err := f.Stat(); err == nil && info.Size() > 0 {
		if _, err := f.ReadAt(last[:], info.Size()-1); err == nil && last[0] != '\n' {
			text = "\n" + text
		}
	}
	_, err = f.WriteString(text)
	return err
}

// hostKeys says which keys a host may show, and which kinds to ask it for: a
// host known by one key must not answer with another kind.
func (s SSH) hostKeys(address string, known *answers, failed *error) (ssh.HostKeyCallback, []string, error) {
	var files []string
	for _, name := range s.KnownHosts {
		if _, err := os.Stat(name); err == nil {
			files = append(files, name)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return nil, nil, fmt.Errorf("reading known hosts: %w", err)
		}
	}
	db, err := knownhosts.NewDB(files...)
	if err != nil {
		return nil, nil, fmt.Errorf("reading known hosts: %w", err)
	}
	check := func(host string, where net.Addr, key ssh.PublicKey) error {
		err := db.HostKeyCallback()(host, where, key)
		if err == nil {
			return nil
		}
		shown := HostKeyError{HostKey: HostKey{
			Host: knownhosts.Normalize(host), Address: where.String(),
			Type: key.Type(), Fingerprint: ssh.FingerprintSHA256(key), key: key,
		}}
		switch {
		case knownhosts.IsHostKeyChanged(err):
			shown.Changed = true
			shown.Known = knownLine(err)
		case !knownhosts.IsHostUnknown(err):
			*failed = fmt.Errorf("host %s: %w", shown.Host, err) // a revoked key
			return *failed
		case known.host != nil && known.host.Host == shown.Host && known.host.Fingerprint == shown.Fingerprint:
			return nil
		}
		*failed = &shown
		return *failed
	}
	algorithms := db.HostKeyAlgorithms(address)
	if len(algorithms) == 0 { // a new host: the kinds in OpenSSH's order, so that the key is the one that is published
		algorithms = []string{
			ssh.KeyAlgoED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521,
			ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256,
		}
	}
	return check, algorithms, nil
}

// knownLine says where the known key stands.
func knownLine(err error) string {
	var e *xknownhosts.KeyError
	if !errors.As(err, &e) || len(e.Want) == 0 {
		return ""
	}
	return fmt.Sprintf("%s:%d", e.Want[0].Filename, e.Want[0].Line)
}

// dialTimeout is how long a host may take to answer at all.
const dialTimeout = 15 * time.Second

// dialSSH runs the service on the host and holds the conversation over it.
// go-git's own ssh transport takes no context, reads the environment and lets
// nobody count what it reads.
func dialSSH(ctx context.Context, to remote, opt SSH, l line, want service, known *answers) (session, error) {
	port, user := to.port, to.user
	if port == "" {
		port = "22"
	}
	if user == "" {
		user = "git"
	}
	address := net.JoinHostPort(to.host, port)
	var refused error
	check, algorithms, err := opt.hostKeys(address, known, &refused)
	if err != nil {
		return nil, err
	}
	signers, done, agentErr := opt.signers(ctx)
	defer done()
	conn, err := (&net.Dialer{Timeout: dialTimeout}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	c, channels, requests, err := ssh.NewClientConn(conn, address, &ssh.ClientConfig{
		User:              user,
		Auth:              []ssh.AuthMethod{ssh.PublicKeys(signers...)},
		HostKeyCallback:   check,
		HostKeyAlgorithms: algorithms,
	})
	if err != nil {
		stop()
		conn.Close()
		var denied *ssh.ServerAuthError
		switch {
		case refused != nil:
			return nil, refused
		case errors.As(err, &denied), strings.Contains(err.Error(), "unable to authenticate"):
			return nil, named(ErrAuth, errors.Join(fmt.Errorf("%d keys were offered", len(signers)), agentErr))
		}
		return nil, named(ErrUnreachable, err)
	}
	client := ssh.NewClient(c, channels, requests)
	s, err := runSSH(client, l, string(want)+" "+shellQuote(to.path))
	if err != nil {
		stop()
		client.Close()
		return nil, named(ErrUnreachable, err)
	}
	s.end = func() error { stop(); return client.Close() }
	return s, nil
}

// signers gives the keys of the agent; done lets it go. An agent that is gone is
// no reason to stop, as it is none for ssh: the host may be content without, and
// when it is not, err says why.
func (s SSH) signers(ctx context.Context) (keys []ssh.Signer, done func(), err error) {
	done = func() {}
	if s.Agent == "" {
		return nil, done, nil
	}
	conn, err := new(net.Dialer).DialContext(ctx, "unix", s.Agent)
	if err == nil {
		done = func() { conn.Close() }
		keys, err = agent.NewClient(conn).Signers()
	}
	if err != nil {
		err = fmt.Errorf("reaching the ssh agent: %w", err)
	}
	return keys, done, err
}

// runSSH starts a command on the host.
func runSSH(client *ssh.Client, l line, command string) (*stream, error) {
	session, err := client.NewSession()
	if err != nil {
		return nil, err
	}
	in, err := session.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := session.StdoutPipe()
	if err != nil {
		return nil, err
	}
	words := &tail{}
	session.Stderr = words
	if err := session.Start(command); err != nil {
		return nil, err
	}
	said := func() string { return words.String() }
	return &stream{line: l, in: in, out: out, said: said}, nil
}

// tail keeps the beginning of what a server says to people, and takes the rest
// away so that it does not wait.
type tail struct {
	mu   sync.Mutex
	text []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if left := 1024 - len(t.text); left > 0 {
		t.text = append(t.text, p[:min(left, len(p))]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.text))
}

// shellQuote makes one word of a path for the shell at the other end.
func shellQuote(s string) string {
	return "'" + strings.NewReplacer("'", `'\''`, "!", `'\!'`).Replace(s) + "'"
}
