package docs_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// evidence is what docs/threat-model.md names as proof: `package: Test` or `cli: script`.
var evidence = regexp.MustCompile("`([a-z]+): ([A-Za-z_]+)`")

// testsOf finds the tests, fuzz targets and scripts of every package, by the last part of its path.
func testsOf(t *testing.T) map[string][]string {
	t.Helper()
	function := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	all := map[string][]string{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			if err == nil && d.Name() == ".cache" {
				return fs.SkipDir
			}
			return err
		}
		name := filepath.Base(filepath.Dir(path))
		switch {
		case strings.HasSuffix(path, "_test.go"):
			b, err := os.ReadFile(path)
			for _, found := range function.FindAllStringSubmatch(string(b), -1) {
				all[name] = append(all[name], found[1])
			}
			return err
		case filepath.Ext(path) == ".txtar" && (name == "script" || name == "signers"):
			all["cli"] = append(all["cli"], strings.TrimSuffix(d.Name(), ".txtar"))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestThreatModelIsShown holds docs/threat-model.md to the tests that it names: each is there, and
// each test of an attack is on the page.
func TestThreatModelIsShown(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("threat-model.md")
	if err != nil {
		t.Fatal(err)
	}
	tests := testsOf(t)
	named := map[string]bool{}
	for _, found := range evidence.FindAllStringSubmatch(string(page), -1) {
		named[found[1]+": "+found[2]] = true
		if !slices.Contains(tests[found[1]], found[2]) {
			t.Errorf("%s has no test %s", found[1], found[2])
		}
	}
	if len(named) < 30 {
		t.Errorf("only %d tests are named", len(named))
	}
	for name, list := range tests {
		for _, test := range list {
			if strings.HasPrefix(test, "TestHostile") && !named[name+": "+test] {
				t.Errorf("%s of %s is not on the page", test, name)
			}
		}
	}
}
