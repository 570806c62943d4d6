package index

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/distributed-trust/distrust/records/internal/testkit"
	"github.com/distributed-trust/distrust/records/trust"
	"github.com/distributed-trust/distrust/schema"
)

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	alice, private := newLog(t, "alice"), newPrivate(t, "me")
	d := testDir(t)
	if _, err := Open(d); !errors.Is(err, ErrNone) {
		t.Fatalf("Open of nothing: %v", err)
	}
	full := schema.Record{
		Kind: schema.KindTrust, Issued: testStart.Add(time.Minute), Expires: testStart.Add(time.Hour),
		Project: "pkg:pypi/requests", Version: "2.33.0", Basis: schema.Reviewed, Strength: 60, Reason: "Read it: ünïcödé",
		Seen: []string{testkit.Digest("a report").SHA256},
		Subjects: []schema.Subject{
			{File: "requests.tar.gz", Size: 1 << 40, Digest: schema.Digest{SHA256: testkit.Digest("x").SHA256, SHA512: testkit.Digest("y").SHA256 + testkit.Digest("z").SHA256}},
			{Size: -1, Signer: "ssh:" + testkit.NewKey("ned").Key().String(), Pattern: []string{"pkg:pypi/requests", "pkg:npm/*"}},
			{Size: -1, Git: schema.GitID{Commit: strings.Repeat("ab", 20)}},
		},
	}
	follow := schema.Record{
		Kind: schema.KindFollow, Weight: 50, Depth: 2, Scopes: []string{"pkg:npm/*"},
		Source: &schema.FollowSource{Log: private.id(), URL: "https://example.org/x.git", Key: testkit.NewKey("x").Key().Fingerprint()},
	}
	entries := []Entry{alice.entry(full), alice.entry(follow), alice.entry(testkit.Report(testkit.File("evil", "evil")))}
	entries[2].Vanished = true
	mine := private.entry(trusted("tool", "tool"))
	apply(t, d, alice.update(entries...), private.update(mine))

	g := open(t, d)
	i := 0
	err := g.Each(alice.id(), func(e Entry) error {
		want := entries[i]
		i++
		if e.Record.ID() != want.Record.ID() || e.Vanished != want.Vanished || e.Void {
			t.Errorf("entry %d is %+v, want %+v", i, e, want)
		}
		if string(e.Record.Envelope().Sig) != string(want.Record.Envelope().Sig) {
			t.Errorf("entry %d has another signature", i)
		}
		return nil
	})
	if err != nil || i != len(entries) {
		t.Fatalf("Each: %d entries, %v", i, err)
	}
	i = 0
	err = g.Statements(alice.id(), func(st trust.Statement, path string) error {
		want := trust.FromRecord(entries[i].Record, false, entries[i].Vanished)
		want.Indexed = true
		if diff := diffStatement(st, want); diff != "" || path != entries[i].Record.Path() {
			t.Errorf("statement %d at %s: %s", i, path, diff)
		}
		i++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	info, ok, err := g.Log(alice.id())
	if err != nil || !ok {
		t.Fatalf("Log: %v %v", ok, err)
	}
	if info.Name != "alice" || info.Records != 3 || info.Vanished != 1 || info.Edges != 1 || info.HeadID != alice.head.ID() || !info.Issued.Equal(testStart) || !info.Expires.Equal(alice.head.Expires()) {
		t.Errorf("Log: %+v", info)
	}
	if _, ok, err := g.Log(strings.Repeat("0", 32)); ok || err != nil {
		t.Errorf("Log of an unknown one: %v %v", ok, err)
	}
	net, err := g.Network()
	if err != nil || len(net.Sources) != 1 || net.Sources[0].Name != "alice" || len(net.Edges) != 1 || net.Edges[0].Weight != 50 {
		t.Errorf("Network: %+v %v", net, err)
	}
	if late, err := g.Late(private.id()); err != nil || !slices.Equal(late, []int64{testStart.Unix()}) {
		t.Errorf("Late of the private log: %v %v", late, err)
	}
	if late, err := g.Late(alice.id()); err != nil || !slices.Equal(late, []int64{testStart.Add(time.Minute).Unix()}) {
		t.Errorf("Late of alice: %v %v", late, err)
	}
	byID, err := g.ByID(mine.Record.ID()[:8])
	if err != nil || len(byID) != 1 || byID[0].Record.ID() != mine.Record.ID() {
		t.Errorf("ByID: %v %v", byID, err)
	}
	for _, prefix := range []string{"", "abc", "zzzz", "'; --", mine.Record.ID() + "0", strings.Repeat("0", 64)} {
		if none, err := g.ByID(prefix); err != nil || len(none) != 0 {
			t.Errorf("ByID(%q): %v %v", prefix, none, err)
		}
	}
}

func TestConfigStaysUntilReplaced(t *testing.T) {
	t.Parallel()
	d, alice := testDir(t), newLog(t, "alice")
	want := Config{Stamp: "sources.yml 12", Own: []string{"blob\x00\xff"}}
	if err := Apply(context.Background(), d, []Update{alice.update()}, want); err != nil {
		t.Fatal(err)
	}
	apply(t, d, alice.update(alice.entry(trusted("a", "a"))))
	for range 2 {
		g := open(t, d)
		have, err := g.Config()
		if err != nil || !have.Equal(want) {
			t.Fatalf("Config: %+v %v", have, err)
		}
		want.Stamp = "sources.yml 13"
		if err := Apply(context.Background(), d, nil, want); err != nil {
			t.Fatal(err)
		}
	}
}

// TestNoNewsNoGeneration: a sync without news must not copy the index.
func TestNoNewsNoGeneration(t *testing.T) {
	t.Parallel()
	d, alice := testDir(t), newLog(t, "alice")
	e := alice.entry(trusted("a", "a"))
	apply(t, d, alice.update(e))
	before := open(t, d).Number()
	apply(t, d, alice.update(e), alice.update())
	replace := alice.update(e)
	replace.Replace = true
	apply(t, d, replace)
	if after := open(t, d).Number(); after != before {
		t.Errorf("generation %d became %d", before, after)
	}
}

func TestUpdates(t *testing.T) {
	t.Parallel()
	alice, bob := newLog(t, "alice"), newLog(t, "bob")
	a1, a2, a3 := alice.entry(trusted("f", "f")), alice.entry(testkit.Report(testkit.File("f", "f"))), alice.entry(trusted("g", "g"))
	b1 := bob.entry(trusted("f", "f"))
	gone := a2
	gone.Vanished = true
	has := func(entries ...Entry) []string {
		list := []string{}
		for _, e := range entries {
			list = append(list, e.Record.ID())
		}
		slices.Sort(list)
		return list
	}
	with := func(u Update, edit func(*Update)) Update {
		edit(&u)
		return u
	}
	steps := []struct {
		name     string
		update   []Update
		f, g     []string // records about f, about g
		vanished int
	}{
		{"two records", []Update{alice.update(a1, a2)}, has(a1, a2), has(), 0},
		{"another log", []Update{bob.update(b1)}, has(a1, a2, b1), has(), 0},
		{"the same again", []Update{alice.update(a1), bob.update(b1)}, has(a1, a2, b1), has(), 0},
		{"one vanishes", []Update{alice.update(gone)}, has(a1, a2, b1), has(), 1},
		{"one is removed", []Update{with(alice.update(), func(u *Update) { u.Remove = []string{a1.Record.ID(), strings.Repeat("0", 64)} })}, has(a2, b1), has(), 1},
		{"replaced", []Update{with(alice.update(a1, a3), func(u *Update) { u.Replace = true })}, has(a1, b1), has(a3), 0},
		{"dropped", []Update{{Log: alice.id(), Drop: true}}, has(b1), has(), 0},
		{"dropped again", []Update{{Log: alice.id(), Drop: true}}, has(b1), has(), 0},
		{"back", []Update{alice.update(a3)}, has(b1), has(a3), 0},
		{"dropped and back in one", []Update{{Log: alice.id(), Drop: true}, alice.update(a1)}, has(a1, b1), has(), 0},
		{"added and removed in one", []Update{alice.update(a3), {Log: alice.id(), Remove: []string{a3.Record.ID()}}}, has(a1, b1), has(), 0},
		{"removed and added in one", []Update{{Log: alice.id(), Remove: []string{a1.Record.ID()}}, alice.update(a1, gone)}, has(a1, a2, b1), has(), 1},
		{"without head or keys", []Update{{Log: alice.id(), Add: []Entry{a3}}}, has(a1, a2, b1), has(a3), 1},
	}
	d := testDir(t)
	for _, step := range steps {
		apply(t, d, step.update...)
		if have := ids(candidates(t, d, fileQuery("f", "f"))); !slices.Equal(have, step.f) {
			t.Errorf("%s: f has %v, want %v", step.name, have, step.f)
		}
		if have := ids(candidates(t, d, fileQuery("g", "g"))); !slices.Equal(have, step.g) {
			t.Errorf("%s: g has %v, want %v", step.name, have, step.g)
		}
		info, _, err := open(t, d).Log(alice.id())
		if err != nil || info.Vanished != step.vanished {
			t.Errorf("%s: %d vanished, want %d (%v)", step.name, info.Vanished, step.vanished, err)
		}
		before := contents(t, d)
		if rebuilt, err := Rebuild(context.Background(), d, Config{}); err != nil || len(rebuilt.Damaged) > 0 {
			t.Fatalf("%s: Rebuild: %+v %v", step.name, rebuilt, err)
		}
		if after := contents(t, d); after != before {
			t.Errorf("%s: a rebuild differs:\n%s\nwas\n%s", step.name, after, before)
		}
		checkFolders(t, d)
	}
}

// checkFolders: the files of one generation, one current, one store a log; private to the user.
func checkFolders(t *testing.T, d Dir) {
	t.Helper()
	cur, err := d.readCurrent()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, folder := range []string{d.Cache, d.sources()} {
		entries, err := os.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			kind, _, _ := strings.Cut(e.Name(), ".")
			if n, ok := generationNumber(kind); folder == d.Cache && (!ok || n != cur.number && n != cur.below.number) {
				t.Errorf("%s is no file of %q", kind, cur.text())
			}
			if seen[kind] {
				t.Errorf("more than one %s in %v", kind, entries)
			}
			seen[kind] = true
			info, err := e.Info()
			if err != nil {
				t.Fatal(err)
			}
			if info.Mode().Perm()&0o077 != 0 {
				t.Errorf("%s has mode %v", e.Name(), info.Mode())
			}
		}
	}
}

func TestUpdateRefused(t *testing.T) {
	t.Parallel()
	alice, bob := newLog(t, "alice"), newLog(t, "bob")
	d := testDir(t)
	apply(t, d, alice.update())
	tests := map[string]Update{
		"record of another log": {Log: alice.id(), Add: []Entry{bob.entry(trusted("f", "f"))}},
		"no record":             {Log: alice.id(), Add: []Entry{{}}},
		"head of another log":   {Log: alice.id(), Head: bob.head},
		"keys of another log":   {Log: alice.id(), Keys: bob.keys},
		"no keys":               {Log: bob.id()},
		"no log id":             {Log: "../../etc"},
		"empty log id":          {Keys: bob.keys},
	}
	for name, u := range tests {
		if err := Apply(context.Background(), d, []Update{u}, Config{}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	if err := Apply(cancelled, d, []Update{alice.update(alice.entry(trusted("f", "f")))}, Config{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if have := candidates(t, d, fileQuery("f", "f")); len(have) != 0 {
		t.Errorf("refused updates left %v", have)
	}
}

// TestVoidFollowsTheHead: the states of keys are read with the record, not kept with it.
func TestVoidFollowsTheHead(t *testing.T) {
	t.Parallel()
	alice := newLog(t, "alice")
	a1, a2 := alice.entry(trusted("f", "f")), alice.entry(testkit.Report(testkit.File("f", "f")))
	newer := trusted("newer", "newer")
	newer.Issued = testStart.Add(time.Minute)
	kept := alice.entry(newer)
	d := testDir(t)
	apply(t, d, alice.update(a1, a2, kept))
	late := func(want int) {
		t.Helper()
		if late, err := open(t, d).Late(alice.id()); err != nil || len(late) != want {
			t.Errorf("late %v, want %d (%v)", late, want, err)
		}
	}
	late(1)
	void := func() int {
		n := 0
		for _, s := range candidates(t, d, fileQuery("f", "f")) {
			if s.Void {
				n++
			}
		}
		return n
	}
	if n := void(); n != 0 {
		t.Errorf("%d void at first", n)
	}
	keys := alice.keys
	keys.Keys = slices.Clone(keys.Keys)
	keys.Keys[0].State = schema.Compromised
	keys.Keep = []string{a1.Record.ID()}
	apply(t, d, Update{Log: alice.id(), Keys: keys})
	if n := void(); n != 1 {
		t.Errorf("%d void of a compromised key, one of them kept", n)
	}
	late(0)
	keys.Keep = append(keys.Keep, kept.Record.ID())
	apply(t, d, Update{Log: alice.id(), Keys: keys})
	late(1)
	keys.Keep = keys.Keep[:1]
	apply(t, d, Update{Log: alice.id(), Keys: keys})
	late(0)
	keys.Keys[0].Key = testkit.NewKey("another").Key().String()
	keys.Keep = nil
	apply(t, d, Update{Log: alice.id(), Keys: keys})
	if n := void(); n != 2 {
		t.Errorf("%d void of a key that the log no longer lists", n)
	}
	g := open(t, d)
	if err := g.Each(alice.id(), func(e Entry) error { return errors.New("opened") }); err != nil {
		t.Errorf("Each of what cannot be opened: %v", err)
	}
	_, lookup, err := g.Candidates(fileQuery("f", "f"), trust.DefaultPolicy())
	if err != nil || lookup.Opened != 0 || lookup.Indexed != 2 {
		t.Errorf("Lookup %+v %v", lookup, err)
	}
}

func TestStoreIsRewritten(t *testing.T) {
	t.Parallel()
	alice := newLog(t, "alice")
	d := testDir(t)
	var entries []Entry
	for i := range 80 {
		entries = append(entries, alice.entry(trusted("file", string(rune('A'+i)))))
	}
	apply(t, d, alice.update(entries...))
	path := d.storePath(alice.id(), 0)
	first, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var gone []string
	for _, e := range entries[10:] {
		gone = append(gone, e.Record.ID())
	}
	size := func(name string) int64 {
		info, err := os.Stat(filepath.Join(d.sources(), name))
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	before := size(alice.id() + ".records")
	old := open(t, d)
	apply(t, d, Update{Log: alice.id(), Remove: gone})
	after := size(alice.id() + ".1.records")
	if after*4 > before {
		t.Errorf("store of %d bytes became %d", before, after)
	}
	checkFolders(t, d)
	if have := candidates(t, d, fileQuery("file", "A")); len(have) != 10 {
		t.Errorf("%d candidates of 10", len(have))
	}
	// A reader of before goes on with what is in force now.
	if have, _, err := old.Candidates(fileQuery("file", "A"), trust.DefaultPolicy()); err != nil || len(have) != 10 {
		t.Errorf("reader of before: %d candidates, %v", len(have), err)
	}
	if err := old.Each(alice.id(), func(Entry) error { return nil }); err != nil {
		t.Errorf("reader of before: %v", err)
	}
	before2 := contents(t, d)
	if _, err := Rebuild(context.Background(), d, Config{}); err != nil || contents(t, d) != before2 {
		t.Errorf("a rebuild differs: %v", err)
	}
	// Where the first file could not be removed, the one that took its place counts.
	write(t, path, first)
	if _, err := Rebuild(context.Background(), d, Config{}); err != nil || contents(t, d) != before2 {
		t.Errorf("a rebuild with the first file still there differs: %v", err)
	}
	checkFolders(t, d)
	apply(t, d, alice.update(entries...))
	if have := candidates(t, d, fileQuery("file", "A")); len(have) != 80 {
		t.Errorf("%d candidates of 80", len(have))
	}
}
