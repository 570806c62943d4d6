// Package signer finds what can sign for the user: an agent, a key file, or ssh-keygen.
package signer

import (
	"context"
	"errors"

	"github.com/distributed-trust/distrust/sshsig"
)

// Signer makes armored SSH signatures with one key.
type Signer interface {
	// Key is the public key that the signatures will be of.
	Key() sshsig.Key
	// Sign signs message for the purpose ns and returns the armored signature.
	Sign(ctx context.Context, message []byte, ns sshsig.Namespace) ([]byte, error)
	// Quiet reports whether Sign works without a question and without a touch.
	Quiet() bool
	// Origin says for people where the key lies: "ssh agent", a path, ...
	Origin() string
}

// ErrNoKey means that nothing can sign.
var ErrNoKey = errors.New("no usable ssh key")

// ErrPassphrase means a key whose passphrase was not given.
var ErrPassphrase = errors.New("passphrase needed")

// Sources says where keys may lie. Nothing is read from the environment but through it.
type Sources struct {
	Home        string
	Dir         string
	AgentSocket string
	SSHKeygen   string
	Git         string
	Passphrase  func(ctx context.Context, prompt string) ([]byte, error)
	Getenv      func(string) string
}

// Choice is what the user said about the key.
type Choice struct {
	Explicit string
	Stored   string
}

// Candidate is a key that can sign.
type Candidate struct {
	Key  sshsig.Key
	Name string
	Ref  string
	Rung string
	open func(context.Context) (Signer, error)
}

// Open makes the signer.
func (c Candidate) Open(ctx context.Context) (Signer, error) { return c.open(ctx) }

// Find returns the candidates of the first rung that has any.
func Find(ctx context.Context, src Sources, choice Choice) ([]Candidate, error) {
	return nil, ErrNoKey
}

// FromKeyFile signs with a key file.
func FromKeyFile(ctx context.Context, src Sources, path string) (Signer, error) {
	return nil, ErrNoKey
}

// FromAgent signs with a key of the agent.
func FromAgent(ctx context.Context, src Sources, key sshsig.Key) (Signer, error) {
	return nil, ErrNoKey
}

// FromSSHKeygen signs by running ssh-keygen -Y sign on a key file.
func FromSSHKeygen(ctx context.Context, src Sources, path string) (Signer, error) {
	return nil, ErrNoKey
}

// Generate makes a new ed25519 key.
func Generate(path, comment string) (Signer, error) { return nil, ErrNoKey }
