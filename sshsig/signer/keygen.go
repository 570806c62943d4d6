package signer

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/distributed-trust/distrust/sshsig"
)

// FromSSHKeygen signs by running `ssh-keygen -Y sign` on the key file at path, which may be of any
// kind that ssh-keygen can use; a public key file stands for the key in the agent or beside it.
func FromSSHKeygen(src Sources, path string) (Signer, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("finding key file %s: %w", path, err)
	}
	key, err := readPublicFile(path)
	if err != nil {
		file, err := readKeyFile(path)
		if err != nil {
			return nil, err
		}
		key = file.key
	}
	return src.viaKeygen("", path, key)
}

// viaKeygen finds the program and checks nothing else; an empty path means a key that only the
// program knows where to find.
func (src Sources) viaKeygen(program, path string, key sshsig.Key) (Signer, error) {
	if program == "" {
		program = src.SSHKeygen
	}
	found, err := src.program(program, "ssh-keygen")
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoKey, err)
	}
	s := &keygenSigner{program: found, path: path, key: key, env: src.environment()}
	if src.Passphrase == nil {
		// An askpass that cannot be run is the one way to keep ssh-keygen from the terminal.
		s.env = append(s.env, "SSH_ASKPASS_REQUIRE=force", "SSH_ASKPASS="+os.DevNull)
	}
	return s, nil
}

// keygenSigner runs ssh-keygen, or the program that git was told to run in its place.
type keygenSigner struct {
	program string
	path    string
	key     sshsig.Key
	env     []string
}

func (s *keygenSigner) Key() sshsig.Key { return s.key }
func (s *keygenSigner) Quiet() bool     { return false }

func (s *keygenSigner) Origin() string {
	if s.path == "" {
		return s.program
	}
	return s.path
}

// Sign gives the message in a file and not on standard input, because the programs that replace
// ssh-keygen for git know only that form.
func (s *keygenSigner) Sign(ctx context.Context, message []byte, ns sshsig.Namespace) (armored []byte, err error) {
	dir, err := os.MkdirTemp("", "distrust-sign-")
	if err != nil {
		return nil, fmt.Errorf("signing with ssh-keygen: %w", err)
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "message")
	if err := os.WriteFile(file, message, 0o600); err != nil {
		return nil, fmt.Errorf("signing with ssh-keygen: %w", err)
	}
	args := []string{"-Y", "sign", "-n", string(ns), "-f", s.path, file}
	if s.path == "" {
		public := filepath.Join(dir, "key.pub")
		if err := os.WriteFile(public, []byte(s.key.String()+"\n"), 0o600); err != nil {
			return nil, fmt.Errorf("signing with ssh-keygen: %w", err)
		}
		// As git does for a key that it knows only literally; -U says that an agent holds it.
		args = []string{"-Y", "sign", "-n", string(ns), "-f", public, "-U", file}
	}
	if _, err := output(ctx, s.env, dir, s.program, args...); err != nil {
		return nil, fmt.Errorf("signing with ssh-keygen: %w", err)
	}
	armored, err = readSmall(file + ".sig")
	if err == nil {
		armored, err = checked(message, armored, ns, s.key)
	}
	if err != nil {
		return nil, fmt.Errorf("signing with ssh-keygen: %w", err)
	}
	return armored, nil
}
