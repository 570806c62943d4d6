// Package signer finds what can sign for the user and signs with it, wherever the private key lies.
//
// It speaks the ssh-agent protocol, reads OpenSSH and PEM private key files, runs
// `ssh-keygen -Y sign` for the keys that Go cannot use (security keys in a file), and reads git's
// settings for SSH signing (git-config(1): gpg.format, user.signingKey, gpg.ssh.defaultKeyCommand,
// gpg.ssh.program) by asking the git program. Every signature is verified before it is returned.
//
// Nothing here reads the environment of the process: what a caller wants known stands in Sources.
package signer

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/distributed-trust/distrust/sshsig"
)

// Signer makes armored SSH signatures with one key.
type Signer interface {
	// Key is the public key that the signatures are of.
	Key() sshsig.Key
	// Sign returns the armored signature over message for the purpose ns. It may ask for a
	// passphrase or wait for a touch, and gives up when ctx is done.
	Sign(ctx context.Context, message []byte, ns sshsig.Namespace) ([]byte, error)
	// Quiet reports whether Sign works without a question and without a touch.
	Quiet() bool
	// Origin says for people where the private key lies: "ssh agent", a path, ...
	Origin() string
}

var (
	// ErrNoKey means that nothing can sign; see NoKeyError and UnusableError.
	ErrNoKey = errors.New("no usable ssh key")
	// ErrPassphrase means a key file whose passphrase was not given, or not the right one.
	ErrPassphrase = errors.New("key file needs its passphrase")
	// ErrKeyPermissions means a private key file that others may read; ssh does not use it either.
	ErrKeyPermissions = errors.New("private key file is open to other users")
)

// NoKeyError says where keys were looked for. It is an ErrNoKey.
type NoKeyError struct {
	Tried []string // for people, one entry a rung: "ssh agent: it holds no key", ...
}

// Error implements error.
func (e *NoKeyError) Error() string {
	if len(e.Tried) == 0 {
		return ErrNoKey.Error()
	}
	return ErrNoKey.Error() + ": " + strings.Join(e.Tried, "; ")
}

// Is makes errors.Is(err, ErrNoKey) hold.
func (e *NoKeyError) Is(target error) bool { return target == ErrNoKey }

// UnusableError says that a key was named and cannot be used. No other key is taken in its place,
// for a log is bound to the key that signs first. It is an ErrNoKey.
type UnusableError struct {
	Rung  Rung
	Named string // as it was named
	Err   error
}

// Error implements error.
func (e *UnusableError) Error() string {
	named := e.Named
	if len(named) > 100 {
		named = named[:100] + "..."
	}
	return fmt.Sprintf("using the key %q of %s: %v", named, e.Rung, e.Err)
}

// Unwrap returns the cause.
func (e *UnusableError) Unwrap() error { return e.Err }

// Is makes errors.Is(err, ErrNoKey) hold.
func (e *UnusableError) Is(target error) bool { return target == ErrNoKey }

// Sources says where keys may lie and what may be run. The zero value has no keys.
type Sources struct {
	// Home is the user's home folder: `~/.ssh`, and "~/" in names of keys; "" is none.
	Home string
	// Dir is a git work tree of the user's own whose settings count too; "" asks for the user's and
	// the system's settings only. Never a folder that came from elsewhere: its settings can name a
	// command to run.
	Dir string
	// AgentSocket is the path of the agent's socket (SSH_AUTH_SOCK); "" is no agent.
	AgentSocket string
	// SSHKeygen and Git are the programs; "" looks for them in Getenv("PATH") when they are needed.
	SSHKeygen, Git string
	// Passphrase asks the user; nil never asks, and keeps ssh-keygen from asking too. The prompt
	// holds a path. The returned slice is overwritten after use.
	Passphrase func(ctx context.Context, prompt string) ([]byte, error)
	// Getenv is the user's environment; nil is an empty one. Programs that are run see a fixed list
	// of its variables.
	Getenv func(name string) string
}

// goSigner signs in this process with a key that lies in memory.
type goSigner struct {
	signer ssh.Signer
	key    sshsig.Key
	origin string
}

// newGoSigner refuses the keys that F3 refuses.
func newGoSigner(s ssh.Signer, origin string) (*goSigner, error) {
	key, err := sshsig.KeyFromSSH(s.PublicKey())
	if err != nil {
		return nil, err
	}
	return &goSigner{signer: s, key: key, origin: origin}, nil
}

func (s *goSigner) Key() sshsig.Key { return s.key }
func (s *goSigner) Quiet() bool     { return true }
func (s *goSigner) Origin() string  { return s.origin }

func (s *goSigner) Sign(ctx context.Context, message []byte, ns sshsig.Namespace) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("signing with %s: %w", s.origin, err)
	}
	armored, err := sshsig.Sign(message, s.signer, ns)
	if err != nil {
		return nil, fmt.Errorf("signing with %s: %w", s.origin, err)
	}
	return armored, nil
}

// checked verifies what another program made; it must be of the very key that was asked for.
func checked(message, armored []byte, ns sshsig.Namespace, want sshsig.Key) ([]byte, error) {
	got, err := sshsig.Verify(message, armored, ns)
	if err != nil {
		return nil, err
	}
	if got != want {
		return nil, fmt.Errorf("another key signed: %s, not %s", got.Fingerprint(), want.Fingerprint())
	}
	return armored, nil
}
