package source

import (
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/schema"
)

// readerVersion says what this program can read. A program that reads more reads again what an
// older one had to skip.
const readerVersion = 1

// maxSkipListBytes bounds the list that is read back.
const maxSkipListBytes = 256 << 20

// skipList is what of an accepted set is not read, and why. It lies beside the git store and is as
// dispensable: without it everything is read again.
type skipList struct {
	Reader  int       `json:"reader"`
	Head    string    `json:"head"` // id of the head that the set belongs to
	Skipped []Skipped `json:"skipped"`
}

// Skipped is one file of an accepted set that is not read. Path and Reason hold foreign text.
type Skipped struct {
	Path   string `json:"path"`
	Line   int    `json:"line,omitempty"`
	Rule   string `json:"rule,omitempty"`
	Reason string `json:"reason"`
	Newer  bool   `json:"newer,omitempty"` // it needs a newer program (F1)
}

// ReadSkipped lists what of a source's accepted set is not read. It is empty when nothing is, and
// when the cache that knows was deleted: the next sync finds out again.
func ReadSkipped(d Dirs, log string) []Skipped {
	if !isLog(log) {
		return nil
	}
	return readSkipList(d.skipped(log)).Skipped
}

func readSkipList(path string) *skipList {
	b, err := readBounded(path, maxSkipListBytes)
	var list skipList
	if err != nil || json.Unmarshal(b, &list) != nil {
		return &skipList{}
	}
	return &list
}

func (l *skipList) write(to io.Writer) error {
	b, err := json.Marshal(l)
	if err != nil {
		return err
	}
	_, err = to.Write(b)
	return err
}

func (l *skipList) paths() map[string]bool {
	paths := map[string]bool{}
	for _, s := range l.Skipped {
		paths[s.Path] = true
	}
	return paths
}

// next is the list after a sync: what was skipped before and was not touched, and what is skipped
// now.
func (l *skipList) next(head string, touched map[string]bool, refused []*records.Refusal) *skipList {
	next := &skipList{Reader: readerVersion, Head: head}
	for _, s := range l.Skipped {
		if !touched[s.Path] {
			next.Skipped = append(next.Skipped, s)
		}
	}
	for _, r := range refused {
		next.Skipped = append(next.Skipped, Skipped{
			Path: r.Path, Line: r.Line, Rule: string(r.Rule), Reason: r.Reason,
			Newer: errors.Is(r, schema.ErrNotUnderstood),
		})
	}
	slices.SortFunc(next.Skipped, func(a, b Skipped) int { return strings.Compare(a.Path, b.Path) })
	return next
}

// counts is how many files are skipped for good, and how many for want of a newer program.
func (l *skipList) counts() (broken, newer int) {
	for _, s := range l.Skipped {
		if s.Newer {
			newer++
		}
	}
	return len(l.Skipped) - newer, newer
}
