package signer_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/distributed-trust/distrust/sshsig"
	"github.com/distributed-trust/distrust/sshsig/signer"
)

func TestFromSSHKeygen(t *testing.T) {
	t.Parallel()
	for _, kind := range keyKinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t)
			path, key := m.key("-n mine", kind, "")
			s, err := signer.FromSSHKeygen(m.sources(), path)
			if err != nil {
				t.Fatal(err)
			}
			m.mustSign(s, key)
			if s.Quiet() || s.Origin() != path {
				t.Errorf("Quiet = %v, Origin = %q", s.Quiet(), s.Origin())
			}
		})
	}
}

func TestFromSSHKeygenAndTheAgent(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.startAgent()
	path, key := m.key("mine", "ed25519", "")
	m.hold(path)
	s, err := signer.FromSSHKeygen(m.sources(), path+".pub")
	if err != nil {
		t.Fatal(err)
	}
	m.mustSign(s, key)
}

// TestSSHKeygenNeverAsks: where nobody may be asked, ssh-keygen is kept from asking too.
func TestSSHKeygenNeverAsks(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	path, _ := m.key("mine", "ed25519", "open sesame")
	m.env["SSH_ASKPASS"] = m.write("askpass", "#!/bin/sh\ntouch \"$HOME/asked\"\necho open sesame\n", 0o700)
	m.env["SSH_ASKPASS_REQUIRE"], m.env["DISPLAY"] = "force", ":0"
	s, err := signer.FromSSHKeygen(m.sources(), path)
	if err != nil {
		t.Fatal(err)
	}
	if armored, err := s.Sign(t.Context(), message, sshsig.NamespaceRecord); err == nil || armored != nil {
		t.Errorf("signed: %s", armored)
	}
	if _, err := os.Stat(filepath.Join(m.home, "asked")); err == nil {
		t.Error("the user's askpass was run")
	}
	src := m.sources()
	src.Passphrase = (&asker{}).ask
	if s, err = signer.FromSSHKeygen(src, path); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Sign(t.Context(), message, sshsig.NamespaceRecord); err != nil {
		t.Errorf("with the user's askpass: %v", err)
	}
}

func TestSecurityKeyFile(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	device := newSecurityKey(t)
	path := m.write(".ssh/id_ed25519_sk", device.file(), 0o600)
	// The real ssh-keygen reads the file that we made as what it should be.
	if out := m.run(nil, "ssh-keygen", "-y", "-f", path); !strings.HasPrefix(out, device.key(t).String()) {
		t.Fatalf("ssh-keygen reads %s", out)
	}
	program := fake(t, "fake-sign")
	if err := os.WriteFile(filepath.Join(filepath.Dir(program), "key"), device.private.Seed(), 0o600); err != nil {
		t.Fatal(err)
	}
	src := m.sources()
	src.SSHKeygen = program
	m.env["LD_PRELOAD"], m.env["GIT_DIR"], m.env["SSH_SK_PROVIDER"] = "/evil.so", "/evil", "/provider.so"
	found, err := signer.Find(t.Context(), src, signer.Choice{})
	if err != nil || len(found) != 1 {
		t.Fatalf("%v, %v", found, err)
	}
	m.mustSign(found[0], device.key(t))
	if found[0].Quiet() || found[0].Origin() != path || found[0].Name != "~/.ssh/id_ed25519_sk" {
		t.Errorf("%+v, quiet %v, origin %s", found[0], found[0].Quiet(), found[0].Origin())
	}
	args, err := os.ReadFile(filepath.Join(filepath.Dir(program), "args"))
	if err != nil || !strings.HasPrefix(string(args), "-Y\nsign\n-n\ndistrust/record/v1\n-f\n"+path+"\n/") {
		t.Errorf("arguments %q, %v", args, err)
	}
	env, err := os.ReadFile(filepath.Join(filepath.Dir(program), "env"))
	if err != nil || !strings.Contains(string(env), "SSH_SK_PROVIDER=/provider.so") || strings.Contains(string(env), "evil") {
		t.Errorf("environment %q, %v", env, err)
	}
	// Encrypted, it is ssh-keygen that asks.
	m.run(nil, "ssh-keygen", "-q", "-p", "-a", "1", "-P", "", "-N", "open sesame", "-f", path)
	s, err := signer.FromKeyFile(t.Context(), src, path)
	if err != nil {
		t.Fatal(err)
	}
	m.mustSign(s, device.key(t))
	// An agent that holds the key is asked before the file.
	src.AgentSocket = oddAgent{listed: []ssh.PublicKey{device.PublicKey()}, signer: device}.serve(t)
	s, err = signer.FromKeyFile(t.Context(), src, path)
	if err != nil || s.Origin() != "ssh agent" {
		t.Errorf("%v, %v", s, err)
	}
}

func TestBadSSHKeygen(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	device, other := newSecurityKey(t), newSecurityKey(t)
	path := m.write("sk", device.file(), 0o600)
	liar := fake(t, "fake-sign")
	if err := os.WriteFile(filepath.Join(filepath.Dir(liar), "key"), other.private.Seed(), 0o600); err != nil {
		t.Fatal(err)
	}
	for program, text := range map[string]string{
		fake(t, "fake-fail"):    "no such device",
		fake(t, "fake-nothing"): "no such file",
		fake(t, "fake-flood"):   "printed more than",
		liar:                    "another key signed",
	} {
		src := m.sources()
		src.SSHKeygen = program
		s, err := signer.FromKeyFile(t.Context(), src, path)
		if err != nil {
			t.Fatal(err)
		}
		armored, err := s.Sign(t.Context(), message, sshsig.NamespaceRecord)
		if err == nil || armored != nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: %s, %v", filepath.Base(program), armored, err)
		}
	}
	src := m.sources()
	src.SSHKeygen = filepath.Join(m.home, "none")
	if _, err := signer.FromKeyFile(t.Context(), src, path); !errors.Is(err, signer.ErrNoKey) {
		t.Errorf("program missing: %v", err)
	}
	// A relative entry of PATH would run what lies in the current folder.
	src.SSHKeygen = ""
	m.env["PATH"] = ".:fake"
	if _, err := signer.FromKeyFile(t.Context(), src, path); !errors.Is(err, signer.ErrNoKey) {
		t.Errorf("relative PATH: %v", err)
	}
}

func TestHungSSHKeygenIsKilled(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	src := m.sources()
	src.SSHKeygen = fake(t, "fake-hang")
	s, err := signer.FromKeyFile(t.Context(), src, m.write("sk", newSecurityKey(t).file(), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	started, err := net.Listen("unix", filepath.Join(filepath.Dir(src.SSHKeygen), "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer started.Close()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		if conn, err := started.Accept(); err == nil {
			cancel()
			defer conn.Close()
			_, _ = io.Copy(io.Discard, conn) // until it is dead
		}
	}()
	if _, err := s.Sign(ctx, message, sshsig.NamespaceRecord); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
