package sshsig

import (
	"fmt"
	"time"
)

// MaxAllowedSigners is the size of the largest allowed signers file that is read.
const MaxAllowedSigners = 4 << 20

// Note says why a line of an allowed signers file does not count.
type Note struct {
	File   string
	Line   int // from 1; 0 for the file as a whole
	Reason string
}

// String is "file:line: reason".
func (n Note) String() string { return fmt.Sprintf("%s:%d: %s", n.File, n.Line, n.Reason) }

// AllowedSigners is an allowed signers file.
type AllowedSigners struct {
	lines []allowedLine
}

type allowedLine struct{}

// ParseAllowedSigners reads an allowed signers file.
func ParseAllowedSigners(file string, b []byte, local *time.Location) (*AllowedSigners, []Note) {
	return &AllowedSigners{}, nil
}

// Allowed reports why key may not sign.
func (a *AllowedSigners) Allowed(key Key, principal string, ns Namespace, at time.Time) error {
	return ErrNotAllowed
}

// Principals lists the principals of key.
func (a *AllowedSigners) Principals(key Key, at time.Time) []string { return nil }

// AllowedSignersLine is the line of F4 for one key of a log, without its LF.
func AllowedSignersLine(logID string, k Key) string {
	return fmt.Sprintf("%s namespaces=\"%s,%s\" %s", logID, NamespaceRecord, NamespaceHead, k)
}
