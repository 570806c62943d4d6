package sshsig

import (
	"regexp"
	"strings"
	"testing"
)

// FuzzMatchPattern compares the matcher with a regular expression.
func FuzzMatchPattern(f *testing.F) {
	for _, seed := range [][2]string{
		{"", ""}, {"*", ""}, {"?", ""}, {"a*b?c", "aXXbYc"}, {"*a*a*", "aa"}, {"**", "x"}, {"*ab", "aab"}, {"a?", "a\xff"}, {"[a]", "a"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, pattern, s string) {
		if len(pattern) > 100 {
			return
		}
		var expr strings.Builder
		for _, c := range []byte(pattern) {
			switch c {
			case '*':
				expr.WriteString(`.*`)
			case '?':
				expr.WriteByte('.')
			default:
				// One character a byte, since the matcher knows bytes only.
				expr.WriteString(regexp.QuoteMeta(string(rune(c))))
			}
		}
		var latin strings.Builder
		for _, c := range []byte(s) {
			latin.WriteRune(rune(c))
		}
		want := regexp.MustCompile(`(?s)\A(?:` + expr.String() + `)\z`).MatchString(latin.String())
		if got := matchPattern(pattern, s); got != want {
			t.Fatalf("matchPattern(%q, %q) = %v", pattern, s, got)
		}
	})
}
