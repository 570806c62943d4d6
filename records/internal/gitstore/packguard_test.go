package gitstore

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/distributed-trust/distrust/records/internal/testkit"
)

// smallLimits lets a fuzzer reach every limit quickly.
func smallLimits() Limits {
	l := DefaultLimits()
	l.Objects, l.ObjectBytes, l.InflatedBytes, l.PackBytes = 64, 4<<10, 32<<10, 16<<10
	return l
}

// scan scans a pack as it would come in.
func scan(t testing.TB, pack []byte, l Limits) ([]packed, error) {
	t.Helper()
	to, err := newSpill(t.TempDir(), l)
	if err != nil {
		t.Fatal(err)
	}
	defer to.close()
	list, _, err := scanPack(t.Context(), newIncoming(bytes.NewReader(pack), io.Discard, l), to, l)
	return list, err
}

// taken takes a pack into a folder, as a fetch does.
func taken(t testing.TB, dir string, from io.Reader, l Limits) (*received, error) {
	t.Helper()
	r := &received{spool: filepath.Join(dir, "spool")}
	packs := filepath.Join(dir, "objects", "pack")
	for _, dir := range []string{r.spool, packs} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(r.drop)
	return r, r.take(t.Context(), from, filepath.Join(packs, "spool"), l)
}

// What git packs, whatever the way, passes the guard and is indexed.
func TestScanPackOfGit(t *testing.T) {
	t.Parallel()
	dir := newRepo(t, trustFiles())
	for i := range 5 {
		commitFiles(t, dir, map[string]string{"records/long.yml": string(bytes.Repeat([]byte{byte('a' + i), '\n'}, 2000)) + "end"}, "more")
	}
	testkit.Git(t, dir, "tag", "-m", "annotated", "v1")
	list := testkit.Git(t, dir, "rev-list", "--objects", "--all")
	for _, args := range [][]string{
		{"--no-reuse-delta"}, {"--window=50", "--depth=50", "--no-reuse-delta"}, {"--delta-base-offset"}, {"--window=0"},
	} {
		file := filepath.Join(t.TempDir(), "pack")
		cmd := exec.Command("git", append([]string{"pack-objects", "-q", "--stdout"}, args...)...)
		cmd.Dir, cmd.Env, cmd.Stdin = dir, testkit.Env(), strings.NewReader(list)
		pack, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		list, err := scan(t, pack, DefaultLimits())
		if err != nil || len(list) < 10 {
			t.Fatalf("%v: %d objects, %v", args, len(list), err)
		}
		r, err := taken(t, t.TempDir(), bytes.NewReader(pack), DefaultLimits())
		if err != nil {
			t.Fatalf("%v: %v", args, err)
		}
		base := r.made.base
		testkit.Git(t, dir, "verify-pack", base+".idx")
		testkit.Git(t, dir, "index-pack", "-o", file+".idx", base+".pack")
		ours, err := os.ReadFile(base + ".idx")
		if theirs, failed := os.ReadFile(file + ".idx"); err != nil || failed != nil || !bytes.Equal(ours, theirs) {
			t.Errorf("%v: git makes another index: %v, %v", args, err, failed)
		}
		for cut := 0; cut < len(pack); cut += 5 {
			if _, err := scan(t, pack[:cut], DefaultLimits()); err == nil {
				t.Fatalf("%v: cut at %d of %d and accepted", args, cut, len(pack))
			}
		}
	}
}

func TestHostilePackSizes(t *testing.T) {
	t.Parallel()
	l := smallLimits()
	exact := packEntry(3, make([]byte, l.ObjectBytes))
	many := func(n int) (entries [][]byte) {
		for range n {
			entries = append(entries, packEntry(3, []byte("x")))
		}
		return entries
	}
	delta := func(result uint64) []byte {
		return finishPack(2, many(1)[0], offsetDelta(len(many(1)[0]), append([]byte{1, byte(result&0x7f) | 0x80, byte(result >> 7)}, 0x90, 1)))
	}
	for name, c := range map[string]struct {
		pack   []byte
		option string
	}{
		"object at the limit":         {finishPack(1, exact), ""},
		"object over the limit":       {finishPack(1, packEntry(3, make([]byte, l.ObjectBytes+1))), "object"},
		"as many objects as allowed":  {finishPack(64, many(64)...), ""},
		"one object more":             {finishPack(65, many(65)...), "objects"},
		"as much inflated as allowed": {finishPack(8, exact, exact, exact, exact, exact, exact, exact, exact), ""},
		"one byte more inflated":      {finishPack(9, exact, exact, exact, exact, exact, exact, exact, exact, many(1)[0]), "inflated"},
		"result at the limit":         {delta(uint64(l.ObjectBytes)), ""},
		"result over the limit":       {delta(uint64(l.ObjectBytes) + 1), "object"},
		"size of many bytes":          {finishPack(1, append(bytes.Repeat([]byte{0xbf}, 12), 1)), "object"},
	} {
		_, err := scan(t, c.pack, l)
		var limit *LimitError
		if c.option == "" && err != nil || c.option != "" && (!errors.As(err, &limit) || limit.Option != c.option) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whatever passes the guard makes no object larger than the guard said, does not
// stop go-git from returning, and is read by us as by go-git.
func FuzzScanPack(f *testing.F) {
	g := &forge{}
	g.commit(g.tree(entry{mode: modeFile, name: "x", hash: g.blob("text")}))
	first := packEntry(3, []byte("base of the delta"))
	f.Add(g.packOf())
	f.Add(finishPack(0))
	f.Add(packHeader(1<<32 - 1))
	f.Add(finishPack(2, first, offsetDelta(len(first), []byte{17, 4, 0x90, 4})))
	f.Add(finishPack(1, append(append(objectHeader(7, 4), make([]byte, 20)...), deflate([]byte{1, 1, 1, 'x'})...)))
	f.Add(bomb())
	f.Add([]byte("PACK"))
	f.Fuzz(func(t *testing.T, pack []byte) {
		l := smallLimits()
		dir := t.TempDir()
		r, err := taken(t, dir, bytes.NewReader(pack), l)
		if err != nil || r.made == nil {
			return
		}
		if int64(len(r.made.list)) > l.Objects {
			t.Fatalf("%d objects", len(r.made.list))
		}
		var repo repository
		if err := repo.open(dir); err != nil {
			return
		}
		defer repo.Close()
		all, err := repo.git.IterEncodedObjects(plumbing.AnyObject)
		if err != nil {
			return
		}
		total := int64(0)
		all.ForEach(func(o plumbing.EncodedObject) error {
			r, err := o.Reader()
			if err != nil {
				return nil
			}
			defer r.Close()
			b, err := io.ReadAll(r)
			n := int64(len(b))
			if total += n; n > l.ObjectBytes || total > l.InflatedBytes {
				t.Fatalf("an object of %d bytes, %d in all", n, total)
			}
			if _, ours, failed := repo.packed[0].object(o.Type(), o.Hash(), l.ObjectBytes); err == nil && (failed != nil || !bytes.Equal(ours, b)) {
				t.Fatalf("%s %s is %q, and %q, %v to us", o.Type(), o.Hash(), b, ours, failed)
			}
			return nil
		})
	})
}
