package index

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/internal/testkit"
	"github.com/distributed-trust/distrust/records/trust"
	"github.com/distributed-trust/distrust/schema"
)

var testStart = time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)

// testLog is somebody's log: a key and the head that it signs.
type testLog struct {
	t    testing.TB
	key  testkit.Key
	head records.Head // zero for a private log
	keys records.Log
}

func (l testLog) id() string { return l.keys.ID }

// newLog makes a log with a head.
func newLog(t testing.TB, name string) testLog {
	t.Helper()
	key := testkit.NewKey(name)
	doc := records.FirstHead(key.Key(), testkit.Salt, testStart, func(d *schema.Head) {
		d.Name = name
		d.URL = "https://example.org/" + name + ".git"
		d.Projects = []string{"pkg:pypi/*"}
	})
	head, err := records.SealHead(context.Background(), doc, key)
	if err != nil {
		t.Fatal(err)
	}
	return testLog{t: t, key: key, head: head, keys: head.Log()}
}

// next is the log after a head that changes what edit says.
func (l testLog) next(edit func(*schema.Head)) testLog {
	l.t.Helper()
	at := l.head.Doc().Issued.Add(time.Minute)
	doc := records.NextHead(l.head, records.NewRoot().Sum(), 0, at, edit)
	head, err := records.SealHead(context.Background(), doc, l.key)
	if err != nil {
		l.t.Fatal(err)
	}
	l.head, l.keys = head, head.Log()
	return l
}

// newPrivate makes a log without a head.
func newPrivate(t testing.TB, name string) testLog {
	key := testkit.NewKey(name)
	id := records.LogID(key.Key(), testkit.Salt)
	keys := []schema.Key{{Key: key.Key().String(), Name: name, State: schema.Active}}
	return testLog{t: t, key: key, keys: records.Log{ID: id, Keys: keys}}
}

// entry signs a record and opens it.
func (l testLog) entry(doc schema.Record) Entry {
	l.t.Helper()
	doc.Log = l.id()
	if doc.Issued.IsZero() {
		doc.Issued = testStart
	}
	envelope, err := records.Seal(context.Background(), doc, l.key)
	if err != nil {
		l.t.Fatal(err)
	}
	r, err := records.Open(envelope, l.keys)
	if err != nil {
		l.t.Fatal(err)
	}
	return Entry{Record: r, Void: l.keys.Void(r)}
}

// update is an update that adds entries and sets head and keys.
func (l testLog) update(entries ...Entry) Update {
	return Update{Log: l.id(), Head: l.head, Keys: l.keys, Add: entries}
}

// trusted is a trust record about a file.
func trusted(file, content string) schema.Record {
	return testkit.Trust(testkit.File(file, content))
}

func fileQuery(file, content string) trust.Query {
	return trust.Query{Name: file, Size: -1, Digest: testkit.Digest(content)}
}

func testDir(t testing.TB) Dir {
	t.Helper()
	base := t.TempDir()
	return Dir{Cache: base + "/cache", Data: base + "/data"}
}

// apply applies updates or fails the test. Small ones go into a file upon the last one, as in a
// large index.
func apply(t testing.TB, d Dir, updates ...Update) {
	t.Helper()
	if _, err := applyUntil(d, math.MaxInt, upper, updates); err != nil {
		t.Fatalf("Apply: %v", err)
	}
}

// upper is so much room that files of a small index lie upon each other, too.
const upper = 1 << 20

func open(t testing.TB, d Dir) *Generation {
	t.Helper()
	g, err := Open(d)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() { g.Close() })
	return g
}

// ids are the sorted ids of statements.
func ids(statements []trust.Statement) []string {
	list := []string{}
	for _, s := range statements {
		list = append(list, s.ID)
	}
	slices.Sort(list)
	return list
}

// candidates asks an index or fails the test.
func candidates(t testing.TB, d Dir, q trust.Query) []trust.Statement {
	t.Helper()
	g := open(t, d)
	statements, _, err := g.Candidates(q, trust.DefaultPolicy())
	if err != nil {
		t.Fatalf("Candidates: %v", err)
	}
	return statements
}

// contents is everything that an index says, in a form that two indexes can be compared by.
func contents(t testing.TB, d Dir) string {
	t.Helper()
	g := open(t, d)
	logs, err := g.Logs()
	if err != nil {
		t.Fatalf("Logs: %v", err)
	}
	text := ""
	for _, l := range logs {
		late, err := g.Late(l.Log)
		if err != nil {
			t.Fatal(err)
		}
		text += fmt.Sprintf("log %+v late %v\n", l, late)
		var said []string
		err = g.Statements(l.Log, func(st trust.Statement, path string) error {
			said = append(said, fmt.Sprintf("  %s %+v\n", path, st))
			return nil
		})
		if err != nil {
			t.Fatalf("Statements: %v", err)
		}
		slices.Sort(said)
		for _, s := range said {
			text += s
		}
	}
	net, err := g.Network()
	if err != nil {
		t.Fatalf("Network: %v", err)
	}
	follows, err := g.Follows()
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(follows, func(a, b trust.Statement) int { return compareText(a.ID, b.ID) })
	return text + fmt.Sprintf("net %+v %+v %+v\n", net.Sources, net.Edges, follows)
}

func compareText(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// diffStatement says where two statements differ.
func diffStatement(have, want trust.Statement) string {
	if h, w := fmt.Sprintf("%#v", have), fmt.Sprintf("%#v", want); h != w {
		return fmt.Sprintf("have %s\nwant %s", h, w)
	}
	return ""
}
