package gitstore

import (
	"bytes"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/distributed-trust/distrust/records/internal/testkit"
)

// refDelta is a delta that names its base by id.
func refDelta(base plumbing.Hash, delta []byte) []byte {
	return append(append(objectHeader(packRef, int64(len(delta))), base[:]...), deflate(delta)...)
}

// insert is a delta that puts a short text in the place of one as long.
func insert(text string) []byte {
	return append([]byte{byte(len(text)), byte(len(text)), byte(len(text))}, text...)
}

// An object may be in a pack very often, and deltas on it just as often: they are not looked through for each.
func TestHostileDuplicates(t *testing.T) {
	t.Parallel()
	const each = 100_000
	whole := append(objectHeader(packBlob, 4), stored([]byte("same"))...)
	base := plumbing.ComputeHash(plumbing.BlobObject, []byte("same"))
	delta := append(append(objectHeader(packRef, 7), base[:]...), stored(insert("same"))...)
	pack := append(packHeader(2*each), bytes.Repeat(whole, each)...)
	pack = append(pack, bytes.Repeat(delta, each)...)
	sum := sha1.Sum(pack)
	began := time.Now()
	got, err := taken(t, t.TempDir(), bytes.NewReader(append(pack, sum[:]...)), DefaultLimits())
	if err != nil || len(got.made.list) != 2*each {
		t.Fatal(err)
	}
	if took := time.Since(began); took > time.Minute {
		t.Errorf("it took %s", took)
	}
}

// A pack that holds objects twice is one that git reads, too, and what is sent on from it is in order.
func TestDuplicatesForGit(t *testing.T) {
	t.Parallel()
	f := &forge{}
	tip := f.commit(f.tree(entry{mode: modeFile, name: "x", hash: f.blob("text")}))
	var entries [][]byte
	for _, h := range f.order {
		e := packEntry(packKinds[f.objects[h].kind], f.objects[h].data)
		entries = append(entries, e, e)
	}
	dir := bareClone(t, newRepo(t, trustFiles()))
	if _, err := taken(t, dir, bytes.NewReader(finishPack(len(entries), entries...)), DefaultLimits()); err != nil {
		t.Fatal(err)
	}
	if text := testkit.Git(t, dir, "cat-file", "-p", tip.String()+":x"); text != "text" {
		t.Errorf("git reads %q", text)
	}
	testkit.Git(t, dir, "update-ref", "refs/heads/twice", tip.String())
	testkit.Git(t, dir, "rev-list", "--objects", "--all")
	var repo repository
	if err := repo.open(dir); err != nil {
		t.Fatal(err)
	}
	defer repo.Close()
	if again, err := taken(t, t.TempDir(), repo.encode(t.Context(), dir, f.order), DefaultLimits()); err != nil || len(again.made.list) != len(f.order) {
		t.Errorf("sent on: %v", err)
	}
	testkit.Git(t, dir, "repack", "-adq")
	fsck(t, dir)
}

// A chain of deltas has an end, however they name their bases.
func TestHostileChains(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		refs, offsets int
		refused       bool
	}{
		"as long as it may be":     {200, maxDeltaDepth - 200, false},
		"one more, by its offset":  {200, maxDeltaDepth - 199, true},
		"ids alone":                {maxDeltaDepth, 0, false},
		"ids alone, one more":      {maxDeltaDepth + 1, 0, true},
		"offsets alone, one more":  {0, maxDeltaDepth + 1, true},
		"as many of each as there": {maxDeltaDepth, maxDeltaDepth, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := func(i int) string { return fmt.Sprintf("%04d", i) }
			entries := [][]byte{packEntry(packBlob, []byte(text(0)))}
			for i := range c.refs {
				base := plumbing.ComputeHash(plumbing.BlobObject, []byte(text(i)))
				entries = append(entries, refDelta(base, insert(text(i+1))))
			}
			for i := range c.offsets {
				last := entries[len(entries)-1]
				entries = append(entries, offsetDelta(len(last), insert(text(c.refs+i+1))))
			}
			dir := t.TempDir()
			_, err := taken(t, dir, bytes.NewReader(finishPack(len(entries), entries...)), DefaultLimits())
			var hostile *HostileError
			if c.refused {
				if !errors.As(err, &hostile) {
					t.Errorf("it is taken: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			p, err := openPacks(dir, nil) // as the next process finds it
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			for i := range c.refs + c.offsets + 1 {
				h := plumbing.ComputeHash(plumbing.BlobObject, []byte(text(i)))
				if _, b, err := p.object(plumbing.BlobObject, h, 4); err != nil || string(b) != text(i) {
					t.Fatalf("object %d: %q, %v", i, b, err)
				}
			}
		})
	}
}

// An index that claims more objects than it can hold is none, also where their bytes are as many again as an
// int of 32 bits can tell.
func TestHostileIndexCount(t *testing.T) {
	t.Parallel()
	for _, count := range []uint32{2, 1 << 29, 1 << 30, 1<<31 - 1, 1 << 31, 1<<32 - 2, 1<<32 - 1} {
		_, x := encodeIndex([]packed{{off: 12, hash: plumbing.Hash{255}}}, plumbing.Hash{})
		binary.BigEndian.PutUint32(x.b[indexIDs-4:], count)
		sum := sha1.Sum(x.b[:len(x.b)-idSize])
		copy(x.b[len(x.b)-idSize:], sum[:])
		name := filepath.Join(t.TempDir(), "pack-x.idx")
		if err := os.WriteFile(name, x.b, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := readIndex(name); !errors.Is(err, errDamaged) {
			t.Errorf("%d objects: %v", count, err)
		}
	}
	_, x := encodeIndex([]packed{{off: 12, hash: plumbing.Hash{1}}}, plumbing.Hash{})
	for _, at := range []uint32{farOffset, farOffset + 1, farOffset | 1<<28, farOffset | 1<<29, 1<<32 - 1} {
		binary.BigEndian.PutUint32(x.b[x.far()-4:], at)
		if off := x.off(0); off >= 0 {
			t.Errorf("%#x leads to %d", at, off)
		}
	}
}
