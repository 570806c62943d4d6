package signer_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/distributed-trust/distrust/sshsig"
	"github.com/distributed-trust/distrust/sshsig/signer"
)

func TestFromKeyFile(t *testing.T) {
	t.Parallel()
	for _, kind := range keyKinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t)
			path, key := m.key("mine", kind, "")
			for _, name := range []string{path, path + ".pub"} {
				s, err := signer.FromKeyFile(t.Context(), m.sources(), name)
				if err != nil {
					t.Fatal(err)
				}
				m.mustSign(s, key)
				if !s.Quiet() || s.Origin() != path {
					t.Errorf("Quiet = %v, Origin = %q", s.Quiet(), s.Origin())
				}
			}
		})
	}
}

// asker answers passphrase questions and counts them.
type asker struct {
	answers []string
	prompts []string
	given   [][]byte
}

func (a *asker) ask(_ context.Context, prompt string) ([]byte, error) {
	a.prompts = append(a.prompts, prompt)
	if len(a.answers) < len(a.prompts) {
		return nil, errNobodyThere
	}
	answer := []byte(a.answers[len(a.prompts)-1])
	a.given = append(a.given, answer)
	return answer, nil
}

var errNobodyThere = errors.New("nobody there")

func TestEncryptedKeyFile(t *testing.T) {
	t.Parallel()
	for _, kind := range keyKinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t)
			path, key := m.key("mine", kind, "open sesame")
			asked := &asker{answers: []string{"wrong", "open sesame"}}
			src := m.sources()
			src.Passphrase = asked.ask
			s, err := signer.FromKeyFile(t.Context(), src, path)
			if err != nil {
				t.Fatal(err)
			}
			if s.Key() != key || s.Quiet() || len(asked.prompts) != 0 {
				t.Errorf("before signing: Quiet = %v, asked %q", s.Quiet(), asked.prompts)
			}
			m.mustSign(s, key)
			m.mustSign(s, key)
			if len(asked.prompts) != 2 || !strings.Contains(asked.prompts[0], path) || !s.Quiet() {
				t.Errorf("after signing twice: Quiet = %v, asked %q", s.Quiet(), asked.prompts)
			}
			for _, answer := range asked.given {
				if !bytes.Equal(answer, make([]byte, len(answer))) {
					t.Errorf("the passphrase %q stays in memory", answer)
				}
			}
		})
	}
}

func TestEncryptedKeyFileRefused(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	path, _ := m.key("mine", "ed25519", "open sesame")
	for name, c := range map[string]struct {
		asked *asker
		want  error
		asks  int
	}{
		"always wrong": {&asker{answers: []string{"a", "b", "c", "open sesame"}}, signer.ErrPassphrase, 3},
		"empty answer": {&asker{answers: []string{"", "open sesame"}}, signer.ErrPassphrase, 1},
		"nobody there": {&asker{}, errNobodyThere, 1},
		"never ask":    {nil, signer.ErrPassphrase, 0},
	} {
		src := m.sources()
		if c.asked != nil {
			src.Passphrase = c.asked.ask
		}
		s, err := signer.FromKeyFile(t.Context(), src, path)
		if err != nil {
			t.Fatal(err)
		}
		armored, err := s.Sign(t.Context(), message, sshsig.NamespaceRecord)
		if armored != nil || !errors.Is(err, c.want) || !errors.Is(err, signer.ErrPassphrase) {
			t.Errorf("%s: %s, %v", name, armored, err)
		}
		if c.asked != nil && len(c.asked.prompts) != c.asks {
			t.Errorf("%s: asked %d times", name, len(c.asked.prompts))
		}
		if s.Quiet() {
			t.Errorf("%s: quiet", name)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	asked := &asker{answers: []string{"open sesame"}}
	src := m.sources()
	src.Passphrase = asked.ask
	s, err := signer.FromKeyFile(ctx, src, path)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := s.Sign(ctx, message, sshsig.NamespaceRecord); !errors.Is(err, context.Canceled) || len(asked.prompts) != 0 {
		t.Errorf("cancelled: %v, asked %q", err, asked.prompts)
	}
}

func TestEncryptedKeyFileGoesToTheAgentFirst(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	path, key := m.key("mine", "ed25519", "")
	m.startAgent()
	m.run(nil, "ssh-add", "-q", path)
	m.run(nil, "ssh-keygen", "-q", "-p", "-P", "", "-a", "1", "-N", "open sesame", "-f", path)
	src, asked := m.sources(), &asker{}
	src.Passphrase = asked.ask
	for _, name := range []string{path, path + ".pub"} {
		s, err := signer.FromKeyFile(t.Context(), src, name)
		if err != nil {
			t.Fatal(err)
		}
		m.mustSign(s, key)
		if !s.Quiet() || s.Origin() != "ssh agent" || len(asked.prompts) != 0 {
			t.Errorf("%s: Quiet = %v, Origin = %q, asked %q", name, s.Quiet(), s.Origin(), asked.prompts)
		}
	}
}

func TestPEMKeyFiles(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	for _, kind := range []string{"rsa", "ecdsa"} {
		for _, format := range []string{"PEM", "PKCS8"} {
			name := kind + format
			path, key := m.key(name, kind, "")
			m.run(nil, "ssh-keygen", "-q", "-p", "-P", "", "-N", "", "-m", format, "-f", path)
			s, err := signer.FromKeyFile(t.Context(), m.sources(), path)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			m.mustSign(s, key)
		}
	}
	// The old encrypted form does not say which key it holds; the .pub beside it does.
	path, key := m.key("old", "rsa", "")
	m.run(nil, "ssh-keygen", "-q", "-p", "-P", "", "-N", "open sesame", "-m", "PEM", "-f", path)
	src := m.sources()
	src.Passphrase = (&asker{answers: []string{"wrong", "open sesame"}}).ask
	s, err := signer.FromKeyFile(t.Context(), src, path)
	if err != nil {
		t.Fatal(err)
	}
	m.mustSign(s, key)
	if err := os.Remove(path + ".pub"); err != nil {
		t.Fatal(err)
	}
	if _, err := signer.FromKeyFile(t.Context(), src, path); err == nil || !strings.Contains(err.Error(), "ssh-keygen -p") {
		t.Errorf("without its .pub: %v", err)
	}
}

func TestKeyFileThatLiesAboutItsKey(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	path, _ := m.key("old", "rsa", "")
	m.run(nil, "ssh-keygen", "-q", "-p", "-P", "", "-N", "open sesame", "-m", "PEM", "-f", path)
	other, key := m.key("other", "ed25519", "")
	if err := os.Rename(other+".pub", path+".pub"); err != nil {
		t.Fatal(err)
	}
	src := m.sources()
	src.Passphrase = (&asker{answers: []string{"open sesame"}}).ask
	s, err := signer.FromKeyFile(t.Context(), src, path)
	if err != nil || s.Key() != key {
		t.Fatalf("%v, %v", s, err)
	}
	if armored, err := s.Sign(t.Context(), message, sshsig.NamespaceRecord); err == nil || armored != nil {
		t.Errorf("signed with another key than it said: %s, %v", armored, err)
	}
}

func TestKeyFileRefused(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	open, _ := m.key("open", "ed25519", "")
	if err := os.Chmod(open, 0o644); err != nil {
		t.Fatal(err)
	}
	weak := m.weakKey()
	lonely, _ := m.key("lonely", "ed25519", "")
	if err := os.Remove(lonely); err != nil {
		t.Fatal(err)
	}
	wrong, _ := m.key("wrong", "ed25519", "")
	another, _ := m.key("another", "ed25519", "")
	if err := os.Rename(another, wrong); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		path string
		want error // nil: any
		text string
	}{
		"missing":              {filepath.Join(m.home, "none"), os.ErrNotExist, "none"},
		"a folder":             {m.home, nil, "not a regular file"},
		"no key":               {m.write("text", "hello\n", 0o600), nil, "key"},
		"damaged":              {m.write("damaged", "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n", 0o600), nil, "no private key"},
		"too long":             {m.write("long", "-----BEGIN "+strings.Repeat("x", 1<<17), 0o600), nil, "longer"},
		"open to others":       {open, signer.ErrKeyPermissions, "0600"},
		"short rsa":            {weak, sshsig.ErrWeakKey, "1024 bits"},
		"short rsa, .pub":      {weak + ".pub", sshsig.ErrWeakKey, "1024 bits"},
		"private file missing": {lonely + ".pub", signer.ErrNoKey, "no private key file"},
		"not its private file": {wrong + ".pub", signer.ErrNoKey, "not the private key"},
	} {
		s, err := signer.FromKeyFile(t.Context(), m.sources(), c.path)
		if err == nil || s != nil || (c.want != nil && !errors.Is(err, c.want)) || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: %v, %v", name, s, err)
		}
	}
}
