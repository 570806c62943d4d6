package gitstore

import (
	"errors"
	"fmt"
	"time"
)

// Limits bounds what one fetch may cost (F7). A field that is zero or less
// takes the value of DefaultLimits.
type Limits struct {
	PackBytes     int64         // bytes of one pack as it is sent
	Objects       int64         // objects in one pack
	ObjectBytes   int64         // bytes of one object, or of what one delta makes
	InflatedBytes int64         // bytes of all objects and deltas of one pack, inflated
	Advertisement int64         // bytes of the list of references
	StoreBytes    int64         // bytes of packs kept for one source
	Files         int           // files that a snapshot may hold
	TreeDepth     int           // elements of the longest path
	NewCommits    int           // commits that one fetch may bring
	Timeout       time.Duration // the whole fetch
	Idle          time.Duration // the longest silence of the other side
}

// DefaultLimits are the limits of F7.
func DefaultLimits() Limits {
	return Limits{
		PackBytes:     64 << 20,
		Objects:       500_000,
		ObjectBytes:   4 << 20,
		InflatedBytes: 512 << 20,
		Advertisement: 4 << 20,
		StoreBytes:    256 << 20,
		Files:         250_000,
		TreeDepth:     5,
		NewCommits:    10_000,
		Timeout:       60 * time.Second,
		Idle:          15 * time.Second,
	}
}

// orDefault fills every field that was left out.
func (l Limits) orDefault() Limits {
	d := DefaultLimits()
	for _, f := range []struct{ have, def *int64 }{
		{&l.PackBytes, &d.PackBytes},
		{&l.Objects, &d.Objects},
		{&l.ObjectBytes, &d.ObjectBytes},
		{&l.InflatedBytes, &d.InflatedBytes},
		{&l.Advertisement, &d.Advertisement},
		{&l.StoreBytes, &d.StoreBytes},
	} {
		if *f.have <= 0 {
			*f.have = *f.def
		}
	}
	for _, f := range []struct{ have, def *int }{
		{&l.Files, &d.Files},
		{&l.TreeDepth, &d.TreeDepth},
		{&l.NewCommits, &d.NewCommits},
	} {
		if *f.have <= 0 {
			*f.have = *f.def
		}
	}
	for _, f := range []struct{ have, def *time.Duration }{{&l.Timeout, &d.Timeout}, {&l.Idle, &d.Idle}} {
		if *f.have <= 0 {
			*f.have = *f.def
		}
	}
	return l
}

// A LimitError says that something is larger than the source is allowed to
// make it (F7). What was there before the refusal stays in force.
type LimitError struct {
	What   string // what was counted, for people: "pack bytes"
	Limit  int64
	Got    int64  // how many were seen; counting stops soon after the limit
	Option string // the option of a source that raises the limit: "pack"
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("%s: %d is over the limit of %d (option %s)", e.What, e.Got, e.Limit, e.Option)
}

// A HostileError says that the other side sent what no honest git sends, or
// what F4 forbids.
type HostileError struct {
	What  string // what is wrong, our words
	Where string // a path, name or object id, the other side's words: quote it before it is shown
	Err   error  // the cause, when there is one: ErrIncomplete, or what a decoder said
}

func (e *HostileError) Error() string {
	s := e.What
	if e.Where != "" {
		s += fmt.Sprintf(" %q", e.Where)
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap gives the cause.
func (e *HostileError) Unwrap() error { return e.Err }

// The causes a caller branches on.
var (
	ErrNotRepository = errors.New("not a git repository")
	ErrUnsupported   = errors.New("a kind of git repository that is not supported")
	ErrEmptyRemote   = errors.New("the remote repository is empty")
	ErrNoBranch      = errors.New("the remote repository has no such branch")
	ErrUnreachable   = errors.New("the remote repository cannot be reached")
	ErrAuth          = errors.New("the remote repository wants other credentials")
	ErrUnknownHost   = errors.New("the host is not known")
	ErrIncomplete    = errors.New("not every object is there")
	ErrNotFound      = errors.New("no such object")
	ErrLocked        = errors.New("another program is writing to the repository")
	ErrBusy          = errors.New("a merge, rebase or another operation is under way")
	ErrDetached      = errors.New("HEAD is not on a branch")
	ErrMoved         = errors.New("the branch was moved by somebody else")
	ErrPushRefused   = errors.New("the remote repository has other commits")
	ErrPushDenied    = errors.New("the remote repository does not accept the push")
)
