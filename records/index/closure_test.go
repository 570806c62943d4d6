package index

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/internal/testkit"
	"github.com/distributed-trust/distrust/records/trust"
	"github.com/distributed-trust/distrust/schema"
)

// dice makes random worlds; everything comes from its seed.
type dice struct {
	*rand.Rand
	t testing.TB
}

func pick[T any](d dice, values ...T) T { return values[d.IntN(len(values))] }

func (d dice) chance(n int) bool { return d.IntN(n) == 0 }

var (
	worldProjects = []string{"pkg:pypi/requests", "pkg:pypi/other", "pkg:npm/%40s/n"}
	worldPatterns = []string{"pkg:pypi/requests", "pkg:pypi/*", "pkg:npm/*", "pkg:npm/%40s/*", "*"}
	worldVersions = []string{"1.0", "2.0"}
	worldFiles    = []string{"a.tar.gz", "b.tar.gz"}
	worldContents = []string{"one", "two", "three"}
	worldCommits  = []string{"aa", "bb"}
	worldSigners  = []string{"ned", "eve"}
)

const worldNow = int64(1795255200) // testStart

func (d dice) signer() string {
	return "ssh:" + testkit.NewKey(pick(d, worldSigners...)).Key().String()
}

func (d dice) content() schema.Digest {
	digest := testkit.Digest(pick(d, worldContents...))
	if d.chance(3) { // a second digest, sometimes of other bytes
		digest.SHA512 = testkit.Digest(pick(d, worldContents...)+"!").SHA256 + testkit.Digest(pick(d, worldContents...)+"?").SHA256
	}
	return digest
}

func (d dice) commit() schema.GitID {
	id := ""
	for part := pick(d, worldCommits...); len(id) < 40; {
		id += part
	}
	if d.chance(3) {
		return schema.GitID{Tree: id}
	}
	return schema.GitID{Commit: id}
}

func (d dice) subject(kind schema.Kind) schema.Subject {
	s := schema.Subject{Size: -1}
	switch n := d.IntN(9); {
	case n == 0:
		s.Signer = d.signer()
		if kind == schema.KindTrust {
			s.Pattern = []string{pick(d, worldPatterns...)}
			if other := pick(d, worldPatterns...); d.chance(2) && other != s.Pattern[0] {
				s.Pattern = append(s.Pattern, other)
			}
		}
	case n == 1:
		s.Git = d.commit()
	case n <= 3 && kind == schema.KindDistrust:
		s.Release = pick(d, worldProjects...) + "@" + pick(d, worldVersions...)
	case n == 4 && kind == schema.KindDistrust:
		s.Project = pick(d, worldProjects...)
	default:
		s.File, s.Digest = pick(d, append(worldFiles, "")...), d.content()
		if d.chance(4) {
			s.Size = int64(d.IntN(3))
		}
	}
	return s
}

// said is what somebody says: all that a query can need, and what it must not be misled by.
func (d dice) said(before []Entry) schema.Record {
	r := schema.Record{
		Kind: pick(d, schema.KindTrust, schema.KindTrust, schema.KindDistrust), Reason: fmt.Sprint(d.Uint64()),
		Issued: time.Unix(worldNow+pick(d, -100, -50, 0, 1, 60, 4000, int64(d.IntN(200))-100), 0).UTC(),
	}
	if len(before) > 0 && d.chance(5) {
		r.Kind = schema.KindWithdraw
		for range 1 + d.IntN(2) {
			if id := pick(d, before...).Record.ID(); !slices.Contains(r.Withdraws, id) {
				r.Withdraws = append(r.Withdraws, id)
			}
		}
		return r
	}
	if d.chance(3) {
		r.Strength = 1 + d.IntN(100)
	}
	if d.chance(2) {
		r.Project = pick(d, worldProjects...)
		if d.chance(2) {
			r.Version = pick(d, worldVersions...)
		}
	}
	for range 1 + d.IntN(3) {
		r.Subjects = append(r.Subjects, d.subject(r.Kind))
	}
	if r.Kind == schema.KindDistrust {
		r.Category = pick(d, schema.Categories()...)
		return r
	}
	if d.chance(4) {
		r.Expires = r.Issued.Add(time.Duration(1+d.IntN(200)) * time.Second)
	}
	for _, e := range before {
		if e.Record.Kind() == schema.KindDistrust && d.chance(4) {
			r.Seen = append(r.Seen, e.Record.ID())
		}
	}
	return r
}

// world is some logs and all that they say, in an index and beside it.
type world struct {
	dir  Dir
	logs []testLog // the home and the private log first
	all  map[string][]Entry
	net  trust.Network
}

// newWorld makes a random world in several generations.
func newWorld(t testing.TB, seed uint64) (dice, *world) {
	d := dice{rand.New(rand.NewPCG(seed, 3)), t}
	w := &world{dir: testDir(t), all: map[string][]Entry{}}
	w.logs = []testLog{newLog(t, "home"), newPrivate(t, "private")}
	for i := range 2 + d.IntN(3) {
		w.logs = append(w.logs, newLog(t, fmt.Sprint("source ", i)))
	}
	var said []Entry
	for range 1 + d.IntN(3) { // generations
		var updates []Update
		for i := range w.logs {
			if d.chance(3) && len(w.all) > 0 {
				continue
			}
			u := w.change(d, i, &said)
			updates = append(updates, u)
		}
		apply(t, w.dir, updates...)
	}
	if d.chance(4) {
		if _, err := Rebuild(context.Background(), w.dir, Config{}); err != nil {
			t.Fatal(err)
		}
	}
	w.follow(d)
	return d, w
}

// change makes one log say something, and sometimes take something back without a word.
func (w *world) change(d dice, i int, said *[]Entry) Update {
	l := &w.logs[i]
	if i > 1 && d.chance(5) {
		l.keys.Keys = slices.Clone(l.keys.Keys)
		l.keys.Keys[0].State = schema.Compromised
		for _, e := range w.all[l.id()] {
			if d.chance(2) {
				l.keys.Keep = append(l.keys.Keep, e.Record.ID())
			}
		}
	}
	u := l.update()
	have := w.all[l.id()]
	for len(have) > 0 && d.chance(3) {
		at := d.IntN(len(have))
		e := have[at]
		have = slices.Delete(slices.Clone(have), at, at+1)
		u.Remove = append(u.Remove, e.Record.ID())
	}
	for range d.IntN(8) {
		doc := d.said(*said)
		if d.chance(6) {
			other := w.logs[d.IntN(len(w.logs))]
			doc = schema.Record{Kind: schema.KindFollow, Issued: doc.Issued, Weight: 1 + d.IntN(100), Depth: d.IntN(4), Source: &schema.FollowSource{
				Log: other.id(), URL: "https://example.org/x.git", Key: other.key.Key().Fingerprint(),
			}}
		}
		e := l.entry(doc)
		if slices.ContainsFunc(have, func(o Entry) bool { return o.Record.ID() == e.Record.ID() }) || slices.Contains(u.Remove, e.Record.ID()) {
			continue
		}
		e.Vanished = e.Record.Kind() == schema.KindDistrust && d.chance(4)
		u.Add = append(u.Add, e)
		have = append(have, e)
		*said = append(*said, e)
	}
	if d.chance(4) {
		u.Add, u.Remove, u.Replace = have, nil, true
	}
	w.all[l.id()] = have
	return u
}

// follow makes the user's part of the network.
func (w *world) follow(d dice) {
	w.net.Own = []string{w.logs[0].id(), w.logs[1].id()}
	for _, l := range w.logs[2:] {
		if !d.chance(4) {
			w.net.Follows = append(w.net.Follows, trust.Follow{
				Log: l.id(), Name: l.head.Doc().Name, Weight: pick(d, 100, 100, 50, 34, 0), Depth: d.IntN(3), ViaMax: 50,
			})
		}
	}
}

// statements are all that were said, as FromRecord makes them, with what is void by now.
func (w *world) statements() (all []trust.Statement) {
	for _, l := range w.logs {
		for _, e := range w.all[l.id()] {
			all = append(all, trust.FromRecord(e.Record, l.keys.Void(e.Record), e.Vanished))
		}
	}
	return all
}

// network is the whole network, made without an index.
func (w *world) network(all []trust.Statement) *trust.Network {
	net := w.net
	for _, l := range w.logs {
		if !l.head.IsZero() {
			net.Sources = append(net.Sources, sourceOf(l.head))
		}
	}
	net.Edges = trust.Edges(all)
	for _, s := range all {
		if slices.Contains(net.Own, s.Log) && !s.Void {
			net.OwnIssued = append(net.OwnIssued, s.Issued)
		}
	}
	return &net
}

// indexed is the network as a generation gives it, compiled.
func (w *world) indexed(t testing.TB, g *Generation) *trust.Network {
	t.Helper()
	net, err := g.Network()
	if err != nil {
		t.Fatal(err)
	}
	net.Own, net.Follows = w.net.Own, w.net.Follows
	for _, log := range net.Own {
		late, err := g.Late(log)
		if err != nil {
			t.Fatal(err)
		}
		net.OwnIssued = append(net.OwnIssued, late...)
	}
	net.Compile()
	return &net
}

func sourceOf(h records.Head) trust.Source {
	doc := h.Doc()
	return trust.Source{Log: doc.Log, Name: doc.Name, Issued: doc.Issued.Unix(), Expires: h.Expires().Unix()}
}

func (d dice) query() trust.Query {
	q := trust.Query{Name: pick(d, append(worldFiles, "")...), Size: pick(d, int64(-1), 1)}
	switch d.IntN(5) {
	case 0:
		q.Git = d.commit()
	case 1:
		q.Digest = schema.Digest{SHA512: d.content().SHA512}
	default:
		q.Digest = d.content()
	}
	if d.chance(2) {
		q.Project = pick(d, worldProjects...)
		if d.chance(2) {
			q.Version = pick(d, worldVersions...)
		}
	}
	if d.chance(2) {
		q.Signatures = []trust.Signature{{Format: "ssh", Signer: d.signer(), State: pick(d, trust.SignatureGood, trust.SignatureGood, trust.SignatureBad, trust.SignatureNoKey)}}
	}
	return q
}

// TestClosure: what the index finds is enough. Over random worlds, decided from all that anybody
// said and decided from the candidates is the same, with every voice and finding.
func TestClosure(t *testing.T) {
	t.Parallel()
	worlds := 16
	if testing.Short() {
		worlds = 8
	}
	decided := map[trust.Verdict]int{}
	for seed := range worlds {
		d, w := newWorld(t, uint64(seed))
		all := w.statements()
		whole := w.network(all)
		g := open(t, w.dir)
		net := w.indexed(t, g)
		whole.Compile()
		for range 50 {
			q, clock := d.query(), time.Unix(worldNow+int64(d.IntN(300))-150, 0)
			statements, lookup, err := g.Candidates(q, trust.DefaultPolicy())
			if err != nil {
				t.Fatal(err)
			}
			if lookup.Opened+lookup.Indexed != len(statements) || lookup.Opened > MaxOpened {
				t.Fatalf("seed %d: %d statements, %+v", seed, len(statements), lookup)
			}
			for i := range statements {
				statements[i].Indexed = false
			}
			want := trust.Decide(q, all, whole, trust.DefaultPolicy(), clock)
			have := trust.Decide(q, statements, net, trust.DefaultPolicy(), clock)
			decided[want.Verdict]++
			if !reflect.DeepEqual(have, want) {
				t.Fatalf("seed %d, query %+v:\nfrom candidates %+v\nfrom everything %+v", seed, q, have, want)
			}
			if have, want := trust.Enough(q, statements, net, trust.DefaultPolicy(), clock), trust.Enough(q, all, whole, trust.DefaultPolicy(), clock); !reflect.DeepEqual(have, want) {
				t.Fatalf("seed %d, query %+v: enough from candidates %+v, from everything %+v", seed, q, have, want)
			}
		}
	}
	for _, v := range []trust.Verdict{trust.Trusted, trust.Distrusted, trust.Mismatch, trust.Unknown} {
		if decided[v] == 0 {
			t.Errorf("no random world decided %s: %v", v, decided)
		}
	}
}
