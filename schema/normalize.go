package schema

import (
	"errors"
	"fmt"
	"strings"
)

// NormalizeProject turns what a person types into a project and, when one was typed, a version
// (C3): a package URL ("pkg:npm/%40s/n@1.0"), its short form ("npm:@s/n@1.0"), the address of a
// repository ("https://github.com/owner/repo", "git@github.com:owner/repo.git") or a bare word ("jq", which
// is "pkg:generic/jq"). The version is what follows the last "@" after the first
// character of the name. Names are spelled as their package type spells them, so that two
// people who mean one project write the same bytes; only programs that write normalise, a
// reader never does (F2). Normalising a second time changes nothing.
func NormalizeProject(typed string) (project, version string, err error) {
	kind, name, err := splitTyped(typed)
	if err != nil {
		return "", "", err
	}
	if at := strings.LastIndexByte(name, '@'); at > 0 {
		if version, err = encodeVersion(name[at+1:]); err != nil {
			return "", "", fmt.Errorf("project %s: %w", quote(typed), err)
		}
		name = name[:at]
	}
	project, err = joinProject(kind, name, false)
	if err == nil {
		err = ValidProject(project)
	}
	if err != nil {
		return "", "", fmt.Errorf("project %s: %w", quote(typed), err)
	}
	return project, version, nil
}

// NormalizePattern turns what a person types into a pattern: "*", anything that
// [NormalizeProject] takes without a version, or the beginning of one that ends in "/*", "/"
// or ":" ("pypi:", "github:alice/"), which all mean every project under it.
func NormalizePattern(typed string) (string, error) {
	if typed == everyProject {
		return typed, nil
	}
	if short, is, err := fromAddress(typed); err != nil {
		return "", err
	} else if is {
		typed = short
		if !strings.Contains(short, "/") {
			typed += "/" // all of an owner's
		}
	}
	prefix, wide := strings.CutSuffix(typed, "*")
	prefix, slash := strings.CutSuffix(prefix, "/")
	if wide && !slash && !strings.HasSuffix(prefix, ":") {
		return "", fmt.Errorf("pattern %s: * stands for whole segments only, as in pypi:* or github:alice/*", quote(typed))
	}
	if !slash && !strings.HasSuffix(prefix, ":") {
		project, version, err := NormalizeProject(typed)
		if err == nil && version != "" {
			return "", fmt.Errorf("pattern %s: a pattern has no version", quote(typed))
		}
		return project, err
	}
	if colon := strings.IndexByte(prefix, ':'); colon < 0 || !slash && colon < len(prefix)-1 {
		return "", fmt.Errorf("pattern %s: say of which kind, as in pypi:* or github:alice/*", quote(typed))
	}
	kind, name, err := splitTyped(prefix)
	if err != nil {
		return "", err
	}
	pattern := "pkg:" + kind
	if name != "" {
		if pattern, err = joinProject(kind, name, true); err != nil {
			return "", fmt.Errorf("pattern %s: %w", quote(typed), err)
		}
	}
	pattern += "/*"
	return pattern, ValidPattern(pattern)
}

// splitTyped takes a typed project apart into its package type, in lower case, and its name.
func splitTyped(typed string) (kind, name string, err error) {
	if err := ValidText(typed); err != nil {
		return "", "", fmt.Errorf("project %s: %w", quote(typed), err)
	}
	if i := strings.IndexAny(typed, "?#"); i >= 0 {
		return "", "", fmt.Errorf("project %s: qualifiers and subpaths (%s) are not part of a project", quote(typed), quote(typed[i:]))
	}
	if typed, _, err = fromAddress(typed); err != nil {
		return "", "", err
	}
	kind, name, colon := strings.Cut(typed, ":")
	switch {
	case typed == "":
		return "", "", errors.New("project is empty")
	case strings.Contains(typed, "*"):
		return "", "", fmt.Errorf("project %s: * can only end a pattern, as in pypi:* or github:alice/*", quote(typed))
	case !colon && strings.Contains(dropVersion(typed), "/"):
		return "", "", fmt.Errorf("project %s: say of which kind, as in golang:%s or github:OWNER/REPO", quote(typed), typed)
	case !colon:
		return "generic", typed, nil
	case lowerASCII(kind) == "pkg":
		kind, name, _ = strings.Cut(strings.TrimLeft(name, "/"), "/")
	}
	if kind = lowerASCII(kind); !projectType(kind) || strings.ContainsFunc(kind, notTypeRune) {
		return "", "", fmt.Errorf("project %s: %s is no package type; write for example pypi:requests or github:owner/repo", quote(typed), quote(kind))
	}
	return kind, name, nil
}

// dropVersion cuts the typed version off a bare word, where "/" may stand.
func dropVersion(typed string) string {
	if at := strings.LastIndexByte(typed, '@'); at > 0 {
		return typed[:at]
	}
	return typed
}

// notTypeRune says that a character cannot stand in a package type.
func notTypeRune(r rune) bool { return r > 0x7f || !nameByte(byte(r)) || r == '_' || r == '~' }

// joinProject spells the name as its package type does and puts the project together; prefix is the
// beginning of one.
func joinProject(kind, name string, prefix bool) (string, error) {
	spell := spelling(kind)
	segments := strings.Split(name, "/")
	for i, s := range segments {
		plain, err := decodePercent(s)
		if err != nil {
			return "", err
		}
		if plain == "" || plain == "." || plain == ".." {
			return "", fmt.Errorf("a name has no segment %q", plain)
		}
		if strings.TrimSpace(plain) != plain {
			return "", fmt.Errorf("a name neither begins nor ends with a space, as %q does", plain)
		}
		segments[i] = plain
	}
	last := len(segments) - 1
	for isForge(kind) && last > 0 && !prefix && strings.HasSuffix(segments[last], ".git") {
		segments[last] = strings.TrimSuffix(segments[last], ".git")
	}
	if err := fitsShape(kind, segments, prefix); err != nil {
		return "", err
	}
	for i, plain := range segments {
		part := partNamespace
		if i == last {
			part = partName
		}
		segments[i] = encodePercent(spell(plain, part), "")
	}
	return "pkg:" + kind + "/" + strings.Join(segments, "/"), nil
}

// namePart says which part of a project a segment belongs to.
type namePart int

const (
	partNamespace namePart = iota
	partName
)

// spelling gives how a package type spells its names. The types that are not listed tell names
// that differ in case apart (cargo, gem, generic, maven, nuget, cran, conan, golang and others),
// so their names stay as they are typed. Golang is among them on purpose: module paths are
// case-sensitive, whatever the package URL tables say.
func spelling(kind string) func(segment string, part namePart) string {
	switch kind {
	case "pypi":
		return spellPyPI
	case "npm", "github", "gitlab", "codeberg", "bitbucket", "composer", "deb", "alpm", "apk", "hex", "pub", "bitnami":
		return func(s string, _ namePart) string { return lowerASCII(s) }
	case "rpm", "qpkg": // the vendor is lower case, the package's own name is not
		return func(s string, part namePart) string {
			if part == partNamespace {
				return lowerASCII(s)
			}
			return s
		}
	case "oci", "docker": // the image's name is lower case, a registry or user before it stays
		return func(s string, part namePart) string {
			if part == partName {
				return lowerASCII(s)
			}
			return s
		}
	default:
		return func(s string, _ namePart) string { return s }
	}
}

// spellPyPI writes a name in lower case with each run of "-", "_" and "." as one "-".
func spellPyPI(s string, _ namePart) string {
	var out strings.Builder
	run := false
	for _, r := range lowerASCII(s) {
		if r == '-' || r == '_' || r == '.' {
			run = true
			continue
		}
		if run {
			out.WriteByte('-')
			run = false
		}
		out.WriteRune(r)
	}
	if run {
		out.WriteByte('-')
	}
	return out.String()
}

// lowerASCII lowers A to Z and leaves every other byte.
func lowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

// encodeVersion writes a typed version with the bytes that [ValidVersion] allows.
func encodeVersion(typed string) (string, error) {
	plain, err := decodePercent(typed)
	if err != nil {
		return "", err
	}
	version := encodePercent(plain, ":!^")
	return version, ValidVersion(version)
}

const upperHex = "0123456789ABCDEF"

// encodePercent writes every byte that does not mean itself as % and two digits.
func encodePercent(s, alsoPlain string) string {
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		if c := s[i]; nameByte(c) || strings.IndexByte(alsoPlain, c) >= 0 {
			out.WriteByte(c)
		} else {
			out.WriteByte('%')
			out.WriteByte(upperHex[c>>4])
			out.WriteByte(upperHex[c&15])
		}
	}
	return out.String()
}

// decodePercent undoes percent-encoding. What it gives is text again (F1), so that no control
// character comes in through the back door.
func decodePercent(s string) (string, error) {
	if !strings.Contains(s, "%") {
		return s, nil
	}
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			out.WriteByte(s[i])
			continue
		}
		if i+2 >= len(s) || !hexDigit(s[i+1]) || !hexDigit(s[i+2]) {
			return "", fmt.Errorf("a %% in %s is not followed by two hex digits", quote(s))
		}
		out.WriteByte(unhex(s[i+1])<<4 | unhex(s[i+2]))
		i += 2
	}
	return out.String(), ValidText(out.String())
}

// hexDigit says whether c is a hex digit of either case.
func hexDigit(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f'
}

// unhex is the value of a hex digit.
func unhex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}
