package records

import (
	"errors"
	"fmt"

	"github.com/distributed-trust/distrust/schema"
)

// Refusal says why one document is not read. The rest of its set stands: it is skipped, counted
// and shown. [schema.ErrNotUnderstood] is found by errors.Is in documents of a newer format.
type Refusal struct {
	Path   string // where it lies; foreign text, print it escaped
	Line   int    // 1 and up; 0 when no line is to blame
	Rule   schema.Rule
	Reason string // may hold foreign text, print it escaped
	Err    error  // the cause, when there is one
}

// Error is "path:line: reason (rule)".
func (r *Refusal) Error() string {
	if r.Line > 0 {
		return fmt.Sprintf("%s:%d: %s (%s)", r.Path, r.Line, r.Reason, r.Rule)
	}
	return fmt.Sprintf("%s: %s (%s)", r.Path, r.Reason, r.Rule)
}

// Unwrap is the cause: an error of package schema or sshsig.
func (r *Refusal) Unwrap() error { return r.Err }

// refuse makes a refusal without a line.
func refuse(path string, rule schema.Rule, format string, args ...any) *Refusal {
	return &Refusal{Path: path, Rule: rule, Reason: fmt.Sprintf(format, args...)}
}

// refuseFor makes a refusal out of the error that causes it.
func refuseFor(path string, rule schema.Rule, err error) *Refusal {
	return &Refusal{Path: path, Rule: rule, Reason: err.Error(), Err: err}
}

// refusalOf carries over what package schema found, line and rule included.
func refusalOf(path string, err error) *Refusal {
	var e *schema.Error
	if errors.As(err, &e) {
		return &Refusal{Path: path, Line: e.Line, Rule: e.Rule, Reason: e.Reason, Err: err}
	}
	return refuseFor(path, "F1", err)
}
