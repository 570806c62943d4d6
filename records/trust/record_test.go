package trust_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/internal/testkit"
	"github.com/distributed-trust/distrust/records/trust"
	"github.com/distributed-trust/distrust/schema"
)

// open signs a document and opens it as a stranger would.
func open(t *testing.T, doc schema.Record) records.Record {
	t.Helper()
	key := testkit.NewKey("somebody")
	envelope, err := records.Seal(t.Context(), doc, key)
	if err != nil {
		t.Fatal(err)
	}
	log := records.Log{ID: doc.Log, Keys: []schema.Key{key.Listed(schema.Active, false)}}
	record, err := records.Open(envelope, log)
	if err != nil {
		t.Fatal(err)
	}
	return record
}

const (
	someLog = "5f0c4c7e9d1b4a86b6a1c2d3e4f50617"
	someID  = "9f2c41ab7e030000000000000000000000000000000000000000000000000000"
)

func TestFromRecord(t *testing.T) {
	t.Parallel()
	issued, expires := time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC), time.Date(2027, 11, 21, 10, 0, 0, 0, time.UTC)
	subjects := []schema.Subject{
		{File: "a.tar.gz", Size: 7, Digest: schema.Digest{SHA256: someID}},
		{Signer: "openpgp:9C5C2B0000000000000000000000000000000000", Size: -1, Pattern: []string{"pkg:pypi/*"}},
	}
	source := schema.FollowSource{Log: someLog, URL: "https://example.org/alice/trust.git", Key: "SHA256:Wv3cWv3cWv3cWv3cWv3cWv3cWv3cWv3cWv3cWv3cWv0"}
	for name, c := range map[string]struct {
		doc  schema.Record
		want trust.Statement
	}{
		"trust": {
			schema.Record{
				Kind: schema.KindTrust, Log: someLog, Issued: issued, Expires: expires, Project: "pkg:pypi/a", Version: "1.0",
				Subjects: subjects, Basis: schema.Reviewed, Strength: 40, Reason: "read it", Seen: []string{someID},
			},
			trust.Statement{
				Kind: schema.KindTrust, Issued: issued.Unix(), Expires: expires.Unix(), Project: "pkg:pypi/a", Version: "1.0",
				Subjects: subjects, Basis: schema.Reviewed, Strength: 40, Reason: "read it", Seen: []string{someID},
			},
		},
		"distrust, strength not given": {
			schema.Record{Kind: schema.KindDistrust, Log: someLog, Issued: issued, Subjects: subjects[:1], Category: schema.Malware},
			trust.Statement{Kind: schema.KindDistrust, Issued: issued.Unix(), Subjects: subjects[:1], Category: schema.Malware, Strength: 100},
		},
		"follow": {
			schema.Record{Kind: schema.KindFollow, Log: someLog, Issued: issued, Source: &source, Weight: 50, Depth: 2, Scopes: []string{"pkg:pypi/*"}},
			trust.Statement{Kind: schema.KindFollow, Issued: issued.Unix(), Source: source, Weight: 50, Depth: 2, Scopes: []string{"pkg:pypi/*"}},
		},
		"withdraw": {
			schema.Record{Kind: schema.KindWithdraw, Log: someLog, Issued: issued, Withdraws: []string{someID}},
			trust.Statement{Kind: schema.KindWithdraw, Issued: issued.Unix(), Withdraws: []string{someID}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			record := open(t, c.doc)
			for _, flags := range [][2]bool{{false, false}, {true, false}, {false, true}} {
				want := c.want
				want.ID, want.Log, want.Void, want.Vanished = record.ID(), someLog, flags[0], flags[1]
				if got := trust.FromRecord(record, flags[0], flags[1]); !reflect.DeepEqual(got, want) {
					t.Errorf("got\n%+v, want\n%+v", got, want)
				}
			}
		})
	}
	if got := trust.FromRecord(records.Record{}, false, false); got.Kind != "" || got.ID != "" {
		t.Errorf("a record that nobody opened says %+v", got)
	}
}

// TestFromRecordDecides goes the whole way from a signed document to a verdict.
func TestFromRecordDecides(t *testing.T) {
	t.Parallel()
	record := open(t, schema.Record{
		Kind: schema.KindTrust, Log: someLog, Issued: time.Unix(1000, 0).UTC(),
		Subjects: []schema.Subject{{File: "a", Size: -1, Digest: schema.Digest{SHA256: someID}}},
	})
	world := &trust.Network{
		Follows: []trust.Follow{{Log: someLog, Weight: 100}},
		Sources: []trust.Source{{Log: someLog, Expires: 3000}},
	}
	q := trust.Query{Size: -1, Digest: schema.Digest{SHA256: someID}}
	for void, want := range map[bool]trust.Verdict{false: trust.Trusted, true: trust.Unknown} {
		said := []trust.Statement{trust.FromRecord(record, void, false)}
		if d := trust.Decide(q, said, world, trust.DefaultPolicy(), time.Unix(2000, 0)); d.Verdict != want {
			t.Errorf("void %t: %s, want %s", void, d.Verdict, want)
		}
	}
}
