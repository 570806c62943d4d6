package sshsig_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"golang.org/x/crypto/ssh"

	"github.com/distributed-trust/distrust/sshsig"
)

// sentinels are all the refusals; a refusal is exactly one of them or a FormatError.
var sentinels = []error{
	sshsig.ErrNamespace, sshsig.ErrBadSignature, sshsig.ErrKeyType, sshsig.ErrWeakKey,
	sshsig.ErrAlgorithm, sshsig.ErrUserPresence, sshsig.ErrNotAllowed,
}

// errFormat stands for a *FormatError in tables.
var errFormat = errors.New("format error")

// isOnly reports whether err is want and no other kind of refusal.
func isOnly(err, want error) bool {
	var format *sshsig.FormatError
	if errors.As(err, &format) != errors.Is(want, errFormat) {
		return false
	}
	for _, sentinel := range sentinels {
		if errors.Is(err, sentinel) != errors.Is(want, sentinel) {
			return false
		}
	}
	return err != nil
}

func TestVerifyHandBuiltSignatures(t *testing.T) {
	t.Parallel()
	for _, s := range specimens(t) {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			key, err := sshsig.Verify([]byte(forgedMessage), s.armored, sshsig.NamespaceRecord)
			if s.want == nil {
				if err != nil || key.IsZero() {
					t.Fatalf("refused: %v", err)
				}
				return
			}
			if !isOnly(err, s.want) || !key.IsZero() {
				t.Fatalf("Verify = %v, %v, want only %v", key, err, s.want)
			}
			_, err = sshsig.Inspect(s.armored)
			// Inspect leaves namespace and message to Verify and nothing else.
			if looser := errors.Is(s.want, sshsig.ErrNamespace) || errors.Is(s.want, sshsig.ErrBadSignature); looser != (err == nil) {
				t.Fatalf("Inspect: %v", err)
			}
		})
	}
}

// TestSSHKeygenAcceptsWhatVerifyAccepts is the differential of S5: nobody who checks with the stock
// tool may be told less than we were.
func TestSSHKeygenAcceptsWhatVerifyAccepts(t *testing.T) {
	t.Parallel()
	s := newStock(t)
	accepted := 0
	for _, c := range specimens(t) {
		if _, err := sshsig.Verify([]byte(forgedMessage), c.armored, sshsig.NamespaceRecord); err != nil {
			continue
		}
		accepted++
		if !s.accepts([]byte(forgedMessage), c.armored, sshsig.NamespaceRecord) {
			t.Errorf("%s: Verify accepts it, ssh-keygen refuses it", c.name)
		}
	}
	if accepted < 12 {
		t.Fatalf("only %d specimens were accepted", accepted)
	}
}

// TestVerifyEveryBit flips each bit of a signature and cuts it at each byte.
func TestVerifyEveryBit(t *testing.T) {
	t.Parallel()
	keys := makeTestKeys()
	for name, f := range map[string]forged{
		"ed25519":    forge(keys.ed25519.PublicKey().Marshal(), plain(keys.ed25519), nil),
		"sk-ed25519": forge(keys.skEd25519.public(), func(d []byte) ssh.Signature { return keys.skEd25519.sign(d, 1) }, nil),
	} {
		good := f.wire()
		if _, err := sshsig.Verify([]byte(forgedMessage), wrap(good, 70), sshsig.NamespaceRecord); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for i := range good {
			for bit := range 8 {
				bad := bytes.Clone(good)
				bad[i] ^= 1 << bit
				if key, err := sshsig.Verify([]byte(forgedMessage), wrap(bad, 70), sshsig.NamespaceRecord); err == nil {
					t.Errorf("%s: bit %d of byte %d flipped and accepted as %v", name, bit, i, key)
				}
			}
			if _, err := sshsig.Verify([]byte(forgedMessage), wrap(good[:i], 70), sshsig.NamespaceRecord); err == nil {
				t.Errorf("%s: cut at byte %d and accepted", name, i)
			}
		}
	}
}

func TestVerifyReaderReadsNothingForABadSignature(t *testing.T) {
	t.Parallel()
	for _, s := range specimens(t) {
		if s.want == nil || errors.Is(s.want, sshsig.ErrBadSignature) {
			continue
		}
		r := &countingReader{}
		if _, err := sshsig.VerifyReader(r, s.armored, sshsig.NamespaceRecord); !isOnly(err, s.want) {
			t.Errorf("%s: %v", s.name, err)
		}
		if r.reads != 0 {
			t.Errorf("%s: the message was read", s.name)
		}
	}
}

type countingReader struct{ reads int }

func (r *countingReader) Read([]byte) (int, error) {
	r.reads++
	return 0, io.EOF
}

func TestVerifyReaderTellsAReadErrorFromABadSignature(t *testing.T) {
	t.Parallel()
	keys := makeTestKeys()
	armored := forge(keys.ed25519.PublicKey().Marshal(), plain(keys.ed25519), nil).armored()
	broken := errors.New("disk on fire")
	_, err := sshsig.VerifyReader(io.MultiReader(strings.NewReader(forgedMessage), iotest.ErrReader(broken)), armored, sshsig.NamespaceRecord)
	if !errors.Is(err, broken) {
		t.Errorf("read error: %v", err)
	}
	for _, sentinel := range sentinels {
		if errors.Is(err, sentinel) {
			t.Errorf("a read error is %v", sentinel)
		}
	}
	if _, err := sshsig.VerifyReader(iotest.OneByteReader(strings.NewReader(forgedMessage)), armored, sshsig.NamespaceRecord); err != nil {
		t.Errorf("one byte at a time: %v", err)
	}
}

func TestNamespaces(t *testing.T) {
	t.Parallel()
	signer := makeTestKeys().ed25519
	all := []sshsig.Namespace{sshsig.NamespaceRecord, sshsig.NamespaceHead, sshsig.NamespaceFile, "git"}
	for _, made := range all {
		armored, err := sshsig.Sign([]byte("m"), signer, made)
		if err != nil {
			t.Fatal(err)
		}
		if info, err := sshsig.Inspect(armored); err != nil || info.Namespace != made {
			t.Errorf("Inspect = %+v, %v, want %s", info, err, made)
		}
		for _, asked := range append(all, "") {
			_, err := sshsig.Verify([]byte("m"), armored, asked)
			if (err == nil) != (made == asked) {
				t.Errorf("made for %q, asked for %q: %v", made, asked, err)
			}
			var other *sshsig.NamespaceError
			if made != asked && (!errors.As(err, &other) || other.Got != made || other.Want != asked) {
				t.Errorf("made for %q, asked for %q: %v", made, asked, err)
			}
		}
	}
}

func TestSignRefuses(t *testing.T) {
	t.Parallel()
	keys := makeTestKeys()
	cert := &ssh.Certificate{Key: keys.rsa.PublicKey(), CertType: ssh.UserCert, ValidBefore: ssh.CertTimeInfinity}
	if err := cert.SignCert(rand.Reader, keys.ed25519); err != nil {
		t.Fatal(err)
	}
	certSigner, err := ssh.NewCertSigner(cert, keys.rsa)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		signer ssh.Signer
		ns     sshsig.Namespace
		want   error
	}{
		"certificate":     {certSigner, sshsig.NamespaceRecord, sshsig.ErrCertificate},
		"short rsa":       {keys.weakRSA, sshsig.NamespaceRecord, sshsig.ErrWeakKey},
		"wrong signature": {lyingSigner{keys.ed25519}, sshsig.NamespaceRecord, sshsig.ErrBadSignature},
	} {
		if armored, err := sshsig.Sign([]byte("m"), c.signer, c.ns); !errors.Is(err, c.want) || armored != nil {
			t.Errorf("%s: %s, %v", name, armored, err)
		}
	}
	if armored, err := sshsig.Sign([]byte("m"), keys.ed25519, ""); err == nil || armored != nil {
		t.Errorf("no namespace: %s, %v", armored, err)
	}
}

// lyingSigner signs something else, as a broken device would.
type lyingSigner struct{ ssh.Signer }

func (s lyingSigner) Sign(r io.Reader, data []byte) (*ssh.Signature, error) {
	return s.Signer.Sign(r, append(data, 'x'))
}

func TestSignMakesRSAWithSHA512(t *testing.T) {
	t.Parallel()
	armored, err := sshsig.Sign([]byte("m"), makeTestKeys().rsa, sshsig.NamespaceRecord)
	if err != nil {
		t.Fatal(err)
	}
	body := strings.TrimSuffix(strings.TrimPrefix(string(armored), begin), end)
	wire, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(body, "\n", ""))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(wire, []byte("\x00\x00\x00\x06sha512")) || !bytes.Contains(wire, []byte("\x00\x00\x00\x0crsa-sha2-512")) {
		t.Errorf("neither sha512 nor rsa-sha2-512 in %q", wire)
	}
}
