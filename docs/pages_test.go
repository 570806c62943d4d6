package docs_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestPages runs every command of the console blocks of a page, in order, in one shell with an empty
// home, and compares what comes out. What differs from run to run is written there as ID, DATE,
// FINGERPRINT and HOST. A page that shows questions is run on a terminal: what stands behind a prompt is
// typed. Whatever a page downloads comes from the folder www/HOST of its home, by way of a proxy.
func TestPages(t *testing.T) {
	t.Parallel()
	bin := buildProgram(t)
	for _, page := range []struct {
		file     string
		terminal bool
		programs []string // besides what every system has
	}{
		{"../README.md", true, nil},
		{"stolen-key.md", false, []string{"ssh-keygen"}},
		{"told-afterwards.md", false, nil},
		{"cookbook.md", true, []string{"bash", "curl", "fish", "gpg", "minisign", "ssh-keygen", "zsh"}},
	} {
		t.Run(filepath.Base(page.file), func(t *testing.T) {
			t.Parallel()
			if page.terminal && runtime.GOOS != "linux" {
				t.Skip("terminals are tried on Linux")
			}
			for _, program := range page.programs {
				if _, err := exec.LookPath(program); err != nil && os.Getenv("CI") != "" {
					t.Fatal(err)
				} else if err != nil {
					t.Skip(err)
				}
			}
			runPage(t, page.file, bin, page.terminal)
		})
	}
}

func runPage(t *testing.T, page, bin string, terminal bool) {
	t.Helper()
	steps := consoleSteps(t, page)
	home := t.TempDir()
	var script strings.Builder
	for _, s := range steps {
		script.WriteString(s.command + "\necho '" + marker + "'\n")
	}
	file := filepath.Join(t.TempDir(), "page.sh")
	if err := os.WriteFile(file, []byte(script.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	shell := exec.CommandContext(ctx, "sh", file)
	shell.Dir = home
	shell.Env = append(web(t, home), "HOME="+home, "PATH="+bin+":/usr/local/bin:/usr/bin:/bin", "TERM=xterm", "NO_COLOR=1", "LC_ALL=C.UTF-8")
	var out string
	var err error
	if terminal {
		out, err = talk(t, shell, steps)
	} else {
		var b []byte
		b, err = shell.CombinedOutput()
		out = string(b)
	}
	if *update {
		rewrite(t, page, home, out)
		steps = consoleSteps(t, page)
	}
	parts := strings.Split(out, marker+"\n")
	if len(parts) != len(steps)+1 {
		t.Fatalf("%d of %d commands ran (%v):\n%s", len(parts)-1, len(steps), err, out)
	}
	for i, s := range steps {
		if s.before {
			continue
		}
		if got, want := normal(parts[i], home), normal(s.output, home); got != want {
			t.Errorf("$ %s\n--- the page says\n%s--- the program says\n%s", s.command, want, got)
		}
	}
}

const marker = "=== end of a step ==="

// step is one command of a console block and what it prints.
type step struct {
	command, output string
	before          bool // nobody reads about it: whatever it prints
}

// blocks are what of a page is run: what it shows, and in a comment what has to be there before.
var blocks = regexp.MustCompile("(?s)```console\n(.*?)```|<!-- before\n(.*?)-->")

func consoleSteps(t *testing.T, file string) []step {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var steps []step
	for _, block := range blocks.FindAllStringSubmatch(string(text), -1) {
		if block[2] != "" {
			steps = append(steps, step{command: block[2], before: true})
		}
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

// rewrite puts what came out into the page.
func rewrite(t *testing.T, page, home, out string) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(out, marker+"\n")
	said := blocks.ReplaceAllStringFunc(string(text), func(block string) string {
		if len(parts) < 2 {
			return block
		}
		if !strings.HasPrefix(block, "```") {
			parts = parts[1:]
			return block
		}
		var b strings.Builder
		for line := range strings.Lines(block) {
			if strings.HasPrefix(line, "$ ") && len(parts) > 1 {
				b.WriteString(line)
				if output := normal(parts[0], home); output != "\n" {
					b.WriteString(output)
				}
				parts = parts[1:]
			}
		}
		return "```console\n" + b.String() + "```"
	})
	if err := os.WriteFile(page, []byte(said), 0o600); err != nil {
		t.Fatal(err)
	}
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
		{`openpgp:[0-9A-F]{12}(\.\.|[0-9A-F]{28})`, "openpgp:FINGERPRINT"},
		{`minisign:[A-Za-z0-9+/]{56}`, "minisign:FINGERPRINT"},
		{`\b\d{4}-\d\d-\d\d\b`, "DATE"},
		{`\b[0-9a-f]{8,128}\b`, "ID"},
		{`/[0-9a-f]{2}/`, "/ID/"}, // of a record's path
		{`(?m)  ` + regexp.QuoteMeta(host) + `$`, "  HOST"},
	} {
		text = regexp.MustCompile(r.pattern).ReplaceAllString(text, r.with)
	}
	return string(bytes.TrimRight([]byte(text), "\n")) + "\n"
}
