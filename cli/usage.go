package cli

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/distributed-trust/distrust/cli/render"
)

// usagef is an error of usage that one line says (C1).
func usagef(format string, args ...any) error {
	return &Problem{Exit: Usage, Err: fmt.Errorf(format, args...)}
}

// needsHelp is an error of usage whose next step is the help of a command.
func needsHelp(path, format string, args ...any) error {
	words := append([]string{"distrust"}, strings.Fields(path)...)
	return &Problem{
		Exit: Usage, Err: fmt.Errorf(format, args...),
		Hint: render.Hint{Command: render.Words(append(words, "--help")...)},
	}
}

// BadValue is the error of a flag whose value the command cannot use.
func BadValue(flag string, cause error) error {
	return &Problem{Exit: Usage, Err: fmt.Errorf("--%s: %w", flag, cause)}
}

// otherWords are words of other programs for what ours do (C1).
var otherWords = map[string]string{
	"verify":  "check",
	"untrust": "withdraw",
	"revoke":  "withdraw",
	"deny":    "report",
	"allow":   "trust",
	"flag":    "report",
	"add":     "follow",
	"status":  "sources",
}

// unknownCommand names the command that was probably meant, on one line.
func unknownCommand(parent *Command, path, name string) error {
	full := strings.TrimSpace(path + " " + name)
	meant := nearest(name, parent.names())
	if other := otherWords[name]; path == "" && parent.find(other) != nil {
		meant = other
	}
	if meant == "" {
		return usagef("unknown command %q; see: %s", full, strings.TrimSpace("distrust help "+path))
	}
	return usagef("unknown command %q, did you mean: distrust %s", full, strings.TrimSpace(path+" "+meant))
}

// knownKinds are the package types that package URLs define, and those that are in use besides.
var knownKinds = []string{
	"pypi", "npm", "github", "gitlab", "codeberg", "bitbucket", "golang", "cargo", "gem", "generic", "maven", "nuget", "composer",
	"deb", "rpm", "apk", "alpm", "docker", "oci", "hex", "pub", "swift", "cocoapods", "conan", "conda", "cpan", "cran", "hackage",
	"huggingface", "mlflow", "bazel", "bitnami", "brew", "chrome", "clojars", "ebuild", "elm", "guix", "haxe", "helm", "julia",
	"luarocks", "nix", "opam", "otp", "qpkg", "snap", "swid", "vim", "vscode-extension", "yocto",
}

// warnKind says when a project or pattern is of a kind that is likely a slip of another. It is taken all the
// same, since anybody may use kinds of their own.
func (e *Env) warnKind(project string) {
	kind, _, _ := strings.Cut(strings.TrimPrefix(project, "pkg:"), "/")
	if kind == "*" || slices.Contains(knownKinds, kind) {
		return
	}
	if meant := nearest(kind, knownKinds); meant != "" {
		e.warn("%q is no kind of project that is known here, did you mean: %s", kind, meant)
	}
}

// unknownFlag names the flag that was probably meant, on one line.
func unknownFlag(arg string, kinds map[string]flagKind) error {
	name, _, _, _ := splitFlag(arg)
	shown, _, _ := strings.Cut(arg, "=")
	meant := nearest(strings.TrimLeft(name, "-"), slices.Sorted(maps.Keys(kinds)))
	if meant == "" {
		return usagef("unknown flag %q; a file of that name is written ./%s", shown, shown)
	}
	dashes := "--"
	if len(meant) == 1 {
		dashes = "-"
	}
	return usagef("unknown flag %q, did you mean: %s%s", shown, dashes, meant)
}

// nearest is the candidate that typed is most likely a slip of, "" when none is near. Among
// equals the first wins.
func nearest(typed string, candidates []string) string {
	best, least := "", 0
	if len(typed) > 1 {
		least = 1 + len(typed)/3
	}
	for _, candidate := range candidates {
		d := distance(typed, candidate)
		if len(typed) >= 3 && strings.HasPrefix(candidate, typed) {
			d = min(d, 1)
		}
		if d < least || d == least && best == "" {
			best, least = candidate, d
		}
	}
	return best
}

// distance counts the slips between two words: a letter more, less, other, or two swapped.
func distance(a, b string) int {
	before, last := []int(nil), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			other := 1
			if a[i-1] == b[j-1] {
				other = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+other)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
