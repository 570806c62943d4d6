package journal

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
)

// Thing is something that the journal watches, whatever the number of entries about it: the same
// bytes, as the same project and version.
type Thing struct {
	ID     string   // 32 hex; that of its alarm, too
	Entry  Entry    // the first, with a name and all signers that any of them has
	Places []string // the paths of all entries, in the order in which they came
	Pins   []string // the lock files that name it, in the same order
	Newest int      // the place of the latest entry among those that were given

	there map[place]bool  // where it is known to be: empty files lie in very many places
	known map[string]bool // reports that were there when the user went on against them
	plain bool            // it was accepted, or put under watch, without the user overruling a report
}

// place is where a thing lay, or what pins it.
type place struct {
	path   string
	pinned bool
}

// Things groups entries by what they are about, in the order of the first of each.
func Things(entries []Entry) []Thing {
	at := map[string]int{}
	var list []Thing
	for n, e := range entries {
		id := thingID(&e)
		i, ok := at[id]
		if !ok {
			i = len(list)
			at[id] = i
			list = append(list, Thing{ID: id, Entry: e})
		}
		list[i].add(&e)
		list[i].Newest = n
	}
	return list
}

func (t *Thing) add(e *Entry) {
	first := t.Entry
	if e.Time.Before(first.Time) {
		first = *e
	}
	// It may have been accepted first without the signature whose key is reported now, or under no name.
	first.Name = cmp.Or(first.Name, t.Entry.Name, e.Name)
	first.Signers = slices.Clone(t.Entry.Signers)
	for _, signer := range e.Signers {
		if !slices.Contains(first.Signers, signer) {
			first.Signers = append(first.Signers, signer)
		}
	}
	t.Entry = first
	list := &t.Places
	if e.Pinned {
		list = &t.Pins
	}
	if at := (place{e.Path, e.Pinned}); e.Path != "" && !t.there[at] {
		if t.there == nil {
			t.there = map[place]bool{}
		}
		t.there[at] = true
		*list = append(*list, e.Path)
	}
	if !e.Overruled || !bad(e.Verdict) {
		t.plain = true
		return
	}
	if t.known == nil {
		t.known = map[string]bool{}
	}
	for _, id := range e.Records {
		t.known[id] = true
	}
}

// thingID names what an entry is about. It is long enough that nobody can publish two files which
// share one: the alarm over the second would never be raised.
func thingID(e *Entry) string {
	sum := sha256.Sum256([]byte(e.subject() + "\x00" + e.Project + "\x00" + e.Version))
	return hex.EncodeToString(sum[:16])
}

// Find is the thing whose id begins with prefix (one or more digits); false when there is none, or
// more than one.
func Find(things []Thing, prefix string) (Thing, bool) {
	i, ok := only(things, prefix, func(t Thing) string { return t.ID })
	if !ok {
		return Thing{}, false
	}
	return things[i], true
}

// only is the place of the one element whose id begins with prefix.
func only[T any](list []T, prefix string, id func(T) string) (int, bool) {
	begins := func(x T) bool { return prefix != "" && strings.HasPrefix(id(x), strings.ToLower(prefix)) }
	i := slices.IndexFunc(list, begins)
	if i < 0 || slices.ContainsFunc(list[i+1:], begins) {
		return 0, false
	}
	return i, true
}
