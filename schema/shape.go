package schema

import (
	"fmt"
	"strings"
)

// shape is how the names of a package type look. What does not look so is a slip, and would name a
// project that nobody else means: "pypi:requests==2.33", "github:repo", "npm:scope/name".
type shape struct {
	least, most int    // segments; most 0 is no bound
	like        string // how one is written
}

// shapes are those of the types whose names are this regular. All of them hold letters, digits and
// "._-" only, and those of npm "~" and, in front of a scope, "@".
var shapes = map[string]shape{
	"pypi":      {1, 1, "pypi:requests"},
	"cargo":     {1, 1, "cargo:serde"},
	"gem":       {1, 1, "gem:rails"},
	"npm":       {1, 2, "npm:left-pad or npm:@scope/name"},
	"composer":  {2, 2, "composer:vendor/name"},
	"github":    {2, 2, "github:owner/repo"},
	"codeberg":  {2, 2, "codeberg:owner/repo"},
	"bitbucket": {2, 2, "bitbucket:owner/repo"},
	"gitlab":    {2, 0, "gitlab:group/repo"},
}

// fitsShape says what is wrong with the segments of a name, decoded; prefix is one that more is to follow.
func fitsShape(kind string, segments []string, prefix bool) error {
	s, known := shapes[kind]
	if !known {
		return nil
	}
	wrong := fmt.Errorf("a name of %s is written %s", kind, s.like)
	n := len(segments)
	if prefix {
		n++
	}
	if s.most > 0 && n > s.most || !prefix && n < s.least {
		return wrong
	}
	for i, segment := range segments {
		plain := segment
		if kind == "npm" && i == 0 && n == 2 { // the scope
			rest, at := strings.CutPrefix(segment, "@")
			if !at || rest == "" {
				return wrong
			}
			plain = rest
		}
		if bad := strings.IndexFunc(plain, func(r rune) bool {
			return r > 0x7f || !nameByte(byte(r)) || r == '+' || r == '~' && kind != "npm"
		}); bad >= 0 {
			return fmt.Errorf("a name of %s holds no %s: it is written %s, with a version behind an @", kind, quote(string([]rune(plain[bad:])[:1])), s.like)
		}
	}
	return nil
}

// isForge says whether a type's projects are repositories, which people write with ".git" at the end.
func isForge(kind string) bool {
	for _, of := range forges {
		if of == kind {
			return true
		}
	}
	return false
}
