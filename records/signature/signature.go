package signature

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// The largest things that are read.
const (
	MaxSignature = 1 << 20   // bytes of a signature file
	MaxHeld      = 128 << 20 // bytes of a file under a signature that is over the bytes themselves
)

// ErrUnknownFormat means that bytes are no signature, and no list, of a kind that is known here. It
// says nothing against the file they lie beside: other tools use the same endings.
var ErrUnknownFormat = errors.New("neither a signature nor a checksum list of a known format")

// TooLargeError says that an input is longer than is read.
type TooLargeError struct {
	What string // "certificates", "checksum list"
	Max  int64  // bytes
}

// Error implements error.
func (e *TooLargeError) Error() string {
	return fmt.Sprintf("%s: longer than %d bytes", e.What, e.Max)
}

// Signature is one signature file, read and not yet checked.
type Signature struct {
	format    Format
	broken    string // why it can only be Bad; read is nil then
	read      reading
	cleartext bool // it was made over the text of a cleartext signature
}

// reading is a signature file of one format.
type reading interface {
	// names are what it calls the keys that made it.
	names() []string
	// claims are the identities of the keys at hand that have these names.
	claims(*Keys) []string
	// begin makes the verifier of one file.
	begin(*Keys, target) verifier
}

// verifier takes the bytes of one file and then judges them.
type verifier interface {
	io.Writer
	results() []Result
}

// target is what a signature is checked against, besides the bytes.
type target struct {
	name      string
	now       time.Time
	text      bool // a checksum list, over which text signatures count
	cleartext bool // the text of a cleartext signature, over which nothing else counts
}

// Parse reads a signature file. The only error is ErrUnknownFormat. A file that is recognised and
// broken (cut short, longer than MaxSignature, with something behind it) is a Signature whose
// check says Bad and why; an empty one too. Read at most MaxSignature+1 bytes of a file: a longer
// one is refused by the first byte too many.
func Parse(file []byte) (*Signature, error) {
	s := &Signature{format: detect(file)}
	var err error
	switch {
	case len(file) == 0:
		err = errors.New("the file is empty")
	case s.format == "":
		return nil, ErrUnknownFormat
	case len(file) > MaxSignature:
		err = fmt.Errorf("it is longer than %d bytes", MaxSignature)
	case s.format == SSH:
		s.read, err = readSSH(file)
	case s.format == OpenPGP:
		s.read, err = readPGP(file)
	default:
		s.read, err = readRaw(file, s.format)
	}
	if err != nil {
		s.read, s.broken = nil, "the signature file is of no use: "+err.Error()
	}
	return s, nil
}

// detect tells the format by how a file begins.
func detect(file []byte) Format {
	switch {
	case bytes.HasPrefix(file, []byte("-----BEGIN SSH SIGNATURE-----")):
		return SSH
	case isArmored(file, armorSignature), isSignaturePacket(file):
		return OpenPGP
	case bytes.HasPrefix(file, []byte(untrustedComment)):
		return detectRaw(file)
	default:
		return ""
	}
}

// Format is how it was made; "" for an empty file.
func (s *Signature) Format() Format { return s.format }

// KeyNames are what it calls the keys that made it, so that a caller can fetch them, as by `gpg --export`:
// OpenPGP fingerprints or key ids in upper-case hex, OpenSSH fingerprints, key numbers of minisign
// and signify. They are claims, not identities.
func (s *Signature) KeyNames() []string {
	if s.read == nil {
		return nil
	}
	return s.read.names()
}

// Claims are the identities (F2) that it says it was made by, as far as the keys at hand tell, sorted. Nothing
// was verified: this is for a person who names a signer by one of his signatures.
func (s *Signature) Claims(keys *Keys) []string {
	if s.read == nil {
		return nil
	}
	claims := s.read.claims(keys)
	slices.Sort(claims)
	return slices.Compact(claims)
}

// Check begins to check it against a file of that name ("" when there is none, as for standard
// input), with the keys at hand and now as the time of the check. Write the whole file to the
// result, in order, then ask for the results.
func (s *Signature) Check(keys *Keys, name string, now time.Time) *Check {
	return s.check(keys, target{name: name, now: now})
}

func (s *Signature) check(keys *Keys, of target) *Check {
	of.cleartext = s.cleartext
	c := &Check{signature: s}
	if s.read != nil {
		c.verifier = s.read.begin(keys, of)
	}
	return c
}

// Verify is Check for bytes that are at hand.
func (s *Signature) Verify(message []byte, keys *Keys, name string, now time.Time) []Result {
	return s.Check(keys, name, now).over(message)
}

// Check is one signature file being checked against one file. It is an io.Writer so that several can
// share one pass over the file (io.MultiWriter, subject.Options.Tee).
type Check struct {
	signature *Signature
	verifier  verifier // nil for a broken signature
	head      []byte   // the beginning of the file
}

// Write takes the next bytes of the file. It never fails.
func (c *Check) Write(p []byte) (int, error) {
	if missing := gitHead - len(c.head); missing > 0 {
		c.head = append(c.head, p[:min(missing, len(p))]...)
	}
	if c.verifier != nil {
		_, _ = c.verifier.Write(p) // digests do not fail
	}
	return len(p), nil
}

func (c *Check) over(message []byte) []Result {
	_, _ = c.Write(message)
	return c.Results()
}

// Results ends the check, after the last byte: one result for each signature in the file, in its
// order. It must be called once, also when reading the file failed and its answer is of no use.
func (c *Check) Results() []Result {
	if c.verifier == nil {
		return []Result{{Format: c.signature.format, State: Bad, Detail: c.signature.broken}}
	}
	results := c.verifier.results()
	kind := gitObject(c.head)
	for i := range results {
		if kind != "" && results[i].State == Good {
			results[i].State = WrongPurpose
			results[i].Detail = "these bytes are a git " + kind + ": its signature is about a repository, not about a file"
		}
	}
	return results
}
