package gitstore

import (
	"crypto/sha1"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/distributed-trust/distrust/records/internal/testkit"
)

// deltaRepo is a repository whose packs hold chains of deltas.
func deltaRepo(t testing.TB, config ...string) string {
	t.Helper()
	dir := newRepo(t, trustFiles())
	lines := make([]string, 100)
	for version := range 6 {
		for i := range lines {
			if version == 0 || i/15 == version { // each has something that only the one before has too
				lines[i] = fmt.Sprintf("%x\n", sha1.Sum([]byte{byte(i), byte(version)}))
			}
		}
		text := strings.Join(lines, "")
		commitFiles(t, dir, map[string]string{"records/long.yml": text, "keys/x.yml": strings.ToUpper(text)}, "next")
	}
	testkit.Git(t, dir, append(config, "repack", "-q", "-a", "-d", "-f")...)
	return dir
}

// What is copied out of packs is what was in them, however it lay there and
// whether or not the base of a delta comes along.
func TestEncode(t *testing.T) {
	t.Parallel()
	for name, config := range map[string][]string{
		"offset deltas":    {"-c", "repack.useDeltaBaseOffset=true"},
		"reference deltas": {"-c", "repack.useDeltaBaseOffset=false"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := deltaRepo(t, config...)
			if chains := testkit.Git(t, dir, "verify-pack", "-v", onlyPack(t, dir)); !strings.Contains(chains, "chain length = 3") {
				t.Fatal("there are no chains of deltas")
			}
			var repo repository
			if err := repo.open(filepath.Join(dir, ".git")); err != nil {
				t.Fatal(err)
			}
			defer repo.Close()
			var all []plumbing.Hash
			for line := range strings.Lines(testkit.Git(t, dir, "rev-list", "--objects", "--all")) {
				all = append(all, plumbing.NewHash(line[:40]))
			}
			// Loose objects and a second pack lie beside the first one.
			loose := plumbing.NewHash(testkit.GitReads(t, dir, []byte("loose"), "hash-object", "-w", "--stdin"))
			all = append(all, loose)
			for step := range 4 {
				var list []plumbing.Hash
				for i, h := range all {
					if step == 0 || i%(step+1) == 0 {
						list = append(list, h)
					}
				}
				checkEncoded(t, dir, &repo, list)
			}
		})
	}
}

func onlyPack(t testing.TB, dir string) string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, ".git/objects/pack/*.idx"))
	if err != nil || len(names) != 1 {
		t.Fatal(names, err)
	}
	return names[0]
}

func checkEncoded(t *testing.T, dir string, repo *repository, list []plumbing.Hash) {
	t.Helper()
	to := t.TempDir()
	r := repo.encode(t.Context(), filepath.Join(dir, ".git"), list)
	defer r.Close()
	got, err := taken(t, to, r, DefaultLimits())
	if err != nil || len(got.made.list) != len(list) {
		t.Fatalf("%d objects, %v", len(list), err)
	}
	testkit.Git(t, dir, "verify-pack", got.made.base+".idx")
	made, err := openPacks(to, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer made.Close()
	for _, h := range list {
		if !made.has(h) {
			t.Errorf("%s is missing", h)
		}
	}
}

// Between two repositories on this machine too, only what is new is copied, and
// deltas stay deltas.
func TestFetchPackedRepository(t *testing.T) {
	t.Parallel()
	dir := deltaRepo(t)
	s := openStore(t, filepath.Join(t.TempDir(), "store"))
	tip := fetch(t, s, dir, "")
	fsck(t, s.dir)
	_, size, err := s.usage()
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(strings.TrimSuffix(onlyPack(t, dir), ".idx") + ".pack"); err != nil || size > info.Size()*11/10 {
		t.Errorf("%d bytes of %d, %v", size, info.Size(), err)
	}
	old, err := os.ReadFile(filepath.Join(dir, "keys/x.yml"))
	if err != nil {
		t.Fatal(err)
	}
	commitFiles(t, dir, map[string]string{"keys/x.yml": string(old) + "more\n"}, "more")
	testkit.Git(t, dir, "repack", "-q", "-a", "-d", "-f") // the new ones are deltas on old ones now, or the other way round
	fetch(t, s, dir, tip.Commit)
	fsck(t, s.dir)
	if _, now, err := s.usage(); err != nil || now > size*2 {
		t.Errorf("%d bytes, then %d, %v", size, now, err)
	}
}

// A repository that git gc changes while it is open stays readable.
func TestRepackWhileOpen(t *testing.T) {
	t.Parallel()
	dir := deltaRepo(t)
	w := openWorktree(t, dir)
	at, err := w.Head()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Snapshot(t.Context(), at.Commit, Limits{}); err != nil {
		t.Fatal(err)
	}
	head := commitFiles(t, dir, map[string]string{"head.yml": "by git\n"}, "by git")
	testkit.Git(t, dir, "gc", "-q", "--prune=now", "--aggressive")
	for _, commit := range []string{at.Commit, head} {
		snap, err := w.Snapshot(t.Context(), commit, Limits{})
		if err != nil {
			t.Fatal(err)
		}
		for path, id := range snap.Files {
			if _, err := w.Blob(id, 1<<20); err != nil {
				t.Errorf("%s: %v", path, err)
			}
		}
	}
	if id := commitOne(t, w, "keys/2.yml", "x"); testkit.Git(t, dir, "rev-parse", "HEAD") != id || status(t, dir) != "" {
		t.Error("the commit is not there")
	}
	fsck(t, dir)
}
