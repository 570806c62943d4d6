//go:build unix

package home

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/distributed-trust/distrust/records/index"
	"github.com/distributed-trust/distrust/records/internal/testkit"
	"github.com/distributed-trust/distrust/schema"
)

// BenchmarkPrivate is what an answer costs in a private folder of many records, beside the program's start:
// read what the index holds, sign, write, bring it into the index. "said" writes a record; "quiet" is what the
// folder costs a command that only writes elsewhere.
func BenchmarkPrivate(b *testing.B) {
	key := testkit.NewKey("laptop")
	base := b.TempDir()
	dir := index.Dir{Cache: filepath.Join(base, "cache"), Data: filepath.Join(base, "data")}
	p, err := CreatePrivate(filepath.Join(base, "private"), key.Key(), nil, zeros(3))
	if err != nil {
		b.Fatal(err)
	}
	var docs []schema.Record
	for i := range benchRecords() {
		docs = append(docs, trustDoc(fmt.Sprintf("file-%d.tar.gz", i)))
	}
	o := testOptions()
	answer := func(b *testing.B, docs []schema.Record) {
		p, err := OpenPrivate(p.Dir(), nil)
		if err != nil {
			b.Fatal(err)
		}
		g, err := index.Open(dir)
		if err == nil {
			defer g.Close()
		}
		if len(docs) > 0 {
			if _, err := p.Write(b.Context(), key, docs, g, o); err != nil {
				b.Fatal(err)
			}
		}
		u, err := p.Update(b.Context(), g)
		if err != nil {
			b.Fatal(err)
		}
		if err := index.Apply(b.Context(), dir, []index.Update{u}, index.Config{}); err != nil {
			b.Fatal(err)
		}
	}
	answer(b, docs)
	n := 0
	for name, said := range map[string]bool{"said": true, "quiet": false} {
		b.Run(name, func(b *testing.B) {
			i, before := 0, cpu()
			for b.Loop() {
				var docs []schema.Record
				if said {
					docs = append(docs, trustDoc(fmt.Sprint("answer-", n)))
				}
				o.Now = o.Now.Add(time.Minute)
				answer(b, docs)
				i++
				n++
			}
			b.ReportMetric(float64(cpu()-before)/float64(i)/1e6, "cpu-ms/op")
		})
	}
}
