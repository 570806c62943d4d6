package records

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/distributed-trust/distrust/schema"
)

// attack is one row of the tables below: what a follower has pinned, what it fetched, and which
// rule refuses it. The empty kind means that it must be accepted.
type attack struct {
	pin  Pin
	got  Chain
	now  time.Time // zero: testNow
	want HeadErrorKind
}

func runAttacks(t *testing.T, rows map[string]func(t *testing.T) attack) {
	t.Helper()
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := row(t)
			now := a.now
			if now.IsZero() {
				now = testNow
			}
			accepted, err := Advance(a.pin, a.got, now)
			wantKind(t, err, a.want)
			if err != nil {
				if !accepted.Pin.Head.IsZero() {
					t.Fatal("a refusal came with a pin")
				}
				var e *HeadError
				if errors.As(err, &e) && e.Pinned.IsZero() {
					t.Fatalf("%v: without the head that it was held against", err)
				}
				return
			}
			if accepted.Pin.Head.ID() != a.got.Published.ID() {
				t.Fatalf("accepted %s, published was %s", accepted.Pin.Head.ID(), a.got.Published.ID())
			}
		})
	}
}

// pinned is a pin as first contact makes it at the end of a chain.
func pinned(t testing.TB, chain []Head) Pin {
	t.Helper()
	a, err := FirstContact("", keptOf(chain), last(chain), testNow)
	if err != nil {
		t.Fatalf("first contact with an honest chain: %v", err)
	}
	return a.Pin
}

func TestHostileOrder(t *testing.T) {
	t.Parallel()
	base := func(t *testing.T) []Head {
		return extend(t, []Head{firstHead(t, laptop, desktop.Listed(schema.Active, false))}, laptop, 5)
	}
	runAttacks(t, map[string]func(t *testing.T) attack{
		"the next head": func(t *testing.T) attack {
			c := base(t)
			return attack{pin: pinned(t, c), got: fetched(extend(t, c, laptop, 6))}
		},
		"many heads later, by another key": func(t *testing.T) attack {
			c := base(t)
			return attack{pin: pinned(t, c), got: fetched(extend(t, c, desktop, 20))}
		},
		"the heads between are kept ones only": func(t *testing.T) attack {
			c := base(t)
			d := with(t, c, laptop, addKey(offline, schema.Active, false))
			d = with(t, d, laptop, setState(offline, schema.Retired))
			got := fetched(d)
			got.Between = nil
			return attack{pin: pinned(t, c), got: got}
		},
		"nothing new": func(t *testing.T) attack {
			c := base(t)
			return attack{pin: pinned(t, c), got: fetched(c)}
		},
		"nothing new, and the kept heads are gone": func(t *testing.T) attack {
			c := base(t)
			return attack{pin: pinned(t, c), got: Chain{Published: last(c)}}
		},
		"rollback": func(t *testing.T) attack {
			c := base(t)
			return attack{pin: pinned(t, c), got: fetched(c[:3]), want: Rollback}
		},
		"rollback to seq 1": func(t *testing.T) attack {
			c := base(t)
			return attack{pin: pinned(t, c), got: fetched(c[:1]), want: Rollback}
		},
		"rollback made up by a stranger proves nothing": func(t *testing.T) attack {
			c := base(t)
			fake := with(t, c[:2], stranger, addKey(stranger, schema.Active, false))
			return attack{pin: pinned(t, c), got: fetched(fake), want: NoAuthority}
		},
		"fork at the pin's own place": func(t *testing.T) attack {
			c := base(t)
			other := with(t, c[:4], desktop)
			return attack{pin: pinned(t, c), got: fetched(other), want: Fork}
		},
		"fork at the pin's own place made up by a stranger": func(t *testing.T) attack {
			c := base(t)
			other := with(t, c[:4], stranger, addKey(stranger, schema.Active, false))
			return attack{pin: pinned(t, c), got: fetched(other), want: NoAuthority}
		},
		"a longer chain that does not meet the pin": func(t *testing.T) attack {
			c := base(t)
			other := extend(t, with(t, c[:4], desktop), laptop, 9)
			return attack{pin: pinned(t, c), got: fetched(other), want: Fork}
		},
		"a chain that left long before the pin": func(t *testing.T) attack {
			c := base(t)
			other := extend(t, with(t, c[:1], desktop), laptop, 9)
			return attack{pin: pinned(t, c), got: fetched(other), want: Fork}
		},
		"a fork whose heads at and before the pin are not shown": func(t *testing.T) attack {
			c := base(t)
			other := extend(t, with(t, c[:4], desktop), laptop, 7)
			got := fetched(other)
			got.Between = other[5:]
			return attack{pin: pinned(t, c), got: got, want: Fork}
		},
		"another chain of one's own with the same name": func(t *testing.T) attack {
			c := base(t)
			other := []Head{firstHead(t, laptop, desktop.Listed(schema.Retired, false))}
			other = extend(t, other, laptop, 9)
			return attack{pin: pinned(t, c), got: fetched(other), want: Fork}
		},
		"gap": func(t *testing.T) attack {
			c := base(t)
			d := extend(t, c, laptop, 9)
			got := fetched(d)
			got.Between = without(d, d[6])
			return attack{pin: pinned(t, c), got: got, want: Rewrite}
		},
		"gap right after the pin": func(t *testing.T) attack {
			c := base(t)
			d := extend(t, c, laptop, 7)
			got := fetched(d)
			got.Between = without(d, d[5])
			return attack{pin: pinned(t, c), got: got, want: Rewrite}
		},
		"squashed: only the last head is left": func(t *testing.T) attack {
			c := base(t)
			d := extend(t, c, laptop, 9)
			got := fetched(d)
			got.Between = nil
			return attack{pin: pinned(t, c), got: got, want: Rewrite}
		},
		"skipped numbers": func(t *testing.T) attack {
			c := base(t)
			d := with(t, c, laptop)
			doc := NextHead(last(d), emptyRoot, 0, testStart.Add(time.Hour), nil)
			doc.Seq = 1 << 50
			d = append(d, seal(t, laptop, doc))
			return attack{pin: pinned(t, c), got: fetched(d), want: Rewrite}
		},
		"skipped numbers right after the pin": func(t *testing.T) attack {
			c := base(t)
			doc := NextHead(last(c), emptyRoot, 0, testStart.Add(time.Hour), nil)
			doc.Seq = 7
			return attack{pin: pinned(t, c), got: fetched(append(c, seal(t, laptop, doc))), want: Rewrite}
		},
		"the largest seq at once": func(t *testing.T) attack {
			c := base(t)
			doc := NextHead(last(c), emptyRoot, 0, testStart.Add(time.Hour), nil)
			doc.Seq, doc.Prev = 1e15, strings.Repeat("ab", 32)
			return attack{pin: pinned(t, c), got: fetched(append(c, seal(t, laptop, doc))), want: Rewrite}
		},
		"a number twice on one chain": func(t *testing.T) attack {
			c := base(t)
			doc := NextHead(last(c), emptyRoot, 0, testStart.Add(time.Hour), nil)
			doc.Seq = 5
			again := seal(t, laptop, doc)
			return attack{pin: pinned(t, c), got: fetched(append(c, again)), want: Fork}
		},
		"files in keys/ above the head are ignored": func(t *testing.T) attack {
			c := base(t)
			got := fetched(extend(t, c, laptop, 6))
			above := extend(t, []Head{firstHead(t, stranger)}, stranger, 9)
			got.Kept = append(got.Kept, above[8])
			return attack{pin: pinned(t, c), got: got}
		},
		"an unsealed part of the chain": func(t *testing.T) attack {
			c := base(t)
			d := extend(t, c, laptop, 9)
			got := fetched(d[:7]) // heads 8 and 9 were found, but their sets do not fit
			got.Between = d
			return attack{pin: pinned(t, c), got: got}
		},
		"no pin": func(t *testing.T) attack {
			c := base(t)
			_, err := Advance(Pin{}, fetched(c), testNow)
			wantKind(t, err, WrongLog)
			return attack{pin: pinned(t, c), got: fetched(c)}
		},
	})
}

func TestHostileTime(t *testing.T) {
	t.Parallel()
	base := func(t *testing.T) []Head { return extend(t, []Head{firstHead(t, laptop)}, laptop, 2) }
	at := func(when time.Time) edit {
		return func(d *schema.Head) { d.Issued, d.Expires = when, when.Add(time.Hour) }
	}
	runAttacks(t, map[string]func(t *testing.T) attack{
		"an hour ahead": func(t *testing.T) attack {
			c := base(t)
			return attack{pin: pinned(t, c), got: fetched(with(t, c, laptop, at(testNow.Add(time.Hour))))}
		},
		"more than an hour ahead": func(t *testing.T) attack {
			c := base(t)
			return attack{pin: pinned(t, c), got: fetched(with(t, c, laptop, at(testNow.Add(time.Hour+time.Second)))), want: Future}
		},
		"a wrong clock that was set right since": func(t *testing.T) attack {
			c := base(t)
			d := with(t, c, laptop, at(testNow.Add(48*time.Hour)))
			return attack{pin: pinned(t, c), got: fetched(with(t, d, laptop))}
		},
		"an expired head is accepted: stale, not refused": func(t *testing.T) attack {
			c := base(t)
			return attack{pin: pinned(t, c), got: fetched(with(t, c, laptop)), now: testNow.Add(500 * 24 * time.Hour)}
		},
	})
	first := base(t)[0]
	_, err := FirstContact("", []Head{first}, first, testStart.Add(-2*time.Hour))
	wantKind(t, err, Future)
}

func TestExpires(t *testing.T) {
	t.Parallel()
	head := func(life time.Duration) Head {
		return nextHead(t, firstHead(t, laptop), laptop, func(d *schema.Head) { d.Expires = d.Issued.Add(life) })
	}
	day := 24 * time.Hour
	for life, want := range map[time.Duration]time.Duration{
		time.Hour:               time.Hour,
		400 * day:               400 * day,
		400*day + time.Second:   400 * day,
		20 * 365 * day:          400 * day,
		400*day - 1*time.Second: 400*day - 1*time.Second,
	} {
		h := head(life)
		if got := h.Expires().Sub(h.Doc().Issued); got != want {
			t.Errorf("a head for %s lives %s, want %s", life, got, want)
		}
		if h.Stale(h.Expires().Add(-time.Second)) || !h.Stale(h.Expires()) {
			t.Errorf("a head for %s is not stale exactly from its expiry on", life)
		}
	}
}

func TestAccepted(t *testing.T) {
	t.Parallel()
	c := extend(t, []Head{firstHead(t, laptop, offline.Listed(schema.Active, true))}, laptop, 3)
	d := extend(t, c, laptop, 6)
	a, err := Advance(pinned(t, c), fetched(d), testNow)
	wantKind(t, err, "")
	ids := func(heads []Head) (out []string) {
		for _, h := range heads {
			out = append(out, h.ID())
		}
		return out
	}
	if !slices.Equal(ids(a.Chain), ids(d[3:])) || a.Unchanged || a.Raised {
		t.Fatalf("got %+v", a)
	}
	if a, err = Advance(a.Pin, fetched(d), testNow); err != nil || !a.Unchanged || len(a.Chain) != 0 {
		t.Fatalf("the second time: %+v, %v", a, err)
	}
	e := with(t, d, offline, raise(1), dropKey(laptop), addKey(desktop, schema.Active, false))
	e = with(t, e, desktop)
	if a, err = Advance(a.Pin, fetched(e), testNow); err != nil || !a.Raised {
		t.Fatalf("after recovery: %+v, %v", a, err)
	}
	if !slices.Equal(ids(a.Chain), ids(e[6:])) {
		t.Fatalf("after recovery: %d new heads", len(a.Chain))
	}
	if !slices.Equal(a.Pin.Dropped, []string{laptop.Text()}) {
		t.Fatalf("dropped: %v", a.Pin.Dropped)
	}
	log := a.Pin.Log()
	if k, _ := findKey(log.Keys, laptop.Text()); k.State != schema.Compromised {
		t.Fatalf("the dropped key is %q", k.State)
	}
}

func TestEvidence(t *testing.T) {
	t.Parallel()
	c := extend(t, []Head{firstHead(t, laptop, desktop.Listed(schema.Active, false))}, laptop, 4)
	other := with(t, c[:3], desktop)
	_, err := Advance(pinned(t, c), fetched(extend(t, other, laptop, 6)), testNow)
	var e *HeadError
	if !errors.As(err, &e) {
		t.Fatal(err)
	}
	if e.Pinned.ID() != c[3].ID() || e.Got.ID() != other[3].ID() {
		t.Fatalf("a fork shows heads %d and %d, want the two with seq 4", e.Pinned.Doc().Seq, e.Got.Doc().Seq)
	}
	for _, h := range []Head{e.Pinned, e.Got} {
		yaml, sig := h.Bytes()
		if _, err := OpenHead("evidence", yaml, sig); err != nil {
			t.Fatalf("the evidence does not verify: %v", err)
		}
	}
	if want := "judging head 4: fork: "; !strings.HasPrefix(err.Error(), want) {
		t.Fatalf("%q does not begin with %q", err, want)
	}

	d := extend(t, c, laptop, 9)
	got := fetched(d)
	got.Between = without(d, d[6])
	_, err = Advance(pinned(t, c), got, testNow)
	if !errors.As(err, &e) || e.Missing != 7 || e.Got.ID() != last(d).ID() {
		t.Fatalf("a gap: %+v", err)
	}
}
