package cli_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/creack/pty"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/distributed-trust/distrust/cli/render"
)

// passedOn are the variables that programs on a terminal of ours get.
var passedOn = []string{
	"HOME", "PATH", "WORK", "D", "URL", "TERM", "NO_COLOR", "CI", "SSH_AUTH_SOCK", "SSL_CERT_FILE", "GIT_CONFIG_NOSYSTEM", "TMPDIR", clockVariable,
}

// onTerminal is terminal CODE TALK COMMAND... runs a command on a terminal of 80 columns. TALK is a file: after
// "< text" the screen has to show the text, "> line" types a line, "$ line" is run by sh beside it. What was on the screen is in the
// file screen afterwards.
func onTerminal(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: terminal CODE TALK COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute) // a question that nobody answers
	defer cancel()
	cmd := exec.CommandContext(ctx, inPath(ts, args[2]), args[3:]...)
	cmd.Dir = ts.MkAbs(".")
	for _, name := range passedOn {
		cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
	}
	master, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 80})
	ts.Check(err)
	defer master.Close()
	screen := &talk{ts: ts, in: master, out: bufio.NewReader(master)}
	for line := range strings.Lines(ts.ReadFile(args[1])) {
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.HasPrefix(line, "< "):
			screen.await(line[2:])
		case strings.HasPrefix(line, "> "), line == ">":
			_, err := io.WriteString(master, strings.TrimPrefix(strings.TrimPrefix(line, ">"), " ")+"\n")
			ts.Check(err)
		case strings.HasPrefix(line, "$ "):
			beside := exec.Command("sh", "-c", line[2:])
			beside.Dir, beside.Env = cmd.Dir, cmd.Env
			ts.Check(beside.Run())
		case line != "":
			ts.Fatalf("%s: %q is none of <, > and $", args[1], line)
		}
	}
	screen.rest()
	err = cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		ts.Fatalf("running %v: %v", args[2:], err)
	}
	ts.Logf("[screen]\n%s", screen.shown.String())
	if ctx.Err() != nil {
		ts.Fatalf("%v is still waiting", args[2:])
	}
	ts.Check(os.WriteFile(ts.MkAbs("screen"), []byte(screen.shown.String()), 0o600))
	if got := cmd.ProcessState.ExitCode(); got != want {
		ts.Fatalf("%v: exit code %d, want %d", args[2:], got, want)
	}
}

// talk is what a program shows on its terminal.
type talk struct {
	ts    *testscript.TestScript
	in    io.Writer
	out   *bufio.Reader
	shown strings.Builder
	since int // where the next text is looked for
}

// await reads until text is there. A program that ends without it fails the script.
func (t *talk) await(text string) {
	for !strings.Contains(t.shown.String()[t.since:], text) {
		b, err := t.out.ReadByte()
		if err != nil {
			t.ts.Fatalf("the program ended before it showed %q:\n%s", text, t.shown.String())
		}
		if b != '\r' {
			t.shown.WriteByte(b)
		}
	}
	t.since = t.shown.Len()
}

// rest reads until the program lets go of the terminal, which is an error on Linux.
func (t *talk) rest() {
	for {
		b, err := t.out.ReadByte()
		if err != nil {
			return
		}
		if b != '\r' {
			t.shown.WriteByte(b)
		}
	}
}

// inPath finds a program as the script does.
func inPath(ts *testscript.TestScript, program string) string {
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		path := filepath.Join(dir, program)
		if info, err := os.Stat(path); err == nil && !info.IsDir() {
			return path
		}
	}
	ts.Fatalf("%s is not in PATH", program)
	return ""
}

// published is where the schemas say that they are.
const published = "https://github.com/distributed-trust/distrust/"

// fits SCHEMA FILE [LINES] holds every line of FILE (stdout: what the last command printed) to a
// published JSON Schema; there have to be some, or just LINES.
func fits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: fits SCHEMA FILE [LINES]")
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	for name, b := range render.Schemas() {
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
		ts.Check(err)
		ts.Check(compiler.AddResource(published+name+".schema.json", doc))
	}
	schema, err := compiler.Compile(published + args[0] + ".schema.json")
	ts.Check(err)
	lines := 0
	for line := range strings.Lines(ts.ReadFile(args[1])) {
		lines++
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(line))
		if err != nil {
			ts.Fatalf("line %d is no JSON: %v: %s", lines, err, line)
		}
		if err := schema.Validate(value); err != nil {
			ts.Fatalf("line %d does not fit %s.schema.json: %v: %s", lines, args[0], err, line)
		}
	}
	if lines == 0 || len(args) == 3 && strconv.Itoa(lines) != args[2] {
		ts.Fatalf("%d lines", lines)
	}
}

// visible FILE... holds files (stdout and stderr: of the last command) to text that draws nothing on
// a terminal and hides nothing from its reader, in lines of at most 80 columns but for commands to
// paste.
func visible(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: visible FILE...")
	}
	for _, file := range args {
		text := ts.ReadFile(file)
		for i, r := range text {
			if r != '\n' && (!unicode.IsPrint(r) || r == unicode.ReplacementChar) {
				ts.Fatalf("%s: %U at byte %d of %q", file, r, i, text)
			}
		}
	}
}

// narrow FILE [COLUMNS] holds every line to a width, 80 columns when none is named.
func narrow(ts *testscript.TestScript, neg bool, args []string) {
	columns := 80
	if len(args) == 2 {
		n, err := strconv.Atoi(args[1])
		ts.Check(err)
		columns = n
	}
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		if width := render.Width(strings.TrimRight(line, "\n")); width > columns || neg {
			ts.Fatalf("%s: %d columns: %s", args[0], width, line)
		}
	}
}

// hinted is the command in a hint, which stands behind the last ": ".
var hinted = regexp.MustCompile(`(?m)^distrust: hint: (?:.*: )?((?:distrust|git|mv|chmod) .*)$`)

// paste CODE SHELL pastes the command that the last hint names into a shell and holds its exit code.
func paste(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: paste CODE SHELL")
	}
	all := hinted.FindAllStringSubmatch(ts.ReadFile("stderr"), -1)
	if len(all) == 0 {
		ts.Fatalf("no command was hinted at: %s", ts.ReadFile("stderr"))
	}
	exits(ts, false, []string{args[0], args[1], "-c", all[len(all)-1][1]})
}
