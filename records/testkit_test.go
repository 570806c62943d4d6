package records

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/distributed-trust/distrust/records/internal/testkit"
	"github.com/distributed-trust/distrust/schema"
)

var (
	laptop   = testkit.NewKey("laptop")
	desktop  = testkit.NewKey("desktop")
	offline  = testkit.NewKey("offline") // the recovery key of most logs here
	offline2 = testkit.NewKey("offline2")
	thief    = testkit.NewKey("thief")
	stranger = testkit.NewKey("stranger")
)

// testStart is when the first head of a test log is issued; each later one is a minute younger.
var testStart = time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)

var testNow = testStart.Add(24 * time.Hour)

// edit changes the document of a next head.
type edit = func(*schema.Head)

// firstHead is the head of seq 1, signed by key, which it lists first.
func firstHead(t testing.TB, key testkit.Key, more ...schema.Key) Head {
	t.Helper()
	doc := FirstHead(key.Key(), testkit.Salt, testStart, func(d *schema.Head) {
		d.Keys[0].Name = "key"
		d.Keys = append(d.Keys, more...)
	})
	return seal(t, key, doc)
}

// nextHead is the head after prev, signed by key.
func nextHead(t testing.TB, prev Head, key testkit.Key, edits ...edit) Head {
	t.Helper()
	issued := testStart.Add(time.Duration(prev.doc.Seq) * time.Minute)
	return seal(t, key, NextHead(prev, emptyRoot, 0, issued, func(d *schema.Head) {
		d.Name = key.Key().Fingerprint() // so that heads of two keys are never the same bytes
		for _, e := range edits {
			e(d)
		}
	}))
}

var emptyRoot = NewRoot().Sum()

func seal(t testing.TB, key testkit.Key, doc schema.Head) Head {
	t.Helper()
	h, err := SealHead(context.Background(), doc, key)
	if err != nil {
		t.Fatalf("sealing head %d: %v", doc.Seq, err)
	}
	return h
}

// Edits of a head.

func addKey(k testkit.Key, state schema.KeyState, recovery bool) edit {
	return func(d *schema.Head) { d.Keys = append(d.Keys, k.Listed(state, recovery)) }
}

func setState(k testkit.Key, state schema.KeyState) edit {
	return changeKey(k, func(l *schema.Key) { l.State = state })
}

func setRecovery(k testkit.Key, recovery bool) edit {
	return changeKey(k, func(l *schema.Key) { l.Recovery = recovery })
}

func changeKey(k testkit.Key, change func(*schema.Key)) edit {
	return func(d *schema.Head) {
		for i := range d.Keys {
			if d.Keys[i].Key == k.Text() {
				change(&d.Keys[i])
			}
		}
	}
}

func dropKey(k testkit.Key) edit {
	return func(d *schema.Head) {
		d.Keys = slices.DeleteFunc(d.Keys, func(l schema.Key) bool { return l.Key == k.Text() })
	}
}

func raise(by int64) edit { return func(d *schema.Head) { d.Epoch += by } }

// extend adds plain heads signed by key until the chain has n heads.
func extend(t testing.TB, chain []Head, key testkit.Key, n int) []Head {
	t.Helper()
	for len(chain) < n {
		chain = append(chain, nextHead(t, last(chain), key))
	}
	return chain
}

// with is a chain with one more head.
func with(t testing.TB, chain []Head, key testkit.Key, edits ...edit) []Head {
	t.Helper()
	return append(slices.Clone(chain), nextHead(t, last(chain), key, edits...))
}

func last(chain []Head) Head { return chain[len(chain)-1] }

// keptOf is what an honest publisher of the chain keeps.
func keptOf(chain []Head) []Head {
	var kept []Head
	for _, h := range chain {
		kept = KeptAfter(kept, h)
	}
	return kept
}

// fetched is what a follower sees of a repository that published the chain.
func fetched(chain []Head) Chain {
	return Chain{Published: last(chain), Kept: keptOf(chain), Between: chain}
}

// without takes heads away.
func without(heads []Head, gone ...Head) []Head {
	return slices.DeleteFunc(slices.Clone(heads), func(h Head) bool {
		return slices.ContainsFunc(gone, func(g Head) bool { return g.id == h.id })
	})
}

// wantKind checks the outcome of a rule: "" means accepted.
func wantKind(t testing.TB, err error, want HeadErrorKind) {
	t.Helper()
	if want == "" {
		if err != nil {
			t.Fatalf("refused: %v", err)
		}
		return
	}
	var e *HeadError
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want a HeadError of kind %s", err, want)
	}
	if e.Kind != want {
		t.Fatalf("got kind %s (%v), want %s", e.Kind, err, want)
	}
	if e.Got.IsZero() {
		t.Fatalf("a %s without the head as evidence", want)
	}
}

// Records.

func fileRecord(kind schema.Kind, log, name, content string, issued time.Time) schema.Record {
	doc := schema.Record{Kind: kind, Log: log, Issued: issued, Subjects: []schema.Subject{testkit.File(name, content)}}
	if kind == schema.KindDistrust {
		doc.Category = schema.Malware
	}
	return doc
}

// sealed opens what Seal made of a document.
func sealRecord(t testing.TB, doc schema.Record, key testkit.Key, log Log) Record {
	t.Helper()
	e, err := Seal(context.Background(), doc, key)
	if err != nil {
		t.Fatalf("sealing: %v", err)
	}
	r, err := Open(e, log)
	if err != nil {
		t.Fatalf("opening: %v", err)
	}
	return r
}
