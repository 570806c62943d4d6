package signature

import "errors"

// MaxCertificates is how many bytes of OpenPGP certificates one Keys takes in.
const MaxCertificates = 10 << 20

// ErrNoPublicKey means that bytes hold no public key of a format that is known here.
var ErrNoPublicKey = errors.New("holds no public key")

// Keys are the public keys that signatures are checked with. The zero value is none and ready to
// use. That a key is here says nothing about trust: it only makes its signatures checkable.
// SSHSIG needs none, its signatures hold the key.
type Keys struct{}

// AddSigner adds the key of a signer record (F2): the identity and, for openpgp:, its certificate. A
// certificate of another key than the identity's is an error; without one an openpgp: identity adds
// nothing, for a fingerprint cannot verify. An ssh: identity adds nothing either.
func (k *Keys) AddSigner(signer, certificate string) error { return nil }

// Add adds every key of a public key file: OpenPGP certificates (armored or binary, one or more, as
// `gpg --export` writes them) or a minisign or signify public key, by content. Certificates of one
// fingerprint are merged: what one copy lacks, such as a revocation, the others bring (S2). The
// error wraps ErrNoPublicKey or is a *TooLargeError, and then nothing was added.
func (k *Keys) Add(file []byte) error { return nil }

// Signers are the identities of all keys, sorted.
func (k *Keys) Signers() []string { return nil }
