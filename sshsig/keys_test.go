package sshsig_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"math/big"
	"slices"
	"sync"

	"golang.org/x/crypto/ssh"
)

// testKeys are the keys of the hand-built signatures, made once because RSA takes a while.
type testKeys struct {
	ed25519, ecdsa, rsa, weakRSA, almostRSA ssh.Signer
	skEd25519, skECDSA                      authenticator
}

var makeTestKeys = sync.OnceValue(func() testKeys {
	wrap := func(key any, err error) ssh.Signer {
		if err != nil {
			panic(err)
		}
		signer, err := ssh.NewSignerFromKey(key)
		if err != nil {
			panic(err)
		}
		return signer
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	_, skEd, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	skEC, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	keys := testKeys{ed25519: wrap(ed, nil)}
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	keys.ecdsa = wrap(ec, err)
	strong, err := rsa.GenerateKey(rand.Reader, 2048)
	keys.rsa = wrap(strong, err)
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	keys.weakRSA = wrap(weak, err)
	almost, err := rsa.GenerateKey(rand.Reader, 2047)
	keys.almostRSA = wrap(almost, err)
	keys.skEd25519 = authenticator{application: "ssh:", ed: skEd}
	keys.skECDSA = authenticator{application: "ssh:", ec: skEC}
	return keys
})

// authenticator is a security key in software (PROTOCOL.u2f), because machines that run tests have
// none.
type authenticator struct {
	application string
	ed          ed25519.PrivateKey
	ec          *ecdsa.PrivateKey
}

func (a authenticator) kind() string {
	if a.ed != nil {
		return ssh.KeyAlgoSKED25519
	}
	return ssh.KeyAlgoSKECDSA256
}

func (a authenticator) public() []byte {
	if a.ed != nil {
		return ssh.Marshal(struct {
			Name        string
			Key         []byte
			Application string
		}{a.kind(), a.ed.Public().(ed25519.PublicKey), a.application})
	}
	point, err := a.ec.PublicKey.Bytes()
	if err != nil {
		panic(err)
	}
	return ssh.Marshal(struct {
		Name, Curve string
		Point       []byte
		Application string
	}{a.kind(), "nistp256", point, a.application})
}

// sign makes an inner signature with the given flags.
func (a authenticator) sign(data []byte, flags byte) ssh.Signature {
	application, message := sha256.Sum256([]byte(a.application)), sha256.Sum256(data)
	tail := ssh.Marshal(struct {
		Flags   byte
		Counter uint32
	}{flags, 7})
	signed := slices.Concat(application[:], tail, message[:])
	if a.ed != nil {
		return ssh.Signature{Format: a.kind(), Blob: ed25519.Sign(a.ed, signed), Rest: tail}
	}
	digest := sha256.Sum256(signed)
	r, s, err := ecdsa.Sign(rand.Reader, a.ec, digest[:])
	if err != nil {
		panic(err)
	}
	return ssh.Signature{Format: a.kind(), Blob: ssh.Marshal(struct{ R, S *big.Int }{r, s}), Rest: tail}
}
