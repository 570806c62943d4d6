package records

import (
	"errors"
	"fmt"
	"iter"
	"testing"

	"github.com/distributed-trust/distrust/schema"
)

// commitOf is a commit that holds a head, and a set that gives root and count.
func commitOf(id string, h Head, root string, count int64) Commit {
	yaml, sig := h.Bytes()
	return Commit{ID: id, Head: yaml, Sig: sig, Set: func() (string, int64, error) { return root, count, nil }}
}

// history yields commits, newest first, and fails the test when it is asked for more than it may.
func history(commits ...Commit) iter.Seq2[Commit, error] {
	return func(yield func(Commit, error) bool) {
		for _, c := range commits {
			if !yield(c, nil) {
				return
			}
		}
	}
}

func TestPublishedState(t *testing.T) {
	t.Parallel()
	first := firstHead(t, laptop)
	second := nextHead(t, first, laptop, func(d *schema.Head) { d.Root, d.Records = fmt.Sprintf("%064x", 2), 7 })
	yaml, sig := second.Bytes()
	fits := commitOf("fits", second, second.doc.Root, 7)
	older := commitOf("older", first, emptyRoot, 0)
	noSet := func() (string, int64, error) {
		t.Error("the set of a commit without a good head was added up")
		return "", 0, nil
	}
	bare := Commit{ID: "bare", Set: noSet}
	unsigned := Commit{ID: "unsigned", Head: yaml, Set: noSet}
	broken := Commit{ID: "broken", Head: yaml[1:], Sig: sig, Set: noSet}
	newer := Commit{ID: "newer", Head: []byte("distrust: 2\nkind: \"head\"\n"), Sig: sig, Set: noSet}
	otherRoot := commitOf("otherRoot", second, emptyRoot, 7)
	otherCount := commitOf("otherCount", second, second.doc.Root, 8)
	hostile := fits
	hostile.Set = func() (string, int64, error) { return "", 0, fmt.Errorf("%w: a symbolic link", ErrUnfit) }

	for name, c := range map[string]struct {
		commits       []Commit
		want          string
		unsealed      int
		notUnderstood int
	}{
		"the tip":                    {[]Commit{fits, older}, "fits", 0, 0},
		"records merged, not sealed": {[]Commit{otherRoot, otherRoot, fits}, "fits", 2, 0},
		"a record removed":           {[]Commit{otherCount, fits}, "fits", 1, 0},
		"no head at the tip":         {[]Commit{bare, fits}, "fits", 1, 0},
		"a head without signature":   {[]Commit{unsigned, fits}, "fits", 1, 0},
		"a head edited by hand":      {[]Commit{broken, fits}, "fits", 1, 0},
		"a hostile tree":             {[]Commit{hostile, fits}, "fits", 1, 0},
		"a newer format":             {[]Commit{newer, newer, fits}, "fits", 2, 2},
		"only the first fits":        {[]Commit{otherRoot, broken, older}, "older", 2, 0},
	} {
		p, err := PublishedState(history(c.commits...))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if p.Commit != c.want || p.Unsealed != c.unsealed || p.NotUnderstood != c.notUnderstood {
			t.Errorf("%s: got %s after %d unsealed, %d not understood", name, p.Commit, p.Unsealed, p.NotUnderstood)
		}
		if (p.Tip == nil) != (c.unsealed == 0) {
			t.Errorf("%s: the tip: %v", name, p.Tip)
		}
	}

	t.Run("no history beyond the state is asked for", func(t *testing.T) {
		_, err := PublishedState(func(yield func(Commit, error) bool) {
			if yield(fits, nil) {
				t.Error("asked for another commit")
			}
		})
		if err != nil {
			t.Error(err)
		}
	})
}

func TestUnpublished(t *testing.T) {
	t.Parallel()
	first := firstHead(t, laptop)
	unfit := commitOf("unfit", first, fmt.Sprintf("%064x", 1), 0)
	fits := commitOf("fits", first, emptyRoot, 0)
	repeat := func(n int, c Commit, end ...Commit) iter.Seq2[Commit, error] {
		return func(yield func(Commit, error) bool) {
			for range n {
				if !yield(c, nil) {
					return
				}
			}
			for _, c := range end {
				if !yield(c, nil) {
					return
				}
			}
		}
	}
	if p, err := PublishedState(repeat(999, unfit, fits)); err != nil || p.Unsealed != 999 {
		t.Errorf("the thousandth commit fits: %+v, %v", p, err)
	}
	for name, c := range map[string]struct {
		commits        iter.Seq2[Commit, error]
		tried, heads   int
		tip            bool
		tipUnderstands bool
	}{
		"the thousand and first fits": {repeat(1000, unfit, fits), 1000, 1000, true, true},
		"an endless history":          {repeat(1<<30, unfit), 1000, 1000, true, true},
		"no commits":                  {repeat(0, unfit), 0, 0, false, true},
		"no heads":                    {repeat(5, Commit{ID: "x"}), 5, 0, true, true},
		"a newer program's":           {repeat(5, Commit{Head: []byte("distrust: 3\n")}), 5, 5, true, false},
	} {
		_, err := PublishedState(c.commits)
		var e *UnpublishedError
		if !errors.As(err, &e) {
			t.Errorf("%s: got %v", name, err)
			continue
		}
		if e.Commits != c.tried || e.Heads != c.heads || (e.Tip != nil) != c.tip {
			t.Errorf("%s: got %+v", name, e)
		}
		if errors.Is(err, schema.ErrNotUnderstood) == c.tipUnderstands {
			t.Errorf("%s: understood: %v", name, err)
		}
		if e.Error() == "" {
			t.Errorf("%s: says nothing", name)
		}
	}

	boom := errors.New("disk on fire")
	broken := fits
	broken.Set = func() (string, int64, error) { return "", 0, boom }
	if _, err := PublishedState(history(unfit, broken, fits)); !errors.Is(err, boom) {
		t.Errorf("a set that cannot be read: %v", err)
	}
	if _, err := PublishedState(func(yield func(Commit, error) bool) { yield(Commit{}, boom) }); !errors.Is(err, boom) {
		t.Errorf("commits that cannot be read: %v", err)
	}
}
