package signer

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unicode"

	"golang.org/x/crypto/ssh"
)

// Generate makes a new ed25519 key in the file path (0600, OpenSSH format, not encrypted) and its
// public key with the comment in path.pub, making the folder (0700) when there is none. It never
// writes over a file: the error is then an os.ErrExist.
func Generate(path, comment string) (Signer, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("making a key: %w", err)
	}
	if strings.ContainsFunc(comment, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return nil, errors.New("making a key: the comment holds characters that cannot be printed")
	}
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making a key: %w", err)
	}
	block, err := ssh.MarshalPrivateKey(private, comment)
	if err != nil {
		return nil, fmt.Errorf("making a key: %w", err)
	}
	key, err := ssh.NewSignerFromKey(private)
	if err != nil {
		return nil, fmt.Errorf("making a key: %w", err)
	}
	signer, err := newGoSigner(key, path)
	if err != nil {
		return nil, fmt.Errorf("making a key: %w", err)
	}
	public := strings.TrimRight(signer.Key().String()+" "+comment, " ") + "\n"
	if err := writeKeyPair(path, pem.EncodeToMemory(block), []byte(public)); err != nil {
		return nil, fmt.Errorf("making a key: %w", err)
	}
	return signer, nil
}

// writeKeyPair writes both files or neither.
func writeKeyPair(path string, private, public []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	if err := writeNew(path, private, 0o600); err != nil {
		return err
	}
	if err := writeNew(path+".pub", public, 0o644); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

// writeNew writes a file that must not exist, to the disk.
func writeNew(path string, b []byte, mode os.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}
