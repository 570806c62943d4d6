package source

import (
	"context"
	"errors"
	"testing"

	"github.com/distributed-trust/distrust/records"
)

// TestKnownLogIsNotVouchedFor points an entry that names no log at somebody else's repository, as whoever
// serves the address can do. That its log was seen here before vouches for nothing: not when it was
// unfollowed, nor when it is followed still and a fingerprint is named.
func TestKnownLogIsNotVouchedFor(t *testing.T) {
	t.Parallel()
	alice, mallory := newForge(t, "alice"), newForge(t, "mallory")
	m := newMachine(t)
	spec := m.follow(mallory)

	named := Spec{Name: "alice", URL: mallory.dir, Fingerprint: alice.key.Fingerprint()}
	var refused *records.HeadError
	wantOther := func(r *Result) {
		t.Helper()
		if !errors.As(r.Err, &refused) || refused.Kind != records.WrongFingerprint {
			t.Errorf("%s: %v", r.State, r.Err)
		}
	}
	wantOther(m.sync(named)[0])
	wantOther(m.first(named, nil))

	if err := Unfollow(context.Background(), m.dirs, spec.Log, testNow, m.apply); err != nil {
		t.Fatal(err)
	}
	unnamed := Spec{Name: "alice", URL: mallory.dir}
	if r := m.sync(unnamed)[0]; !errors.Is(r.Err, ErrFirstUse) {
		t.Errorf("%s: %v", r.State, r.Err)
	}
	asked := 0
	answer := func(yes bool) func(Offer) (bool, error) {
		return func(o Offer) (bool, error) {
			asked++
			return yes && o.Log == mallory.log(), nil
		}
	}
	if r := m.first(unnamed, answer(false)); !errors.Is(r.Err, ErrFirstUse) {
		t.Errorf("%s: %v", r.State, r.Err)
	}
	if !m.pin(spec.Log).Tombstone() {
		t.Error("it is followed again")
	}
	if r := m.first(unnamed, answer(true)); r.State != StateNews || asked != 2 {
		t.Errorf("asked %d times: %s: %v", asked, r.State, r.Err)
	}
}
