package gitstore

import (
	"bytes"
	"context"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/distributed-trust/distrust/records/internal/testkit"
)

// writeTree writes files below a folder.
func writeTree(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// trustFiles are the files of a small trust repository.
func trustFiles() map[string]string {
	return map[string]string{
		"head.yml":                               "kind: head\n",
		"head.yml.sig":                           "signature\n",
		"keys/1.yml":                             "kind: head\n",
		"keys/1.yml.sig":                         "signature\n",
		"records/pypi-requests/9f/file-9f00.yml": "one\n",
		"records/pypi-requests/9f/file-9f00.yml.sig":     "one sig\n",
		"records/any/01/file-0100.yml":                   "two\n",
		"records/any/01/file-0100.yml.sig":               "two sig\n",
		"README.md":                                      "Everything else is its owner's.\n",
		"Some Where/ELSE.txt":                            "with names of any kind\n",
		"records/any/02/signer-0011223344556677.yml":     "three\n",
		"records/any/02/signer-0011223344556677.yml.sig": "three sig\n",
	}
}

// readPaths are the paths of files that F4 reads.
func readPaths(files map[string]string) []string {
	var paths []string
	for p := range files {
		top, _, _ := strings.Cut(p, "/")
		if isRead(top) {
			paths = append(paths, p)
		}
	}
	return paths
}

// newRepo makes a repository with git and commits files into it.
func newRepo(t testing.TB, files map[string]string) string {
	t.Helper()
	if maps.Equal(files, trustFiles()) {
		dir := filepath.Join(t.TempDir(), "repo")
		if err := os.CopyFS(dir, os.DirFS(trustRepo(t))); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	return makeRepo(t, t.TempDir(), files)
}

func makeRepo(t testing.TB, dir string, files map[string]string) string {
	t.Helper()
	testkit.Git(t, dir, "init", "-q", "-b", "main", "--template=")
	commitFiles(t, dir, files, "first")
	return dir
}

// template is the repository that most tests start from: made once, copied;
// TestMain makes and removes the folder.
var template struct {
	sync.Mutex
	parent, dir string
}

func trustRepo(t testing.TB) string {
	t.Helper()
	template.Lock()
	defer template.Unlock()
	if template.dir == "" {
		template.dir = makeRepo(t, template.parent, trustFiles())
	}
	return template.dir
}

func commitFiles(t testing.TB, dir string, files map[string]string, message string) string {
	t.Helper()
	writeTree(t, dir, files)
	testkit.Git(t, dir, "add", "-A")
	testkit.Git(t, dir, "commit", "-q", "--allow-empty", "-m", message)
	_, head, err := places{gitDir: filepath.Join(dir, ".git"), common: filepath.Join(dir, ".git")}.head()
	if err != nil {
		t.Fatal(err)
	}
	return head.String()
}

// bareClone makes a bare repository of another, as a host has it.
func bareClone(t testing.TB, from string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "bare.git")
	testkit.Git(t, from, "clone", "-q", "--bare", from, dir)
	return dir
}

func openStore(t testing.TB, dir string) *Store {
	t.Helper()
	s, err := OpenStore(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func openWorktree(t testing.TB, dir string) *Worktree {
	t.Helper()
	w, err := OpenWorktree(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

func fetch(t testing.TB, s *Store, url, known string) Tip {
	t.Helper()
	tip, err := s.Fetch(t.Context(), typed(url, known))
	if err != nil {
		t.Fatal(err)
	}
	return tip
}

func typed(url, known string) FetchOptions {
	return FetchOptions{URL: url, Known: known, Access: Access{Typed: true, Insecure: true}}
}

func fsck(t testing.TB, dir string) {
	t.Helper()
	for line := range strings.Lines(testkit.Git(t, dir, "fsck", "--strict", "--full", "--no-dangling")) {
		if !strings.HasPrefix(line, "notice: ") {
			t.Errorf("git fsck says: %s", line)
		}
	}
}

func status(t testing.TB, dir string) string {
	t.Helper()
	return testkit.Git(t, dir, "status", "--porcelain", "--untracked-files=all")
}

func someone() Signature {
	return Signature{Name: "Alice Example", Email: "alice@example.org", When: time.Unix(1_700_000_000, 0).UTC()}
}

// forge writes objects that no git would write.
type forge struct {
	objects map[plumbing.Hash]forged
	order   []plumbing.Hash
}

type forged struct {
	kind plumbing.ObjectType
	data []byte
}

func (f *forge) put(kind plumbing.ObjectType, data []byte) plumbing.Hash {
	if f.objects == nil {
		f.objects = map[plumbing.Hash]forged{}
	}
	h := plumbing.ComputeHash(kind, data)
	if _, ok := f.objects[h]; !ok {
		f.order = append(f.order, h)
	}
	f.objects[h] = forged{kind, data}
	return h
}

func (f *forge) blob(text string) plumbing.Hash { return f.put(plumbing.BlobObject, []byte(text)) }

// tree writes entries as they come, in no order and twice if need be.
func (f *forge) tree(entries ...entry) plumbing.Hash {
	var b bytes.Buffer
	for _, e := range entries {
		b.WriteString(e.mode + " " + e.name + "\x00")
		b.Write(e.hash[:])
	}
	return f.put(plumbing.TreeObject, b.Bytes())
}

func (f *forge) commit(tree plumbing.Hash, parents ...plumbing.Hash) plumbing.Hash {
	return f.put(plumbing.CommitObject, encodeCommit(tree, parents, someone(), "forged"))
}

// dir is a tree that has one name below another.
func (f *forge) dir(path string, e entry) plumbing.Hash {
	parts := strings.Split(path, "/")
	for i := len(parts) - 1; i >= 0; i-- {
		e.name = parts[i]
		e = entry{mode: modeDir, hash: f.tree(e)}
	}
	return e.hash
}

func background() context.Context { return context.Background() }
