// Package testkit is what the tests of records and of the packages below it begin with: people who
// have keys, files to speak about, and the stock programs, apart from the machine's configuration.
// It knows no package of records, so that their internal tests can import it.
package testkit

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"

	"golang.org/x/crypto/ssh"

	"github.com/distributed-trust/distrust/schema"
	"github.com/distributed-trust/distrust/sshsig"
)

// Salt makes the ids of logs the same in every run.
const Salt = "00112233445566778899aabbccddeeff"

// Key is a real ed25519 key in memory, the same one for the same name.
type Key struct{ SSH ssh.Signer }

// NewKey is the key of that name.
func NewKey(name string) Key {
	seed := sha256.Sum256([]byte(name))
	signer, err := ssh.NewSignerFromKey(ed25519.NewKeyFromSeed(seed[:]))
	if err != nil {
		panic(err)
	}
	return Key{signer}
}

// Key is the public key.
func (k Key) Key() sshsig.Key {
	key, err := sshsig.KeyFromSSH(k.SSH.PublicKey())
	if err != nil {
		panic(err)
	}
	return key
}

// Sign signs as a key of a user does.
func (k Key) Sign(_ context.Context, message []byte, ns sshsig.Namespace) ([]byte, error) {
	return sshsig.Sign(message, k.SSH, ns)
}

// Text is the public key as it is written.
func (k Key) Text() string { return k.Key().String() }

// Fingerprint is what is pasted to people who want to follow.
func (k Key) Fingerprint() string { return k.Key().Fingerprint() }

// Listed is the key as a head lists it.
func (k Key) Listed(state schema.KeyState, recovery bool) schema.Key {
	return schema.Key{Key: k.Text(), Name: "key", State: state, Recovery: recovery}
}

// Digest is the digest of a content.
func Digest(content string) schema.Digest {
	sum := sha256.Sum256([]byte(content))
	return schema.Digest{SHA256: hex.EncodeToString(sum[:])}
}

// File is a file as the subject of a record.
func File(name, content string) schema.Subject {
	return schema.Subject{File: name, Size: -1, Digest: Digest(content)}
}

// Trust is a trust record about subjects, without log and time.
func Trust(subjects ...schema.Subject) schema.Record {
	return schema.Record{Kind: schema.KindTrust, Subjects: subjects}
}

// Report is a report about subjects, without log and time.
func Report(subjects ...schema.Subject) schema.Record {
	return schema.Record{Kind: schema.KindDistrust, Category: schema.Malware, Subjects: subjects}
}
