package records

import (
	"slices"
	"testing"

	"github.com/distributed-trust/distrust/schema"
)

// TestHostileRepin puts another head in the pin's place on request: only a state of the same log, and never
// one that a compromised key made.
func TestHostileRepin(t *testing.T) {
	t.Parallel()
	first := firstHead(t, laptop, desktop.Listed(schema.Active, false), offline.Listed(schema.Active, true))
	long := extend(t, []Head{first}, laptop, 4)
	short := long[:2]
	other := with(t, long[:3], desktop) // another head of seq 4
	closed := with(t, long, desktop, setState(laptop, schema.Compromised))
	stolen := with(t, long, laptop, addKey(thief, schema.Active, false))
	raised := with(t, long, offline, dropKey(laptop), raise(1))
	for _, c := range []struct {
		name    string
		pin     Head
		to      []Head
		want    HeadErrorKind
		dropped []string
	}{
		{name: "a rollback", pin: last(long), to: short},
		{name: "a fork", pin: last(long), to: other},
		{name: "another log", pin: last(long), to: []Head{firstHead(t, desktop)}, want: WrongLog},
		{name: "back behind a recovery", pin: last(raised), to: other, want: BadEpoch},
		{name: "signed by a key that was compromised", pin: last(closed), to: short, want: NoAuthority},
		{name: "a head between signed by such a key", pin: last(closed), to: with(t, stolen, thief), want: NoAuthority},
		{name: "back to before a key was compromised", pin: last(closed), to: other, dropped: []string{laptop.Text()}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			pin := Pin{Head: c.pin}
			known := []string{first.ID()}
			got, err := Repin(pin, known, keptOf(c.to), last(c.to), testNow)
			wantKind(t, err, c.want)
			if c.want != "" {
				return
			}
			if got.Pin.Head.ID() != last(c.to).ID() || !slices.Equal(got.Pin.Dropped, c.dropped) {
				t.Errorf("pinned head %d, dropped %v", got.Pin.Head.doc.Seq, got.Pin.Dropped)
			}
		})
	}
}

// TestRepinKeepsMarks goes back to before a key was compromised, and on from there: the key stays
// compromised, whatever ordinary keys say, until a recovery key takes it back.
func TestRepinKeepsMarks(t *testing.T) {
	t.Parallel()
	first := firstHead(t, laptop, desktop.Listed(schema.Active, false), offline.Listed(schema.Active, true))
	closed := with(t, []Head{first}, desktop, setState(laptop, schema.Compromised))
	back := with(t, []Head{first}, desktop)
	accepted, err := Repin(Pin{Head: last(closed)}, []string{first.ID()}, keptOf(back), last(back), testNow)
	wantKind(t, err, "")
	state := func(p Pin) schema.KeyState {
		k, _ := findKey(p.Log().Keys, laptop.Text())
		return k.State
	}
	if got := state(accepted.Pin); got != schema.Compromised {
		t.Errorf("the compromised key is %s", got)
	}
	on := with(t, back, desktop)
	accepted, err = Advance(accepted.Pin, fetched(on), testNow)
	wantKind(t, err, "")
	if got := state(accepted.Pin); got != schema.Compromised {
		t.Errorf("one head later the compromised key is %s", got)
	}
	_, err = Advance(accepted.Pin, fetched(with(t, on, laptop)), testNow)
	wantKind(t, err, NoAuthority)
	again := with(t, on, offline)
	accepted, err = Advance(accepted.Pin, fetched(again), testNow)
	wantKind(t, err, "")
	if got := state(accepted.Pin); got != schema.Active {
		t.Errorf("a recovery key listed it as active, and it is %s", got)
	}
}
