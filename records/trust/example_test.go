package trust_test

import (
	"fmt"
	"time"

	"github.com/distributed-trust/distrust/records/trust"
	"github.com/distributed-trust/distrust/schema"
)

// A program asks about a file that one followed person trusts and a friend of another reports.
// Real programs take statements from [trust.FromRecord]; these are made by hand.
func ExampleDecide() {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	heads := now.Unix() + 1000
	file := schema.Subject{File: "requests-2.33.0.tar.gz", Size: -1, Digest: schema.Digest{SHA256: "9f2c"}}
	world := &trust.Network{
		Follows: []trust.Follow{
			{Name: "alice", Log: "a11c", Weight: 100, ViaMax: 50},
			{Name: "bob", Log: "b0b0", Weight: 50, Depth: 1, ViaMax: 50},
		},
		Edges: []trust.Edge{{From: "b0b0", To: "dada", Weight: 40}},
		Sources: []trust.Source{
			{Log: "a11c", Name: "alice", Expires: heads},
			{Log: "b0b0", Name: "bob", Expires: heads},
			{Log: "dada", Name: "dave", Expires: heads},
		},
	}
	said := []trust.Statement{
		{ID: "02", Log: "a11c", Kind: schema.KindTrust, Strength: 100, Subjects: []schema.Subject{file}},
		{ID: "03", Log: "dada", Kind: schema.KindDistrust, Category: schema.Malware, Strength: 100, Subjects: []schema.Subject{file}},
	}
	q := trust.Query{Name: file.File, Size: 134218, Digest: schema.Digest{SHA256: "9f2c"}}

	d := trust.Decide(q, said, world, trust.DefaultPolicy(), now)
	fmt.Printf("%s: %d for, %d against\n", d.Verdict, d.For, d.Against)
	for _, v := range d.Voices {
		fmt.Println(v.Amount, v.Statement.Kind, v.PathNames)
	}
	for _, c := range trust.Enough(q, said[1:], world, trust.DefaultPolicy(), now) {
		fmt.Println("enough:", c.Kind, c.Name)
	}
	// Output:
	// unknown: 100 for, 40 against
	// 40 distrust [bob dave]
	// 100 trust [alice]
}
