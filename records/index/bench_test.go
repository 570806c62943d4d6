package index

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/index/internal/store"
	"github.com/distributed-trust/distrust/records/internal/testkit"
	"github.com/distributed-trust/distrust/records/trust"
	"github.com/distributed-trust/distrust/schema"
)

// plant writes the stores of some logs as if count records had been verified: only those of real
// are signed. Half of the others are about files of a project, with a name each.
func plant(t testing.TB, d Dir, logs, count int, real Entry, l testLog) {
	t.Helper()
	if err := os.MkdirAll(d.sources(), 0o700); err != nil {
		t.Fatal(err)
	}
	yaml := []byte(strings.Repeat("reason: \"as long as a record is\"\n", 17))
	sig := []byte(strings.Repeat("signature ", 30))
	for n := range logs {
		id := fmt.Sprintf("%032x", n)
		info := LogInfo{Log: id, HeadID: testkit.Digest(id).SHA256, Name: "source", Issued: testStart, Expires: testStart.AddDate(1, 0, 0), Keys: records.Log{ID: id, Keys: l.keys.Keys}}
		if n == 0 {
			id = l.id()
			info = infoOf(l.head, l.keys)
		}
		w, err := store.Create(d.storePath(id, 0), id)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.State(infoBytes(&info)); err != nil {
			t.Fatal(err)
		}
		for i := range count / logs {
			name := fmt.Sprintf("file-%d-%d", n, i)
			s := store.Said{By: l.keys.Keys[0].Key, Path: "records/pypi/project/ab/" + name + "-0123456789abcdef.yml", Statement: trust.Statement{
				ID: testkit.Digest(name).SHA256, Kind: schema.KindTrust, Issued: testStart.Unix(), Strength: 100, Basis: schema.Reviewed,
				Subjects: []schema.Subject{{File: name, Size: 1 << 20, Digest: testkit.Digest("of " + name)}}, Reason: "read the diff from the last one",
			}}
			if i%2 == 0 {
				s.Statement.Project, s.Statement.Version = "pkg:pypi/project", "1.0"
			}
			f := store.RecordFrame(&s, records.Envelope{YAML: yaml, Sig: sig})
			if n == 0 && i == 0 {
				said := store.SaidOf(real.Record, false)
				f = store.RecordFrame(&said, real.Record.Envelope())
			}
			if _, err := w.Append(f); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Commit(); err != nil {
			t.Fatal(err)
		}
		w.Close()
	}
}

func planted(b *testing.B, logs, count int) Dir {
	b.Helper()
	d, alice := testDir(b), newLog(b, "alice")
	plant(b, d, logs, count, alice.entry(trusted("f", "f")), alice)
	if _, err := Rebuild(context.Background(), d, Config{}); err != nil {
		b.Fatal(err)
	}
	return d
}

// BenchmarkLookup is what a check adds: open, look up, open one record again, read the network
// of 100 logs, close.
func BenchmarkLookup(b *testing.B) {
	d := planted(b, 100, 100_000)
	for b.Loop() {
		g, err := Open(d)
		if err != nil {
			b.Fatal(err)
		}
		statements, _, err := g.Candidates(fileQuery("f", "f"), trust.DefaultPolicy())
		if err != nil || len(statements) != 1 {
			b.Fatal(len(statements), err)
		}
		if _, err := g.Network(); err != nil {
			b.Fatal(err)
		}
		g.Close()
	}
}

// BenchmarkMiss looks up what nobody knows, in an index that is open.
func BenchmarkMiss(b *testing.B) {
	g := open(b, planted(b, 100, 100_000))
	for b.Loop() {
		q := fileQuery("unknown", "unknown")
		q.Project = "pkg:pypi/requests"
		if _, _, err := g.Candidates(q, trust.DefaultPolicy()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRebuild makes a generation of 100,000 records from their stores.
func BenchmarkRebuild(b *testing.B) {
	const count = 100_000
	d := planted(b, 100, count)
	for b.Loop() {
		if _, err := Rebuild(context.Background(), d, Config{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(count*b.N)/b.Elapsed().Seconds(), "records/s")
	if files, err := filepath.Glob(filepath.Join(d.Cache, "index-*")); err == nil && len(files) == 1 {
		if info, err := os.Stat(files[0]); err == nil {
			b.ReportMetric(float64(info.Size())/count, "B/record")
		}
	}
}

// BenchmarkOneMore brings one record into an index of 100,000.
func BenchmarkOneMore(b *testing.B) {
	d, alice := planted(b, 100, 100_000), newLog(b, "alice")
	var entries []Entry
	for i := range 50 {
		entries = append(entries, alice.entry(trusted("more", fmt.Sprint(i))))
	}
	i := 0
	for b.Loop() {
		e := entries[i%len(entries)]
		u := alice.update(e)
		if i/len(entries)%2 == 1 {
			u.Add, u.Remove = nil, []string{e.Record.ID()}
		}
		apply(b, d, u)
		i++
	}
}

// BenchmarkReplaceWithOneMore brings a whole home of 10,000 records again, with a record more or
// less each time.
func BenchmarkReplaceWithOneMore(b *testing.B) {
	d, alice := testDir(b), newLog(b, "alice")
	var entries []Entry
	for i := range 10_000 {
		entries = append(entries, alice.entry(trusted("f", fmt.Sprint(i))))
	}
	u := alice.update(entries...)
	u.Replace = true
	apply(b, d, u)
	n := 0
	for b.Loop() {
		n++
		u.Add = entries[n%2:]
		apply(b, d, u)
	}
}

// BenchmarkFollows is what a check adds for a user who follows a thousand logs, and for one who follows 150 that
// lead to 5,000: their settings, the logs' heads, the network, and one pass over it.
func BenchmarkFollows(b *testing.B) {
	for _, c := range []struct{ logs, followed, depth int }{{1000, 1000, 0}, {5000, 150, 1}} {
		b.Run(fmt.Sprintf("%d_of_%d", c.followed, c.logs), func(b *testing.B) {
			d, alice := testDir(b), newLog(b, "alice")
			plant(b, d, c.logs, 2*c.logs, alice.entry(trusted("f", "f")), alice)
			if c.depth > 0 {
				plantFollows(b, d, c.logs, c.followed)
			}
			config := Config{Stamp: "settings", Policy: trust.DefaultPolicy(), Own: []string{"me"}}
			for n := range c.followed {
				config.Follows = append(config.Follows, trust.Follow{Name: fmt.Sprint("source-", n), Log: fmt.Sprintf("%032x", n), Weight: 100, Depth: c.depth, ViaMax: 50})
			}
			if _, err := Rebuild(context.Background(), d, config); err != nil {
				b.Fatal(err)
			}
			g := open(b, d)
			b.ReportAllocs()
			for b.Loop() {
				if heard := heardOf(b, g); heard < c.logs-51 { // the first one has another id
					b.Fatal(heard)
				}
			}
		})
	}
}

// plantFollows has each of the first so many logs follow fifty others, so that they lead to all.
func plantFollows(b *testing.B, d Dir, logs, followed int) {
	b.Helper()
	key := newLog(b, "alice").keys.Keys[0].Key
	for n := 1; n < followed; n++ {
		id := fmt.Sprintf("%032x", n)
		info, err := os.Stat(d.storePath(id, 0))
		if err != nil {
			b.Fatal(err)
		}
		w, err := store.Append(d.storePath(id, 0), id, info.Size())
		if err != nil {
			b.Fatal(err)
		}
		for i := range 50 {
			to := fmt.Sprintf("%032x", followed+(n*(logs-followed)/followed+i)%(logs-followed))
			s := store.Said{By: key, Path: "records/sources/" + to + ".yml", Statement: trust.Statement{
				ID: testkit.Digest(id + to).SHA256, Kind: schema.KindFollow, Issued: testStart.Unix(), Weight: 100,
				Source: schema.FollowSource{Log: to, URL: "https://example.org/" + to + ".git", Key: "SHA256:" + to},
			}}
			if _, err := w.Append(store.RecordFrame(&s, records.Envelope{YAML: []byte("a follow"), Sig: []byte("a signature")})); err != nil {
				b.Fatal(err)
			}
		}
		if err := w.Commit(); err != nil {
			b.Fatal(err)
		}
		w.Close()
	}
}

// heardOf is of how many sources reports are heard by a user with the settings of an index.
func heardOf(b *testing.B, g *Generation) int {
	b.Helper()
	config, err := g.Config()
	if err != nil {
		b.Fatal(err)
	}
	net, err := g.Network()
	if err != nil {
		b.Fatal(err)
	}
	net.Own, net.Follows = config.Own, config.Follows
	return net.Compile().Reach("", testStart.Unix()).Len()
}
