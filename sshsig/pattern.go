package sshsig

import "strings"

// maxPattern is the length from which on OpenSSH gives up on a pattern list.
const maxPattern = 1023

// matchPatterns reports whether s matches a comma-separated pattern list (ssh_config(5), PATTERNS):
// some pattern matches, and no pattern that is negated with "!" does. Case matters.
func matchPatterns(list, s string) bool {
	matched := false
	for list != "" {
		negated := list[0] == '!'
		if negated {
			list = list[1:]
		}
		var pattern string
		pattern, list, _ = strings.Cut(list, ",")
		if len(pattern) >= maxPattern {
			return false
		}
		if !matchPattern(pattern, s) {
			continue
		}
		if negated {
			return false
		}
		matched = true
	}
	return matched
}

// matchPattern matches bytes, "?" for any one and "*" for any run, in time |pattern| x |s|.
func matchPattern(pattern, s string) bool {
	p, i := 0, 0
	star, mark := -1, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == s[i]):
			p++
			i++
		case star >= 0:
			// Let the last star take one byte more.
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
