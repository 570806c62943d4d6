package signer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/distributed-trust/distrust/sshsig"
)

// agentOrigin is what people are told.
const agentOrigin = "ssh agent"

// listTimeout bounds the questions that no person has to answer.
const listTimeout = 10 * time.Second

// AgentKey is a key that an agent holds and F3 accepts.
type AgentKey struct {
	Key     sshsig.Key
	Comment string // foreign text
}

// AgentKeys lists the keys of the agent at the socket, in its order. Certificates and keys that F3
// refuses are left out; refused counts them.
func AgentKeys(ctx context.Context, socket string) (keys []AgentKey, refused int, err error) {
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	err = withAgent(ctx, socket, func(client agent.ExtendedAgent) error {
		listed, err := client.List()
		if err != nil {
			return err
		}
		for _, k := range listed {
			key, err := sshsig.KeyFromSSH(k)
			if err != nil {
				refused++
				continue
			}
			keys = append(keys, AgentKey{Key: key, Comment: k.Comment})
		}
		return nil
	})
	if err != nil {
		return nil, 0, fmt.Errorf("listing the keys of the ssh agent: %w", err)
	}
	return keys, refused, nil
}

// FromAgent signs with a key that the agent of src holds; ErrNoKey when it does not.
func FromAgent(ctx context.Context, src Sources, key sshsig.Key) (Signer, error) {
	if src.AgentSocket == "" {
		return nil, fmt.Errorf("%w: there is no ssh agent", ErrNoKey)
	}
	keys, _, err := AgentKeys(ctx, src.AgentSocket)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoKey, err)
	}
	for _, k := range keys {
		if k.Key == key {
			return &agentSigner{socket: src.AgentSocket, key: key}, nil
		}
	}
	return nil, fmt.Errorf("%w: the ssh agent does not hold %s", ErrNoKey, key.Fingerprint())
}

// agentSigner asks the agent anew for each signature; it holds no connection.
type agentSigner struct {
	socket string
	key    sshsig.Key
}

func (s *agentSigner) Key() sshsig.Key { return s.key }
func (s *agentSigner) Quiet() bool     { return !s.key.NeedsTouch() }
func (s *agentSigner) Origin() string  { return agentOrigin }

func (s *agentSigner) Sign(ctx context.Context, message []byte, ns sshsig.Namespace) ([]byte, error) {
	var armored []byte
	err := withAgent(ctx, s.socket, func(client agent.ExtendedAgent) error {
		signers, err := client.Signers()
		if err != nil {
			return err
		}
		for _, candidate := range signers {
			if !s.is(candidate.PublicKey()) {
				continue
			}
			armored, err = sshsig.Sign(message, candidate, ns)
			return err
		}
		return fmt.Errorf("%w: it no longer holds %s", ErrNoKey, s.key.Fingerprint())
	})
	if err != nil {
		return nil, fmt.Errorf("signing with the ssh agent: %w", err)
	}
	return armored, nil
}

// is compares whole keys; the certificate of a key is another key.
func (s *agentSigner) is(pub ssh.PublicKey) bool {
	key, err := sshsig.KeyFromSSH(pub)
	return err == nil && key == s.key
}

// withAgent connects to the agent and hangs up when use is over or ctx is done.
func withAgent(ctx context.Context, socket string, use func(agent.ExtendedAgent) error) error {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "unix", socket)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer func() {
		if stop() {
			_ = conn.Close()
		}
	}()
	err = use(agent.NewClient(conn))
	if ctx.Err() != nil {
		// The broken connection is our own doing.
		return errors.Join(ctx.Err(), err)
	}
	return err
}
