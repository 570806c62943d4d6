package source

import (
	"errors"
	"fmt"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/internal/gitstore"
)

// Errors of the transport that callers branch on: nothing was fetched, nothing was judged.
var (
	ErrUnreachable   = gitstore.ErrUnreachable
	ErrEmpty         = gitstore.ErrEmptyRemote
	ErrNotRepository = gitstore.ErrNotRepository
	ErrNoBranch      = gitstore.ErrNoBranch
	ErrAuth          = gitstore.ErrAuth
	ErrUnknownHost   = gitstore.ErrUnknownHost
	ErrNoGit         = gitstore.ErrNoGit
)

// GitError says that the user's git could not fetch, and why in its words.
type GitError = gitstore.GitError

// URLError says why an address is not one that may be reached (S3.1).
type URLError = gitstore.URLError

// HostileError says that the other side sent what no honest git sends, or what F4 forbids.
type HostileError = gitstore.HostileError

// CheckURL says whether a URL that the user typed may be followed (S3.1).
func CheckURL(url string, insecure bool) error {
	return gitstore.CheckURL(url, gitstore.URLOptions{Typed: true, Insecure: insecure})
}

// ErrNotTrust says that a repository holds no log at all: no commit of it has a head.yml.
var ErrNotTrust = errors.New("not a trust repository")

// ErrFirstUse says that nobody vouched for a first contact: no fingerprint was named, the log is
// not known from elsewhere, and the question was not asked or not answered with yes.
var ErrFirstUse = errors.New("the key of this source is not known")

// ErrNewer says that the newest state of a source needs a newer program to be read.
var ErrNewer = errors.New("it needs a newer distrust")

// ClaimError refuses a repository that claims a log which this machine knows as somebody else
// (F5.1): a pin is never replaced, nor doubled under another name.
type ClaimError struct {
	Log  string
	Name string // the source that has the log; "" when Own
	Own  bool   // it is a log of the user
}

func (e *ClaimError) Error() string {
	if e.Own {
		return fmt.Sprintf("log %s is your own", e.Log)
	}
	return fmt.Sprintf("log %s is followed already, as %s", e.Log, e.Name)
}

// FollowedError says that a log is followed already and that what this repository shows of it is
// in order: nothing to do. Exit 0 (C3).
type FollowedError struct {
	Log  string
	Name string
	URL  string // where it is followed
}

func (e *FollowedError) Error() string {
	return fmt.Sprintf("log %s is followed already, as %s from %s", e.Log, e.Name, e.URL)
}

// RaceError says that a pin changed between reading and writing it. What was fetched is thrown
// away; the next sync begins from the new pin.
type RaceError struct{ Log string }

func (e *RaceError) Error() string {
	return fmt.Sprintf("the pin of log %s was changed by another program meanwhile", e.Log)
}

// Kinds of refusals besides those of [records.HeadErrorKinds], which keep their own names.
const (
	KindLimit     = "limit"          // larger than it may be (F7)
	KindHostile   = "hostile"        // no honest git sends this
	KindURL       = "url"            // an address that is never reached (S3.1)
	KindNotTrust  = "not-trust"      // a repository without a head
	KindUnfit     = "unfit"          // no commit fits its head: edited by hand, or incomplete (F5.5)
	KindNewer     = "newer"          // the state needs a newer program
	KindFollowed  = "followed"       // nothing to do: the log is followed already
	KindRace      = "race"           // the pin was changed meanwhile
	KindClaim     = "claim"          // another source, or the user, has this log (F5.1)
	KindFirstUse  = "first-use"      // nobody vouched for the key
	KindPin       = "pin"            // the pin is damaged
	KindTransport = "transport"      // nothing could be fetched
	KindEmpty     = "empty"          // an empty repository
	KindNoGit     = "not-repository" // no git repository
	KindLocal     = "failed"         // this machine's fault
)

// KindOf is one stable word for why a source was not accepted: a kind of [records.HeadError] such
// as "rollback" or "fork", or one of the constants above. It is "" for nil.
func KindOf(err error) string {
	var (
		head    *records.HeadError
		limit   *LimitError
		hostile *HostileError
		url     *URLError
		claim   *ClaimError
		race    *RaceError
		follow  *FollowedError
		pin     *PinError
		unfit   *records.UnpublishedError
	)
	switch {
	case err == nil:
		return ""
	case errors.As(err, &head):
		return string(head.Kind)
	case errors.As(err, &claim):
		return KindClaim
	case errors.As(err, &follow):
		return KindFollowed
	case errors.As(err, &race):
		return KindRace
	case errors.As(err, &pin):
		return KindPin
	case errors.Is(err, ErrFirstUse):
		return KindFirstUse
	case errors.Is(err, ErrNotTrust):
		return KindNotTrust
	case errors.Is(err, ErrNewer):
		return KindNewer
	case errors.As(err, &limit) && isSlow(limit):
		return KindTransport
	case errors.As(err, &limit):
		return KindLimit
	case errors.As(err, &unfit):
		return KindUnfit
	case errors.As(err, &url):
		return KindURL
	case errors.Is(err, ErrEmpty):
		return KindEmpty
	case errors.Is(err, ErrNotRepository), errors.Is(err, gitstore.ErrUnsupported):
		return KindNoGit
	case errors.Is(err, ErrUnreachable), errors.Is(err, ErrNoBranch), errors.Is(err, ErrAuth), errors.Is(err, ErrUnknownHost):
		return KindTransport
	case errors.As(err, &hostile):
		return KindHostile
	}
	return KindLocal
}

// isSlow says whether a limit was about the network's time: nothing was fetched, nothing judged.
func isSlow(limit *LimitError) bool {
	return limit.Option == "idle" || limit.Option == "timeout" && limit.What != readingTime
}

// stateOf sorts an error into what callers do about it: refusals (exit 10), nothing fetched
// (exit 12), this machine's fault (exit 1).
func stateOf(err error) State {
	switch KindOf(err) {
	case "":
		return StateNews
	case KindTransport:
		return StateUnreachable
	case KindEmpty:
		return StateEmpty
	case KindNoGit:
		return StateNotRepository
	case KindFollowed:
		return StateFollowed
	case KindLocal, KindRace:
		return StateFailed
	}
	return StateRefused
}
