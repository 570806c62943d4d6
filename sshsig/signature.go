package sshsig

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	wire "github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"
)

// Namespace says what a signature is for; one made for one purpose is never taken for another.
type Namespace string

// The namespaces that are used here. NamespaceFile is what `ssh-keygen -Y sign -n file` is told for
// release files of other projects; nothing of ours is ever signed with it.
const (
	NamespaceRecord Namespace = "distrust/record/v1"
	NamespaceHead   Namespace = "distrust/head/v1"
	NamespaceFile   Namespace = "file"
)

// Info is what a signature says about itself. Nothing of it has been verified.
type Info struct {
	Key       Key
	Namespace Namespace // foreign text
	Hash      string    // "sha256" or "sha512"
}

// Verify returns the key that made the armored signature over message for the purpose ns. The
// error is a *FormatError or wraps one of the sentinels of this package, and then no key is
// returned. Whether that key may sign is for the caller to decide.
func Verify(message, armored []byte, ns Namespace) (Key, error) {
	// Unwrapped, so that it is hashed without a copy; reading from memory cannot fail.
	return verify(bytes.NewReader(message), armored, ns)
}

// VerifyReader is Verify for a message that is read once, in constant memory. Everything that the
// signature alone can fail is checked before the first byte is read. An error of r is returned
// wrapped and is none of this package's errors.
func VerifyReader(r io.Reader, armored []byte, ns Namespace) (Key, error) {
	message := &watchedReader{r: r}
	key, err := verify(message, armored, ns)
	if message.err != nil {
		return Key{}, fmt.Errorf("reading the signed message: %w", message.err)
	}
	return key, err
}

// verify is both of them.
func verify(message io.Reader, armored []byte, ns Namespace) (Key, error) {
	sig, info, err := parse(armored)
	if err != nil {
		return Key{}, fmt.Errorf("verifying ssh signature: %w", err)
	}
	// The empty namespace would be a signature for every purpose (F3).
	if ns == "" || info.Namespace != ns {
		return Key{}, fmt.Errorf("verifying ssh signature: %w", &NamespaceError{Want: ns, Got: info.Namespace})
	}
	if err := wire.Verify(message, sig, sig.PublicKey, sig.HashAlgorithm, string(ns)); err != nil {
		return Key{}, fmt.Errorf("verifying ssh signature: %w", ErrBadSignature)
	}
	return info.Key, nil
}

// Inspect reads what an armored signature says about itself without verifying it, so that a refusal
// can say "signed for another purpose". It refuses what F3 refuses, the namespace aside.
func Inspect(armored []byte) (Info, error) {
	_, info, err := parse(armored)
	if err != nil {
		return Info{}, fmt.Errorf("reading ssh signature: %w", err)
	}
	return info, nil
}

// blob is the wire form of a signature, xref PROTOCOL.sshsig "Blob format".
type blob struct {
	Magic     [6]byte
	Version   uint32
	PublicKey []byte
	Namespace string
	Reserved  []byte
	Hash      string
	Signature []byte
}

// securityKeyTail is what follows the inner signature of a security key, xref PROTOCOL.u2f.
type securityKeyTail struct {
	Flags   byte
	Counter uint32
}

const (
	magicPreamble    = "SSHSIG"
	wireVersion      = 1
	flagUserPresence = 0x01
)

// parse applies every rule of F3 that does not need the message.
func parse(armored []byte) (*wire.Signature, Info, error) {
	raw, err := dearmor(armored)
	if err != nil {
		return nil, Info{}, err
	}
	var b blob
	if err := ssh.Unmarshal(raw, &b); err != nil {
		return nil, Info{}, formatError("signature is not an SSHSIG structure")
	}
	if string(b.Magic[:]) != magicPreamble {
		return nil, Info{}, formatError("signature does not hold the SSHSIG preamble")
	}
	if b.Version != wireVersion {
		return nil, Info{}, formatError("signature has version %d, only %d is known", b.Version, wireVersion)
	}
	if b.Namespace == "" {
		return nil, Info{}, &FormatError{Reason: "signature has no namespace"}
	}
	// Nothing signs these bytes, so they could say anything.
	if len(b.Reserved) != 0 {
		return nil, Info{}, formatError("signature has reserved bytes that nobody signed")
	}
	if b.Hash != string(wire.HashSHA256) && b.Hash != string(wire.HashSHA512) {
		return nil, Info{}, fmt.Errorf("%w: hash %q", ErrAlgorithm, clip(b.Hash))
	}
	key, pub, err := parseWire(b.PublicKey)
	if err != nil {
		return nil, Info{}, err
	}
	inner := new(ssh.Signature)
	if err := ssh.Unmarshal(b.Signature, inner); err != nil {
		return nil, Info{}, formatError("inner signature is malformed")
	}
	if err := checkInner(key, inner); err != nil {
		return nil, Info{}, err
	}
	sig := &wire.Signature{
		Version: b.Version, PublicKey: pub, Namespace: b.Namespace, HashAlgorithm: wire.HashAlgorithm(b.Hash), Signature: inner,
	}
	return sig, Info{Key: key, Namespace: Namespace(b.Namespace), Hash: b.Hash}, nil
}

// checkInner checks the algorithm and the shape of the signature inside the signature.
func checkInner(key Key, inner *ssh.Signature) error {
	ok := inner.Format == key.Type()
	if key.Type() == ssh.KeyAlgoRSA {
		// "ssh-rsa" means SHA-1.
		ok = inner.Format == ssh.KeyAlgoRSASHA256 || inner.Format == ssh.KeyAlgoRSASHA512
	}
	if !ok {
		return fmt.Errorf("%w: %q for a key of type %s", ErrAlgorithm, clip(inner.Format), key.Type())
	}
	if !key.NeedsTouch() {
		if len(inner.Rest) != 0 {
			return formatError("something follows the inner signature")
		}
		return nil
	}
	var tail securityKeyTail
	if err := ssh.Unmarshal(inner.Rest, &tail); err != nil {
		return formatError("inner signature of a security key does not end with flags and counter")
	}
	if tail.Flags&flagUserPresence == 0 {
		return ErrUserPresence
	}
	return nil
}

// Sign makes an armored signature over message, with SHA-512 and, for RSA, rsa-sha2-512. The key of
// s must be one that F3 accepts. The result has been verified, so that a broken agent or device
// cannot make a record that nobody can read.
func Sign(message []byte, s ssh.Signer, ns Namespace) ([]byte, error) {
	key, err := KeyFromSSH(s.PublicKey())
	if err != nil {
		return nil, fmt.Errorf("signing with ssh key: %w", err)
	}
	sig, err := wire.Sign(bytes.NewReader(message), s, wire.HashSHA512, string(ns))
	if err != nil {
		return nil, fmt.Errorf("signing with ssh key: %w", err)
	}
	armored := armor(sig.Marshal())
	by, err := Verify(message, armored, ns)
	if err != nil {
		return nil, fmt.Errorf("checking the signature just made: %w", err)
	}
	if by != key {
		return nil, fmt.Errorf("checking the signature just made: %w", errOtherKey)
	}
	return armored, nil
}

// errOtherKey means a signer that answered with another key than it was asked for.
var errOtherKey = errors.New("another key made it")

// watchedReader remembers the error of its reader, to tell it from a bad signature.
type watchedReader struct {
	r   io.Reader
	err error
}

// Read implements io.Reader.
func (w *watchedReader) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		w.err = err
	}
	return n, err
}

// clip keeps foreign text in messages short.
func clip(s string) string {
	if len(s) > 64 {
		return s[:64] + "..."
	}
	return s
}
