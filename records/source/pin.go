package source

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/distributed-trust/distrust/schema"
)

// pinFormat is the version of pin files that this program reads and writes.
const pinFormat = 1

// maxPinBytes bounds a pin file: a head and its signature, twice over for JSON's escapes, and
// the lists beside them.
const maxPinBytes = 1 << 20

// Pin is what this machine remembers of a log that it accepted (F5). A pin is never replaced by
// another log's, and it outlives the git store and the index: whatever is fetched later has to
// follow from it. Times have whole seconds in UTC.
type Pin struct {
	Format    int    `json:"format"`
	Log       string `json:"log"`
	Name      string `json:"name"`                // the user's own name for the source when it was written
	Delegated bool   `json:"delegated,omitempty"` // reached through others and accepted, not followed
	URL       string `json:"url"`                 // where the pinned state came from
	Branch    string `json:"branch"`              // the branch that the remote's HEAD named at first contact (S3.4)
	Tip       string `json:"tip"`                 // the commit that was fetched last and accepted
	Commit    string `json:"commit"`              // the published state: Tip or a first parent of it (F5.5)

	Head      string   `json:"head"`                 // the accepted head.yml, every byte of it
	Signature string   `json:"signature"`            // its head.yml.sig
	Dropped   []string `json:"dropped,omitempty"`    // keys that an epoch left out: compromised for ever (F5.4)
	KeptHeads []string `json:"kept_heads,omitempty"` // ids of the heads under keys/ that were seen

	FirstSeen time.Time `json:"first_seen"`
	Fetched   time.Time `json:"fetched"`         // the last fetch that was verified, news or not
	Moved     string    `json:"moved,omitempty"` // another url that a head named since the source was followed

	Skipped       int       `json:"skipped,omitempty"`        // records of the set that break F2, F3 or F4
	NotUnderstood int       `json:"not_understood,omitempty"` // records that need a newer program
	Unsealed      int       `json:"unsealed,omitempty"`       // commits above Commit that no head covers
	NewerHeads    int       `json:"newer_heads,omitempty"`    // of these commits, those whose head needs a newer program
	Signers       string    `json:"signers,omitempty"`        // what is wrong with its allowed_signers (F4); "" when nothing is
	Refused       *Refused  `json:"refused,omitempty"`        // what came last was not accepted; nil: it was
	Unfollowed    time.Time `json:"unfollowed,omitzero"`      // set: a tombstone, kept so that the log cannot go back

	Sum string `json:"sum"` // SHA-256 of this document with an empty sum: damage shows
}

// Refused says why what a source published last is not in force.
type Refused struct {
	At       time.Time `json:"at"`
	Kind     string    `json:"kind"`               // rollback, fork, …: see [KindOf]
	Reason   string    `json:"reason"`             // holds foreign text: print it escaped
	Evidence string    `json:"evidence,omitempty"` // folder that holds both heads
}

// PinError is a pin file that cannot be believed. It is never taken for a first contact: what
// was pinned may be what stands between the user and a rollback.
type PinError struct {
	Log    string
	File   string
	Reason string
	Err    error // the cause, when there is one
}

func (e *PinError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("reading pin %s: %s: %v", e.File, e.Reason, e.Err)
	}
	return fmt.Sprintf("reading pin %s: %s", e.File, e.Reason)
}

func (e *PinError) Unwrap() error { return e.Err }

// ErrNoPin is the answer for a log that this machine has never accepted.
var ErrNoPin = errors.New("no pin")

// Tombstone says whether the source was unfollowed: the pin then only guards against going back.
func (p *Pin) Tombstone() bool { return !p.Unfollowed.IsZero() }

// HeadID is the id of the pinned head: the SHA-256 of its bytes.
func (p *Pin) HeadID() string {
	sum := sha256.Sum256([]byte(p.Head))
	return hex.EncodeToString(sum[:])
}

// Doc is the pinned head as a document. Its signature was verified when it was pinned, and the
// pin's sum has kept it since; it is not verified again here.
func (p *Pin) Doc() (*schema.Head, error) {
	doc, err := schema.ParseHead("pin of "+p.Log, []byte(p.Head))
	if err != nil {
		return nil, fmt.Errorf("reading pinned head: %w", err)
	}
	return doc, nil
}

// ReadPin reads the pin of a log: [ErrNoPin] when there is none, a [PinError] when it is damaged
// or belongs to a newer program.
func ReadPin(d Dirs, log string) (*Pin, error) {
	if !isLog(log) {
		return nil, fmt.Errorf("reading pin: %q is not a log id", log)
	}
	file := d.pin(log)
	b, err := readBounded(file, maxPinBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNoPin
	}
	if err != nil {
		return nil, &PinError{Log: log, File: file, Reason: "it cannot be read", Err: err}
	}
	pin, err := parsePin(b)
	if err != nil {
		return nil, &PinError{Log: log, File: file, Reason: "it is damaged", Err: err}
	}
	if pin.Log != log {
		return nil, &PinError{Log: log, File: file, Reason: "it is the pin of another log"}
	}
	return pin, nil
}

// parsePin is strict: this program is the only writer, so what it would not have written itself,
// byte for byte, is damage.
func parsePin(b []byte) (*Pin, error) {
	var version struct {
		Format int `json:"format"`
	}
	if err := json.Unmarshal(b, &version); err != nil {
		return nil, err
	}
	if version.Format != pinFormat {
		return nil, fmt.Errorf("format %d, this program knows %d", version.Format, pinFormat)
	}
	var pin Pin
	decoder := json.NewDecoder(bytes.NewReader(b))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&pin); err != nil {
		return nil, err
	}
	again, err := pin.marshal()
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(again, b) {
		return nil, errors.New("its sum does not fit its content")
	}
	doc, err := pin.Doc()
	if err != nil {
		return nil, err
	}
	if doc.Log != pin.Log || !isLog(pin.Log) {
		return nil, errors.New("its head belongs to another log")
	}
	return &pin, nil
}

// marshal writes the one form of a pin that parsePin takes.
func (p *Pin) marshal() ([]byte, error) {
	written := *p
	written.Format, written.Sum = pinFormat, ""
	b, err := json.MarshalIndent(&written, "", "  ")
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(b)
	written.Sum = hex.EncodeToString(sum[:])
	b, err = json.MarshalIndent(&written, "", "  ")
	if err != nil {
		return nil, err
	}
	return append(b, '\n'), nil
}

// WritePin puts a pin in force: whole or not at all, also after a power cut. Record store and
// index come first (S3.5), so that a pin never promises what is not there.
func WritePin(d Dirs, pin *Pin) error {
	b, err := pin.marshal()
	if err == nil {
		_, err = parsePin(b) // never write what could not be read back
	}
	if err == nil && len(b) > maxPinBytes {
		err = fmt.Errorf("longer than %d bytes", maxPinBytes)
	}
	if err == nil {
		err = d.write(d.pin(pin.Log), b)
	}
	if err != nil {
		return fmt.Errorf("writing pin of %s: %w", pin.Log, err)
	}
	return nil
}

// Pins reads every pin, tombstones too, in the order of their log ids. Damaged ones come back as
// errors beside the good ones.
func Pins(d Dirs) (pins []*Pin, damaged []*PinError, err error) {
	entries, err := os.ReadDir(d.pins())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("reading pins: %w", err)
	}
	for _, entry := range entries { // sorted by name
		log, ok := strings.CutSuffix(entry.Name(), ".json")
		if !ok || !isLog(log) {
			continue // a temporary file of a killed run, or not ours
		}
		pin, err := ReadPin(d, log)
		var bad *PinError
		switch {
		case errors.As(err, &bad):
			damaged = append(damaged, bad)
		case errors.Is(err, ErrNoPin): // removed since the folder was read
		case err != nil:
			return nil, nil, err
		default:
			pins = append(pins, pin)
		}
	}
	return pins, damaged, nil
}
