package main

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestQuantiles adds up few runs, between which quartiles lie.
func TestQuantiles(t *testing.T) {
	var s samples
	for _, ms := range []time.Duration{30, 10, 20} {
		s.runs = append(s.runs, sample{wall: ms * time.Millisecond})
	}
	for q, want := range map[float64]string{0: "10 ms", 0.25: "15 ms", 0.5: "20 ms", 0.75: "25 ms", 1: "30 ms"} {
		if got := duration(s.quantile(wall, q)); got != want {
			t.Errorf("%v: %s, want %s", q, got, want)
		}
	}
}

// TestWrongExit has a command end with another code than the right one, which fails a run.
func TestWrongExit(t *testing.T) {
	sh := command{args: []string{"sh", "-c", "echo why >&2; exit 3"}}
	if _, err := alternate(context.Background(), 1, sh); err == nil || !strings.Contains(err.Error(), "exit code 3 instead of 0") || !strings.Contains(err.Error(), "why") {
		t.Errorf("got %v", err)
	}
	sh.exit = 3
	runs, err := alternate(context.Background(), 5, sh)
	if err != nil || len(runs[0].runs) != 5 || len(runs[0].peaks) != leanRounds {
		t.Errorf("got %v, %v", runs, err)
	}
}

// TestIntoPage puts a table where another one lies, and leaves the rest of the page.
func TestIntoPage(t *testing.T) {
	page := filepath.Join(t.TempDir(), "page.md")
	write := func(text string) {
		if err := os.WriteFile(page, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r := report{heads: comparisonHeads, machine: &machine{}}
	r.add(row{id: "P1"}, []line{{job: "ours | theirs", ratio: "0.50", met: met}})
	write("before\n" + tableBegins + "old\n" + tableEnds + "after\n")
	if err := r.into(page); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	got := string(b)
	if !strings.HasPrefix(got, "before\n"+tableBegins) || !strings.HasSuffix(got, tableEnds+"after\n") || strings.Contains(got, "old") ||
		!strings.Contains(got, "| P1 | ours ÷ theirs | - | - | 0.50 | - | - | yes |\n") {
		t.Errorf("got\n%s", got)
	}
	write("no place\n")
	if err := r.into(page); err == nil {
		t.Error("a page without a place for the table was written")
	}
	for _, name := range []string{page, page + ".missing"} {
		// Nothing is built, made or measured for a page that cannot take the table.
		cache := filepath.Join(t.TempDir(), "cache")
		if err := run(t.Context(), []string{"-cache", cache, "-write", name}, io.Discard, io.Discard); err == nil {
			t.Error("no error")
		}
		if _, err := os.Stat(cache); err == nil {
			t.Error("work was begun")
		}
	}
}

// TestKeyring has gpg read an OpenPGP network and verify what is signed there.
func TestKeyring(t *testing.T) {
	if _, err := exec.LookPath("gpg"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	dir := t.TempDir()
	ring := filepath.Join(dir, "ring")
	if err := keyring(ring, 40, 4); err != nil {
		t.Fatal(err)
	}
	gpg := func(args ...string) string {
		t.Helper()
		out, err := command{args: append([]string{"gpg", "--homedir", dir, "--batch", "--no-autostart"}, args...)}.output(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	gpg("--quiet", "--import", ring)
	checked := gpg("--with-colons", "--check-sigs")
	if good := strings.Count(checked, "\nsig:!:"); good != 10*(4+1) {
		t.Errorf("%d good signatures, want those of 10 keys by themselves and by 4 others\n%s", good, checked)
	}
}
