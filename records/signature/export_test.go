package signature_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/distributed-trust/distrust/records/signature"
	"github.com/distributed-trust/distrust/schema"
)

// TestCertificate: what a record holds of a certificate is short, checks the same signatures, fits into a
// record, and gpg takes it.
func TestCertificate(t *testing.T) {
	t.Parallel()
	g := newGPG(t)
	by := g.key("Sue <sue@example.org>", "rsa3072", "cert", "never")
	g.run("--quick-add-key", by, "ed25519", "sign", "never")
	g.run("--quick-add-key", by, "cv25519", "encr", "never")
	g.run("--quick-add-uid", by, "Susan <susan@example.com>")
	friend := g.key("Fay <fay@example.org>", "ed25519", "cert,sign", "never")
	g.run("--local-user", friend, "--quick-sign-key", by)
	signer := "openpgp:" + by
	sig, whole := g.sign(by, message), g.export(by)
	keys := keysOf(t, whole, g.export(friend))

	text, err := keys.Certificate(signer, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	least := &signature.Keys{}
	if err := least.AddSigner(signer, text); err != nil {
		t.Fatal(err)
	}
	if got := parse(t, sig).Verify(message, least, "", time.Now()); got[0].State != signature.Good || got[0].Signer != signer {
		t.Errorf("%+v", got)
	}
	if again, err := least.Certificate(signer, time.Now()); err != nil || again != text {
		t.Errorf("the least of the least: %v\n%s", err, again)
	}
	record := schema.Record{
		Kind: schema.KindTrust, Log: strings.Repeat("0", 32), Issued: time.Now().Truncate(time.Second),
		By:       "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f",
		Subjects: []schema.Subject{{Signer: signer, Cert: text, Pattern: []string{"pkg:generic/x"}}},
	}
	if _, err := record.Marshal(); err != nil {
		t.Errorf("in a record: %v", err)
	}
	stranger := newGPG(t)
	stranger.run("--import", write(t, "certificate", []byte(text)))
	if ok, out := stranger.accepts(sig, message); !ok {
		t.Errorf("gpg with it:\n%s", out)
	}
	tags, _ := packetsOf(t, stranger.export(by))
	if want := []uint8{6, 13, 2, 14, 2}; !slices.Equal(tags, want) {
		t.Errorf("packets of types %v, want %v of %d bytes", tags, want, len(whole))
	}

	// A revoked subkey goes along with its revocation, and a revoked key not at all.
	keys = keysOf(t, whole, revokeSigning(t, g, by))
	if text, err = keys.Certificate(signer, time.Now()); err != nil {
		t.Fatal(err)
	}
	if got := verify(t, sig, message, "", time.Now(), []byte(text)); got.State != signature.Revoked {
		t.Errorf("revoked subkey: %+v", got)
	}
	g.revoke(by)
	for name, c := range map[string]struct {
		keys   *signature.Keys
		signer string
	}{
		"revoked":        {keysOf(t, g.export(by)), signer},
		"not at hand":    {keys, "openpgp:" + strings.Repeat("0", 40)},
		"nothing":        {&signature.Keys{}, signer},
		"another format": {keys, "minisign:" + by},
	} {
		if text, err := c.keys.Certificate(c.signer, time.Now()); !errors.Is(err, signature.ErrNoCertificate) || text != "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
