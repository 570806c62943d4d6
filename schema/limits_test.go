package schema

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// hostile gives documents of the greatest allowed size that are made to cost a reader much.
func hostile() map[string]string {
	fill := func(s string) string { return strings.Repeat(s, (MaxRecordBytes-64)/len(s)) }
	var steps strings.Builder
	for i := 0; steps.Len() < MaxRecordBytes-1200; i++ {
		steps.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return map[string]string{
		"20 kB of [":         strings.Repeat("[", 20000),
		"[":                  fill("["),
		"{a: ":               fill("{a: "),
		"[ closed":           strings.Repeat("[", 9999) + strings.Repeat("]", 9999),
		"- - -":              fill("- "),
		"steps":              steps.String(),
		"items":              "[" + fill("a,") + "]",
		"one key":            fill("a: b\n"),
		"comments":           fill("#\n") + "a: b\n",
		"comment after each": fill("a: b #c\n"),
		"aliases":            "[&a a," + fill("*a,") + "]",
		"lines":              "a:\n" + fill(" x\n"),
		"escapes":            "a: \"" + fill(`\U0001F600`) + "\"",
		"blank lines":        "a: b" + fill("\n") + "c: d",
		"wide characters":    "[" + fill("\"☃\",") + "]",
		"keys":               "{" + keys() + "}",
		"unknown fields":     "{distrust: 1, kind: trust, " + keys() + "}",
		"subjects":           "{distrust: 1, kind: trust, subjects: [" + fill("{},") + "]}",
		"certificate":        "distrust: 1\nkind: trust\nsubjects:\n- certificate: |\n" + fill("   x\n"),
	}
}

func keys() string {
	var b strings.Builder
	for i := 0; b.Len() < MaxRecordBytes-100; i++ {
		fmt.Fprintf(&b, "k%d: 1,", i)
	}
	return b.String()
}

// TestHostileInput: no document of an allowed size costs more than a moment. The bound is far
// above what is measured (0.1 s at most), for the machine may be busy; anything that grows
// with the square of the size takes minutes.
func TestHostileInput(t *testing.T) {
	t.Parallel()
	for name, text := range hostile() {
		if len(text) > MaxRecordBytes {
			t.Fatalf("%s is too large to reach the parser", name)
		}
		start := time.Now()
		if _, err := ParseRecord(name, []byte(text)); err == nil {
			t.Errorf("%s is accepted", name)
		} else if len(err.Error()) > 300 {
			t.Errorf("%s: a message of %d bytes", name, len(err.Error()))
		}
		if took := time.Since(start); took > 30*time.Second {
			t.Errorf("%s took %v", name, took)
		}
	}
}

func TestSizeLimits(t *testing.T) {
	t.Parallel()
	text := "# " + strings.Repeat("x", MaxRecordBytes)
	for limit, parse := range map[string]func() error{
		"262144": func() error { _, err := ParseRecord("", []byte(text)); return err },
		"65536":  func() error { _, err := ParseHead("", []byte(text[:MaxHeadBytes+1])); return err },
	} {
		if err := parse(); err == nil || !strings.Contains(err.Error(), "at most "+limit) {
			t.Errorf("limit %s: %v", limit, err)
		}
	}
	good, err := withdrawRecord().Marshal()
	if err != nil {
		t.Fatal(err)
	}
	pad := append(good, []byte("# "+strings.Repeat("x", MaxRecordBytes-len(good)-2))...)
	if _, err := ParseRecord("", pad); err != nil {
		t.Errorf("a document of exactly the limit: %v", err)
	}
}

func benchmarkRecord(b *testing.B, rec *Record) {
	text, err := rec.Marshal()
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseRecord("r.yml", text); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkParseRecord is the usual record of about 600 bytes.
func BenchmarkParseRecord(b *testing.B) {
	rec := trustRecord()
	rec.Subjects, rec.Seen = rec.Subjects[:1], nil
	rec.Subjects[0].Digest.SHA512 = ""
	benchmarkRecord(b, rec)
}

// BenchmarkParseList is a record of a list tool: 1,000 files.
func BenchmarkParseList(b *testing.B) {
	rec := trustRecord()
	rec.Subjects = nil
	for i := range MaxSubjects {
		rec.Subjects = append(rec.Subjects, Subject{File: fmt.Sprintf("file-%d.tar.gz", i), Size: int64(i), Digest: Digest{SHA256: testSHA}})
	}
	benchmarkRecord(b, rec)
}

// BenchmarkHostile is the document that costs most for its size.
func BenchmarkHostile(b *testing.B) {
	text := []byte(hostile()["comment after each"])
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseRecord("r.yml", text); err == nil {
			b.Fatal("accepted")
		}
	}
}

func BenchmarkMarshalRecord(b *testing.B) {
	rec := trustRecord()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := rec.Marshal(); err != nil {
			b.Fatal(err)
		}
	}
}
