package source

import (
	"cmp"
	"time"

	"github.com/distributed-trust/distrust/records/internal/gitstore"
)

// Limits bounds what one source may cost (F7). Zero keeps the limit that is built in.
type Limits struct {
	PackBytes     int64         // bytes of a fetched pack
	Objects       int64         // objects in it
	ObjectBytes   int64         // bytes of one object or delta result
	InflatedBytes int64         // bytes of all objects of a pack
	Advertisement int64         // bytes of the list of references
	StoreBytes    int64         // bytes of packs kept for the source
	Files         int           // files of a set
	SetBytes      int64         // bytes of a set
	NewCommits    int           // commits that one fetch may bring
	Memory        int64         // bytes of memory of the process that fetches ([Options.Child])
	Timeout       time.Duration // one fetch; finding the published state in what came may take as long again
	Idle          time.Duration // the longest silence of the other side

	Edges    int // public follows in a set
	Patterns int // distinct patterns in the scopes of these
	Vanished int // kept reports that left the set
}

// DefaultLimits are the limits of F7.
func DefaultLimits() Limits { return Limits{}.orDefault() }

func (l Limits) orDefault() Limits {
	d := gitstore.DefaultLimits()
	return Limits{
		PackBytes:     cmp.Or(l.PackBytes, d.PackBytes),
		Objects:       cmp.Or(l.Objects, d.Objects),
		ObjectBytes:   cmp.Or(l.ObjectBytes, d.ObjectBytes),
		InflatedBytes: cmp.Or(l.InflatedBytes, d.InflatedBytes),
		Advertisement: cmp.Or(l.Advertisement, d.Advertisement),
		StoreBytes:    cmp.Or(l.StoreBytes, d.StoreBytes),
		Files:         cmp.Or(l.Files, d.Files),
		SetBytes:      cmp.Or(l.SetBytes, 256<<20),
		NewCommits:    cmp.Or(l.NewCommits, d.NewCommits),
		Memory:        cmp.Or(l.Memory, 512<<20),
		Timeout:       cmp.Or(l.Timeout, d.Timeout),
		Idle:          cmp.Or(l.Idle, d.Idle),
		Edges:         cmp.Or(l.Edges, 10_000),
		Patterns:      cmp.Or(l.Patterns, 100),
		Vanished:      cmp.Or(l.Vanished, 10_000),
	}
}

// git is the part of the limits that guards git's formats.
func (l Limits) git() gitstore.Limits {
	return gitstore.Limits{
		PackBytes: l.PackBytes, Objects: l.Objects, ObjectBytes: l.ObjectBytes,
		InflatedBytes: l.InflatedBytes, Advertisement: l.Advertisement, StoreBytes: l.StoreBytes,
		Files: l.Files, NewCommits: l.NewCommits, Timeout: l.Timeout, Idle: l.Idle,
	}
}

// setBytes refuses a set of so many bytes, or not.
func (l Limits) setBytes(n int64) error {
	if n > l.SetBytes {
		return &LimitError{What: "bytes in the set", Limit: l.SetBytes, Got: n, Option: "bytes"}
	}
	return nil
}

// files refuses a set of so many files, or not.
func (l Limits) files(n int) error {
	if n > l.Files {
		return &LimitError{What: "files", Limit: int64(l.Files), Got: int64(n), Option: "files"}
	}
	return nil
}

// LimitError says that a source is larger than it may be, and which option of it raises the limit.
type LimitError = gitstore.LimitError
