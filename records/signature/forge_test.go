package signature_test

import (
	"bytes"
	"crypto"
	"encoding/base64"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"github.com/distributed-trust/distrust/records/signature"
)

// packetsOf splits a stream into its packets with their headers.
func packetsOf(t testing.TB, stream []byte) (tags []uint8, raw [][]byte) {
	t.Helper()
	r := packet.NewOpaqueReader(bytes.NewReader(stream))
	for {
		p, err := r.Next()
		if errors.Is(err, io.EOF) {
			return tags, raw
		}
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := p.Serialize(&b); err != nil {
			t.Fatal(err)
		}
		tags, raw = append(tags, p.Tag), append(raw, b.Bytes())
	}
}

// only keeps the packets of some types.
func only(t testing.TB, stream []byte, kinds ...uint8) []byte {
	t.Helper()
	tags, raw := packetsOf(t, stream)
	var out []byte
	for i := range raw {
		if bytes.IndexByte(kinds, tags[i]) >= 0 {
			out = append(out, raw[i]...)
		}
	}
	return out
}

func lastPacket(t testing.TB, stream []byte) []byte {
	t.Helper()
	_, raw := packetsOf(t, stream)
	return raw[len(raw)-1]
}

// armored wraps bytes as OpenPGP does, without a checksum, as RFC 9580 allows.
func armored(kind string, b []byte) []byte {
	text := base64.StdEncoding.EncodeToString(b)
	var out strings.Builder
	out.WriteString("-----BEGIN " + kind + "-----\n\n")
	for len(text) > 0 {
		n := min(64, len(text))
		out.WriteString(text[:n] + "\n")
		text = text[n:]
	}
	out.WriteString("-----END " + kind + "-----\n")
	return []byte(out.String())
}

// person is a key pair that go-crypto made, for what no gpg makes.
func person(t testing.TB, name string) *openpgp.Entity {
	t.Helper()
	e, err := openpgp.NewEntity(name, "", name+"@example.org", nil)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func public(t testing.TB, e *openpgp.Entity) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := e.Serialize(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// forge signs message with a key as a signature packet of the test's making.
func forge(t testing.TB, key *packet.PrivateKey, message []byte, change func(*packet.Signature)) []byte {
	t.Helper()
	sig := &packet.Signature{
		Version: key.Version, SigType: packet.SigTypeBinary, PubKeyAlgo: key.PubKeyAlgo, Hash: crypto.SHA256,
		CreationTime: time.Now(), IssuerKeyId: &key.KeyId, IssuerFingerprint: key.Fingerprint,
	}
	change(sig)
	h, err := sig.PrepareSign(nil)
	if err != nil {
		t.Fatal(err)
	}
	h.Write(message)
	if err := sig.Sign(h, key, nil); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := sig.Serialize(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// revokeSigning makes the revocation of the last subkey that may sign with the secret key of a gpg, as a
// copy of the certificate that holds it.
func revokeSigning(t testing.TB, g gpg, by string) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "secret")
	g.run("--output", out, "--export-secret-keys", by)
	ring, err := openpgp.ReadKeyRing(bytes.NewReader(read(t, out)))
	if err != nil {
		t.Fatal(err)
	}
	for _, sub := range slices.Backward(ring[0].Subkeys) {
		if !sub.Bindings[0].Packet.FlagSign {
			continue
		}
		if err := sub.Revoke(packet.NoReason, "", nil); err != nil {
			t.Fatal(err)
		}
		ring[0].Subkeys = []openpgp.Subkey{sub}
		return public(t, ring[0])
	}
	t.Fatal("no subkey may sign")
	return nil
}

// adopt lists the key of a victim as a subkey of a thief, who can sign that, but nothing with the key.
func adopt(t testing.TB, thief, victim *openpgp.Entity, sign bool) {
	t.Helper()
	stolen := *victim.PrimaryKey
	stolen.IsSubkey = true
	binding := &packet.Signature{
		Version: 4, SigType: packet.SigTypeSubkeyBinding, PubKeyAlgo: thief.PrimaryKey.PubKeyAlgo, Hash: crypto.SHA256,
		CreationTime: time.Now(), IssuerKeyId: &thief.PrimaryKey.KeyId, FlagsValid: true, FlagSign: sign, FlagAuthenticate: true,
	}
	if err := binding.SignKey(&stolen, thief.PrivateKey, nil); err != nil {
		t.Fatal(err)
	}
	thief.Subkeys = append(thief.Subkeys, openpgp.Subkey{
		Primary: thief, PublicKey: &stolen, Bindings: []*packet.VerifiableSignature{packet.NewVerifiableSig(binding)},
	})
}

// TestAdoptedSubkey: whoever lists another's signing key as his subkey does not become the signer,
// for that key never vouched for him.
func TestAdoptedSubkey(t *testing.T) {
	t.Parallel()
	for _, sign := range []bool{true, false} {
		victim, thief := person(t, "victim"), person(t, "thief")
		sig := forge(t, victim.PrivateKey, message, func(*packet.Signature) {})
		adopt(t, thief, victim, sign)
		got := verify(t, sig, message, "", time.Now(), public(t, thief))
		if got.State != signature.NoKey || got.Signer != "" || got.CallsItself != "" {
			t.Errorf("by the thief alone: %+v", got)
		}
		orders := [][][]byte{{public(t, thief), public(t, victim)}, {public(t, victim), public(t, thief)}}
		for _, order := range orders {
			got := verify(t, sig, message, "", time.Now(), order...)
			if got.State != signature.Good || !strings.HasPrefix(got.CallsItself, "victim") {
				t.Errorf("with both: %+v", got)
			}
		}
		// What the thief adds does not hide what the certificate of the victim says.
		if err := victim.Revoke(packet.KeyCompromised, "", nil); err != nil {
			t.Fatal(err)
		}
		if got := verify(t, sig, message, "", time.Now(), public(t, thief), public(t, victim)); got.State != signature.Revoked {
			t.Errorf("with the victim's revocation: %+v", got)
		}
	}
}

// TestSharedSubkey: two certificates of one owner may share a signing key, which vouches for both; what
// became of the one does not take the other away.
func TestSharedSubkey(t *testing.T) {
	t.Parallel()
	private, work := person(t, "private"), person(t, "work")
	if err := private.AddSigningSubkey(nil); err != nil {
		t.Fatal(err)
	}
	shared := private.Subkeys[len(private.Subkeys)-1]
	bound := *shared.Bindings[0].Packet
	back := *bound.EmbeddedSignature
	bound.EmbeddedSignature, bound.IssuerKeyId, bound.IssuerFingerprint = &back, &work.PrimaryKey.KeyId, work.PrimaryKey.Fingerprint
	if err := back.CrossSignKey(shared.PublicKey, work.PrimaryKey, shared.PrivateKey, nil); err != nil {
		t.Fatal(err)
	}
	if err := bound.SignKey(shared.PublicKey, work.PrivateKey, nil); err != nil {
		t.Fatal(err)
	}
	work.Subkeys = append(work.Subkeys, openpgp.Subkey{
		Primary: work, PublicKey: shared.PublicKey, Bindings: []*packet.VerifiableSignature{packet.NewVerifiableSig(&bound)},
	})
	sig := forge(t, shared.PrivateKey, message, func(*packet.Signature) {})
	for _, e := range []*openpgp.Entity{private, work} {
		if got := verify(t, sig, message, "", time.Now(), public(t, e)); got.State != signature.Good {
			t.Errorf("%+v", got)
		}
	}
	before := public(t, private)
	for _, e := range []*openpgp.Entity{private, work} {
		if err := e.Revoke(packet.KeyRetired, "", nil); err != nil {
			t.Fatal(err)
		}
		got := verify(t, sig, message, "", time.Now(), public(t, private), public(t, work))
		if want := map[bool]signature.State{true: signature.Good, false: signature.Revoked}[e == private]; got.State != want {
			t.Errorf("%+v, want %s", got, want)
		}
	}
	if got := verify(t, sig, message, "", time.Now(), before); got.State != signature.Good {
		t.Errorf("%+v", got)
	}
}

// TestForgedSignatures are those that a gpg does not make.
func TestForgedSignatures(t *testing.T) {
	t.Parallel()
	e := person(t, "ed")
	cert := public(t, e)
	for _, c := range []struct {
		name   string
		change func(*packet.Signature)
		want   signature.State
		detail string
	}{
		{"as it should be", func(*packet.Signature) {}, signature.Good, ""},
		{"sha-224", func(s *packet.Signature) { s.Hash = crypto.SHA224 }, signature.Good, ""},
		{"sha3-256", func(s *packet.Signature) { s.Hash = crypto.SHA3_256 }, signature.Good, ""},
		{"standalone", func(s *packet.Signature) { s.SigType = 0x02 }, signature.WrongPurpose, "type 0x02"},
		{"of a key", func(s *packet.Signature) { s.SigType = packet.SigTypePositiveCert }, signature.WrongPurpose, "type 0x13"},
		{"older than its key", func(s *packet.Signature) { s.CreationTime = time.Now().AddDate(-1, 0, 0) }, signature.Bad, "before its key"},
		{"critical notation", func(s *packet.Signature) {
			s.Notations = []*packet.Notation{{Name: "only@example.org", Value: []byte("for tests"), IsCritical: true, IsHumanReadable: true}}
		}, signature.WrongPurpose, "only@example.org"},
		{"a notation", func(s *packet.Signature) {
			s.Notations = []*packet.Notation{{Name: "for@example.org", Value: []byte("tests"), IsHumanReadable: true}}
		}, signature.Good, ""},
	} {
		sig := forge(t, e.PrivateKey, message, c.change)
		for name, file := range map[string][]byte{"binary": sig, "armored": armored("PGP SIGNATURE", sig)} {
			got := verify(t, file, message, "", time.Now(), cert)
			if got.State != c.want || !strings.Contains(got.Detail, c.detail) {
				t.Errorf("%s, %s: %+v, want %s", c.name, name, got, c.want)
			}
		}
	}

	// An MD5 digest: the library has no word for it, so the byte that names it is changed by hand.
	md5 := forge(t, e.PrivateKey, message, func(*packet.Signature) {})
	md5[bytes.Index(md5, []byte{4, 0, byte(e.PrimaryKey.PubKeyAlgo), 8})+3] = 1
	if got := verify(t, md5, message, "", time.Now(), cert); got.State != signature.Weak || !strings.Contains(got.Detail, "MD5") {
		t.Errorf("md5: %+v", got)
	}

	// A key that is for certifying alone.
	for _, id := range e.Identities {
		self := id.SelfCertifications[0].Packet
		self.FlagSign = false
		if err := self.SignUserId(id.Name, e.PrimaryKey, e.PrivateKey, nil); err != nil {
			t.Fatal(err)
		}
	}
	sig := forge(t, e.PrivateKey, message, func(*packet.Signature) {})
	if got := verify(t, sig, message, "", time.Now(), public(t, e)); got.State != signature.WrongPurpose || !strings.Contains(got.Detail, "not for signing") {
		t.Errorf("no signing flag: %+v", got)
	}
}

// TestVersion6: keys and signatures of RFC 9580, whose digests are salted.
func TestVersion6(t *testing.T) {
	t.Parallel()
	config := &packet.Config{V6Keys: true, Algorithm: packet.PubKeyAlgoEd25519}
	e, err := openpgp.NewEntity("six", "", "six@example.org", config)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := openpgp.DetachSign(&b, []*openpgp.Entity{e}, bytes.NewReader(message), config); err != nil {
		t.Fatal(err)
	}
	got := verify(t, b.Bytes(), message, "", time.Now(), public(t, e))
	if got.State != signature.Good || len(got.Signer) != len("openpgp:")+64 {
		t.Errorf("%+v", got)
	}
	if got := verify(t, b.Bytes(), []byte("other"), "", time.Now(), public(t, e)); got.State != signature.Bad {
		t.Errorf("other bytes: %+v", got)
	}
	if got := verify(t, bytes.Repeat(b.Bytes(), 5), message, "", time.Now(), public(t, e)); got.State != signature.Bad || !strings.Contains(got.Detail, "salted") {
		t.Errorf("five of them: %+v", got)
	}
}

// TestSeveralSigners: each signature in a file has its own result.
func TestSeveralSigners(t *testing.T) {
	t.Parallel()
	a, b, c := person(t, "a"), person(t, "b"), person(t, "c")
	plain := func(*packet.Signature) {}
	sigs := [][]byte{
		forge(t, a.PrivateKey, message, plain), forge(t, b.PrivateKey, []byte("other"), plain), forge(t, c.PrivateKey, message, plain),
	}
	var blocks []byte
	for _, sig := range sigs {
		blocks = append(blocks, armored("PGP SIGNATURE", sig)...)
	}
	for name, file := range map[string][]byte{"packets": bytes.Join(sigs, nil), "armored blocks": blocks} {
		got := parse(t, file).Verify(message, keysOf(t, public(t, a), public(t, b)), "", time.Now())
		if len(got) != 3 || got[0].State != signature.Good || got[1].State != signature.Bad || got[2].State != signature.NoKey {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
