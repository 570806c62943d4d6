package schema

import (
	"errors"
	"fmt"
)

// Rule is the clause of docs/format.md that a document breaks.
type Rule string

// The rules that this package keeps.
const (
	F1 Rule = "F1" // bytes, YAML subset, types
	F2 Rule = "F2" // records
	F5 Rule = "F5" // heads and the private log
)

// ErrNotUnderstood is what errors.Is finds in the error of a document with an unknown format
// version, kind or field (F1). Such a document needs a newer program; it is skipped and counted.
var ErrNotUnderstood = errors.New("needs a newer distrust")

// Error is why one document was refused.
type Error struct {
	File   string // as the caller named it; "" when it has no name
	Line   int    // 1 and up; 0 when no line is to blame
	Rule   Rule
	Reason string // lower case, one line, foreign text in it is quoted

	notUnderstood bool
}

// Error gives "file:line: reason (rule)".
func (e *Error) Error() string {
	at := e.File
	if e.Line > 0 {
		at = fmt.Sprintf("%s:%d", e.File, e.Line)
		if e.File == "" {
			at = fmt.Sprintf("line %d", e.Line)
		}
	}
	if at != "" {
		at += ": "
	}
	return fmt.Sprintf("%s%s (%s)", at, e.Reason, e.Rule)
}

// Is makes errors.Is(err, ErrNotUnderstood) true for a document that is not understood.
func (e *Error) Is(target error) bool { return e.notUnderstood && target == ErrNotUnderstood }

// quote shows a piece of a document in a message: escaped, and cut so that a hostile document
// cannot fill a screen.
func quote(s string) string {
	const most = 60
	if len(s) > most {
		return fmt.Sprintf("%.*q...", most, s)
	}
	return fmt.Sprintf("%q", s)
}
