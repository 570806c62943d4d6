package gitstore

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/distributed-trust/distrust/records/internal/testkit"
)

// at forges a commit that claims a time.
func (f *forge) at(when int64, tree plumbing.Hash, parents ...plumbing.Hash) plumbing.Hash {
	by := someone()
	by.When = time.Unix(when, 0).UTC()
	return f.put(plumbing.CommitObject, encodeCommit(tree, parents, by, fmt.Sprint(when, parents)))
}

// However dates and merges lie, the list of new commits is never too short, and
// with honest dates it is exactly what git says.
func TestNewCommits(t *testing.T) {
	t.Parallel()
	for _, honest := range []bool{true, false} {
		for seed := range uint64(5) {
			rnd := rand.New(rand.NewPCG(seed, 0))
			f := &forge{}
			tree := f.tree(entry{mode: modeFile, name: headFile, hash: f.blob("x")})
			var all []plumbing.Hash
			parents := map[plumbing.Hash][]plumbing.Hash{}
			for i := range 40 {
				var from []plumbing.Hash
				for range min(i, rnd.IntN(3)+1) {
					p := all[max(0, i-1-rnd.IntN(6))]
					if !slices.Contains(from, p) {
						from = append(from, p)
					}
				}
				when := int64(1_700_000_000 + i)
				if !honest {
					when = int64(rnd.IntN(2_000_000_000))
				}
				c := f.at(when, tree, from...)
				all = append(all, c)
				parents[c] = from
			}
			reach := func(from plumbing.Hash) map[plumbing.Hash]bool {
				seen := map[plumbing.Hash]bool{}
				for todo := []plumbing.Hash{from}; len(todo) > 0; todo = todo[1:] {
					if !seen[todo[0]] {
						seen[todo[0]] = true
						todo = append(todo, parents[todo[0]]...)
					}
				}
				return seen
			}
			tip := f.at(2_000_000_000, tree, all[len(all)-3:]...)
			parents[tip] = all[len(all)-3:]
			s, err := fetchForged(t, f, tip)
			if err != nil {
				t.Fatal(err)
			}
			for range 10 {
				known := all[rnd.IntN(len(all))]
				if !s.Has(known.String()) {
					continue // not reachable from the tip; it came along all the same
				}
				got, err := s.NewCommits(t.Context(), tip.String(), known.String(), 1000)
				if err != nil {
					t.Fatal(err)
				}
				want := reach(tip)
				for h := range reach(known) {
					delete(want, h)
				}
				listed := map[plumbing.Hash]bool{}
				for _, c := range got {
					h := plumbing.NewHash(c.ID)
					if listed[h] {
						t.Errorf("seed %d: %s is listed twice", seed, c.ID)
					}
					listed[h] = true
					if !want[h] && honest {
						t.Errorf("seed %d: %s is not new", seed, c.ID)
					}
				}
				for h := range want {
					if !listed[h] {
						t.Errorf("seed %d, honest %v: %s is missing", seed, honest, h)
					}
				}
			}
		}
	}
}

func TestFirstParentsAndHeads(t *testing.T) {
	t.Parallel()
	repo := newRepo(t, map[string]string{"README.md": "no head\n"})
	for i := range 4 {
		commitFiles(t, repo, map[string]string{"head.yml": fmt.Sprint(i), "head.yml.sig": "s"}, "seal")
	}
	testkit.Git(t, repo, "checkout", "-q", "-b", "side", "HEAD~2")
	commitFiles(t, repo, map[string]string{"side": "x", "head.yml": "side"}, "side")
	testkit.Git(t, repo, "checkout", "-q", "main")
	testkit.Git(t, repo, "merge", "-q", "-s", "ours", "-m", "merge", "side")
	s := openStore(t, filepath.Join(t.TempDir(), "store"))
	tip := fetch(t, s, repo, "")

	var ids []string
	for c, err := range s.FirstParents(t.Context(), tip.Commit) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, c.ID)
		if has := c.Head != "" && c.HeadSig != ""; has == (len(c.Parents) == 0) {
			t.Errorf("head of %+v", c)
		}
	}
	if got, want := strings.Join(ids, "\n"), testkit.Git(t, repo, "rev-list", "--first-parent", "HEAD"); got != want {
		t.Errorf("first parents\n%s\nwant\n%s", got, want)
	}
	known := testkit.Git(t, repo, "rev-parse", "HEAD~2")
	list, err := s.NewCommits(t.Context(), tip.Commit, known, 100)
	if err != nil {
		t.Fatal(err)
	}
	ids = nil
	heads := map[string]bool{}
	for _, c := range list {
		ids = append(ids, c.ID)
		b, err := s.Blob(c.Head, 100)
		if err != nil {
			t.Fatal(err)
		}
		heads[string(b)] = true
	}
	slices.Sort(ids)
	want := strings.Fields(testkit.Git(t, repo, "rev-list", tip.Commit, "^"+known))
	slices.Sort(want)
	if !slices.Equal(ids, want) || !heads["side"] || !heads["3"] {
		t.Errorf("new commits %v with heads %v, want %v", ids, heads, want)
	}
	var limit *LimitError
	if _, err := s.NewCommits(t.Context(), tip.Commit, "", 3); !errors.As(err, &limit) || limit.Got != 4 {
		t.Errorf("over the limit: %v", err)
	}
	if list, err = s.NewCommits(t.Context(), tip.Commit, tip.Commit, 3); err != nil || len(list) != 0 {
		t.Errorf("nothing is new: %v %v", list, err)
	}
	if list, err = s.NewCommits(t.Context(), tip.Commit, strings.Repeat("1", 40), 100); err != nil || len(list) != 7 {
		t.Errorf("an unknown known: %d, %v", len(list), err)
	}
	for _, err := range s.FirstParents(t.Context(), strings.Repeat("1", 40)) {
		if !errors.Is(err, ErrIncomplete) {
			t.Errorf("a commit that is not there: %v", err)
		}
	}
}

// What go-git would read in a commit does not matter; what stands where git
// looks does.
func TestParseObjects(t *testing.T) {
	t.Parallel()
	id := strings.Repeat("1", 40)
	good := "tree " + id + "\nparent " + id + "\nparent " + id + "\nauthor a <a> 1 +0000\ncommitter c <c> 1700000000 +0000\ngpgsig x\n y\n\ntree in the message\n"
	c, err := parseCommit([]byte(good))
	if err != nil || len(c.parents) != 2 || c.when != 1_700_000_000 {
		t.Errorf("%+v, %v", c, err)
	}
	for _, bad := range []string{
		"", "tree", "tree \n", "tree " + id, "tree " + id + "\n", "parent " + id + "\ntree " + id + "\n", "\ntree " + id + "\n",
		"tree " + id + "\nauthor a\n", "tree " + id + "\ncommitter c\n", "tree " + id[1:] + "\nauthor a\ncommitter c\n",
		"tree " + id + "\nparent x\nauthor a\ncommitter c\n", "tree " + id + "\nauthor a\nparent " + id + "\ncommitter c\n",
	} {
		if _, err := parseCommit([]byte(bad)); err == nil {
			t.Errorf("read %q", bad)
		}
	}
	for _, bad := range []string{"100644", "100644 x", "100644 x\x00", "100644 \x00" + strings.Repeat("x", 20), " x\x00" + strings.Repeat("x", 20), "1234567 x\x00" + strings.Repeat("x", 20), "100644 x\x00" + strings.Repeat("x", 19)} {
		if _, err := parseTree([]byte(bad)); err == nil {
			t.Errorf("read %q", bad)
		}
	}
	odd := Signature{Name: " <evil>\n\x00 ", Email: "", When: time.Unix(-5, 0)}
	if got := odd.String(); got != "evil <distrust@localhost> 0 "+odd.When.Format("-0700") {
		t.Errorf("signature %q", got)
	}
}
