package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// shell runs a script in a shell with an empty home, and skips where the shell is missing.
func shell(t *testing.T, name, script string, args ...string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	cmd := exec.CommandContext(t.Context(), path, append(args, "-c", script)...)
	cmd.Dir = t.TempDir()
	cmd.Env = []string{"HOME=" + cmd.Dir, "PATH=" + os.Getenv("PATH"), "LC_ALL=C.UTF-8", "TERM=dumb"}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

// scriptOf writes the completion script of a shell into a file.
func scriptOf(t *testing.T, name string) string {
	t.Helper()
	got := runProgram(testEnv(), "completion", name)
	if got.exit != 0 || got.stderr != "" {
		t.Fatalf("%+v", got)
	}
	path := filepath.Join(t.TempDir(), "_distrust")
	if err := os.WriteFile(path, []byte(got.stdout), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// completions are lines as typed so far, with a word that must be offered next and one that must
// not.
var completions = []struct{ line, want, not string }{
	{"distrust ", "check", "--json"},
	{"distrust che", "check", "version"},
	{"distrust version --", "--json", "--for"},
	{"distrust version --js", "--json", "--help"},
	{"distrust help ex", "exit-codes", "check"},
	{"distrust help ver", "version", "check"},
	{"distrust completion ", "fish", "check"},
	{"distrust key ", "list", "check"},
	{"distrust key l", "list", "add"},
	{"distrust --no-input version --", "--json", "--for"},
}

func check(t *testing.T, line string, offered []string, want, not string) {
	t.Helper()
	if !slices.Contains(offered, want) || slices.Contains(offered, not) {
		t.Errorf("%q offers %q: want %q, and not %q", line, offered, want, not)
	}
}

func TestBashCompletion(t *testing.T) {
	t.Parallel()
	script := scriptOf(t, "bash")
	for _, c := range completions {
		words := strings.Split(c.line, " ")
		out := shell(t, "bash", "set -eu; source "+script+"; COMP_WORDS=("+quoteAll(words)+"); COMP_CWORD="+
			"$((${#COMP_WORDS[@]}-1)); _distrust || true; printf '%s\\n' \"${COMPREPLY[@]:-}\"", "--norc")
		check(t, c.line, strings.Fields(out), c.want, c.not)
	}
	out := shell(t, "bash", "source "+script+"; complete -p distrust", "--norc")
	if !strings.Contains(out, "-F _distrust distrust") {
		t.Errorf("not registered: %s", out)
	}
}

func quoteAll(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = "'" + w + "'"
	}
	return strings.Join(quoted, " ")
}

func TestFishCompletion(t *testing.T) {
	t.Parallel()
	script := scriptOf(t, "fish")
	for _, c := range completions {
		out := shell(t, "fish", "source "+script+"; complete -C '"+c.line+"'", "--no-config")
		var offered []string
		for line := range strings.Lines(out) {
			word, _, _ := strings.Cut(strings.TrimSpace(line), "\t")
			offered = append(offered, word)
		}
		check(t, c.line, offered, c.want, c.not)
	}
}

func TestZshCompletion(t *testing.T) {
	t.Parallel()
	script := scriptOf(t, "zsh")
	// Outside of its editor zsh completes nothing: what the function would offer is caught.
	const caught = `
compdef() { : }
_describe() { [[ $1 == -o ]] && shift; local w; for w in "${(@P)2}"; do print -r -- "${w%%:*}"; done }
_files() { print -r -- FILES }
`
	for _, c := range completions {
		words := strings.Split(c.line, " ")
		last := words[len(words)-1]
		out := shell(t, "zsh", caught+"source "+script+"; words=("+quoteAll(words)+"); CURRENT=$#words; PREFIX='"+last+"'; _distrust; true", "-f")
		var offered []string
		for word := range strings.FieldsSeq(out) {
			if strings.HasPrefix(word, last) { // as compadd would
				offered = append(offered, word)
			}
		}
		check(t, c.line, offered, c.want, c.not)
	}
	if out := shell(t, "zsh", "autoload -U compinit; compinit -D -u; source "+script+"; print -r -- $_comps[distrust]", "-f"); strings.TrimSpace(out) != "_distrust" {
		t.Errorf("not registered: %q", out)
	}
}

// TestCompletionIsComplete offers every command and flag in every shell.
func TestCompletionIsComplete(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"bash", "zsh", "fish"} {
		script, err := os.ReadFile(scriptOf(t, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range places(program(testEnv()), "distrust") {
			if !strings.Contains(string(script), p.path) {
				t.Errorf("%s does not know %q", name, p.path)
			}
			for _, o := range append(p.words, p.flags...) {
				if word := strings.TrimLeft(o.word, "-"); !strings.Contains(string(script), word) {
					t.Errorf("%s does not offer %q", name, o.word)
				}
			}
		}
	}
}
