package docs_test

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/distributed-trust/distrust/"

// TestImportDirection holds the table of docs/architecture.md against what the packages
// import. A package without a row fails, as does a row without a package, or one that names a
// package for tests.
func TestImportDirection(t *testing.T) {
	allowed := importTable(t)
	command := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...")
	command.Dir = ".."
	out, err := command.Output()
	if err != nil {
		t.Fatalf("listing packages: %v", err)
	}
	seen := map[string]bool{}
	var forTests []string
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		name := strings.TrimPrefix(fields[0], module)
		if name == "docs" {
			continue // holds this test and nothing else
		}
		seen[name] = true
		row, ok := allowed[name]
		if !ok {
			t.Errorf("package %s has no row in docs/architecture.md", name)
			continue
		}
		if slices.Contains(fields[1:], "testing") {
			forTests = append(forTests, name)
		}
		for _, imported := range fields[1:] {
			ours, isOurs := strings.CutPrefix(imported, module)
			if isOurs && !slices.Contains(row, ours) {
				t.Errorf("%s imports %s, which docs/architecture.md does not allow", name, ours)
			}
		}
	}
	for name, row := range allowed {
		if !seen[name] {
			t.Errorf("docs/architecture.md has a row for %s, which is no package", name)
		}
		for _, imported := range row {
			if slices.Contains(forTests, imported) {
				t.Errorf("docs/architecture.md lets %s import %s, which imports testing", name, imported)
			}
		}
	}
	if len(forTests) == 0 {
		t.Error("no package imports testing: was the test kit moved?")
	}
}

// importTable reads the rows "| `package` | … | imports |" of the table in docs/architecture.md.
func importTable(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile("architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	table := map[string][]string{}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 3 || !strings.HasPrefix(strings.TrimSpace(cells[0]), "`") {
			continue
		}
		name := strings.Trim(strings.TrimSpace(cells[0]), "`")
		row := []string{}
		for _, cell := range strings.Split(cells[2], ",") {
			if cell = strings.Trim(strings.TrimSpace(cell), "`"); cell != "" && cell != "nothing of ours" {
				row = append(row, cell)
			}
		}
		table[name] = row
	}
	if len(table) < 5 {
		t.Fatalf("docs/architecture.md has only %d rows: was the table moved?", len(table))
	}
	return table
}
