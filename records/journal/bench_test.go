package journal

import (
	"bytes"
	"fmt"
	"testing"
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
