package gitstore

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/storage/filesystem"
)

// The modes of tree entries, exactly as git writes them.
const (
	modeFile       = "100644"
	modeExecutable = "100755"
	modeSymlink    = "120000"
	modeDir        = "40000"
	modeSubmodule  = "160000"
)

// Signature says who makes a commit and when.
type Signature struct {
	Name, Email string
	When        time.Time
}

// entry is one line of a tree, with the mode as it was written: go-git's own
// reader makes 100664 into 100644, and F4 accepts only one of them.
type entry struct {
	mode, name string
	hash       plumbing.Hash
}

// parseTree reads the bytes of a tree object and judges nothing but its form.
func parseTree(b []byte) ([]entry, error) {
	text := string(b) // the names are parts of it
	entries := make([]entry, 0, len(b)/meanEntry+1)
	for len(text) > 0 {
		space := strings.IndexByte(text, ' ')
		if space < 1 || space > 6 {
			return nil, errors.New("tree entry without a mode")
		}
		end := strings.IndexByte(text[space:], 0)
		if end < 2 || len(text) < space+end+1+len(plumbing.ZeroHash) {
			return nil, errors.New("tree entry cut off")
		}
		end += space
		e := entry{mode: text[:space], name: text[space+1 : end]}
		if copy(e.hash[:], text[end+1:]); e.hash.IsZero() {
			return nil, errors.New("tree entry that names nothing")
		}
		entries = append(entries, e)
		text = text[end+1+len(e.hash):]
	}
	return entries, nil
}

// meanEntry is about how many bytes of a tree an entry takes.
const meanEntry = 48

// compareEntries is git's order of entries, in which a folder sorts as if its name ended in a slash: that of the
// paths of what is in it.
func compareEntries(a, b entry) int {
	n := min(len(a.name), len(b.name))
	if c := strings.Compare(a.name[:n], b.name[:n]); c != 0 {
		return c
	}
	next := func(e entry) byte {
		switch {
		case len(e.name) > n:
			return e.name[n]
		case e.mode == modeDir:
			return '/'
		}
		return 0
	}
	return cmp.Or(cmp.Compare(next(a), next(b)), cmp.Compare(len(a.name), len(b.name)))
}

// encodeTree writes a tree in git's order.
func encodeTree(entries []entry) []byte {
	slices.SortFunc(entries, compareEntries)
	var b bytes.Buffer
	for _, e := range entries {
		b.WriteString(e.mode + " " + e.name + "\x00")
		b.Write(e.hash[:])
	}
	return b.Bytes()
}

// commitData is what is believed of a commit: where it stands. Author, date and
// message prove nothing and are not read, but that the date orders a walk.
type commitData struct {
	tree    plumbing.Hash
	parents []plumbing.Hash
	when    int64
}

func parseCommit(b []byte) (commitData, error) {
	var c commitData
	line := func(key string) (string, bool) {
		rest, ok := bytes.CutPrefix(b, []byte(key+" "))
		end := bytes.IndexByte(rest, '\n')
		if !ok || end < 0 {
			return "", false
		}
		b = rest[end+1:]
		return string(rest[:end]), true
	}
	text, ok := line("tree")
	if !ok {
		return c, errors.New("commit without a tree")
	}
	var err error
	if c.tree, err = parseID(text); err != nil {
		return c, err
	}
	for {
		text, ok := line("parent")
		if !ok {
			break
		}
		parent, err := parseID(text)
		if err != nil {
			return c, err
		}
		c.parents = append(c.parents, parent)
	}
	if _, ok := line("author"); !ok {
		return c, errors.New("commit without an author")
	}
	text, ok = line("committer")
	if !ok {
		return c, errors.New("commit without a committer")
	}
	if f := strings.Fields(text); len(f) >= 2 {
		c.when, _ = strconv.ParseInt(f[len(f)-2], 10, 64)
	}
	return c, nil
}

func encodeCommit(tree plumbing.Hash, parents []plumbing.Hash, by Signature, message string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "tree %s\n", tree)
	for _, p := range parents {
		fmt.Fprintf(&b, "parent %s\n", p)
	}
	fmt.Fprintf(&b, "author %s\ncommitter %s\n\n", by, by)
	b.WriteString(strings.TrimRight(strings.ReplaceAll(message, "\x00", ""), "\n") + "\n")
	return b.Bytes()
}

// String is the form that commits and reference logs hold.
func (s Signature) String() string {
	clean := func(text, otherwise string) string {
		text = strings.Map(func(r rune) rune {
			if r < 0x20 || r == '<' || r == '>' {
				return -1
			}
			return r
		}, text)
		// git cuts these off both ends, and fsck complains of an empty name.
		if text = strings.Trim(text, " .,:;\"'\\"); text == "" {
			return otherwise
		}
		return text
	}
	seconds := max(s.When.Unix(), 0)
	return fmt.Sprintf("%s <%s> %d %s", clean(s.Name, "distrust"), clean(s.Email, "distrust@localhost"), seconds, s.When.Format("-0700"))
}

// parseID reads 40 hex digits.
func parseID(s string) (plumbing.Hash, error) {
	var h plumbing.Hash
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(h) || s != strings.ToLower(s) {
		return h, fmt.Errorf("object id %q: not 40 hex digits", clip(s))
	}
	if copy(h[:], b); h.IsZero() {
		return h, errors.New("object id of nothing")
	}
	return h, nil
}

// clip keeps a foreign text short before it goes into an error.
func clip(s string) string {
	if len(s) > 200 {
		return s[:200] + "…"
	}
	return s
}

// storage is where objects lie.
type storage interface {
	// object gives an object when it is of type t and at most limit long, and ErrNotFound when there is
	// none of that type. The bytes are not to be changed.
	object(t plumbing.ObjectType, h plumbing.Hash, limit int64) (plumbing.ObjectType, []byte, error)
	has(plumbing.Hash) bool
}

// general is go-git's storage of a repository that others write to: loose objects, and whatever else.
type general struct{ *filesystem.Storage }

func (g general) object(t plumbing.ObjectType, h plumbing.Hash, limit int64) (kind plumbing.ObjectType, b []byte, err error) {
	defer recoverDecoder(&err)
	obj, err := g.EncodedObject(t, h)
	switch {
	case errors.Is(err, plumbing.ErrObjectNotFound):
		return 0, nil, ErrNotFound
	case err != nil:
		return 0, nil, err
	case obj.Size() > limit:
		return 0, nil, tooLarge(limit, obj.Size())
	}
	r, err := obj.Reader()
	if err != nil {
		return 0, nil, err
	}
	defer r.Close()
	b = make([]byte, obj.Size())
	_, err = io.ReadFull(r, b)
	return obj.Type(), b, err
}

func (g general) has(h plumbing.Hash) bool {
	if g.HasEncodedObject(h) == nil {
		return true
	}
	_, err := g.EncodedObject(plumbing.AnyObject, h) // in a repository that this one borrows from
	return err == nil
}

// maxMeta is the largest commit or tree that is read. What came over the
// network was held to a smaller limit before it was kept.
const maxMeta = 32 << 20

// objects reads the objects of one repository. Storages are not safe
// for several goroutines, so they are reached under a lock, which two views of the
// same repository share.
type objects struct {
	mu      *sync.Mutex
	layers  []storage   // the first that has an object gives it
	refresh func() bool // looks for packs that came or went; nil: nobody else writes
}

// read gives an object's bytes when it is of type t and at most limit long.
func (o *objects) read(t plumbing.ObjectType, h plumbing.Hash, limit int64) ([]byte, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	_, b, err := o.find(t, h, limit)
	return b, err
}

// readAny gives an object of any type, as long as a tree may be.
func (o *objects) readAny(h plumbing.Hash) (plumbing.ObjectType, []byte, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.find(plumbing.AnyObject, h, maxMeta)
}

func (o *objects) find(t plumbing.ObjectType, h plumbing.Hash, limit int64) (kind plumbing.ObjectType, b []byte, err error) {
	defer recoverDecoder(&err)
	for again := true; ; again = false {
		failed := ErrNotFound
		for _, layer := range o.layers {
			kind, b, err := layer.object(t, h, limit)
			var long *LimitError
			if err == nil || errors.As(err, &long) {
				return kind, b, err
			}
			if !errors.Is(err, ErrNotFound) {
				failed = err // damaged, or in a pack that git gc took away
			}
		}
		if !again || o.refresh == nil || !o.refresh() {
			return 0, nil, fmt.Errorf("reading %s %s: %w", t, h, failed)
		}
	}
}

// has reports whether an object is there, without reading it.
func (o *objects) has(h plumbing.Hash) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	for again := true; ; again = false {
		if slices.ContainsFunc(o.layers, func(layer storage) bool { return layer.has(h) }) {
			return true
		}
		if !again || o.refresh == nil || !o.refresh() {
			return false
		}
	}
}

// recoverDecoder turns a panic of go-git over foreign bytes into an error: its
// advisories show that it happens, and one source must not end a whole sync.
func recoverDecoder(err *error) {
	if p := recover(); p != nil {
		*err = &HostileError{What: "what was sent cannot be decoded", Err: foreign{fmt.Errorf("go-git: %v", p)}}
	}
}
