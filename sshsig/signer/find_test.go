package signer_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/distributed-trust/distrust/sshsig"
	"github.com/distributed-trust/distrust/sshsig/signer"
)

// gitConfig writes ~/.gitconfig.
func (m *machine) gitConfig(lines ...string) {
	m.t.Helper()
	need(m.t, "git")
	m.write(".gitconfig", strings.Join(lines, "\n")+"\n", 0o600)
}

// found is Find's only candidate.
func (m *machine) found(choice signer.Choice) signer.Candidate {
	m.t.Helper()
	found, err := signer.Find(m.t.Context(), m.sources(), choice)
	if err != nil {
		m.t.Fatal(err)
	}
	if len(found) != 1 {
		m.t.Fatalf("%d candidates", len(found))
	}
	return found[0]
}

// TestFindOrder takes away the first rung of C7 again and again.
func TestFindOrder(t *testing.T) {
	t.Parallel()
	need(t, "git")
	m := newMachine(t)
	m.startAgent()
	_, fileKey := m.key("id_ed25519", "ed25519", "")
	explicit, explicitKey := m.key("explicit", "ed25519", "")
	stored, storedKey := m.key("stored", "ed25519", "")
	gitPath, gitKey := m.key("git", "ed25519", "")
	commandPath, commandKey := m.key("command", "ed25519", "")
	agentPath, agentKey := m.key("agent", "ed25519", "")
	m.run(nil, "ssh-add", "-q", commandPath)
	m.run(nil, "ssh-add", "-q", agentPath)

	expect := func(choice signer.Choice, rung signer.Rung, keys ...sshsig.Key) {
		t.Helper()
		found, err := signer.Find(t.Context(), m.sources(), choice)
		if err != nil || len(found) != len(keys) {
			t.Fatalf("%s: %v, %v", rung, found, err)
		}
		for i, c := range found {
			if c.Rung != rung || c.Name == "" || c.Ref == "" {
				t.Errorf("%s: candidate %q %q of %s", rung, c.Name, c.Ref, c.Rung)
			}
			m.mustSign(c, keys[i])
			again := m.found(signer.Choice{Stored: c.Ref})
			if again.Key() != keys[i] || again.Rung != signer.RungStored {
				t.Errorf("%s: stored %q gives %s", rung, c.Ref, again.Key())
			}
		}
	}
	m.gitConfig("[gpg]", "format = ssh", "[user]", "signingkey = "+gitPath,
		`[gpg "ssh"]`, "defaultKeyCommand = cat "+commandPath+".pub")
	both := signer.Choice{Explicit: explicit, Stored: stored}
	expect(both, signer.RungExplicit, explicitKey)
	expect(signer.Choice{Stored: stored}, signer.RungStored, storedKey)
	expect(signer.Choice{}, signer.RungGit, gitKey)
	m.gitConfig("[gpg]", "format = ssh", `[gpg "ssh"]`, "defaultKeyCommand = cat "+commandPath+".pub")
	expect(signer.Choice{}, signer.RungGitCommand, commandKey)
	m.gitConfig()
	expect(signer.Choice{}, signer.RungAgent, commandKey, agentKey)
	m.run(nil, "ssh-add", "-q", "-D")
	expect(signer.Choice{}, signer.RungFiles, fileKey)
	delete(m.env, "SSH_AUTH_SOCK")
	_, rsaKey := m.key("id_rsa", "rsa", "")
	_, ecdsaKey := m.key("id_ecdsa", "ecdsa-256", "")
	expect(signer.Choice{}, signer.RungFiles, fileKey, ecdsaKey, rsaKey)
}

func TestFindNothing(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.write(".ssh/id_rsa", "rubbish\n", 0o600)
	m.write(".ssh/config", "Host *\n", 0o600)
	for name, src := range map[string]signer.Sources{
		"zero value":  {},
		"empty home":  m.sources(),
		"dead agent":  {AgentSocket: filepath.Join(m.home, "none")},
		"no programs": {Home: m.home},
	} {
		found, err := signer.Find(t.Context(), src, signer.Choice{})
		var none *signer.NoKeyError
		if found != nil || !errors.Is(err, signer.ErrNoKey) || !errors.As(err, &none) || len(none.Tried) < 3 {
			t.Errorf("%s: %v, %v", name, found, err)
		}
	}
	_, err := signer.Find(t.Context(), m.sources(), signer.Choice{})
	if !strings.Contains(err.Error(), "no ssh key is set") {
		t.Errorf("git without settings has failed: %v", err)
	}
	if !strings.Contains(err.Error(), "id_rsa") {
		t.Errorf("the damaged file is not named: %v", err)
	}
}

func TestFindNamed(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.startAgent()
	path, fileKey := m.key("id_ed25519", "ed25519", "")
	held, heldKey := m.key("held", "ecdsa-256", "")
	m.hold(held)
	for name, c := range map[string]struct {
		named, origin, name string
		want                sshsig.Key
	}{
		"path":                   {path, path, "~/.ssh/id_ed25519", fileKey},
		"path with ~":            {"~/.ssh/id_ed25519", path, "~/.ssh/id_ed25519", fileKey},
		"public path":            {path + ".pub", path, "~/.ssh/id_ed25519.pub", fileKey},
		"public path, agent":     {held + ".pub", "ssh agent", "~/.ssh/held.pub", heldKey},
		"literal, file":          {fileKey.String(), path, "~/.ssh/id_ed25519", fileKey},
		"literal, agent":         {heldKey.String() + " my key", "ssh agent", "my key", heldKey},
		"key::literal":           {"key::" + heldKey.String(), "ssh agent", heldKey.Fingerprint(), heldKey},
		"fingerprint, file":      {fileKey.Fingerprint(), path, "~/.ssh/id_ed25519", fileKey},
		"fingerprint, agent":     {heldKey.Fingerprint(), "ssh agent", "held@example.org", heldKey},
		"another file than home": {m.write("dir/k", read(t, path), 0o600), filepath.Join(m.home, "dir/k"), "~/dir/k", fileKey},
	} {
		for _, choice := range []signer.Choice{{Explicit: c.named}, {Stored: c.named}} {
			found := m.found(choice)
			if found.Key() != c.want || found.Origin() != c.origin || found.Name != c.name {
				t.Errorf("%s: %q from %q", name, found.Name, found.Origin())
			}
			m.mustSign(found, c.want)
		}
	}
}

func TestFindNamedAndUnusable(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.startAgent()
	path, _ := m.key("id_ed25519", "ed25519", "")
	m.run(nil, "ssh-add", "-q", path)
	other := newSecurityKey(t).key(t)
	weak := m.weakKey()
	for name, c := range map[string]struct {
		named string
		want  error
		text  string
	}{
		"missing file":        {"~/.ssh/none", os.ErrNotExist, "none"},
		"unknown literal":     {other.String(), signer.ErrNoKey, other.Fingerprint()},
		"unknown key::":       {"key::" + other.String(), signer.ErrNoKey, other.Fingerprint()},
		"unknown fingerprint": {other.Fingerprint(), signer.ErrNoKey, "~/.ssh"},
		"damaged literal":     {"ssh-ed25519 AAAAx", nil, "base64"},
		"damaged key::":       {"key::ssh-ed25519", nil, "TYPE BASE64"},
		"short rsa":           {weak, sshsig.ErrWeakKey, "1024"},
	} {
		for rung, choice := range map[signer.Rung]signer.Choice{
			signer.RungExplicit: {Explicit: c.named, Stored: path},
			signer.RungStored:   {Stored: c.named},
		} {
			found, err := signer.Find(t.Context(), m.sources(), choice)
			var unusable *signer.UnusableError
			if found != nil || !errors.As(err, &unusable) || unusable.Rung != rung || unusable.Named != c.named ||
				!errors.Is(err, signer.ErrNoKey) || (c.want != nil && !errors.Is(err, c.want)) || !strings.Contains(err.Error(), c.text) {
				t.Errorf("%s, %s: %v, %v", name, rung, found, err)
			}
		}
	}
}

func TestFindAsksForNoPassphrase(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	path, key := m.key("id_ed25519", "ed25519", "open sesame")
	asked := &asker{answers: []string{"open sesame"}}
	src := m.sources()
	src.Passphrase = asked.ask
	for _, choice := range []signer.Choice{{}, {Explicit: path}, {Stored: path}, {Explicit: key.String()}, {Explicit: key.Fingerprint()}} {
		found, err := signer.Find(t.Context(), src, choice)
		if err != nil || len(found) != 1 || found[0].Key() != key || found[0].Quiet() {
			t.Errorf("%+v: %v, %v", choice, found, err)
		}
	}
	if len(asked.prompts) != 0 {
		t.Errorf("asked %q", asked.prompts)
	}
}

func TestGitSigningKey(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.startAgent()
	path, key := m.key("work", "ed25519", "")
	held, heldKey := m.key("held", "ed25519", "")
	m.hold(held)
	ssh := []string{"[gpg]", "format = ssh", "[user]"}
	m.write("included", "[user]\nsigningkey = "+path+"\n", 0o600)
	m.write(".ssh/with space", read(t, path), 0o600)
	for name, c := range map[string]struct {
		config []string
		want   sshsig.Key
	}{
		"path":              {append(ssh, "signingkey = "+path), key},
		"path with ~":       {append(ssh, "signingkey = ~/.ssh/work"), key},
		"public path":       {append(ssh, "signingkey = ~/.ssh/work.pub"), key},
		"path with a blank": {append(ssh, `signingkey = "~/.ssh/with space"`), key},
		"relative path":     {append(ssh, "signingkey = .ssh/work"), key},
		"agent's .pub":      {append(ssh, "signingkey = ~/.ssh/held.pub"), heldKey},
		"key::":             {append(ssh, "signingkey = key::"+heldKey.String()), heldKey},
		"literal":           {append(ssh, "signingkey = "+heldKey.String()+" me"), heldKey},
		"the last counts":   {append(ssh, "signingkey = /none", "signingkey = "+path), key},
		"include":           {[]string{"[gpg]", "format = ssh", "[include]", "path = included"}, key},
	} {
		m.gitConfig(c.config...)
		found := m.found(signer.Choice{})
		if found.Rung != signer.RungGit || found.Key() != c.want {
			t.Errorf("%s: %s from %s", name, found.Key(), found.Rung)
		}
		m.mustSign(found, c.want)
	}
	// Where git would not use an ssh key, its setting says nothing to us.
	for name, config := range map[string][]string{
		"openpgp":           {"[user]", "signingkey = " + path},
		"openpgp, outright": {"[gpg]", "format = openpgp", "[user]", "signingkey = " + path},
		"format twice":      append(ssh, "signingkey = "+path, "[gpg]", "format = x509"),
		"no value":          {"[gpg]", "format", "[user]", "signingkey"},
		"broken file":       {"[gpg", "format = ssh"},
	} {
		m.gitConfig(config...)
		if found := m.found(signer.Choice{}); found.Rung != signer.RungAgent {
			t.Errorf("%s: %s", name, found.Rung)
		}
	}
	// A key that git names and nobody has is not replaced by another one.
	m.gitConfig(append(ssh, "signingkey = ~/.ssh/elsewhere.pub")...)
	var unusable *signer.UnusableError
	if found, err := signer.Find(t.Context(), m.sources(), signer.Choice{}); !errors.As(err, &unusable) || unusable.Rung != signer.RungGit {
		t.Errorf("%v, %v", found, err)
	}
}

func TestGitAbsent(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	path, key := m.key("id_ed25519", "ed25519", "")
	m.gitConfig("[gpg]", "format = ssh", "[user]", "signingkey = /none")
	for name, change := range map[string]func(*signer.Sources){
		"no PATH":      func(src *signer.Sources) { src.Getenv = nil },
		"not there":    func(src *signer.Sources) { src.Git = filepath.Join(m.home, "none") },
		"not runnable": func(src *signer.Sources) { src.Git = path },
		"fails":        func(src *signer.Sources) { src.Git = fake(t, "fake-fail") },
		"says nothing": func(src *signer.Sources) { src.Git = fake(t, "fake-nothing") },
		"says much":    func(src *signer.Sources) { src.Git = fake(t, "fake-flood") },
	} {
		src := m.sources()
		change(&src)
		found, err := signer.Find(t.Context(), src, signer.Choice{})
		if err != nil || len(found) != 1 || found[0].Key() != key {
			t.Errorf("%s: %v, %v", name, found, err)
		}
	}
}

// TestGitOfTheCurrentFolder: a repository that came from elsewhere must not name a command to run.
func TestGitOfTheCurrentFolder(t *testing.T) {
	m := newMachine(t)
	path, key := m.key("id_ed25519", "ed25519", "")
	_, other := m.key("other", "ed25519", "")
	m.gitConfig()
	repository := filepath.Join(m.home, "repository")
	m.run(nil, "git", "init", "-q", repository)
	m.run(nil, "git", "-C", repository, "config", "gpg.ssh.defaultKeyCommand", "touch "+filepath.Join(m.home, "ran"))
	t.Chdir(repository)
	if out := m.run(nil, "git", "-C", repository, "config", "gpg.ssh.defaultKeyCommand"); !strings.Contains(out, "ran") {
		t.Fatalf("git reads %q", out)
	}
	m.env["GIT_DIR"] = filepath.Join(repository, ".git")
	if found := m.found(signer.Choice{}); found.Key() != key || found.Rung != signer.RungFiles {
		t.Errorf("%s from %s", found.Key(), found.Rung)
	}
	if _, err := os.Stat(filepath.Join(m.home, "ran")); err == nil {
		t.Error("the repository's command was run")
	}
	delete(m.env, "GIT_DIR")
	// One that the caller vouches for counts.
	m.run(nil, "git", "-C", repository, "config", "gpg.format", "ssh")
	m.run(nil, "git", "-C", repository, "config", "user.signingkey", "../.ssh/other")
	src := m.sources()
	src.Dir = repository
	found, err := signer.Find(t.Context(), src, signer.Choice{})
	if err != nil || len(found) != 1 || found[0].Key() != other {
		t.Errorf("%v, %v (%s)", found, err, path)
	}
}

func TestGitDefaultKeyCommand(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.startAgent()
	_, fileKey := m.key("id_ed25519", "ed25519", "")
	held, heldKey := m.key("held", "ed25519", "")
	m.hold(held)
	program := fake(t, "fake-key-command")
	beside := func(name, content string) {
		if err := os.WriteFile(filepath.Join(filepath.Dir(program), name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	beside("prefixed", "key::"+heldKey.String()+" me\nmore\n")
	beside("plain", heldKey.String()+"\n")
	beside("a b-c'd", "key::"+heldKey.String())
	beside(`a\b`, "key::"+heldKey.String())
	beside("file", "key::"+fileKey.String()+"\n")
	beside("rubbish", "no key here\n")
	beside("empty", "")
	beside("unknown", "key::"+newSecurityKey(t).key(t).String()+"\n")
	for command, want := range map[string]sshsig.Key{
		program + " prefixed":            heldKey,
		"  " + program + "   plain ":     heldKey,
		program + ` "a b" c\'d`:          heldKey,
		program + ` 'a b' "c"\'d`:        heldKey,
		program + ` 'a\b'`:               heldKey,
		program + ` "a\\b"`:              heldKey,
		program + " file":                fileKey,
		"ssh-add -L":                     heldKey,
		program + " rubbish":             {},
		program + " empty":               {},
		program + " missing":             {},
		program + ` 'prefixed`:           {},
		program + ` prefixed\`:           {},
		filepath.Join(m.home, "nothing"): {},
		`""`:                             {},
	} {
		m.run(nil, "git", "config", "--file", filepath.Join(m.home, ".gitconfig"), "gpg.ssh.defaultKeyCommand", command)
		found := m.found(signer.Choice{})
		rung := signer.RungGitCommand
		if want.IsZero() {
			want, rung = heldKey, signer.RungAgent
		}
		if found.Key() != want || found.Rung != rung {
			t.Errorf("%s: %s from %s", command, found.Key(), found.Rung)
		}
		m.mustSign(found, want)
	}
	m.run(nil, "git", "config", "--file", filepath.Join(m.home, ".gitconfig"), "gpg.ssh.defaultKeyCommand", program+" unknown")
	var unusable *signer.UnusableError
	if found, err := signer.Find(t.Context(), m.sources(), signer.Choice{}); !errors.As(err, &unusable) || unusable.Rung != signer.RungGitCommand {
		t.Errorf("a key that nobody has: %v, %v", found, err)
	}
}

// TestGitProgram: a program that git runs in place of ssh-keygen may hold keys of its own.
func TestGitProgram(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	device := newSecurityKey(t)
	program := fake(t, "fake-sign")
	if err := os.WriteFile(filepath.Join(filepath.Dir(program), "key"), device.private.Seed(), 0o600); err != nil {
		t.Fatal(err)
	}
	public := m.write("vault.pub", string(ssh.MarshalAuthorizedKey(device.PublicKey())), 0o600)
	for _, named := range []string{"key::" + device.key(t).String(), public} {
		m.gitConfig("[gpg]", "format = ssh", "[user]", "signingkey = "+named, `[gpg "ssh"]`, "program = "+program)
		found := m.found(signer.Choice{})
		m.mustSign(found, device.key(t))
		if found.Rung != signer.RungGit || found.Quiet() {
			t.Errorf("%s: %s, quiet %v", named, found.Rung, found.Quiet())
		}
		m.gitConfig(`[gpg "ssh"]`, "program = "+program)
		m.mustSign(m.found(signer.Choice{Stored: found.Ref}), device.key(t))
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
