package records

import (
	"context"
	"testing"

	"github.com/distributed-trust/distrust/schema"
)

// BenchmarkOpenRecord opens the usual record, as a first sync does with every one of a set.
func BenchmarkOpenRecord(b *testing.B) {
	log := firstHead(b, laptop).Log()
	doc := fileRecord(schema.KindTrust, log.ID, "project-1-1.0.tar.gz", "content", testStart)
	doc.Project, doc.Version, doc.Basis, doc.Reason = "pkg:pypi/project-1", "1.0", schema.Reviewed, "read the changes since the last release"
	e, err := Seal(context.Background(), doc, laptop)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Open(e, log); err != nil {
			b.Fatal(err)
		}
	}
}
