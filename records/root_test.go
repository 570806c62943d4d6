package records

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/distributed-trust/distrust/records/internal/testkit"
)

// stockRoot is the value that F5 defines, from the commands that it names.
func stockRoot(t *testing.T, dir string) string {
	t.Helper()
	cmd := exec.Command("sh", "-c", "find records -type f | LC_ALL=C sort | xargs -r sha256sum | sha256sum")
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(out))[0]
}

func TestRootAgainstStockCommands(t *testing.T) {
	t.Parallel()
	testkit.Need(t, "sh", "find", "sort", "xargs", "sha256sum")
	many := []string{} // so long that xargs needs two runs of sha256sum
	for i := range 500 {
		id := fmt.Sprintf("%x", sha256.Sum256(fmt.Append(nil, i)))
		many = append(many, "records/"+strings.Repeat("a", 120)+"/"+strings.Repeat("b", 120)+"/"+id[:1]+"/"+strings.Repeat("c", 40)+id[:16]+".yml")
	}
	for name, files := range map[string][]string{
		"none": {},
		"one":  {"records/any/00/a-0000000000000000.yml"},
		// Sorting whole paths is not sorting folder by folder: '-' and '.' come before '/'.
		"order":    {"records/a/b.yml", "records/a-b/c.yml", "records/a.b/c.yml", "records/a/b.yml.sig", "records/ab.yml", "records/a_b.yml", "records/a0.yml", "records/a/-.yml"},
		"unsealed": {"records/any/00/a.yml", "records/any/00/README", "records/any/00/a.yml.sig"},
		"many":     many,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := os.Mkdir(filepath.Join(dir, "records"), 0o700); err != nil {
				t.Fatal(err)
			}
			sums := map[string][sha256.Size]byte{}
			records := int64(0)
			for _, path := range files {
				full := filepath.Join(dir, filepath.FromSlash(path))
				if err := os.MkdirAll(filepath.Dir(full), 0o700); err != nil {
					t.Fatal(err)
				}
				content := []byte("content of " + path)
				if err := os.WriteFile(full, content, 0o600); err != nil {
					t.Fatal(err)
				}
				sums[path] = sha256.Sum256(content)
				if strings.HasSuffix(path, ".yml") {
					records++
				}
			}
			if got, want := RootOf(sums), stockRoot(t, dir); got != want {
				t.Errorf("root %s, the commands give %s", got, want)
			}
			if got := CountRecords(sums); got != records {
				t.Errorf("%d records, want %d", got, records)
			}
		})
	}
}

func TestRoot(t *testing.T) {
	t.Parallel()
	nothing := sha256.Sum256(nil)
	if got := NewRoot().Sum(); got != hex.EncodeToString(nothing[:]) || RootOf(nil) != got {
		t.Errorf("the root of nothing is %s", got)
	}
	root := NewRoot()
	a, b := sha256.Sum256([]byte("a")), sha256.Sum256([]byte("b"))
	if err := root.Add("records/a.yml", a); err != nil {
		t.Fatal(err)
	}
	if err := root.Add("records/a.yml.sig", b); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"records/a.yml.sig", "records/a.yml", "records/a", ""} {
		if err := root.Add(path, a); err == nil {
			t.Errorf("%q after a later path", path)
		}
	}
	if want := RootOf(map[string][32]byte{"records/a.yml": a, "records/a.yml.sig": b}); root.Sum() != want || root.Records() != 1 {
		t.Errorf("streamed root %s of %d records, want %s of 1", root.Sum(), root.Records(), want)
	}
	if RootOf(map[string][32]byte{"records/a.yml": a}) == RootOf(map[string][32]byte{"records/a.yml": b}) {
		t.Error("content plays no part")
	}
}
