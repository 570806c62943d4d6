package index

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/distributed-trust/distrust/records/trust"
)

// spool puts entries into a new spool.
func spool(t testing.TB, l testLog, entries ...Entry) *Spool {
	t.Helper()
	s, err := NewSpool(filepath.Join(t.TempDir(), "spool"), l.id())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	for _, e := range entries {
		if err := s.Add(e); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// TestSpoolIsAdd: records that come through a spool do what those in memory do.
func TestSpoolIsAdd(t *testing.T) {
	t.Parallel()
	alice := newLog(t, "alice")
	var all []Entry
	for i := range 40 {
		all = append(all, alice.entry(trusted("f", fmt.Sprint(i))))
	}
	all[7].Vanished = true
	want, have := testDir(t), testDir(t)
	for i, part := range [][]Entry{all[:20], all[10:30], all[25:]} {
		u := alice.update(part...)
		u.Replace = i != 1
		apply(t, want, u)
		u.Spool, u.Add = spool(t, alice, part[:len(part)-2]...), part[len(part)-2:]
		apply(t, have, u)
		if have, want := contents(t, have), contents(t, want); have != want {
			t.Fatalf("round %d: have\n%s\nwant\n%s", i, have, want)
		}
	}
}

func TestSpoolOpen(t *testing.T) {
	t.Parallel()
	alice, bob := newLog(t, "alice"), newLog(t, "bob")
	a, b := alice.entry(trusted("f", "a")), alice.entry(trusted("f", "b"))
	s := spool(t, alice, a, b)
	got, err := s.Open(alice.keys, func(st *trust.Statement) bool { return st.ID == b.Record.ID() })
	if err != nil || len(got) != 1 || got[0].ID() != b.Record.ID() {
		t.Errorf("%d opened: %v", len(got), err)
	}
	if err := s.Add(bob.entry(trusted("f", "a"))); err == nil {
		t.Error("a record of another log was spooled")
	}
	u := bob.update()
	u.Spool = s
	if err := Apply(context.Background(), testDir(t), []Update{u}, Config{}); err == nil {
		t.Error("the records of another log were taken")
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(s.path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file is still there: %v", err)
	}
}

// TestDamagedSpool: whatever happens to the file of a spool, all of it is taken or nothing.
func TestDamagedSpool(t *testing.T) {
	t.Parallel()
	alice := newLog(t, "alice")
	entries := []Entry{alice.entry(trusted("f", "a")), alice.entry(trusted("f", "b")), alice.entry(trusted("f", "c"))}
	s := spool(t, alice, entries...)
	if _, err := s.Open(alice.keys, func(*trust.Statement) bool { return true }); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(s.path)
	if err != nil {
		t.Fatal(err)
	}
	header := len(whole) - int(frames(t, entries))
	for at := header; at < len(whole); at += 7 {
		for _, b := range [][]byte{append(append(append([]byte{}, whole[:at]...), whole[at]^0x20), whole[at+1:]...), whole[:at]} {
			write(t, s.path, b)
			d := testDir(t)
			u := alice.update()
			u.Spool = s
			if err := Apply(context.Background(), d, []Update{u}, Config{}); err == nil {
				t.Fatalf("byte %d: a damaged spool was taken", at)
			}
			if _, err := Open(d); err == nil {
				t.Fatalf("byte %d: a generation came of it", at)
			}
		}
	}
}

// frames is how many bytes entries take in a store.
func frames(t testing.TB, entries []Entry) (size int64) {
	t.Helper()
	for _, e := range entries {
		_, f := frameOf(e)
		size += f.Size()
	}
	return size
}
