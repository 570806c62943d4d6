package sshsig_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/distributed-trust/distrust/sshsig"
)

func TestParseKeyIsTheInverseOfString(t *testing.T) {
	t.Parallel()
	keys := makeTestKeys()
	for _, wire := range [][]byte{
		keys.ed25519.PublicKey().Marshal(), keys.ecdsa.PublicKey().Marshal(), keys.rsa.PublicKey().Marshal(),
		keys.skEd25519.public(), keys.skECDSA.public(),
	} {
		pub, err := ssh.ParsePublicKey(wire)
		if err != nil {
			t.Fatal(err)
		}
		key, err := sshsig.KeyFromSSH(pub)
		if err != nil {
			t.Fatal(err)
		}
		again, err := sshsig.ParseKey(key.String())
		if err != nil || again != key {
			t.Errorf("%s: %v, %v", key, again, err)
		}
		if string(key.Wire()) != string(wire) || string(key.SSH().Marshal()) != string(wire) || key.Type() != pub.Type() {
			t.Errorf("%s is not the key it was made from", key)
		}
		if key.Fingerprint() != ssh.FingerprintSHA256(pub) {
			t.Errorf("%s: fingerprint %s", key, key.Fingerprint())
		}
		if key.NeedsTouch() != strings.HasPrefix(key.Type(), "sk-") {
			t.Errorf("%s: NeedsTouch = %v", key, key.NeedsTouch())
		}
		withComment, comment, err := sshsig.ParseAuthorizedKey("  " + key.String() + " \tme on  laptop \r\n")
		if err != nil || withComment != key || comment != "me on  laptop" {
			t.Errorf("with comment: %v, %q, %v", withComment, comment, err)
		}
	}
}

func TestZeroKey(t *testing.T) {
	t.Parallel()
	var key sshsig.Key
	if !key.IsZero() || key.String() != "" || key.Type() != "" || key.Fingerprint() != "" || len(key.Wire()) != 0 || key.SSH() != nil || key.NeedsTouch() {
		t.Errorf("the zero key is something: %#v", key)
	}
}

func TestParseKeyRefuses(t *testing.T) {
	t.Parallel()
	keys := makeTestKeys()
	text := func(s ssh.Signer) string { return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(s.PublicKey()))) }
	good := text(keys.ed25519)
	encode := base64.StdEncoding.EncodeToString
	cert := &ssh.Certificate{Key: keys.ed25519.PublicKey(), CertType: ssh.UserCert}
	if err := cert.SignCert(zeroes{}, keys.ed25519); err != nil {
		t.Fatal(err)
	}
	kind, body, _ := strings.Cut(good, " ")
	for name, c := range map[string]struct {
		text string
		want error
		line bool // good as a line of a .pub file
	}{
		"empty":                  {"", errFormat, false},
		"type only":              {"ssh-ed25519", errFormat, false},
		"type and blank":         {"ssh-ed25519 ", errFormat, false},
		"with comment":           {good + " me", errFormat, true},
		"blank behind":           {good + " ", errFormat, true},
		"line end behind":        {good + "\n", errFormat, true},
		"two blanks":             {kind + "  " + body, errFormat, true},
		"tab":                    {kind + "\t" + body, errFormat, true},
		"blank before":           {" " + good, sshsig.ErrKeyType, true},
		"options before":         {"no-pty " + good, sshsig.ErrKeyType, false},
		"line end in base64":     {kind + " " + body[:20] + "\n" + body[20:], errFormat, false},
		"two lines":              {good + "\n" + good, errFormat, false},
		"bits that mean nothing": {looseBits(text(keys.ecdsa) + "\n-")[:len(text(keys.ecdsa))], errFormat, false},

		"no padding":               {strings.TrimRight(text(keys.ecdsa), "="), errFormat, false},
		"bytes behind":             {kind + " " + encode(append(keys.ed25519.PublicKey().Marshal(), 0)), errFormat, false},
		"cut short":                {kind + " " + encode(keys.ed25519.PublicKey().Marshal()[:30]), errFormat, false},
		"length beyond the end":    {kind + " " + encode([]byte{0xff, 0xff, 0xff, 0xff, 's'}), errFormat, false},
		"three bytes":              {kind + " " + encode([]byte{0, 0, 0}), errFormat, false},
		"another type inside":      {ssh.KeyAlgoECDSA256 + " " + body, errFormat, false},
		"type in upper case":       {"SSH-ED25519 " + body, sshsig.ErrKeyType, false},
		"signature algorithm":      {"rsa-sha2-512 " + encode(keys.rsa.PublicKey().Marshal()), sshsig.ErrKeyType, false},
		"dsa":                      {"ssh-dss AAAAB3NzaC1kc3M=", sshsig.ErrKeyType, false},
		"ml-dsa":                   {"ssh-mldsa-44 AAAA", sshsig.ErrKeyType, false},
		"certificate":              {cert.Type() + " " + encode(cert.Marshal()), sshsig.ErrCertificate, false},
		"certificate as plain key": {kind + " " + encode(cert.Marshal()), sshsig.ErrCertificate, false},
		"rsa of 1024 bits":         {text(keys.weakRSA), sshsig.ErrWeakKey, false},
		"rsa of 2047 bits":         {text(keys.almostRSA), sshsig.ErrWeakKey, false},
		"rsa with leading zero":    {"ssh-rsa " + encode(paddedRSA(keys.rsa.PublicKey())), errFormat, false},
		"curve point at infinity":  {ssh.KeyAlgoECDSA256 + " " + encode(ecdsaWire("nistp256", []byte{0})), errFormat, false},
		"curve of another size":    {ssh.KeyAlgoECDSA256 + " " + encode(ecdsaWire("nistp384", []byte{4})), errFormat, false},
		"too long":                 {"ssh-ed25519 " + strings.Repeat("A", 9000), errFormat, false},
	} {
		key, err := sshsig.ParseKey(c.text)
		if !isOnly(err, c.want) || !key.IsZero() {
			t.Errorf("%s: ParseKey = %v, %v", name, key, err)
		}
		if errors.Is(c.want, sshsig.ErrCertificate) && !errors.Is(err, sshsig.ErrCertificate) {
			t.Errorf("%s: not called a certificate: %v", name, err)
		}
		key, _, err = sshsig.ParseAuthorizedKey(c.text)
		if c.line != (err == nil) || c.line == key.IsZero() {
			t.Errorf("%s: ParseAuthorizedKey = %v, %v", name, key, err)
		}
	}
	if key, err := sshsig.KeyFromSSH(nil); !errors.Is(err, sshsig.ErrKeyType) || !key.IsZero() {
		t.Errorf("nil: %v, %v", key, err)
	}
	if key, err := sshsig.KeyFromSSH(cert); !errors.Is(err, sshsig.ErrCertificate) || !key.IsZero() {
		t.Errorf("certificate: %v, %v", key, err)
	}
}

// zeroes is enough randomness for a certificate's nonce.
type zeroes struct{}

func (zeroes) Read(p []byte) (int, error) { return len(p), nil }

func ecdsaWire(curve string, point []byte) []byte {
	return ssh.Marshal(struct {
		Name, Curve string
		Point       []byte
	}{ssh.KeyAlgoECDSA256, curve, point})
}
