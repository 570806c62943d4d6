package index

import (
	"slices"
	"testing"
	"time"

	"github.com/distributed-trust/distrust/schema"
)

// TestStamp: a log without a head remembers what it was read from, until its generation is made again.
func TestStamp(t *testing.T) {
	t.Parallel()
	private := newPrivate(t, "private")
	d := testDir(t)
	stamp := func(want string) uint64 {
		t.Helper()
		g := open(t, d)
		if info, _, err := g.Log(private.id()); err != nil || info.Stamp != want {
			t.Errorf("stamp %q, want %q (%v)", info.Stamp, want, err)
		}
		return g.Number()
	}
	u := private.update(private.entry(trusted("f", "f")))
	u.Stamp = "one"
	apply(t, d, u)
	before := stamp("one")
	apply(t, d, u)
	if stamp("one") != before {
		t.Error("the same again made another generation")
	}
	u.Stamp = "two" // with the same records
	apply(t, d, u)
	stamp("two")
	apply(t, d, newLog(t, "alice").update())
	stamp("two")
	if _, err := Rebuild(t.Context(), d, Config{}); err != nil {
		t.Fatal(err)
	}
	stamp("")
}

// TestLateGrows: late times come with their records and go with them, as a new generation finds them.
func TestLateGrows(t *testing.T) {
	t.Parallel()
	private := newPrivate(t, "private")
	d := testDir(t)
	at := func(minutes int, file string) Entry {
		doc := trusted(file, file)
		doc.Issued = testStart.Add(time.Duration(minutes) * time.Minute)
		return private.entry(doc)
	}
	late := func(want ...int) {
		t.Helper()
		for _, how := range []string{"grown", "made again"} {
			have, err := open(t, d).Late(private.id())
			if err != nil {
				t.Fatal(err)
			}
			var minutes []int
			for _, at := range have {
				minutes = append(minutes, int(at-testStart.Unix())/60)
			}
			if !slices.Equal(minutes, want) {
				t.Errorf("%s: late %v, want %v", how, minutes, want)
			}
			if _, err := Rebuild(t.Context(), d, Config{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	three, again := at(3, "a"), at(3, "b")
	apply(t, d, private.update(three, at(1, "c")))
	late(1, 3)
	apply(t, d, private.update(again, at(2, "d"), at(9, "e")))
	late(1, 2, 3, 9)
	apply(t, d, Update{Log: private.id(), Remove: []string{three.Record.ID()}})
	late(1, 2, 3, 9)
	apply(t, d, Update{Log: private.id(), Remove: []string{again.Record.ID()}, Add: []Entry{at(4, "f")}})
	late(1, 2, 4, 9)
	// What is void moves no clock.
	keys := private.keys
	keys.Keys = slices.Clone(keys.Keys)
	keys.Keys[0].State = schema.Compromised
	apply(t, d, Update{Log: private.id(), Keys: keys})
	late()
	apply(t, d, Update{Log: private.id(), Keys: keys, Add: []Entry{at(10, "g")}})
	late()
}
