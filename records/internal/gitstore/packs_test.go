package gitstore

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/distributed-trust/distrust/records/internal/testkit"
)

// What is read out of a pack is what git reads: of one that was just taken, whether its objects fit into
// the spill or not, and of the same pack later.
func TestReadPack(t *testing.T) {
	t.Parallel()
	for name, config := range map[string][]string{
		"offset deltas":    {"-c", "repack.useDeltaBaseOffset=true"},
		"reference deltas": {"-c", "repack.useDeltaBaseOffset=false"},
		"no deltas":        {"-c", "pack.window=0"},
	} {
		dir := deltaRepo(t, config...)
		index := onlyPack(t, dir)
		sent, err := os.ReadFile(strings.TrimSuffix(index, ".idx") + ".pack")
		if err != nil {
			t.Fatal(err)
		}
		for _, most := range []int64{0, 5000, 1 << 20} {
			t.Run(name+" "+strconv.FormatInt(most, 10), func(t *testing.T) {
				t.Parallel()
				to := t.TempDir()
				got := &received{spool: filepath.Join(to, "spool")}
				got.spill, err = newSpill(to, DefaultLimits())
				if err != nil {
					t.Fatal(err)
				}
				defer got.drop()
				got.spill.most = most
				file := filepath.Join(to, "objects", "pack", "spool")
				if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
					t.Fatal(err)
				}
				var b bytes.Buffer
				list, sum, err := scanPack(t.Context(), newIncoming(bytes.NewReader(sent), &b, DefaultLimits()), got.spill, DefaultLimits())
				if err != nil || !bytes.Equal(b.Bytes(), sent) {
					t.Fatal(b.Len(), err)
				}
				if err := os.WriteFile(file, sent, 0o600); err != nil {
					t.Fatal(err)
				}
				if got.made, err = indexPack(t.Context(), file, list, sum, got.spill, DefaultLimits()); err != nil {
					t.Fatal(err)
				}
				for _, made := range []*fresh{got.made, nil} {
					readsAsGit(t, dir, to, made)
				}
			})
		}
	}
}

// readsAsGit compares every object of a pack with what git makes of it.
func readsAsGit(t *testing.T, dir, to string, made *fresh) {
	t.Helper()
	p, err := openPacks(to, made)
	if err != nil || len(p.packs) != 1 {
		t.Fatal(len(p.packs), err)
	}
	defer p.Close()
	ids := strings.Fields(testkit.Git(t, dir, "cat-file", "--batch-all-objects", "--batch-check=%(objectname)"))
	if len(ids) < 20 {
		t.Fatalf("%d objects", len(ids))
	}
	for i := range ids {
		h := plumbing.NewHash(ids[i*7%len(ids)]) // here and there
		kind := testkit.Git(t, dir, "cat-file", "-t", h.String())
		size, err := strconv.ParseInt(testkit.Git(t, dir, "cat-file", "-s", h.String()), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		is, b, err := p.object(plumbing.AnyObject, h, size)
		if err != nil || is.String() != kind || plumbing.ComputeHash(is, b) != h {
			t.Errorf("%s %s: %s, %d bytes, %v", kind, h, is, len(b), err)
		}
		if sum, n, known := p.sum(h); known != (made != nil && kind == "blob") || known && (sum != sha256.Sum256(b) || n != size) {
			t.Errorf("%s %s: sum %x of %d bytes, %v", kind, h, sum, n, known)
		}
		var limit *LimitError
		if _, _, err := p.object(is, h, size-1); !errors.As(err, &limit) || limit.Got != size {
			t.Errorf("%s %s: a byte over the limit: %v", kind, h, err)
		}
		if _, _, err := p.object(plumbing.TagObject, h, size); !errors.Is(err, ErrNotFound) || !p.has(h) {
			t.Errorf("%s %s: as a tag: %v", kind, h, err)
		}
		h[19] ^= 1
		if _, _, err := p.object(is, h, size); !errors.Is(err, ErrNotFound) || p.has(h) {
			t.Errorf("not there, but %v", err)
		}
	}
}

// An index that is not as it was written is refused, and places that it cannot have lead nowhere.
func TestDamagedIndex(t *testing.T) {
	t.Parallel()
	far := packed{off: 5 << 30, hash: plumbing.Hash{2}}
	_, x := encodeIndex([]packed{{off: 12, hash: plumbing.Hash{1}}, far}, plumbing.Hash{3})
	name := filepath.Join(t.TempDir(), "pack-x.idx")
	read := func(b []byte) (packIndex, error) {
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return readIndex(name)
	}
	back, err := read(x.b)
	i, found := back.find(far.hash)
	if err != nil || !found || back.off(i) != far.off || back.list()[0].off != 12 {
		t.Fatal(err, i, found)
	}
	for at := range x.b {
		b := bytes.Clone(x.b)
		b[at] ^= 1
		if _, err := read(b); err == nil {
			t.Fatalf("byte %d is another, and nobody saw it", at)
		}
		if _, err := read(x.b[:at]); err == nil {
			t.Fatalf("cut at %d, and nobody saw it", at)
		}
	}
	binary.BigEndian.PutUint32(x.b[x.far()-4:], farOffset+1)
	if off := x.off(1); off >= 0 {
		t.Errorf("it is at %d", off)
	}
}

// FuzzPackOnDisk reads a folder that somebody else wrote: whatever its pack and its index say, an object
// is no longer than it may be, and is the same again.
func FuzzPackOnDisk(f *testing.F) {
	for _, offsets := range []string{"true", "false"} {
		index := onlyPack(f, deltaRepo(f, "-c", "repack.useDeltaBaseOffset="+offsets))
		b, err := os.ReadFile(index)
		pack, packErr := os.ReadFile(strings.TrimSuffix(index, ".idx") + ".pack")
		if err := errors.Join(err, packErr); err != nil {
			f.Fatal(err)
		}
		f.Add(b[:len(b)-idSize], pack)
	}
	_, empty := encodeIndex(nil, plumbing.Hash{})
	f.Add(empty.b[:len(empty.b)-idSize], []byte("PACK"))
	f.Fuzz(func(t *testing.T, index, pack []byte) {
		if len(index) > 1<<16 || len(pack) > 1<<16 {
			return
		}
		const limit = 1 << 16
		dir := t.TempDir()
		packs := filepath.Join(dir, "objects", "pack")
		sum := sha1.Sum(index) // else nothing but the sum would be tried
		err := errors.Join(
			os.MkdirAll(packs, 0o700),
			os.WriteFile(filepath.Join(packs, "pack-x.idx"), append(bytes.Clone(index), sum[:]...), 0o600),
			os.WriteFile(filepath.Join(packs, "pack-x.pack"), pack, 0o600),
		)
		if err != nil {
			t.Fatal(err)
		}
		p, err := openPacks(dir, nil)
		if err != nil {
			return
		}
		defer p.Close()
		for _, o := range p.packs[0].index.list() {
			kind, b, err := p.object(plumbing.AnyObject, o.hash, limit)
			again, same, errAgain := p.object(plumbing.AnyObject, o.hash, limit)
			if len(b) > limit || kind != again || !bytes.Equal(b, same) || (err == nil) != (errAgain == nil) {
				t.Fatalf("%s: %s of %d bytes, %v; then %s of %d, %v", o.hash, kind, len(b), err, again, len(same), errAgain)
			}
		}
	})
}
