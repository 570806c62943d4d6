package signature

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/distributed-trust/distrust/schema"
)

// MaxCertificates is how many bytes of OpenPGP certificates one Keys takes in.
const MaxCertificates = 10 << 20

// ErrNoPublicKey means that bytes hold no public key of a format that is known here.
var ErrNoPublicKey = errors.New("holds no public key")

// Keys are the public keys that signatures are checked with. The zero value is none and ready to
// use. That a key is here says nothing about trust: it only makes its signatures checkable.
// SSHSIG needs none, its signatures hold the key. Adding is not for several goroutines at once;
// checking is.
type Keys struct {
	certificates map[string]*certificate // by fingerprint of the primary key
	read         int                     // bytes of certificates so far
	raw          []rawKey
}

// AddSigner adds the key of a signer record (F2): the identity and, for openpgp:, its certificate. A
// certificate of another key than the identity's is an error; without one an openpgp: identity adds
// nothing, for a fingerprint cannot verify. An ssh: identity adds nothing either.
func (k *Keys) AddSigner(signer, certificate string) error {
	if err := schema.ValidSigner(signer); err != nil {
		return err
	}
	format, key, _ := strings.Cut(signer, ":")
	switch Format(format) {
	case Minisign, Signify:
		raw, err := parseRawKey(Format(format), key)
		if err != nil {
			return fmt.Errorf("reading signer: %w", err)
		}
		k.addRaw(raw)
		return nil
	case OpenPGP:
		if certificate != "" {
			return k.addCertificates([]byte(certificate), key)
		}
		return nil
	default:
		return nil
	}
}

// Add adds every key of a public key file: OpenPGP certificates (armored or binary, one or more, as
// `gpg --export` writes them) or a minisign or signify public key, by content. Certificates of one
// fingerprint are merged: what one copy lacks, such as a revocation, the others bring (S2). The
// error wraps ErrNoPublicKey or is a *TooLargeError, and then nothing was added.
func (k *Keys) Add(file []byte) error {
	if isArmored(file, armorPublicKey) || len(file) > 0 && isPublicKeyPacket(file[0]) {
		return k.addCertificates(file, "")
	}
	if raw, ok := parseRawKeyFile(file); ok {
		k.addRaw(raw)
		return nil
	}
	return fmt.Errorf("reading keys: %w", ErrNoPublicKey)
}

// isPublicKeyPacket tells the first byte of a binary certificate (RFC 9580, 4.2: packet type 6).
func isPublicKeyPacket(b byte) bool { return b == 0xc6 || b&0xfc == 0x98 }

// addCertificates reads certificates into a copy first. With only, all must be of that fingerprint.
func (k *Keys) addCertificates(file []byte, only string) error {
	if len(file) > MaxCertificates-k.read {
		return &TooLargeError{What: "certificates", Max: MaxCertificates}
	}
	stream := file
	if isArmored(file, armorPublicKey) {
		var err error
		if stream, err = dearmor(file, armorPublicKey); err != nil {
			return fmt.Errorf("reading certificates: %w: %w", ErrNoPublicKey, err)
		}
	}
	fresh := certificateReader{byFingerprint: map[string]*certificate{}}
	n, err := fresh.read(bytes.NewReader(stream))
	if err == nil && n == 0 {
		err = errors.New("no key of version 4 or 6")
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNoPublicKey, err)
	}
	for name := range fresh.byFingerprint {
		if only != "" && name != only {
			return fmt.Errorf("reading certificates: %w: a certificate of %s, not of %s", ErrNoPublicKey, name, only)
		}
	}
	if k.certificates == nil {
		k.certificates = map[string]*certificate{}
	}
	// The same stream once more, into what is there: that it can be read is known.
	merged := certificateReader{byFingerprint: k.certificates}
	if _, err := merged.read(bytes.NewReader(stream)); err != nil {
		return fmt.Errorf("%w: %w", ErrNoPublicKey, err)
	}
	k.read += len(file)
	return nil
}

func (k *Keys) addRaw(key rawKey) {
	if !slices.Contains(k.raw, key) {
		k.raw = append(k.raw, key)
	}
}

// Signers are the identities of all keys, sorted.
func (k *Keys) Signers() []string {
	var signers []string
	for name := range k.certificates {
		signers = append(signers, string(OpenPGP)+":"+name)
	}
	for _, key := range k.raw {
		signers = append(signers, key.String())
	}
	slices.Sort(signers)
	return signers
}
