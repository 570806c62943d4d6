package gitstore

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/distributed-trust/distrust/records/internal/testkit"
)

// Every way to reach a repository has to bring the same files.
func TestFetchFromGit(t *testing.T) {
	t.Parallel()
	files := trustFiles()
	repo := newRepo(t, files)
	bare := bareClone(t, repo)
	served := testkit.Serve(t, filepath.Dir(bare)).URL
	for name, url := range map[string]string{
		"work tree":  repo,
		"bare":       bare,
		"file url":   "file://" + filepath.ToSlash(bare),
		"smart http": served + "/bare.git",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openStore(t, filepath.Join(t.TempDir(), "store"))
			tip := fetch(t, s, url, "")
			if want := testkit.Git(t, repo, "rev-parse", "HEAD"); tip.Commit != want || tip.Branch != "main" {
				t.Fatalf("tip is %+v, want %s on main", tip, want)
			}
			checkFiles(t, s, tip.Commit, files)
			fsck(t, s.dir)
			if again := fetch(t, s, url, tip.Commit); again != tip {
				t.Errorf("nothing changed, and the tip is %+v", again)
			}
		})
	}
}

// A branch that names what is known already costs one question, and no look at the store.
func TestFetchUnless(t *testing.T) {
	t.Parallel()
	repo := newRepo(t, trustFiles()) // it gets a commit more
	tip := testkit.Git(t, repo, "rev-parse", "HEAD")
	dir := filepath.Join(t.TempDir(), "store")
	s, err := StoreAt(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	opt := typed(repo, tip)
	opt.Unless = tip
	if got, err := s.Fetch(t.Context(), opt); err != nil || got != (Tip{tip, "main"}) {
		t.Fatalf("%+v, %v", got, err)
	}
	if exists(dir) {
		t.Error("the store was made")
	}
	next := commitFiles(t, repo, map[string]string{"head.yml": "another\n"}, "news")
	if got, err := s.Fetch(t.Context(), opt); err != nil || got.Commit != next || !s.Has(tip) || !s.Has(next) {
		t.Fatalf("%+v, %v", got, err)
	}
	fsck(t, dir)
	release, err := lockFile(s.lockName())
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	if _, err := s.Fetch(t.Context(), opt); !errors.Is(err, ErrLocked) {
		t.Errorf("somebody else fetches: %v", err)
	}
}

// checkFiles compares a snapshot with what was written.
func checkFiles(t *testing.T, s *Store, commit string, files map[string]string) {
	t.Helper()
	snap, err := s.Snapshot(t.Context(), commit, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	want := readPaths(files)
	got := slices.Collect(maps.Keys(snap.Files))
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Fatalf("the snapshot has\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for path, id := range snap.Files {
		b, err := s.Blob(id, 100)
		if err != nil || string(b) != files[path] {
			t.Errorf("%s is %q, %v", path, b, err)
		}
	}
}

func TestFetchBringsOnlyWhatIsNew(t *testing.T) {
	t.Parallel()
	repo := newRepo(t, trustFiles())
	bare := bareClone(t, repo)
	for name, url := range map[string]string{"path": bare, "http": testkit.Serve(t, filepath.Dir(bare)).URL + "/bare.git"} {
		t.Run(name, func(t *testing.T) {
			s := openStore(t, filepath.Join(t.TempDir(), "store"))
			first := fetch(t, s, url, "")
			commitFiles(t, repo, map[string]string{"records/any/03/file-" + name + ".yml": "new\n", "keys/1.yml": name}, "more")
			testkit.Git(t, repo, "push", "-q", bare, "main")
			second := fetch(t, s, url, first.Commit)
			if first == second {
				t.Fatal("the tip did not move")
			}
			packs, _, err := s.usage()
			if err != nil || packs != 2 {
				t.Fatalf("%d packs, %v", packs, err)
			}
			newest, err := filepath.Glob(filepath.Join(s.dir, "objects/pack/*.pack"))
			if err != nil {
				t.Fatal(err)
			}
			sizes := []int64{}
			for _, p := range newest {
				info, err := os.Stat(p)
				if err != nil {
					t.Fatal(err)
				}
				sizes = append(sizes, info.Size())
			}
			if slices.Min(sizes) > slices.Max(sizes)*2/3 {
				t.Errorf("packs of %v bytes: everything came again", sizes)
			}
			changes, err := s.Diff(t.Context(), first.Commit, second.Commit, Limits{})
			if err != nil || len(changes) != 2 || changes[0].Path != "keys/1.yml" || changes[0].Old == "" || changes[1].Old != "" {
				t.Errorf("changes are %+v, %v", changes, err)
			}
			back, err := s.Diff(t.Context(), second.Commit, first.Commit, Limits{})
			if err != nil || len(back) != 2 || back[1].New != "" {
				t.Errorf("changes back are %+v, %v", back, err)
			}
			ahead, err := s.IsAncestor(t.Context(), first.Commit, second.Commit)
			behind, err2 := s.IsAncestor(t.Context(), second.Commit, first.Commit)
			if !ahead || behind || err != nil || err2 != nil {
				t.Errorf("ancestry %v %v %v %v", ahead, behind, err, err2)
			}
			fsck(t, s.dir)
		})
	}
}

// A rewritten history has to arrive: go-git's own fetch says nothing and stays
// on the old commit.
func TestFetchRewrittenHistory(t *testing.T) {
	t.Parallel()
	repo := newRepo(t, trustFiles())
	s := openStore(t, filepath.Join(t.TempDir(), "store"))
	first := fetch(t, s, repo, "")
	writeTree(t, repo, map[string]string{"head.yml": "rewritten\n"})
	testkit.Git(t, repo, "commit", "-q", "-a", "--amend", "-m", "other")
	second := fetch(t, s, repo, first.Commit)
	if second.Commit != testkit.Git(t, repo, "rev-parse", "HEAD") {
		t.Fatalf("still at %s", second.Commit)
	}
	if ok, err := s.IsAncestor(t.Context(), first.Commit, second.Commit); ok || err != nil {
		t.Errorf("the old commit counts as an ancestor: %v", err)
	}
	// And back to where it was before: everything is there, nothing is sent.
	testkit.Git(t, repo, "reset", "-q", "--hard", first.Commit)
	if third := fetch(t, s, repo, second.Commit); third != first {
		t.Errorf("went back to %+v, want %+v", third, first)
	}
}

func TestFetchChoosesBranch(t *testing.T) {
	t.Parallel()
	repo := newRepo(t, trustFiles())
	testkit.Git(t, repo, "branch", "other")
	head := testkit.Git(t, repo, "rev-parse", "HEAD")
	bare := bareClone(t, repo)
	testkit.Git(t, bare, "symbolic-ref", "HEAD", "refs/heads/unborn")
	url := testkit.Serve(t, filepath.Dir(bare)).URL + "/bare.git"
	for _, from := range []string{bare, url} {
		s := openStore(t, filepath.Join(t.TempDir(), "store"))
		if tip := fetch(t, s, from, ""); tip.Branch != "main" || tip.Commit != head {
			t.Errorf("HEAD names no branch that is there: %+v", tip)
		}
		opt := typed(from, "")
		opt.Branch = "other"
		if tip, err := s.Fetch(t.Context(), opt); err != nil || tip.Branch != "other" {
			t.Errorf("other branch: %+v, %v", tip, err)
		}
		opt.Branch = "missing"
		if _, err := s.Fetch(t.Context(), opt); !errors.Is(err, ErrNoBranch) {
			t.Errorf("missing branch: %v", err)
		}
	}
}

func TestFetchRefusals(t *testing.T) {
	t.Parallel()
	empty := filepath.Join(t.TempDir(), "empty.git")
	testkit.Git(t, ".", "init", "-q", "--bare", empty)
	url := testkit.Serve(t, filepath.Dir(empty)).URL
	sha256 := filepath.Join(t.TempDir(), "sha256")
	testkit.Git(t, ".", "init", "-q", "--object-format=sha256", sha256)
	for _, c := range []struct {
		name, url string
		want      error
	}{
		{"empty path", empty, ErrEmptyRemote},
		{"empty http", url + "/empty.git", ErrEmptyRemote},
		{"no repository at the path", t.TempDir(), ErrNotRepository},
		{"no repository at the url", url + "/other.git", ErrNotRepository},
		{"nobody listens", "http://127.0.0.1:1/x.git", ErrUnreachable},
		{"another kind of repository", sha256, ErrUnsupported},
	} {
		s := openStore(t, filepath.Join(t.TempDir(), "store"))
		if _, err := s.Fetch(t.Context(), typed(c.url, "")); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
		noLeftovers(t, s)
	}
	s := openStore(t, filepath.Join(t.TempDir(), "store"))
	if _, err := s.Fetch(t.Context(), FetchOptions{URL: empty}); !errors.As(err, new(*URLError)) {
		t.Errorf("a path that nobody typed: %v", err)
	}
}

// noLeftovers makes sure that a refused fetch left nothing on the disk.
func noLeftovers(t *testing.T, s *Store) {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(s.dir, spoolPrefix+"*"))
	packs, err2 := os.ReadDir(filepath.Join(s.dir, "objects/pack"))
	if len(left) != 0 || len(packs) != 0 || err != nil || err2 != nil {
		t.Errorf("left behind: %v %v %v %v", left, packs, err, err2)
	}
	if ref, err := readRef(s.dir, incomingRef); !ref.IsZero() || err != nil {
		t.Errorf("the reference moved to %s, %v", ref, err)
	}
}

// After many fetches everything is taken as one pack again, and the same when
// the store would grow over its limit.
func TestStoreStaysSmall(t *testing.T) {
	t.Parallel()
	repo := newRepo(t, trustFiles())
	s := openStore(t, filepath.Join(t.TempDir(), "store"))
	tip := fetch(t, s, repo, "")
	w := openWorktree(t, repo)
	s.maxPacks = 3
	for i := range s.maxPacks + 2 {
		if _, err := w.Commit(t.Context(), Change{Write: map[string][]byte{"keys/2.yml": make([]byte, i)}}, "next", someone()); err != nil {
			t.Fatal(err)
		}
		tip = fetch(t, s, repo, tip.Commit)
	}
	if n, _, err := s.usage(); n > 2 || err != nil {
		t.Errorf("%d packs, %v", n, err)
	}
	fsck(t, s.dir)

	_, size, err := s.usage()
	if err != nil {
		t.Fatal(err)
	}
	opt := typed(repo, tip.Commit)
	opt.Limits.StoreBytes = size + 10
	opt.Branch = "again"
	testkit.Git(t, repo, "checkout", "-q", "--orphan", "again") // the other packs hold nothing of this one
	commitFiles(t, repo, map[string]string{"keys/2.yml": "y"}, "next")
	if tip, err = s.Fetch(t.Context(), opt); err != nil {
		t.Fatal(err)
	}
	if n, _, err := s.usage(); n != 1 || err != nil {
		t.Errorf("%d packs, %v", n, err)
	}
	opt.Limits.StoreBytes = 100
	var limit *LimitError
	if _, err := s.Fetch(t.Context(), opt); !errors.As(err, &limit) || limit.Option != "store" {
		t.Errorf("over the limit: %v", err)
	}
	checkTip, err := s.Snapshot(t.Context(), tip.Commit, Limits{})
	if err != nil || len(checkTip.Files) == 0 {
		t.Errorf("the old state is gone: %v", err)
	}
}

// What a killed fetch left is swept, and nothing else.
func TestStoreSweeps(t *testing.T) {
	t.Parallel()
	repo := newRepo(t, trustFiles())
	dir := filepath.Join(t.TempDir(), "store")
	s := openStore(t, dir)
	tip := fetch(t, s, repo, "")
	good, err := os.ReadDir(filepath.Join(dir, "objects/pack"))
	if err != nil {
		t.Fatal(err)
	}
	writeTree(t, dir, map[string]string{
		spoolPrefix + "1/objects/pack/spool":                              "half a pack",
		"objects/pack/tmp_pack_123":                                       "half a pack",
		"objects/pack/pack-0000000000000000000000000000000000000001.pack": "no index",
		"objects/pack/pack-0000000000000000000000000000000000000002.idx":  "no pack",
		incomingRef: "",
	})
	s = openStore(t, dir)
	left, err := os.ReadDir(filepath.Join(dir, "objects/pack"))
	if err != nil || len(left) != len(good) {
		t.Errorf("%d files are left of %d: %v", len(left), len(good), err)
	}
	if exists(filepath.Join(dir, spoolPrefix+"1")) {
		t.Error("a spool is left")
	}
	checkFiles(t, s, tip.Commit, trustFiles())
	if again := fetch(t, s, repo, tip.Commit); again != tip {
		t.Errorf("tip is %+v", again)
	}
}

func TestStoreLock(t *testing.T) {
	t.Parallel()
	repo := newRepo(t, trustFiles())
	dir := filepath.Join(t.TempDir(), "store")
	s := openStore(t, dir)
	unlock, err := lockFile(s.lockName())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Fetch(t.Context(), typed(repo, "")); !errors.Is(err, ErrLocked) {
		t.Errorf("two fetches at once: %v", err)
	}
	reader := openStore(t, dir) // reading waits for nobody
	if reader.Has(strings.Repeat("0", 40)) {
		t.Error("it has a commit")
	}
	unlock()
	fetch(t, s, repo, "")
}

// Damage on our own disk is an error, not a reason to go on.
func TestStoreDamagedPack(t *testing.T) {
	t.Parallel()
	repo := newRepo(t, trustFiles())
	dir := filepath.Join(t.TempDir(), "store")
	tip := fetch(t, openStore(t, dir), repo, "")
	packs, err := filepath.Glob(filepath.Join(dir, "objects/pack/*.pack"))
	if err != nil || len(packs) != 1 {
		t.Fatal(packs, err)
	}
	b, err := os.ReadFile(packs[0])
	if err != nil {
		t.Fatal(err)
	}
	for i := 20; i < len(b)-20; i++ {
		b[i] ^= 0x55
	}
	if err := errors.Join(os.Chmod(packs[0], 0o600), os.WriteFile(packs[0], b, 0o600)); err != nil {
		t.Fatal(err)
	}
	if _, err := openStore(t, dir).Snapshot(t.Context(), tip.Commit, Limits{}); err == nil {
		t.Error("a damaged pack was read")
	}
}
