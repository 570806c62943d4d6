package home

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/index"
	"github.com/distributed-trust/distrust/records/trust"
	"github.com/distributed-trust/distrust/schema"
	"github.com/distributed-trust/distrust/sshsig"
)

// privateKit is a private folder with the index that commands bring it into.
type privateKit struct {
	*testing.T
	folder  string
	index   index.Dir
	keys    []schema.Key // of the home
	written []records.Record
}

func newPrivateKit(t *testing.T, names ...string) *privateKit {
	t.Helper()
	base := t.TempDir()
	k := &privateKit{T: t, folder: newPrivate(t, laptop).Dir(), index: index.Dir{Cache: filepath.Join(base, "cache"), Data: filepath.Join(base, "data")}}
	k.whole(k.command(0, names...))
	return k
}

// command is what a command does that writes these in private, some minutes from now: the update that it
// gave the index, and how many records of others it opened for that.
func (k *privateKit) command(minutes int, names ...string) (index.Update, int) {
	k.Helper()
	p := k.open()
	g, err := index.Open(k.index)
	if err != nil {
		g = nil
	} else {
		defer g.Close()
	}
	if len(names) > 0 {
		var docs []schema.Record
		for _, name := range names {
			docs = append(docs, trustDoc(name))
		}
		if k.written, err = p.Write(k.Context(), laptop, docs, g, optionsAt(minutes)); err != nil {
			k.Fatal(err)
		}
	}
	u, err := p.Update(k.Context(), g)
	if err != nil {
		k.Fatal(err)
	}
	if err := index.Apply(k.Context(), k.index, []index.Update{u}, index.Config{}); err != nil {
		k.Fatal(err)
	}
	return u, len(p.opened)
}

func (k *privateKit) open() *Private {
	k.Helper()
	p, err := OpenPrivate(k.folder, k.keys)
	if err != nil {
		k.Fatal(err)
	}
	return p
}

// whole wants a command to have read the folder.
func (k *privateKit) whole(u index.Update, _ int) {
	k.Helper()
	if !u.Replace {
		k.Errorf("only %d records were given, not the whole set", len(u.Add))
	}
}

// only wants a command to have opened nothing, and given so many records.
func (k *privateKit) only(want int) func(index.Update, int) {
	return func(u index.Update, opened int) {
		k.Helper()
		if u.Replace || len(u.Add) != want || opened != 0 {
			k.Errorf("%d records were given and %d opened, want %d and none; whole: %v", len(u.Add), opened, want, u.Replace)
		}
	}
}

// holds wants the index to hold what counts and what is void, as a new look at the folder says it, and these.
func (k *privateKit) holds(want string) {
	k.Helper()
	p := k.open()
	all, err := p.Records(k.Context())
	if err != nil {
		k.Fatal(err)
	}
	name := func(file string, void bool) string {
		if void {
			return file + "(void)"
		}
		return file
	}
	var there, held []string
	for _, r := range all {
		there = append(there, name(r.Doc().Subjects[0].File, p.log.Void(r)))
	}
	g, err := index.Open(k.index)
	if err != nil {
		k.Fatal(err)
	}
	defer g.Close()
	err = g.Statements(p.log.ID, func(st trust.Statement, _ string) error {
		held = append(held, name(st.Subjects[0].File, st.Void))
		return nil
	})
	if err != nil {
		k.Fatal(err)
	}
	slices.Sort(there)
	slices.Sort(held)
	if got := strings.Join(held, " "); got != want || got != strings.Join(there, " ") {
		k.Errorf("the index holds %q, the folder %q, want %q", got, strings.Join(there, " "), want)
	}
}

// file is where a record lies that was written last.
func (k *privateKit) file() string {
	return filepath.Join(k.folder, filepath.FromSlash(k.written[0].Path()))
}

// A new private record costs one record, and a command that writes elsewhere opens none of them.
func TestPrivateOpensNoneAgain(t *testing.T) {
	t.Parallel()
	k := newPrivateKit(t, "a", "b", "c")
	k.only(1)(k.command(1, "d"))
	k.only(2)(k.command(2, "e", "f"))
	k.only(0)(k.command(3))
	k.holds("a b c d e f")
	// An index that was made again does not know what its records were read from.
	if _, err := index.Rebuild(t.Context(), k.index, index.Config{}); err != nil {
		t.Fatal(err)
	}
	k.whole(k.command(4))
	k.only(0)(k.command(5))
	k.holds("a b c d e f")
	if err := os.RemoveAll(k.index.Cache); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(k.index.Data); err != nil {
		t.Fatal(err)
	}
	k.whole(k.command(6, "g"))
	k.holds("a b c d e f g")
}

// Whatever a hand, dotfiles or a backup do in the folder is noticed by the next command.
func TestPrivateNoticesHands(t *testing.T) {
	t.Parallel()
	must := func(t *testing.T, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	later := testNow.Add(time.Hour)
	for name, c := range map[string]struct {
		change func(*testing.T, *privateKit)
		want   string
	}{
		"removed":         {func(t *testing.T, k *privateKit) { must(t, os.Remove(k.file())) }, "a"},
		"without its sig": {func(t *testing.T, k *privateKit) { must(t, os.Remove(k.file()+".sig")) }, "a"},
		"edited in place, at the same length": {func(t *testing.T, k *privateKit) {
			b := []byte(strings.Replace(readText(t, k.file()), "issued: 2026", "issued: 2025", 1))
			must(t, os.WriteFile(k.file(), b, 0o600))
			must(t, os.Chtimes(k.file(), later, later))
		}, "a"},
		"its sig edited": {func(t *testing.T, k *privateKit) {
			must(t, os.WriteFile(k.file()+".sig", []byte("none"), 0o600))
		}, "a"},
		"written again as it was": {func(t *testing.T, k *privateKit) {
			must(t, os.Chtimes(k.file(), later, later))
		}, "a b"},
		"another one from a backup": {func(t *testing.T, k *privateKit) {
			at, kept := k.file(), [][]byte{[]byte(readText(t, k.file())), []byte(readText(t, k.file()+".sig"))}
			must(t, os.Remove(at))
			must(t, os.Remove(at+".sig"))
			k.whole(k.command(2))
			k.holds("a")
			must(t, os.WriteFile(at, kept[0], 0o600))
			must(t, os.WriteFile(at+".sig", kept[1], 0o600))
		}, "a b"},
		"a folder of files": {func(t *testing.T, k *privateKit) {
			must(t, os.Rename(filepath.Dir(k.file()), filepath.Join(t.TempDir(), "away")))
		}, "a"},
		"no record at all": {func(t *testing.T, k *privateKit) {
			must(t, os.WriteFile(filepath.Join(k.folder, "records", "x.yml"), []byte("x"), 0o600))
		}, "a b"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := newPrivateKit(t, "a")
			k.only(1)(k.command(1, "b"))
			c.change(t, k)
			k.whole(k.command(3))
			k.holds(c.want)
			k.only(0)(k.command(4))
			k.only(1)(k.command(5, "z"))
			k.holds(c.want + " z")
		})
	}
}

// What a hand does while a command writes is not taken for the command's own work.
func TestPrivateNoticesHandsMeanwhile(t *testing.T) {
	t.Parallel()
	k := newPrivateKit(t, "a")
	k.only(1)(k.command(1, "b"))
	p := k.open()
	g, err := index.Open(k.index)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	_, err = p.Write(t.Context(), signingSlowly{laptop, func() { os.Remove(k.file()) }}, []schema.Record{trustDoc("c")}, g, optionsAt(2))
	if err != nil {
		t.Fatal(err)
	}
	u, err := p.Update(t.Context(), g)
	if err == nil {
		err = index.Apply(t.Context(), k.index, []index.Update{u}, index.Config{})
	}
	if err != nil {
		t.Fatal(err)
	}
	k.whole(k.command(3))
	k.holds("a c")
}

// signingSlowly does something while it signs.
type signingSlowly struct {
	records.Signer
	meanwhile func()
}

func (s signingSlowly) Sign(ctx context.Context, message []byte, ns sshsig.Namespace) ([]byte, error) {
	s.meanwhile()
	return s.Signer.Sign(ctx, message, ns)
}

// The states of the home's keys reach the records without opening them again; other keys open others.
func TestPrivateStampKnowsTheKeys(t *testing.T) {
	t.Parallel()
	k := newPrivateKit(t, "a", "b")
	for _, state := range []schema.KeyState{schema.Active, schema.Retired, schema.Compromised} {
		k.keys = []schema.Key{listed(laptop, state)}
		k.only(0)(k.command(1))
	}
	k.holds("a(void) b(void)")
	k.keys = []schema.Key{listed(desktop, schema.Active), listed(laptop, schema.Active)}
	k.whole(k.command(2))
	k.only(0)(k.command(3))
	k.holds("a b")
	by := func(minutes int) {
		p, g := k.open(), (*index.Generation)(nil)
		if _, err := p.Write(t.Context(), desktop, []schema.Record{trustDoc("d")}, g, optionsAt(minutes)); err != nil {
			t.Fatal(err)
		}
	}
	by(4)
	k.whole(k.command(5))
	k.holds("a b d")
	k.keys = nil // the home is gone, and the other key with it
	k.whole(k.command(6))
	k.holds("a b")
}

// A new record is newer than the last one about the same thing, also when that was written in the same
// second, or the clock went back (D1): the index knows when, and nothing is opened.
func TestPrivateIssuedAfterTheLast(t *testing.T) {
	t.Parallel()
	k := newPrivateKit(t, "a", "b")
	for _, step := range []struct {
		minutes int
		name    string
		want    time.Duration // after testNow
	}{
		{0, "a", time.Second},
		{0, "c", 0},
		{-60, "a", 2 * time.Second},
		{-60, "d", -time.Hour},
		{1, "a", time.Minute},
	} {
		k.only(1)(k.command(step.minutes, step.name))
		if at := k.written[0].Doc().Issued; !at.Equal(testNow.Add(step.want)) {
			t.Errorf("%+v: issued %s", step, at)
		}
	}
	// From the folder, where the index does not hold it.
	if _, err := index.Rebuild(t.Context(), k.index, index.Config{}); err != nil {
		t.Fatal(err)
	}
	k.whole(k.command(1, "a"))
	if at := k.written[0].Doc().Issued; !at.Equal(testNow.Add(time.Minute + time.Second)) {
		t.Errorf("issued %s", at)
	}
}
