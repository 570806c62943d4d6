package index

import (
	"context"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/distributed-trust/distrust/records/trust"
	"github.com/distributed-trust/distrust/schema"
)

// TestTouched: over random worlds and small changes of them, no decision becomes another one that the
// change is not said to bear on; and most changes are said to bear on little.
func TestTouched(t *testing.T) {
	t.Parallel()
	worlds := 5
	if testing.Short() {
		worlds = 3
	}
	var asked, bears, other int
	for seed := range worlds {
		d, w := newWorld(t, uint64(1000+seed))
		var said []Entry
		for _, all := range w.all {
			said = append(said, all...)
		}
		var queries []trust.Query
		for range 30 {
			queries = append(queries, d.query())
		}
		now := time.Unix(worldNow+5000, 0)
		before := w.decisions(t, queries, now)
		for range 12 {
			u := w.small(d, &said)
			touched := take(t, w.dir, u)
			after := w.decisions(t, queries, now)
			for i, q := range queries {
				asked++
				changed := !reflect.DeepEqual(before[i], after[i])
				switch {
				case touched.Bears(q):
					bears++
				case changed:
					t.Fatalf("seed %d, query %+v, update %+v:\nbefore %+v\nafter %+v", seed, q, u, before[i], after[i])
				}
				if changed {
					other++
				}
				if changed && touched.None() {
					t.Fatal("a change that touches nothing changed a decision")
				}
			}
			before = after
		}
	}
	if other == 0 || bears == asked || bears < other {
		t.Errorf("%d decisions, %d said to be touched, %d changed", asked, bears, other)
	}
	t.Logf("%d decisions, %d said to be touched, %d changed", asked, bears, other)
}

// take applies one update, and gives what it touches.
func take(t testing.TB, d Dir, u Update) *Touched {
	t.Helper()
	ctx := context.Background()
	w, err := Begin(d)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := w.Update(ctx, u); err != nil {
		t.Fatal(err)
	}
	touched, err := w.Touched()
	if err == nil {
		err = w.Commit(ctx, Config{})
	}
	if err != nil {
		t.Fatal(err)
	}
	return touched
}

// small makes one log say one thing more, or take one away.
func (w *world) small(d dice, said *[]Entry) Update {
	l := w.logs[d.IntN(len(w.logs))]
	u := l.update()
	have := w.all[l.id()]
	if len(have) > 0 && d.chance(3) {
		at := d.IntN(len(have))
		u.Remove = []string{have[at].Record.ID()}
		w.all[l.id()] = append(have[:at:at], have[at+1:]...)
		return u
	}
	doc := d.said(*said)
	for doc.Issued.Unix() > worldNow && !d.chance(10) { // what is newer than its head touches everything
		doc = d.said(*said)
	}
	e := l.entry(doc)
	u.Add = []Entry{e}
	w.all[l.id()] = append(have, e)
	*said = append(*said, e)
	return u
}

// decisions decides queries in the index as it is.
func (w *world) decisions(t testing.TB, queries []trust.Query, now time.Time) []trust.Decision {
	t.Helper()
	g, err := Open(w.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	net := w.indexed(t, g)
	var all []trust.Decision
	for _, q := range queries {
		statements, _, err := g.Candidates(q, trust.DefaultPolicy())
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, trust.Decide(q, statements, net, trust.DefaultPolicy(), now))
	}
	return all
}

// TestTouchedNarrow: a record about one file bears on that file, and on those of its name alone.
func TestTouchedNarrow(t *testing.T) {
	t.Parallel()
	d := testDir(t)
	l := newLog(t, "alice")
	apply(t, d, l.update(l.entry(trusted("known.txt", "known"))))
	report := func(edit func(*schema.Record)) Entry {
		r := trusted("one.txt", "one")
		edit(&r)
		return l.entry(r)
	}
	one, other := fileQuery("one.txt", "one"), fileQuery("other.txt", "other")
	ofProject := other
	ofProject.Project = "pkg:pypi/x"
	malware := func(s schema.Subject) func(*schema.Record) {
		return func(r *schema.Record) {
			r.Kind, r.Category, r.Subjects = schema.KindDistrust, schema.Malware, []schema.Subject{s}
		}
	}
	for name, test := range map[string]struct {
		entry                 Entry
		one, other, ofProject bool
	}{
		"trust in a file":      {report(func(*schema.Record) {}), true, false, false},
		"a report on a file":   {report(malware(trusted("one.txt", "one").Subjects[0])), true, false, false},
		"a report on a signer": {report(malware(schema.Subject{Signer: "ssh:" + l.key.Key().String(), Size: -1})), false, false, true},
		"a report on a name":   {report(malware(schema.Subject{Project: "pkg:pypi/x", Size: -1})), true, true, true},
	} {
		u := l.update(test.entry)
		touched := take(t, d, u)
		have := fmt.Sprint(touched.Bears(one), touched.Bears(other), touched.Bears(ofProject))
		if want := fmt.Sprint(test.one, test.other, test.ofProject); have != want {
			t.Errorf("%s bears on %s, want %s", name, have, want)
		}
	}
	if touched := take(t, d, l.update()); !touched.None() {
		t.Error("an update with nothing new touches something")
	}
	known := l.entry(trusted("known.txt", "known"))
	take1 := take(t, d, l.update(l.entry(schema.Record{Kind: schema.KindWithdraw, Withdraws: []string{known.Record.ID()}})))
	if !take1.Bears(fileQuery("known.txt", "known")) || take1.Bears(other) {
		t.Error("what takes a record back does not bear on what that is about alone")
	}
	if touched := take(t, d, Update{Log: l.id(), Drop: true}); !touched.Bears(other) {
		t.Error("a log that goes bears on everything")
	}
}
