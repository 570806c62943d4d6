package journal

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/distributed-trust/distrust/records/trust"
)

// BenchmarkScan reads a journal of 10,000 things and groups them: every sync does.
func BenchmarkScan(b *testing.B) {
	var all []byte
	for i := range 10_000 {
		e := fullEntry()
		e.Digest.SHA256 = fmt.Sprintf("%064x", i)
		line, err := encodeLine(e)
		if err != nil {
			b.Fatal(err)
		}
		all = append(append(all, '\n'), line...)
	}
	for b.Loop() {
		entries, _, err := scan(bytes.NewReader(all))
		if err != nil || len(Things(entries)) != 10_000 {
			b.Fatal(err)
		}
	}
}

// BenchmarkThingsAlike: empty files, all the same, lie in very many places.
func BenchmarkThingsAlike(b *testing.B) {
	var entries []Entry
	for i := range 20_000 {
		entries = append(entries, added("a", fmt.Sprint("/one/", i), trust.Unknown))
	}
	for b.Loop() {
		if things := Things(entries); len(things) != 1 || len(things[0].Places) != len(entries) {
			b.Fatal(len(things))
		}
	}
}
