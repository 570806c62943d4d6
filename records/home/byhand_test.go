package home

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/internal/testkit"
	"github.com/distributed-trust/distrust/schema"
)

// handKit is a home with three sealed records, one of them of another key.
type handKit struct {
	testing.TB
	h     *Home
	one   records.Record // the signer's own
	two   records.Record // the signer's own
	other records.Record // of the desktop
}

func newHand(t testing.TB) *handKit {
	t.Helper()
	k := &handKit{TB: t, h: openHome(t, filepath.Join(copyOf(t, handTemplate), "home"))}
	all, err := k.h.Records(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range all {
		switch r.Doc().Subjects[0].File {
		case "one":
			k.one = r
		case "two":
			k.two = r
		case "other":
			k.other = r
		}
	}
	return k
}

func (k *handKit) commit() {
	testkit.Git(k, k.h.Dir(), "add", "-A")
	testkit.Git(k, k.h.Dir(), "commit", "-q", "-m", "by hand")
}

func (k *handKit) edit(r records.Record, from, to string) {
	put(k, k.h, r.Path(), strings.ReplaceAll(string(r.Envelope().YAML), from, to))
}

func (k *handKit) remove(r records.Record) {
	remove(k, k.h, r.Path())
	remove(k, k.h, records.SignaturePath(r.Path()))
}

// What comes by hand is found whether it is committed or not, and sealed or refused as a whole.
func TestPendingAndSeal(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		do      func(k *handKit)
		after   func(k *handKit) // a commit, by hand too
		found   [4]int           // added, to sign, removed, refused
		refused string           // a part of the first reason
		names   string           // once it is sealed
	}{
		{name: "nothing", do: func(*handKit) {}, names: "one other two"},
		{
			name:  "a signed record dropped in",
			do:    func(k *handKit) { drop(k, k.h, sealed(k, k.h, desktop, trustDoc("new"))) },
			found: [4]int{1, 0, 0, 0}, names: "new one other two",
		},
		{
			name:  "an own record edited",
			do:    func(k *handKit) { k.edit(k.one, `"one"`, `"uno"`) },
			found: [4]int{0, 1, 0, 0}, names: "other two uno",
		},
		{
			name: "an own record written by hand, at any place",
			do: func(k *handKit) {
				put(k, k.h, "records/My Draft.yml", strings.ReplaceAll(string(k.one.Envelope().YAML), `"one"`, `"draft"`))
			},
			found: [4]int{0, 1, 0, 0}, names: "draft one other two",
		},
		{
			name: "a record removed", do: func(k *handKit) { k.remove(k.other) },
			found: [4]int{0, 0, 1, 0}, names: "one two",
		},
		{
			name: "only its document removed", do: func(k *handKit) { remove(k, k.h, k.other.Path()) },
			found: [4]int{0, 0, 1, 0}, names: "one two",
		},
		{
			name: "only its signature removed", do: func(k *handKit) { remove(k, k.h, records.SignaturePath(k.one.Path())) },
			found: [4]int{0, 1, 0, 0}, names: "one other two",
		},
		{
			name: "everything removed", do: func(k *handKit) {
				if err := os.RemoveAll(filepath.Join(k.h.Dir(), "records")); err != nil {
					k.Fatal(err)
				}
			},
			found: [4]int{0, 0, 3, 0}, names: "",
		},
		{
			name: "a foreign record edited", do: func(k *handKit) { k.edit(k.other, `"other"`, `"mine"`) },
			found: [4]int{0, 0, 0, 1}, refused: "changed after another key signed it",
		},
		{
			name:  "a record of a key that the log does not know",
			do:    func(k *handKit) { drop(k, k.h, sealed(k, k.h, stranger, trustDoc("x"))) },
			found: [4]int{0, 0, 0, 1}, refused: "not a key of the log",
		},
		{
			name: "a record of another log", do: func(k *handKit) { k.edit(k.one, k.h.LogID(), strings.Repeat("ab", 16)) },
			found: [4]int{0, 0, 0, 1}, refused: "another log",
		},
		{
			name: "no YAML", do: func(k *handKit) { put(k, k.h, "records/any/xx.yml", "a: [\n") },
			found: [4]int{0, 0, 0, 1}, refused: "records/any/xx.yml",
		},
		{
			name: "a signature without its record", do: func(k *handKit) { put(k, k.h, "records/any/xx.yml.sig", "x") },
			found: [4]int{0, 0, 0, 1}, refused: "without its record",
		},
		{
			name: "an empty file", do: func(k *handKit) { put(k, k.h, "records/any/xx.yml", "") },
			found: [4]int{0, 0, 0, 1}, refused: "F1",
		},
		{
			name: "too long", do: func(k *handKit) { put(k, k.h, "records/any/x.yml", strings.Repeat("#\n", schema.MaxRecordBytes)) },
			found: [4]int{0, 0, 0, 1}, refused: "F7",
		},
		{
			name: "too deep", do: func(k *handKit) { put(k, k.h, "records/a/b/c/d/x.yml", "") },
			found: [4]int{0, 0, 0, 1}, refused: "nested too deep",
		},
	} {
		for _, committed := range []bool{false, true} {
			name := c.name
			if committed {
				if c.found == [4]int{} || strings.Contains(c.name, "any place") || strings.Contains(c.name, "deep") {
					continue // there is no such commit, or no tree of F4
				}
				name += ", committed"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				k := newHand(t)
				c.do(k)
				if committed {
					k.commit()
				}
				h := reopen(t, k.h)
				found, err := h.Pending(t.Context(), laptop)
				if err != nil {
					t.Fatal(err)
				}
				if got := [4]int{len(found.Added), len(found.Sign), len(found.Removed), len(found.Refused)}; got != c.found {
					t.Fatalf("added, to sign, removed, refused: %v, want %v: %v", got, c.found, found.Refused)
				}
				if found.Empty() != (c.found == [4]int{}) {
					t.Errorf("empty: %v", found.Empty())
				}
				seq := h.Head().Doc().Seq
				_, err = h.Seal(t.Context(), laptop, found, optionsAt(10))
				if c.refused != "" {
					var refused *RefusedError
					if !errors.As(err, &refused) || !strings.Contains(err.Error(), c.refused) {
						t.Errorf("sealed what cannot be: %v", err)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				h = reopen(t, h)
				wantNames(t, h, c.names)
				if h.Head().Doc().Seq != seq+1 || h.Unsealed() != 0 {
					t.Errorf("head %d, %d unsealed", h.Head().Doc().Seq, h.Unsealed())
				}
				if out := testkit.Git(t, h.Dir(), "status", "--porcelain"); out != "" {
					t.Errorf("git status:\n%s", out)
				}
				if found, err := h.Pending(t.Context(), laptop); err != nil || !found.Empty() {
					t.Errorf("still pending: %+v %v", found, err)
				}
			})
		}
	}
}

// A commit and the work tree may say different things: the work tree is what is sealed.
func TestSealOverCommitsThatWereUndone(t *testing.T) {
	t.Parallel()
	for name, undo := range map[string]func(k *handKit, e records.Envelope){
		"a record that was committed is gone again": func(k *handKit, e records.Envelope) {
			drop(k, k.h, e)
			k.commit()
			remove(k, k.h, e.Path)
			remove(k, k.h, records.SignaturePath(e.Path))
		},
		"a removal that was committed is undone": func(k *handKit, _ records.Envelope) {
			k.remove(k.one)
			k.commit()
			drop(k, k.h, k.one.Envelope())
		},
		"an edit that was committed is undone": func(k *handKit, _ records.Envelope) {
			k.edit(k.other, `"other"`, `"x"`)
			k.commit()
			drop(k, k.h, k.other.Envelope())
		},
		"head and keys are damaged": func(k *handKit, _ records.Envelope) {
			put(k, k.h, "head.yml", "x\n")
			put(k, k.h, "keys/1.yml", "x\n")
			put(k, k.h, "keys/9.yml", "a head that was thrown away\n")
			remove(k, k.h, "keys/2.yml")
			k.commit()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := newHand(t)
			undo(k, sealed(t, k.h, laptop, trustDoc("new")))
			h := reopen(t, k.h)
			if h.Unsealed() != 1 {
				t.Fatalf("%d commits are unsealed", h.Unsealed())
			}
			if _, err := h.Write(t.Context(), laptop, []schema.Record{trustDoc("x")}, optionsAt(8)); !errors.Is(err, ErrUnsealed) {
				t.Errorf("Write over unsealed commits: %v", err)
			}
			if _, err := h.Renew(t.Context(), laptop, "x", nil, optionsAt(8)); !errors.Is(err, ErrUnsealed) {
				t.Errorf("Renew over unsealed commits: %v", err)
			}
			found, err := h.Pending(t.Context(), laptop)
			if err != nil || !found.Empty() {
				t.Fatalf("%+v %v", found, err)
			}
			if _, err := h.Seal(t.Context(), laptop, found, optionsAt(9)); err != nil {
				t.Fatal(err)
			}
			h = reopen(t, h)
			wantNames(t, h, "one other two")
			stock(t, h)
			if readText(t, filepath.Join(h.Dir(), "keys", "9.yml")) != "" {
				t.Error("a copy that would speak against head 9 is still there")
			}
			kept, err := h.kept(h.sealed)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := records.FirstContact("", kept, h.Head(), optionsAt(9).Now); err != nil {
				t.Error(err)
			}
		})
	}
}

// Files that are no records are the user's own, until a commit makes them part of the root.
func TestOtherFiles(t *testing.T) {
	t.Parallel()
	k := newHand(t)
	put(t, k.h, "records/notes.txt", "mine\n")
	put(t, k.h, "records/.hidden.yml", "left by a writer\n")
	found, err := k.h.Pending(t.Context(), laptop)
	if err != nil || !found.Empty() || len(found.Others) != 1 || found.Others[0] != "records/notes.txt" {
		t.Fatalf("%+v %v", found, err)
	}
	if _, err := k.h.Seal(t.Context(), laptop, found, optionsAt(5)); err != nil {
		t.Fatal(err)
	}
	if out := testkit.Git(t, k.h.Dir(), "status", "--porcelain"); out != "?? records/.hidden.yml\n?? records/notes.txt" {
		t.Errorf("status: %s", out)
	}
	remove(t, k.h, "records/.hidden.yml")
	k.commit()
	h := reopen(t, k.h)
	found, err = h.Pending(t.Context(), laptop)
	if err != nil || found.Empty() || len(found.Others) != 1 {
		t.Fatalf("committed: %+v %v", found, err)
	}
	if _, err := h.Seal(t.Context(), laptop, found, optionsAt(6)); err != nil {
		t.Fatal(err)
	}
	h = reopen(t, h)
	wantNames(t, h, "one other two")
	if n := h.Head().Doc().Records; n != 3 {
		t.Errorf("the head counts %d records", n)
	}
	remove(t, h, "records/notes.txt")
	if found, err = h.Pending(t.Context(), laptop); err != nil || found.Empty() {
		t.Fatalf("removed: %+v %v", found, err)
	}
	if _, err := h.Seal(t.Context(), laptop, found, optionsAt(7)); err != nil {
		t.Fatal(err)
	}
	stock(t, h)
}

// A name that F4 forbids is found before a head is signed that nobody would accept.
func TestSealRefusesNamesOfF4(t *testing.T) {
	t.Parallel()
	k := newHand(t)
	put(t, k.h, "records/NOTES", "mine\n")
	k.commit()
	h := reopen(t, k.h)
	found, err := h.Pending(t.Context(), laptop)
	if err != nil {
		t.Fatal(err)
	}
	var refused *RefusedError
	if _, err := h.Seal(t.Context(), laptop, found, optionsAt(5)); !errors.As(err, &refused) || !strings.Contains(err.Error(), "NOTES") {
		t.Errorf("%v", err)
	}
}

func TestSymbolicLinksAreRefusedAlone(t *testing.T) {
	t.Parallel()
	k := newHand(t)
	if err := os.Symlink("/etc/passwd", filepath.Join(k.h.Dir(), "records", "link.yml")); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	found, err := k.h.Pending(t.Context(), laptop)
	if err != nil || len(found.Refused) != 1 || found.Refused[0].Rule != "F4" {
		t.Errorf("%+v %v", found, err)
	}
}

// A member without the right to seal writes for a pull request; the holder of a key seals it.
func TestWriteUnsealed(t *testing.T) {
	t.Parallel()
	k := newHand(t)
	before := k.h.Head().ID()
	written, err := k.h.WriteUnsealed(t.Context(), desktop, []schema.Record{trustDoc("pull")}, optionsAt(5))
	if err != nil || len(written.Records) != 1 || written.Head.ID() != before {
		t.Fatalf("%+v %v", written, err)
	}
	h := reopen(t, k.h)
	if h.Unsealed() != 1 || h.Head().ID() != before {
		t.Errorf("%d unsealed, head %s", h.Unsealed(), h.Head().ID())
	}
	wantNames(t, h, "one other two")
	if _, err := h.WriteUnsealed(t.Context(), stranger, []schema.Record{trustDoc("x")}, optionsAt(5)); !errors.Is(err, ErrNotYourKey) {
		t.Errorf("a stranger: %v", err)
	}
	found, err := h.Pending(t.Context(), laptop)
	if err != nil || len(found.Added) != 1 {
		t.Fatalf("%+v %v", found, err)
	}
	if written, err = h.Seal(t.Context(), laptop, found, optionsAt(6)); err != nil || len(written.Records) != 1 {
		t.Fatal(written, err)
	}
	wantNames(t, h, "one other pull two")
	stock(t, h)
}

// What a compromised key signed is not taken in.
func TestPendingRefusesVoidRecords(t *testing.T) {
	t.Parallel()
	k := newHand(t)
	if _, err := k.h.Renew(t.Context(), laptop, "x", func(d *schema.Head) error { d.Keys[1].State = schema.Compromised; return nil }, optionsAt(5)); err != nil {
		t.Fatal(err)
	}
	drop(t, k.h, sealed(t, k.h, desktop, trustDoc("late")))
	found, err := k.h.Pending(t.Context(), laptop)
	if err != nil || len(found.Refused) != 1 || len(found.Added) != 0 {
		t.Errorf("%+v %v", found, err)
	}
}
