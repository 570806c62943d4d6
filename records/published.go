package records

import (
	"errors"
	"fmt"
	"iter"

	"github.com/distributed-trust/distrust/schema"
)

// MaxUnsealed is how many commits are tried for a published state (F5.5).
const MaxUnsealed = 1000

// ErrUnfit is what [Commit.Set] returns, wrapped, for a tree whose names, modes or depth break F4: it
// counts like a set that does not fit its head. Any other error ends the search.
var ErrUnfit = errors.New("not a tree of records")

// Commit is one commit of a fetched branch as [PublishedState] looks at it.
type Commit struct {
	ID   string
	Head []byte // head.yml; nil when there is none
	Sig  []byte // head.yml.sig; nil when there is none
	// Set adds up the files under records/ ([Root]). It is called only when the head opens.
	Set func() (root string, records int64, err error)
}

// Published is the published state of a repository (F5.5). Whether its head is accepted is for
// [FirstContact] and [Advance] to judge.
type Published struct {
	Commit        string
	Head          Head
	Unsealed      int   // commits above Commit: not read, counted, shown
	Tip           error // why the newest of them is not the state; nil when Unsealed is 0
	NotUnderstood int   // of the unsealed ones, those whose head needs a newer program
}

// UnpublishedError says that a repository publishes no state: none of its last commits has a head
// that fits (F5.5).
type UnpublishedError struct {
	Commits int   // how many were tried
	Heads   int   // how many of them have a head.yml; 0: this is no trust repository
	Tip     error // why the newest is none; nil when there was no commit at all
}

// Error says how far the search went.
func (e *UnpublishedError) Error() string {
	last := "the last commit"
	if e.Commits != 1 {
		last = fmt.Sprintf("the last %d commits", e.Commits)
	}
	if e.Heads == 0 {
		return fmt.Sprintf("finding published state: no %s in %s", HeadFile, last)
	}
	return fmt.Sprintf("finding published state: no head fits its records in %s: %v", last, e.Tip)
}

// Unwrap is why the newest commit does not fit.
func (e *UnpublishedError) Unwrap() error { return e.Tip }

// PublishedState goes back from the tip along first parents, as commits yields them, to the first
// commit whose head opens and whose set is the one that this head signs (F5.5). Commits after it
// are unsealed. The error is an *[UnpublishedError], or what commits or [Commit.Set] failed with.
func PublishedState(commits iter.Seq2[Commit, error]) (Published, error) {
	var p Published
	heads := 0
	for commit, err := range commits {
		if err != nil {
			return Published{}, fmt.Errorf("finding published state: %w", err)
		}
		if p.Unsealed == MaxUnsealed {
			break
		}
		if commit.Head != nil {
			heads++
		}
		head, why, err := sealed(commit)
		if err != nil {
			return Published{}, fmt.Errorf("finding published state: %w", err)
		}
		if why == nil {
			p.Commit, p.Head = commit.ID, head
			return p, nil
		}
		if p.Unsealed == 0 {
			p.Tip = why
		}
		if errors.Is(why, schema.ErrNotUnderstood) {
			p.NotUnderstood++
		}
		p.Unsealed++
	}
	return Published{}, &UnpublishedError{Commits: p.Unsealed, Heads: heads, Tip: p.Tip}
}

// sealed opens the head of a commit and holds it to the set. why says what does not fit; err is a
// failure to find out.
func sealed(c Commit) (head Head, why, err error) {
	if c.Head == nil {
		return Head{}, refuse(HeadFile, "F5", "commit %s has none", c.ID), nil
	}
	head, why = OpenHead(HeadFile, c.Head, c.Sig)
	if why != nil {
		return Head{}, why, nil
	}
	root, count, err := c.Set()
	if errors.Is(err, ErrUnfit) {
		return Head{}, refuseFor(RecordsFolder, "F4", err), nil
	}
	if err != nil {
		return Head{}, nil, err
	}
	if head.doc.Root != root {
		return Head{}, refuse(HeadFile, "F5", "its root is %s…, the files under %s/ give %s…",
			firstDigits(head.doc.Root, idDigits), RecordsFolder, firstDigits(root, idDigits)), nil
	}
	if head.doc.Records != count {
		return Head{}, refuse(HeadFile, "F5", "it counts %d records, there are %d", head.doc.Records, count), nil
	}
	return head, nil, nil
}
