package signature

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"path"
	"slices"
	"strings"
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
type List struct {
	file    []byte     // what a detached signature is over
	text    []byte     // what the signature in it is over, and what is read
	within  *Signature // the signature in it; nil for a plain list
	entries []Entry
	byPath  map[string]int   // path to place in entries
	byName  map[string][]int // last element of the path to places
}

// Entry is one file of a list.
type Entry struct {
	Path   string        // as written, without a leading "./"; relative, slashes, no ".."
	Digest schema.Digest // SHA256, SHA512 or both, by what the list holds
}

// ParseList reads a checksum list: plain, in an OpenPGP cleartext signature, or behind a signature as
// `signify -S -e` writes it. The error is
// ErrUnknownFormat (its first line is not one of a list), a *TooLargeError or a *ListError: one line
// that is none, an absolute path, "..", or one path with two digests refuses the list. Blank lines
// and lines that begin with # are skipped. Read at most MaxList+1 bytes of a file.
func ParseList(file []byte) (*List, error) {
	if len(file) > MaxList {
		return nil, &TooLargeError{What: "checksum list", Max: MaxList}
	}
	l := &List{file: file, text: file, byPath: map[string]int{}, byName: map[string][]int{}}
	if isCleartext(file) {
		var err error
		if l.text, l.within, err = readCleartext(file); err != nil {
			return nil, &ListError{Reason: "the cleartext signature is of no use: " + err.Error()}
		}
	} else if sig, text, ok := cutEmbedded(file); ok {
		l.text, l.within = text, sig
	}
	number := 0
	for line := range bytes.SplitSeq(l.text, []byte("\n")) {
		number++
		text := string(bytes.TrimSuffix(line, []byte("\r")))
		if strings.TrimSpace(text) == "" || text[0] == '#' {
			continue
		}
		entry, reason := parseLine(text)
		if reason == "" {
			reason = l.add(entry)
		}
		if reason == "" {
			continue
		}
		if len(l.entries) == 0 && reason == notALine && l.within == nil {
			return nil, ErrUnknownFormat
		}
		return nil, &ListError{Line: number, Reason: reason}
	}
	if len(l.entries) == 0 && l.within == nil {
		return nil, ErrUnknownFormat
	}
	return l, nil
}

const notALine = "not a SHA-256 or SHA-512 digest and a name"

// parseLine reads "HEX  NAME", "HEX *NAME" or "SHA256 (NAME) = HEX".
func parseLine(text string) (Entry, string) {
	var name, sum string
	want := 0
	for _, bsd := range []struct {
		prefix string
		digits int
	}{{"SHA256 (", 64}, {"SHA512 (", 128}} {
		if rest, ok := strings.CutPrefix(text, bsd.prefix); ok {
			at := strings.LastIndex(rest, ") = ")
			if at < 0 {
				return Entry{}, notALine
			}
			name, sum, want = rest[:at], rest[at+len(") = "):], bsd.digits
		}
	}
	if want == 0 {
		var rest string
		var ok bool
		if sum, rest, ok = strings.Cut(text, " "); !ok || rest == "" || rest[0] != ' ' && rest[0] != '*' {
			return Entry{}, notALine
		}
		name, want = rest[1:], len(sum)
	}
	sum = strings.ToLower(sum)
	if _, err := hex.DecodeString(sum); err != nil || len(sum) != want || want != 64 && want != 128 {
		return Entry{}, notALine
	}
	name = strings.TrimPrefix(name, "./")
	if reason := checkPath(name); reason != "" {
		return Entry{}, reason
	}
	entry := Entry{Path: name}
	if want == 64 {
		entry.Digest.SHA256 = sum
	} else {
		entry.Digest.SHA512 = sum
	}
	return entry, ""
}

// checkPath refuses names that could mean a file outside the list's folder, or two files.
func checkPath(name string) string {
	switch {
	case name == "" || len(name) > 4096:
		return "no name, or one of more than 4096 bytes"
	case path.IsAbs(name) || strings.HasPrefix(name, `\`) || len(name) > 1 && name[1] == ':':
		return fmt.Sprintf("the path %q is absolute", name)
	case strings.ContainsAny(name, "\x00\r\n"):
		return "a control character in a name"
	}
	for element := range strings.SplitSeq(strings.ReplaceAll(name, `\`, "/"), "/") {
		if element == ".." {
			return fmt.Sprintf("the path %q leaves the folder", name)
		}
	}
	if path.Clean(name) != name {
		return fmt.Sprintf("the path %q has more than one spelling", name)
	}
	return ""
}

// add takes an entry in. One path may have a digest of each kind, and each only once or twice the same.
func (l *List) add(e Entry) string {
	at, known := l.byPath[e.Path]
	if !known {
		l.byPath[e.Path] = len(l.entries)
		l.byName[path.Base(e.Path)] = append(l.byName[path.Base(e.Path)], len(l.entries))
		l.entries = append(l.entries, e)
		return ""
	}
	if !agree(l.entries[at].Digest, e.Digest) {
		return fmt.Sprintf("%q has two digests", e.Path)
	}
	d := &l.entries[at].Digest
	d.SHA256, d.SHA512 = max(d.SHA256, e.Digest.SHA256), max(d.SHA512, e.Digest.SHA512)
	return ""
}

// agree reports whether no digest that both have differs.
func agree(a, b schema.Digest) bool {
	return (a.SHA256 == "" || b.SHA256 == "" || a.SHA256 == b.SHA256) && (a.SHA512 == "" || b.SHA512 == "" || a.SHA512 == b.SHA512)
}

// Entries are the files of the list, in its order, each path once.
func (l *List) Entries() []Entry { return l.entries }

// Find is what the list says about a file of that name (no folders): the entry of exactly this path, else
// of a path that ends in the name, when all such agree. An entry that only has SHA512 asks for
// subject.Options.SHA512.
func (l *List) Find(name string) (Entry, bool) {
	if name == "" {
		return Entry{}, false
	}
	if at, ok := l.byPath[name]; ok {
		return l.entries[at], true
	}
	places := l.byName[name]
	for _, at := range places {
		if l.entries[at].Digest != l.entries[places[0]].Digest {
			return Entry{}, false
		}
	}
	if len(places) == 0 {
		return Entry{}, false
	}
	return l.entries[places[0]], true
}

// Signature is the signature that lies in the list itself; nil for a plain list.
func (l *List) Signature() *Signature { return l.within }

// Verify checks a signature over the list, Signature() or a detached one, and says who signed the
// list as a whole: nil without a signature. What that means for one of its files, Means says.
func (l *List) Verify(sig *Signature, keys *Keys, now time.Time) []Result {
	if sig == nil {
		return nil
	}
	signed := l.file
	if sig == l.within {
		signed = l.text
	}
	return sig.check(keys, target{now: now, text: true}).over(signed)
}

// Means is what Verify gave, for a file of that name with that digest: nil when the list does not name
// the file. A good signature over a list that names other bytes for it is Bad. The digest must hold
// what Find asked for.
func (l *List) Means(results []Result, name string, digest schema.Digest) []Result {
	entry, ok := l.Find(name)
	if !ok {
		return nil
	}
	means := slices.Clone(results)
	for i := range means {
		r := &means[i]
		if r.State == Good && !entry.Names(digest) {
			r.State, r.Detail = Bad, fmt.Sprintf("the signed checksum list names other bytes for %q", entry.Path)
		}
	}
	return means
}

// Names reports whether a file with a digest is the one of the entry: nothing differs, and at least
// one digest was compared.
func (e Entry) Names(file schema.Digest) bool {
	listed := e.Digest
	compared := listed.SHA256 != "" && file.SHA256 != "" || listed.SHA512 != "" && file.SHA512 != ""
	return compared && agree(listed, file)
}
