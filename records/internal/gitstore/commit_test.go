package gitstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/distributed-trust/distrust/records/internal/testkit"
)

// commitOne commits one file and gives the commit.
func commitOne(t testing.TB, w *Worktree, path, text string) string {
	t.Helper()
	id, err := w.Commit(t.Context(), Change{Write: map[string][]byte{path: []byte(text)}}, "Add "+path, someone())
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// From nothing to a repository that git finds nothing wrong with.
func TestInitAndCommit(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "home")
	w, err := InitWorktree(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if at, err := w.Head(); err != nil || at != (Head{Branch: "main"}) {
		t.Fatalf("a new repository is at %+v, %v", at, err)
	}
	change := Change{Write: map[string][]byte{}}
	for path, text := range trustFiles() {
		change.Write[path] = []byte(text)
	}
	first, err := w.Commit(t.Context(), change, "Seal 1\n\nwith a body", someone())
	if err != nil {
		t.Fatal(err)
	}
	fsck(t, dir)
	if s := status(t, dir); s != "" {
		t.Errorf("status:\n%s", s)
	}
	if got := testkit.Git(t, dir, "log", "--format=%H %an <%ae> %at %cn <%ce> %s|%b"); got != first+" Alice Example <alice@example.org> 1700000000 Alice Example <alice@example.org> Seal 1|with a body" {
		t.Errorf("log: %s", got)
	}
	if got := testkit.Git(t, dir, "diff-files"); got != "" {
		t.Errorf("the index does not know the files: %s", got) // no refresh was needed
	}
	second, err := w.Commit(t.Context(), Change{
		Base:   first,
		Write:  map[string][]byte{"head.yml": []byte("second\n"), "records/a/b/c.yml": []byte("new\n")},
		Delete: []string{"records/any/01/file-0100.yml", "records/any/01/file-0100.yml.sig", "not/there"},
	}, "Seal 2", someone())
	if err != nil {
		t.Fatal(err)
	}
	fsck(t, dir)
	if s := status(t, dir); s != "" {
		t.Errorf("status:\n%s", s)
	}
	if exists(filepath.Join(dir, "records/any/01")) {
		t.Error("a folder without files is left")
	}
	if got := testkit.Git(t, dir, "diff", "--name-status", first, second); got != "M\thead.yml\nA\trecords/a/b/c.yml\nD\trecords/any/01/file-0100.yml\nD\trecords/any/01/file-0100.yml.sig" {
		t.Errorf("the commit does:\n%s", got)
	}
	if got := testkit.Git(t, dir, "reflog", "--format=%H %gs"); got != second+" commit: Seal 2\n"+first+" commit: Seal 1" {
		t.Errorf("reflog:\n%s", got)
	}
	clone := filepath.Join(t.TempDir(), "clone")
	testkit.Git(t, dir, "clone", "-q", dir, clone)
	if b, err := os.ReadFile(filepath.Join(clone, "records/a/b/c.yml")); string(b) != "new\n" || err != nil {
		t.Errorf("the clone has %q, %v", b, err)
	}
	same, err := w.Commit(t.Context(), Change{Write: map[string][]byte{"head.yml": []byte("second\n")}}, "nothing", someone())
	if err != nil || same != second {
		t.Errorf("a change of nothing made %s, %v", same, err)
	}
	testkit.Git(t, dir, "gc", "-q")
	if id := commitOne(t, w, "keys/3.yml", "after gc\n"); id == "" || status(t, dir) != "" {
		t.Error("commit after gc")
	}
	fsck(t, dir)
}

// What the user staged, edited or keeps untracked is as it was, and not in the
// commit.
func TestCommitLeavesTheUsersWork(t *testing.T) {
	t.Parallel()
	for _, kind := range indexKinds {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			dir := newRepo(t, trustFiles())
			writeTree(t, dir, map[string]string{"staged.txt": "staged\n", "README.md": "staged edit\n"})
			testkit.Git(t, dir, "add", "staged.txt", "README.md")
			writeTree(t, dir, map[string]string{"untracked.txt": "x\n", "README.md": "edit after staging\n", "Some Where/ELSE.txt": "edited\n", "intent.txt": "later\n"})
			testkit.Git(t, dir, "add", "-N", "intent.txt")
			testkit.Git(t, dir, "rm", "-q", "--cached", "keys/1.yml.sig")
			kind.make(t, dir)
			before := status(t, dir)
			flags := testkit.Git(t, dir, "ls-files", "-v", "--stage")

			w := openWorktree(t, dir)
			commitOne(t, w, "records/any/0a/file-0a.yml", "ours\n")
			_, err := w.Commit(t.Context(), Change{
				Write:  map[string][]byte{"head.yml": []byte("sealed\n")},
				Delete: []string{"records/any/02/signer-0011223344556677.yml"},
			}, "seal", someone())
			if err != nil {
				t.Fatal(err)
			}
			if after := status(t, dir); after != before {
				t.Errorf("status was\n%s\nand is\n%s", before, after)
			}
			var kept []string
			for line := range strings.Lines(testkit.Git(t, dir, "ls-files", "-v", "--stage")) {
				if !strings.Contains(line, "file-0a.yml") && !strings.HasSuffix(strings.TrimSpace(line), "\thead.yml") {
					kept = append(kept, strings.TrimRight(line, "\n"))
				}
			}
			var want []string
			for line := range strings.Lines(flags) {
				if !strings.Contains(line, "signer-0011223344556677.yml\n") && !strings.HasSuffix(strings.TrimSpace(line), "\thead.yml") {
					want = append(want, strings.TrimRight(line, "\n"))
				}
			}
			if a, b := strings.Join(kept, "\n"), strings.Join(want, "\n"); a != b {
				t.Errorf("the index was\n%s\nand is\n%s", b, a)
			}
			if got := testkit.Git(t, dir, "show", "--stat", "--format=", "--name-status", "HEAD~1..HEAD"); got != "M\thead.yml\nD\trecords/any/02/signer-0011223344556677.yml" {
				t.Errorf("the commit holds\n%s", got)
			}
			fsck(t, dir)
		})
	}
}

// indexKinds are the kinds of index that a user may have. go-git can write only
// the first; for all others git itself has to be asked.
var indexKinds = []struct {
	name string
	make func(testing.TB, string)
}{
	{"version 2", func(testing.TB, string) {}},
	{"version 3", func(t testing.TB, dir string) {
		testkit.Git(t, dir, "update-index", "--skip-worktree", "Some Where/ELSE.txt")
	}},
	{"version 4", func(t testing.TB, dir string) { testkit.Git(t, dir, "update-index", "--index-version", "4") }},
	{"split", func(t testing.TB, dir string) { testkit.Git(t, dir, "update-index", "--split-index") }},
	{"untracked cache", func(t testing.TB, dir string) { testkit.Git(t, dir, "update-index", "--force-untracked-cache") }},
	{"assumed unchanged", func(t testing.TB, dir string) {
		testkit.Git(t, dir, "update-index", "--assume-unchanged", "Some Where/ELSE.txt")
	}},
}

// A file that was edited in the very second in which it was staged has to be
// seen as edited after our commit too.
func TestCommitRacyIndex(t *testing.T) {
	t.Parallel()
	for _, kind := range indexKinds[:4] {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			dir := newRepo(t, trustFiles())
			kind.make(t, dir)
			then := time.Unix(1_700_000_000, 0)
			file, index := filepath.Join(dir, "README.md"), filepath.Join(dir, ".git/index")
			writeTree(t, dir, map[string]string{"README.md": "stage\n"})
			if err := os.Chtimes(file, then, then); err != nil {
				t.Fatal(err)
			}
			testkit.Git(t, dir, "config", "core.trustctime", "false") // nobody can set it back
			testkit.Git(t, dir, "add", "README.md")
			writeTree(t, dir, map[string]string{"README.md": "edits\n"}) // of the same size
			if err := errors.Join(os.Chtimes(file, then, then), os.Chtimes(index, then, then)); err != nil {
				t.Fatal(err)
			}
			if s := testkit.Git(t, dir, "--no-optional-locks", "status", "--porcelain"); s != "MM README.md" {
				t.Fatalf("git does not see it: %s", s) // and it wrote nothing down
			}
			commitOne(t, openWorktree(t, dir), "head.yml", "new\n")
			if s := status(t, dir); s != "MM README.md" {
				t.Errorf("status: %q", s)
			}
		})
	}
}

func TestIndexKinds(t *testing.T) {
	t.Parallel()
	for i, kind := range indexKinds {
		dir := newRepo(t, trustFiles())
		kind.make(t, dir)
		raw, err := os.ReadFile(filepath.Join(dir, ".git/index"))
		if err != nil {
			t.Fatal(err)
		}
		special, err := indexKind(raw)
		if err != nil || (special == "") != (i < 2) {
			t.Errorf("%s: %q, %v", kind.name, special, err)
		}
		if i < 2 {
			continue
		}
		w := openWorktree(t, dir)
		w.Git = filepath.Join(t.TempDir(), "no-git")
		head := testkit.Git(t, dir, "rev-parse", "HEAD")
		_, err = w.Commit(t.Context(), Change{Write: map[string][]byte{"head.yml": []byte("x")}}, "x", someone())
		if !errors.As(err, new(*IndexError)) || testkit.Git(t, dir, "rev-parse", "HEAD") != head || status(t, dir) != "" {
			t.Errorf("%s without git: %v", kind.name, err)
		}
	}
}

// No hook runs, and no program that the configuration names.
func TestCommitExecutesNothing(t *testing.T) {
	t.Parallel()
	for i, kind := range indexKinds {
		dir := newRepo(t, trustFiles())
		kind.make(t, dir)
		mark := filepath.Join(t.TempDir(), "ran")
		script := "#!/bin/sh\n(echo $0 $@; tr '\\0' ' ' </proc/$PPID/cmdline) >>'" + mark + "'\n"
		for _, hook := range []string{"pre-commit", "post-commit", "commit-msg", "prepare-commit-msg", "post-index-change", "reference-transaction", "post-checkout"} {
			file := filepath.Join(dir, ".git/hooks", hook)
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(script), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		program := filepath.Join(t.TempDir(), "program")
		if err := os.WriteFile(program, []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"core.fsmonitor", "core.sshCommand", "filter.x.clean", "filter.x.smudge", "core.editor"} {
			testkit.Git(t, dir, "config", key, program)
		}
		os.Remove(mark) // what git itself ran to get here
		w := openWorktree(t, dir)
		commitOne(t, w, "head.yml", "new\n")
		if i < 2 { // git itself runs the user's filters to see what was edited
			commitOne(t, w, ".gitattributes", "* filter=x\n")
		}
		commitOne(t, w, "keys/9.yml", "new\n")
		if b, err := os.ReadFile(mark); err == nil {
			t.Errorf("%s: ran %s", kind.name, b)
		}
	}
}

func TestCommitRefusals(t *testing.T) {
	t.Parallel()
	change := Change{Write: map[string][]byte{"head.yml": []byte("x")}}
	conflict := func(t *testing.T, dir string) {
		testkit.Git(t, dir, "checkout", "-q", "-b", "side")
		commitFiles(t, dir, map[string]string{"README.md": "side\n"}, "side")
		testkit.Git(t, dir, "checkout", "-q", "main")
		commitFiles(t, dir, map[string]string{"README.md": "main\n"}, "main")
	}
	for _, c := range []struct {
		name string
		make func(t *testing.T, dir string)
		want error
	}{
		{"detached", func(t *testing.T, dir string) { testkit.Git(t, dir, "checkout", "-q", "--detach") }, ErrDetached},
		{"merge", func(t *testing.T, dir string) { conflict(t, dir); testkit.Run(t, dir, nil, "git", "merge", "side") }, ErrBusy},
		{"rebase", func(t *testing.T, dir string) { conflict(t, dir); testkit.Run(t, dir, nil, "git", "rebase", "side") }, ErrBusy},
		{"cherry-pick", func(t *testing.T, dir string) {
			conflict(t, dir)
			testkit.Run(t, dir, nil, "git", "cherry-pick", "side")
		}, ErrBusy},
		{"revert", func(t *testing.T, dir string) {
			conflict(t, dir)
			testkit.Run(t, dir, nil, "git", "revert", "-n", "HEAD")
		}, ErrBusy},
		{"am", func(t *testing.T, dir string) {
			testkit.Run(t, dir, []byte("From 1 Mon Sep 17 00:00:00 2001\nFrom: a <a@b>\nSubject: x\n\n---\n x | 1 +\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n-- \n"), "git", "am")
		}, ErrBusy},
		{"bisect", func(t *testing.T, dir string) { testkit.Git(t, dir, "bisect", "start") }, ErrBusy},
		{"unmerged", func(t *testing.T, dir string) {
			conflict(t, dir)
			testkit.Run(t, dir, nil, "git", "merge", "side")
			os.Remove(filepath.Join(dir, ".git/MERGE_HEAD"))
		}, ErrBusy},
		{"locked index", func(t *testing.T, dir string) { writeTree(t, dir, map[string]string{".git/index.lock": ""}) }, ErrLocked},
		{"locked branch", func(t *testing.T, dir string) {
			writeTree(t, dir, map[string]string{".git/refs/heads/main.lock": ""})
		}, ErrLocked},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := newRepo(t, trustFiles())
			c.make(t, dir)
			head, before := testkit.Git(t, dir, "rev-parse", "HEAD"), testkit.Git(t, dir, "--no-optional-locks", "status", "--porcelain")
			w := openWorktree(t, dir)
			soon, cancel := context.WithTimeout(t.Context(), time.Second/2) // how long a lock is waited for
			defer cancel()
			if !errors.Is(c.want, ErrLocked) {
				soon = t.Context()
			}
			if _, err := w.Commit(soon, change, "x", someone()); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			if testkit.Git(t, dir, "rev-parse", "HEAD") != head || testkit.Git(t, dir, "--no-optional-locks", "status", "--porcelain") != before {
				t.Error("something changed")
			}
		})
	}
	t.Run("moved", func(t *testing.T) {
		t.Parallel()
		w := openWorktree(t, newRepo(t, trustFiles()))
		moved := Change{Base: strings.Repeat("1", 40), Write: change.Write}
		if _, err := w.Commit(t.Context(), moved, "x", someone()); !errors.Is(err, ErrMoved) {
			t.Error(err)
		}
	})
	t.Run("damaged branch", func(t *testing.T) {
		t.Parallel()
		dir := newRepo(t, trustFiles())
		writeTree(t, dir, map[string]string{".git/refs/heads/main": ""})
		if id, err := openWorktree(t, dir).Commit(t.Context(), change, "x", someone()); err == nil {
			t.Errorf("committed %s on an empty reference", id)
		}
	})
	t.Run("paths", func(t *testing.T) {
		t.Parallel()
		w := openWorktree(t, newRepo(t, trustFiles()))
		for _, path := range []string{
			"", "/etc/passwd", "../x", "a/../b", "a//b", ".git/config", "a/.GIT/x", "GIT~1/x", ".git./x", ".git /x",
			"a\\b", "a:b", "a\x00b", "a\nb", ".g\u200cit/x", "x.", strings.Repeat("a/", 3000) + "x",
		} {
			if _, err := w.Commit(t.Context(), Change{Write: map[string][]byte{path: nil}}, "x", someone()); err == nil {
				t.Errorf("wrote %q", path)
			}
		}
	})
}

// A file is never written through a symbolic link.
func TestCommitThroughLinks(t *testing.T) {
	t.Parallel()
	dir, outside := newRepo(t, trustFiles()), t.TempDir()
	for name, to := range map[string]string{"out": outside, "in": "keys", "file.yml": filepath.Join(outside, "target")} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	w := openWorktree(t, dir)
	for _, path := range []string{"out/x.yml", "in/x.yml", "in/deep/x.yml"} {
		if _, err := w.Commit(t.Context(), Change{Write: map[string][]byte{path: []byte("x")}}, "x", someone()); !errors.As(err, new(*HostileError)) {
			t.Errorf("%s: %v", path, err)
		}
	}
	commitOne(t, w, "file.yml", "mine\n") // the link itself gives way
	if files, err := os.ReadDir(outside); err != nil || len(files) != 0 {
		t.Errorf("written outside: %v %v", files, err)
	}
	if info, err := os.Lstat(filepath.Join(dir, "file.yml")); err != nil || !info.Mode().IsRegular() {
		t.Errorf("%v %v", info, err)
	}
	fsck(t, dir)
}

// Somebody who moves the branch without asking for the lock of the index, as
// git update-ref and a push to here do, is not overwritten.
func TestCommitMovedBranch(t *testing.T) {
	t.Parallel()
	dir := newRepo(t, trustFiles())
	other := commitFiles(t, dir, map[string]string{"README.md": "other\n"}, "other")
	testkit.Git(t, dir, "reset", "-q", "--hard", "HEAD~1")
	w := openWorktree(t, dir)
	calls := 0
	w.between = func() {
		if calls++; calls == 2 { // it has read where the branch is
			testkit.Git(t, dir, "update-ref", "refs/heads/main", other)
		}
	}
	if _, err := w.Commit(t.Context(), Change{Write: map[string][]byte{"head.yml": []byte("x")}}, "x", someone()); !errors.Is(err, ErrMoved) {
		t.Errorf("got %v", err)
	}
	if got := testkit.Git(t, dir, "rev-parse", "HEAD"); got != other {
		t.Errorf("HEAD is %s", got)
	}
	if b, err := os.ReadFile(filepath.Join(dir, "head.yml")); string(b) == "x" || err != nil {
		t.Errorf("the file was written: %v", err)
	}
}

// Eight writers at once, half of them processes of their own: each commit is on
// the branch, one after the other.
func TestCommitRace(t *testing.T) {
	t.Parallel()
	dir := newRepo(t, trustFiles())
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	const writers = 8
	var wait sync.WaitGroup
	errs := make([]error, writers)
	for i := range writers {
		wait.Add(1)
		go func() {
			defer wait.Done()
			path := fmt.Sprintf("records/any/%02d/file.yml", i)
			if i%2 == 0 {
				cmd := exec.Command(self)
				cmd.Env = append(testkit.Env(), crashDir+"="+dir, crashAt+"=0", crashWhat+"="+path)
				errs[i] = cmd.Run()
				return
			}
			w, err := OpenWorktree(dir)
			if err != nil {
				errs[i] = err
				return
			}
			defer w.Close()
			_, errs[i] = w.Commit(background(), Change{Write: map[string][]byte{path: []byte(path)}}, path, someone())
		}()
	}
	wait.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	if got := testkit.Git(t, dir, "rev-list", "--count", "--first-parent", "HEAD"); got != fmt.Sprint(writers+1) {
		t.Errorf("%s commits", got)
	}
	if s := status(t, dir); s != "" {
		t.Errorf("status:\n%s", s)
	}
	fsck(t, dir)
}

// One handle may be used by several goroutines.
func TestCommitSharedHandle(t *testing.T) {
	t.Parallel()
	w := openWorktree(t, newRepo(t, trustFiles()))
	var wait sync.WaitGroup
	for i := range 4 {
		wait.Add(1)
		go func() {
			defer wait.Done()
			if _, err := w.Commit(background(), Change{Write: map[string][]byte{fmt.Sprint("keys/", i): nil}}, "x", someone()); err != nil {
				t.Error(err)
			}
			at, err := w.Head()
			if err != nil {
				t.Error(err)
			}
			if _, err := w.Snapshot(background(), at.Commit, Limits{}); err != nil {
				t.Error(err)
			}
		}()
	}
	wait.Wait()
}

// In a linked work tree, HEAD and index are its own, branch and objects shared.
func TestLinkedWorktree(t *testing.T) {
	t.Parallel()
	main := newRepo(t, trustFiles())
	linked := filepath.Join(t.TempDir(), "linked")
	testkit.Git(t, main, "worktree", "add", "-q", "-b", "side", linked)
	w := openWorktree(t, linked)
	id := commitOne(t, w, "keys/2.yml", "linked\n")
	if testkit.Git(t, linked, "rev-parse", "side") != id || status(t, linked) != "" || status(t, main) != "" {
		t.Errorf("linked: %s, main: %s", status(t, linked), status(t, main))
	}
	testkit.Git(t, main, "pack-refs", "--all")
	commitOne(t, w, "keys/3.yml", "after pack-refs\n")
	if testkit.Git(t, linked, "rev-list", "--count", "side") != "3" || status(t, linked) != "" {
		t.Error("after pack-refs")
	}
	fsck(t, main)
}

func TestOpenWorktreeRefusals(t *testing.T) {
	t.Parallel()
	repo := newRepo(t, trustFiles())
	sha256, reftable, elsewhere := t.TempDir(), newRepo(t, trustFiles()), newRepo(t, trustFiles())
	testkit.Git(t, sha256, "init", "-q", "--object-format=sha256")
	testkit.Git(t, reftable, "config", "core.repositoryformatversion", "1")
	testkit.Git(t, reftable, "config", "extensions.refStorage", "reftable")
	testkit.Git(t, elsewhere, "config", "core.worktree", "/tmp")
	for dir, want := range map[string]error{
		t.TempDir():                 ErrNotRepository,
		filepath.Join(repo, "keys"): ErrNotRepository, // not the top: git finds it, we are not told of it
		filepath.Join(repo, "none"): ErrNotRepository,
		filepath.Join(repo, ".git"): ErrUnsupported,
		bareClone(t, repo):          ErrUnsupported,
		sha256:                      ErrUnsupported,
		reftable:                    ErrUnsupported,
		elsewhere:                   ErrUnsupported,
	} {
		if _, err := OpenWorktree(dir); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", dir, err, want)
		}
	}
	if _, err := InitWorktree(repo, "main"); err == nil {
		t.Error("made a repository in a repository")
	}
	if _, err := InitWorktree(t.TempDir(), "../x"); err == nil {
		t.Error("made an odd branch")
	}
}

func TestInitBare(t *testing.T) {
	t.Parallel()
	bare := filepath.Join(t.TempDir(), "trust.git")
	if made, err := InitBare(bare, "main"); !made || err != nil {
		t.Fatal(made, err)
	}
	if made, err := InitBare(bare, "main"); made || err != nil {
		t.Errorf("made again: %v, %v", made, err)
	}
	if _, err := InitBare(filepath.Join(t.TempDir(), "x"), "-x"); err == nil {
		t.Error("made an odd branch")
	}
	w := openWorktree(t, newRepo(t, trustFiles()))
	at, err := w.Head()
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Push(t.Context(), PushOptions{URL: bare, Branch: "main", Commit: at.Commit, Access: Access{Typed: true}}); err != nil {
		t.Fatal(err)
	}
	if got := testkit.Git(t, bare, "rev-parse", "HEAD"); got != at.Commit {
		t.Errorf("HEAD is %s", got)
	}
	fsck(t, bare)
}

func TestRemoteURL(t *testing.T) {
	t.Parallel()
	for name, config := range map[string]string{
		"none":      "[core]\n\tbare = false ; a comment\n\n# another\n",
		"no end":    "[core]\n\tbare = false",
		"there":     "[remote \"origin\"]\n\t# ours\n\tURL = https://old.example.org/x.git\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n[user]\n\tname = A\n",
		"two":       "[remote \"other\"]\n\turl = https://other.example.org/x\n[remote \"origin\"]\n\turl = https://a.example.org/x\n\turl = https://b.example.org/x\n",
		"elsewhere": "[remote \"other\"]\n\turl = https://other.example.org/x\n",
	} {
		dir := newRepo(t, map[string]string{"x": "x"})
		writeTree(t, dir, map[string]string{".git/config": config})
		w := openWorktree(t, dir)
		for _, url := range []string{"https://example.org/alice/trust.git", "git@example.org:alice/trust.git", "/home/a b/trust"} {
			if err := w.SetRemoteURL(url); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if got, err := w.RemoteURL(); err != nil || got != url {
				t.Errorf("%s: %q, %v", name, got, err)
			}
			if got := testkit.Git(t, dir, "config", "--get-all", "remote.origin.url"); got != url {
				t.Errorf("%s: git says %q", name, got)
			}
		}
		now, err := os.ReadFile(filepath.Join(dir, ".git/config"))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(config) {
			if !strings.Contains(strings.ToLower(line), "url = https://") && !bytes.Contains(now, []byte(strings.TrimRight(line, "\n"))) {
				t.Errorf("%s: lost %q", name, line)
			}
		}
		if strings.Contains(config, "other.example") && testkit.Git(t, dir, "config", "remote.other.url") != "https://other.example.org/x" {
			t.Errorf("%s: changed the other remote", name)
		}
	}
	w := openWorktree(t, newRepo(t, map[string]string{"x": "x"}))
	lock := filepath.Join(w.GitDir(), "config.lock") // left behind by a killed git
	if err := os.WriteFile(lock, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := w.SetRemoteURL("https://example.org/other.git"); !errors.Is(err, ErrLocked) {
		t.Errorf("locked: %v", err)
	}
	if err := os.Remove(lock); err != nil {
		t.Fatal(err)
	}
	if err := w.SetRemoteURL("ext::sh -c touch% x"); !errors.As(err, new(*URLError)) {
		t.Error(err)
	}
	if url, err := w.RemoteURL(); url != "" || err != nil {
		t.Errorf("%q %v", url, err)
	}
}

// A commit over another one takes nothing of it, and a second commit comes in the same move.
func TestCommitOverAndThen(t *testing.T) {
	t.Parallel()
	dir := newRepo(t, trustFiles())
	base := testkit.Git(t, dir, "rev-parse", "HEAD")
	testkit.Git(t, dir, "checkout", "-q", "-b", "theirs")
	theirs := commitFiles(t, dir, map[string]string{"head.yml": "theirs\n", "evil": "x\n"}, "theirs")
	testkit.Git(t, dir, "checkout", "-q", "main")
	w := openWorktree(t, dir)
	tip, err := w.Commit(t.Context(), Change{
		Base: base, Over: theirs, Write: map[string][]byte{"head.yml": []byte("ours\n")},
		Then: &Further{Write: map[string][]byte{"keys/next.yml": []byte("next\n")}, Delete: []string{"head.yml"}, Message: "then"},
	}, "over", someone())
	if err != nil {
		t.Fatal(err)
	}
	if got, want := testkit.Git(t, dir, "rev-parse", tip+"~1^1", tip+"~1^2"), base+"\n"+theirs; got != want {
		t.Errorf("the parents are %s, want %s", got, want)
	}
	if got := testkit.Git(t, dir, "diff", "--name-status", base, tip+"~1"); got != "M\thead.yml" {
		t.Errorf("the first commit changes %s", got)
	}
	if got := testkit.Git(t, dir, "diff", "--name-status", tip+"~1", tip); got != "D\thead.yml\nA\tkeys/next.yml" {
		t.Errorf("the second commit changes %s", got)
	}
	if s := status(t, dir); s != "" {
		t.Errorf("status:\n%s", s)
	}
	again, err := w.Commit(t.Context(), Change{Over: theirs}, "over again", someone())
	if err != nil || again == tip {
		t.Errorf("a commit that only comes after both: %s %v", again, err)
	}
	fsck(t, dir)
}
