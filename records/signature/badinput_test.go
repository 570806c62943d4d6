package signature_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"github.com/distributed-trust/distrust/records/internal/testkit"
	"github.com/distributed-trust/distrust/records/signature"
)

// TestBadSignatureFiles: every kind of signature, spoilt in every way.
func TestBadSignatureFiles(t *testing.T) {
	t.Parallel()
	testkit.Need(t, "ssh-keygen", "gpg", "minisign", "signify-openbsd")
	all := stock(t)
	for i, m := range all {
		keys := &signature.Keys{}
		if m.keys != nil {
			keys = keysOf(t, m.keys)
		}
		another := all[(i+1)%len(all)]
		half := m.sig[:len(m.sig)/2]
		oversized := []signature.State{signature.Bad}
		if m.format == signature.Signify {
			oversized[0] = "" // a message with the signature in it
		}
		for name, c := range map[string]struct {
			sig     []byte
			message []byte
			want    []signature.State // any of them; none: no signature of a known format
			detail  string
		}{
			"empty":          {nil, message, []signature.State{signature.Bad}, "empty"},
			"truncated":      {half, message, []signature.State{signature.Bad, signature.NoKey}, ""},
			"wrong file":     {m.sig, []byte("other"), []signature.State{signature.Bad}, "did not sign these bytes"},
			"with a tail":    {append(bytes.Clone(m.sig), "\nhello\n"...), message, []signature.State{signature.Bad, signature.NoKey, ""}, ""},
			"oversized":      {append(bytes.Clone(m.sig), make([]byte, signature.MaxSignature)...), message, oversized, ""},
			"another behind": {append(append(bytes.Clone(m.sig), '\n'), another.sig...), message, []signature.State{signature.Bad, signature.NoKey, ""}, ""},
			"of nothing":     {bytes.Repeat([]byte{0}, 100), message, []signature.State{""}, ""},
		} {
			sig, err := signature.Parse(c.sig)
			state := signature.State("")
			detail := ""
			if err == nil {
				got := sig.Verify(c.message, keys, "run.sh", time.Now())
				state, detail = got[0].State, got[0].Detail
				if got[0].State != signature.Good && got[0].Signer != "" {
					t.Errorf("%s, %s: %+v", m.name, name, got)
				}
			} else if !errors.Is(err, signature.ErrUnknownFormat) {
				t.Errorf("%s, %s: %v", m.name, name, err)
			}
			if !strings.Contains(detail, c.detail) || !containsState(c.want, state) {
				t.Errorf("%s, %s: %q, %q", m.name, name, state, detail)
			}
		}
		// One signature twice is what it is for OpenPGP, two results, and broken for the others.
		double, err := signature.Parse(append(bytes.Clone(m.sig), m.sig...))
		if m.format == signature.Signify {
			if !errors.Is(err, signature.ErrUnknownFormat) {
				t.Errorf("%s, twice: %v", m.name, err)
			}
			continue
		}
		twice := double.Verify(message, keys, "run.sh", time.Now())
		if m.format == signature.OpenPGP && (len(twice) != 2 || twice[1].State != signature.Good) || m.format != signature.OpenPGP && twice[0].State != signature.Bad {
			t.Errorf("%s, twice: %+v", m.name, twice)
		}
	}
}

func containsState(states []signature.State, s signature.State) bool {
	for _, state := range states {
		if state == s {
			return true
		}
	}
	return false
}

// TestOtherFiles: what others put under the same endings is no signature, and says nothing.
func TestOtherFiles(t *testing.T) {
	t.Parallel()
	e := person(t, "ed")
	for name, file := range map[string][]byte{
		"certificate":            public(t, e),
		"armored certificate":    armored("PGP PUBLIC KEY BLOCK", public(t, e)),
		"armored message":        armored("PGP MESSAGE", []byte{1, 2, 3}),
		"cosign":                 []byte("MEUCIQDx5z5B6p0Sg1y0r3Yv\n"),
		"minisign public key":    []byte("untrusted comment: minisign public key 1\nRWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3\n"),
		"html":                   []byte("<!DOCTYPE html>\n"),
		"a signature further in": append([]byte("hello\n"), armored("PGP SIGNATURE", []byte{1})...),
	} {
		if _, err := signature.Parse(file); !errors.Is(err, signature.ErrUnknownFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestHugeSignature: a sparse file of 2 GB is refused by its first bytes.
func TestHugeSignature(t *testing.T) { // alone: memory is counted
	path := filepath.Join(t.TempDir(), "run.sh.asc")
	if err := os.WriteFile(path, []byte("-----BEGIN PGP SIGNATURE-----\n\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 2<<30); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	allocated := allocates(func() {
		b, err := io.ReadAll(io.LimitReader(file, signature.MaxSignature+1))
		if err != nil {
			t.Error(err)
		}
		got := parse(t, b).Verify(message, &signature.Keys{}, "run.sh", time.Now())
		if len(got) != 1 || got[0].State != signature.Bad || !strings.Contains(got[0].Detail, "longer than") {
			t.Errorf("%+v", got)
		}
	})
	if allocated > 16<<20 {
		t.Errorf("%d bytes were allocated", allocated)
	}
}

// allocates is how many bytes a function allocates.
func allocates(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// TestTooManyCertificates: 10 MiB in all, and then nothing more.
func TestTooManyCertificates(t *testing.T) {
	e := person(t, "ed")
	cert := public(t, e)
	full := bytes.Repeat(cert, signature.MaxCertificates/len(cert))
	keys := &signature.Keys{}
	began := time.Now()
	allocated := allocates(func() {
		if err := keys.Add(full); err != nil {
			t.Error(err)
		}
	})
	if allocated > 1<<30 || time.Since(began) > 20*time.Second {
		t.Errorf("%d bytes, %s", allocated, time.Since(began))
	}
	var large *signature.TooLargeError
	if err := keys.Add(public(t, person(t, "another"))); !errors.As(err, &large) || large.Max != signature.MaxCertificates {
		t.Errorf("one more: %v", err)
	}
	if err := (&signature.Keys{}).Add(append(bytes.Clone(full), make([]byte, len(cert))...)); !errors.As(err, &large) {
		t.Errorf("at once: %v", err)
	}
	if n := len(keys.Signers()); n != 1 {
		t.Errorf("%d signers", n)
	}
	// Thousands of copies are one.
	sig := forge(t, e.PrivateKey, message, func(*packet.Signature) {})
	began = time.Now()
	if got := parse(t, sig).Verify(message, keys, "", time.Now()); got[0].State != signature.Good || time.Since(began) > time.Second {
		t.Errorf("%+v after %s", got, time.Since(began))
	}
}

// TestFloodedCertificate: thousands of revocations that do not hold would each cost a check. They take the
// certificate away and not the revocation that holds.
func TestFloodedCertificate(t *testing.T) {
	t.Parallel()
	e := person(t, "ed")
	cert := public(t, e)
	sig := forge(t, e.PrivateKey, message, func(*packet.Signature) {})
	primary := only(t, cert, 6)
	flood := func(n int) []byte {
		stream := bytes.Clone(primary)
		for i := range n {
			stream = append(stream, forge(t, e.PrivateKey, []byte{byte(i), byte(i >> 8)}, func(s *packet.Signature) { s.SigType = packet.SigTypeKeyRevocation })...)
		}
		return stream
	}
	if got := verify(t, sig, message, "", time.Now(), cert, flood(400)); got.State != signature.Good {
		t.Errorf("400: %+v", got)
	}
	for name, copies := range map[string][][]byte{"behind": {cert, flood(501)}, "in front": {flood(501), cert}} {
		if got := verify(t, sig, message, "", time.Now(), copies...); got.State != signature.NoKey || !strings.Contains(got.Detail, "too many") {
			t.Errorf("501 %s: %+v", name, got)
		}
		if _, err := keysOf(t, copies...).Certificate(keysOf(t, cert).Signers()[0], time.Now()); !errors.Is(err, signature.ErrNoCertificate) {
			t.Errorf("501 %s: %v", name, err)
		}
	}
}

func TestBadKeys(t *testing.T) {
	t.Parallel()
	e := person(t, "ed")
	cert := public(t, e)
	var secret bytes.Buffer
	if err := e.SerializePrivate(&secret, nil); err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string][]byte{
		"empty":           nil,
		"garbage":         []byte("hello"),
		"random":          random(t, 1000),
		"cut":             cert[:len(cert)/2],
		"cut armor":       armored("PGP PUBLIC KEY BLOCK", cert)[:200],
		"a secret key":    secret.Bytes(),
		"a signature":     forge(t, e.PrivateKey, message, func(*packet.Signature) {}),
		"not ed25519":     []byte(base64.StdEncoding.EncodeToString(append([]byte("EX"), make([]byte, 40)...)) + "\n"),
		"a short raw key": []byte("RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GF\n"),
	} {
		keys := &signature.Keys{}
		if err := keys.Add(file); !errors.Is(err, signature.ErrNoPublicKey) || len(keys.Signers()) != 0 {
			t.Errorf("%s: %v, %q", name, err, keys.Signers())
		}
	}
	keys := &signature.Keys{}
	if err := keys.AddSigner("openpgp:"+strings.Repeat("A", 40), string(armored("PGP PUBLIC KEY BLOCK", cert))); !errors.Is(err, signature.ErrNoPublicKey) || len(keys.Signers()) != 0 {
		t.Errorf("another key's certificate: %v", err)
	}
	for _, signer := range []string{"", "openpgp:1234", "minisign:RWQ", "pgp:x"} {
		if err := keys.AddSigner(signer, ""); err == nil {
			t.Errorf("%q is a signer", signer)
		}
	}
	for _, signer := range []string{"openpgp:" + strings.Repeat("A", 40), "minisign:RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3"} {
		if err := keys.AddSigner(signer, ""); err != nil {
			t.Errorf("%s: %v", signer, err)
		}
	}
}

func random(t testing.TB, n int) []byte {
	t.Helper()
	b := make([]byte, n)
	if _, err := rand.Read(b); err != nil {
		t.Fatal(err)
	}
	b[0] = 'x'
	return b
}

// TestPurposes: signatures that hold and were made for something else.
func TestPurposes(t *testing.T) {
	t.Parallel()
	for _, namespace := range []string{"git", "distrust/record/v1", "FILE"} {
		sig, _ := sshSigned(t, "ed25519", namespace, message)
		if got := verify(t, sig, message, "", time.Now()); got.State != signature.WrongPurpose || !strings.Contains(got.Detail, namespace) {
			t.Errorf("%s: %+v", namespace, got)
		}
	}
	dir := minisign(t)
	sig, pub := minisigned(t, dir, "tool-1.0.tgz", message, "-H"), read(t, dir+"/pub")
	for name, want := range map[string]signature.State{"tool-1.0.tgz": signature.Good, "": signature.Good, "tool-2.0.tgz": signature.WrongPurpose} {
		if got := verify(t, sig, message, name, time.Now(), pub); got.State != want || !strings.Contains(got.Comment, "file:tool-1.0.tgz") {
			t.Errorf("as %q: %+v, want %s", name, got, want)
		}
	}
	changed := bytes.Replace(sig, []byte("file:tool-1.0.tgz"), []byte("file:tool-2.0.tgz"), 1)
	if got := verify(t, changed, message, "tool-2.0.tgz", time.Now(), pub); got.State != signature.Bad || got.Comment != "" || !strings.Contains(got.Detail, "trusted comment was changed") {
		t.Errorf("changed comment: %+v", got)
	}
	// Legacy minisign without its trusted comment is what signify writes; the two keys are two identities.
	legacy := minisigned(t, dir, "a", message, "-l")
	stripped := bytes.Join(bytes.SplitAfter(legacy, []byte("\n"))[:2], nil)
	if got := verify(t, stripped, message, "a", time.Now(), pub); got.State != signature.NoKey || got.Format != signature.Signify {
		t.Errorf("stripped: %+v", got)
	}
}

// TestWeakSSH: an RSA key that is too short, which ssh-keygen verifies.
func TestWeakSSH(t *testing.T) {
	t.Parallel()
	testkit.Need(t, "ssh-keygen")
	dir := t.TempDir()
	must(t, "ssh-keygen", "-q", "-t", "rsa", "-b", "1024", "-N", "", "-f", dir+"/key")
	file := write(t, "message", message)
	must(t, "ssh-keygen", "-Y", "sign", "-q", "-f", dir+"/key", "-n", "file", file)
	if got := verify(t, read(t, file+".sig"), message, "", time.Now()); got.State != signature.Weak || !strings.Contains(got.Detail, "1024 bits") {
		t.Errorf("%+v", got)
	}
}

// TestGitObjects: a commit and a tag, signed as git signs, under the name of a script. gpg has nothing
// against it.
func TestGitObjects(t *testing.T) {
	t.Parallel()
	g := newGPG(t)
	by := g.key("Ed <ed@example.org>", "ed25519", "sign", "never")
	dir := t.TempDir()
	git := func(args ...string) []byte {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-c", "user.signingkey=" + by, "-c", "gpg.program=gpg"}, args...)...)
		cmd.Dir, cmd.Env = dir, append(testkit.Env(), "GNUPGHOME="+g.home)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %q: %v\n%s", args, err, out)
		}
		return out
	}
	testkit.Need(t, "git")
	git("init", "-q")
	script := "\necho owned\n"
	git("commit", "-q", "--allow-empty", "-m", "first")
	git("commit", "-q", "--allow-empty", "-S", "-m", script)
	git("tag", "-s", "-m", script, "v1")

	raw := string(git("cat-file", "commit", "HEAD"))
	before, rest, _ := strings.Cut(raw, "gpgsig ")
	sig, after, _ := strings.Cut(rest, " -----END PGP SIGNATURE-----\n")
	commit := before + strings.TrimPrefix(after, " \n")
	commitSig := strings.ReplaceAll(sig, "\n ", "\n") + "-----END PGP SIGNATURE-----\n"
	tag := string(git("cat-file", "tag", "v1"))
	at := strings.Index(tag, "-----BEGIN PGP SIGNATURE")
	cert := g.export(by)
	for kind, c := range map[string]struct{ signed, sig string }{"commit": {commit, commitSig}, "tag": {tag[:at], tag[at:]}} {
		if ok, out := g.accepts([]byte(c.sig), []byte(c.signed)); !ok {
			t.Fatalf("%s: gpg refuses it:\n%s\n%s", kind, out, c.signed)
		}
		got := verify(t, []byte(c.sig), []byte(c.signed), "run.sh", time.Now(), cert)
		if got.State != signature.WrongPurpose || !strings.Contains(got.Detail, "git "+kind) {
			t.Errorf("%s: %+v", kind, got)
		}
		// In small writes too: what is looked at is the file, not the first write.
		check := parse(t, []byte(c.sig)).Check(keysOf(t, cert), "run.sh", time.Now())
		for i := range c.signed {
			_, _ = check.Write([]byte{c.signed[i]})
		}
		if got := check.Results(); got[0].State != signature.WrongPurpose {
			t.Errorf("%s in small writes: %+v", kind, got)
		}
	}
	for _, other := range []string{"tree of life\nparent\n", "object 1\ntype commit\n", "tree\n", "certificate\n", "certificate version 2\npush\n"} {
		e := person(t, "ed")
		sig := forge(t, e.PrivateKey, []byte(other), func(*packet.Signature) {})
		if got := verify(t, sig, []byte(other), "", time.Now(), public(t, e)); got.State != signature.Good {
			t.Errorf("%q: %+v", other, got)
		}
	}
}
