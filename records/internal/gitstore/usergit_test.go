package gitstore

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/distributed-trust/distrust/records/internal/testkit"
)

// userGit is git in an environment of the tests and what a user adds to it.
func userGit(t testing.TB, environ ...string) UserGit {
	t.Helper()
	testkit.Need(t, "git")
	path, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	return UserGit{Path: path, Environ: append(testkit.Env(), environ...)}
}

// bring fetches into a store by way of a quarantine, and gives what was sent.
func bring(t testing.TB, g UserGit, s *Store, opt FetchOptions) (Tip, []plumbing.Hash, error) {
	t.Helper()
	dir := t.TempDir()
	var err error
	if opt.Branch, err = g.Quarantine(t.Context(), dir, s.dir, opt); err != nil {
		return Tip{}, nil, err
	}
	var sent []plumbing.Hash
	packs, _ := filepath.Glob(filepath.Join(dir, "objects", "pack", "*.pack"))
	for _, name := range packs {
		pack, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		list, err := scan(t, pack, DefaultLimits())
		if err != nil {
			break // for the store to refuse
		}
		for _, o := range list {
			sent = append(sent, o.hash)
		}
	}
	tip, err := s.Fetch(t.Context(), FetchOptions{
		URL: dir, Branch: opt.Branch, Known: opt.Known, Limits: opt.Limits, Access: Access{Typed: true},
	})
	return tip, sent, err
}

// script writes a program for the shell.
func script(t testing.TB, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(file, []byte("#!/bin/sh\n"+text), 0o700); err != nil {
		t.Fatal(err)
	}
	return file
}

// The user's git brings the branch, and afterwards what is new of it only.
func TestUserGit(t *testing.T) {
	t.Parallel()
	repo := newRepo(t, trustFiles())
	host := bareClone(t, repo)
	server := testkit.Serve(t, filepath.Dir(host))
	// A jump host, or any other way that only the user's ssh knows.
	words := filepath.Join(t.TempDir(), "words")
	ssh := script(t, `printf '%s\n' "$@" >>"`+words+`"; for last; do :; done; exec sh -c "$last"`)
	for name, c := range map[string]struct {
		url string
		git UserGit
	}{
		"http": {server.URL + "/" + filepath.Base(host), userGit(t)},
		"ssh":  {"ssh://behind.example:2222" + host, userGit(t, "GIT_SSH_COMMAND="+ssh, "GIT_SSH_VARIANT=ssh")},
		"scp":  {"git@behind.example:" + host, userGit(t, "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=core.sshCommand", "GIT_CONFIG_VALUE_0="+ssh)},
	} {
		testkit.Git(t, repo, "push", "-q", "-f", host, "main")
		s := openStore(t, filepath.Join(t.TempDir(), "store"))
		tip, _, err := bring(t, c.git, s, typed(c.url, ""))
		if err != nil || tip.Branch != "main" {
			t.Fatalf("%s: %v, %v", name, tip, err)
		}
		checkFiles(t, s, tip.Commit, trustFiles())
		if _, sent, err := bring(t, c.git, s, typed(c.url, tip.Commit)); err != nil || len(sent) != 0 {
			t.Errorf("%s: no news: %d objects, %v", name, len(sent), err)
		}

		clone := filepath.Join(t.TempDir(), "clone")
		testkit.Git(t, repo, "clone", "-q", host, clone)
		next := commitFiles(t, clone, map[string]string{"records/any/01/file-0100.yml": name}, "next")
		testkit.Git(t, clone, "push", "-q")
		got, sent, err := bring(t, c.git, s, typed(c.url, tip.Commit))
		if err != nil || got.Commit != next {
			t.Fatalf("%s: %v, %v, want %s", name, got, err, next)
		}
		if slices.Contains(sent, plumbing.NewHash(tip.Commit)) || len(sent) == 0 || len(sent) > 8 {
			t.Errorf("%s: one file is new, and %d objects were sent", name, len(sent))
		}

		// A store that lost its packs is done without.
		packs, _ := filepath.Glob(filepath.Join(s.dir, "objects", "pack", "*.pack"))
		for _, pack := range packs {
			if err := os.WriteFile(pack, []byte("PACK"), 0o600); err != nil && !errors.Is(err, os.ErrPermission) {
				t.Fatal(err)
			}
		}
		if branch, err := c.git.Quarantine(t.Context(), t.TempDir(), s.dir, typed(c.url, "")); err != nil || branch != "main" {
			t.Errorf("%s: beside a damaged store: %q, %v", name, branch, err)
		}
	}
	if b, err := os.ReadFile(words); err != nil || !strings.Contains(string(b), "-p\n2222\nbehind.example\n") || !strings.Contains(string(b), "git@behind.example\n") {
		t.Errorf("ssh was told %q, %v", b, err)
	}
}

// What cannot be fetched is said as it is without the user's git.
func TestUserGitFails(t *testing.T) {
	t.Parallel()
	repo := newRepo(t, trustFiles())
	host := bareClone(t, repo)
	empty := filepath.Join(filepath.Dir(host), "empty.git")
	testkit.Git(t, repo, "init", "-q", "--bare", empty)
	server := testkit.Serve(t, filepath.Dir(host)).URL
	g := userGit(t)
	for name, c := range map[string]struct {
		git         UserGit
		url, branch string
		want        error // nil: what git says
	}{
		"no branch":   {g, server + "/" + filepath.Base(host), "other", ErrNoBranch},
		"empty":       {g, server + "/empty.git", "", ErrEmptyRemote},
		"nothing":     {g, server + "/nothing.git", "", nil},
		"no ssh host": {userGit(t, "GIT_SSH_COMMAND=echo Host key verification failed. >&2; false"), "git@a.example:b", "", nil},
		"unreachable": {g, "http://127.0.0.1:1/x", "", nil},
		"no git":      {UserGit{}, server + "/empty.git", "", ErrNoGit},
		"git is gone": {UserGit{Path: filepath.Join(t.TempDir(), "git")}, server + "/empty.git", "", ErrUnreachable},
	} {
		opt := typed(c.url, "")
		opt.Branch = c.branch
		_, err := c.git.Quarantine(t.Context(), t.TempDir(), "", opt)
		var failed *GitError
		if c.want == nil {
			if !errors.As(err, &failed) || !errors.Is(err, ErrUnreachable) || failed.URL != c.url || failed.Said == "" {
				t.Fatalf("%s: %v", name, err)
			}
			if name == "no ssh host" && !strings.HasPrefix(failed.Said, "Host key verification failed. fatal: ") {
				t.Errorf("git said %q", failed.Said)
			}
		} else if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// Nothing that an address, a server or a repository holds is executed, and no
// question reaches anybody.
func TestHostileUserGitExecutesNothing(t *testing.T) {
	t.Parallel()
	run := filepath.Join(t.TempDir(), "run")
	touch := script(t, "touch '"+run+"'\n")
	fake := UserGit{Path: touch}
	for _, url := range append(slices.Clone(badURLs), "/srv/repo.git", "file:///srv/repo.git", "ext::sh -c "+touch, "--upload-pack="+touch, "-oProxyCommand="+touch) {
		if _, err := fake.Quarantine(t.Context(), t.TempDir(), "", typed(url, "")); !errors.As(err, new(*URLError)) {
			t.Errorf("%q: %v", url, err)
		}
	}
	repo := newRepo(t, trustFiles())
	host := bareClone(t, repo)
	hooks := t.TempDir()
	if err := os.Symlink(touch, filepath.Join(hooks, "reference-transaction")); err != nil {
		t.Fatal(err)
	}
	url := testkit.Serve(t, filepath.Dir(host)).URL + "/" + filepath.Base(host)
	locked := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("WWW-Authenticate", "Basic realm=x")
		w.WriteHeader(http.StatusUnauthorized)
	}))
	defer locked.Close()
	with := func(settings ...string) (environ []string) {
		for i, s := range settings {
			key, value, _ := strings.Cut(s, "=")
			environ = append(environ, fmt.Sprintf("GIT_CONFIG_KEY_%d=%s", i, key), fmt.Sprintf("GIT_CONFIG_VALUE_%d=%s", i, value))
		}
		return append(environ, fmt.Sprintf("GIT_CONFIG_COUNT=%d", len(settings)))
	}
	for name, c := range map[string]struct {
		url     string
		environ []string
		fails   bool
	}{
		"hooks for every repository": {url, with("core.hooksPath=" + hooks), false},
		"another place for it":       {url, with("url.ext::"+touch+" .insteadOf="+url, "protocol.ext.allow=always"), true},
		"another repository":         {url, []string{"GIT_DIR=" + repo + "/.git", "GIT_WORK_TREE=" + repo, "GIT_OBJECT_DIRECTORY=" + hooks}, false},
		"a question":                 {locked.URL + "/x.git", []string{"GIT_ASKPASS=" + touch, "SSH_ASKPASS=" + touch, "DISPLAY=:0"}, true},
		"a question by settings":     {locked.URL + "/x.git", with("core.askPass=" + touch), true},
	} {
		s := openStore(t, filepath.Join(t.TempDir(), "store"))
		tip, _, err := bring(t, userGit(t, c.environ...), s, typed(c.url, ""))
		if c.fails != errors.As(err, new(*GitError)) || !c.fails && err != nil {
			t.Errorf("%s: %v, %v", name, tip, err)
		}
		if _, err := os.Stat(run); err == nil {
			t.Fatalf("%s: a program was run", name)
		}
	}
	if status(t, repo) != "" {
		t.Error("the repository that the environment names was touched")
	}
}

// A server that sends too much, too slowly or what git cannot bear is refused at
// our limits, and what git took is judged as if no git had looked at it.
func TestHostileUserGitServer(t *testing.T) {
	t.Parallel()
	f := &forge{}
	tip := f.commit(f.tree(entry{mode: modeFile, name: headFile, hash: f.blob("kind: head\n")}))
	noise := bytes.Repeat([]byte("\x01\x23\x45\x67"), 8<<10)
	for name, c := range map[string]struct {
		server hostile
		option string // of the LimitError; else git itself gives up
		limits Limits
	}{
		"count of objects": {server: hostile{pack: func(w io.Writer) { w.Write(packHeader(1<<32 - 1)) }}},
		"delta bomb":       {server: hostile{pack: func(w io.Writer) { w.Write(bomb()) }}},
		"incomplete":       {server: hostile{pack: func(w io.Writer) { w.Write(f.packOf(tip)) }}},
		"endless pack": {option: "pack", limits: Limits{PackBytes: 1 << 20}, server: hostile{pack: func(w io.Writer) {
			w.Write(append(append(packHeader(1), objectHeader(3, 1<<30)...), 0x78, 0x01))
			endless(w, append([]byte{0, 0, 0x80, 0xff, 0x7f}, noise...)) // blocks as they are, none of them the last
		}}},
		"endless words": {option: "pack", limits: Limits{PackBytes: 1 << 20}, server: hostile{answer: func(w http.ResponseWriter) {
			pktLine(w, "NAK\n")
			endless(band{w, 2}, bytes.Repeat([]byte("words\n"), 1000))
		}}},
		"many references": {option: "advertisement", limits: Limits{Advertisement: 4 << 10}, server: hostile{refs: func(w io.Writer) {
			pktLine(w, tip.String()+" HEAD\x00ofs-delta\n")
			for i := range 1000 {
				pktLine(w, fmt.Sprintf("%s refs/heads/%d\n", tip, i))
			}
			io.WriteString(w, "0000")
		}}},
		"hangs":          {option: "timeout", limits: Limits{Timeout: 3 * time.Second}, server: hostile{}}, // git has to come to the pack
		"hangs at first": {option: "timeout", limits: Limits{Timeout: 300 * time.Millisecond}, server: hostile{refs: hang}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.server.tip = tip
			gone := make(chan struct{})
			if name == "hangs" {
				c.server.pack = func(w io.Writer) {
					hang(w)
					close(gone)
				}
			}
			opt := typed(c.server.serve(t), "")
			opt.Limits = c.limits
			s := openStore(t, filepath.Join(t.TempDir(), "store"))
			got, _, err := bring(t, userGit(t), s, opt)
			var limit *LimitError
			switch {
			case c.option == "" && (err == nil || errors.As(err, &limit) && limit.Option == "timeout"):
				t.Errorf("%v, %v", got, err)
			case c.option != "" && (!errors.As(err, &limit) || limit.Option != c.option):
				t.Errorf("%v, want the limit %s", err, c.option)
			}
			if name == "hangs" {
				select {
				case <-gone: // git's helper was killed along with git
				case <-time.After(5 * time.Second):
					t.Error("git's helper still listens")
				}
			}
		})
	}
}

// Git may hold as much memory as a pack may come to.
func TestUserGitMemory(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux lets a process be bounded from outside")
	}
	g := UserGit{Path: script(t, `while [ "$(ulimit -d)" = unlimited ]; do :; done; echo $(ulimit -d) $GIT_ALLOC_LIMIT >&2; false`), Environ: testkit.Env()}
	var failed *GitError
	if _, err := g.Quarantine(t.Context(), t.TempDir(), "", typed("git@a.example:b", "")); !errors.As(err, &failed) || failed.Said != "524288 536870912" {
		t.Error(err)
	}
}
