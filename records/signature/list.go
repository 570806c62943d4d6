package signature

import (
	"fmt"
	"time"

	"github.com/distributed-trust/distrust/schema"
)

// MaxList is the size in bytes of the largest checksum list that is read.
const MaxList = 16 << 20

// ListError says why a checksum list is refused as a whole.
type ListError struct {
	Line   int    // from 1; 0 for the list as a whole
	Reason string // lower case, no full stop; may quote foreign text
}

// Error implements error.
func (e *ListError) Error() string {
	if e.Line == 0 {
		return "checksum list: " + e.Reason
	}
	return fmt.Sprintf("checksum list: line %d: %s", e.Line, e.Reason)
}

// List is a checksum list: which digests belong to which name. Whether anybody signed it is another
// question: see List.Verify.
type List struct{}

// Entry is one file of a list.
type Entry struct {
	Path   string        // as written, without a leading "./"; relative, slashes, no ".."
	Digest schema.Digest // SHA256, SHA512 or both, by what the list holds
}

// ParseList reads a checksum list, plain or in an OpenPGP cleartext signature. The error is
// ErrUnknownFormat (no line of it is one of a list), a *TooLargeError or a *ListError: one line that is none,
// an absolute path, "..", or one path with two digests refuses the list. Blank lines and lines that
// begin with # are skipped. Read at most MaxList+1 bytes of a file.
func ParseList(file []byte) (*List, error) { return nil, ErrUnknownFormat }

// Entries are the files of the list, in its order, each path once.
func (l *List) Entries() []Entry { return nil }

// Find is what the list says about a file of that name (no folders): the entry of exactly this path, else
// of a path that ends in the name, when all such agree. An entry that only has SHA512 asks for
// subject.Options.SHA512.
func (l *List) Find(name string) (Entry, bool) { return Entry{}, false }

// Signature is the cleartext signature that the list is wrapped in; nil for a plain list.
func (l *List) Signature() *Signature { return nil }

// Verify checks a signature over the list, Signature() or a detached one, and says what it means for a
// file of that name with that digest: nil when the list does not name the file. A good signature
// over a list that names other bytes for it is Bad. The digest must hold what Find asked for.
func (l *List) Verify(sig *Signature, keys *Keys, name string, digest schema.Digest, now time.Time) []Result {
	return nil
}
