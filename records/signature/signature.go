package signature

import (
	"errors"
	"fmt"
	"time"
)

// The largest things that are read.
const (
	MaxSignature = 1 << 20   // bytes of a signature file
	MaxHeld      = 256 << 20 // bytes of a file under a signature that is over the bytes themselves
)

// ErrUnknownFormat means that bytes are no signature, and no list, of a kind that is known here. It
// says nothing against the file they lie beside: other tools use the same endings.
var ErrUnknownFormat = errors.New("not a signature of a known format")

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
type Signature struct{}

// Parse reads a signature file. The only error is ErrUnknownFormat. A file that is recognised and
// broken (cut short, longer than MaxSignature, two armored blocks) is a Signature whose
// check says Bad and why; an empty one too. Read at most MaxSignature+1 bytes of a file: a longer
// one is refused by the first byte too many.
func Parse(file []byte) (*Signature, error) { return nil, ErrUnknownFormat }

// Format is how it was made.
func (s *Signature) Format() Format { return "" }

// KeyNames are what it calls the keys that made it, so that a caller can fetch them, as by `gpg --export`:
// OpenPGP fingerprints or key ids in upper-case hex, OpenSSH fingerprints, key numbers of minisign
// and signify. They are claims, not identities.
func (s *Signature) KeyNames() []string { return nil }

// Check begins to check it against a file of that name ("" when there is none, as for standard
// input), with the keys at hand and now as the time of the check. Write the whole file to the
// result, in order, then ask for the results.
func (s *Signature) Check(keys *Keys, name string, now time.Time) *Check { return nil }

// Verify is Check for bytes that are at hand.
func (s *Signature) Verify(message []byte, keys *Keys, name string, now time.Time) []Result {
	return nil
}

// Check is one signature file being checked against one file. It is an io.Writer so that several can
// share one pass over the file (io.MultiWriter, subject.Options.Tee).
type Check struct{}

// Write takes the next bytes of the file. It never fails.
func (c *Check) Write(p []byte) (int, error) { return len(p), nil }

// Results ends the check, after the last byte: one result for each signature in the file, in its
// order. It must be called once, also when reading the file failed and its answer is of no use.
func (c *Check) Results() []Result { return nil }
