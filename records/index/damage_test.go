package index

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/distributed-trust/distrust/records/index/internal/store"
	"github.com/distributed-trust/distrust/records/internal/testkit"
	"github.com/distributed-trust/distrust/records/trust"
	"github.com/distributed-trust/distrust/schema"
)

// observe asks an index everything that can be asked, in one text.
func observe(d Dir) (text string, err error) {
	g, err := Open(d)
	if err != nil {
		return "", err
	}
	defer g.Close()
	for _, q := range []trust.Query{
		fileQuery("f", "f"), fileQuery("other", "none"),
		{Name: "f", Size: -1, Digest: testkit.Digest("unknown"), Project: "pkg:pypi/requests", Version: "1"},
	} {
		statements, lookup, err := g.Candidates(q, trust.DefaultPolicy())
		if err != nil {
			return "", err
		}
		text += fmt.Sprintf("%v %+v\n", ids(statements), lookup)
	}
	logs, err := g.Logs()
	if err != nil {
		return "", err
	}
	net, err := g.Network()
	if err != nil {
		return "", err
	}
	follows, err := g.Follows()
	if err != nil {
		return "", err
	}
	config, err := g.Config()
	if err != nil {
		return "", err
	}
	return text + fmt.Sprintf("%+v %+v %+v %+v", logs, net, follows, config), nil
}

// damagedWorld is an index with some of everything, what it says, and the updates that made it.
func damagedWorld(t testing.TB) (d Dir, want string, updates []Update) {
	t.Helper()
	alice, bob := newLog(t, "alice"), newLog(t, "bob")
	d = testDir(t)
	var a []Entry
	for i := range 12 {
		doc := trusted("f", []string{"f", "f2", "f3"}[i%3])
		doc.Reason = fmt.Sprint("reason ", i)
		a = append(a, alice.entry(doc))
	}
	report := alice.entry(testkit.Report(testkit.File("f", "f")))
	withdraw := alice.entry(schema.Record{Kind: schema.KindWithdraw, Withdraws: []string{report.Record.ID()}})
	follow := alice.entry(schema.Record{Kind: schema.KindFollow, Weight: 50, Source: &schema.FollowSource{
		Log: bob.id(), URL: "https://example.org/bob.git", Key: bob.key.Key().Fingerprint(),
	}})
	release := bob.entry(testkit.Report(schema.Subject{Size: -1, Release: "pkg:pypi/requests@1"}))
	updates = []Update{alice.update(append(a, report, withdraw, follow)...), bob.update(release)}
	if err := Apply(context.Background(), d, updates, Config{Stamp: "stamp", Own: []string{"blob"}}); err != nil {
		t.Fatal(err)
	}
	apply(t, d, Update{Log: alice.id(), Remove: []string{a[0].Record.ID()}}) // an edited copy
	updates[0].Add = updates[0].Add[1:]
	want, err := observe(d)
	if err != nil {
		t.Fatal(err)
	}
	return d, want, updates
}

// files lists every file of an index.
func files(t testing.TB, d Dir) []string {
	t.Helper()
	var list []string
	for _, folder := range []string{d.Cache, d.Data, d.sources()} {
		entries, err := os.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if !e.IsDir() {
				list = append(list, filepath.Join(folder, e.Name()))
			}
		}
	}
	return list
}

func write(t testing.TB, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// rightOrDamaged: whatever is wrong with a file, an answer is the right one or none.
func rightOrDamaged(t *testing.T, d Dir, want, what string) *DamageError {
	t.Helper()
	have, err := observe(d)
	var damage *DamageError
	switch {
	case err == nil && have != want:
		t.Fatalf("%s: a wrong answer\n%s\nwant\n%s", what, have, want)
	case err != nil && !errors.As(err, &damage):
		t.Fatalf("%s: %v, which is no *DamageError", what, err)
	}
	return damage
}

func TestEveryFlippedByteIsNoticedOrHarmless(t *testing.T) {
	t.Parallel()
	d, want, _ := damagedWorld(t)
	random := rand.New(rand.NewPCG(1, 2))
	for _, path := range files(t, d) {
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, mapped := generationNumber(filepath.Base(path)); mapped && underRace {
			continue
		}
		noticed := 0
		var places []int // most of a small file is empty
		for at, c := range whole {
			if c != 0 || random.IntN(200) == 0 {
				places = append(places, at)
			}
		}
		step := max(1, len(places)/100)
		for i := random.IntN(step); i < len(places); i += step {
			at := places[i]
			b := append([]byte(nil), whole...)
			b[at] ^= byte(1 + random.IntN(255))
			write(t, path, b)
			if rightOrDamaged(t, d, want, fmt.Sprintf("%s byte %d of %d", filepath.Base(path), at, len(whole))) != nil {
				noticed++
			}
		}
		write(t, path, whole)
		if noticed == 0 {
			t.Errorf("no flipped byte of %s was noticed", filepath.Base(path))
		}
	}
}

func TestEveryTruncationIsNoticed(t *testing.T) {
	t.Parallel()
	d, want, _ := damagedWorld(t)
	for _, path := range files(t, d) {
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range []int{0, 1, 12, len(whole) / 4, len(whole) / 2, len(whole) - 4096, len(whole) - 30, len(whole) - 1} {
			if n < 0 {
				continue
			}
			write(t, path, whole[:n])
			damage := rightOrDamaged(t, d, want, fmt.Sprintf("%s cut to %d of %d", filepath.Base(path), n, len(whole)))
			if damage == nil && !strings.HasSuffix(path, ".records") {
				t.Errorf("%s cut to %d of %d is believed", filepath.Base(path), n, len(whole))
			}
		}
		write(t, path, append(whole, make([]byte, 4096)...))
		rightOrDamaged(t, d, want, filepath.Base(path)+" with zeros behind")
		write(t, path, make([]byte, len(whole)))
		if rightOrDamaged(t, d, want, filepath.Base(path)+" all zeros") == nil {
			t.Errorf("%s of zeros is believed", filepath.Base(path))
		}
		write(t, path, whole)
	}
}

func TestDeletedFilesAreNoticed(t *testing.T) {
	t.Parallel()
	d, want, updates := damagedWorld(t)
	ctx := context.Background()
	before := d
	for i := range files(t, before) {
		d := copyDir(t, before)
		path := files(t, d)[i]
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		damage := rightOrDamaged(t, d, want, filepath.Base(path)+" deleted")
		switch {
		case damage == nil:
			t.Errorf("%s deleted: believed", filepath.Base(path))
		case strings.HasSuffix(path, ".records"):
			if damage.Log == "" || !strings.Contains(path, damage.Log) {
				t.Errorf("%s deleted: blamed on %q", filepath.Base(path), damage.Log)
			}
			write(t, path, whole)
		default:
			if damage.Log != "" {
				t.Errorf("%s deleted: blamed on %q", filepath.Base(path), damage.Log)
			}
			if err := Apply(ctx, d, updates, Config{}); !errors.As(err, &damage) {
				t.Errorf("%s deleted: a writer begins: %v", filepath.Base(path), err)
			}
			if _, err := Rebuild(ctx, d, Config{Stamp: "stamp", Own: []string{"blob"}}); err != nil {
				t.Fatal(err)
			}
			rightOrDamaged(t, d, want, filepath.Base(path)+" rebuilt")
		}
	}
	if err := os.RemoveAll(d.Cache); err != nil {
		t.Fatal(err)
	}
	if damage := rightOrDamaged(t, d, want, "the whole cache deleted"); damage == nil || damage.Log != "" {
		t.Errorf("the whole cache deleted: %v", damage)
	}
	if rebuilt, err := Rebuild(ctx, d, Config{Stamp: "stamp", Own: []string{"blob"}}); err != nil || rebuilt.Logs != 2 || rebuilt.Records != 15 {
		t.Errorf("Rebuild: %+v %v", rebuilt, err)
	}
	if have, err := observe(d); err != nil || have != want {
		t.Errorf("after Rebuild: %v\n%s\nwant\n%s", err, have, want)
	}
}

// TestDamagedStore: a rebuild keeps what can be read, says what cannot, and a whole set mends it.
func TestDamagedStore(t *testing.T) {
	t.Parallel()
	d, want, updates := damagedWorld(t)
	ctx := context.Background()
	path := d.storePath(updates[0].Log, 0)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(3, 4))
	for range 15 {
		at := random.IntN(len(whole))
		b := append([]byte(nil), whole...)
		b[at] ^= 0x10
		for _, s := range files(t, d) {
			if strings.HasSuffix(s, ".records") && strings.Contains(s, updates[0].Log) {
				os.Remove(s)
			}
		}
		write(t, path, b)
		rebuilt, err := Rebuild(ctx, d, Config{Stamp: "stamp", Own: []string{"blob"}})
		if err != nil || len(rebuilt.Damaged) == 0 || rebuilt.Damaged[0].Log != updates[0].Log {
			t.Fatalf("byte %d: Rebuild: %+v %v", at, rebuilt, err)
		}
		if _, err := observe(d); err != nil {
			t.Fatalf("byte %d: after Rebuild: %v", at, err)
		}
		if again, err := Rebuild(ctx, d, Config{}); err != nil || at >= int(store.HeaderSize) && rebuilt.Logs == 2 && len(again.Damaged) != 0 {
			t.Fatalf("byte %d: second Rebuild: %+v %v", at, again, err)
		}
		mend := updates[0]
		mend.Replace = true
		if err := Apply(ctx, d, []Update{mend}, Config{Stamp: "stamp", Own: []string{"blob"}}); err != nil {
			t.Fatalf("byte %d: mending: %v", at, err)
		}
		if have, err := observe(d); err != nil || have != want {
			t.Fatalf("byte %d: after mending: %v\n%s\nwant\n%s", at, err, have, want)
		}
	}
}

// TestReplaceMendsWithoutRebuild: the generation is whole, the store under it is not.
func TestReplaceMendsWithoutRebuild(t *testing.T) {
	t.Parallel()
	d, want, updates := damagedWorld(t)
	ctx := context.Background()
	mend := updates[0]
	mend.Replace = true
	for i := range 12 {
		g := open(t, d)
		info, _, err := g.Log(mend.Log)
		if err != nil || info.Records != 14 {
			t.Fatalf("%+v %v", info, err)
		}
		stores, err := d.listStores()
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range stores {
			if s.log != mend.Log {
				continue
			}
			path := d.storePath(s.log, s.number)
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			switch i % 4 {
			case 0:
				b[len(b)/12*i] ^= 1
			case 1:
				b = b[:len(b)/2]
			case 2:
				b[3] ^= 1
			case 3:
				os.Remove(path)
				continue
			}
			write(t, path, b)
		}
		if i%4 != 0 {
			var damage *DamageError
			e := updates[1].Add[0]
			err := Apply(ctx, d, []Update{{Log: mend.Log, Remove: []string{e.Record.ID()}}}, Config{})
			if !errors.As(err, &damage) || damage.Log != mend.Log {
				t.Errorf("round %d: an update of a damaged store: %v", i, err)
			}
		}
		if err := Apply(ctx, d, []Update{mend}, Config{}); err != nil {
			t.Fatal(err)
		}
		if have, err := observe(d); err != nil || have != want {
			t.Fatalf("round %d: %v\n%s\nwant\n%s", i, err, have, want)
		}
	}
}

// TestFormerCache: a cache of former times that comes back, the whole of it or a part, is never taken for
// what is in force, and no number comes again that would make it look so.
func TestFormerCache(t *testing.T) {
	t.Parallel()
	alice, bob := newLog(t, "alice"), newLog(t, "bob")
	d := testDir(t)
	apply(t, d, bob.update(), alice.update(alice.entry(trusted("f", "f"))))
	apply(t, d, alice.update(alice.entry(trusted("g", "g"))))
	former := copyDir(t, d)
	bring := func(names ...string) {
		t.Helper()
		for _, name := range names {
			b, err := os.ReadFile(filepath.Join(former.Cache, name))
			if err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(d.Cache, name), b)
		}
	}
	loseCache := func() {
		t.Helper()
		if err := os.RemoveAll(d.Cache); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(d.Cache, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	apply(t, d, alice.update(alice.entry(testkit.Report(testkit.File("f", "f")))))
	want, err := observe(d)
	if err != nil {
		t.Fatal(err)
	}
	number := open(t, d).Number()
	for _, names := range [][]string{nil, {"index-1"}, {"index-2"}, {"index-1", "index-2"}} {
		bring(names...)
		rightOrDamaged(t, d, want, fmt.Sprintf("%q came back", names))
		loseCache()
		bring(names...)
		if damage := rightOrDamaged(t, d, want, fmt.Sprintf("only %q are there", names)); damage == nil || damage.Log != "" {
			t.Errorf("only %q are there: %v", names, damage)
		}
		if _, err := Rebuild(context.Background(), d, Config{}); err != nil {
			t.Fatal(err)
		}
		rightOrDamaged(t, d, want, "rebuilt")
		next := open(t, d).Number()
		if next <= number {
			t.Errorf("number %d after %d", next, number)
		}
		number = next
	}
}
