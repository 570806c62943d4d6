package sshsig_test

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"math/big"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/distributed-trust/distrust/sshsig"
)

// forged is a signature put together by hand; nothing about it is checked.
type forged struct {
	magic                     string
	version                   uint32
	public                    []byte
	namespace, reserved, hash string
	inner, behind             []byte
}

const forgedMessage = "a message\n"

// forge starts from a good signature of forgedMessage for the record namespace; sign may be nil.
func forge(public []byte, sign func(data []byte) ssh.Signature, change func(*forged)) forged {
	f := forged{magic: "SSHSIG", version: 1, public: public, namespace: string(sshsig.NamespaceRecord), hash: "sha512"}
	if change != nil {
		change(&f)
	}
	f.inner = ssh.Marshal(sign(f.data()))
	return f
}

// data is what is signed.
func (f forged) data() []byte {
	digest := []byte(forgedMessage)
	switch f.hash {
	case "sha256":
		d := sha256.Sum256(digest)
		digest = d[:]
	default:
		d := sha512.Sum512(digest)
		digest = d[:]
	}
	return append([]byte("SSHSIG"), ssh.Marshal(struct{ Namespace, Reserved, Hash, Digest string }{
		f.namespace, f.reserved, f.hash, string(digest),
	})...)
}

func (f forged) wire() []byte {
	b := append([]byte(f.magic), ssh.Marshal(struct {
		Version                   uint32
		Public                    []byte
		Namespace, Reserved, Hash string
		Inner                     []byte
	}{f.version, f.public, f.namespace, f.reserved, f.hash, f.inner})...)
	return append(b, f.behind...)
}

const (
	begin = "-----BEGIN SSH SIGNATURE-----\n"
	end   = "-----END SSH SIGNATURE-----\n"
)

// armored wraps at 70 columns, as ssh-keygen does.
func (f forged) armored() []byte { return wrap(f.wire(), 70) }

func wrap(wire []byte, columns int) []byte {
	text := base64.StdEncoding.EncodeToString(wire)
	var b bytes.Buffer
	b.WriteString(begin)
	for line := range slices.Chunk([]byte(text), columns) {
		b.Write(line)
		b.WriteByte('\n')
	}
	b.WriteString(end)
	return b.Bytes()
}

// plain signs as an ordinary key does, RSA with SHA-512.
func plain(s ssh.Signer) func([]byte) ssh.Signature {
	algorithm := s.PublicKey().Type()
	if algorithm == ssh.KeyAlgoRSA {
		algorithm = ssh.KeyAlgoRSASHA512
	}
	return with(s, algorithm)
}

func with(s ssh.Signer, algorithm string) func([]byte) ssh.Signature {
	return func(data []byte) ssh.Signature {
		sig, err := s.(ssh.AlgorithmSigner).SignWithAlgorithm(rand.Reader, data, algorithm)
		if err != nil {
			panic(err)
		}
		return *sig
	}
}

// specimen is a hand-built signature of forgedMessage and what must be said about it.
type specimen struct {
	name    string
	armored []byte
	want    error // nil: good
}

// specimens are research/1c's rows and F3's, word for word; the fuzz target starts from them too.
func specimens(t testing.TB) []specimen {
	t.Helper()
	keys := makeTestKeys()
	ed := keys.ed25519.PublicKey().Marshal()
	good := forge(ed, plain(keys.ed25519), nil)
	from := func(change func(*forged)) []byte { return forge(ed, plain(keys.ed25519), change).armored() }
	after := func(change func(*forged)) []byte { // a change that is not signed
		f := good
		change(&f)
		return f.armored()
	}
	text := func(change func(string) string) []byte { return []byte(change(string(good.armored()))) }
	list := []specimen{
		{"good, 70 columns", good.armored(), nil},
		{"good, sha256", from(func(f *forged) { f.hash = "sha256" }), nil},
		{"good, 64 columns", wrap(good.wire(), 64), nil},
		{"good, one line", wrap(good.wire(), 10000), nil},
		{"good, no final line end", bytes.TrimSuffix(good.armored(), []byte("\n")), nil},
		{"good, white space behind", append(good.armored(), " \t\n\n"...), nil},
		{"good, ecdsa", forge(keys.ecdsa.PublicKey().Marshal(), plain(keys.ecdsa), nil).armored(), nil},
		{"good, rsa sha2-512", forge(keys.rsa.PublicKey().Marshal(), plain(keys.rsa), nil).armored(), nil},
		{"good, rsa sha2-256", forge(keys.rsa.PublicKey().Marshal(), with(keys.rsa, ssh.KeyAlgoRSASHA256), nil).armored(), nil},

		{"version 0", after(func(f *forged) { f.version = 0 }), errFormat},
		{"version 2", after(func(f *forged) { f.version = 2 }), errFormat},
		{"bad magic", after(func(f *forged) { f.magic = "SSHSIh" }), errFormat},
		{"bytes behind the blob", after(func(f *forged) { f.behind = []byte{0} }), errFormat},
		{"bytes behind the inner signature", after(func(f *forged) { f.inner = append(slices.Clone(f.inner), 0) }), errFormat},
		{"bytes behind the public key", from(func(f *forged) { f.public = append(slices.Clone(f.public), 0) }), errFormat},
		{"hash sha1", from(func(f *forged) { f.hash = "sha1" }), sshsig.ErrAlgorithm},
		{"hash label swapped", after(func(f *forged) { f.hash = "sha256" }), sshsig.ErrBadSignature},
		{"hash label in upper case", from(func(f *forged) { f.hash = "SHA512" }), sshsig.ErrAlgorithm},
		{"another namespace", from(func(f *forged) { f.namespace = "git" }), sshsig.ErrNamespace},
		{"namespace in another case", from(func(f *forged) { f.namespace = "Distrust/record/v1" }), sshsig.ErrNamespace},
		{"namespace with NUL", from(func(f *forged) { f.namespace += "\x00" }), sshsig.ErrNamespace},
		{"empty namespace", from(func(f *forged) { f.namespace = "" }), errFormat},
		{"namespace changed afterwards", forge(ed, plain(keys.ed25519), func(f *forged) { f.namespace = "file" }).relabelled(), sshsig.ErrBadSignature},
		{"reserved bytes, signed", from(func(f *forged) { f.reserved = "x" }), errFormat},
		{"reserved bytes, not signed", after(func(f *forged) { f.reserved = "x" }), errFormat},
		{"S of ed25519 plus the group order", after(malleate), sshsig.ErrBadSignature},
		{"inner signature of another type", after(func(f *forged) {
			f.inner = ssh.Marshal(plain(keys.ecdsa)(f.data()))
		}), sshsig.ErrAlgorithm},
		{"key replaced", after(func(f *forged) { f.public = makeOther(t) }), sshsig.ErrBadSignature},
		{"no public key", after(func(f *forged) { f.public = nil }), errFormat},
		{"no inner signature", after(func(f *forged) { f.inner = nil }), errFormat},
		{"unknown key type", after(func(f *forged) { f.public = ssh.Marshal(struct{ Name string }{"ssh-dss"}) }), sshsig.ErrKeyType},

		{"empty", nil, errFormat},
		{"no armor", good.wire(), errFormat},
		{"only the first line", []byte(begin), errFormat},
		{"only the frame", []byte(begin + end), errFormat},
		{"frame around an empty line", []byte(begin + "\n" + end), errFormat},
		{"text before", text(func(s string) string { return "see below\n" + s }), errFormat},
		{"blank line before", text(func(s string) string { return "\n" + s }), errFormat},
		{"byte order mark before", text(func(s string) string { return "\ufeff" + s }), errFormat},
		{"blank before", text(func(s string) string { return " " + s }), errFormat},
		{"blank behind the first line", text(func(s string) string { return strings.Replace(s, "-----\n", "----- \n", 1) }), errFormat},
		{"header", text(func(s string) string { return strings.Replace(s, begin, begin+"Comment: x\n\n", 1) }), errFormat},
		{"CRLF", text(func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }), errFormat},
		{"CR behind", text(func(s string) string { return s + "\r\n" }), errFormat},
		{"NUL behind", text(func(s string) string { return s + "\x00" }), errFormat},
		{"text behind", text(func(s string) string { return s + "and more\n" }), errFormat},
		{"text behind on the last line", text(func(s string) string { return strings.TrimSpace(s) + "x\n" }), errFormat},
		{"two blocks", text(func(s string) string { return s + s }), errFormat},
		{"no last line", text(func(s string) string { return strings.TrimSuffix(s, end) }), errFormat},
		{"last line not at the start of a line", text(func(s string) string { return strings.Replace(s, "\n"+end, end, 1) }), errFormat},
		{"another type of block", text(func(s string) string { return strings.ReplaceAll(s, "SSH SIGNATURE", "PGP SIGNATURE") }), errFormat},
		{"blank in base64", text(func(s string) string { return strings.Replace(s, "U1NI", "U1 NI", 1) }), errFormat},
		{"empty line in base64", text(func(s string) string { return strings.Replace(s, "\n", "\n\n", 2) }), errFormat},
		{"not base64", text(func(s string) string { return strings.Replace(s, "U1NI", "U1-I", 1) }), errFormat},
		{"base64 without its padding", text(func(s string) string { return strings.Replace(s, "=\n-", "\n-", 1) }), errFormat},
		{"base64 with bits that mean nothing", text(looseBits), errFormat},
		{"too long", text(func(s string) string { return s + strings.Repeat("\n", sshsig.MaxArmored) }), errFormat},
		{"as long as may be", text(func(s string) string { return s + strings.Repeat("\n", sshsig.MaxArmored-len(s)) }), nil},
		{"one byte longer", text(func(s string) string { return s + strings.Repeat("\n", sshsig.MaxArmored-len(s)+1) }), errFormat},
	}
	return append(list, keySpecimens(t, keys)...)
}

// looseBits sets bits of the last base64 digit that no byte holds.
func looseBits(s string) string {
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	last := strings.Index(s, "=\n-") - 1
	return s[:last] + string(digits[strings.IndexByte(digits, s[last])+1]) + s[last+1:]
}

// relabelled changes the namespace to the record's after signing.
func (f forged) relabelled() []byte {
	f.namespace = string(sshsig.NamespaceRecord)
	return f.armored()
}

// keySpecimens are the rows about key types.
func keySpecimens(t testing.TB, keys testKeys) []specimen {
	t.Helper()
	certificate := func(s ssh.Signer) []byte {
		cert := &ssh.Certificate{Key: s.PublicKey(), CertType: ssh.UserCert, ValidPrincipals: []string{"a"}, ValidBefore: ssh.CertTimeInfinity}
		if err := cert.SignCert(rand.Reader, keys.ed25519); err != nil {
			t.Fatal(err)
		}
		return cert.Marshal()
	}
	touch := func(a authenticator, flags byte) func([]byte) ssh.Signature {
		return func(data []byte) ssh.Signature { return a.sign(data, flags) }
	}
	tail := func(a authenticator, change func([]byte) []byte) func([]byte) ssh.Signature {
		return func(data []byte) ssh.Signature {
			sig := a.sign(data, 1)
			sig.Rest = change(slices.Clone(sig.Rest))
			return sig
		}
	}
	skEd, skEC := keys.skEd25519, keys.skECDSA
	rsaKey := keys.rsa.PublicKey()
	return []specimen{
		{"rsa certificate, sha1", forge(certificate(keys.rsa), with(keys.rsa, ssh.KeyAlgoRSA), nil).armored(), sshsig.ErrCertificate},
		{"rsa certificate, sha512", forge(certificate(keys.rsa), plain(keys.rsa), nil).armored(), sshsig.ErrCertificate},
		{"ed25519 certificate", forge(certificate(keys.ed25519), plain(keys.ed25519), nil).armored(), sshsig.ErrCertificate},
		{"rsa, sha1", forge(rsaKey.Marshal(), with(keys.rsa, ssh.KeyAlgoRSA), nil).armored(), sshsig.ErrAlgorithm},
		{"rsa of 1024 bits", forge(keys.weakRSA.PublicKey().Marshal(), plain(keys.weakRSA), nil).armored(), sshsig.ErrWeakKey},
		{"rsa of 2047 bits", forge(keys.almostRSA.PublicKey().Marshal(), plain(keys.almostRSA), nil).armored(), sshsig.ErrWeakKey},
		{"rsa with a zero before its modulus", forge(paddedRSA(rsaKey), plain(keys.rsa), nil).armored(), errFormat},
		{"sk-ed25519, touched", forge(skEd.public(), touch(skEd, 1), nil).armored(), nil},
		{"sk-ed25519, touched and verified", forge(skEd.public(), touch(skEd, 5), nil).armored(), nil},
		{"sk-ed25519, not touched", forge(skEd.public(), touch(skEd, 0), nil).armored(), sshsig.ErrUserPresence},
		{"sk-ed25519, verified and not touched", forge(skEd.public(), touch(skEd, 4), nil).armored(), sshsig.ErrUserPresence},
		{"sk-ed25519, touch claimed afterwards", forge(skEd.public(), func(data []byte) ssh.Signature {
			sig := skEd.sign(data, 0)
			sig.Rest[0] = 1
			return sig
		}, nil).armored(), sshsig.ErrBadSignature},
		{"sk-ed25519, bytes behind the counter", forge(skEd.public(), tail(skEd, func(b []byte) []byte { return append(b, 0) }), nil).armored(), errFormat},
		{"sk-ed25519, no counter", forge(skEd.public(), tail(skEd, func(b []byte) []byte { return b[:1] }), nil).armored(), errFormat},
		{"sk-ed25519, no flags", forge(skEd.public(), tail(skEd, func([]byte) []byte { return nil }), nil).armored(), errFormat},
		{"sk-ecdsa, touched", forge(skEC.public(), touch(skEC, 1), nil).armored(), nil},
		{"sk-ecdsa, not touched", forge(skEC.public(), touch(skEC, 0), nil).armored(), sshsig.ErrUserPresence},
		{"sk-ecdsa, in a browser", forge(skEC.public(), func(data []byte) ssh.Signature {
			sig := skEC.sign(data, 1)
			sig.Format = "webauthn-sk-ecdsa-sha2-nistp256@openssh.com"
			return sig
		}, nil).armored(), sshsig.ErrAlgorithm},
		{"ed25519 signed as sk-ed25519", forge(keys.ed25519.PublicKey().Marshal(), touch(skEd, 1), nil).armored(), sshsig.ErrAlgorithm},
	}
}

// malleate adds the order of the group to S, which makes another signature of the same message.
func malleate(f *forged) {
	var sig ssh.Signature
	if err := ssh.Unmarshal(f.inner, &sig); err != nil {
		panic(err)
	}
	order, _ := new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)
	s := slices.Clone(sig.Blob[32:])
	slices.Reverse(s)
	sum := new(big.Int).Add(new(big.Int).SetBytes(s), order).FillBytes(make([]byte, 32))
	slices.Reverse(sum)
	sig.Blob = append(slices.Clone(sig.Blob[:32]), sum...)
	f.inner = ssh.Marshal(sig)
}

// paddedRSA writes an RSA key with a superfluous zero byte.
func paddedRSA(pub ssh.PublicKey) []byte {
	key := pub.(ssh.CryptoPublicKey).CryptoPublicKey().(*rsa.PublicKey)
	return ssh.Marshal(struct {
		Name string
		E    *big.Int
		N    []byte
	}{ssh.KeyAlgoRSA, big.NewInt(int64(key.E)), append([]byte{0, 0}, key.N.Bytes()...)})
}

// makeOther is the wire form of a key that signed nothing.
func makeOther(t testing.TB) []byte {
	t.Helper()
	public, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return wireOf(t, public)
}

func wireOf(t testing.TB, key crypto.PublicKey) []byte {
	t.Helper()
	pub, err := ssh.NewPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pub.Marshal()
}
