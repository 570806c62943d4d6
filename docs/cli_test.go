package docs_test

import (
	"bytes"
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/distributed-trust/distrust/cli"
)

var update = flag.Bool("update", false, "rewrite what the pages show of the program")

// TestCLIPage holds docs/cli.md to what the program prints of itself.
func TestCLIPage(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("cli.md")
	if err != nil {
		t.Fatal(err)
	}
	parts := regexp.MustCompile(`(?s)<!-- begin: ([a-z -]+) -->\n.*?<!-- end -->\n`)
	seen := 0
	want := parts.ReplaceAllStringFunc(string(page), func(part string) string {
		seen++
		name := parts.FindStringSubmatch(part)[1]
		text := ""
		if name == "commands" {
			for _, command := range commands(t) {
				text += "### " + command + "\n\n```\n" + printed(t, "help", command) + "```\n\n"
			}
			text = strings.TrimSuffix(text, "\n")
		} else {
			text = "```\n" + printed(t, strings.Fields(name)...) + "```\n"
		}
		return "<!-- begin: " + name + " -->\n" + text + "<!-- end -->\n"
	})
	if seen < 5 {
		t.Fatalf("only %d parts found", seen)
	}
	if want == string(page) {
		return
	}
	if !*update {
		t.Fatal("docs/cli.md is not what the program prints: go test ./docs -update")
	}
	if err := os.WriteFile("cli.md", []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

// commands are those that the overview lists, in its order, and those below them.
func commands(t *testing.T) []string {
	t.Helper()
	overview, _, _ := strings.Cut(printed(t, "help"), "\nMore\n")
	var names []string
	for _, m := range regexp.MustCompile(`(?m)^  ([a-z]+)  `).FindAllStringSubmatch(overview, -1) {
		names = append(names, m[1])
		for _, sub := range regexp.MustCompile(`(?m)^  ([a-z]+)(?: [^ ]+)?  `).FindAllStringSubmatch(commandsOf(printed(t, "help", m[1])), -1) {
			names = append(names, m[1]+" "+sub[1])
		}
	}
	if len(names) < 20 {
		t.Fatalf("only %d commands found", len(names))
	}
	return names
}

// commandsOf is the part of a help text that lists the commands of a command.
func commandsOf(help string) string {
	_, after, found := strings.Cut(help, "\nCOMMANDS\n")
	if !found {
		return ""
	}
	list, _, _ := strings.Cut(after, "\n\n")
	return list
}

// printed is what the program writes to standard output.
func printed(t *testing.T, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	env := cli.OS()
	env.Stdout, env.Stderr = &out, &errs
	env.Getenv = func(string) string { return "" }
	full := []string{"distrust"}
	for _, arg := range args {
		full = append(full, strings.Fields(arg)...)
	}
	if code := cli.Main(full, env); code != 0 {
		t.Fatalf("distrust %s: exit %d: %s", strings.Join(args, " "), code, errs.String())
	}
	return out.String()
}
