package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/distributed-trust/distrust/records/signature"
	"github.com/distributed-trust/distrust/schema"
)

// errSigner says which forms --signer takes.
var errSigner = errors.New("not a key: give a public key or its file, an OpenPGP certificate, a signature, or ssh:, openpgp:, minisign: or signify: with the key")

// maxKeyFile is more than any ssh public key file needs.
const maxKeyFile = 16 << 10

// signerSubject is the signer that a person names with --signer: an identity of F2, an ssh public key, or
// a file that holds a public key, a certificate, or a signature whose signer is meant. What a check of an
// OpenPGP signature needs of the certificate goes into the record, so that those who follow need not have it.
func (in *Invocation) signerSubject(ctx context.Context, arg string) (schema.Subject, error) {
	p, err := in.proofs()
	if err != nil {
		return schema.Subject{}, err
	}
	identity, err := p.identity(ctx, arg)
	if err != nil {
		return schema.Subject{}, err
	}
	one, err := p.signerOf(ctx, identity)
	if errors.Is(err, signature.ErrNoCertificate) && !slices.Contains(p.keys.Signers(), identity) {
		in.Env.say("no certificate of it is at hand, so others can check with it only if they have it")
		err = nil
	}
	return one, err
}

// signerOf is the subject of a signer, with what a check of its signatures needs. The error is
// [signature.ErrNoCertificate] where the certificate is not at hand, or is of no use.
func (p *proofs) signerOf(ctx context.Context, identity string) (one schema.Subject, err error) {
	one = schema.Subject{Size: -1, Signer: identity}
	if fingerprint, ok := strings.CutPrefix(identity, string(signature.OpenPGP)+":"); ok {
		p.exportGPG(ctx, fingerprint) // a revocation may be known here and not in the file
		one.Cert, err = p.keys.Certificate(identity, p.in.Env.Now())
	}
	return one, err
}

// identity is the F2 identity of what a person named; keys that came with it are then among the keys.
func (p *proofs) identity(ctx context.Context, arg string) (string, error) {
	if schema.ValidSigner(arg) == nil {
		return arg, nil
	}
	if key, _, err := readPublicKey(arg); err == nil {
		return "ssh:" + key.String(), nil
	}
	b, err := readAtMost(arg, signature.MaxCertificates)
	if errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("%q is no file, and %w", arg, errSigner)
	}
	if err != nil {
		return "", err
	}
	named := &signature.Keys{} // apart from those of --cert
	if err := named.Add(b); err == nil {
		if err := p.keys.Add(b); err != nil {
			return "", fmt.Errorf("reading %s: %w", arg, err)
		}
		return onlyOne(arg, named.Signers())
	}
	sig, err := signature.Parse(b)
	if err != nil {
		return "", fmt.Errorf("%s: %w", arg, errSigner)
	}
	p.askGPG(ctx, sig)
	signers := sig.Claims(p.keys)
	if len(signers) == 0 && len(sig.KeyNames()) == 0 { // empty, damaged, or a secret key
		return "", fmt.Errorf("%s: %w", arg, errSigner)
	}
	if len(signers) == 0 {
		return "", fmt.Errorf("%s is signed by %s, whose key is not at hand: get it, and name it instead", arg, firstFew(sig.KeyNames()))
	}
	return onlyOne(arg, signers)
}

// onlyOne is the signer that a file means.
func onlyOne(file string, signers []string) (string, error) {
	if len(signers) != 1 {
		return "", fmt.Errorf("%s holds %d keys, name one of them: %s", file, len(signers), firstFew(signers))
	}
	return signers[0], nil
}

// firstFew are words on one line that can be read: five of them, and how many more there are.
func firstFew(words []string) string {
	const few = 5
	if more := len(words) - few; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(words[:few], ", "), more)
	}
	return strings.Join(words, ", ")
}
