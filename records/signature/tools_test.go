package signature_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/distributed-trust/distrust/records/internal/testkit"
	"github.com/distributed-trust/distrust/records/signature"
)

// read gives a file.
func read(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// write makes a file in a folder of its own.
func write(t testing.TB, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// must runs a program that has to succeed.
func must(t testing.TB, program string, args ...string) string {
	t.Helper()
	out, err := testkit.Run(t, "", nil, program, args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, out)
	}
	return out
}

// parse reads a signature that is one.
func parse(t testing.TB, b []byte) *signature.Signature {
	t.Helper()
	sig, err := signature.Parse(b)
	if err != nil {
		t.Fatalf("%.60q: %v", b, err)
	}
	return sig
}

// verify checks one signature with the keys of some files.
func verify(t testing.TB, sig, message []byte, name string, now time.Time, keys ...[]byte) signature.Result {
	t.Helper()
	results := parse(t, sig).Verify(message, keysOf(t, keys...), name, now)
	if len(results) != 1 {
		t.Fatalf("%d results: %v", len(results), results)
	}
	return results[0]
}

// keysOf reads public key files.
func keysOf(t testing.TB, files ...[]byte) *signature.Keys {
	t.Helper()
	keys := &signature.Keys{}
	for _, file := range files {
		if err := keys.Add(file); err != nil {
			t.Fatalf("%.60q: %v", file, err)
		}
	}
	return keys
}

// gpg is the real one with a home of its own.
type gpg struct {
	t    testing.TB
	home string
}

// newGPG makes the home.
func newGPG(t testing.TB) gpg {
	t.Helper()
	testkit.Need(t, "gpg", "gpgconf")
	home := t.TempDir()
	if err := os.Chmod(home, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = testkit.Run(t, home, nil, "gpgconf", "--homedir", home, "--kill", "all") })
	return gpg{t, home}
}

// try runs it without questions.
func (g gpg) try(args ...string) (string, error) {
	g.t.Helper()
	fixed := []string{"--homedir", g.home, "--batch", "--yes", "--no-tty", "--pinentry-mode", "loopback", "--passphrase", "", "--trust-model", "always"}
	return testkit.Run(g.t, g.home, nil, "gpg", append(fixed, args...)...)
}

func (g gpg) run(args ...string) string {
	g.t.Helper()
	out, err := g.try(args...)
	if err != nil {
		g.t.Fatalf("gpg %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// key makes a key and gives its fingerprint.
func (g gpg) key(user, algorithm, usage, expire string, options ...string) string {
	g.t.Helper()
	g.run(append(options, "--quick-generate-key", user, algorithm, usage, expire)...)
	for line := range strings.Lines(g.run("--list-keys", "--with-colons", "="+user)) {
		if fields := strings.Split(line, ":"); fields[0] == "fpr" {
			return fields[9]
		}
	}
	g.t.Fatalf("no key of %s", user)
	return ""
}

// export gives a certificate in binary.
func (g gpg) export(names ...string) []byte {
	g.t.Helper()
	out := filepath.Join(g.t.TempDir(), "certificate")
	g.run(append([]string{"--output", out, "--export"}, names...)...)
	return read(g.t, out)
}

// sign gives what gpg makes of a message with some options, by default a detached signature.
func (g gpg) sign(by string, message []byte, options ...string) []byte {
	g.t.Helper()
	file := write(g.t, "message", message)
	if len(options) == 0 || !strings.HasPrefix(options[len(options)-1], "--clear") {
		options = append(options, "--detach-sign")
	}
	g.run(append(append([]string{"--local-user", by, "--output", file + ".out"}, options...), file)...)
	return read(g.t, file+".out")
}

// accepts reports whether gpg --verify exits with 0, and what it says.
func (g gpg) accepts(sig, message []byte) (bool, string) {
	g.t.Helper()
	out, err := g.try("--status-fd", "1", "--verify", write(g.t, "sig", sig), write(g.t, "message", message))
	return err == nil, out
}

// revoke imports the revocation certificate that gpg made with the key.
func (g gpg) revoke(fingerprint string) {
	g.t.Helper()
	b := read(g.t, filepath.Join(g.home, "openpgp-revocs.d", fingerprint+".rev"))
	g.run("--import", write(g.t, "rev", bytes.Replace(b, []byte(":-----BEGIN"), []byte("-----BEGIN"), 1)))
}

// minisign makes a key pair without a password and gives its folder.
func minisign(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	must(t, "minisign", "-G", "-W", "-f", "-p", dir+"/pub", "-s", dir+"/sec")
	return dir
}

// minisigned signs a file called name.
func minisigned(t testing.TB, dir, name string, message []byte, options ...string) []byte {
	t.Helper()
	file := write(t, name, message)
	must(t, "minisign", append([]string{"-S", "-s", dir + "/sec", "-m", file, "-x", file + ".minisig"}, options...)...)
	return read(t, file+".minisig")
}

// signify makes a key pair without a passphrase and gives its folder.
func signify(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	must(t, "signify-openbsd", "-G", "-n", "-p", dir+"/key.pub", "-s", dir+"/key.sec")
	return dir
}

// signified signs a message.
func signified(t testing.TB, dir string, message []byte, options ...string) []byte {
	t.Helper()
	file := write(t, "message", message)
	must(t, "signify-openbsd", append([]string{"-S", "-s", dir + "/key.sec", "-m", file, "-x", file + ".sig"}, options...)...)
	return read(t, file+".sig")
}

// sshSigned signs with a new key of a type and gives the identity too.
func sshSigned(t testing.TB, keyType, namespace string, message []byte) (sig []byte, signer string) {
	t.Helper()
	dir := t.TempDir()
	must(t, "ssh-keygen", "-q", "-t", keyType, "-N", "", "-f", dir+"/key")
	file := write(t, "message", message)
	must(t, "ssh-keygen", "-Y", "sign", "-q", "-f", dir+"/key", "-n", namespace, file)
	words := strings.Fields(string(read(t, dir+"/key.pub")))
	return read(t, file+".sig"), "ssh:" + words[0] + " " + words[1]
}

// rawSigner is the identity of a public key file of minisign or signify.
func rawSigner(t testing.TB, format, path string) string {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(string(read(t, path))), "\n")
	return format + ":" + lines[len(lines)-1]
}
