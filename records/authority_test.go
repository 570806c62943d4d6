package records

import (
	"strings"
	"testing"

	"github.com/distributed-trust/distrust/records/internal/testkit"
	"github.com/distributed-trust/distrust/schema"
)

func TestHostileAuthority(t *testing.T) {
	t.Parallel()
	base := func(t *testing.T) []Head {
		first := firstHead(t, laptop, desktop.Listed(schema.Active, false), offline.Listed(schema.Active, true))
		return extend(t, []Head{first}, laptop, 3)
	}
	runAttacks(t, map[string]func(t *testing.T) attack{
		"a key that is added, then used": func(t *testing.T) attack {
			c := base(t)
			d := with(t, c, desktop, addKey(offline2, schema.Active, false))
			return attack{pin: pinned(t, c), got: fetched(extend(t, d, offline2, 9))}
		},
		"a key that a head lists itself": func(t *testing.T) attack {
			c := base(t)
			return attack{pin: pinned(t, c), got: fetched(with(t, c, stranger, addKey(stranger, schema.Active, false))), want: NoAuthority}
		},
		"a key that an earlier, not kept head listed": func(t *testing.T) attack {
			c := base(t)
			d := with(t, c, laptop, addKey(stranger, schema.Active, false))
			d = extend(t, d, stranger, 7)
			got := fetched(d)
			got.Kept = keptOf(c)
			return attack{pin: pinned(t, c), got: got, want: NoAuthority}
		},
		"a retired key": func(t *testing.T) attack {
			c := with(t, base(t), laptop, setState(desktop, schema.Retired))
			return attack{pin: pinned(t, c), got: fetched(with(t, c, desktop)), want: NoAuthority}
		},
		"a compromised key": func(t *testing.T) attack {
			c := with(t, base(t), laptop, setState(desktop, schema.Compromised))
			return attack{pin: pinned(t, c), got: fetched(with(t, c, desktop)), want: NoAuthority}
		},
		"a key retired on the way": func(t *testing.T) attack {
			c := base(t)
			d := with(t, c, laptop, setState(desktop, schema.Retired))
			return attack{pin: pinned(t, c), got: fetched(with(t, d, desktop)), want: NoAuthority}
		},
		"a key retires itself": func(t *testing.T) attack {
			c := base(t)
			d := with(t, c, desktop, setState(desktop, schema.Retired))
			return attack{pin: pinned(t, c), got: fetched(with(t, d, laptop))}
		},
		"the signer is inactive in the middle, hidden by a good end": func(t *testing.T) attack {
			c := with(t, base(t), laptop, setState(desktop, schema.Retired))
			d := with(t, c, desktop)
			return attack{pin: pinned(t, c), got: fetched(with(t, d, laptop)), want: NoAuthority}
		},
		"keys change and the copy is missing": func(t *testing.T) attack {
			c := base(t)
			d := with(t, c, laptop, addKey(stranger, schema.Active, false))
			got := fetched(d)
			got.Kept = keptOf(c)
			return attack{pin: pinned(t, c), got: got, want: NotKept}
		},
		"keys change on the way and the copy is missing": func(t *testing.T) attack {
			c := base(t)
			d := with(t, c, laptop, addKey(stranger, schema.Active, false))
			d = extend(t, d, laptop, 7)
			got := fetched(d)
			got.Kept = keptOf(c)
			return attack{pin: pinned(t, c), got: got, want: NotKept}
		},
		"keys change for one head and back, and no copy is kept": func(t *testing.T) attack {
			c := base(t)
			d := with(t, c, laptop, setState(desktop, schema.Retired))
			d = with(t, d, laptop, setState(desktop, schema.Active))
			got := fetched(d)
			got.Kept = keptOf(c)
			return attack{pin: pinned(t, c), got: got, want: NotKept}
		},
		"a kept head beside the chain lends it a key": func(t *testing.T) attack {
			// Head 4 says two things: on the chain nothing about keys, under keys/ it adds one.
			c := base(t)
			plain := with(t, c, laptop)
			adds := last(with(t, c, laptop, addKey(stranger, schema.Active, false)))
			keys := adds.Doc().Keys
			end := with(t, plain, stranger, func(d *schema.Head) { d.Keys = keys })
			// The head that uses the key is kept as well, so each kept head is well signed by the last.
			got := Chain{Published: last(end), Kept: append(keptOf(c), adds, last(end)), Between: end}
			return attack{pin: pinned(t, c), got: got, want: NoAuthority}
		},
		"a kept head beside the chain": func(t *testing.T) attack {
			c := base(t)
			d := extend(t, c, laptop, 6)
			got := fetched(d)
			got.Kept = append(got.Kept, last(with(t, c, desktop)))
			return attack{pin: pinned(t, c), got: got, want: Fork}
		},
		"two heads at the published place": func(t *testing.T) attack {
			c := base(t)
			d := with(t, c, laptop)
			got := fetched(d)
			got.Kept = append(got.Kept, last(with(t, c, desktop)))
			return attack{pin: pinned(t, c), got: got, want: Fork}
		},
		"a stranger's file under keys/": func(t *testing.T) attack {
			c := base(t)
			d := extend(t, c, laptop, 6)
			got := fetched(d)
			got.Kept = append(got.Kept, last(with(t, c, stranger, addKey(stranger, schema.Active, false))))
			return attack{pin: pinned(t, c), got: got, want: NoAuthority}
		},
		"a claimed log": func(t *testing.T) attack {
			c := base(t)
			fake := firstHead(t, stranger).Doc()
			fake.Log, fake.Seq, fake.Prev = last(c).doc.Log, last(c).doc.Seq+1, last(c).ID()
			return attack{pin: pinned(t, c), got: fetched(append(c, seal(t, stranger, fake))), want: NoAuthority}
		},
		"another log": func(t *testing.T) attack {
			c := base(t)
			return attack{pin: pinned(t, c), got: fetched([]Head{firstHead(t, stranger)}), want: WrongLog}
		},
		"another salt": func(t *testing.T) attack {
			c := base(t)
			doc := NextHead(last(c), emptyRoot, 0, testStart, nil)
			doc.Salt = strings.Repeat("0", 32)
			return attack{pin: pinned(t, c), got: fetched(append(c, seal(t, laptop, doc))), want: WrongLog}
		},
		"another salt on the way": func(t *testing.T) attack {
			c := base(t)
			doc := NextHead(last(c), emptyRoot, 0, testStart, nil)
			doc.Salt = strings.Repeat("0", 32)
			middle := seal(t, laptop, doc)
			doc = NextHead(middle, emptyRoot, 0, testStart, nil)
			doc.Salt = testkit.Salt
			return attack{pin: pinned(t, c), got: fetched(append(c, middle, seal(t, laptop, doc))), want: WrongLog}
		},
	})
}
