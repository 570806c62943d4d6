package home

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/internal/testkit"
	"github.com/distributed-trust/distrust/schema"
)

// follower is somebody who follows the log from outside, and holds it to F5 at every look. It
// has its own clone, made and moved by stock git, and only the pin is remembered.
type follower struct {
	testing.TB
	r    *remoteKit
	dir  string
	pin  records.Pin
	seen map[string]bool // ids of records that were in the set
	gone bool            // records may go
}

func newFollower(t testing.TB, r *remoteKit) *follower {
	t.Helper()
	f := &follower{TB: t, r: r, dir: filepath.Join(t.TempDir(), "follower"), seen: map[string]bool{}, gone: true}
	testkit.Git(t, t.TempDir(), "clone", "-q", r.url, f.dir)
	return f
}

// look fetches and judges, as far as somebody who has nothing but the repository can.
func (f *follower) look(minutes int) {
	f.Helper()
	testkit.Git(f, f.dir, "fetch", "-q", "origin")
	testkit.Git(f, f.dir, "reset", "-q", "--hard", "origin/main")
	h, err := Open(f.Context(), f.dir)
	if err != nil {
		f.Fatalf("a follower finds no state: %v", err)
	}
	defer h.Close()
	kept, err := h.kept(h.sealed)
	if err != nil {
		f.Fatal(err)
	}
	now := optionsAt(minutes).Now
	// Every look is a first contact for somebody, too.
	first, err := records.FirstContact("", kept, h.Head(), now)
	if err != nil {
		f.Fatalf("first contact: %v", err)
	}
	if f.pin.Head.IsZero() {
		f.pin = first.Pin
	}
	between, err := h.headsSince(f.Context(), h.at.Commit, "")
	if err != nil {
		f.Fatal(err)
	}
	accepted, err := records.Advance(f.pin, records.Chain{Published: h.Head(), Kept: kept, Between: between}, now)
	if err != nil {
		f.Fatalf("a follower who knew head %d refuses: %v", f.pin.Head.Doc().Seq, err)
	}
	f.pin = accepted.Pin
	all, err := h.Records(f.Context())
	if err != nil || len(h.Skipped()) > 0 {
		f.Fatalf("records: %v, skipped %v", err, h.Skipped())
	}
	now2 := map[string]bool{}
	for _, r := range all {
		now2[r.ID()] = true
	}
	for id := range f.seen {
		if !f.gone && !now2[id] {
			f.Fatalf("record %s left the set", id)
		}
	}
	f.seen = now2
}

// machine is one of several on one log.
type machine struct {
	h   *Home
	key testkit.Key
}

// N machines write, withdraw, add keys, change the head and sync in any order; who follows from
// outside is never shown anything that F5 refuses, and in the end all have all.
func TestAnyOrder(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			anyOrder(t, newRemote(t), rand.New(rand.NewPCG(seed, 7)), 24)
		})
	}
}

func anyOrder(t *testing.T, r *remoteKit, random *rand.Rand, steps int) {
	first := r.first(laptop)
	machines := []*machine{{first, laptop}}
	for i, key := range []testkit.Key{desktop, phone} {
		if _, err := first.AddKey(t.Context(), laptop, key.Key(), fmt.Sprint("machine ", i), false, optionsAt(1)); err != nil {
			t.Fatal(err)
		}
		machines = append(machines, &machine{key: key})
	}
	r.sync(first, laptop, 2)
	for _, m := range machines[1:] {
		m.h = r.join()
	}
	f := newFollower(t, r)
	f.gone = false
	wrote := map[string]bool{}
	keys := map[string]bool{}
	for step := range steps {
		m, at := machines[random.IntN(len(machines))], 3+step
		if random.IntN(3) == 0 {
			m.h = reopen(t, m.h)
		}
		if err := act(t, m, random.IntN(10), step, at, wrote, keys); err != nil {
			t.Fatalf("step %d: %v", step, err)
		}
		if random.IntN(3) == 0 {
			r.sync(m.h, m.key, at)
		}
		if random.IntN(4) == 0 {
			f.look(at)
		}
	}
	for range 2 {
		for _, m := range machines {
			r.sync(m.h, m.key, 100)
		}
	}
	f.look(101)
	for _, m := range machines {
		have := map[string]bool{}
		all, err := m.h.Records(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range all {
			have[one.ID()] = true
		}
		for id := range wrote {
			if !have[id] {
				t.Errorf("%s lost record %s", m.key.Key().Fingerprint(), id)
			}
		}
		for _, k := range m.h.Head().Doc().Keys {
			delete(keys, k.Key)
		}
		if m.h.Head().ID() != f.pin.Head.ID() || len(have) != len(wrote) {
			t.Errorf("head %d with %d records, the follower has head %d, %d were written", m.h.Head().Doc().Seq, len(have), f.pin.Head.Doc().Seq, len(wrote))
		}
	}
	if len(keys) > 0 {
		t.Errorf("keys were lost: %v", keys)
	}
	stock(t, machines[1].h)
}

// act does one thing on one machine.
func act(t *testing.T, m *machine, what, step, at int, wrote, keys map[string]bool) error {
	var written *Written
	var err error
	switch {
	case what < 5:
		written, err = m.h.Write(t.Context(), m.key, []schema.Record{trustDoc(fmt.Sprint("file ", step))}, optionsAt(at))
	case what < 6:
		all, readErr := m.h.Records(t.Context())
		if readErr != nil || len(all) == 0 {
			return readErr
		}
		doc := schema.Record{Kind: schema.KindWithdraw, Withdraws: []string{all[0].ID()}, Reason: fmt.Sprint(step)}
		written, err = m.h.Write(t.Context(), m.key, []schema.Record{doc}, optionsAt(at))
	case what < 7:
		key := testkit.NewKey(fmt.Sprint("key ", step)).Key()
		keys[key.String()] = true
		_, err = m.h.AddKey(t.Context(), m.key, key, fmt.Sprint(step), false, optionsAt(at))
	case what < 8:
		_, err = m.h.SetProfile(t.Context(), m.key, Profile{Name: fmt.Sprint("name ", step)}, optionsAt(at))
	case what < 9:
		_, err = m.h.Renew(t.Context(), m.key, "renew", nil, optionsAt(at))
	default:
		put(t, m.h, fmt.Sprint("mine/", step), "x\n")
		testkit.Git(t, m.h.Dir(), "add", "mine")
		testkit.Git(t, m.h.Dir(), "commit", "-q", "-m", "mine")
		m.h = reopen(t, m.h)
	}
	if err == nil && written != nil {
		for _, r := range written.Records {
			wrote[r.ID()] = true
		}
	}
	return err
}

// The same over http, with the stock git as the host.
func TestAnyOrderOverHTTP(t *testing.T) {
	t.Parallel()
	r := newRemote(t)
	r.url = testkit.Serve(t, filepath.Dir(r.url)).URL + "/" + filepath.Base(r.url)
	anyOrder(t, r, rand.New(rand.NewPCG(11, 7)), 10)
}

// With a recovery key the owner wins a log back from a thief, from any of the machines.
func TestRaisedEpochOverTheRemote(t *testing.T) {
	t.Parallel()
	r := newRemote(t)
	a := r.first(laptop)
	if _, err := a.AddKey(t.Context(), laptop, offline.Key(), "offline", true, optionsAt(2)); err != nil {
		t.Fatal(err)
	}
	r.sync(a, laptop, 2)
	b := r.join()
	f := newFollower(t, r)
	f.look(3)
	say(t, a, laptop, 4, "one")
	r.sync(a, laptop, 4)
	// The desktop raises the epoch without having seen that head, and drops the laptop's key.
	if _, err := b.Renew(t.Context(), offline, "raise", func(d *schema.Head) error {
		d.Epoch++
		d.Keys = append(slices.Clone(d.Keys[1:]), schema.Key{Key: desktop.Key().String(), Name: "new", State: schema.Active})
		return nil
	}, optionsAt(5)); err != nil {
		t.Fatal(err)
	}
	if got := r.sync(b, stranger, 7); !got.Pushed || got.Overruled.Doc().Seq != 3 { // nothing has to be signed
		t.Errorf("%+v", got)
	}
	f.look(8)
	if doc := f.pin.Head.Doc(); doc.Epoch != 1 || len(doc.Keys) != 2 || len(f.pin.Dropped) != 1 {
		t.Errorf("the follower sees %+v, dropped %v", doc, f.pin.Dropped)
	}
	say(t, b, desktop, 9, "two")
	r.sync(b, desktop, 9)
	r.sync(a, laptop, 10)
	if _, err := a.Write(t.Context(), laptop, []schema.Record{trustDoc("x")}, optionsAt(11)); !errors.Is(err, ErrNotYourKey) {
		t.Errorf("the dropped key signs: %v", err)
	}
}
