package records

import "fmt"

// HeadErrorKind says which rule of F5 a head broke.
type HeadErrorKind string

// The ways in which a head is refused.
const (
	WrongLog         HeadErrorKind = "log"         // it is of another log, or claims a log id that its first key does not give (F5.1)
	WrongFingerprint HeadErrorKind = "fingerprint" // the key that the user named did not sign, or is no longer active (F5.2)
	NoAuthority      HeadErrorKind = "authority"   // signed by a key that was not active in the head before (F5.2)
	NotKept          HeadErrorKind = "unkept"      // a head that changes keys or epoch has no copy under keys/ (F5.2)
	Rollback         HeadErrorKind = "rollback"    // it is older than what was accepted (F5.3)
	Fork             HeadErrorKind = "fork"        // two heads for one place, or a chain that does not meet the pin (F5.3)
	Rewrite          HeadErrorKind = "rewrite"     // a head between is missing or a number was skipped (F5.3)
	BadKeys          HeadErrorKind = "keys"        // a change of keys that its signer may not make (F5.4)
	BadEpoch         HeadErrorKind = "epoch"       // an epoch that is not raised by one by a recovery key (F5.4)
	Future           HeadErrorKind = "future"      // issued more than an hour from now: a wrong clock, here or there (F5.6)
)

// HeadErrorKinds lists every kind.
func HeadErrorKinds() []HeadErrorKind {
	return []HeadErrorKind{
		WrongLog, WrongFingerprint, NoAuthority, NotKept, Rollback, Fork, Rewrite, BadKeys, BadEpoch, Future,
	}
}

// HeadError refuses a head. The last accepted state stays in force. The two heads are the
// evidence: for a fork they are two signed statements that cannot both be honest.
type HeadError struct {
	Kind    HeadErrorKind
	Pinned  Head   // what Got was held against: the pin, or another head of the same chain; may be zero at first contact
	Got     Head   // the head that broke the rule; often, but not always, the published one
	Detail  string // one clause for people; made of numbers, ids and fingerprints only
	Missing int64  // kind Rewrite: the seq of the newest head that was not found; else 0
}

// Error names the head, the kind and the detail.
func (e *HeadError) Error() string {
	return fmt.Sprintf("judging head %d: %s: %s", e.Got.doc.Seq, e.Kind, e.Detail)
}

func headError(kind HeadErrorKind, against, got Head, format string, args ...any) *HeadError {
	return &HeadError{Kind: kind, Pinned: against, Got: got, Detail: fmt.Sprintf(format, args...)}
}
