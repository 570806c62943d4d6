package signer

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/crypto/ssh"

	"github.com/distributed-trust/distrust/sshsig"
)

// maxKeyFile is far more than any key file has.
const maxKeyFile = 64 << 10

// passphraseTries is how often ssh asks too.
const passphraseTries = 3

// keyFile is a private key file, read but not yet used.
type keyFile struct {
	path   string
	key    sshsig.Key
	signer ssh.Signer // the key itself, when it is not encrypted and Go can use it
	locked []byte     // the file's bytes, when it is encrypted and Go can decrypt it
	// With neither, only ssh-keygen can use the file.
}

// FromKeyFile signs with the private key file at path, or with the one that belongs to the public
// key file at path. An encrypted key is looked for in the agent first; its passphrase is asked for
// when it signs. What Go cannot use is left to the agent or to ssh-keygen.
func FromKeyFile(ctx context.Context, src Sources, path string) (Signer, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("finding key file %s: %w", path, err)
	}
	pub, err := readPublicFile(path)
	if err == nil {
		return src.fromPublic(ctx, pub, strings.TrimSuffix(path, ".pub"))
	}
	if !errors.Is(err, errNotPublic) {
		return nil, err
	}
	file, err := readKeyFile(path)
	if err != nil {
		return nil, err
	}
	return src.fromRead(ctx, file)
}

// fromRead chooses who signs with a private key file: Go, else the agent, else what can open it.
func (src Sources) fromRead(ctx context.Context, file keyFile) (Signer, error) {
	if file.signer == nil {
		s, err := FromAgent(ctx, src, file.key)
		if err == nil || ctx.Err() != nil {
			return s, err
		}
	}
	return src.withoutAgent(file)
}

// withoutAgent opens a private key file.
func (src Sources) withoutAgent(file keyFile) (Signer, error) {
	switch {
	case file.signer != nil:
		return newGoSigner(file.signer, file.path)
	case file.locked != nil:
		return &lockedSigner{file: file, ask: src.Passphrase}, nil
	}
	return src.viaKeygen("", file.path, file.key)
}

// fromPublic chooses who signs for a public key: the agent, or the private key file at path.
func (src Sources) fromPublic(ctx context.Context, pub sshsig.Key, path string) (Signer, error) {
	s, err := FromAgent(ctx, src, pub)
	if err == nil || ctx.Err() != nil {
		return s, err
	}
	file, fileErr := readKeyFile(path)
	switch {
	case errors.Is(fileErr, os.ErrNotExist):
		return nil, fmt.Errorf("%w, and there is no private key file %s", err, path)
	case fileErr != nil:
		return nil, fileErr
	case file.key != pub:
		return nil, fmt.Errorf("%w: %s is not the private key of %s.pub", ErrNoKey, path, path)
	}
	return src.withoutAgent(file)
}

// errNotPublic means a file that holds no public key line.
var errNotPublic = errors.New("not a public key file")

// readPublicFile reads a .pub file; errNotPublic when the file holds something else.
func readPublicFile(path string) (sshsig.Key, error) {
	b, err := readSmall(path)
	if err != nil {
		return sshsig.Key{}, err
	}
	if strings.HasPrefix(string(b), "-----BEGIN ") {
		return sshsig.Key{}, errNotPublic
	}
	key, _, err := sshsig.ParseAuthorizedKey(string(b))
	if err != nil {
		return sshsig.Key{}, fmt.Errorf("reading key file %s: %w", path, err)
	}
	return key, nil
}

// readKeyFile reads a private key file without asking for anything.
func readKeyFile(path string) (keyFile, error) {
	b, err := readSmall(path)
	if err != nil {
		return keyFile{}, err
	}
	if err := checkOwnerOnly(path); err != nil {
		return keyFile{}, err
	}
	file, err := parseKeyFile(path, b)
	if err != nil {
		return keyFile{}, fmt.Errorf("reading key file %s: %w", path, err)
	}
	return file, nil
}

// parseKeyFile sorts a private key by who can use it.
func parseKeyFile(path string, b []byte) (keyFile, error) {
	file := keyFile{path: path}
	signer, err := ssh.ParsePrivateKey(b)
	if err == nil {
		file.signer = signer
		file.key, err = sshsig.KeyFromSSH(signer.PublicKey())
		return file, err
	}
	var missing *ssh.PassphraseMissingError
	encrypted := errors.As(err, &missing)
	if pub, ok := publicPart(b); ok {
		if file.key, err = sshsig.KeyFromSSH(pub); err != nil {
			return keyFile{}, err
		}
	} else if file.key, err = readPublicFile(path + ".pub"); err != nil {
		// Old formats do not say which key they hold.
		if encrypted {
			return keyFile{}, fmt.Errorf("encrypted in an old format, and there is no %s.pub: ssh-keygen -p -f changes it", path)
		}
		return keyFile{}, errors.New("it holds no private key that can be read")
	}
	if encrypted && !file.key.NeedsTouch() {
		file.locked = b
	}
	return file, nil
}

// publicPart reads the public key that lies unencrypted in an OpenSSH private key file, also of the
// types that golang.org/x/crypto cannot sign with (PROTOCOL.key).
func publicPart(b []byte) (ssh.PublicKey, bool) {
	block, _ := pem.Decode(b)
	if block == nil || block.Type != "OPENSSH PRIVATE KEY" {
		return nil, false
	}
	body, ok := strings.CutPrefix(string(block.Bytes), "openssh-key-v1\x00")
	if !ok {
		return nil, false
	}
	var head struct {
		Cipher, KDF, KDFOptions string
		Keys                    uint32
		Public                  []byte
		Rest                    []byte `ssh:"rest"`
	}
	if err := ssh.Unmarshal([]byte(body), &head); err != nil || head.Keys != 1 {
		return nil, false
	}
	pub, err := ssh.ParsePublicKey(head.Public)
	return pub, err == nil
}

// readSmall reads a regular file of a key's size.
func readSmall(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("reading key file: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("reading key file %s: not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading key file: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
	if err != nil {
		return nil, fmt.Errorf("reading key file: %w", err)
	}
	if len(b) > maxKeyFile {
		return nil, fmt.Errorf("reading key file %s: longer than %d bytes", path, maxKeyFile)
	}
	return b, nil
}

// lockedSigner is an encrypted key file; the passphrase is asked for once, when it first signs.
type lockedSigner struct {
	file keyFile
	ask  func(ctx context.Context, prompt string) ([]byte, error)

	mu   sync.Mutex
	open *goSigner
}

func (s *lockedSigner) Key() sshsig.Key { return s.file.key }
func (s *lockedSigner) Origin() string  { return s.file.path }

func (s *lockedSigner) Quiet() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open != nil
}

func (s *lockedSigner) Sign(ctx context.Context, message []byte, ns sshsig.Namespace) ([]byte, error) {
	open, err := s.unlock(ctx)
	if err != nil {
		return nil, fmt.Errorf("signing with %s: %w", s.file.path, err)
	}
	return open.Sign(ctx, message, ns)
}

// unlock decrypts the key with a passphrase of the user's.
func (s *lockedSigner) unlock(ctx context.Context) (*goSigner, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open != nil {
		return s.open, nil
	}
	if s.ask == nil {
		return nil, fmt.Errorf("%w, and nobody can be asked", ErrPassphrase)
	}
	for range passphraseTries {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		passphrase, err := s.ask(ctx, fmt.Sprintf("passphrase for %s: ", s.file.path))
		if err != nil {
			return nil, errors.Join(ErrPassphrase, err)
		}
		if len(passphrase) == 0 {
			return nil, fmt.Errorf("%w: none was given", ErrPassphrase)
		}
		signer, err := ssh.ParsePrivateKeyWithPassphrase(s.file.locked, passphrase)
		clear(passphrase)
		if errors.Is(err, x509.IncorrectPasswordError) {
			continue
		}
		if err != nil {
			return nil, err
		}
		open, err := newGoSigner(signer, s.file.path)
		if err != nil {
			return nil, err
		}
		if open.key != s.file.key {
			return nil, fmt.Errorf("the file holds %s and says %s", open.key.Fingerprint(), s.file.key.Fingerprint())
		}
		s.open = open
		return open, nil
	}
	return nil, fmt.Errorf("%w: wrong %d times", ErrPassphrase, passphraseTries)
}
