package records

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"github.com/distributed-trust/distrust/records/internal/testkit"
	"github.com/distributed-trust/distrust/schema"
)

func TestHostileFirstContact(t *testing.T) {
	t.Parallel()
	honest := func(t *testing.T) []Head {
		c := extend(t, []Head{firstHead(t, laptop, offline.Listed(schema.Active, true))}, laptop, 3)
		c = with(t, c, laptop, addKey(desktop, schema.Active, false))
		c = extend(t, c, desktop, 6)
		return with(t, c, laptop, setState(desktop, schema.Retired))
	}
	none := func(*testing.T) string { return "" }
	of := func(k testkit.Key) func(*testing.T) string {
		return func(*testing.T) string { return k.Key().Fingerprint() }
	}
	for name, row := range map[string]struct {
		named func(*testing.T) string
		got   func(t *testing.T) (kept []Head, h Head)
		want  HeadErrorKind
	}{
		"on first use": {none, func(t *testing.T) ([]Head, Head) { c := honest(t); return keptOf(c), last(c) }, ""},
		"the key that signed": {of(laptop), func(t *testing.T) ([]Head, Head) {
			c := honest(t)
			return keptOf(c), last(c)
		}, ""},
		"a key that signed a kept head only": {of(desktop), func(t *testing.T) ([]Head, Head) {
			c := honest(t)[:6]
			return keptOf(c), nextHead(t, last(c), laptop)
		}, ""},
		"a key that is merely listed": {of(offline), func(t *testing.T) ([]Head, Head) {
			c := honest(t)
			return keptOf(c), last(c)
		}, WrongFingerprint},
		"a key that is retired since": {of(desktop), func(t *testing.T) ([]Head, Head) {
			c := honest(t)
			return keptOf(c), last(c)
		}, WrongFingerprint},
		"an unknown key": {of(stranger), func(t *testing.T) ([]Head, Head) {
			c := honest(t)
			return keptOf(c), last(c)
		}, WrongFingerprint},
		"a stranger's log that lists the victim's key": {of(laptop), func(t *testing.T) ([]Head, Head) {
			c := extend(t, []Head{firstHead(t, stranger, laptop.Listed(schema.Active, false))}, stranger, 4)
			return keptOf(c), last(c)
		}, WrongFingerprint},
		"a stranger's log that holds the victim's real heads under keys/": {of(laptop), func(t *testing.T) ([]Head, Head) {
			c := extend(t, []Head{firstHead(t, stranger, laptop.Listed(schema.Active, false))}, stranger, 9)
			return append(keptOf(c), honest(t)[1:]...), last(c)
		}, WrongLog},
		"signed above the head only": {of(desktop), func(t *testing.T) ([]Head, Head) {
			c := honest(t)
			return keptOf(c), c[3] // desktop is listed there and signs from head 5 on
		}, WrongFingerprint},
		"only seq 1": {of(laptop), func(t *testing.T) ([]Head, Head) {
			c := honest(t)[:1]
			return c, c[0]
		}, ""},
		"nothing kept": {none, func(t *testing.T) ([]Head, Head) { return nil, last(honest(t)) }, NotKept},
		"seq 1 itself not kept": {none, func(t *testing.T) ([]Head, Head) {
			return nil, honest(t)[0]
		}, NotKept},
		"the first kept head is gone": {none, func(t *testing.T) ([]Head, Head) {
			c := honest(t)
			return without(keptOf(c), c[0]), last(c)
		}, NotKept},
		"a kept head is gone": {none, func(t *testing.T) ([]Head, Head) {
			c := honest(t)
			return without(keptOf(c), c[3]), last(c)
		}, NoAuthority}, // head 5 is signed by the key that head 4 added
		"the last kept head is gone": {none, func(t *testing.T) ([]Head, Head) {
			c := honest(t)
			return without(keptOf(c), c[6]), last(c)
		}, NotKept},
		"a claimed log id": {none, func(t *testing.T) ([]Head, Head) {
			doc := firstHead(t, stranger).Doc()
			doc.Log = honest(t)[0].Doc().Log
			h := seal(t, stranger, doc)
			return []Head{h}, h
		}, WrongLog},
		"a claimed log id, signed by another listed key": {none, func(t *testing.T) ([]Head, Head) {
			// The true first head's bytes, which list offline, signed again by offline.
			doc := honest(t)[0].Doc()
			h := seal(t, offline, doc)
			return []Head{h}, h
		}, WrongLog},
		"an inactive first key": {none, func(t *testing.T) ([]Head, Head) {
			doc := firstHead(t, laptop, desktop.Listed(schema.Active, false)).Doc()
			doc.Keys[0].State = schema.Retired
			h := seal(t, laptop, doc)
			return []Head{h}, h
		}, NoAuthority},
		"a first head with an epoch": {none, func(t *testing.T) ([]Head, Head) {
			doc := firstHead(t, laptop).Doc()
			doc.Epoch = 1
			h := seal(t, laptop, doc)
			return []Head{h}, h
		}, BadEpoch},
		"two first heads": {none, func(t *testing.T) ([]Head, Head) {
			a := firstHead(t, laptop)
			b := firstHead(t, laptop, desktop.Listed(schema.Active, false))
			return []Head{a, b}, nextHead(t, b, laptop)
		}, Fork},
		"two heads at the published place": {none, func(t *testing.T) ([]Head, Head) {
			c := honest(t)[:3]
			return append(keptOf(c), last(with(t, c[:2], laptop, addKey(desktop, schema.Active, false)))), last(c)
		}, Fork},
		"kept neighbours that are not linked": {none, func(t *testing.T) ([]Head, Head) {
			c := with(t, honest(t)[:2], laptop, addKey(desktop, schema.Active, false))
			d := with(t, honest(t)[:2], laptop, addKey(offline2, schema.Active, false))
			d = with(t, d, laptop, addKey(desktop, schema.Active, false))
			return append(keptOf(c), last(d)), last(d)
		}, Fork},
		"above the head keys/ is ignored": {none, func(t *testing.T) ([]Head, Head) {
			c := honest(t)
			return keptOf(c), c[1]
		}, ""},
		"keys that no kept head explains": {none, func(t *testing.T) ([]Head, Head) {
			c := honest(t)[:2]
			h := nextHead(t, last(c), laptop, addKey(stranger, schema.Active, false))
			return keptOf(c), h
		}, NotKept},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			kept, h := row.got(t)
			for range 2 { // order plays no part
				a, err := FirstContact(row.named(t), kept, h, testNow)
				wantKind(t, err, row.want)
				if err == nil && a.Pin.Head.ID() != h.ID() {
					t.Fatal("accepted another head")
				}
				kept = slices.Clone(kept)
				slices.Reverse(kept)
			}
		})
	}
}

func TestLogID(t *testing.T) {
	t.Parallel()
	id := LogID(laptop.Key(), testkit.Salt)
	if len(id) != 32 || strings.ToLower(id) != id {
		t.Fatalf("log id %q", id)
	}
	raw, err := hex.DecodeString(testkit.Salt)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(slices.Concat([]byte("distrust/log/v1\x00"), laptop.Key().Wire(), raw))
	if want := hex.EncodeToString(sum[:16]); id != want {
		t.Fatalf("log id %s, the format gives %s", id, want)
	}
	if LogID(desktop.Key(), testkit.Salt) == id || LogID(laptop.Key(), strings.Repeat("0", 32)) == id {
		t.Fatal("another key or salt gives the same log")
	}
	for _, salt := range []string{"", "00", testkit.Salt + "00", strings.Repeat("g", 32)} {
		if got := LogID(laptop.Key(), salt); got != "" {
			t.Errorf("salt %q gives log %q", salt, got)
		}
	}
}

func TestNewSalt(t *testing.T) {
	t.Parallel()
	if got := NewSalt(strings.NewReader("0123456789abcdefX")); got != "30313233343536373839616263646566" {
		t.Fatalf("salt %q", got)
	}
	if got := NewSalt(strings.NewReader("short")); got != "" {
		t.Fatalf("a reader that fails gives salt %q", got)
	}
}
