package signer_test

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/distributed-trust/distrust/sshsig"
	"github.com/distributed-trust/distrust/sshsig/signer"
)

// machine is a home folder with the real OpenSSH and git, and nothing of the machine's own.
type machine struct {
	t    *testing.T
	home string
	env  map[string]string
}

func newMachine(t *testing.T) *machine {
	t.Helper()
	home := t.TempDir()
	if err := os.Mkdir(filepath.Join(home, ".ssh"), 0o700); err != nil {
		t.Fatal(err)
	}
	return &machine{t: t, home: home, env: map[string]string{
		"PATH":                os.Getenv("PATH"),
		"GIT_CONFIG_NOSYSTEM": "1",
	}}
}

// need skips where a program is missing, except under CI.
func need(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("%s is missing", program)
		}
		t.Skipf("%s is missing", program)
	}
}

// sources is the machine as Find sees it.
func (m *machine) sources() signer.Sources {
	return signer.Sources{Home: m.home, AgentSocket: m.env["SSH_AUTH_SOCK"], Getenv: func(name string) string { return m.env[name] }}
}

// run runs a program on the machine and fails the test when it fails.
func (m *machine) run(stdin []byte, program string, args ...string) string {
	m.t.Helper()
	out, err := m.try(stdin, program, args...)
	if err != nil {
		m.t.Fatalf("%s %q: %v: %s", program, args, err, out)
	}
	return out
}

func (m *machine) try(stdin []byte, program string, args ...string) (string, error) {
	m.t.Helper()
	need(m.t, program)
	cmd := exec.CommandContext(m.t.Context(), program, args...)
	cmd.Dir = m.home
	cmd.Env = []string{"HOME=" + m.home}
	for name, value := range m.env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	cmd.Stdin = bytes.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// key makes a key file in ~/.ssh and returns its path and its key. All RSA keys are the same one,
// of 3072 bits, because making one takes seconds.
func (m *machine) key(name, kind, passphrase string) (string, sshsig.Key) {
	m.t.Helper()
	path := filepath.Join(m.home, ".ssh", name)
	bits := "256"
	if i := strings.IndexByte(kind, '-'); i > 0 {
		kind, bits = kind[:i], kind[i+1:]
	}
	if kind == "rsa" {
		m.write(filepath.Join(".ssh", name), rsaKeyFile(m), 0o600)
		m.run(nil, "ssh-keygen", "-q", "-c", "-P", "", "-C", name+"@example.org", "-f", path)
		if passphrase != "" {
			m.run(nil, "ssh-keygen", "-q", "-p", "-a", "1", "-P", "", "-N", passphrase, "-f", path)
		}
	} else {
		m.run(nil, "ssh-keygen", "-q", "-t", kind, "-b", bits, "-a", "1", "-N", passphrase, "-C", name+"@example.org", "-f", path)
	}
	return path, m.public(path + ".pub")
}

// weakKey makes an RSA key file that F3 refuses.
func (m *machine) weakKey() string {
	m.t.Helper()
	path := filepath.Join(m.home, ".ssh", "weak")
	m.run(nil, "ssh-keygen", "-q", "-t", "rsa", "-b", "1024", "-N", "", "-f", path)
	return path
}

var sharedRSA struct {
	sync.Mutex
	file string
}

// rsaKeyFile is an RSA key of 3072 bits that ssh-keygen made for all tests.
func rsaKeyFile(m *machine) string {
	m.t.Helper()
	sharedRSA.Lock()
	defer sharedRSA.Unlock()
	if sharedRSA.file == "" {
		path := filepath.Join(m.t.TempDir(), "rsa")
		m.run(nil, "ssh-keygen", "-q", "-t", "rsa", "-b", "3072", "-N", "", "-f", path)
		b, err := os.ReadFile(path)
		if err != nil {
			m.t.Fatal(err)
		}
		sharedRSA.file = string(b)
	}
	return sharedRSA.file
}

func (m *machine) public(path string) sshsig.Key {
	m.t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		m.t.Fatal(err)
	}
	key, _, err := sshsig.ParseAuthorizedKey(string(b))
	if err != nil {
		m.t.Fatal(err)
	}
	return key
}

// startAgent starts a real ssh-agent, which lives as long as the test.
func (m *machine) startAgent() {
	m.t.Helper()
	need(m.t, "ssh-agent")
	socket := filepath.Join(m.t.TempDir(), "s")
	cmd := exec.CommandContext(m.t.Context(), "ssh-agent", "-D", "-a", socket)
	out, err := cmd.StdoutPipe()
	if err != nil {
		m.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	// It says where it listens once it does.
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || !strings.Contains(line, socket) {
		m.t.Fatalf("ssh-agent says %q, %v", line, err)
	}
	m.env["SSH_AUTH_SOCK"] = socket
}

// hold puts a key file into the agent and takes the file away, so that only the agent can sign.
func (m *machine) hold(path string) {
	m.t.Helper()
	m.run(nil, "ssh-add", "-q", path)
	if err := os.Remove(path); err != nil {
		m.t.Fatal(err)
	}
}

// write writes a file below the home folder.
func (m *machine) write(name, content string, mode os.FileMode) string {
	m.t.Helper()
	path := filepath.Join(m.home, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		m.t.Fatal(err)
	}
	return path
}

var message = []byte("distrust: 1\nkind: \"trust\"\n")

// mustSign signs with s, which must be key's, and has the real ssh-keygen verify it by the line of F4.
func (m *machine) mustSign(s signer.Signer, key sshsig.Key) []byte {
	m.t.Helper()
	if s.Key() != key {
		m.t.Fatalf("signer of %s, want %s", s.Key(), key)
	}
	if s.Origin() == "" {
		m.t.Error("no origin")
	}
	armored, err := s.Sign(m.t.Context(), message, sshsig.NamespaceRecord)
	if err != nil {
		m.t.Fatal(err)
	}
	if got, err := sshsig.Verify(message, armored, sshsig.NamespaceRecord); err != nil || got != key {
		m.t.Fatalf("Verify = %v, %v", got, err)
	}
	const logID = "5f0c4c7e9d1b4a86b6a1c2d3e4f50617"
	allowed := m.write("check/allowed_signers", sshsig.AllowedSignersLine(logID, key)+"\n", 0o600)
	sig := m.write("check/sig", string(armored), 0o600)
	m.run(message, "ssh-keygen", "-Y", "verify", "-f", allowed, "-I", logID, "-n", string(sshsig.NamespaceRecord), "-s", sig)
	return armored
}

// keyKinds is what people have.
var keyKinds = []string{"ed25519", "ecdsa-256", "ecdsa-384", "ecdsa-521", "rsa-3072"}
