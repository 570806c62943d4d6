package source

import (
	"crypto/sha256"
	"encoding/hex"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// TestCompareLists holds the comparison of two lists to what is meant, file by file. Names lie between records and
// their signatures, too.
func TestCompareLists(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	names := []string{"a.yml", "a.yml-x", "a.yml.sig", "a.yml.sig.yml", "b.yml", "b.yml.sig", "c.yml.sig", "note", "z.yml", "z.yml.a", "z.yml.sig"}
	some := func() *fileList {
		l := &fileList{}
		for _, folder := range []string{"keys/", "records/any/", "records/any/aa/"} {
			for _, name := range names {
				if random.IntN(3) > 0 {
					l.files = append(l.files, file{path: folder + name, sum: sha256.Sum256([]byte{byte(random.IntN(2))})})
				}
			}
		}
		slices.SortFunc(l.files, func(a, b file) int { return strings.Compare(a.path, b.path) })
		return l
	}
	for range 2000 {
		before, after, again := some(), some(), map[string]bool{}
		if random.IntN(10) == 0 {
			before = &fileList{}
		}
		for range random.IntN(3) {
			again["records/any/"+names[random.IntN(len(names))]] = true
		}
		got, want := compareLists(before, after, again), compareSlowly(before, after, again)
		slices.SortFunc(got.removed, func(a, b removal) int { return strings.Compare(a.path, b.path) })
		if !slices.Equal(got.records, want.records) || !slices.Equal(got.strays, want.strays) || !slices.Equal(got.removed, want.removed) {
			t.Fatalf("again %v: got %v, want %v", again, got, want)
		}
	}
}

// compareSlowly is what compareLists means.
func compareSlowly(before, after *fileList, again map[string]bool) (d difference) {
	for i, f := range after.files {
		if !strings.HasPrefix(f.path, "records/") {
			continue
		}
		old, had := before.find(f.path)
		record, isSig := strings.CutSuffix(f.path, ".sig")
		_, beside := after.find(record)
		switch {
		case strings.HasSuffix(f.path, ".yml"):
			sig, signed := after.find(f.path + ".sig")
			oldSig, wasSigned := before.find(f.path + ".sig")
			if !had || old.sum != f.sum || signed != wasSigned || sig.sum != oldSig.sum || again[f.path] {
				d.records = append(d.records, i)
			}
		case isSig && strings.HasSuffix(record, ".yml") && beside:
		case !had || again[f.path]:
			d.strays = append(d.strays, f.path)
		}
	}
	for _, old := range before.files {
		f, still := after.find(old.path)
		if strings.HasPrefix(old.path, "records/") && strings.HasSuffix(old.path, ".yml") && (!still || f.sum != old.sum) {
			d.removed = append(d.removed, removal{old.path, hex.EncodeToString(old.sum[:])})
		}
	}
	return d
}
