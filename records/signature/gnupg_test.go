package signature_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/distributed-trust/distrust/records/signature"
)

const (
	then = "20200301T000000!" // for --faked-system-time; the ! stops the clock
	year = "20200601T000000!"
)

// TestWhereGnuPGIsContent is the table of S2: gpg --verify exits with 0 for each of these, so that
// `gpg --verify X && sh X` goes on, and each has a state here that is not good.
func TestWhereGnuPGIsContent(t *testing.T) {
	t.Parallel()
	g := newGPG(t)
	type row struct {
		name   string
		by     string
		sig    []byte
		state  signature.State
		detail string
	}
	var rows []row
	add := func(name string, state signature.State, detail, by string, options ...string) {
		t.Helper()
		rows = append(rows, row{name, by, g.sign(by, message, options...), state, detail})
	}

	old := g.key("Old <old@example.org>", "ed25519", "sign", "6m", "--faked-system-time", then)
	add("key expired since", signature.Expired, "expired on 2020-08-2", old, "--faked-system-time", year)

	ed := g.key("Ed <ed@example.org>", "ed25519", "sign", "never", "--faked-system-time", then)
	add("dated in the future", signature.Expired, "in the future, 2099-01-01", ed, "--faked-system-time", "20990101T000000!")
	add("sha-1", signature.Weak, "SHA-1", ed, "--digest-algo", "SHA1")

	rob := g.key("Rob <rob@example.org>", "rsa1024", "sign", "never")
	add("rsa of 1024 bits", signature.Weak, "1024 bits, at least 2048", rob)

	strong := g.key("Sam <sam@example.org>", "rsa1024", "cert", "never")
	g.run("--quick-add-key", strong, "ed25519", "sign", "never")
	add("good subkey of an rsa key of 1024 bits", signature.Weak, "1024 bits, at least 2048", strong)

	text := g.key("Tex <tex@example.org>", "ed25519", "sign", "never")
	add("text mode", signature.WrongPurpose, "over text", text, "--textmode")

	lost := g.key("Lou <lou@example.org>", "ed25519", "sign", "never")
	add("key revoked since", signature.Revoked, "was revoked", lost)
	g.revoke(lost)

	sub := g.key("Sue <sue@example.org>", "ed25519", "cert", "never", "--faked-system-time", then)
	g.run("--faked-system-time", then, "--quick-add-key", sub, "ed25519", "sign", "6m")
	add("signing subkey expired since", signature.Expired, "expired on 2020-08-2", sub, "--faked-system-time", year)

	for _, r := range rows {
		r := r
		ok, out := g.accepts(r.sig, message)
		if !ok {
			t.Errorf("%s: this gpg refuses, so it shows nothing:\n%s", r.name, out)
		}
		got := verify(t, r.sig, message, "run.sh", time.Now(), g.export(r.by))
		if got.State != r.state || !strings.Contains(got.Detail, r.detail) || got.Signer != "openpgp:"+r.by && got.Signer != "" {
			t.Errorf("%s: %+v, want %s with %q", r.name, got, r.state, r.detail)
		}
		if other := verify(t, r.sig, []byte("other"), "run.sh", time.Now(), g.export(r.by)); other.State == signature.Good {
			t.Errorf("%s: over other bytes %+v", r.name, other)
		}
	}
}

// TestSignaturesThatAreOver: what gpg refuses too.
func TestSignaturesThatAreOver(t *testing.T) {
	t.Parallel()
	g := newGPG(t)
	ed := g.key("Ed <ed@example.org>", "ed25519", "sign", "never", "--faked-system-time", then)
	sig := g.sign(ed, message, "--faked-system-time", then, "--default-sig-expire", "6m")
	if ok, out := g.accepts(sig, message); ok {
		t.Errorf("gpg accepts an expired signature:\n%s", out)
	}
	got := verify(t, sig, message, "", time.Now(), g.export(ed))
	if got.State != signature.Expired || !strings.Contains(got.Detail, "the signature expired on 2020-08-2") {
		t.Errorf("%+v", got)
	}
	// While it lasted it was good, and not a second before it was made (with the hour that clocks may differ).
	made := time.Date(2020, 3, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		now  time.Time
		want signature.State
	}{
		{made, signature.Good},
		{made.Add(-time.Hour), signature.Good},
		{made.Add(-time.Hour - time.Second), signature.Expired},
		{made.AddDate(0, 5, 0), signature.Good},
		{made.AddDate(0, 7, 0), signature.Expired},
	} {
		if got := verify(t, sig, message, "", c.now, g.export(ed)); got.State != c.want || !got.Made.Equal(made) {
			t.Errorf("at %s: %+v, want %s", c.now, got, c.want)
		}
	}
}

// TestCertificatesAreMerged: a revocation in any copy counts, whatever is handed in first, also when the copy
// has no user id, as key servers give it out.
func TestCertificatesAreMerged(t *testing.T) {
	t.Parallel()
	g := newGPG(t)
	by := g.key("Lou <lou@example.org>", "ed25519", "sign", "never")
	sig, before := g.sign(by, message), g.export(by)
	g.revoke(by)
	after := g.export(by)
	bare := only(t, after, 6, 2) // the primary key and the signatures on it
	bare = bare[:len(bare)-len(lastPacket(t, bare))]
	for name, copies := range map[string][][]byte{
		"first": {after, before}, "last": {before, after}, "without user id": {before, bare}, "that first": {bare, before}, "alone": {after},
	} {
		if got := verify(t, sig, message, "", time.Now(), copies...); got.State != signature.Revoked {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if got := verify(t, sig, message, "", time.Now(), before, before); got.State != signature.Good || got.CallsItself != "Lou <lou@example.org>" {
		t.Errorf("before: %+v", got)
	}
	if got := verify(t, sig, message, "", time.Now(), bare); got.State != signature.Revoked {
		t.Errorf("the bare copy alone: %+v", got)
	}
	keys := &signature.Keys{}
	if err := keys.AddSigner("openpgp:"+by, string(armored("PGP PUBLIC KEY BLOCK", bytes.Join([][]byte{before, bare}, nil)))); err != nil {
		t.Fatal(err)
	}
	if got := parse(t, sig).Verify(message, keys, "", time.Now()); got[0].State != signature.Revoked {
		t.Errorf("two copies in one certificate: %+v", got)
	}
}

// TestSubkeys: the identity is the primary key's, and a revoked subkey takes only itself away.
func TestSubkeys(t *testing.T) {
	t.Parallel()
	g := newGPG(t)
	by := g.key("Sue <sue@example.org>", "ed25519", "cert,sign", "never")
	g.run("--quick-add-key", by, "ed25519", "sign", "never")
	var sub string
	for line := range strings.Lines(g.run("--list-keys", "--with-colons", by)) {
		if fields := strings.Split(line, ":"); fields[0] == "fpr" {
			sub = fields[9]
		}
	}
	primary, second := g.sign(by+"!", message), g.sign(sub+"!", message)
	for _, sig := range [][]byte{primary, second} {
		if got := verify(t, sig, message, "", time.Now(), g.export(by)); got.State != signature.Good || got.Signer != "openpgp:"+by {
			t.Errorf("%+v", got)
		}
	}
	if names := parse(t, second).KeyNames(); len(names) != 1 || names[0] != sub {
		t.Errorf("names %q, want the subkey's, which gpg --export takes", names)
	}
	revoked := revokeSigning(t, g, by)
	if got := verify(t, second, message, "", time.Now(), g.export(by), revoked); got.State != signature.Revoked || !strings.Contains(got.Detail, sub) {
		t.Errorf("revoked subkey: %+v", got)
	}
	if got := verify(t, primary, message, "", time.Now(), g.export(by), revoked); got.State != signature.Good {
		t.Errorf("the primary key beside a revoked subkey: %+v", got)
	}
}
