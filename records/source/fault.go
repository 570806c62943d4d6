package source

import (
	"context"
	"errors"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/internal/gitstore"
	"github.com/distributed-trust/distrust/schema"
)

// fault is an error on its way from the process that fetches (S3.3): its words, and what callers
// branch on.
type fault struct {
	Text        string
	Is          []string // names in sentinels
	Limit       *LimitError
	Hostile     *HostileError // without its cause
	URL         *URLError
	Host        *gitstore.HostKeyError // without the key
	Unpublished *unpublished
}

// unpublished is a [records.UnpublishedError] in plain values.
type unpublished struct{ Commits, Heads int }

// sentinels are the errors that are told apart by what they are.
func sentinels() map[string]error {
	return map[string]error{
		"unreachable":    ErrUnreachable,
		"empty":          ErrEmpty,
		"no-repository":  ErrNotRepository,
		"unsupported":    gitstore.ErrUnsupported,
		"no-branch":      ErrNoBranch,
		"auth":           ErrAuth,
		"incomplete":     gitstore.ErrIncomplete,
		"not-found":      gitstore.ErrNotFound,
		"locked":         gitstore.ErrLocked,
		"not-trust":      ErrNotTrust,
		"newer":          ErrNewer,
		"not-understood": schema.ErrNotUnderstood,
		"unfit":          records.ErrUnfit,
		"cancelled":      context.Canceled,
	}
}

// maxFaultText bounds the words of an error.
const maxFaultText = 4 << 10

// faultOf makes plain values of an error; nil of nil.
func faultOf(err error) *fault {
	if err == nil {
		return nil
	}
	text := err.Error()
	f := &fault{Text: text[:min(len(text), maxFaultText)]}
	for name, sentinel := range sentinels() {
		if errors.Is(err, sentinel) {
			f.Is = append(f.Is, name)
		}
	}
	var hostile *HostileError
	if errors.As(err, &hostile) {
		f.Hostile = &HostileError{What: hostile.What, Where: hostile.Where}
	}
	var none *records.UnpublishedError
	if errors.As(err, &none) {
		f.Unpublished = &unpublished{none.Commits, none.Heads}
	}
	errors.As(err, &f.Limit)
	errors.As(err, &f.URL)
	errors.As(err, &f.Host)
	return f
}

// err makes an error again.
func (f *fault) err() error {
	if f == nil {
		return nil
	}
	e := &faultError{text: f.Text[:min(len(f.Text), maxFaultText)]}
	known := sentinels()
	for _, name := range f.Is {
		if sentinel, ok := known[name]; ok {
			e.causes = append(e.causes, sentinel)
		}
	}
	if f.Limit != nil {
		e.causes = append(e.causes, f.Limit)
	}
	if f.Hostile != nil {
		e.causes = append(e.causes, f.Hostile)
	}
	if f.URL != nil {
		e.causes = append(e.causes, f.URL)
	}
	if f.Host != nil {
		e.causes = append(e.causes, f.Host)
	}
	if f.Unpublished != nil {
		e.causes = append(e.causes, &records.UnpublishedError{Commits: f.Unpublished.Commits, Heads: f.Unpublished.Heads, Tip: errors.New(e.text)})
	}
	return e
}

// faultError says what the error said that it was made of, and is what that was.
type faultError struct {
	text   string
	causes []error
}

func (e *faultError) Error() string { return e.text }

// Unwrap gives what callers branch on.
func (e *faultError) Unwrap() []error { return e.causes }
