package schema

import (
	"errors"
	"fmt"
	"strings"
)

// everyProject is the pattern that matches every project, and also no project at all.
const everyProject = "*"

// ValidProject reports whether s is a project as records write it (F2): "pkg:", a type that
// begins with a letter, and at least one more segment, of the bytes [A-Za-z0-9._~/%+-], none of
// them empty, "." or "..". Nothing is normalised: two spellings are two projects.
func ValidProject(s string) error {
	segments, err := projectSegments(s)
	if err != nil {
		return err
	}
	if segments < 2 {
		return fmt.Errorf("project %s has no name after its type", quote(s))
	}
	return nil
}

// projectSegments checks "pkg:" and the segments after it and counts these.
func projectSegments(s string) (int, error) {
	rest, ok := strings.CutPrefix(s, "pkg:")
	if !ok {
		return 0, fmt.Errorf("project %s does not begin with \"pkg:\" and a type", quote(s))
	}
	for i := 0; i < len(rest); i++ {
		if !projectByte(rest[i]) {
			return 0, fmt.Errorf("project %s holds %s", quote(s), quote(rest[i:i+1]))
		}
	}
	for n := 1; ; n++ {
		segment, after, more := strings.Cut(rest, "/")
		switch {
		case segment == "" || segment == "." || segment == "..":
			return 0, fmt.Errorf("project %s has the segment %q", quote(s), segment)
		case n == 1 && !projectType(segment):
			return 0, fmt.Errorf("project %s has no package type in front", quote(s))
		case !more:
			return n, nil
		}
		rest = after
	}
}

// projectByte says whether c may stand in a project.
func projectByte(c byte) bool { return nameByte(c) || c == '/' || c == '%' }

// nameByte says whether c may stand in a project or version as it is, meaning itself.
func nameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("._~+-", c) >= 0
}

// projectType says whether a segment is a type of package URLs.
func projectType(s string) bool {
	if s == "" || strings.ContainsAny(s, "%_~") {
		return false
	}
	c := s[0] | 0x20
	return c >= 'a' && c <= 'z'
}

// ValidPattern reports whether s is a pattern (F2): a project, a prefix of whole segments that
// ends in "/*", or "*".
func ValidPattern(s string) error {
	if s == everyProject {
		return nil
	}
	prefix, ok := strings.CutSuffix(s, "/*")
	if !ok {
		return ValidProject(s)
	}
	_, err := projectSegments(prefix)
	return err
}

// versionBytes are the bytes that a version may hold besides letters, digits and "._~+-".
const versionBytes = "%:!^"

// ValidVersion reports whether s is a version: not empty, of the bytes [A-Za-z0-9._~%+:!^-], so
// that the version of a record and the one of a release are compared byte for byte.
func ValidVersion(s string) error {
	if s == "" {
		return errors.New("version is empty")
	}
	for i := 0; i < len(s); i++ {
		if c := s[i]; !nameByte(c) && strings.IndexByte(versionBytes, c) < 0 {
			return fmt.Errorf("version %s holds %s", quote(s), quote(s[i:i+1]))
		}
	}
	return nil
}

// SplitRelease splits a release, "pkg:type/name@version", into its project and version. It is
// false when either part is not valid (F2).
func SplitRelease(purl string) (project, version string, ok bool) {
	at := strings.LastIndexByte(purl, '@')
	if at < 0 {
		return "", "", false
	}
	project, version = purl[:at], purl[at+1:]
	if ValidProject(project) != nil || ValidVersion(version) != nil {
		return "", "", false
	}
	return project, version, true
}

// MatchPattern reports whether a pattern matches a project: both as records write them, byte
// for byte and by whole segments (F2). The empty project, which means that none is known, is
// matched only by "*".
func MatchPattern(pattern, project string) bool {
	if pattern == everyProject {
		return true
	}
	if project == "" {
		return false
	}
	if prefix, ok := strings.CutSuffix(pattern, "*"); ok && strings.HasSuffix(prefix, "/") {
		return len(project) > len(prefix) && strings.HasPrefix(project, prefix)
	}
	return pattern == project
}

// MatchAny reports whether one of the patterns matches the project. No patterns at all mean
// no bound: true.
func MatchAny(patterns []string, project string) bool {
	for _, p := range patterns {
		if MatchPattern(p, project) {
			return true
		}
	}
	return len(patterns) == 0
}
