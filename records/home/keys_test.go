package home

import (
	"errors"
	"testing"
	"time"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/internal/testkit"
	"github.com/distributed-trust/distrust/schema"
)

func TestRenewAndProfile(t *testing.T) {
	t.Parallel()
	h := newHome(t, laptop)
	say(t, h, laptop, 1, "one")
	written, err := h.Renew(t.Context(), laptop, "renew", nil, optionsAt(60*24*200))
	if err != nil {
		t.Fatal(err)
	}
	if expires := written.Head.Expires(); !expires.Equal(testNow.AddDate(0, 0, 600)) {
		t.Errorf("good until %s", expires)
	}
	profile := Profile{Name: "Other", Contact: "mailto:me@example.org", URL: "https://example.org/x.git", Projects: []string{"pkg:github/me/*"}}
	if written, err = h.SetProfile(t.Context(), laptop, profile, optionsAt(60*24*201)); err != nil || written == nil {
		t.Fatal(written, err)
	}
	if doc := h.Head().Doc(); doc.Name != "Other" || doc.URL != profile.URL || doc.Contact != profile.Contact || len(doc.Projects) != 1 {
		t.Errorf("the head says %+v", doc)
	}
	if written, err = h.SetProfile(t.Context(), laptop, profile, optionsAt(60*24*202)); err != nil || written != nil {
		t.Errorf("the same again: %v %v", written, err)
	}
	boom := errors.New("no")
	if _, err := h.Renew(t.Context(), laptop, "x", func(*schema.Head) error { return boom }, testOptions()); !errors.Is(err, boom) {
		t.Errorf("an edit that fails: %v", err)
	}
	if _, err := h.Renew(t.Context(), stranger, "x", nil, testOptions()); !errors.Is(err, ErrNotYourKey) {
		t.Errorf("a stranger: %v", err)
	}
	stock(t, h)
}

// Keys change as F5.4 has it, and what followers would refuse is never committed.
func TestKeys(t *testing.T) {
	t.Parallel()
	h := newHome(t, laptop)
	add := func(s testkit.Key, key testkit.Key, recovery bool) error {
		_, err := h.AddKey(t.Context(), s, key.Key(), "key", recovery, optionsAt(1))
		return err
	}
	if err := add(laptop, desktop, false); err != nil {
		t.Fatal(err)
	}
	if err := add(laptop, desktop, false); !errors.Is(err, ErrKeyListed) {
		t.Errorf("the same key again: %v", err)
	}
	if err := add(stranger, stranger, false); !errors.Is(err, ErrNotYourKey) {
		t.Errorf("a stranger adds itself: %v", err)
	}
	if err := add(desktop, offline, true); err != nil {
		t.Errorf("the first recovery key: %v", err)
	}
	at := headOf(t, h.Dir())
	if err := add(laptop, phone, true); !errors.Is(err, ErrRecoveryNeeded) {
		t.Errorf("a second recovery key by an ordinary one: %v", err)
	}
	edit := func(s testkit.Key, change func(*schema.Head)) error {
		_, err := h.Renew(t.Context(), s, "x", func(d *schema.Head) error { change(d); return nil }, optionsAt(1))
		return err
	}
	state := func(i int, s schema.KeyState) func(*schema.Head) {
		return func(d *schema.Head) { d.Keys[i].State = s }
	}
	if err := edit(laptop, state(2, schema.Retired)); !errors.Is(err, ErrRecoveryNeeded) {
		t.Errorf("an ordinary key retires the recovery key: %v", err)
	}
	if err := edit(laptop, func(d *schema.Head) { d.Keys = d.Keys[:1] }); !errors.Is(err, ErrRecoveryNeeded) {
		t.Errorf("a key left out: %v", err)
	}
	if err := edit(laptop, func(d *schema.Head) { d.Epoch++ }); !errors.Is(err, ErrRecoveryNeeded) {
		t.Errorf("an epoch raised by an ordinary key: %v", err)
	}
	if now := headOf(t, h.Dir()); now != at {
		t.Error("what was refused was committed")
	}
	if err := add(offline, phone, true); err != nil {
		t.Errorf("a second recovery key by the first: %v", err)
	}
	if err := edit(laptop, state(1, schema.Compromised)); err != nil {
		t.Errorf("a key moved forward: %v", err)
	}
	if err := edit(desktop, state(1, schema.Active)); !errors.Is(err, ErrNotYourKey) {
		t.Errorf("a compromised key signs: %v", err)
	}
	if err := edit(laptop, state(1, schema.Active)); !errors.Is(err, ErrRecoveryNeeded) {
		t.Errorf("a key moved back by an ordinary one: %v", err)
	}
	if err := edit(offline, func(d *schema.Head) { d.Epoch++; d.Keys = d.Keys[2:] }); err != nil {
		t.Errorf("an epoch raised by the recovery key: %v", err)
	}
	kept, err := h.kept(h.sealed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := records.FirstContact("", kept, h.Head(), testNow.Add(time.Hour)); err != nil {
		t.Errorf("a stranger's first contact: %v", err)
	}
	h = reopen(t, h)
	if _, err := h.Write(t.Context(), phone, []schema.Record{trustDoc("one")}, optionsAt(2)); err != nil {
		t.Errorf("writing in the new epoch: %v", err)
	}
	stock(t, h)
}

// Records of a compromised key stay void or come back by keep, and count as F5.8 has it.
func TestUpdateSaysVoid(t *testing.T) {
	t.Parallel()
	h := newHome(t, laptop)
	if _, err := h.AddKey(t.Context(), laptop, desktop.Key(), "d", false, optionsAt(1)); err != nil {
		t.Fatal(err)
	}
	r := say(t, h, desktop, 2, "one")[0]
	if _, err := h.Renew(t.Context(), laptop, "x", func(d *schema.Head) error { d.Keys[1].State = schema.Compromised; return nil }, optionsAt(3)); err != nil {
		t.Fatal(err)
	}
	u, err := h.Update(t.Context(), "")
	if err != nil || len(u.Add) != 1 || !u.Add[0].Void {
		t.Errorf("%+v %v", u, err)
	}
	if _, err := h.Renew(t.Context(), laptop, "x", func(d *schema.Head) error { d.Keep = []string{r.ID()}; return nil }, optionsAt(4)); err != nil {
		t.Fatal(err)
	}
	if u, err := h.Update(t.Context(), ""); err != nil || u.Add[0].Void {
		t.Errorf("kept: %+v %v", u, err)
	}
}

func TestRetireKey(t *testing.T) {
	t.Parallel()
	x := newTheft(t)
	retire := func(by, key testkit.Key) error {
		_, err := x.own.RetireKey(t.Context(), by, key.Key(), optionsAt(8))
		return err
	}
	if err := retire(laptop, offline); !errors.Is(err, ErrRecoveryNeeded) {
		t.Errorf("the recovery key: %v", err)
	}
	if err := retire(laptop, stranger); !errors.Is(err, ErrKeyUnknown) {
		t.Errorf("a key of nobody: %v", err)
	}
	if err := retire(laptop, laptop); err != nil {
		t.Errorf("one's own: %v", err)
	}
	if err := retire(desktop, laptop); !errors.Is(err, ErrKeyState) {
		t.Errorf("once more: %v", err)
	}
	if err := retire(offline, desktop); err != nil {
		t.Error(err)
	}
	if err := retire(offline, offline); !errors.Is(err, ErrLastKey) {
		t.Errorf("the last one: %v", err)
	}
	x.sync(x.own, stranger, 9)
	x.early.look(10)
	for _, r := range mustRecords(t, x.own) {
		if x.own.sealed.log.Void(r) {
			t.Error("what a retired key signed does not count")
		}
	}
}
