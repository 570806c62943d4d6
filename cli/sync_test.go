package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/distributed-trust/distrust/cli/config"
	"github.com/distributed-trust/distrust/records/source"
)

// TestPortions: who is met for the first time comes some at a time, everybody else at once and before.
func TestPortions(t *testing.T) {
	t.Parallel()
	m := &machine{dirs: config.Dirs{State: t.TempDir()}}
	if err := os.MkdirAll(m.dirs.Pins(), 0o700); err != nil {
		t.Fatal(err)
	}
	specs := []source.Spec{{Name: "without a log"}}
	for i := range 3 * metAtOnce {
		spec := source.Spec{Name: fmt.Sprint(i), Log: fmt.Sprintf("%032x", i)}
		specs = append(specs, spec)
		if i%2 > 0 {
			if err := os.WriteFile(filepath.Join(m.dirs.Pins(), spec.Log+".json"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	var got []string
	for _, some := range m.portions(specs) {
		got = append(got, fmt.Sprintf("%d from %s", len(some), some[0].Name))
	}
	// Of 1,500 half were met.
	if want := "750 from 1, 500 from without a log, 251 from 998"; strings.Join(got, ", ") != want {
		t.Errorf("got %q, want %q", strings.Join(got, ", "), want)
	}
	if none := m.portions(nil); len(none) != 0 {
		t.Errorf("of nobody: %v", none)
	}
}
