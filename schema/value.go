package schema

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// hexDigits checks for exactly so many lower-case hex digits.
func hexDigits(s string, n int) error {
	if len(s) != n || !lowerHex(s) {
		return fmt.Errorf("%s is not %d lower-case hex digits", quote(s), n)
	}
	return nil
}

// validID checks a record id or another SHA-256.
func validID(s string) error { return hexDigits(s, 64) }

// writableTime checks that a time is one that a document can hold.
func writableTime(t time.Time) error {
	if !validTime(t) {
		return fmt.Errorf("the time %s is not of whole seconds in the years 1970 to 9999", t.Format(time.RFC3339Nano))
	}
	return nil
}

// validURL checks an address as far as the format does: what may be fetched is judged where it
// is fetched (S3).
func validURL(s string) error {
	if s == "" {
		return errors.New("the address is empty")
	}
	return ValidText(s)
}

// validKeyLine checks the shape of a public key, "type base64": one space, no comment. What
// key it is, and whether it may sign, is for package sshsig to say (F3).
func validKeyLine(s string) error {
	kind, key, _ := strings.Cut(s, " ")
	if kind == "" || !only(kind, "abcdefghijklmnopqrstuvwxyz0123456789@.-") || !base64Text(key) {
		return fmt.Errorf("%s is not a public key as \"type base64\"", quote(s))
	}
	return nil
}

const base64Digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

// base64Text checks for padded base64 of something, in its one canonical spelling.
func base64Text(s string) bool {
	if s == "" || len(s)%4 != 0 {
		return false
	}
	switch plain := strings.TrimRight(s, "="); len(s) - len(plain) {
	case 0:
		return only(s, base64Digits)
	case 1: // the last digit has two bits too many, which are 0
		return only(plain, base64Digits) && strings.IndexByte(base64Digits, plain[len(plain)-1])%4 == 0
	case 2: // four bits
		return only(plain, base64Digits) && strings.IndexByte(base64Digits, plain[len(plain)-1])%16 == 0
	default:
		return false
	}
}

// fingerprint checks for 32 bytes in base64 without padding, as OpenSSH prints them.
func fingerprint(s string) bool {
	return len(s) == 43 && s[42] != '=' && base64Text(s+"=")
}

// ValidSigner reports whether s is a signer identity (F2): always the whole key, never a short
// id. The forms are "ssh:" and a public key, "openpgp:" and the primary key's fingerprint in
// upper-case hex as gpg prints it, and "minisign:" or "signify:" with the line of the public key.
// Each key has one spelling, for signers are compared byte for byte.
func ValidSigner(s string) error {
	format, key, _ := strings.Cut(s, ":")
	switch format {
	case "ssh":
		return validKeyLine(key)
	case "openpgp":
		if len(key) != 40 && len(key) != 64 || !only(key, "0123456789ABCDEF") {
			return fmt.Errorf("signer %s is not openpgp: and 40 or 64 upper-case hex digits", quote(s))
		}
		return nil
	case "minisign", "signify":
		// 42 bytes: the algorithm "Ed", a key number, the key.
		if len(key) != 56 || !only(key, base64Digits) || key[:2] != "RW" || strings.IndexByte("QRST", key[2]) < 0 {
			return fmt.Errorf("signer %s is not %s: and the line of a public key", quote(s), format)
		}
		return nil
	default:
		return fmt.Errorf("signer %s has none of the forms ssh:, openpgp:, minisign: and signify: in front", quote(s))
	}
}

// check judges one subject of a record of a kind (F2).
func (s *Subject) check(k Kind) error {
	form := s.Kind()
	if form == "" {
		return errors.New("a subject is exactly one of file with digest, signer, git, release and project")
	}
	if form != SubjectFile && (s.File != "" || s.Size > 0) {
		return errors.New("a file name or size needs a digest")
	}
	if form != SubjectSigner && (s.Cert != "" || len(s.Pattern) > 0) {
		return errors.New("a certificate or projects need a signer")
	}
	switch form {
	case SubjectFile:
		return s.checkFile()
	case SubjectSigner:
		return s.checkSigner(k)
	case SubjectGit:
		return s.Git.check()
	case SubjectRelease, SubjectProject:
		if k != KindDistrust {
			return fmt.Errorf("a %s record speaks about no %s, only about bytes and signers", k, form)
		}
	}
	if form == SubjectProject {
		return ValidProject(s.Project)
	}
	if _, _, ok := SplitRelease(s.Release); !ok {
		return fmt.Errorf("%s is not a release like pkg:pypi/requests@2.33.1", quote(s.Release))
	}
	return nil
}

// checkFile judges the name, size and digests of a file.
func (s *Subject) checkFile() error {
	const mostSize = 9999999999999999 // F1's integers have 16 digits
	if err := ValidText(s.File); err != nil {
		return fmt.Errorf("file: %w", err)
	}
	if strings.Contains(s.File, "/") {
		return fmt.Errorf("file %s is a path, not a name", quote(s.File))
	}
	if s.Size < -1 || s.Size > mostSize {
		return fmt.Errorf("size %d is not a size", s.Size)
	}
	if err := hexDigits(s.Digest.SHA256, 64); err != nil {
		return fmt.Errorf("sha256: %w", err)
	}
	if s.Digest.SHA512 != "" {
		if err := hexDigits(s.Digest.SHA512, 128); err != nil {
			return fmt.Errorf("sha512: %w", err)
		}
	}
	return nil
}

// checkSigner judges a signer: to trust one without saying for which projects is not possible,
// and a report about a key holds for every project.
func (s *Subject) checkSigner(k Kind) error {
	if err := ValidSigner(s.Signer); err != nil {
		return err
	}
	switch {
	case k == KindTrust && len(s.Pattern) == 0:
		return errors.New("a trusted signer needs projects")
	case k == KindDistrust && len(s.Pattern) > 0:
		return errors.New("a distrusted signer has no projects, it holds for all")
	case s.Cert != "" && !strings.HasPrefix(s.Signer, "openpgp:"):
		return errors.New("only an openpgp: signer has a certificate")
	}
	for _, p := range s.Pattern {
		if err := ValidPattern(p); err != nil {
			return err
		}
	}
	if s.Cert == "" {
		return nil
	}
	return validCertificate(s.Cert)
}

// The first and last line of a certificate.
const (
	armorBegin = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n"
	armorEnd   = "-----END PGP PUBLIC KEY BLOCK-----\n"
)

// validCertificate checks the frame of a certificate; what is in it is for the
// OpenPGP library to judge.
func validCertificate(s string) error {
	if !strings.HasPrefix(s, armorBegin) || !strings.HasSuffix(s, "\n"+armorEnd) {
		return errors.New("the certificate is not one public key block")
	}
	return validLines(s, true)
}

// check judges a git id.
func (g GitID) check() error {
	id := g.Commit + g.Tree
	if g.Commit != "" && g.Tree != "" || len(id) != 40 && len(id) != 64 || !lowerHex(id) {
		return errors.New("git is not exactly one of commit and tree, in 40 or 64 lower-case hex digits")
	}
	return nil
}
