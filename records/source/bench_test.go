package source

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/distributed-trust/distrust/records/internal/testkit"
	"github.com/distributed-trust/distrust/schema"
)

// benchRecords is the size of the source that benchmarks follow: go test -bench . -args -records 50000
var benchRecords = flag.Int("records", 2000, "records of the source that benchmarks sync")

// largeForge is a source of many records, in as many folders as real ones have.
func largeForge(b *testing.B) *forge {
	b.Helper()
	f := newForge(b, "large")
	for i := range *benchRecords {
		doc := trustFile(fmt.Sprint("content ", i))
		doc.Project = fmt.Sprintf("pkg:pypi/project-%d", i%50)
		doc.Subjects[0].File = fmt.Sprintf("file-%d.tar.gz", i)
		f.say(doc)
	}
	f.seal(nil)
	return f
}

// peak is the highest memory that the process held, in MiB; 0 where the system does not say.
func peak() float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		var kib float64
		if n, _ := fmt.Sscanf(line, "VmHWM: %f kB", &kib); n == 1 {
			return kib / 1024
		}
	}
	return 0
}

func resetPeak() {
	debug.FreeOSMemory()
	os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) // where it is not allowed the peak is that of the process
}

func benchSync(b *testing.B, m *machine, spec Spec, want State) *Result {
	b.Helper()
	batch, err := Sync(context.Background(), m.dirs, []Spec{spec}, m.opt)
	if err != nil {
		b.Fatal(err)
	}
	defer batch.Close()
	if err := batch.Commit(context.Background(), m.apply); err != nil {
		b.Fatal(err)
	}
	r := batch.Results()[0]
	if r.State != want {
		b.Fatalf("%s: %v", r.State, r.Err)
	}
	return r
}

func BenchmarkFirstSync(b *testing.B) {
	f := largeForge(b)
	spec := largeSpec(b, f)
	f.files = nil
	resetPeak()
	for b.Loop() {
		b.StopTimer()
		m := newMachine(b)
		b.StartTimer()
		benchSync(b, m, spec, StateNews)
	}
	b.ReportMetric(float64(*benchRecords)*float64(b.N)/b.Elapsed().Seconds(), "records/s")
	b.ReportMetric(peak(), "peak-MiB")
}

func BenchmarkSyncWithoutNews(b *testing.B) {
	f := largeForge(b)
	m := newMachine(b)
	spec := largeSpec(b, f)
	benchSync(b, m, spec, StateNews)
	f.files = nil
	resetPeak()
	for b.Loop() {
		if r := benchSync(b, m, spec, StateUnchanged); r.Verified != 0 {
			b.Fatalf("%d signatures verified again", r.Verified)
		}
	}
	b.ReportMetric(peak(), "peak-MiB")
}

// BenchmarkSyncHundred syncs a hundred new records on top of the many.
func BenchmarkSyncHundred(b *testing.B) {
	f := largeForge(b)
	m := newMachine(b)
	spec := largeSpec(b, f)
	benchSync(b, m, spec, StateNews)
	resetPeak()
	verified := 0
	for b.Loop() {
		b.StopTimer()
		for i := range 100 {
			f.say(schema.Record{Kind: schema.KindTrust, Subjects: []schema.Subject{testkit.File("file", fmt.Sprint(f.said, " ", i))}})
		}
		f.seal(nil)
		b.StartTimer()
		verified = benchSync(b, m, spec, StateNews).Verified
	}
	b.ReportMetric(float64(verified), "signatures")
	b.ReportMetric(peak(), "peak-MiB")
}

// largeSpec follows the source over http, so that only our half is measured, with time enough for
// a machine that others use too.
func largeSpec(b *testing.B, f *forge) Spec {
	b.Helper()
	url := testkit.Serve(b, filepath.Dir(f.dir)).URL
	return Spec{
		Name: "large", URL: url + "/large", Log: f.log(), Fingerprint: f.key.Fingerprint(), Insecure: true,
		Limits: Limits{Timeout: time.Hour, Idle: time.Hour},
	}
}
