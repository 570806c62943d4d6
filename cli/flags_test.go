package cli

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"

	urfave "github.com/urfave/cli/v2"
)

// tree is a small command line with every way in which flags can end.
func tree() *Command {
	given := func(context.Context, *Invocation) (Exit, error) { return Done, nil }
	str := func(name string) urfave.Flag { return &urfave.StringFlag{Name: name} }
	return &Command{Sub: []*Command{
		{
			Name: "check", Operands: "FILE...", Min: 1, Max: Any, Run: given, EmptyOK: []string{"reason"},
			Flags: []urfave.Flag{
				jsonFlag(), quietFlag(), forFlag(), str("reason"),
				textsFlag("scope", ""), &urfave.IntFlag{Name: "depth"},
			},
		},
		{Name: "one", Operands: "NAME", Min: 1, Max: 1, Run: given},
		{Name: "run", Operands: "FILE [ARGS...]", Min: 1, Max: Any, Ends: AtFirstOperand, Flags: []urfave.Flag{forFlag()}, Run: given},
		{Name: "pipe", Operands: "CMD...", Min: 1, Max: Any, Ends: CommandAfter, Flags: []urfave.Flag{forFlag()}, Run: given},
		{Name: "git", Operands: "[ARGS...]", Max: Any, Ends: Raw, Run: given},
		{Name: "alarms", Run: given, Flags: []urfave.Flag{jsonFlag()}, Sub: []*Command{
			{Name: "ack", Operands: "ID", Min: 1, Max: 1, Flags: []urfave.Flag{str("reason")}, Run: given},
		}},
		{Name: "key", Sub: []*Command{{Name: "list", Run: given}}},
		{Name: "journal", Operands: "[PATH]", Max: 1, Run: given, Sub: []*Command{{Name: "list", Run: given}}},
		{Name: "trust", Run: given},
		{Name: "follow", Run: given},
		{Name: "sources", Run: given},
		{Name: "report", Run: given},
		{Name: "withdraw", Run: given},
		{Name: "secret", Hidden: true, Run: given},
	}}
}

// parse resolves and parses a line of words.
func parse(line ...string) (string, parsed, error) {
	r, err := resolve(tree(), line)
	if err != nil {
		return r.path, parsed{}, err
	}
	p, err := r.command.parse(r.path, r.lead, r.args)
	return r.path, p, err
}

func TestFlagsAnywhere(t *testing.T) {
	t.Parallel()
	tests := []struct {
		line  string // words, with _ for a space and <> for an empty word
		path  string
		flags string
		rest  string
		help  bool
	}{
		{line: "check f", path: "check", rest: "f"},
		{line: "check f --json", path: "check", flags: "--json", rest: "f"},
		{line: "check f --for p g --json", path: "check", flags: "--for=p --json", rest: "f g"},
		{line: "check --for=p f", path: "check", flags: "--for=p", rest: "f"},
		{line: "check --for=-p f", path: "check", flags: "--for=-p", rest: "f"},
		{line: "check --for=a=b f", path: "check", flags: "--for=a=b", rest: "f"},
		{line: "check -q f", path: "check", flags: "--quiet", rest: "f"},
		{line: "check - f", path: "check", rest: "- f"},
		{line: "check -- --json", path: "check", rest: "--json"},
		{line: "check f -- --json -- g", path: "check", rest: "f --json -- g"},
		{line: "check --json -- f", path: "check", flags: "--json", rest: "f"},
		{line: "check --reason= f", path: "check", flags: "--reason=", rest: "f"},
		{line: "check --reason <> f", path: "check", flags: "--reason=", rest: "f"},
		{line: "check --scope a,b --scope c f", path: "check", flags: "--scope=a,b --scope=c", rest: "f"},
		{line: "check --json --json f", path: "check", flags: "--json --json", rest: "f"},
		{line: "--json check f", path: "check", flags: "--json", rest: "f"},
		{line: "--for check check f", path: "check", flags: "--for=check", rest: "f"},
		{line: "--no-input alarms --json ack 7", path: "alarms ack", flags: "--no-input", rest: "", help: false},
		{line: "alarms --json", path: "alarms", flags: "--json"},
		{line: "alarms ack 7 --reason r", path: "alarms ack", flags: "--reason=r", rest: "7"},
		{line: "alarms --reason ack ack 7", path: "alarms ack", flags: "--reason=ack", rest: "7"},
		{line: "key list", path: "key list"},
		{line: "journal list", path: "journal list"},
		{line: "journal x", path: "journal", rest: "x"},
		{line: "journal -- list", path: "journal", rest: "list"},
		{line: "run f --for p --help", path: "run", rest: "f --for p --help"},
		{line: "run --for p f -x -- y", path: "run", flags: "--for=p", rest: "f -x -- y"},
		{line: "run -- f", path: "run", rest: "f"},
		{line: "run -- -f -x", path: "run", rest: "-f -x"},
		{line: "pipe -- sh -c x --help", path: "pipe", rest: "sh -c x --help"},
		{line: "pipe --for p -- sh -- y", path: "pipe", flags: "--for=p", rest: "sh -- y"},
		{line: "git log --help -- x", path: "git", rest: "log --help -- x"},
		{line: "git --version", path: "git", rest: "--version"},
		{line: "--no-input git -- --x", path: "git", flags: "--no-input", rest: "-- --x"},
		{line: "git", path: "git"},
		// --help anywhere, and before every mistake
		{line: "check --help", path: "check", help: true},
		{line: "check f --json -h", path: "check", help: true},
		{line: "--help check", path: "check", help: true},
		{line: "check --jsn --help", path: "check", help: true},
		{line: "check --for --help", path: "check", help: true},
		{line: "alarms ack --help", path: "alarms ack", help: true},
		{line: "run --help", path: "run", help: true},
		{line: "pipe --help", path: "pipe", help: true},
		{line: "key --help", path: "key", help: true},
		{line: "--help", path: "", help: true},
	}
	for _, tt := range tests {
		t.Run(tt.line, func(t *testing.T) {
			t.Parallel()
			var words []string
			for word := range strings.FieldsSeq(tt.line) {
				words = append(words, strings.ReplaceAll(word, "<>", ""))
			}
			path, p, err := parse(words...)
			if tt.path == "alarms ack" && strings.Contains(tt.line, "--json") {
				// a flag of the command above is none of the command below
				if err == nil || !strings.Contains(err.Error(), `unknown flag "--json"`) {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if path != tt.path || p.help != tt.help {
				t.Errorf("got %q, help %v; want %q, %v", path, p.help, tt.path, tt.help)
			}
			if tt.help {
				return
			}
			if got := strings.Join(p.flags, " "); got != tt.flags {
				t.Errorf("flags %q, want %q", got, tt.flags)
			}
			if got := strings.Join(p.operands, " "); got != tt.rest {
				t.Errorf("operands %q, want %q", got, tt.rest)
			}
		})
	}
}

// TestUsageErrors holds every message of wrong usage: one line, the nearest match, exit 2.
func TestUsageErrors(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"chekc f":                 `unknown command "chekc", did you mean: distrust check`,
		"chk":                     `unknown command "chk", did you mean: distrust check`,
		"xyzzy":                   `unknown command "xyzzy"; see: distrust help`,
		"secrte":                  `unknown command "secrte"; see: distrust help`, // hidden ones are not offered
		"verify f":                `unknown command "verify", did you mean: distrust check`,
		"untrust f":               `unknown command "untrust", did you mean: distrust withdraw`,
		"revoke f":                `unknown command "revoke", did you mean: distrust withdraw`,
		"deny f":                  `unknown command "deny", did you mean: distrust report`,
		"allow f":                 `unknown command "allow", did you mean: distrust trust`,
		"flag f":                  `unknown command "flag", did you mean: distrust report`,
		"add f":                   `unknown command "add", did you mean: distrust follow`,
		"status":                  `unknown command "status", did you mean: distrust sources`,
		"alarms akc":              `unknown command "alarms akc", did you mean: distrust alarms ack`,
		"alarms verify":           `unknown command "alarms verify"; see: distrust help alarms`,
		"key x":                   `unknown command "key x"; see: distrust help key`,
		"check f --jsn":           `unknown flag "--jsn", did you mean: --json`,
		"check f -json":           `unknown flag "-json", did you mean: --json`,
		"check f --q":             `unknown flag "--q", did you mean: -q`,
		"check f -5":              `unknown flag "-5"; a file of that name is written ./-5`,
		"check f ---json":         `unknown flag "---json", did you mean: --json`,
		"check f -x=secret":       `unknown flag "-x"; a file of that name is written ./-x`,
		"check f --=x":            `unknown flag "--"; a file of that name is written ./--`,
		"--jsn check f":           `unknown flag "--jsn", did you mean: --json`,
		"--depth 3":               `distrust needs a command`,
		"--":                      `distrust needs a command`,
		"check f --for":           `--for needs a value`,
		"check f --for -x":        `--for needs a value; one that begins with - is written --for=-x`,
		"check f --for -- g":      `--for needs a value`,
		"check f --for=":          `--for has an empty value`,
		"check f --json=true":     `--json takes no value`,
		"check f --help=x":        `--help takes no value`,
		"check --for a f --for b": `--for is given twice`,
		"check":                   `check needs FILE...`,
		"one":                     `one needs NAME`,
		"one a b":                 `one takes NAME, and got 2 operands`,
		"alarms -- x":             `alarms takes no operand, and got 1`,
		"alarms ack":              `alarms ack needs ID`,
		"journal a b":             `journal takes [PATH], and got 2 operands`,
		"run":                     `run needs FILE [ARGS...]`,
		"run --fro p f":           `unknown flag "--fro", did you mean: --for`,
		"pipe":                    `pipe needs a command after --`,
		"pipe --":                 `pipe needs a command after --`,
		"pipe sh":                 `the command goes after --, and "sh" stands before it`,
		"pipe --for p sh -- x":    `the command goes after --, and "sh" stands before it`,
		"check f --depth x":       `invalid value "x" for --depth: parse error`,
	} {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			exit, err := dispatchIn(tree(), strings.Fields(line))
			var problem *Problem
			if !errors.As(err, &problem) || problem.Exit != Usage {
				t.Fatalf("exit %d, error %v", exit, err)
			}
			if err.Error() != want {
				t.Errorf("got  %s\nwant %s", err, want)
			}
		})
	}
}

// dispatchIn runs a line on a command line of the test's own.
func dispatchIn(root *Command, line []string) (Exit, error) {
	return dispatch(context.Background(), testEnv(), root, line)
}

// TestFlagValues shows what reaches a command through urfave/cli.
func TestFlagValues(t *testing.T) {
	t.Parallel()
	root, ran := tree(), false
	root.find("check").Run = func(_ context.Context, in *Invocation) (Exit, error) {
		ran = true
		if !in.Bool("json") || in.Bool("quiet") || in.String("for") != "-p,q" || in.Int("depth") != 3 || !in.NoInput() || in.NoJournal() {
			t.Errorf("json %v, quiet %v, for %q, depth %d", in.Bool("json"), in.Bool("quiet"), in.String("for"), in.Int("depth"))
		}
		if got := in.Strings("scope"); !reflect.DeepEqual(got, []string{"a,b", "c"}) {
			t.Errorf("scopes %q: slice flags must not split at commas", got)
		}
		if !in.Given("reason") || in.Given("quiet") {
			t.Error("Given is wrong")
		}
		if want := []string{"help", "json", "--x"}; !reflect.DeepEqual(in.Operands, want) {
			t.Errorf("operands %q, want %q", in.Operands, want)
		}
		return Unknown, nil
	}
	line := []string{
		"--no-input", "check", "help", "--scope", "a,b", "json", "--for=-p,q", "--json", "--depth", "3", "--reason", "", "--scope=c", "--", "--x",
	}
	exit, err := dispatchIn(root, line)
	if err != nil || exit != Unknown || !ran {
		t.Errorf("exit %d, error %v, ran %v", exit, err, ran)
	}
}

// TestFlagsMeanTheSame keeps a name of a flag to one kind, so that flags can be told from operands
// before the command is known.
func TestFlagsMeanTheSame(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	var walk func(c *Command, path string)
	walk = func(c *Command, path string) {
		for name, kind := range c.flagKinds() {
			takes := "takes no value"
			if kind.value {
				takes = "takes a value"
			}
			if before, ok := seen[name]; ok && !strings.HasPrefix(before, takes) {
				t.Errorf("--%s %s in %q, but %s", name, takes, path, before)
			}
			seen[name] = takes + " in " + path
		}
		for _, sub := range c.Sub {
			walk(sub, path+" "+sub.Name)
		}
	}
	walk(program(testEnv()), "distrust")
}

func TestNearest(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ typed, want string }{
		{"check", "check"}, {"chekc", "check"}, {"cheek", "check"}, {"ch", ""}, {"che", "check"}, {"follows", "follow"}, {"zzz", ""}, {"", ""},
	} {
		if got := nearest(tt.typed, []string{"check", "cat", "follow", "unfollow"}); got != tt.want {
			t.Errorf("nearest(%q) = %q, want %q", tt.typed, got, tt.want)
		}
	}
	for pair, want := range map[[2]string]int{{"", "abc"}: 3, {"abc", ""}: 3, {"ab", "ba"}: 1, {"kitten", "sitting"}: 3, {"a", "a"}: 0} {
		if got := distance(pair[0], pair[1]); got != want {
			t.Errorf("distance(%v) = %d, want %d", pair, got, want)
		}
	}
}

// TestRepeatedFlags: every value of a flag that may be given several times arrives as it was given.
func TestRepeatedFlags(t *testing.T) {
	t.Parallel()
	var in Invocation
	command := &Command{
		Name: "follow", Flags: []urfave.Flag{textsFlag("scope", ""), &urfave.IntFlag{Name: "depth", Value: 2}, forFlag()},
		Run: func(_ context.Context, got *Invocation) (Exit, error) {
			in = *got
			return Done, nil
		},
	}
	follow := func(args ...string) (Exit, error) {
		return dispatch(t.Context(), OS(), &Command{Sub: []*Command{command}}, append([]string{"follow"}, args...))
	}
	if exit, err := follow("--scope", "a,b", "--scope=c=d"); exit != Done || err != nil {
		t.Fatal(exit, err)
	}
	if got := in.Strings("scope"); !reflect.DeepEqual(got, []string{"a,b", "c=d"}) {
		t.Errorf("--scope is %q", got)
	}
	if in.Int("depth") != 2 || in.Given("depth") || !in.Given("scope") || in.Given(forFlagName) || in.Strings("depth") != nil || in.Bool(noInputFlag) {
		t.Error("flags that were not given are not what they are by default")
	}
	var problem *Problem
	if exit, err := follow("--depth", "x"); exit != Usage || !errors.As(err, &problem) || !strings.Contains(err.Error(), "--depth") {
		t.Error(exit, err)
	}
}
