package gitstore

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/distributed-trust/distrust/records/internal/testkit"
)

// remotes gives an empty bare repository and the ways to reach it.
func remotes(t *testing.T) (bare string, urls map[string]Access) {
	t.Helper()
	root := t.TempDir()
	bare = filepath.Join(root, "trust.git")
	testkit.Git(t, root, "init", "-q", "--bare", "-b", "main", bare)
	testkit.Git(t, bare, "config", "http.receivepack", "true")
	plain := Access{Typed: true, Insecure: true}
	host := serveSSH(t)
	return bare, map[string]Access{
		bare: plain,
		testkit.Serve(t, root).URL + "/trust.git": plain,
		"ssh://git@" + host.address + bare:        {SSH: host.access(t)},
	}
}

// Publishing, as home does it, over every transport: create the branch, go on,
// be refused when somebody was faster, build again on their tip, publish.
func TestPublish(t *testing.T) {
	t.Parallel()
	bare, urls := remotes(t)
	for url, access := range urls {
		name, _, _ := strings.Cut(url, ":")
		t.Run(filepath.Base(name), func(t *testing.T) {
			testkit.Git(t, bare, "update-ref", "-d", "refs/heads/main")
			dir := filepath.Join(t.TempDir(), "home")
			w, err := InitWorktree(dir, "main")
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()
			if err := w.SetRemoteURL(url); err != nil {
				t.Fatal(err)
			}
			if _, err := w.Fetch(t.Context(), FetchOptions{URL: url, Access: access}); !errors.Is(err, ErrEmptyRemote) {
				t.Fatalf("an empty remote: %v", err)
			}
			first := commitOne(t, w, "records/any/01/mine.yml", "mine\n")
			push := func(commit, old string) error {
				return w.Push(t.Context(), PushOptions{URL: url, Branch: "main", Commit: commit, ExpectOld: old, Access: access})
			}
			if err := push(first, ""); err != nil {
				t.Fatal(err)
			}
			if err := push(first, first); err != nil {
				t.Errorf("pushed again: %v", err)
			}
			second := commitOne(t, w, "head.yml", "mine, 2\n")
			if err := push(second, strings.Repeat("1", 40)); !errors.Is(err, ErrPushRefused) {
				t.Errorf("an unexpected tip: %v", err)
			}
			if err := push(second, first); err != nil {
				t.Fatal(err)
			}
			if got := testkit.Git(t, bare, "rev-parse", "main"); got != second {
				t.Fatalf("the remote has %s", got)
			}
			if got := testkit.Git(t, dir, "rev-parse", "origin/main"); got != second || status(t, dir) != "" {
				t.Errorf("origin/main is %s, status %s", got, status(t, dir))
			}

			// Somebody else publishes, and so do we, unaware.
			other := filepath.Join(t.TempDir(), "other")
			testkit.Git(t, bare, "clone", "-q", bare, other)
			theirs := commitFiles(t, other, map[string]string{"records/any/02/theirs.yml": "theirs\n", "head.yml": "theirs, 3\n", "README.md": "theirs\n"}, "theirs")
			testkit.Git(t, other, "push", "-q", "origin", "HEAD:main")
			commitOne(t, w, "notes.txt", "the user's own file\n")
			lost := commitOne(t, w, "head.yml", "mine, 3\n")
			commitOne(t, w, "records/any/03/mine.yml", "mine, 3\n")
			if err := push(lost, ""); !errors.Is(err, ErrPushRefused) {
				t.Fatalf("somebody was faster: %v", err)
			}
			tip, err := w.Fetch(t.Context(), FetchOptions{URL: url, Known: second, Access: access})
			if err != nil || tip.Commit != theirs {
				t.Fatal(tip, err)
			}
			rebuilt, err := w.Rebuild(t.Context(), tip.Commit, Change{Write: map[string][]byte{
				"head.yml": []byte("mine, 4\n"), "records/any/03/mine.yml": []byte("mine, 3\n"),
			}}, "Seal 4", someone())
			if err != nil {
				t.Fatal(err)
			}
			if err := push(rebuilt, theirs); err != nil {
				t.Fatal(err)
			}
			for path, want := range map[string]string{
				"head.yml": "mine, 4\n", "records/any/02/theirs.yml": "theirs\n", "records/any/03/mine.yml": "mine, 3\n",
				"README.md": "theirs\n", "notes.txt": "the user's own file\n", "records/any/01/mine.yml": "mine\n",
			} {
				if b, err := os.ReadFile(filepath.Join(dir, path)); string(b) != want || err != nil {
					t.Errorf("%s is %q, %v", path, b, err)
				}
			}
			if got := testkit.Git(t, dir, "rev-list", "--parents", "-1", "HEAD"); got != rebuilt+" "+theirs {
				t.Errorf("the commit is %s", got)
			}
			if s := status(t, dir); s != "" {
				t.Errorf("status:\n%s", s)
			}
			fsck(t, dir)
			fsck(t, bare)
			if got := testkit.Git(t, dir, "log", "-g", "--format=%H"); !strings.Contains(got, lost) {
				t.Error("the reference log has lost what was left behind")
			}

			clone := filepath.Join(t.TempDir(), "clone")
			w2, tip, err := Clone(t.Context(), clone, FetchOptions{URL: url, Access: access})
			if err != nil || tip.Commit != rebuilt {
				t.Fatal(tip, err)
			}
			defer w2.Close()
			if u, err := w2.RemoteURL(); u != url || err != nil || status(t, clone) != "" {
				t.Errorf("remote %q, %v, status %s", u, err, status(t, clone))
			}
			if got := testkit.Git(t, clone, "status", "-sb", "--porcelain"); got != "## main...origin/main" {
				t.Errorf("git says %q", got)
			}
			fsck(t, clone)
		})
	}
}

// A no that is not about other commits is said as such, with the server's words
// made harmless.
func TestPushDenied(t *testing.T) {
	t.Parallel()
	bare, urls := remotes(t)
	hook := filepath.Join(bare, "hooks/pre-receive")
	if err := os.WriteFile(hook, []byte("#!/bin/sh\nprintf '\\033[31mno\\n' >&2; exit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	w := openWorktree(t, newRepo(t, trustFiles()))
	at, err := w.Head()
	if err != nil {
		t.Fatal(err)
	}
	for url, access := range urls {
		err := w.Push(t.Context(), PushOptions{URL: url, Branch: "main", Commit: at.Commit, Access: access})
		if url == bare { // in process no hook runs
			if err != nil {
				t.Error(err)
			}
			testkit.Git(t, bare, "update-ref", "-d", "refs/heads/main")
			continue
		}
		if !errors.Is(err, ErrPushDenied) || errors.Is(err, ErrPushRefused) || strings.Contains(err.Error(), "\x1b") {
			t.Errorf("%s: %v", url, err)
		}
	}
	checkedOut := newRepo(t, trustFiles())
	next := commitOne(t, w, "keys/2.yml", "x")
	for _, branch := range []string{"main", "other"} {
		err := w.Push(t.Context(), PushOptions{URL: checkedOut, Branch: branch, Commit: next, Access: Access{Typed: true}})
		if branch == "main" && !errors.Is(err, ErrPushDenied) {
			t.Errorf("a branch that is checked out: %v", err)
		}
		if branch == "other" && err != nil {
			t.Errorf("a branch that is not checked out: %v", err)
		}
	}
	if status(t, checkedOut) != "" {
		t.Error("the other work tree changed")
	}
	fsck(t, checkedOut)
	for _, opt := range []PushOptions{
		{URL: bare, Branch: "../x", Commit: at.Commit}, {URL: bare, Branch: "main", Commit: "HEAD"}, {URL: "ext::x", Branch: "main", Commit: at.Commit},
	} {
		opt.Typed = true
		if err := w.Push(t.Context(), opt); err == nil {
			t.Errorf("pushed %+v", opt)
		}
	}
}

// Two pushes at once: one is first, the other is refused, nothing is lost.
func TestPushRace(t *testing.T) {
	t.Parallel()
	bare, urls := remotes(t)
	base := newRepo(t, trustFiles())
	testkit.Git(t, base, "push", "-q", bare, "main")
	for url, access := range urls {
		old := testkit.Git(t, bare, "rev-parse", "main")
		results, start := make(chan error, 2), make(chan bool)
		for i := range cap(results) {
			w, tip, err := Clone(t.Context(), filepath.Join(t.TempDir(), "clone"), FetchOptions{URL: url, Access: access})
			if err != nil || tip.Commit != old {
				t.Fatal(tip, err)
			}
			defer w.Close()
			id := commitOne(t, w, "keys/"+string(rune('a'+i))+".yml", url)
			go func() {
				<-start
				results <- w.Push(background(), PushOptions{URL: url, Branch: "main", Commit: id, ExpectOld: old, Access: access})
			}()
		}
		close(start)
		won := 0
		for range cap(results) {
			switch err := <-results; {
			case err == nil:
				won++
			case !errors.Is(err, ErrPushRefused):
				t.Errorf("%s: %v", url, err)
			}
		}
		if won != 1 {
			t.Errorf("%s: %d pushes were accepted", url, won)
		}
		fsck(t, bare)
	}
}

// What the user edited is never overwritten by a step that is not about it.
func TestRebuildKeepsTheUsersWork(t *testing.T) {
	t.Parallel()
	prepare := func(t *testing.T) (dir, theirs string, w *Worktree) {
		dir = newRepo(t, trustFiles())
		testkit.Git(t, dir, "checkout", "-q", "-b", "theirs")
		theirs = commitFiles(t, dir, map[string]string{"README.md": "theirs\n", "records/any/05/new.yml": "new\n", "tool": "x\n"}, "theirs")
		testkit.Git(t, dir, "checkout", "-q", "main")
		return dir, theirs, openWorktree(t, dir)
	}
	for name, c := range map[string]struct {
		edit  func(t *testing.T, dir string)
		dirty string
	}{
		"edited": {func(t *testing.T, dir string) { writeTree(t, dir, map[string]string{"README.md": "mine\n"}) }, "README.md"},
		"staged": {func(t *testing.T, dir string) {
			writeTree(t, dir, map[string]string{"README.md": "mine\n"})
			testkit.Git(t, dir, "add", "-A")
		}, "README.md"},
		"removed":   {func(t *testing.T, dir string) { os.Remove(filepath.Join(dir, "README.md")) }, "README.md"},
		"untracked": {func(t *testing.T, dir string) { writeTree(t, dir, map[string]string{"tool": "mine\n"}) }, "tool"},
		"link in the way": {func(t *testing.T, dir string) {
			if err := os.Symlink(t.TempDir(), filepath.Join(dir, "records/any/05")); err != nil {
				t.Fatal(err)
			}
		}, "records/any/05/new.yml"},
		"elsewhere": {func(t *testing.T, dir string) {
			writeTree(t, dir, map[string]string{"keys/1.yml": "mine\n", "new": "x"})
		}, ""},
		"the same": {func(t *testing.T, dir string) {
			writeTree(t, dir, map[string]string{"README.md": "theirs\n", "tool": "x\n"})
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, theirs, w := prepare(t)
			c.edit(t, dir)
			before := status(t, dir)
			head := testkit.Git(t, dir, "rev-parse", "HEAD")
			err := w.Reset(t.Context(), theirs)
			var dirty *DirtyError
			if c.dirty == "" {
				if err != nil || testkit.Git(t, dir, "rev-parse", "HEAD") != theirs {
					t.Errorf("refused: %v", err)
				}
				return
			}
			if !errors.As(err, &dirty) || len(dirty.Paths) != 1 || dirty.Paths[0] != c.dirty {
				t.Errorf("got %v", err)
			}
			if status(t, dir) != before || testkit.Git(t, dir, "rev-parse", "HEAD") != head {
				t.Errorf("something changed: %s", status(t, dir))
			}
		})
	}
	t.Run("conflict", func(t *testing.T) {
		t.Parallel()
		_, theirs, w := prepare(t)
		commitOne(t, w, "README.md", "mine\n")
		commitOne(t, w, "mine.txt", "mine\n")
		var conflict *ConflictError
		if _, err := w.Rebuild(t.Context(), theirs, Change{}, "x", someone()); !errors.As(err, &conflict) || len(conflict.Paths) != 1 || conflict.Paths[0] != "README.md" {
			t.Errorf("got %v", err)
		}
	})
	t.Run("modes and links", func(t *testing.T) {
		t.Parallel()
		dir, _, w := prepare(t)
		testkit.Git(t, dir, "checkout", "-q", "theirs")
		testkit.Git(t, dir, "update-index", "--chmod=+x", "tool")
		if err := os.Symlink("keys/1.yml", filepath.Join(dir, "link")); err != nil {
			t.Fatal(err)
		}
		theirs := commitFiles(t, dir, map[string]string{"run.sh": "#!/bin/sh\n"}, "more")
		testkit.Git(t, dir, "checkout", "-q", "-f", "main")
		if err := w.Reset(t.Context(), theirs); err != nil {
			t.Fatal(err)
		}
		if s := status(t, dir); s != "" {
			t.Errorf("status:\n%s", s)
		}
		if to, err := os.Readlink(filepath.Join(dir, "link")); to != "keys/1.yml" || err != nil {
			t.Errorf("the link goes to %q, %v", to, err)
		}
	})
}

// A clone writes nothing outside of its folder and nothing into .git, whatever
// the tree says, and leaves nothing behind when it is refused.
func TestHostileClone(t *testing.T) {
	t.Parallel()
	f := &forge{}
	blob := f.blob("x\n")
	file := func(name string) entry { return entry{mode: modeFile, name: name, hash: blob} }
	in := func(name string, entries ...entry) entry {
		return entry{mode: modeDir, name: name, hash: f.tree(entries...)}
	}
	for name, entries := range map[string][]entry{
		"parent":     {in("..", file("x"))},
		"dot git":    {in(".git", file("config"))},
		"dot GIT":    {in(".GIT", file("config"))},
		"short name": {in("git~1", file("config"))},
		"ignorable":  {in(".g\u200cit", file("config"))},
		"dots":       {in(".git.", file("config"))},
		"slash":      {file("a/../../x")},
		"backslash":  {file("..\\x")},
		"absolute":   {file("/tmp/x")},
		"stream":     {file(".git::$INDEX_ALLOCATION")},
	} {
		tip := f.commit(f.tree(entries...))
		server := hostile{tip: tip, pack: func(w io.Writer) { w.Write(f.packOf()) }}
		parent := t.TempDir()
		_, _, err := Clone(t.Context(), filepath.Join(parent, "clone"), typed(server.serve(t), ""))
		if !errors.As(err, new(*HostileError)) {
			t.Errorf("%s: %v", name, err)
		}
		if left, err := os.ReadDir(parent); err != nil || len(left) != 0 {
			t.Errorf("%s: left %v, %v", name, left, err)
		}
	}
	// Links: one that stays inside is made, others are not, and nothing is
	// written through any.
	outside := t.TempDir()
	link := func(name, to string) entry { return entry{mode: modeSymlink, name: name, hash: f.blob(to)} }
	tip := f.commit(f.tree(link("abs", outside), link("git", ".git/hooks"), link("in", "keys"), link("up", "../x"), in("keys", file("1.yml"))))
	server := hostile{tip: tip, pack: func(w io.Writer) { w.Write(f.packOf()) }}
	dir := filepath.Join(t.TempDir(), "clone")
	w, _, err := Clone(t.Context(), dir, typed(server.serve(t), ""))
	if err != nil {
		t.Fatal(err)
	}
	w.Close()
	if got := status(t, dir); got != "D abs\n D git\n D up" && got != " D abs\n D git\n D up" {
		t.Errorf("status:\n%s", got)
	}
	if files, _ := os.ReadDir(outside); len(files) > 0 {
		t.Error("written outside")
	}
	full := newRepo(t, map[string]string{"x": "x"})
	if _, _, err := Clone(t.Context(), full, typed(server.serve(t), "")); err == nil || status(t, full) != "" {
		t.Errorf("cloned over something: %v", err)
	}
}
