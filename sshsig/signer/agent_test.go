package signer_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/distributed-trust/distrust/sshsig"
	"github.com/distributed-trust/distrust/sshsig/signer"
)

func TestFromAgent(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.startAgent()
	keys := map[string]sshsig.Key{}
	for _, kind := range keyKinds {
		path, key := m.key("id"+kind, kind, "")
		m.hold(path)
		keys[kind] = key
	}
	for name, key := range keys {
		t.Run(name, func(t *testing.T) {
			s, err := signer.FromAgent(t.Context(), m.sources(), key)
			if err != nil {
				t.Fatal(err)
			}
			armored := m.mustSign(s, key)
			if !s.Quiet() || s.Origin() != "ssh agent" {
				t.Errorf("Quiet = %v, Origin = %q", s.Quiet(), s.Origin())
			}
			lines := strings.Split(strings.TrimSpace(string(armored)), "\n")
			wire, err := base64.StdEncoding.DecodeString(strings.Join(lines[1:len(lines)-1], ""))
			if err != nil || (key.Type() == ssh.KeyAlgoRSA && !strings.Contains(string(wire), "\x00\x00\x00\x0crsa-sha2-512")) {
				t.Errorf("rsa was not signed with rsa-sha2-512: %v", err)
			}
		})
	}
	listed, refused, err := signer.AgentKeys(t.Context(), m.env["SSH_AUTH_SOCK"])
	if err != nil || len(listed) != len(keyKinds) || refused != 0 {
		t.Errorf("AgentKeys = %v, %d, %v", listed, refused, err)
	}
	for _, k := range listed {
		if !strings.HasSuffix(k.Comment, "@example.org") {
			t.Errorf("comment %q", k.Comment)
		}
	}
}

func TestFromAgentThatLacksTheKey(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	path, key := m.key("id", "ed25519", "")
	if _, err := signer.FromAgent(t.Context(), m.sources(), key); !errors.Is(err, signer.ErrNoKey) {
		t.Errorf("no agent: %v", err)
	}
	m.startAgent()
	if _, err := signer.FromAgent(t.Context(), m.sources(), key); !errors.Is(err, signer.ErrNoKey) {
		t.Errorf("empty agent: %v", err)
	}
	m.run(nil, "ssh-add", "-q", path)
	s, err := signer.FromAgent(t.Context(), m.sources(), key)
	if err != nil {
		t.Fatal(err)
	}
	m.run(nil, "ssh-add", "-q", "-D")
	if armored, err := s.Sign(t.Context(), message, sshsig.NamespaceRecord); !errors.Is(err, signer.ErrNoKey) || armored != nil {
		t.Errorf("taken out in between: %s, %v", armored, err)
	}
	src := m.sources()
	src.AgentSocket = m.home + "/nothing"
	if _, err := signer.FromAgent(t.Context(), src, key); !errors.Is(err, signer.ErrNoKey) {
		t.Errorf("dead socket: %v", err)
	}
}

// TestAgentWithCertificates is research 1c: the certificate of a key made SHA-1 signatures.
func TestAgentWithCertificates(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	ca, _ := m.key("ca", "ed25519", "")
	path, key := m.key("id_rsa", "rsa", "")
	m.run(nil, "ssh-keygen", "-q", "-s", ca, "-I", "me", "-n", "me", path+".pub")
	m.startAgent()
	m.hold(path) // ssh-add takes the certificate beside it too
	if out := m.run(nil, "ssh-add", "-L"); !strings.Contains(out, "ssh-rsa-cert-v01@openssh.com") {
		t.Fatalf("no certificate in the agent: %s", out)
	}
	found, err := signer.Find(t.Context(), m.sources(), signer.Choice{})
	if err != nil || len(found) != 1 {
		t.Fatalf("%v, %v", found, err)
	}
	m.mustSign(found[0], key)
}

func TestAgentKeysLeavesOutWhatF3Refuses(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	weak := m.weakKey()
	m.startAgent()
	m.run(nil, "ssh-add", "-q", weak)
	keys, refused, err := signer.AgentKeys(t.Context(), m.env["SSH_AUTH_SOCK"])
	if err != nil || len(keys) != 0 || refused != 1 {
		t.Errorf("AgentKeys = %v, %d, %v", keys, refused, err)
	}
	var none *signer.NoKeyError
	if _, err := signer.Find(t.Context(), m.sources(), signer.Choice{}); !errors.As(err, &none) || !errors.Is(err, signer.ErrNoKey) {
		t.Errorf("Find: %v", err)
	}
}

func TestAgentWithSecurityKey(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	device := newSecurityKey(t)
	m.env["SSH_AUTH_SOCK"] = oddAgent{listed: []ssh.PublicKey{device.PublicKey()}, signer: device}.serve(t)
	s, err := signer.FromAgent(t.Context(), m.sources(), device.key(t))
	if err != nil {
		t.Fatal(err)
	}
	m.mustSign(s, device.key(t))
	if s.Quiet() {
		t.Error("a security key signs without a touch")
	}
}

func TestHostileAgents(t *testing.T) {
	t.Parallel()
	make25519 := func() ssh.Signer {
		_, private, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		s, err := ssh.NewSignerFromKey(private)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	named, other := make25519(), make25519()
	key, err := sshsig.KeyFromSSH(named.PublicKey())
	if err != nil {
		t.Fatal(err)
	}
	src := signer.Sources{AgentSocket: oddAgent{listed: []ssh.PublicKey{named.PublicKey()}, signer: other}.serve(t)}
	s, err := signer.FromAgent(t.Context(), src, key)
	if err != nil {
		t.Fatal(err)
	}
	if armored, err := s.Sign(t.Context(), message, sshsig.NamespaceRecord); !errors.Is(err, sshsig.ErrBadSignature) || armored != nil {
		t.Errorf("another key signed: %s, %v", armored, err)
	}

	for name, answer := range map[string]string{
		"empty message":        string(frame("")),
		"failure":              string(frame("\x05")),
		"unknown message":      string(frame("\xff")),
		"longer than it may":   "\xff\xff\xff\xff",
		"claims many keys":     string(frame("\x0c\xff\xff\xff\xff")),
		"hangs up":             "",
		"hangs up in a number": "\x00\x00",
	} {
		socket := serve(t, func(conn net.Conn) {
			_, _ = io.ReadFull(conn, make([]byte, 5))
			_, _ = conn.Write([]byte(answer))
		})
		if keys, _, err := signer.AgentKeys(t.Context(), socket); err == nil || keys != nil {
			t.Errorf("%s: %v, %v", name, keys, err)
		}
	}
}

func TestSilentAgentIsGivenUp(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	socket := serve(t, func(conn net.Conn) {
		_, _ = io.ReadFull(conn, make([]byte, 5))
		cancel()
		_, _ = io.Copy(io.Discard, conn) // until we hang up
	})
	done := make(chan error, 1)
	go func() {
		_, _, err := signer.AgentKeys(ctx, socket)
		done <- err
	}()
	select {
	case err := <-done:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%v, want context.Canceled", err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("still waiting for an agent that says nothing")
	}
	if _, err := signer.Find(ctx, signer.Sources{AgentSocket: socket}, signer.Choice{}); !errors.Is(err, context.Canceled) || errors.Is(err, signer.ErrNoKey) {
		t.Errorf("Find = %v, want context.Canceled", err)
	}
}
