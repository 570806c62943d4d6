package signer_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/distributed-trust/distrust/sshsig/signer"
)

func TestGenerate(t *testing.T) {
	t.Parallel()
	for _, comment := range []string{"distrust key of me@laptop", ""} {
		m := newMachine(t)
		path := filepath.Join(m.home, "data", "keys", "home")
		s, err := signer.Generate(path, comment)
		if err != nil {
			t.Fatal(err)
		}
		if s.Key().Type() != "ssh-ed25519" || !s.Quiet() || s.Origin() != path {
			t.Errorf("%s, quiet %v, origin %s", s.Key(), s.Quiet(), s.Origin())
		}
		m.mustSign(s, s.Key())
		for name, mode := range map[string]os.FileMode{path: 0o600, path + ".pub": 0o644, filepath.Dir(path): 0o700 | os.ModeDir} {
			// The user's umask may take more away.
			if info, err := os.Stat(name); err != nil || info.Mode()&^mode != 0 || info.Mode().Perm()&0o600 != 0o600 {
				t.Errorf("%s: %v, %v", name, info.Mode(), err)
			}
		}
		want := strings.TrimSpace(s.Key().String() + " " + comment)
		if out := m.run(nil, "ssh-keygen", "-y", "-f", path); strings.TrimSpace(out) != want {
			t.Errorf("ssh-keygen reads %q, want %q", out, want)
		}
		if b, err := os.ReadFile(path + ".pub"); err != nil || string(b) != want+"\n" {
			t.Errorf(".pub is %q, %v", b, err)
		}
		again, err := signer.FromKeyFile(t.Context(), m.sources(), path)
		if err != nil {
			t.Fatal(err)
		}
		m.mustSign(again, s.Key())
		other, err := signer.Generate(filepath.Join(m.home, "other"), comment)
		if err != nil || other.Key() == s.Key() {
			t.Errorf("the same key twice: %v", err)
		}
	}
}

func TestGenerateNeverWritesOver(t *testing.T) {
	t.Parallel()
	for _, taken := range []string{"key", "key.pub"} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, taken), []byte("precious"), 0o600); err != nil {
			t.Fatal(err)
		}
		if s, err := signer.Generate(filepath.Join(dir, "key"), ""); !errors.Is(err, os.ErrExist) || s != nil {
			t.Errorf("%s: %v, %v", taken, s, err)
		}
		entries, err := os.ReadDir(dir)
		if b, readErr := os.ReadFile(filepath.Join(dir, taken)); err != nil || readErr != nil || string(b) != "precious" || len(entries) != 1 {
			t.Errorf("%s: %q, %v", taken, b, entries)
		}
	}
}

func TestGenerateRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, comment := range []string{"a\nssh-ed25519 AAAA", "a\x1b[2J", "a\u202eb"} {
		if _, err := signer.Generate(filepath.Join(dir, "key"), comment); err == nil {
			t.Errorf("comment %q", comment)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := signer.Generate(filepath.Join(dir, "file", "key"), ""); err == nil {
		t.Error("a key below a file")
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}
