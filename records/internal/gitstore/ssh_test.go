package gitstore

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/distributed-trust/distrust/records/internal/testkit"
)

// sshHost is an ssh server that runs git, and nothing else, for one key.
type sshHost struct {
	address string
	key     ssh.Signer // the host's
	second  ssh.Signer // another one of the host's
	user    ed25519.PrivateKey
	// run answers a command instead of git.
	run func(channel ssh.Channel)
}

func newKey(t testing.TB) (ed25519.PrivateKey, ssh.Signer) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return private, signer
}

func serveSSH(t testing.TB, run ...func(ssh.Channel)) *sshHost {
	t.Helper()
	h := &sshHost{}
	if len(run) > 0 {
		h.run = run[0]
	}
	_, h.key = newKey(t)
	var user ssh.Signer
	h.user, user = newKey(t)
	config := &ssh.ServerConfig{PublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
		if string(key.Marshal()) == string(user.PublicKey().Marshal()) {
			return nil, nil
		}
		return nil, errors.New("another key")
	}}
	config.AddHostKey(h.key)
	second, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if h.second, err = ssh.NewSignerFromKey(second); err != nil {
		t.Fatal(err)
	}
	config.AddHostKey(h.second)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h.address = l.Addr().String()
	var running sync.WaitGroup
	t.Cleanup(func() { l.Close(); running.Wait() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			running.Add(1)
			go func() {
				defer running.Done()
				defer conn.Close()
				h.serve(t, conn, config)
			}()
		}
	}()
	return h
}

func (h *sshHost) serve(t testing.TB, conn net.Conn, config *ssh.ServerConfig) {
	c, channels, requests, err := ssh.NewServerConn(conn, config)
	if err != nil {
		return
	}
	defer c.Close()
	go ssh.DiscardRequests(requests)
	for offered := range channels {
		channel, requests, err := offered.Accept()
		if err != nil {
			return
		}
		go func() {
			defer channel.Close()
			for r := range requests {
				if r.Type != "exec" {
					r.Reply(false, nil)
					continue
				}
				var command struct{ Text string }
				ssh.Unmarshal(r.Payload, &command)
				r.Reply(true, nil)
				status := struct{ Code uint32 }{}
				if h.run != nil {
					h.run(channel)
				} else {
					status.Code = h.git(channel, command.Text)
				}
				channel.SendRequest("exit-status", false, ssh.Marshal(status))
				return
			}
		}()
	}
}

// git runs the two commands that git hosts run, with the words that a shell
// would make of them.
func (h *sshHost) git(channel ssh.Channel, command string) uint32 {
	service, path, _ := strings.Cut(command, " ")
	if service != "git-upload-pack" && service != "git-receive-pack" || !strings.HasPrefix(path, "'") || strings.Count(path, "'") != 2 {
		io.WriteString(channel.Stderr(), "only git\n")
		return 1
	}
	cmd := exec.Command("git", strings.TrimPrefix(service, "git-"), strings.Trim(path, "'"))
	cmd.Env, cmd.Stdout, cmd.Stderr = testkit.Env(), channel, channel.Stderr()
	in, err := cmd.StdinPipe()
	if err != nil || cmd.Start() != nil {
		return 1
	}
	go func() { io.Copy(in, channel); in.Close() }()
	if cmd.Wait() != nil {
		return 128
	}
	return 0
}

// access is how a user reaches the host who knows it already.
func (h *sshHost) access(t testing.TB) SSH { return h.knownBy(t, h.key) }

func (h *sshHost) knownBy(t testing.TB, key ssh.Signer) SSH {
	t.Helper()
	known := filepath.Join(t.TempDir(), "known_hosts")
	host, port, err := net.SplitHostPort(h.address)
	if err != nil {
		t.Fatal(err)
	}
	line := "# comment\n[" + host + "]:" + port + " " + string(ssh.MarshalAuthorizedKey(key.PublicKey()))
	if err := os.WriteFile(known, []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	return SSH{Agent: serveAgent(t, h.user), KnownHosts: []string{known}}
}

// serveAgent is an ssh agent that holds keys.
func serveAgent(t testing.TB, keys ...ed25519.PrivateKey) string {
	t.Helper()
	ring := agent.NewKeyring()
	for _, k := range keys {
		if err := ring.Add(agent.AddedKey{PrivateKey: k}); err != nil {
			t.Fatal(err)
		}
	}
	socket := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				agent.ServeAgent(ring, conn)
			}()
		}
	}()
	return socket
}

func TestSSHFetch(t *testing.T) {
	t.Parallel()
	repo := newRepo(t, trustFiles())
	h := serveSSH(t)
	s := openStore(t, filepath.Join(t.TempDir(), "store"))
	opt := FetchOptions{URL: "ssh://git@" + h.address + repo, Access: Access{SSH: h.access(t)}}
	tip, err := s.Fetch(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	checkFiles(t, s, tip.Commit, trustFiles())
	commitFiles(t, repo, map[string]string{"keys/2.yml": "x"}, "more")
	opt.Known = tip.Commit
	if again, err := s.Fetch(t.Context(), opt); err != nil || again == tip {
		t.Errorf("%+v, %v", again, err)
	}
	// A host that is known by one of its keys has to show that one.
	opt.SSH = h.knownBy(t, h.second)
	if _, err := s.Fetch(t.Context(), opt); err != nil {
		t.Errorf("known by its other key: %v", err)
	}
	for _, c := range []struct {
		name   string
		change func(o *FetchOptions)
		want   error
	}{
		{"no repository", func(o *FetchOptions) { o.URL += "/none" }, ErrNotRepository},
		{"quotes", func(o *FetchOptions) { o.URL += "/'; touch x; '" }, ErrNotRepository},
		{"no key", func(o *FetchOptions) { o.SSH.Agent = "" }, ErrAuth},
		{"another key", func(o *FetchOptions) { k, _ := newKey(t); o.SSH.Agent = serveAgent(t, k) }, ErrAuth},
		{"an agent that is gone", func(o *FetchOptions) { o.SSH.Agent += ".gone" }, ErrAuth},
		{"nobody listens", func(o *FetchOptions) { o.URL = "ssh://git@127.0.0.1:1/x" }, ErrUnreachable},
		{"no file of known hosts", func(o *FetchOptions) { o.SSH.KnownHosts = nil }, ErrUnknownHost},
	} {
		o := opt
		c.change(&o)
		if _, err := s.Fetch(t.Context(), o); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

// An unknown host is asked about once, with the fingerprint, and remembered; a
// host that shows another key is never asked about.
func TestSSHFirstContact(t *testing.T) {
	t.Parallel()
	repo := newRepo(t, trustFiles())
	h := serveSSH(t)
	access := h.access(t)
	known := filepath.Join(t.TempDir(), "new", "known_hosts")
	access.KnownHosts = []string{known, filepath.Join(t.TempDir(), "none")}
	opt := FetchOptions{URL: "ssh://git@" + h.address + repo, Access: Access{SSH: access}}
	s := openStore(t, filepath.Join(t.TempDir(), "store"))
	var unknown *HostKeyError
	if _, err := s.Fetch(t.Context(), opt); !errors.As(err, &unknown) || unknown.Changed || unknown.Fingerprint != ssh.FingerprintSHA256(h.key.PublicKey()) {
		t.Fatalf("nobody to ask: %v", err)
	}
	asked := 0
	no := errors.New("no")
	opt.SSH.AcceptHost = func(_ context.Context, shown HostKey) error { asked++; return no }
	if _, err := s.Fetch(t.Context(), opt); !errors.Is(err, no) || asked != 1 || exists(known) {
		t.Fatalf("refused: %v, asked %d times", err, asked)
	}
	opt.SSH.AcceptHost = func(_ context.Context, shown HostKey) error {
		if asked++; shown.Fingerprint != unknown.Fingerprint || shown.Type != "ssh-ed25519" {
			t.Errorf("shown %+v", shown)
		}
		return nil
	}
	for range 2 {
		if _, err := s.Fetch(t.Context(), opt); err != nil || asked != 2 {
			t.Fatalf("accepted: %v, asked %d times", err, asked)
		}
	}
	_, other := newKey(t)
	b, err := os.ReadFile(known)
	if err != nil {
		t.Fatal(err)
	}
	host, _, _ := strings.Cut(string(b), " ")
	if err := os.WriteFile(known, []byte(host+" "+string(ssh.MarshalAuthorizedKey(other.PublicKey()))), 0o600); err != nil {
		t.Fatal(err)
	}
	var changed *HostKeyError
	if _, err := s.Fetch(t.Context(), opt); !errors.As(err, &changed) || !changed.Changed || errors.Is(err, ErrUnknownHost) || asked != 2 || !strings.HasPrefix(changed.Known, known+":1") {
		t.Errorf("another key: %v", err)
	}
	if err := os.WriteFile(known, []byte("@revoked "+host+" "+string(ssh.MarshalAuthorizedKey(h.key.PublicKey()))), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Fetch(t.Context(), opt); err == nil || asked != 2 {
		t.Errorf("a revoked key: %v", err)
	}
}

// Over ssh too, what a server sends is counted and waited for only so long.
func TestHostileSSH(t *testing.T) {
	t.Parallel()
	line := strings.Repeat("1", 40) + " refs/heads/main\x00ofs-delta\n"
	for name, c := range map[string]struct {
		run    func(ssh.Channel)
		option string
	}{
		"endless references": {func(c ssh.Channel) {
			pktLine(c, line)
			for {
				if _, err := io.WriteString(c, "003f"+strings.Repeat("1", 40)+" refs/heads/xxxxxx\n"); err != nil {
					return
				}
			}
		}, "advertisement"},
		"silence": {func(c ssh.Channel) { pktLine(c, line); io.Copy(io.Discard, c) }, "idle"},
		"endless words": {func(c ssh.Channel) {
			for {
				if _, err := io.WriteString(c.Stderr(), "word\n"); err != nil {
					return
				}
			}
		}, "idle"}, // words are no answer
		"bomb": {func(c ssh.Channel) {
			pktLine(c, strings.Repeat("1", 40)+" HEAD\x00ofs-delta symref=HEAD:refs/heads/main\n")
			pktLine(c, strings.Repeat("1", 40)+" refs/heads/main\n")
			io.WriteString(c, "0000")
			io.Copy(io.Discard, c)
			pktLine(c, "NAK\n")
			c.Write(bomb())
		}, "object"},
	} {
		h := serveSSH(t, c.run)
		access := h.access(t)
		s := openStore(t, filepath.Join(t.TempDir(), "store"))
		l := Limits{Idle: 300 * time.Millisecond, Timeout: 600 * time.Millisecond}
		if c.option == "advertisement" || c.option == "object" {
			l = Limits{}
		}
		var limit *LimitError
		_, err := s.Fetch(t.Context(), FetchOptions{URL: "ssh://git@" + h.address + "/x", Limits: l, Access: Access{SSH: access}})
		if !errors.As(err, &limit) || limit.Option != c.option {
			t.Errorf("%s: %v", name, err)
		}
		noLeftovers(t, s)
	}
}
