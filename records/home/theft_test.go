package home

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/internal/testkit"
	"github.com/distributed-trust/distrust/schema"
)

// theft is a log of a laptop, a desktop and a recovery key, whose laptop key is stolen.
type theft struct {
	*remoteKit
	t           *testing.T
	own         *Home     // the owner's
	early, late *follower // who has seen what the owner published, and who has seen the thief
}

func newTheft(t *testing.T) *theft {
	t.Helper()
	r := newRemote(t)
	own, _ := r.two()
	if _, err := own.AddKey(t.Context(), laptop, offline.Key(), "offline", true, optionsAt(3)); err != nil {
		t.Fatal(err)
	}
	say(t, own, laptop, 4, "one")
	say(t, own, desktop, 5, "two")
	r.sync(own, laptop, 6)
	x := &theft{remoteKit: r, t: t, own: own, early: newFollower(t, r), late: newFollower(t, r)}
	x.early.look(7)
	x.late.look(7)
	return x
}

// steal publishes as a thief of the laptop's key would: a lie, an own key, the desktop's out of force,
// and what the owner said gone.
func (x *theft) steal() (evil *Home) {
	x.t.Helper()
	evil = x.join()
	say(x.t, evil, laptop, 10, "evil")
	_, err := evil.Renew(x.t.Context(), laptop, "x", func(d *schema.Head) error {
		d.Keys = append(d.Keys, stranger.Listed(schema.Active, false))
		d.Keys[1].State, d.URL = schema.Compromised, "https://evil.example/trust.git"
		return nil
	}, optionsAt(11))
	if err != nil {
		x.t.Fatal(err)
	}
	testkit.Git(x.t, evil.Dir(), "rm", "-q", "-r", "records/any")
	evil = reopen(x.t, evil)
	found, err := evil.Pending(x.t.Context(), stranger)
	if err != nil {
		x.t.Fatal(err)
	}
	if _, err := evil.Seal(x.t.Context(), stranger, found, optionsAt(12)); err != nil {
		x.t.Fatal(err)
	}
	say(x.t, evil, stranger, 13, "worse")
	x.sync(evil, stranger, 14)
	x.late.look(15)
	return evil
}

// answer is what the owner does with the recovery key.
func (x *theft) answer(o CompromiseOptions, minutes int) *Compromise {
	x.t.Helper()
	x.own = reopen(x.t, x.own)
	plan, err := x.own.PlanCompromise(x.t.Context(), offline.Key(), laptop.Key(), o)
	if err != nil {
		x.t.Fatal(err)
	}
	written, err := x.own.Compromise(x.t.Context(), offline, plan, optionsAt(minutes))
	if err != nil {
		x.t.Fatal(err)
	}
	if doc := written.Head.Doc(); !plan.Raises || doc.Epoch != 1 || doc.Prev != plan.After.ID() || doc.URL != "" {
		x.t.Errorf("the new head says %+v", doc)
	}
	return plan
}

// wantWon holds everybody to the owner's log: both followers, a stranger, and what counts.
func (x *theft) wantWon(minutes int, want string) {
	x.t.Helper()
	for _, f := range []*follower{x.early, x.late} {
		f.look(minutes)
		if f.pin.Head.ID() != x.own.Head().ID() {
			x.t.Errorf("a follower is at %+v", f.pin.Head.Doc())
		}
	}
	h := x.join()
	log := h.sealed.log
	all, err := h.Records(x.t.Context())
	if err != nil {
		x.t.Fatal(err)
	}
	var counts []string
	for _, r := range all {
		if !log.Void(r) {
			counts = append(counts, r.Doc().Subjects[0].File)
		}
	}
	slices.Sort(counts)
	if got := strings.Join(counts, " "); got != want {
		x.t.Errorf("%q count, want %q", got, want)
	}
	for _, key := range []testkit.Key{laptop, stranger} {
		if err := h.CheckSigner(key); !errors.Is(err, ErrNotYourKey) {
			x.t.Errorf("a thief may sign: %v", err)
		}
	}
	if err := h.CheckSigner(desktop); err != nil {
		x.t.Errorf("the owner may not sign: %v", err)
	}
	if x.own.Unsealed() == 0 {
		stock(x.t, x.own)
	}
}

// The recovery key wins the log back, whatever a follower saw first (F5.4).
func TestTheOwnerWinsTheLogBack(t *testing.T) {
	t.Parallel()
	before := CompromiseOptions{KeepBefore: optionsAt(9).Now}
	t.Run("the owner first", func(t *testing.T) {
		t.Parallel()
		x := newTheft(t)
		evil := x.join() // the thief has the state of the day
		x.answer(before, 20)
		if got := x.sync(x.own, stranger, 21); !got.Pushed || !got.Overruled.IsZero() {
			t.Errorf("%+v", got)
		}
		say(t, evil, laptop, 22, "evil")
		if err := x.trySync(evil, laptop, 23); err == nil {
			t.Error("the thief goes on")
		}
		x.wantWon(24, "one two")
	})
	t.Run("the thief first", func(t *testing.T) {
		t.Parallel()
		x := newTheft(t)
		x.steal()
		x.answer(before, 20)
		if got := x.sync(x.own, stranger, 21); !got.Pushed || got.Overruled.SignedBy() != stranger.Key() || len(got.Unsealed) != 0 {
			t.Errorf("%+v", got)
		}
		x.wantWon(22, "one two")
		if got := x.sync(x.own, stranger, 23); got.Pushed || !got.Overruled.IsZero() {
			t.Errorf("once more: %+v", got)
		}
	})
	t.Run("the thief first, and this home took it over", func(t *testing.T) {
		t.Parallel()
		x := newTheft(t)
		good := x.own.Head().Doc().Seq
		x.steal()
		x.sync(x.own, desktop, 16)
		wantNames(t, x.own, "worse")
		plan := x.answer(CompromiseOptions{KeepBefore: before.KeepBefore, BackTo: good}, 20)
		if len(plan.LeftOut) != 1 || plan.LeftOut[0].Key != stranger.Text() || len(plan.Unsealed) != 0 {
			t.Errorf("left out %+v, unsealed %d", plan.LeftOut, len(plan.Unsealed))
		}
		x.sync(x.own, stranger, 21)
		x.wantWon(22, "one two")
	})
	t.Run("the thief first, and this home was put back by hand", func(t *testing.T) {
		t.Parallel()
		x := newTheft(t)
		commit := headOf(t, x.own.Dir())
		x.steal()
		x.sync(x.own, desktop, 16)
		testkit.Git(t, x.own.Dir(), "reset", "-q", "--hard", commit) // found in the reflog
		x.answer(before, 20)
		x.sync(x.own, stranger, 21)
		x.wantWon(22, "one two")
	})
	t.Run("the thief rewrote the history", func(t *testing.T) {
		t.Parallel()
		x := newTheft(t)
		evil := x.steal()
		testkit.Git(t, evil.Dir(), "checkout", "-q", "--orphan", "other", "main~3")
		testkit.Git(t, evil.Dir(), "commit", "-q", "-m", "x")
		for i := 2; i >= 0; i-- {
			testkit.Git(t, evil.Dir(), "read-tree", "--reset", "-u", fmt.Sprint("main~", i))
			testkit.Git(t, evil.Dir(), "commit", "-q", "-m", "x")
		}
		testkit.Git(t, evil.Dir(), "push", "-q", "-f", x.url, "HEAD:main")
		if err := x.trySync(x.own, desktop, 16); !errors.Is(err, ErrNotYourKey) {
			t.Errorf("the desktop signs over the thief: %v", err)
		}
		x.answer(before, 20)
		x.sync(x.own, stranger, 21)
		x.wantWon(22, "one two")
	})
	t.Run("the thief comes back", func(t *testing.T) {
		t.Parallel()
		x := newTheft(t)
		evil := x.steal()
		x.answer(before, 20)
		x.sync(x.own, stranger, 21)
		x.wantWon(22, "one two")
		testkit.Git(t, evil.Dir(), "push", "-q", "-f", x.url, "main") // as the host, or with its account
		if got := x.sync(x.own, stranger, 23); !got.Pushed || got.Overruled.IsZero() {
			t.Errorf("over a rollback: %+v", got)
		}
		x.wantWon(24, "one two")
		testkit.Git(t, evil.Dir(), "fetch", "-q", x.url, "main") // and now in good order, by git's lights
		testkit.Git(t, evil.Dir(), "merge", "-q", "-s", "ours", "FETCH_HEAD")
		testkit.Git(t, evil.Dir(), "push", "-q", x.url, "main")
		x.sync(x.own, stranger, 25)
		x.wantWon(26, "one two")
	})
	t.Run("the thief writes what nobody accepts", func(t *testing.T) {
		t.Parallel()
		x := newTheft(t)
		evil := x.join()
		doc := records.NextHead(evil.Head(), evil.Head().Doc().Root, evil.Head().Doc().Records, testNow, func(d *schema.Head) { d.Epoch++ })
		head, err := records.SealHead(t.Context(), doc, laptop)
		if err != nil {
			t.Fatal(err)
		}
		b, sig := head.Bytes()
		for _, path := range []string{"head", fmt.Sprint("keys/", doc.Seq)} {
			put(t, evil, path+".yml", string(b))
			put(t, evil, path+".yml.sig", string(sig))
		}
		testkit.Git(t, evil.Dir(), "add", "-A")
		testkit.Git(t, evil.Dir(), "commit", "-q", "-m", "x")
		testkit.Git(t, evil.Dir(), "push", "-q", x.url, "main")
		wantKind(t, x.trySync(x.own, laptop, 16), records.BadEpoch)
		x.answer(before, 20)
		// An epoch that nobody raised is not below the owner's: it takes a push by hand.
		wantKind(t, x.trySync(x.own, stranger, 21), records.BadEpoch)
		testkit.Git(t, x.own.Dir(), "push", "-q", "-f", x.url, "main")
		x.sync(x.own, stranger, 22)
		x.late.look(23)
		x.wantWon(24, "one two")
	})
}

// A thief who leaves names behind that no follower reads stops nothing.
func TestOddNamesStopNothing(t *testing.T) {
	t.Parallel()
	for _, pulled := range []bool{false, true} {
		t.Run(fmt.Sprint("taken over: ", pulled), func(t *testing.T) {
			t.Parallel()
			x := newTheft(t)
			good := x.own.Head().Doc().Seq
			evil := x.steal()
			put(t, evil, "records/ODD Name/x", "x")
			testkit.Git(t, evil.Dir(), "add", "-A")
			testkit.Git(t, evil.Dir(), "commit", "-q", "-m", "odd")
			testkit.Git(t, evil.Dir(), "push", "-q", x.url, "main")
			options := CompromiseOptions{KeepBefore: optionsAt(9).Now}
			if pulled {
				x.sync(x.own, desktop, 16)
				options.BackTo = good
			}
			x.answer(options, 20)
			x.sync(x.own, stranger, 21)
			x.wantWon(22, "one two")
		})
	}
}

// What a machine whose key counts published meanwhile is not lost: it waits to be sealed.
func TestRecordsOfOtherKeysWait(t *testing.T) {
	t.Parallel()
	x := newTheft(t)
	other := x.join()
	say(t, other, desktop, 8, "desk")
	say(t, other, laptop, 10, "evil")
	if _, err := other.WriteUnsealed(t.Context(), desktop, []schema.Record{trustDoc("pull")}, optionsAt(11)); err != nil {
		t.Fatal(err)
	}
	x.sync(other, desktop, 12)
	x.answer(CompromiseOptions{KeepBefore: optionsAt(9).Now}, 20)
	if got := x.sync(x.own, stranger, 21); len(got.Unsealed) != 2 || x.own.Unsealed() != 1 {
		t.Errorf("%d records, %d commits", len(got.Unsealed), x.own.Unsealed())
	}
	x.wantWon(22, "one two")
	found, err := x.own.Pending(t.Context(), desktop)
	if err != nil || len(found.Added) != 2 {
		t.Fatal(len(found.Added), found.Refused, err)
	}
	if _, err := x.own.Seal(t.Context(), desktop, found, optionsAt(23)); err != nil {
		t.Fatal(err)
	}
	x.sync(x.own, desktop, 24)
	x.wantWon(25, "desk one pull two")
}

// The same where this home had taken it all over before the theft was known.
func TestRecordsOfOtherKeysWaitHere(t *testing.T) {
	t.Parallel()
	x := newTheft(t)
	good := x.own.Head().Doc().Seq
	say(t, x.own, laptop, 8, "evil")
	say(t, x.own, desktop, 9, "desk")
	if _, err := x.own.WriteUnsealed(t.Context(), desktop, []schema.Record{trustDoc("pull")}, optionsAt(11)); err != nil {
		t.Fatal(err)
	}
	if plan := x.answer(CompromiseOptions{BackTo: good}, 20); len(plan.Unsealed) != 2 {
		t.Errorf("%d unsealed", len(plan.Unsealed))
	}
	found, err := x.own.Pending(t.Context(), desktop)
	if err != nil || len(found.Added) != 2 || len(found.Removed) != 0 {
		t.Fatal(len(found.Added), found.Refused, err)
	}
	x.sync(x.own, stranger, 21)
	x.wantWon(22, "two")
}
