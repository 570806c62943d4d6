package records

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/distributed-trust/distrust/records/internal/testkit"
	"github.com/distributed-trust/distrust/schema"
)

func TestFirstHead(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 11, 0, 0, 999, time.FixedZone("", 3600))
	doc := FirstHead(laptop.Key(), testkit.Salt, now, func(d *schema.Head) {
		d.Name, d.Seq, d.Epoch, d.Prev, d.Log = "Alice", 9, 9, "x", "y"
	})
	if doc.Seq != 1 || doc.Epoch != 0 || doc.Prev != "" || doc.Log != LogID(laptop.Key(), testkit.Salt) || doc.Salt != testkit.Salt {
		t.Errorf("an edit changed what it must not: %+v", doc)
	}
	if doc.Name != "Alice" || !doc.Issued.Equal(testStart) || doc.Issued.Location() != time.UTC || doc.Root != emptyRoot || doc.Records != 0 {
		t.Errorf("got %+v", doc)
	}
	h := seal(t, laptop, doc)
	if _, err := FirstContact(laptop.Key().Fingerprint(), []Head{h}, h, now); err != nil {
		t.Error(err)
	}
	if h := seal(t, laptop, FirstHead(laptop.Key(), testkit.Salt, now, nil)); !h.Expires().Equal(testStart.Add(400 * 24 * time.Hour)) {
		t.Errorf("expires %s", h.Expires())
	}
}

func TestNextHead(t *testing.T) {
	t.Parallel()
	first := firstHead(t, laptop)
	root := strings.Repeat("ab", 32)
	doc := NextHead(first, root, 3, testNow, func(d *schema.Head) {
		d.Name, d.Salt, d.Log, d.Seq, d.Prev = "Alice", "", "", 0, ""
	})
	want := first.Doc()
	want.Name, want.Seq, want.Prev, want.Root, want.Records = "Alice", 2, first.ID(), root, 3
	want.Issued, want.Expires = testNow, testNow.Add(400*24*time.Hour)
	if got, err := doc.Marshal(); err != nil {
		t.Error(err)
	} else if exp, err := want.Marshal(); err != nil || string(got) != string(exp) {
		t.Errorf("got\n%s\nwant\n%s", got, exp)
	}
	if again := NextHead(first, root, 3, testNow, nil); again.Name != first.doc.Name {
		t.Errorf("without an edit the name is %q", again.Name)
	}
	if first.Doc().Name == "Alice" || len(first.doc.Keys) != 1 {
		t.Error("the edit changed the head before")
	}
}

func TestMustKeep(t *testing.T) {
	t.Parallel()
	first := firstHead(t, laptop, desktop.Listed(schema.Active, false), offline.Listed(schema.Active, true))
	second := nextHead(t, first, laptop)
	kept := []Head{first}
	retired := nextHead(t, second, laptop, setState(desktop, schema.Retired))
	raised := nextHead(t, second, offline, raise(1))
	for name, c := range map[string]struct {
		kept []Head
		h    Head
		want bool
	}{
		"the first":                   {nil, first, true},
		"the first, kept already":     {kept, first, true},
		"nothing new":                 {kept, second, false},
		"kept ones above do not help": {append(slices.Clone(kept), retired), second, false},
		"a key changes":               {kept, retired, true},
		"a key changes, kept already": {append(slices.Clone(kept), retired), retired, true},
		"after a key changed":         {append(slices.Clone(kept), retired), nextHead(t, retired, laptop), false},
		"a key changes back":          {append(slices.Clone(kept), retired), nextHead(t, retired, offline, setState(desktop, schema.Active)), true},
		"the epoch changes":           {kept, raised, true},
		"first signed by its key":     {kept, nextHead(t, second, desktop), true},
		"second signed by its key":    {append(slices.Clone(kept), nextHead(t, second, desktop)), nextHead(t, nextHead(t, second, desktop), desktop), false},
		"only a later one is signed by its key": {
			append(slices.Clone(kept), nextHead(t, nextHead(t, second, laptop), desktop)), nextHead(t, second, desktop), true,
		},
		"a rename":      {kept, nextHead(t, second, laptop, changeKey(desktop, func(k *schema.Key) { k.Name = "new" })), true},
		"another order": {kept, nextHead(t, second, laptop, func(d *schema.Head) { slices.Reverse(d.Keys) }), true},
	} {
		if got := MustKeep(c.kept, c.h); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestKeptAfter(t *testing.T) {
	t.Parallel()
	base := extend(t, []Head{firstHead(t, laptop, desktop.Listed(schema.Active, false), offline.Listed(schema.Active, true))}, laptop, 3)
	theft := with(t, base, desktop, addKey(thief, schema.Active, false))
	theft = with(t, extend(t, theft, thief, 7), thief, setState(laptop, schema.Compromised))
	rescue := nextHead(t, last(base), offline, raise(1), dropKey(desktop))
	kept := KeptAfter(keptOf(theft), rescue)
	seqs := []int64{}
	for _, h := range kept {
		seqs = append(seqs, h.doc.Seq)
		if h.signer == thief.Key() || h.signer == desktop.Key() {
			t.Error("a head of the thief stays")
		}
	}
	if !slices.Equal(seqs, []int64{1, 4}) {
		t.Errorf("kept %v", seqs)
	}
	if _, err := FirstContact("", kept, rescue, testNow); err != nil {
		t.Error(err)
	}
	if got := KeptAfter(kept, rescue); len(got) != 2 {
		t.Errorf("once more: %d kept", len(got))
	}
	if got := KeptAfter(kept, nextHead(t, rescue, laptop)); len(got) != 2 {
		t.Errorf("a plain head later: %d kept", len(got))
	}
}
