//go:build unix

package home

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/distributed-trust/distrust/records/internal/testkit"
)

// benchRecords is the home of P11.
func benchRecords() int {
	if n, err := strconv.Atoi(os.Getenv("HOME_BENCH_RECORDS")); err == nil {
		return n
	}
	return 10_000
}

// largeHome makes a home of many records, with stock git.
func largeHome(b *testing.B, key testkit.Key, packed bool) string {
	b.Helper()
	h := newHome(b, key)
	for i := range benchRecords() {
		doc := trustDoc(fmt.Sprintf("file-%d.tar.gz", i))
		doc.Project = fmt.Sprintf("pkg:pypi/project-%d", i%200)
		drop(b, h, sealed(b, h, key, doc))
	}
	found, err := h.Pending(b.Context(), key)
	if err != nil {
		b.Fatal(err)
	}
	testkit.Git(b, h.Dir(), "add", "-A")
	testkit.Git(b, h.Dir(), "-c", "gc.auto=0", "commit", "-q", "-m", "by hand")
	h = reopen(b, h)
	if _, err := h.Seal(b.Context(), key, found, testOptions()); err != nil {
		b.Fatal(err)
	}
	if packed {
		testkit.Git(b, h.Dir(), "gc", "-q")
	}
	return h.Dir()
}

func cpu() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkWrite is what a command does to write one record into a home of 10,000 (P11): open it,
// sign, commit, read back.
func BenchmarkWrite(b *testing.B) {
	key := testkit.NewKey("laptop")
	for name, packed := range map[string]bool{"loose": false, "packed": true} {
		b.Run(name, func(b *testing.B) {
			dir := largeHome(b, key, packed)
			i := 0
			before := cpu()
			for b.Loop() {
				h := openHome(b, dir)
				i++
				say(b, h, key, 10+i, filepath.Base(dir)+fmt.Sprint(name, i))
				h.Close()
			}
			b.ReportMetric(float64(cpu()-before)/float64(i)/1e6, "cpu-ms/op")
		})
	}
}

// BenchmarkOpen is what every command that looks at the home pays.
func BenchmarkOpen(b *testing.B) {
	dir := largeHome(b, testkit.NewKey("laptop"), true)
	i := 0
	before := cpu()
	for b.Loop() {
		openHome(b, dir).Close()
		i++
	}
	b.ReportMetric(float64(cpu()-before)/float64(i)/1e6, "cpu-ms/op")
}
