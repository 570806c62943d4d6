package gitstore

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/distributed-trust/distrust/records/internal/testkit"
)

// fetchForged brings forged objects into a store, as a server would send them.
func fetchForged(t testing.TB, f *forge, tip plumbing.Hash, change ...func(*FetchOptions)) (*Store, error) {
	t.Helper()
	server := hostile{tip: tip, pack: func(w io.Writer) { w.Write(f.packOf()) }}
	s := openStore(t, filepath.Join(t.TempDir(), "store"))
	opt := typed(server.serve(t), "")
	for _, c := range change {
		c(&opt)
	}
	_, err := s.Fetch(t.Context(), opt)
	return s, err
}

// What F4 forbids is refused as a whole, with the reason; what is outside of F4
// is nobody's business.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	f := &forge{}
	blob := f.blob("x\n")
	file := func(name string) entry { return entry{mode: modeFile, name: name, hash: blob} }
	folder := func(name string, entries ...entry) entry {
		return entry{mode: modeDir, name: name, hash: f.tree(entries...)}
	}
	deep := func(path string) plumbing.Hash {
		return f.tree(folder("records", entry{mode: modeDir, name: "a", hash: f.dir(path, file("x"))}))
	}
	for _, c := range []struct {
		name string
		tree plumbing.Hash
		bad  string // of the HostileError; empty: accepted
	}{
		{"good", f.tree(file("head.yml"), file("head.yml.sig"), folder("keys", file("1.yml")), folder("records", folder("a", file("b.yml")))), ""},
		{"nothing of ours", f.tree(file("README.md")), ""},
		{"nothing at all", f.tree(), ""},
		{"others may do as they like", f.tree(file(".git"), file("A b"), entry{mode: modeSymlink, name: "link", hash: blob}, entry{mode: modeSubmodule, name: "sub", hash: blob}, file("head.yml")), ""},
		{"five deep", f.tree(folder("records", folder("a", folder("b", folder("c", file("x")))))), ""},
		{"six deep", deep("b/c/d/e"), "folders in folders"},
		{"parent", f.tree(folder("records", file(".."))), "name"},
		{"dot git", f.tree(folder("records", file(".git"))), "name"},
		{"slash", f.tree(folder("records", file("a/b"))), "name"},
		{"capital", f.tree(folder("records", file("A.yml"))), "name"},
		{"line feed", f.tree(folder("records", file("x\n.yml"))), "name"},
		{"escape", f.tree(folder("records", file("x\x1b[31m"))), "name"},
		{"not ASCII", f.tree(folder("keys", file("ü"))), "name"},
		{"too long", f.tree(folder("records", file(strings.Repeat("a", 129)))), "name"},
		{"begins with a dot", f.tree(folder("records", file(".a"))), "name"},
		{"executable", f.tree(folder("records", entry{mode: modeExecutable, name: "a", hash: blob})), "mode 100755"},
		{"writable by the group", f.tree(folder("records", entry{mode: "100664", name: "a", hash: blob})), "mode 100664"},
		{"link", f.tree(folder("records", entry{mode: modeSymlink, name: "a", hash: blob})), "mode 120000"},
		{"submodule", f.tree(folder("records", entry{mode: modeSubmodule, name: "a", hash: blob})), "mode 160000"},
		{"folder with a zero in front", f.tree(entry{mode: "040000", name: "records", hash: f.tree(file("a"))}), "mode 040000"},
		{"linked head", f.tree(entry{mode: modeSymlink, name: "head.yml", hash: blob}), "mode 120000"},
		{"executable head", f.tree(entry{mode: modeExecutable, name: "head.yml", hash: blob}), "mode 100755"},
		{"head is a folder", f.tree(folder("head.yml", file("a"))), "folder for a file"},
		{"records is a file", f.tree(file("records")), "folder for a file"},
		{"records is a link", f.tree(entry{mode: modeSymlink, name: "records", hash: blob}), "mode 120000"},
		{"twice", f.tree(folder("records", file("z.yml"), file("z.yml"))), "twice"},
		{"twice and apart", f.tree(folder("records", file("z"), file("z.yml"), folder("z", file("a")))), "twice"},
		{"two heads", f.tree(file("head.yml"), file("head.yml")), "twice"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tip := f.commit(c.tree)
			s, err := fetchForged(t, f, tip)
			if err != nil {
				t.Fatal(err)
			}
			_, err = s.Snapshot(t.Context(), tip.String(), Limits{})
			_, err2 := s.Diff(t.Context(), "", tip.String(), Limits{})
			for _, err := range []error{err, err2} {
				var bad *HostileError
				var limit *LimitError
				switch {
				case c.bad == "" && err != nil:
					t.Errorf("refused: %v", err)
				case c.bad == "":
				case c.name == "six deep":
					if !errors.As(err, &limit) || limit.Option != "tree_depth" {
						t.Errorf("got %v", err)
					}
				case !errors.As(err, &bad) || !strings.Contains(err.Error(), c.bad):
					t.Errorf("got %v, want %q", err, c.bad)
				case strings.ContainsAny(err.Error(), "\n\x1b"):
					t.Errorf("the error holds it raw: %q", err)
				}
			}
		})
	}
}

// A tree of 2 KiB that holds 10^10 paths is answered at once.
func TestHostileTreeBomb(t *testing.T) {
	t.Parallel()
	for _, inner := range []bool{true, false} {
		f := &forge{}
		below := f.tree() // an empty folder: no file is ever counted
		if inner {
			below = f.tree(entry{mode: modeFile, name: "a", hash: f.blob("x")})
		}
		for range 3 {
			var entries []entry
			for i := range 100 {
				entries = append(entries, entry{mode: modeDir, name: fmt.Sprintf("%02d", i), hash: below})
			}
			below = f.tree(entries...)
		}
		tip := f.commit(f.tree(entry{mode: modeDir, name: "records", hash: below}))
		s, err := fetchForged(t, f, tip, func(o *FetchOptions) { o.Limits.TreeDepth = 20 })
		if err != nil {
			t.Fatal(err)
		}
		l := Limits{Files: 1000, TreeDepth: 20}
		var limit *LimitError
		if _, err := s.Snapshot(t.Context(), tip.String(), l); !errors.As(err, &limit) || limit.Option != "files" {
			t.Errorf("got %v", err)
		}
	}
}

func TestHostileTreeSizes(t *testing.T) {
	t.Parallel()
	repo := newRepo(t, trustFiles())
	s := openStore(t, filepath.Join(t.TempDir(), "store"))
	tip := fetch(t, s, repo, "")
	n := len(readPaths(trustFiles()))
	if _, err := s.Snapshot(t.Context(), tip.Commit, Limits{Files: n}); err != nil {
		t.Errorf("at the limit: %v", err)
	}
	var limit *LimitError
	if _, err := s.Snapshot(t.Context(), tip.Commit, Limits{Files: n - 1}); !errors.As(err, &limit) || limit.Got != int64(n) || limit.Limit != int64(n-1) {
		t.Errorf("over the limit: %v", err)
	}
	snap, err := s.Snapshot(t.Context(), tip.Commit, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	id := snap.Files["head.yml"]
	if b, err := s.Blob(id, 11); err != nil || len(b) != len("kind: head\n") {
		t.Errorf("%q, %v", b, err)
	}
	if _, err := s.Blob(id, 10); !errors.As(err, &limit) || limit.Got != 11 {
		t.Errorf("a blob over the limit: %v", err)
	}
	if _, err := s.Blob(strings.Repeat("1", 40), 10); !errors.Is(err, ErrNotFound) {
		t.Errorf("a blob that is not there: %v", err)
	}
	if _, err := s.Blob(snap.Tree, 1000); !errors.Is(err, ErrNotFound) {
		t.Errorf("a tree for a blob: %v", err)
	}
	for _, id := range []string{"", "HEAD", "main", strings.Repeat("g", 40), strings.Repeat("A", 40), strings.Repeat("0", 40)} {
		if _, err := s.Blob(id, 10); err == nil {
			t.Errorf("blob %q was found", id)
		}
		if _, err := s.Snapshot(t.Context(), id, Limits{}); err == nil {
			t.Errorf("commit %q was found", id)
		}
	}
}

// Both readings of a repository, ours and git's, list the same files.
func TestDiffAgainstGit(t *testing.T) {
	t.Parallel()
	repo := newRepo(t, trustFiles())
	commits := []string{testkit.Git(t, repo, "rev-parse", "HEAD")}
	for _, change := range []func(){
		func() {
			writeTree(t, repo, map[string]string{"records/any/01/file-0100.yml": "changed\n", "other": "x"})
		},
		func() { testkit.Git(t, repo, "rm", "-q", "-r", "records/any") },
		func() { writeTree(t, repo, map[string]string{"records/any": "a file now\n"}) },
		func() {
			testkit.Git(t, repo, "rm", "-q", "records/any")
			writeTree(t, repo, map[string]string{"records/any/x/y.yml": "a folder again\n"})
		},
		func() { testkit.Git(t, repo, "mv", "keys/1.yml", "keys/2.yml") },
		func() { testkit.Git(t, repo, "rm", "-q", "-r", "records", "keys", "head.yml") },
	} {
		change()
		commits = append(commits, commitFiles(t, repo, nil, "next"))
	}
	s := openStore(t, filepath.Join(t.TempDir(), "store"))
	fetch(t, s, repo, "")
	for _, from := range commits {
		for _, to := range commits {
			got, err := s.Diff(t.Context(), from, to, Limits{})
			if err != nil {
				t.Fatal(err)
			}
			var b strings.Builder
			none := strings.Repeat("0", 40)
			for _, c := range got {
				if c.Old == "" {
					c.Old = none
				}
				if c.New == "" {
					c.New = none
				}
				fmt.Fprintf(&b, "%s %s %s\n", c.Old, c.New, c.Path)
			}
			var want strings.Builder
			raw := testkit.Git(t, repo, "diff-tree", "-r", "--no-renames", from, to, "--", "head.yml", "head.yml.sig", "keys", "records")
			for line := range strings.Lines(raw) {
				part := strings.Fields(line)
				fmt.Fprintf(&want, "%s %s %s\n", part[2], part[3], part[5])
			}
			if b.String() != want.String() {
				t.Errorf("%s..%s:\n%s\nwant\n%s", from, to, &b, &want)
			}
		}
	}
}
