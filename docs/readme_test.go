package docs_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestPages runs every command of the console blocks of a page, in order, in one shell with an empty
// home, and compares what comes out. What differs from run to run is written there as ID, DATE,
// FINGERPRINT and HOST.
func TestPages(t *testing.T) {
	t.Parallel()
	bin := buildProgram(t)
	for _, page := range []string{"../README.md", "stolen-key.md"} {
		t.Run(filepath.Base(page), func(t *testing.T) {
			t.Parallel()
			runPage(t, page, bin)
		})
	}
}

func runPage(t *testing.T, page, bin string) {
	t.Helper()
	steps := consoleSteps(t, page)
	if _, err := exec.LookPath("ssh-keygen"); err != nil && page != "../README.md" { // that one needs nothing
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	home := t.TempDir()
	var script strings.Builder
	script.WriteString("exec 2>&1\n")
	for _, s := range steps {
		script.WriteString(s.command + "\necho '" + marker + "'\n")
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	shell := exec.CommandContext(ctx, "sh")
	shell.Stdin = strings.NewReader(script.String())
	shell.Dir = home
	shell.Env = []string{"HOME=" + home, "PATH=" + bin + ":/usr/bin:/bin"}
	out, err := shell.CombinedOutput()
	parts := strings.Split(string(out), marker+"\n")
	if len(parts) != len(steps)+1 {
		t.Fatalf("%d of %d commands ran (%v):\n%s", len(parts)-1, len(steps), err, out)
	}
	for i, s := range steps {
		if got, want := normal(parts[i], home), normal(s.output, home); got != want {
			t.Errorf("$ %s\n--- the page says\n%s--- the program says\n%s", s.command, want, got)
		}
	}
}

const marker = "=== end of a step ==="

// step is one command of a console block and what it prints.
type step struct{ command, output string }

func consoleSteps(t *testing.T, file string) []step {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var steps []step
	for _, block := range regexp.MustCompile("(?s)```console\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		for line := range strings.Lines(block[1]) {
			if command, ok := strings.CutPrefix(line, "$ "); ok {
				steps = append(steps, step{command: strings.TrimSpace(command)})
			} else {
				steps[len(steps)-1].output += line
			}
		}
	}
	if len(steps) < 10 {
		t.Fatalf("only %d commands found in %s", len(steps), file)
	}
	return steps
}

// buildProgram builds distrust and returns the folder it lies in.
func buildProgram(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	build := exec.Command("go", "build", "-tags", "urfave_cli_no_docs", "-o", filepath.Join(dir, "distrust"), "../cli/distrust")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building: %v\n%s", err, out)
	}
	return dir
}

// normal replaces what differs from run to run.
func normal(text, home string) string {
	host, err := os.Hostname()
	if err != nil {
		host = "this machine" // as the program calls it then
	}
	text = strings.ReplaceAll(text, home, "~")
	for _, r := range []struct{ pattern, with string }{
		{`SHA256:[A-Za-z0-9+/]{43}`, "SHA256:FINGERPRINT"},
		{`\b\d{4}-\d\d-\d\d\b`, "DATE"},
		{`\b[0-9a-f]{8,64}\b`, "ID"},
		{`(?m)  ` + regexp.QuoteMeta(host) + `$`, "  HOST"},
	} {
		text = regexp.MustCompile(r.pattern).ReplaceAllString(text, r.with)
	}
	return string(bytes.TrimRight([]byte(text), "\n")) + "\n"
}
