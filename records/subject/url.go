package subject

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/distributed-trust/distrust/schema"
)

// Published is what an address says by its shape alone: what the file there is called, and, where a
// well-known host keeps the files of one project in one place, whose it is and of which version.
type Published struct {
	File    string // what to call it here; "" when the address gives no name that is safe
	Project string // "" when the shape is not known
	Version string // "" when the address does not tell for sure
}

// FromURL reads an https address that a person typed. It is a table of exact hosts and shapes and
// guesses nothing: what could be read in two ways is left out. What it gives is a proposal, as no
// address proves what lies there.
func FromURL(u *url.URL) Published {
	p := Published{}
	segments, ok := pathSegments(u)
	if !ok {
		return p
	}
	p.File = segments[len(segments)-1]
	if host := publishers()[u.Host]; host != nil && u.RawQuery == "" {
		p = host(segments, p)
	}
	if !safeName(p.File) {
		p.File = ""
	}
	return p.checked()
}

// checked drops what no record could say (F2).
func (p Published) checked() Published {
	project, _, err := schema.NormalizeProject(p.Project)
	if p.Project == "" || err != nil {
		return Published{File: p.File}
	}
	out := Published{File: p.File, Project: project}
	if p.Version != "" {
		if _, version, err := schema.NormalizeProject(p.Project + "@" + typed.Replace(p.Version)); err == nil {
			out.Version = version
		}
	}
	return out
}

// typed spells a version so that it can be typed behind a project's "@".
var typed = strings.NewReplacer("%", "%25", "@", "%40", "?", "%3F", "#", "%23", "*", "%2A")

// pathSegments are the decoded parts of a path; an empty one, "." and ".." make it one that we do
// not read.
func pathSegments(u *url.URL) ([]string, bool) {
	segments := strings.Split(strings.TrimPrefix(u.EscapedPath(), "/"), "/")
	for i, s := range segments {
		plain, err := url.PathUnescape(s)
		if err != nil || plain == "" || plain == "." || plain == ".." || schema.ValidText(plain) != nil {
			return nil, false
		}
		segments[i] = plain
	}
	return segments, true
}

// maxName leaves room for the endings of signatures within what file systems take.
const maxName = 200

// safeName says whether a file may be called so here without a word of the user's: one name on
// every system, nothing hidden, nothing that a command would take for an option.
func safeName(name string) bool {
	if name == "" || len(name) > maxName || !utf8.ValidString(name) || schema.ValidText(name) != nil {
		return false
	}
	if strings.ContainsAny(name[:1], ".-~ ") || strings.ContainsAny(name[len(name)-1:], ". ") || strings.ContainsAny(name, `/\:*?"<>|`) {
		return false
	}
	device, _, _ := strings.Cut(strings.ToLower(name), ".")
	return !devices().MatchString(device) && !strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) })
}

var (
	word    = expression(`^[A-Za-z0-9_][A-Za-z0-9._~-]*$`) // of an owner, a repository, a package
	element = expression(`^[A-Za-z0-9._~-]+$`)             // of a Go module path
	hashed  = expression(`^[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]{60}$`)
	devices = expression(`^(con|prn|aux|nul|com[0-9]|lpt[0-9])$`)
	pep440  = expression(`^(?:[0-9]+!)?[0-9]+(?:\.[0-9]+)*(?:(?:a|b|rc)[0-9]+)?(?:\.post[0-9]+)?(?:\.dev[0-9]+)?(?:\+[a-z0-9]+(?:[._][a-z0-9]+)*)?$`)
	semver  = expression(`^[0-9]+\.[0-9]+\.[0-9]+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$`)
	derived = expression(`-g[0-9a-fA-F]{4,64}$`)
	commit  = expression(`^[0-9a-fA-F]{4,64}$`)
)

// expression compiles a regular expression when it is first asked for: most runs of the program read no
// address, and compiling all of these takes a good part of its start.
func expression(text string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })
}

// publishers are the hosts that are known. Each fills in what it knows.
func publishers() map[string]func(segments []string, p Published) Published {
	return map[string]func([]string, Published) Published{
		"files.pythonhosted.org": fromPyPI,
		"registry.npmjs.org":     fromNPM,
		"static.crates.io":       fromCrates,
		"crates.io":              fromCrates,
		"proxy.golang.org":       fromGo,
		"github.com":             fromGitHub,
		"codeload.github.com":    fromCodeload,
		"gitlab.com":             fromGitLab,
		"codeberg.org":           fromCodeberg,
	}
}

// fromPyPI reads /packages/HASH/NAME-VERSION.tar.gz and wheels, and the older
// /packages/source/r/NAME/NAME-VERSION.tar.gz.
func fromPyPI(s []string, p Published) Published {
	if len(s) != 5 || s[0] != "packages" {
		return p
	}
	var name, version string
	switch stem, kind := cutArchive(p.File); kind {
	case ".whl": // {name}-{version}(-{build})?-{python}-{abi}-{platform}
		parts := strings.Split(stem, "-")
		if len(parts) != 5 && (len(parts) != 6 || !startsWithDigit(parts[2])) {
			return p
		}
		name, version = parts[0], parts[1]
	case ".tar.gz", ".zip", ".tar.bz2", ".tgz", ".tar.xz":
		i := strings.LastIndexByte(stem, '-')
		if i < 0 {
			return p
		}
		name, version = stem[:i], stem[i+1:]
		// "a-1.0-1": version 1 of a-1.0, or the post-release 1.0-1 of a.
		if last := name[strings.LastIndexByte(name, '-')+1:]; last != name && startsWithDigit(last) {
			return p
		}
	default:
		return p
	}
	if !word().MatchString(name) || !pep440().MatchString(version) {
		return p
	}
	if !hashed().MatchString(strings.Join(s[1:4], "/")) && !samePyPI(name, s[3]) {
		return p
	}
	p.Project, p.Version = "pypi:"+name, version
	return p
}

// samePyPI says whether two spellings are one project's.
func samePyPI(a, b string) bool {
	one, _, err := schema.NormalizeProject("pypi:" + a)
	other, _, wrong := schema.NormalizeProject("pypi:" + b)
	return err == nil && wrong == nil && one == other
}

func startsWithDigit(s string) bool { return s != "" && s[0] >= '0' && s[0] <= '9' }

// archives are the endings of source archives and packages, the longer ones first.
var archives = []string{".tar.gz", ".tar.bz2", ".tar.xz", ".tar.zst", ".tgz", ".tar", ".zip", ".whl", ".bundle"}

// cutArchive cuts the ending of an archive off.
func cutArchive(name string) (stem, kind string) {
	for _, kind := range archives {
		if stem, ok := strings.CutSuffix(name, kind); ok && stem != "" {
			return stem, kind
		}
	}
	return name, ""
}

// fromNPM reads /NAME/-/NAME-VERSION.tgz, and /@SCOPE/NAME/-/NAME-VERSION.tgz.
func fromNPM(s []string, p Published) Published {
	project := strings.Join(s[:max(0, len(s)-2)], "/") // "@scope%2fname" is one segment
	scope, name, scoped := strings.Cut(project, "/")
	if !scoped {
		scope, name = "@_", project
	}
	scope, isScope := strings.CutPrefix(scope, "@")
	if len(s) < 3 || s[len(s)-2] != "-" || !isScope || !word().MatchString(scope) || !word().MatchString(name) {
		return p
	}
	version, ok := strings.CutPrefix(strings.TrimSuffix(p.File, ".tgz"), name+"-")
	if !ok || !strings.HasSuffix(p.File, ".tgz") || !semver().MatchString(version) {
		return p
	}
	if strings.ToLower(project) != project {
		return p // an old name: npm has another package of the same letters in lower case, as which F2 would write it
	}
	p.Project, p.Version = "npm:"+project, version
	return p
}

// fromCrates reads /crates/NAME/NAME-VERSION.crate, and (/api/v1)/crates/NAME/VERSION/download.
func fromCrates(s []string, p Published) Published {
	if len(s) > 2 && s[0] == "api" && s[1] == "v1" {
		s = s[2:]
	}
	var name, version string
	switch {
	case len(s) == 3 && s[0] == "crates" && strings.HasSuffix(s[2], ".crate"):
		name = s[1]
		cut, ok := strings.CutPrefix(strings.TrimSuffix(s[2], ".crate"), name+"-")
		if !ok {
			return p
		}
		version = cut
	case len(s) == 4 && s[0] == "crates" && s[3] == "download":
		name, version = s[1], s[2]
	}
	if !word().MatchString(name) || !semver().MatchString(version) {
		return p
	}
	return Published{File: name + "-" + version + ".crate", Project: "cargo:" + name, Version: version}
}

// fromGo reads /MODULE/@v/VERSION.zip, in which "!a" stands for "A".
func fromGo(s []string, p Published) Published {
	at := len(s) - 2
	if at < 1 || s[at] != "@v" || !strings.HasSuffix(p.File, ".zip") {
		return p
	}
	module, ok := unbang(strings.Join(s[:at], "/"))
	version, fine := unbang(strings.TrimSuffix(p.File, ".zip"))
	number, isVersion := strings.CutPrefix(version, "v")
	if !ok || !fine || !isVersion || !semver().MatchString(number) || slices.ContainsFunc(strings.Split(module, "/"), notElement) {
		return p
	}
	base := module[strings.LastIndexByte(module, '/')+1:]
	return Published{File: base + "@" + version + ".zip", Project: "golang:" + module, Version: version}
}

func notElement(s string) bool { return !element().MatchString(s) }

// unbang undoes the Go proxy's spelling of upper-case letters.
func unbang(s string) (string, bool) {
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c >= 'A' && c <= 'Z', c >= utf8.RuneSelf:
			return "", false
		case c == '!':
			if i++; i == len(s) || s[i] < 'a' || s[i] > 'z' {
				return "", false
			}
			c = s[i] - 'a' + 'A'
		}
		out.WriteByte(c)
	}
	return out.String(), true
}

// fromGitHub reads what hangs on a release, and archives of tags.
func fromGitHub(s []string, p Published) Published { return fromForge("github", s, p) }

// fromCodeberg reads the same: Forgejo's addresses are GitHub's.
func fromCodeberg(s []string, p Published) Published { return fromForge("codeberg", s, p) }

// fromForge reads /OWNER/REPO/releases/download/TAG/FILE, /releases/latest/download/FILE,
// /archive/refs/tags/TAG.tar.gz and /archive/NAME.tar.gz.
func fromForge(kind string, s []string, p Published) Published {
	if len(s) < 4 || !plainRepo(s[:2]) {
		return p
	}
	project, repo := kind+":"+s[0]+"/"+s[1], s[1]
	switch {
	case len(s) == 6 && s[2] == "releases" && s[3] == "download":
		p.Project, p.Version = project, s[4]
	case len(s) == 6 && s[2] == "releases" && s[3] == "latest" && s[4] == "download":
		p.Project = project
	case len(s) >= 6 && s[2] == "archive" && s[3] == "refs" && s[4] == "tags":
		if tag, ending := cutArchive(strings.Join(s[5:], "/")); ending != "" && plainRef(tag) {
			p = Published{File: archiveName(repo, tag, ending), Project: project, Version: tag}
		}
	case len(s) == 4 && s[2] == "archive":
		// A tag or a branch, of which we cannot know. A commit may be anybody's: forges show those of
		// forks under the name of the repository.
		if ref, ending := cutArchive(s[3]); ending != "" && plainRef(ref) && !anybodys(ref) {
			p = Published{File: archiveName(repo, ref, ending), Project: project}
		}
	}
	return p
}

// plainRef says whether git can only take ref for the name of a tag or branch: not for steps from one to other
// commits, nor for what git describe prints, of which only the commit at its end counts.
func plainRef(ref string) bool {
	return !strings.ContainsAny(ref, `~^:?*[\`) && !strings.Contains(ref, "..") && !strings.Contains(ref, "@{") && !derived().MatchString(ref)
}

// anybodys says whether ref, where any kind of name can stand, may lead to what anybody can have put there: a
// commit, or a pull request (pull/1/head).
func anybodys(ref string) bool { return commit().MatchString(ref) || strings.Contains(ref, "/") }

// plainRepo says whether an owner and a repository are just that.
func plainRepo(names []string) bool {
	return !slices.ContainsFunc(names, func(s string) bool { return !word().MatchString(s) })
}

// archiveName is what a forge itself calls the archive of a tag, without the v of a version.
func archiveName(repo, ref, ending string) string {
	if number, ok := strings.CutPrefix(ref, "v"); ok && startsWithDigit(number) {
		ref = number
	}
	return repo + "-" + strings.ReplaceAll(ref, "/", "-") + ending
}

// fromCodeload reads where GitHub sends on to: /OWNER/REPO/tar.gz/refs/tags/TAG.
func fromCodeload(s []string, p Published) Published {
	if len(s) < 6 || !plainRepo(s[:2]) || s[3] != "refs" || s[4] != "tags" || s[2] != "tar.gz" && s[2] != "zip" {
		return p
	}
	tag := strings.Join(s[5:], "/")
	if !plainRef(tag) {
		return p
	}
	return Published{File: archiveName(s[1], tag, "."+s[2]), Project: "github:" + s[0] + "/" + s[1], Version: tag}
}

// fromGitLab reads /GROUP/…/REPO/-/releases/TAG/downloads/FILE, and
// /-/archive/TAG/REPO-TAG.tar.gz, where TAG may be a branch or a commit, too.
func fromGitLab(s []string, p Published) Published {
	dash := 0
	for dash < len(s) && s[dash] != "-" {
		dash++
	}
	if dash < 2 || dash == len(s) || !plainRepo(s[:dash]) {
		return p
	}
	project, rest := "gitlab:"+strings.Join(s[:dash], "/"), s[dash+1:]
	switch {
	case len(rest) >= 4 && rest[0] == "releases" && rest[2] == "downloads":
		p.Project, p.Version = project, rest[1]
	case len(rest) == 3 && rest[0] == "archive" && plainRef(rest[1]) && !anybodys(rest[1]):
		if _, ending := cutArchive(rest[2]); ending != "" {
			p.Project = project
		}
	}
	return p
}
