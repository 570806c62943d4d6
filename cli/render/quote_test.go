package render

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"testing"
)

// argvMode makes the test program print its arguments: what a shell makes of a line.
const argvMode = "RENDER_TEST_PRINT_ARGV"

func TestMain(m *testing.M) {
	if os.Getenv(argvMode) != "" {
		if err := json.NewEncoder(os.Stdout).Encode(os.Args[1:]); err != nil {
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// tricky are words that a shell somewhere reads as something else.
var tricky = []string{
	"", "-", "--", "-f", "--for", "=ls", "=", "a=b", "%self", "%1", "%", "~", "~root", "a~b", "*", "?", "[a]", "{a,b}", "a{b,c}",
	"$HOME", "$(id)", "`id`", "${x}", "(id)", "a;b", "a&b", "a|b", "a>b", "<a", "!!", "a!b", "^a^b", "#a", "a#b", "a b", " a", "a ",
	"'", "''", "a'b", "'a'", `"`, `a"b`, "@a", "a:b", "a,b", "x@1.0", "pkg:npm/%40s/n", "npm:@s/n", "SHA256:AAAA+/=", "été", "日本語", "a—b", "'!'",
	"if", "end", "and", "[", "]", "{", "}", ".", "..", "/", "é'é", "sha256:00",
}

// words are all tricky words, every printable ASCII character and pair of marks, and random ones.
func words() []string {
	all := append([]string(nil), tricky...)
	const marks = "!\"#$%&'()*+,-./:;<=>?@[]^_`{|}~ aé"
	for _, a := range marks {
		for _, b := range marks {
			all = append(all, string(a)+string(b))
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	alphabet := []rune(marks + "abc09日ß")
	for range 500 {
		word := make([]rune, random.IntN(12))
		for i := range word {
			word[i] = alphabet[random.IntN(len(alphabet))]
		}
		all = append(all, string(word))
	}
	return all
}

// TestShells feeds commands that we print to the shells that people paste them into (C1).
func TestShells(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var args []Arg
	var want []string
	for _, w := range words() {
		args = append(args, Word(w), File(w, ""))
		want = append(want, w)
		if strings.HasPrefix(w, "-") && w != "-" {
			w = "./" + w
		}
		want = append(want, w)
	}
	if got := Argv(args); !reflect.DeepEqual(got, want) {
		t.Fatal("Argv is not the words")
	}
	line, ok := Command(append([]Arg{Word(self)}, args...)...)
	if !ok {
		t.Fatal("a word cannot be shown")
	}
	for _, shell := range [][]string{
		{"sh", "-c"},
		{"bash", "--norc", "-c"},
		{"zsh", "-f", "-c"},
		{"zsh", "-f", "-o", "extendedglob", "-o", "magicequalsubst", "-c"},
		{"fish", "--no-config", "-c"},
	} {
		t.Run(strings.Join(shell, " "), func(t *testing.T) {
			t.Parallel()
			path, err := exec.LookPath(shell[0])
			if err != nil {
				if os.Getenv("CI") != "" {
					t.Fatal(err)
				}
				t.Skip(err)
			}
			cmd := exec.CommandContext(t.Context(), path, append(shell[1:], line)...)
			cmd.Dir = t.TempDir()
			cmd.Env = []string{"HOME=" + cmd.Dir, "PATH=" + os.Getenv("PATH"), "LC_ALL=C.UTF-8", argvMode + "=1"}
			var complaints strings.Builder
			cmd.Stderr = &complaints
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("%v: %s", err, complaints.String())
			}
			var got []string
			if err := json.Unmarshal(out, &got); err != nil {
				t.Fatal(err)
			}
			if len(got) != len(want) {
				t.Fatalf("%d words, want %d", len(got), len(want))
			}
			for i := range got {
				if got[i] != want[i] {
					t.Errorf("%s is read as %q", Quote(want[i]), got[i])
				}
			}
		})
	}
}

// misleading are names that are shown as their digest (C1).
var misleading = []string{
	"a\nb", "a\x1b[2Jb", "a\tb", "a\rb", "a\x7fb", "a\u0085b", "a\u202eb", "a\u200bb", "a\ufeffb", `a\b`, "a\xffb", "a\u2028b",
	"a\U000e0041b", "a\u00a0b", "a\u3164b", "a\ufe0fb", "a\u2800b",
}

func TestMisleadingNames(t *testing.T) {
	t.Parallel()
	const digest = "sha256:9f2c"
	for _, name := range misleading {
		line, ok := Command(Word("distrust"), Word("ask"), File(name, digest))
		if !ok || line != "distrust ask sha256:9f2c" {
			t.Errorf("%q gives %q, %v", name, line, ok)
		}
		for _, arg := range []Arg{File(name, ""), Word(name), File(name, name)} {
			if line, ok := Command(Word("distrust"), arg); ok {
				t.Errorf("%q gives %q", name, line)
			}
		}
		hint := Hint{Text: "look", Command: []Arg{Word("distrust"), Word(name)}}
		if got := hint.Line(); got != "look" {
			t.Errorf("a hint with %q is %q", name, got)
		}
	}
}

// unquote reads a line as a POSIX shell does, as far as our lines go: bare words, single quotes
// and a quote behind a backslash.
func unquote(line string) []string {
	var out []string
	var word strings.Builder
	started, quoted := false, false
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '\'':
			quoted, started = !quoted, true
		case quoted:
			word.WriteByte(c)
		case c == '\\':
			i++
			word.WriteByte(line[i])
			started = true
		case c == ' ':
			if started {
				out = append(out, word.String())
			}
			word.Reset()
			started = false
		default:
			word.WriteByte(c)
			started = true
		}
	}
	if started {
		out = append(out, word.String())
	}
	return out
}

func FuzzCommand(f *testing.F) {
	for _, w := range append(append([]string(nil), tricky...), misleading...) {
		f.Add(w)
	}
	f.Fuzz(func(t *testing.T, word string) {
		line, ok := Command(Word("x"), Word(word), File(word, "sha256:0"))
		if safe := Escape(word) == word && !strings.Contains(word, `\`); ok && !safe {
			t.Fatalf("%q is printed as %q", word, line)
		} else if !ok {
			return
		}
		if Escape(line) != line {
			t.Fatalf("%q is not fit for a terminal", line)
		}
		name := File(word, "").Raw()
		if got := unquote(line); !reflect.DeepEqual(got, []string{"x", word, name}) {
			t.Fatalf("%q is read as %q", line, got)
		}
		if strings.HasPrefix(name, "-") && name != "-" {
			t.Fatalf("the file %q looks like a flag", name)
		}
	})
}
