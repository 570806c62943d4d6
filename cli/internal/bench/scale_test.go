package main

import (
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestScale runs the whole simulation with few logs. The exit codes say that the answers are right, the
// requests that everybody was fetched once.
func TestScale(t *testing.T) {
	for _, program := range []string{"git", "go"} {
		if _, err := exec.LookPath(program); err != nil {
			if os.Getenv("CI") != "" {
				t.Fatal(err)
			}
			t.Skip(err)
		}
	}
	t.Chdir("../../..") // from where the program is built
	b := &bench{sizes: scaleOf(10, 12), progress: io.Discard}
	b.sizes.rounds, b.sizes.longRounds = 1, 1
	build := func(program string) command { // as the tests are: for other flags every package would be compiled once more
		return command{args: []string{"go", "build", "-o", program, "./cli/distrust"}, env: os.Environ()}
	}
	if err := b.open(t.Context(), t.TempDir(), build); err != nil {
		t.Fatal(err)
	}
	defer b.server.close()
	defer b.web.close()
	var shown []string
	for _, r := range scaleRows() {
		lines, err := r.measure(t.Context(), b)
		if err != nil {
			t.Fatalf("%s: %v", r.id, err)
		}
		for _, l := range lines {
			shown = append(shown, strings.Join([]string{r.id, l.job, l.ratio}, " | "))
		}
	}
	all := strings.Join(shown, "\n")
	for _, want := range []string{
		"S1 | the same, on the wire | 20 requests, ", // the addresses, and a pack of each
		"S6 | sync without news of all 10 | 10 requests, ",
		"S7 | sync of a day: 1 of the logs have 11 new records each, 11 in all | 11 requests, ",
	} {
		if !strings.Contains(all, want) {
			t.Errorf("no %q in\n%s", want, all)
		}
	}
}
