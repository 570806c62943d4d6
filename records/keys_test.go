package records

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/distributed-trust/distrust/records/internal/testkit"
	"github.com/distributed-trust/distrust/schema"
	"github.com/distributed-trust/distrust/sshsig"
)

// TestHostileKeys holds single changes of keys to F5.4. The log has an ordinary key that is active, one
// that is retired, one that is compromised, and a recovery key.
func TestHostileKeys(t *testing.T) {
	t.Parallel()
	retired, compromised, fresh := testkit.NewKey("retired"), testkit.NewKey("compromised"), testkit.NewKey("fresh")
	base := []Head{firstHead(
		t, laptop, desktop.Listed(schema.Active, false), offline.Listed(schema.Active, true),
		retired.Listed(schema.Retired, false), compromised.Listed(schema.Compromised, false),
	)}
	bare := []Head{firstHead(t, laptop, desktop.Listed(schema.Active, false))} // no recovery key
	resting := []Head{firstHead(t, laptop, offline.Listed(schema.Retired, true))}
	rename := func(k testkit.Key) edit { return changeKey(k, func(l *schema.Key) { l.Name = "other" }) }
	turn := func(d *schema.Head) { slices.Reverse(d.Keys) }
	for name, row := range map[string]struct {
		chain []Head
		by    testkit.Key
		edits []edit
		want  HeadErrorKind
	}{
		"add an ordinary key":                    {base, laptop, []edit{addKey(fresh, schema.Active, false)}, ""},
		"add two ordinary keys":                  {base, laptop, []edit{addKey(fresh, schema.Active, false), addKey(offline2, schema.Active, false)}, ""},
		"add a key that is known to be bad":      {base, laptop, []edit{addKey(fresh, schema.Compromised, false)}, ""},
		"active to retired":                      {base, laptop, []edit{setState(desktop, schema.Retired)}, ""},
		"active to compromised":                  {base, laptop, []edit{setState(desktop, schema.Compromised)}, ""},
		"retired to compromised":                 {base, laptop, []edit{setState(retired, schema.Compromised)}, ""},
		"one's own key forward":                  {base, laptop, []edit{setState(laptop, schema.Compromised)}, ""},
		"rename an ordinary key":                 {base, laptop, []edit{rename(desktop)}, ""},
		"another order":                          {base, laptop, []edit{turn}, ""},
		"retired to active":                      {base, laptop, []edit{setState(retired, schema.Active)}, BadKeys},
		"compromised to active":                  {base, laptop, []edit{setState(compromised, schema.Active)}, BadKeys},
		"compromised to retired":                 {base, laptop, []edit{setState(compromised, schema.Retired)}, BadKeys},
		"leave a key out":                        {base, laptop, []edit{dropKey(desktop)}, BadKeys},
		"leave a compromised key out":            {base, laptop, []edit{dropKey(compromised)}, BadKeys},
		"leave the recovery key out":             {base, laptop, []edit{dropKey(offline)}, BadKeys},
		"a second recovery key":                  {base, laptop, []edit{addKey(fresh, schema.Active, true)}, BadKeys},
		"make an ordinary key a recovery key":    {base, laptop, []edit{setRecovery(laptop, true)}, BadKeys},
		"make the recovery key ordinary":         {base, laptop, []edit{setRecovery(offline, false)}, BadKeys},
		"retire the recovery key":                {base, laptop, []edit{setState(offline, schema.Retired)}, BadKeys},
		"compromise the recovery key":            {base, laptop, []edit{setState(offline, schema.Compromised)}, BadKeys},
		"rename the recovery key":                {base, laptop, []edit{rename(offline)}, BadKeys},
		"raise the epoch":                        {base, laptop, []edit{raise(1)}, BadEpoch},
		"recovery: a second recovery key":        {base, offline, []edit{addKey(fresh, schema.Active, true)}, ""},
		"recovery: an ordinary key to recovery":  {base, offline, []edit{setRecovery(laptop, true)}, ""},
		"recovery: retire itself":                {base, offline, []edit{setState(offline, schema.Retired)}, ""},
		"recovery: make itself ordinary":         {base, offline, []edit{setRecovery(offline, false)}, ""},
		"recovery: compromised to active":        {base, offline, []edit{setState(compromised, schema.Active)}, ""},
		"recovery: leave a key out":              {base, offline, []edit{dropKey(desktop)}, BadKeys},
		"recovery: leave a key out, in an epoch": {base, offline, []edit{raise(1), dropKey(desktop)}, ""},
		"recovery: everything at once, in an epoch": {base, offline, []edit{
			raise(1), dropKey(desktop), dropKey(laptop), setState(compromised, schema.Active), addKey(fresh, schema.Active, true),
		}, ""},
		"recovery: an epoch alone":            {base, offline, []edit{raise(1)}, ""},
		"recovery: the epoch jumps by two":    {base, offline, []edit{raise(2)}, BadEpoch},
		"recovery: the epoch jumps far":       {base, offline, []edit{raise(1 << 40)}, BadEpoch},
		"the first recovery key":              {bare, desktop, []edit{addKey(offline, schema.Active, true)}, ""},
		"the first one, an ordinary key":      {bare, desktop, []edit{setRecovery(laptop, true)}, ""},
		"the first two at once":               {bare, laptop, []edit{addKey(offline, schema.Active, true), addKey(offline2, schema.Active, true)}, BadKeys},
		"an ordinary key raises the epoch":    {bare, laptop, []edit{raise(1), dropKey(desktop)}, BadEpoch},
		"recovery added and used in one head": {bare, offline, []edit{addKey(offline, schema.Active, true), raise(1)}, NoAuthority},
		"a retired recovery key is not none":  {resting, laptop, []edit{addKey(offline2, schema.Active, true)}, BadKeys},
		"a retired recovery key signs":        {resting, offline, []edit{raise(1)}, NoAuthority},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			next := with(t, row.chain, row.by, row.edits...)
			kept := append(slices.Clone(row.chain), last(next)) // kept, so that only F5.4 is asked
			_, err := Advance(pinned(t, row.chain), Chain{Published: last(next), Kept: kept}, testNow)
			wantKind(t, err, row.want)
			_, err = FirstContact("", kept, last(next), testNow)
			wantKind(t, err, row.want) // a stranger who follows now judges the same
		})
	}
}

// TestHostileRecovery plays thief against owner (F5.4, F5.8). The thief has the ordinary key desktop; the
// recovery key stays with the owner.
func TestHostileRecovery(t *testing.T) {
	t.Parallel()
	base := extend(t, []Head{firstHead(t, laptop, desktop.Listed(schema.Active, false), offline.Listed(schema.Active, true))}, laptop, 3)
	// What the thief publishes on top: an own key, the owner's out of force, more heads.
	theft := with(t, base, desktop, addKey(thief, schema.Active, false), setState(laptop, schema.Compromised))
	theft = extend(t, theft, thief, 9)
	// What the owner publishes on top of the last good head: a new epoch without the stolen key.
	rescue := with(t, base, offline, raise(1), dropKey(desktop))
	rescue = extend(t, rescue, laptop, 6)
	// The same, in a hurry: on top of what the thief did.
	onTop := with(t, theft, offline, raise(1), dropKey(desktop), dropKey(thief), setState(laptop, schema.Active))
	onTop = extend(t, onTop, laptop, 12)

	runAttacks(t, map[string]func(t *testing.T) attack{
		"the thief's first key is an ordinary change": func(t *testing.T) attack {
			return attack{pin: pinned(t, base), got: fetched(theft)}
		},
		"owner after thief, from another chain": func(t *testing.T) attack {
			return attack{pin: pinned(t, theft), got: fetched(rescue)}
		},
		"owner after thief, on the thief's chain": func(t *testing.T) attack {
			return attack{pin: pinned(t, theft), got: fetched(onTop)}
		},
		"owner after thief, nobody saw the thief": func(t *testing.T) attack {
			return attack{pin: pinned(t, base), got: fetched(onTop)}
		},
		"owner after thief, whose kept heads still lie there": func(t *testing.T) attack {
			got := fetched(rescue)
			got.Kept = append(got.Kept, keptOf(theft)[1:]...)
			got.Between = append(slices.Clone(theft), rescue...)
			return attack{pin: pinned(t, theft), got: got}
		},
		"thief after owner": func(t *testing.T) attack {
			return attack{pin: pinned(t, rescue), got: fetched(theft), want: NoAuthority} // no key of the pinned log ever
		},
		"thief after owner, signed with the stolen key": func(t *testing.T) attack {
			return attack{pin: pinned(t, rescue), got: fetched(extend(t, theft, desktop, 40)), want: Rollback}
		},
		"thief after owner, with a higher seq": func(t *testing.T) attack {
			return attack{pin: pinned(t, rescue), got: fetched(extend(t, theft, thief, 40)), want: NoAuthority}
		},
		"thief goes on in the new epoch": func(t *testing.T) attack {
			return attack{pin: pinned(t, rescue), got: fetched(with(t, rescue, thief, addKey(thief, schema.Active, false))), want: NoAuthority}
		},
		"thief goes on in the new epoch with the dropped key": func(t *testing.T) attack {
			return attack{pin: pinned(t, rescue), got: fetched(with(t, rescue, desktop, addKey(desktop, schema.Active, false))), want: NoAuthority}
		},
		"thief raises the epoch": func(t *testing.T) attack {
			c := with(t, base, desktop, raise(1), dropKey(offline), addKey(thief, schema.Active, true))
			return attack{pin: pinned(t, base), got: fetched(c), want: BadEpoch}
		},
		"thief adds a recovery key, then raises the epoch with it": func(t *testing.T) attack {
			c := with(t, base, desktop, addKey(thief, schema.Active, true))
			c = with(t, c, thief, raise(1), dropKey(laptop))
			return attack{pin: pinned(t, base), got: fetched(c), want: BadKeys}
		},
		"without a recovery key the thief adds the first one and skips the chain": func(t *testing.T) attack {
			// The added key is good for heads on the chain only: it does not excuse a fork.
			bare := extend(t, []Head{firstHead(t, laptop, desktop.Listed(schema.Active, false))}, laptop, 5)
			c := with(t, bare[:3], desktop, addKey(thief, schema.Active, true))
			c = extend(t, c, desktop, 6)
			c = with(t, c, desktop, addKey(stranger, schema.Active, false))
			c = with(t, c, thief, raise(1), dropKey(laptop))
			return attack{pin: pinned(t, bare), got: fetched(c), want: Fork}
		},
		"replayed recovery: a genuine one, over itself": func(t *testing.T) attack {
			return attack{pin: pinned(t, rescue), got: fetched(rescue[:4]), want: Rollback}
		},
		"replayed recovery: over a later epoch": func(t *testing.T) attack {
			later := with(t, rescue, offline, raise(1))
			return attack{pin: pinned(t, later), got: fetched(rescue), want: Rollback}
		},
		"replayed recovery: by a recovery key that was replaced": func(t *testing.T) attack {
			moved := with(t, rescue, offline, addKey(offline2, schema.Active, true), setState(offline, schema.Retired))
			again := with(t, rescue, offline, raise(1), dropKey(laptop))
			return attack{pin: pinned(t, moved), got: fetched(again), want: NoAuthority}
		},
		"replayed recovery: of another log": func(t *testing.T) attack {
			other := extend(t, []Head{firstHead(t, desktop, laptop.Listed(schema.Active, false), offline.Listed(schema.Active, true))}, laptop, 3)
			return attack{pin: pinned(t, other), got: fetched(rescue), want: WrongLog}
		},
		"two recoveries at once": func(t *testing.T) attack {
			c := with(t, base, desktop, setState(laptop, schema.Retired))
			c = with(t, c, offline, raise(1), setState(laptop, schema.Active))
			c = with(t, extend(t, c, laptop, 7), offline, raise(1), dropKey(desktop))
			return attack{pin: pinned(t, base), got: fetched(extend(t, c, laptop, 10))}
		},
		"two recoveries, the thief's chain pinned": func(t *testing.T) attack {
			c := with(t, rescue, offline, raise(1))
			return attack{pin: pinned(t, theft), got: fetched(extend(t, c, laptop, 10))}
		},
		"the recovery key was replaced since the pin, on one chain": func(t *testing.T) attack {
			c := with(t, base, offline, addKey(offline2, schema.Active, true), setRecovery(offline, false))
			c = with(t, extend(t, c, laptop, 6), offline2, raise(1), dropKey(desktop))
			return attack{pin: pinned(t, base), got: fetched(extend(t, c, laptop, 9))}
		},
		"an ordinary key became a recovery key since the pin, on one chain": func(t *testing.T) attack {
			c := with(t, base, offline, setRecovery(desktop, true))
			return attack{pin: pinned(t, base), got: fetched(with(t, c, desktop, raise(1), dropKey(laptop)))}
		},
		"a retired recovery key came back since the pin, on one chain": func(t *testing.T) attack {
			c := with(t, base, offline, addKey(offline2, schema.Active, true), setState(offline, schema.Retired))
			d := with(t, c, offline2, setState(offline, schema.Active))
			return attack{pin: pinned(t, c), got: fetched(with(t, d, offline, raise(1), dropKey(laptop)))}
		},
		"the recovery key was replaced since the pin, on another chain": func(t *testing.T) attack {
			c := with(t, base[:2], offline, addKey(offline2, schema.Active, true), setRecovery(offline, false))
			c = with(t, extend(t, c, laptop, 6), offline2, raise(1), dropKey(desktop))
			return attack{pin: pinned(t, base), got: fetched(c), want: NoAuthority}
		},
		"the raised head is not kept": func(t *testing.T) attack {
			got := fetched(rescue)
			got.Kept = without(got.Kept, rescue[3])
			return attack{pin: pinned(t, base), got: got, want: NotKept}
		},
		"the raised head is published and not kept": func(t *testing.T) attack {
			got := fetched(rescue[:4])
			got.Kept = without(got.Kept, rescue[3])
			return attack{pin: pinned(t, base), got: got, want: NotKept}
		},
		"a gap after the raised head": func(t *testing.T) attack {
			got := fetched(rescue)
			got.Between = without(got.Between, rescue[4])
			return attack{pin: pinned(t, theft), got: got, want: Rewrite}
		},
		"the raised head skips numbers of its own chain": func(t *testing.T) attack {
			doc := NextHead(last(base), emptyRoot, 0, testStart, raise(1))
			doc.Seq = 77
			c := append(slices.Clone(base), seal(t, offline, doc))
			return attack{pin: pinned(t, theft), got: fetched(c), want: Rewrite}
		},
		"a first head with a higher epoch": func(t *testing.T) attack {
			doc := base[0].Doc()
			doc.Epoch = 1
			h := seal(t, offline, doc)
			return attack{pin: pinned(t, base), got: Chain{Published: h, Kept: []Head{h}}, want: Fork}
		},
		"a dropped key is taken back by an ordinary key": func(t *testing.T) attack {
			c := with(t, rescue, laptop, addKey(desktop, schema.Active, false))
			return attack{pin: pinned(t, rescue), got: fetched(c), want: BadKeys}
		},
		"a dropped key is listed again as compromised": func(t *testing.T) attack {
			c := with(t, rescue, laptop, addKey(desktop, schema.Compromised, false))
			return attack{pin: pinned(t, rescue), got: fetched(c)}
		},
		"a dropped key is taken back by a recovery key": func(t *testing.T) attack {
			c := with(t, rescue, offline, addKey(desktop, schema.Active, false))
			return attack{pin: pinned(t, rescue), got: fetched(with(t, c, desktop))}
		},
	})

	t.Run("first contact with what the owner rescued", func(t *testing.T) {
		t.Parallel()
		for _, c := range [][]Head{rescue, onTop} {
			if a, err := FirstContact(laptop.Key().Fingerprint(), keptOf(c), last(c), testNow); err != nil {
				t.Error(err)
			} else if !slices.Contains(a.Pin.Dropped, desktop.Text()) {
				t.Error("the stolen key is not among the dropped")
			}
		}
		// A rescue from another chain that counts past the thief's kept heads stands by itself.
		kept := append(keptOf(rescue), keptOf(theft)[1:]...)
		if _, err := FirstContact("", kept, last(rescue), testNow); err != nil {
			t.Error(err)
		}
	})

	t.Run("every way to the rescued log drops the same keys", func(t *testing.T) {
		t.Parallel()
		want, err := FirstContact("", keptOf(onTop), last(onTop), testNow)
		wantKind(t, err, "")
		for i := range onTop {
			a, err := Advance(pinned(t, onTop[:i+1]), fetched(onTop), testNow)
			wantKind(t, err, "")
			if !slices.Equal(a.Pin.Dropped, want.Pin.Dropped) {
				t.Errorf("from head %d: %d keys dropped, at first contact %d", i+1, len(a.Pin.Dropped), len(want.Pin.Dropped))
			}
		}
		if len(want.Pin.Dropped) != 2 {
			t.Errorf("dropped %v", want.Pin.Dropped)
		}
	})
}

// TestHostileDroppedKeys follows the list of dropped keys over two epochs.
func TestHostileDroppedKeys(t *testing.T) {
	t.Parallel()
	c := []Head{firstHead(t, laptop, desktop.Listed(schema.Active, false), thief.Listed(schema.Active, false), offline.Listed(schema.Active, true))}
	pin := pinned(t, c)
	for _, next := range []struct {
		by    testkit.Key
		edits []edit
		want  []testkit.Key
	}{
		{laptop, nil, nil},
		{offline, []edit{raise(1), dropKey(thief)}, []testkit.Key{thief}},
		{offline, []edit{raise(1)}, []testkit.Key{thief}},
		{laptop, []edit{addKey(thief, schema.Compromised, false)}, []testkit.Key{thief}},
		{offline, []edit{raise(1), dropKey(desktop), dropKey(thief)}, []testkit.Key{thief, desktop}},
		{offline, []edit{addKey(desktop, schema.Active, false)}, []testkit.Key{thief}},
		{offline, []edit{raise(1), addKey(thief, schema.Retired, false)}, nil},
	} {
		c = with(t, c, next.by, next.edits...)
		a, err := Advance(pin, fetched(c), testNow)
		wantKind(t, err, "")
		first, err := FirstContact("", keptOf(c), last(c), testNow)
		wantKind(t, err, "")
		var want []string
		for _, k := range next.want {
			want = append(want, k.Text())
		}
		slices.Sort(want)
		if pin = a.Pin; !slices.Equal(pin.Dropped, want) || !slices.Equal(first.Pin.Dropped, want) {
			t.Errorf("head %d: dropped %v, at first contact %v, want %v", len(c), pin.Dropped, first.Pin.Dropped, want)
		}
		seen := map[string]bool{}
		for _, k := range pin.Log().Keys {
			if seen[k.Key] {
				t.Errorf("head %d: the log knows a key twice", len(c))
			}
			seen[k.Key] = true
		}
	}
}

// TestHostileKeyWords holds records of every kind of key to F5.8.
func TestHostileKeyWords(t *testing.T) {
	t.Parallel()
	chain := []Head{firstHead(t, laptop, desktop.Listed(schema.Active, false), offline.Listed(schema.Active, true))}
	log := chain[0].Log()
	mine := sealRecord(t, fileRecord(schema.KindTrust, log.ID, "a", "a", testStart), laptop, log)
	other := sealRecord(t, fileRecord(schema.KindDistrust, log.ID, "b", "b", testStart), desktop, log)
	future := sealRecord(t, fileRecord(schema.KindTrust, log.ID, "c", "c", testStart.Add(1000*time.Hour)), desktop, log)

	check := func(name string, log Log, r Record, want bool) {
		t.Helper()
		if got := log.Void(r); got != want {
			t.Errorf("%s: void is %v", name, got)
		}
		if _, err := Open(r.Envelope(), log); err != nil {
			t.Errorf("%s: does not open: %v", name, err)
		}
	}
	check("active", log, other, false)
	retired := nextHead(t, chain[0], laptop, setState(desktop, schema.Retired)).Log()
	check("retired", retired, other, false)
	check("retired, dated later", retired, future, false)

	stolen := with(t, chain, laptop, setState(desktop, schema.Compromised), func(d *schema.Head) { d.Keep = []string{other.ID()} })
	check("compromised, kept", last(stolen).Log(), other, false)
	check("compromised, not kept", last(stolen).Log(), future, true)
	check("of another key", last(stolen).Log(), mine, false)

	raised := with(t, chain, offline, raise(1), dropKey(desktop), func(d *schema.Head) { d.Keep = []string{future.ID()} })
	a, err := Advance(pinned(t, chain), fetched(raised), testNow)
	wantKind(t, err, "")
	check("dropped by an epoch", a.Pin.Log(), other, true)
	check("dropped by an epoch, kept", a.Pin.Log(), future, false)
	if _, err := Open(other.Envelope(), last(raised).Log()); err == nil {
		t.Error("the head alone does not know the dropped key, yet its record opens")
	}
	if !last(raised).Log().Void(other) {
		t.Error("a record of an unknown key is not void")
	}
}

func TestHasRecovery(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		h    Head
		want bool
	}{
		"none":    {firstHead(t, laptop), false},
		"one":     {firstHead(t, laptop, offline.Listed(schema.Active, true)), true},
		"retired": {firstHead(t, laptop, offline.Listed(schema.Retired, true)), false},
	} {
		if got := c.h.HasRecovery(); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestSignerWithAnotherKey has a signer that answers with another key than it says, as an agent
// that was reloaded may.
func TestSignerWithAnotherKey(t *testing.T) {
	t.Parallel()
	liar := lyingSigner{Signer: laptop, real: desktop}
	if _, err := SealHead(context.Background(), firstHead(t, laptop).Doc(), liar); err == nil {
		t.Error("a head was sealed with another key's signature")
	}
	doc := fileRecord(schema.KindTrust, firstHead(t, laptop).Log().ID, "a", "a", testStart)
	if _, err := Seal(context.Background(), doc, liar); err == nil {
		t.Error("a record was sealed with another key's signature")
	}
}

// lyingSigner says that it is one key and signs with another.
type lyingSigner struct {
	Signer
	real testkit.Key
}

func (s lyingSigner) Sign(ctx context.Context, message []byte, ns sshsig.Namespace) ([]byte, error) {
	return s.real.Sign(ctx, message, ns)
}
