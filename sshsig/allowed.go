package sshsig

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// MaxAllowedSigners is the size of the largest allowed signers file that is read.
const MaxAllowedSigners = 4 << 20

// maxPrincipal bounds the work of one look-up.
const maxPrincipal = 1 << 10

// Note says why a line of an allowed signers file does not count.
type Note struct {
	File   string
	Line   int    // from 1; 0 for the file as a whole
	Reason string // lower case, no full stop; may quote foreign text
}

// String is "file:line: reason".
func (n Note) String() string {
	if n.Line == 0 {
		return n.File + ": " + n.Reason
	}
	return fmt.Sprintf("%s:%d: %s", n.File, n.Line, n.Reason)
}

// AllowedSigners is an allowed signers file: which key may sign as whom, for what and when. The
// zero value allows nobody.
type AllowedSigners struct {
	lines []allowedLine
}

// allowedLine is one line that counts.
type allowedLine struct {
	principals string // pattern list as written, without its quotes
	key        Key
	lineOptions
}

// NotAllowedError says why a key is not an allowed signer: what stopped the line that came closest.
type NotAllowedError struct {
	Key       Key
	Principal string
	Namespace Namespace
	Reason    string // lower case, no full stop
}

// Error implements error.
func (e *NotAllowedError) Error() string {
	return fmt.Sprintf("%v: %s: %s", ErrNotAllowed, e.Key.Fingerprint(), e.Reason)
}

// Is makes errors.Is(err, ErrNotAllowed) hold.
func (e *NotAllowedError) Is(target error) bool { return target == ErrNotAllowed }

// ParseAllowedSigners reads an allowed signers file as OpenSSH does. A line that it cannot use is
// skipped with a note and later lines still count, so a mistake can remove a signer and never adds
// one. Lines that OpenSSH would use and F3 does not (cert-authority, certificates, keys that are not
// accepted) are skipped with a note too. Times without a Z are in the zone local. The file name is
// only for the notes.
func ParseAllowedSigners(file string, b []byte, local *time.Location) (*AllowedSigners, []Note) {
	allowed := &AllowedSigners{}
	if len(b) > MaxAllowedSigners {
		return allowed, []Note{{File: file, Reason: fmt.Sprintf("file is longer than %d bytes: nobody is allowed", MaxAllowedSigners)}}
	}
	var notes []Note
	number := 0
	for text := range strings.SplitSeq(string(b), "\n") {
		number++
		text = strings.TrimLeft(strings.TrimRight(text, " \t\r"), " \t")
		if text == "" || text[0] == '#' {
			continue
		}
		line, err := parseAllowedLine(text, local)
		if err != nil {
			notes = append(notes, Note{File: file, Line: number, Reason: err.Error()})
			continue
		}
		allowed.lines = append(allowed.lines, line)
	}
	return allowed, notes
}

// parseAllowedLine reads "principals [options] keytype base64 [comment]".
func parseAllowedLine(text string, local *time.Location) (allowedLine, error) {
	switch {
	case strings.ContainsRune(text, 0):
		return allowedLine{}, errors.New("line holds a NUL byte")
	case text[0] == '\r': // OpenSSH finds nobody in such a line
		return allowedLine{}, errors.New("line begins with a carriage return")
	}
	principals, rest, err := cutPrincipals(text)
	if err != nil {
		return allowedLine{}, err
	}
	line := allowedLine{principals: principals}
	var keyErr error
	if line.key, keyErr = leadingKey(rest); keyErr == nil {
		return line, nil
	}
	if rest == "" || looksLikeKey(rest) {
		return allowedLine{}, keyErr
	}
	options, rest, err := cutOptions(rest)
	if err != nil {
		return allowedLine{}, err
	}
	if line.lineOptions, err = parseLineOptions(options, local); err != nil {
		return allowedLine{}, err
	}
	if line.key, err = leadingKey(rest); err != nil {
		return allowedLine{}, err
	}
	if line.authority {
		return allowedLine{}, errors.New("cert-authority lines are not used: certificates cannot sign here")
	}
	return line, nil
}

// cutPrincipals takes the first word of a line. Quotes keep blanks in it; OpenSSH allows them to
// start anywhere in the word, and whatever follows the second one is the rest.
func cutPrincipals(text string) (principals, rest string, err error) {
	i := strings.IndexAny(text, " \t\r\"")
	if i < 0 {
		return "", "", errors.New("line has no key")
	}
	if text[i] != '"' {
		return text[:i], strings.TrimLeft(text[i:], " \t\r"), nil
	}
	quoted, rest, ok := strings.Cut(text[i+1:], `"`)
	if !ok {
		return "", "", errors.New("principals have no closing quote")
	}
	return text[:i] + quoted, strings.TrimLeft(rest, " \t\r"), nil
}

// leadingKey reads the key that s starts with; what follows it is a comment.
func leadingKey(s string) (Key, error) {
	name, rest := cutBlank(s)
	text, _ := cutBlank(rest)
	if text == "" {
		return Key{}, errors.New("line has no key")
	}
	return keyFromText(name, text)
}

// looksLikeKey reports whether s starts with the name of a key type rather than with options, so
// that the note is about the key.
func looksLikeKey(s string) bool {
	name, _ := cutBlank(s)
	if strings.ContainsAny(name, `,="`) {
		return false
	}
	for _, prefix := range []string{"ssh-", "ecdsa-", "sk-", "webauthn-"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// Allowed returns nil when some line lets key sign as principal for the purpose ns at the time at,
// and a *NotAllowedError otherwise. Like OpenSSH it takes the whole seconds of at, and both ends of
// a line's validity are inside it.
func (a *AllowedSigners) Allowed(key Key, principal string, ns Namespace, at time.Time) error {
	refused := &NotAllowedError{Key: key, Principal: principal, Namespace: ns, Reason: "it is not listed"}
	if key.IsZero() || principal == "" || len(principal) > maxPrincipal || ns == "" {
		refused.Reason = "key, principal and namespace must all be given"
		return refused
	}
	closest := 0
	for _, line := range a.lines {
		if line.key != key {
			continue
		}
		reason, stage := line.refuses(principal, ns, at.Unix())
		if reason == "" {
			return nil
		}
		if stage > closest {
			closest, refused.Reason = stage, reason
		}
	}
	return refused
}

// refuses says what stops a line from applying, and how far the line got; "" when it applies.
func (l allowedLine) refuses(principal string, ns Namespace, at int64) (reason string, stage int) {
	switch {
	case !matchPatterns(l.principals, principal):
		return "it is listed for other principals", 1
	case l.limited && !matchPatterns(l.namespaces, string(ns)):
		return "it is listed for other namespaces", 2
	case l.after != 0 && at < l.after:
		return "it is not valid before " + stamp(l.after), 3
	case l.before != 0 && at > l.before:
		return "it is not valid after " + stamp(l.before), 3
	}
	return "", 0
}

// Principals returns the patterns, as written, of all lines that list key at the time at, in the
// order of the file and once each; a pattern may be negated with "!". As with
// `ssh-keygen -Y find-principals` the namespaces of a line do not matter.
func (a *AllowedSigners) Principals(key Key, at time.Time) []string {
	var found []string
	for _, line := range a.lines {
		if line.key != key || key.IsZero() || !line.validAt(at.Unix()) {
			continue
		}
		for pattern := range strings.SplitSeq(line.principals, ",") {
			if pattern != "" && !slices.Contains(found, pattern) {
				found = append(found, pattern)
			}
		}
	}
	return found
}

// MatchPrincipals returns the pattern lists, as written, of all lines that match principal, in the
// order of the file, as `ssh-keygen -Y match-principals` does; time and namespaces do not matter.
func (a *AllowedSigners) MatchPrincipals(principal string) []string {
	if principal == "" || len(principal) > maxPrincipal {
		return nil
	}
	var found []string
	for _, line := range a.lines {
		if matchPatterns(line.principals, principal) {
			found = append(found, line.principals)
		}
	}
	return found
}

// AllowedSignersLine is the line of F4 for one key of a log, without its LF.
func AllowedSignersLine(logID string, k Key) string {
	return fmt.Sprintf("%s namespaces=\"%s,%s\" %s", logID, NamespaceRecord, NamespaceHead, k)
}

// stamp writes a time for people.
func stamp(unix int64) string { return time.Unix(unix, 0).UTC().Format(time.RFC3339) }
