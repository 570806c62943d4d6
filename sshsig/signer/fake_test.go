package signer_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/distributed-trust/distrust/sshsig"
)

// TestMain lets the test program stand in for ssh-keygen: under another name it is another program.
// It cannot be told by the environment, of which the programs that we run see little.
func TestMain(m *testing.M) {
	if run, ok := fakes[filepath.Base(os.Args[0])]; ok {
		if err := run(); err != nil {
			_, _ = os.Stderr.WriteString(err.Error() + "\n")
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// fakes by name. They find what they need in the folder that they lie in.
var fakes = map[string]func() error{
	// Says that it runs, and then nothing more.
	"fake-hang": func() error {
		conn, err := net.Dial("unix", filepath.Join(filepath.Dir(os.Args[0]), "s"))
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, conn)
		return err
	},
	"fake-fail":    func() error { return errors.New("first line\nno such device") },
	"fake-nothing": func() error { return nil },
	"fake-flood": func() error {
		_, err := os.Stdout.WriteString(strings.Repeat("ssh-ed25519 AAAA\n", 10000))
		return err
	},
	// Keeps what it was called with, and signs with the key beside it.
	"fake-sign": func() error {
		dir := filepath.Dir(os.Args[0])
		if err := os.WriteFile(filepath.Join(dir, "args"), []byte(strings.Join(os.Args[1:], "\n")), 0o600); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, "env"), []byte(strings.Join(os.Environ(), "\n")), 0o600); err != nil {
			return err
		}
		private, err := os.ReadFile(filepath.Join(dir, "key"))
		if err != nil {
			return err
		}
		device := securityKey{ed25519.NewKeyFromSeed(private)}
		file := os.Args[len(os.Args)-1]
		message, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		namespace := os.Args[slices.Index(os.Args, "-n")+1]
		armored, err := sshsig.Sign(message, device, sshsig.Namespace(namespace))
		if err != nil {
			return err
		}
		return os.WriteFile(file+".sig", armored, 0o600)
	},
	// Prints the file "key.pub" that lies beside it.
	"fake-key-command": func() error {
		line, err := os.ReadFile(filepath.Join(filepath.Dir(os.Args[0]), strings.Join(os.Args[1:], "-")))
		if err != nil {
			return err
		}
		_, err = os.Stdout.Write(line)
		return err
	},
}

// fake installs a fake program in a folder of its own.
func fake(t *testing.T, name string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.Symlink(self, path); err != nil {
		t.Fatal(err)
	}
	return path
}

// securityKey is an sk-ssh-ed25519 key in software (PROTOCOL.u2f), always touched.
type securityKey struct{ private ed25519.PrivateKey }

func newSecurityKey(t *testing.T) securityKey {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return securityKey{private}
}

// PublicKey implements ssh.Signer.
func (k securityKey) PublicKey() ssh.PublicKey {
	pub, err := ssh.ParsePublicKey(ssh.Marshal(struct {
		Name        string
		Key         []byte
		Application string
	}{ssh.KeyAlgoSKED25519, k.private.Public().(ed25519.PublicKey), "ssh:"}))
	if err != nil {
		panic(err)
	}
	return pub
}

// Sign implements ssh.Signer.
func (k securityKey) Sign(_ io.Reader, data []byte) (*ssh.Signature, error) {
	application, digest := sha256.Sum256([]byte("ssh:")), sha256.Sum256(data)
	tail := []byte{1, 0, 0, 0, 9}
	signed := slices.Concat(application[:], tail, digest[:])
	return &ssh.Signature{Format: ssh.KeyAlgoSKED25519, Blob: ed25519.Sign(k.private, signed), Rest: tail}, nil
}

func (k securityKey) key(t *testing.T) sshsig.Key {
	t.Helper()
	key, err := sshsig.KeyFromSSH(k.PublicKey())
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// file is the OpenSSH private key file of a security key, which holds a handle and no secret
// (PROTOCOL.key, PROTOCOL.u2f).
func (k securityKey) file() string {
	public := k.private.Public().(ed25519.PublicKey)
	private := ssh.Marshal(struct {
		Check1, Check2 uint32
		Kind           string
		Public         []byte
		Application    string
		Flags          byte
		Handle         []byte
		Reserved       string
		Comment        string
	}{7, 7, ssh.KeyAlgoSKED25519, public, "ssh:", 1, []byte("handle"), "", "token"})
	for i := byte(1); len(private)%8 != 0; i++ {
		private = append(private, i)
	}
	body := append([]byte("openssh-key-v1\x00"), ssh.Marshal(struct {
		Cipher, KDF, Options string
		Keys                 uint32
		Public, Private      []byte
	}{"none", "none", "", 1, k.PublicKey().Marshal(), private})...)
	return string(pem.EncodeToMemory(&pem.Block{Type: "OPENSSH PRIVATE KEY", Bytes: body}))
}

// serve listens as an agent does and lets answer treat each connection.
func serve(t *testing.T, answer func(net.Conn)) string {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "s")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				answer(conn)
			}()
		}
	}()
	return socket
}

// oddAgent is an agent that lists some keys and answers every request with one signer.
type oddAgent struct {
	agent.ExtendedAgent
	listed []ssh.PublicKey
	signer ssh.Signer
}

// List implements agent.Agent.
func (a oddAgent) List() ([]*agent.Key, error) {
	keys := make([]*agent.Key, 0, len(a.listed))
	for _, pub := range a.listed {
		keys = append(keys, &agent.Key{Format: pub.Type(), Blob: pub.Marshal(), Comment: "odd"})
	}
	return keys, nil
}

// SignWithFlags implements agent.ExtendedAgent.
func (a oddAgent) SignWithFlags(_ ssh.PublicKey, data []byte, _ agent.SignatureFlags) (*ssh.Signature, error) {
	return a.signer.Sign(rand.Reader, data)
}

// Sign implements agent.Agent.
func (a oddAgent) Sign(pub ssh.PublicKey, data []byte) (*ssh.Signature, error) {
	return a.SignWithFlags(pub, data, 0)
}

func (a oddAgent) serve(t *testing.T) string {
	t.Helper()
	a.ExtendedAgent = agent.NewKeyring().(agent.ExtendedAgent)
	return serve(t, func(conn net.Conn) { _ = agent.ServeAgent(a, conn) })
}

// frame is an agent's message.
func frame(payload string) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(payload))), payload...)
}
