package docs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/schema"
)

// TestFormatExamples reads the documents that docs/format.md shows with the strict reader.
func TestFormatExamples(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("format.md")
	if err != nil {
		t.Fatal(err)
	}
	read := map[string]func(string) error{
		"record":  func(s string) error { _, err := schema.ParseRecord("example", []byte(s)); return err },
		"head":    func(s string) error { _, err := schema.ParseHead("example", []byte(s)); return err },
		"private": func(s string) error { _, err := schema.ParsePrivateLog("example", []byte(s)); return err },
	}
	seen := map[string]bool{}
	for _, m := range regexp.MustCompile("(?s)<!-- example: ([a-z]+) -->\n```yaml\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		seen[m[1]] = true
		if err := read[m[1]](m[2]); err != nil {
			t.Errorf("the example of a %s: %v", m[1], err)
		}
	}
	for kind := range read {
		if !seen[kind] {
			t.Errorf("docs/format.md has no example of a %s", kind)
		}
	}
}

// TestSlugExamples holds what F4 says of slugs to what they are.
func TestSlugExamples(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Requests 2.33.tar.gz": "requests-2.33.tar.gz",
		"a--b":                 "a-b",
		"":                     "x",
		"NUL.txt":              "x-nul.txt",
		"-.hidden":             "hidden",
	} {
		if got := records.Slug(in, 48); got != want {
			t.Errorf("slug(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestDecisionExamples runs the scenarios of docs/decision.md through the vector test of the
// package that they are about.
func TestDecisionExamples(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("decision.md")
	if err != nil {
		t.Fatal(err)
	}
	var scenarios strings.Builder
	scenarios.WriteString("format: 1\nscenarios:\n")
	blocks := regexp.MustCompile("(?s)```yaml\n(- id:.*?)```").FindAllStringSubmatch(string(text), -1)
	for _, block := range blocks {
		for line := range strings.Lines(block[1]) {
			scenarios.WriteString("  " + line)
		}
	}
	if len(blocks) < 5 {
		t.Fatalf("only %d blocks of scenarios found", len(blocks))
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "decision-docs.yaml"), []byte(scenarios.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.Command("go", "test", "./records/trust", "-count=1", "-run", "TestVectors", "-args", "-vectors", dir)
	command.Dir = ".."
	if out, err := command.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
