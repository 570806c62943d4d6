package sshsig

import (
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"

	"golang.org/x/crypto/ssh"
)

// MinRSABits is the size of the smallest RSA key that is accepted (F3).
const MinRSABits = 2048

// certificateSuffix ends the type name of every OpenSSH certificate.
const certificateSuffix = "-cert-v01@openssh.com"

// maxKeyText bounds the text form of a key; an RSA key of 16,384 bits takes less than 3 KiB.
const maxKeyText = 8 << 10

// Key is a public key that F3 accepts as a signer. Two Keys are the same key exactly when they are
// equal with ==, so a Key can be a map key. The zero Key is no key. Only the functions of this
// package make one, so a Key that is not zero is always well formed and never a certificate.
type Key struct {
	wire string // RFC 4253 wire bytes in their one canonical form
}

// ParseKey reads a key written as "type base64" with exactly one space, as records and heads hold
// it (F2): no comment, no options, no other white space.
func ParseKey(s string) (Key, error) {
	if len(s) > maxKeyText {
		return Key{}, formatError("public key is longer than %d bytes", maxKeyText)
	}
	name, text, ok := strings.Cut(s, " ")
	if !ok {
		return Key{}, formatError("public key is not written as TYPE BASE64")
	}
	return keyFromText(name, text)
}

// ParseAuthorizedKey reads one line of a .pub file as people have it: type, base64 and an optional
// comment, which is returned and is foreign text. Options in front are refused, for they would
// mean a restriction that nobody here keeps.
func ParseAuthorizedKey(line string) (Key, string, error) {
	line = strings.Trim(line, " \t\r\n")
	if len(line) > maxKeyText {
		return Key{}, "", formatError("public key line is longer than %d bytes", maxKeyText)
	}
	if strings.ContainsAny(line, "\r\n") {
		return Key{}, "", formatError("public key is more than one line")
	}
	name, rest := cutBlank(line)
	text, comment := cutBlank(rest)
	if text == "" {
		return Key{}, "", formatError("public key is not written as TYPE BASE64")
	}
	key, err := keyFromText(name, text)
	if err != nil {
		return Key{}, "", err
	}
	return key, comment, nil
}

// KeyFromSSH converts a key of golang.org/x/crypto/ssh. A certificate is ErrCertificate, never the
// key inside it.
func KeyFromSSH(pub ssh.PublicKey) (Key, error) {
	if pub == nil {
		return Key{}, fmt.Errorf("%w: no key", ErrKeyType)
	}
	return keyFromWire(pub.Marshal())
}

// keyFromText checks that base64 text holds a key of the type that is written before it.
func keyFromText(name, text string) (Key, error) {
	if err := checkKeyType(name); err != nil {
		return Key{}, err
	}
	// Strict and without line ends: one key has one text.
	if strings.ContainsAny(text, "\r\n") {
		return Key{}, formatError("public key holds a line end")
	}
	wire, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil {
		return Key{}, formatError("public key is not base64")
	}
	key, err := keyFromWire(wire)
	if err != nil {
		return Key{}, err
	}
	if key.Type() != name {
		return Key{}, formatError("public key says %s and holds %s", name, key.Type())
	}
	return key, nil
}

// keyFromWire reads a key as it goes over the wire.
func keyFromWire(wire []byte) (Key, error) {
	key, _, err := parseWire(wire)
	return key, err
}

// parseWire is where every Key is made. It gives the key as golang.org/x/crypto/ssh has it, too.
func parseWire(wire []byte) (Key, ssh.PublicKey, error) {
	name, ok := wireName(string(wire))
	if !ok {
		return Key{}, nil, formatError("public key is cut short")
	}
	if err := checkKeyType(name); err != nil {
		return Key{}, nil, err
	}
	pub, err := ssh.ParsePublicKey(wire)
	if err != nil {
		return Key{}, nil, formatError("public key of type %s is malformed", name)
	}
	// A number with leading zeros would give one key several wire forms, and so several names.
	if string(pub.Marshal()) != string(wire) {
		return Key{}, nil, formatError("public key of type %s is not in its canonical form", name)
	}
	if c, ok := pub.(ssh.CryptoPublicKey); ok {
		if r, ok := c.CryptoPublicKey().(*rsa.PublicKey); ok && r.N.BitLen() < MinRSABits {
			return Key{}, nil, fmt.Errorf("%w: rsa of %d bits, at least %d are needed", ErrWeakKey, r.N.BitLen(), MinRSABits)
		}
	}
	return Key{wire: string(wire)}, pub, nil
}

// checkKeyType is F3's list of key types.
func checkKeyType(name string) error {
	switch name {
	case ssh.KeyAlgoED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521,
		ssh.KeyAlgoRSA, ssh.KeyAlgoSKED25519, ssh.KeyAlgoSKECDSA256:
		return nil
	}
	if len(name) > 64 {
		return fmt.Errorf("%w: a name of %d bytes", ErrKeyType, len(name))
	}
	if strings.HasSuffix(name, certificateSuffix) {
		return fmt.Errorf("%w (%s)", ErrCertificate, name)
	}
	return fmt.Errorf("%w: %q", ErrKeyType, name)
}

// wireName reads the type name that every key starts with.
func wireName(wire string) (string, bool) {
	if len(wire) < 4 {
		return "", false
	}
	n := binary.BigEndian.Uint32([]byte(wire[:4]))
	if uint64(n) > uint64(len(wire)-4) {
		return "", false
	}
	return wire[4 : 4+n], true
}

// IsZero reports whether k is no key.
func (k Key) IsZero() bool { return k.wire == "" }

// Type is the name of the key's type, such as "ssh-ed25519"; "" for the zero Key.
func (k Key) Type() string {
	name, _ := wireName(k.wire)
	return name
}

// String is "type base64", the form that ParseKey reads; "" for the zero Key.
func (k Key) String() string {
	if k.IsZero() {
		return ""
	}
	return k.Type() + " " + base64.StdEncoding.EncodeToString([]byte(k.wire))
}

// Fingerprint is OpenSSH's "SHA256:…"; "" for the zero Key.
func (k Key) Fingerprint() string {
	if k.IsZero() {
		return ""
	}
	sum := sha256.Sum256([]byte(k.wire))
	return "SHA256:" + base64.RawStdEncoding.EncodeToString(sum[:])
}

// Wire is a copy of the key's bytes in the SSH wire format.
func (k Key) Wire() []byte { return []byte(k.wire) }

// SSH is the key as golang.org/x/crypto/ssh has it; nil for the zero Key.
func (k Key) SSH() ssh.PublicKey {
	if k.IsZero() {
		return nil
	}
	// The same bytes were parsed when k was made.
	pub, err := ssh.ParsePublicKey([]byte(k.wire))
	if err != nil {
		return nil
	}
	return pub
}

// NeedsTouch reports whether the key lives in a security key, which asks for a touch to sign.
func (k Key) NeedsTouch() bool {
	name := k.Type()
	return name == ssh.KeyAlgoSKED25519 || name == ssh.KeyAlgoSKECDSA256
}

// cutBlank splits s at the first run of spaces and tabs.
func cutBlank(s string) (word, rest string) {
	i := strings.IndexAny(s, " \t")
	if i < 0 {
		return s, ""
	}
	return s[:i], strings.TrimLeft(s[i:], " \t")
}
