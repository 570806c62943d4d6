package index

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/distributed-trust/distrust/records/index/internal/postings"
	"github.com/distributed-trust/distrust/records/index/internal/store"
	"github.com/distributed-trust/distrust/records/internal/testkit"
	"github.com/distributed-trust/distrust/records/trust"
	"github.com/distributed-trust/distrust/schema"
)

var errCrash = errors.New("crash")

// until is asked before every change of a file, and crashes before the n-th. It keeps the changes
// that were made or begun.
func until(n int, changes *[]string) func(string) error {
	return func(change string) error {
		*changes = append(*changes, change)
		if len(*changes) > n {
			return errCrash
		}
		return nil
	}
}

// applyUntil applies updates and crashes before the n-th change of a file.
func applyUntil(d Dir, n int, room int64, updates []Update) (changes []string, err error) {
	w, err := Begin(d)
	if err != nil {
		return nil, err
	}
	defer w.Close()
	w.step, w.room, w.adds = until(n, &changes), room, postings.NewSorter(20, w.createRuns)
	for _, u := range updates {
		if err := w.Update(context.Background(), u); err != nil {
			return changes, err
		}
	}
	return changes, w.Commit(context.Background(), Config{})
}

// copyDir copies all files of an index.
func copyDir(t testing.TB, from Dir) Dir {
	t.Helper()
	to := testDir(t)
	for _, pair := range [][2]string{{from.Cache, to.Cache}, {from.Data, to.Data}, {from.sources(), to.sources()}} {
		entries, err := os.ReadDir(pair[0])
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = os.MkdirAll(pair[1], 0o700)
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if e.IsDir() {
				continue
			}
			b, err := os.ReadFile(filepath.Join(pair[0], e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(pair[1], e.Name()), b)
		}
	}
	return to
}

// TestCrashBetweenAnyTwoChanges: a writer that stops anywhere leaves the state of before or of
// after, to readers, to a rebuild, and to the next writer.
func TestCrashBetweenAnyTwoChanges(t *testing.T) {
	t.Parallel()
	alice, bob := newLog(t, "alice"), newLog(t, "bob")
	var many []Entry
	var gone []string
	for i := range 70 {
		many = append(many, alice.entry(trusted("f", fmt.Sprint("content ", i))))
		if i > 5 {
			gone = append(gone, many[i].Record.ID())
		}
	}
	report := alice.entry(testkit.Report(testkit.File("f", "f")))
	withdraw := alice.entry(schema.Record{Kind: schema.KindWithdraw, Withdraws: []string{report.Record.ID()}})
	theirs := bob.entry(trusted("f", "f"))
	all := alice.update(theirs)
	all.Add, all.Replace = append([]Entry{report}, many[:3]...), true
	tests := map[string]struct{ before, update []Update }{
		"first records": {nil, []Update{alice.update(report), bob.update(theirs)}},
		"a record more": {[]Update{alice.update(many[:30]...)}, []Update{alice.update(report)}},
		"a log more":    {[]Update{alice.update(report)}, []Update{bob.update(theirs), alice.update(withdraw)}},
		"store rewritten": {[]Update{alice.update(many...), bob.update(theirs)}, []Update{
			{Log: alice.id(), Remove: gone}, alice.update(report),
		}},
		"log dropped":  {[]Update{alice.update(report), bob.update(theirs)}, []Update{{Log: alice.id(), Drop: true}}},
		"set replaced": {[]Update{alice.update(withdraw), bob.update(theirs)}, []Update{all}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before := testDir(t)
			for _, u := range test.before {
				apply(t, before, u)
			}
			after := copyDir(t, before)
			apply(t, after, test.update...)
			state := func(d Dir) string {
				have, err := observe(d)
				if errors.Is(err, ErrNone) || damaged(err) && len(test.before) == 0 {
					return "nothing"
				}
				if err != nil {
					t.Fatalf("%v", err)
				}
				return have
			}
			old, new := state(before), state(after)
			if old == new {
				t.Fatal("the update changes nothing")
			}
			for n, room := 0, int64(0); ; n++ {
				d := copyDir(t, before)
				changes, err := applyUntil(d, n, room, test.update)
				if err == nil {
					if n < 5 {
						t.Errorf("only %d changes: %q", n, changes)
					}
					if room == upper {
						return
					}
					n, room = -1, upper // once more, into a file upon the last one where that can be
					continue
				}
				what := fmt.Sprintf("room for %d, crash before change %d of %q", room, n, changes)
				have := state(d)
				if have != old && have != new {
					t.Fatalf("%s: neither before nor after\n%s", what, have)
				}
				checkRebuild(t, d, old, new, what)
				if have == "nothing" {
					if _, err := Rebuild(context.Background(), d, Config{}); err != nil {
						t.Fatalf("%s: %v", what, err)
					}
				}
				apply(t, d, test.update...)
				if have := state(d); have != new {
					t.Fatalf("%s: then applied again:\n%s\nwant\n%s", what, have, new)
				}
				checkFolders(t, d)
			}
		})
	}
}

func damaged(err error) bool {
	var damage *DamageError
	return errors.As(err, &damage)
}

// checkRebuild loses the cache after a crash. Logs may be ahead of the lost generation, each of
// them as a whole, so this only asks that nothing is damaged or half done.
func checkRebuild(t *testing.T, d Dir, old, new, what string) {
	t.Helper()
	d = copyDir(t, d)
	if err := os.RemoveAll(d.Cache); err != nil {
		t.Fatal(err)
	}
	rebuilt, err := Rebuild(context.Background(), d, Config{})
	if err != nil {
		t.Fatalf("%s: Rebuild: %v", what, err)
	}
	for _, damage := range rebuilt.Damaged {
		if damage.Offset < store.HeaderSize && damage.Offset != 0 {
			t.Errorf("%s: Rebuild: %+v", what, damage)
		}
	}
	if _, err := observe(d); err != nil {
		t.Errorf("%s: after Rebuild: %v", what, err)
	}
}

// recordFrame is the frame of a record as it lies in a store.
func recordFrame(t testing.TB, e Entry) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "store")
	w, err := store.Create(path, e.Record.Log())
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	said := store.SaidOf(e.Record, e.Vanished)
	at, err := w.Append(store.RecordFrame(&said, e.Record.Envelope()))
	if err != nil {
		t.Fatal(err)
	}
	end := w.Size()
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b[at:end:end]
}

// TestUnfinishedAppendIsCut: what a power cut leaves behind the last commit is not believed.
func TestUnfinishedAppendIsCut(t *testing.T) {
	t.Parallel()
	d, want, updates := damagedWorld(t)
	alice := newLog(t, "alice")
	path := d.storePath(alice.id(), 0)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	frame := recordFrame(t, alice.entry(trusted("f", "f")))
	for _, tail := range [][]byte{frame, frame[:len(frame)/2], frame[:3], make([]byte, 5000), append(frame, frame[:20]...)} {
		write(t, path, append(whole[:len(whole):len(whole)], tail...))
		if have, err := observe(d); err != nil || have != want {
			t.Errorf("a tail of %d bytes: %v\n%s", len(tail), err, have)
		}
		lost := copyDir(t, d)
		if err := os.RemoveAll(lost.Cache); err != nil {
			t.Fatal(err)
		}
		rebuilt, err := Rebuild(context.Background(), lost, Config{Stamp: "stamp", Own: []string{"blob"}})
		if err != nil || len(rebuilt.Damaged) == 0 {
			t.Errorf("a tail of %d bytes: Rebuild: %+v %v", len(tail), rebuilt, err)
		}
		if have, err := observe(lost); err != nil || have != want {
			t.Errorf("a tail of %d bytes: rebuilt: %v\n%s", len(tail), err, have)
		}
		if cut, err := os.ReadFile(lost.storePath(alice.id(), 0)); err != nil || string(cut) != string(whole) {
			t.Errorf("a tail of %d bytes is still there after a rebuild (%v)", len(tail), err)
		}
		apply(t, d, updates[0])
		if cut, err := os.ReadFile(path); err != nil || string(cut) != string(whole) {
			t.Errorf("a tail of %d bytes is still there after an update (%v)", len(tail), err)
		}
	}
}

// TestLeftOverStoreIsNotTakenForTheNewest: a rewritten store that never came into force must not
// win over the one that was in force and went on.
func TestLeftOverStoreIsNotTakenForTheNewest(t *testing.T) {
	t.Parallel()
	alice := newLog(t, "alice")
	before := testDir(t)
	a, b := alice.entry(trusted("f", "a")), alice.entry(trusted("f", "b"))
	apply(t, before, alice.update(a))
	whole, err := os.ReadFile(before.storePath(alice.id(), 0))
	if err != nil {
		t.Fatal(err)
	}
	write(t, before.storePath(alice.id(), 1), whole)
	var d Dir
	swapped := false
	for n := 0; !swapped; n++ { // the next writer stops as soon as its generation is in force
		d = copyDir(t, before)
		changes, err := applyUntil(d, n, 0, []Update{alice.update(b)})
		if !errors.Is(err, errCrash) {
			t.Fatal(err)
		}
		swapped = changes[len(changes)-1] == "remove old generation"
	}
	if err := os.RemoveAll(d.Cache); err != nil {
		t.Fatal(err)
	}
	rebuilt, err := Rebuild(context.Background(), d, Config{})
	if err != nil || rebuilt.Records != 2 {
		t.Errorf("%+v %v", rebuilt, err)
	}
}

// TestReadersDuringWrites: readers see one whole state each, whatever writers do meanwhile.
func TestReadersDuringWrites(t *testing.T) {
	t.Parallel()
	alice, bob := newLog(t, "alice"), newLog(t, "bob")
	d := testDir(t)
	pair := []Entry{alice.entry(trusted("f", "f")), alice.entry(testkit.Report(testkit.File("f", "f")))}
	padding := pair[0]
	var junk []Entry
	for i := range 60 {
		junk = append(junk, bob.entry(trusted("junk", fmt.Sprint("junk ", i))))
	}
	apply(t, d, alice.update(padding))
	done := make(chan struct{})
	var readers sync.WaitGroup
	shared := open(t, d)
	for i := range 4 {
		readers.Add(1)
		go func() {
			defer readers.Done()
			for {
				select {
				case <-done:
					return
				default:
				}
				g := shared
				if i%2 == 0 {
					var err error
					if g, err = Open(d); err != nil {
						t.Errorf("Open: %v", err)
						return
					}
				}
				statements, _, err := g.Candidates(fileQuery("f", "f"), trust.DefaultPolicy())
				if n := len(statements); err != nil || n != 1 && n != 2 {
					t.Errorf("Candidates: %d statements, %v", n, err)
					return
				}
				if err := g.Statements(bob.id(), func(trust.Statement, string) error { return nil }); err != nil {
					t.Errorf("Statements: %v", err)
					return
				}
				if _, err := g.Network(); err != nil {
					t.Errorf("Network: %v", err)
					return
				}
				if g != shared {
					g.Close()
				}
			}
		}()
	}
	for i := range 12 {
		switch i % 4 {
		case 0:
			apply(t, d, alice.update(pair[1]), bob.update(junk...))
		case 1:
			apply(t, d, Update{Log: alice.id(), Remove: []string{pair[1].Record.ID()}})
		case 2:
			all := bob.update(junk[:3]...) // most of the store dies: it is rewritten
			all.Replace = true
			apply(t, d, all)
		case 3:
			apply(t, d, Update{Log: bob.id(), Drop: true})
		}
	}
	close(done)
	readers.Wait()
}

// TestOtherFilesStay: nothing that is not ours is touched.
func TestOtherFilesStay(t *testing.T) {
	t.Parallel()
	d, _, _ := damagedWorld(t)
	alice := newLog(t, "alice")
	var paths []string
	for _, name := range []string{"x.records", alice.id() + ".git", alice.id() + ".01.records", "README"} {
		paths = append(paths, filepath.Join(d.sources(), name), filepath.Join(d.Cache, name))
	}
	paths = append(paths, filepath.Join(d.Cache, "index-07"), filepath.Join(d.Cache, "index-x"))
	for _, p := range paths {
		write(t, p, []byte("mine"))
	}
	apply(t, d, Update{Log: alice.id(), Drop: true})
	if _, err := Rebuild(context.Background(), d, Config{}); err != nil {
		t.Fatal(err)
	}
	for _, p := range paths {
		if b, err := os.ReadFile(p); err != nil || string(b) != "mine" {
			t.Errorf("%s: %q %v", p, b, err)
		}
	}
}
