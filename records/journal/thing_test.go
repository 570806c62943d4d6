package journal

import (
	"context"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/distributed-trust/distrust/records/trust"
)

// added is an entry of what was put under watch at a place.
func added(content, path string, verdict trust.Verdict) Entry {
	e := entryOf(content)
	e.Command, e.Added, e.Path, e.Verdict = "journal add", true, path, verdict
	return e
}

func TestThings(t *testing.T) {
	t.Parallel()
	accepted, later := entryOf("a"), entryOf("a")
	accepted.Path, later.Path = "/one", "/two"
	later.Time, later.Overruled = accepted.Time.Add(time.Hour), true
	forProject := entryOf("a")
	forProject.Project = "pkg:pypi/x"
	things := Things([]Entry{later, forProject, entryOf("b"), accepted, added("a", "/three", trust.Unknown), added("a", "/two", trust.Unknown)})
	if len(things) != 3 {
		t.Fatalf("%d things", len(things))
	}
	if one := things[0]; !reflect.DeepEqual(one.Entry, accepted) || !reflect.DeepEqual(one.Places, []string{"/two", "/one", "/three"}) {
		t.Errorf("%+v", one)
	}
	pinned := added("a", "/app/uv.lock", trust.Unknown)
	pinned.Pinned = true
	if one := Things([]Entry{accepted, pinned, pinned})[0]; !reflect.DeepEqual(one.Places, []string{"/one"}) || !reflect.DeepEqual(one.Pins, []string{"/app/uv.lock"}) {
		t.Errorf("of a lock file: %+v", one)
	}
	for prefix, want := range map[string]bool{"": false, things[0].ID: true, things[1].ID[:12]: true, "x": false, things[2].ID + "0": false} {
		if _, ok := Find(things, prefix); ok != want {
			t.Errorf("Find(%q) is %v", prefix, ok)
		}
	}
	if one, _ := Find(things, things[2].ID[:8]); one.ID != things[2].ID {
		t.Error("Find gives another")
	}
}

// TestThingQuery: a thing is asked about with all that was known of it, on whatever occasion.
func TestThingQuery(t *testing.T) {
	t.Parallel()
	bare, one, two := entryOf("a"), entryOf("a"), entryOf("a")
	one.Name, one.Signers = "a.tgz", []string{"ssh:ssh-ed25519 AAAA"}
	two.Name, two.Signers = "b.tgz", []string{"ssh:ssh-ed25519 AAAA", "openpgp:9C5C"}
	things := Things([]Entry{bare, entryOf("b"), one, two})
	want := two.Query()
	want.Name = "a.tgz"
	if q := things[0].Entry.Query(); !reflect.DeepEqual(q, want) {
		t.Errorf("have %+v\nwant %+v", q, want)
	}
	if things[0].Newest != 3 || things[1].Newest != 1 {
		t.Errorf("the newest are %d and %d", things[0].Newest, things[1].Newest)
	}
}

// TestAddedOnce: at one place the same bytes are put under watch once, whatever they come to; at
// another place once more.
func TestAddedOnce(t *testing.T) {
	t.Parallel()
	file := journalFile(t)
	want := []Entry{entryOf("a"), added("a", "/one", trust.Unknown), added("a", "/two", trust.Unknown)}
	appendAll(t, file, want...)
	appendAll(t, file, added("a", "/one", trust.Trusted), added("a", "/two", trust.Distrusted), entryOf("a"))
	if have := readAll(t, file); !reflect.DeepEqual(have, want) {
		t.Errorf("have %+v\nwant %+v", have, want)
	}
}

// TestForget: what is forgotten goes with every line that says it again, and nothing else does.
func TestForget(t *testing.T) {
	t.Parallel()
	file := journalFile(t)
	ctx := context.Background()
	all := func(Entry) bool { return true }
	if went, err := Forget(ctx, file, all); err != nil || went != nil {
		t.Errorf("a missing journal: %v %v", went, err)
	}
	appendAll(t, file, entryOf("a"), entryOf("b"))
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, append(b, b...), 0o600); err != nil {
		t.Fatal(err)
	}
	a, other := entryOf("a"), entryOf("b")
	went, err := Forget(ctx, file, func(e Entry) bool { return e.subject() == a.subject() })
	if err != nil || !reflect.DeepEqual(went, []Entry{a}) {
		t.Errorf("%+v %v", went, err)
	}
	if have := readAll(t, file); !reflect.DeepEqual(have, []Entry{other}) {
		t.Errorf("%+v", have)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Forget(ctx, file, all); err == nil {
		t.Error("a journal that is a folder")
	}
}
