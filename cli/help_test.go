package cli

import (
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/distributed-trust/distrust/cli/config"
	"github.com/distributed-trust/distrust/cli/render"
)

// everyCommand calls f with each command that is shown and its path, the program's own excepted.
func everyCommand(t *testing.T, f func(t *testing.T, c *Command, path string)) {
	t.Helper()
	var walk func(c *Command, path string)
	walk = func(c *Command, path string) {
		for _, sub := range c.Sub {
			full := strings.TrimSpace(path + " " + sub.Name)
			if !sub.Hidden {
				t.Run(full, func(t *testing.T) { f(t, sub, full) })
			}
			walk(sub, full)
		}
	}
	walk(program(testEnv()), "")
}

// TestEveryHelp demands usage, description, flags, examples and exit status of every command, in
// 80 columns, on standard output, with exit 0, by all three ways to ask.
func TestEveryHelp(t *testing.T) {
	t.Parallel()
	everyCommand(t, func(t *testing.T, c *Command, path string) {
		words := strings.Fields(path)
		got := runProgram(testEnv(), append([]string{"help"}, words...)...)
		if got.exit != 0 || got.stderr != "" {
			t.Fatalf("%+v", got)
		}
		if c.Ends != Raw { // git's own help is git's
			for _, args := range [][]string{append(words, "--help"), append([]string{"-h"}, words...)} {
				if other := runProgram(testEnv(), args...); other != got {
					t.Errorf("%v says %+v", args, other)
				}
			}
		}
		text := got.stdout
		if !strings.HasPrefix(text, "usage: distrust "+path) {
			t.Errorf("begins with %q", strings.SplitN(text, "\n", 2)[0])
		}
		for _, part := range []string{"\nFLAGS\n", "\nEXAMPLES\n  ", "\nEXIT STATUS\n  0  "} {
			if !strings.Contains(text, part) && (part != "\nFLAGS\n" || c.Ends != Raw) {
				t.Errorf("no %q in\n%s", strings.TrimSpace(part), text)
			}
		}
		for line := range strings.Lines(text) {
			line = strings.TrimSuffix(line, "\n")
			if render.Width(line) > 80 && !isExample(c, line) || strings.TrimRight(line, " ") != line || render.Escape(line) != line {
				t.Errorf("%d columns: %q", render.Width(line), line)
			}
		}
		if c.Summary == "" || strings.HasSuffix(c.Summary, ".") || c.Summary[:1] != strings.ToLower(c.Summary[:1]) {
			t.Errorf("summary %q", c.Summary)
		}
		if !strings.Contains(path, " ") && c.Group == "" {
			t.Error("no group: the overview leaves it out")
		}
	})
}

// isExample says whether a line of help is a command to copy, which is not broken.
func isExample(c *Command, line string) bool {
	for _, e := range c.examples() {
		if strings.TrimSpace(line) == e.Line {
			return true
		}
	}
	return false
}

// TestExamplesParse keeps examples in help to what the program understands.
func TestExamplesParse(t *testing.T) {
	t.Parallel()
	everyCommand(t, func(t *testing.T, c *Command, path string) {
		if len(c.examples()) == 0 {
			t.Fatal("no examples")
		}
		own := false
		for _, e := range c.examples() {
			if e.Text == "" {
				t.Errorf("%q says nothing", e.Line)
			}
			at := strings.Index(e.Line, "distrust ")
			if at < 0 {
				t.Errorf("%q does not call distrust", e.Line)
				continue
			}
			words := exampleWords(e.Line[at+len("distrust "):])
			r, err := resolve(program(testEnv()), words)
			if err == nil {
				_, err = r.command.parse(r.path, r.lead, r.args)
			}
			if err != nil {
				t.Errorf("%q: %v", e.Line, err)
			}
			own = own || r.path == path || strings.HasPrefix(r.path, path+" ")
		}
		if !own {
			t.Errorf("no example is about %s", path)
		}
	})
}

// exampleWords takes a line of an example apart, up to a pipe, redirection or the next command.
func exampleWords(line string) []string {
	var words []string
	word, quoted, started := "", false, false
	for _, r := range line + " " {
		switch {
		case r == '\'':
			quoted, started = !quoted, true
		case quoted:
			word += string(r)
		case r == '|' || r == '>' || r == '&' || r == ')' || r == ';':
			if started {
				words = append(words, word)
			}
			return words
		case r == ' ':
			if started {
				words = append(words, word)
			}
			word, started = "", false
		default:
			word, started = word+string(r), true
		}
	}
	return words
}

func TestOverview(t *testing.T) {
	t.Parallel()
	got := runProgram(testEnv(), "help")
	if got.exit != 0 || got != runProgram(testEnv(), "--help") {
		t.Errorf("%+v", got)
	}
	for _, c := range program(testEnv()).Sub {
		if strings.Contains(got.stdout, "\n  "+c.Name+" ") == c.Hidden {
			t.Errorf("%s: hidden %v, and the overview says\n%s", c.Name, c.Hidden, got.stdout)
		}
	}
}

func TestTopics(t *testing.T) {
	t.Parallel()
	root := program(testEnv())
	for _, topic := range topics() {
		got := runProgram(testEnv(), "help", topic.name)
		if got.exit != 0 || got.stdout != topic.text() || got.stderr != "" {
			t.Errorf("%s: %+v", topic.name, got)
		}
		if root.find(topic.name) != nil {
			t.Errorf("%s is a command, too", topic.name)
		}
		for line := range strings.Lines(got.stdout) {
			if n := render.Width(strings.TrimSuffix(line, "\n")); n > 80 {
				t.Errorf("%s: %d columns: %s", topic.name, n, line)
			}
		}
	}
	codes := runProgram(testEnv(), "help", "exit-codes").stdout
	for _, row := range exitTable {
		if line := fmt.Sprintf("  %3d  %s\n", int(row.exit), row.meaning); !strings.Contains(codes, line) {
			t.Errorf("exit-codes lacks %q", line)
		}
	}
}

// TestPagesAreTrue holds what the pages say about numbers against the code.
func TestPagesAreTrue(t *testing.T) {
	t.Parallel()
	for weight := range 101 {
		if got, err := config.ParseWeight(render.WeightWord(weight)); err != nil || got != weight {
			t.Errorf("weight %d is shown as %s, which is read as %d, %v", weight, render.WeightWord(weight), got, err)
		}
	}
	for _, word := range []string{"full", "half", "third", "mute"} {
		weight, err := config.ParseWeight(word)
		if line := fmt.Sprintf("  %-5s  %3d  ", word, weight); err != nil || !strings.Contains(weightsTopic, line) {
			t.Errorf("help weights lacks %q", line)
		}
	}
	for variable := range strings.FieldsSeq(filesTopic) {
		variable = strings.Trim(variable, ",")
		if !strings.HasPrefix(variable, "DISTRUST_") {
			continue
		}
		dirs, err := config.Locate(func(name string) string {
			if name == variable {
				return "/there"
			}
			return ""
		}, func() (string, error) { return "/home", nil })
		if err != nil || !strings.Contains(fmt.Sprint(dirs), "/there") {
			t.Errorf("%s moves nothing: %+v, %v", variable, dirs, err)
		}
	}
	env := testEnv()
	env.UserHome = func() (string, error) { return "~", os.ErrNotExist }
	if _, err := env.Dirs(); err == nil {
		t.Error("folders without a home")
	}
}

// TestSettingsTopic holds the examples to the readers of the files that they are about.
func TestSettingsTopic(t *testing.T) {
	t.Parallel()
	_, rest, _ := strings.Cut(settingsTopic, "config.yml, every")
	settings, sources, found := strings.Cut(rest, "sources.yml, which")
	if !found {
		t.Fatal("the topic does not speak of both files")
	}
	if got, err := config.ParseConfig("config.yml", []byte(indented(settings))); err != nil || got != config.DefaultConfig() {
		t.Errorf("%+v, %v, want the defaults", got, err)
	}
	got, err := config.ParseSources("sources.yml", []byte(indented(sources)))
	if err != nil || len(got) != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	source := reflect.ValueOf(got[0])
	for i := range source.NumField() {
		if source.Field(i).IsZero() {
			t.Errorf("the example does not show %s", source.Type().Field(i).Name)
		}
	}
}

// indented is what of a topic stands two columns in: its examples.
func indented(text string) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, "  "); ok {
			out.WriteString(rest)
		}
	}
	return out.String()
}
