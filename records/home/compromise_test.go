package home

import (
	"errors"
	"fmt"
	"testing"

	"github.com/distributed-trust/distrust/records/internal/testkit"
	"github.com/distributed-trust/distrust/schema"
)

// Records of the key are kept up to a date, and signed again beyond what a head can keep.
func TestKeepBefore(t *testing.T) {
	t.Parallel()
	h := newHome(t, laptop)
	for i, key := range []testkit.Key{desktop, offline} {
		if _, err := h.AddKey(t.Context(), laptop, key.Key(), "k", i == 1, optionsAt(1)); err != nil {
			t.Fatal(err)
		}
	}
	const room, more = 2, 3
	if _, err := h.Renew(t.Context(), laptop, "x", func(d *schema.Head) error {
		for i := range schema.MaxKeep - room { // of an earlier theft
			d.Keep = append(d.Keep, fmt.Sprintf("%064x", i))
		}
		return nil
	}, optionsAt(1)); err != nil {
		t.Fatal(err)
	}
	var files []string
	for i := range room + more {
		files = append(files, fmt.Sprint("file", i))
	}
	say(t, h, laptop, 2, files...)
	taken := say(t, h, laptop, 3, "taken back")[0]
	back := schema.Record{Kind: schema.KindWithdraw, Withdraws: []string{taken.ID()}}
	if _, err := h.Write(t.Context(), desktop, []schema.Record{back}, optionsAt(4)); err != nil {
		t.Fatal(err)
	}
	say(t, h, laptop, 6, "late")
	say(t, h, desktop, 7, "other")
	plan, err := h.PlanCompromise(t.Context(), desktop.Key(), laptop.Key(), CompromiseOptions{KeepBefore: optionsAt(5).Now})
	if err != nil || len(plan.Keep) != room || len(plan.Again) != more || len(plan.Void) != 2 || plan.Raises {
		t.Fatalf("%d kept, %d again, %d void, %v", len(plan.Keep), len(plan.Again), len(plan.Void), err)
	}
	if _, err := h.Compromise(t.Context(), desktop, plan, optionsAt(8)); err != nil {
		t.Fatal(err)
	}
	all, err := reopen(t, h).Records(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for _, r := range all {
		if doc := r.Doc(); !h.sealed.log.Void(r) && len(doc.Subjects) == 1 {
			counts[doc.Subjects[0].File]++
		}
	}
	for _, file := range append(files, "other") {
		if counts[file] != 1 {
			t.Errorf("%s counts %d times", file, counts[file])
		}
	}
	if counts["late"]+counts["taken back"] != 0 {
		t.Error("what came after the theft, or was taken back, counts")
	}
	stock(t, h)
}

// What the rules do not allow is refused before anything is signed.
func TestCompromiseRefuses(t *testing.T) {
	t.Parallel()
	x := newTheft(t)
	at := headOf(t, x.own.Dir())
	plan := func(by, key testkit.Key, o CompromiseOptions) error {
		_, err := x.own.PlanCompromise(t.Context(), by.Key(), key.Key(), o)
		return err
	}
	var none *NoHeadError
	for name, c := range map[string]struct{ got, want error }{
		"the key itself":             {plan(laptop, laptop, CompromiseOptions{}), ErrOwnKey},
		"by a stranger":              {plan(stranger, laptop, CompromiseOptions{}), ErrNotYourKey},
		"a key of nobody":            {plan(offline, stranger, CompromiseOptions{}), ErrKeyUnknown},
		"the recovery key":           {plan(laptop, offline, CompromiseOptions{}), ErrRecoveryNeeded},
		"back, without recovery key": {plan(desktop, laptop, CompromiseOptions{BackTo: 2}), ErrRecoveryNeeded},
	} {
		if !errors.Is(c.got, c.want) {
			t.Errorf("%s: %v, want %v", name, c.got, c.want)
		}
	}
	if err := plan(offline, laptop, CompromiseOptions{BackTo: 99}); !errors.As(err, &none) {
		t.Errorf("a head that never was: %v", err)
	}
	if headOf(t, x.own.Dir()) != at {
		t.Error("what was refused was committed")
	}
	x.answer(CompromiseOptions{}, 20)
	if err := plan(offline, laptop, CompromiseOptions{BackTo: 2}); !errors.As(err, &none) {
		t.Errorf("a head of an earlier epoch: %v", err)
	}
	if err := plan(desktop, laptop, CompromiseOptions{}); !errors.Is(err, ErrKeyState) {
		t.Errorf("once more, by an ordinary key: %v", err)
	}
}

// A thief puts a commit with another head of the last good number into the history: it is not gone back to.
func TestBackToFollowsTheChain(t *testing.T) {
	t.Parallel()
	x := newTheft(t)
	good := x.own.Head()
	evil := x.join()
	tip := headOf(t, evil.Dir())
	testkit.Git(t, evil.Dir(), "reset", "-q", "--hard", "HEAD~1")
	say(t, reopen(t, evil), laptop, 10, "evil")
	between := testkit.GitReads(t, evil.Dir(), nil, "commit-tree", "-m", "x", "-p", tip, "HEAD^{tree}")
	again := testkit.GitReads(t, evil.Dir(), nil, "commit-tree", "-m", "x", "-p", between, tip+"^{tree}")
	above := testkit.GitReads(t, evil.Dir(), nil, "commit-tree", "-m", "x", "-p", again, between+"^{tree}")
	testkit.Git(t, evil.Dir(), "reset", "-q", "--hard", again)
	evil = openHome(t, evil.Dir())
	say(t, evil, laptop, 12, "more")
	more := testkit.GitReads(t, evil.Dir(), nil, "commit-tree", "-m", "x", "-p", above, "HEAD^{tree}")
	testkit.Git(t, evil.Dir(), "reset", "-q", "--hard", more)
	x.sync(openHome(t, evil.Dir()), laptop, 13)
	x.sync(x.own, laptop, 14)
	if x.own.Head().Doc().Seq != good.Doc().Seq+1 {
		t.Fatalf("the thief's head is not here: %d", x.own.Head().Doc().Seq)
	}
	plan, err := x.own.PlanCompromise(t.Context(), offline.Key(), laptop.Key(), CompromiseOptions{BackTo: good.Doc().Seq})
	if err != nil {
		t.Fatal(err)
	}
	if plan.After.ID() != good.ID() {
		t.Error("it goes on from the thief's head")
	}
}

// Without a recovery key a stolen active key cannot be beaten: who acts first has the log (F5.4).
func TestTheftWithoutARecoveryKey(t *testing.T) {
	t.Parallel()
	give := func(h *Home, by, key testkit.Key, minutes int) error {
		plan, err := h.PlanCompromise(t.Context(), by.Key(), key.Key(), CompromiseOptions{})
		if err == nil {
			_, err = h.Compromise(t.Context(), by, plan, optionsAt(minutes))
		}
		return err
	}
	t.Run("the thief leaves the desktop in force", func(t *testing.T) {
		t.Parallel()
		r := newRemote(t)
		own, evil := r.two()
		say(t, evil, laptop, 4, "evil")
		r.sync(evil, laptop, 4)
		f := newFollower(t, r)
		f.look(4)
		if err := give(own, desktop, laptop, 5); err != nil {
			t.Fatal(err)
		}
		if got := r.sync(own, desktop, 6); !got.Rebuilt || !got.Overruled.IsZero() {
			t.Errorf("%+v", got)
		}
		f.look(7)
		if err := r.trySync(evil, laptop, 8); err != nil {
			t.Fatal(err)
		}
		if err := evil.CheckSigner(laptop); err == nil {
			t.Error("the thief's key is still in force")
		}
	})
	t.Run("the thief is faster", func(t *testing.T) {
		t.Parallel()
		r := newRemote(t)
		own, evil := r.two()
		if err := give(evil, laptop, desktop, 4); err != nil {
			t.Fatal(err)
		}
		r.sync(evil, laptop, 4)
		if err := give(own, desktop, laptop, 5); err != nil {
			t.Fatal(err)
		}
		if err := r.trySync(own, desktop, 6); !errors.Is(err, ErrNotYourKey) {
			t.Errorf("%v", err)
		}
	})
	t.Run("the thief adds the first recovery key", func(t *testing.T) {
		t.Parallel()
		r := newRemote(t)
		own, evil := r.two()
		if _, err := evil.AddKey(t.Context(), laptop, stranger.Key(), "x", true, optionsAt(4)); err != nil {
			t.Fatal(err)
		}
		r.sync(evil, laptop, 4)
		if _, err := own.AddKey(t.Context(), desktop, offline.Key(), "offline", true, optionsAt(5)); err != nil {
			t.Fatal(err)
		}
		if err := r.trySync(own, desktop, 6); !errors.Is(err, ErrRecoveryNeeded) {
			t.Errorf("%v", err)
		}
	})
}

// Machines that both raised the epoch end on one raise, signed by the recovery key, without any key
// that one of them gave up.
func TestTwoRaises(t *testing.T) {
	t.Parallel()
	x := newTheft(t)
	other := x.join()
	x.answer(CompromiseOptions{}, 20)
	x.sync(x.own, stranger, 21)
	plan, err := other.PlanCompromise(t.Context(), offline.Key(), desktop.Key(), CompromiseOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Compromise(t.Context(), offline, plan, optionsAt(22)); err != nil {
		t.Fatal(err)
	}
	if err := x.trySync(other, laptop, 23); err == nil {
		t.Error("rebuilt by the stolen key")
	}
	x.sync(other, offline, 24)
	doc := other.Head().Doc()
	if doc.Epoch != 1 || doc.Keys[0].State != schema.Compromised || doc.Keys[1].State != schema.Compromised || doc.Keys[2].State != schema.Active {
		t.Errorf("%+v", doc)
	}
	x.early.look(25)
}
