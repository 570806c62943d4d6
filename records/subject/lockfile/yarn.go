package lockfile

import (
	"encoding/json"
	"strings"
)

// yarnEntry is what one block of a yarn.lock says.
type yarnEntry struct {
	line     int
	patterns []string // NAME@RANGE
	fields   map[string]string
}

// readYarn reads the yarn.lock of yarn 1: blocks of `PATTERN, PATTERN:` and fields below them, two spaces deep; what is
// deeper are dependencies.
func readYarn(c *collector, b []byte) error {
	var e *yarnEntry
	inside := false // below a field that has fields of its own
	for number, line := range lines(b) {
		trimmed := strings.TrimSpace(line)
		if trimmed == "" || strings.HasPrefix(trimmed, "#") {
			continue
		}
		switch depth := indent(line); {
		case line == "__metadata:":
			return c.unsupported("yarn 2 and newer hash the archives that they make themselves")
		case depth == 0:
			if err := e.pin(c); err != nil {
				return err
			}
			patterns, err := c.yarnPatterns(number, line)
			if err != nil {
				return err
			}
			e, inside = &yarnEntry{line: number, patterns: patterns, fields: map[string]string{}}, false
		case depth == 2 && e != nil:
			if inside = strings.HasSuffix(line, ":"); inside {
				continue
			}
			if err := e.field(c, number, trimmed); err != nil {
				return err
			}
		case depth != 4 || !inside:
			return c.refuse(number, "a line that yarn 1 does not write")
		}
	}
	return e.pin(c)
}

// yarnPatterns reads the line that begins a block.
func (c *collector) yarnPatterns(number int, line string) ([]string, error) {
	head, ok := strings.CutSuffix(line, ":")
	var patterns []string
	for ok && head != "" {
		var word string
		if word, head, ok = yarnWord(head, ","); !ok {
			break
		}
		if patterns = append(patterns, word); head == "" {
			return patterns, nil
		}
		head, ok = strings.CutPrefix(head, ", ")
	}
	return nil, c.refuse(number, "a line that yarn 1 does not write")
}

// yarnWord reads a word, in quotes as JSON has them or bare up to one of the given bytes.
func yarnWord(s, until string) (word, rest string, ok bool) {
	if !strings.HasPrefix(s, `"`) {
		end := strings.IndexAny(s, until)
		if end < 0 {
			end = len(s)
		}
		return s[:end], s[end:], end > 0 && !strings.ContainsAny(s[:end], "\" \t")
	}
	for end := 1; end < len(s); end++ {
		switch s[end] {
		case '\\':
			end++
		case '"':
			err := json.Unmarshal([]byte(s[:end+1]), &word)
			return word, s[end+1:], err == nil && word != ""
		}
	}
	return "", "", false
}

// field reads `KEY VALUE`.
func (e *yarnEntry) field(c *collector, number int, line string) error {
	key, rest, ok := yarnWord(line, " ")
	if ok {
		rest, ok = strings.CutPrefix(rest, " ")
	}
	value := rest
	if ok && strings.HasPrefix(rest, `"`) {
		value, rest, ok = yarnWord(rest, "")
		ok = ok && rest == ""
	}
	if !ok {
		return c.refuse(number, "a line that yarn 1 does not write")
	}
	if _, twice := e.fields[key]; twice {
		return c.refuse(number, "the key %.100q is there twice", key)
	}
	e.fields[key] = value
	return nil
}

// pin adds the file of a block, under every name that its patterns have for it.
func (e *yarnEntry) pin(c *collector) error {
	if e == nil {
		return nil
	}
	resolved := e.fields["resolved"]
	for _, pattern := range e.patterns {
		name, wanted, ok := splitPattern(pattern)
		if real, alias := strings.CutPrefix(wanted, "npm:"); ok && alias {
			if name, _, ok = splitPattern(real); !ok {
				name, ok = real, true // any version of it
			}
		}
		var err error
		switch {
		case !ok:
			err = c.refuse(e.line, "%.100q is not NAME@VERSION", pattern)
		case isLocal(wanted) || isLocal(resolved):
			err = c.skip(e.line, pattern, Local)
		case isGit(wanted) || isGit(resolved):
			err = c.skip(e.line, pattern, FromGit)
		case e.fields["integrity"] == "" && len(e.patterns) > 1 && pattern != e.patterns[0]: // skipped once
		default:
			err = c.pinNPM(e.line, name, e.fields["version"], resolved, e.fields["integrity"])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// splitPattern takes NAME@RANGE apart; a scope begins with "@", too.
func splitPattern(pattern string) (name, wanted string, ok bool) {
	if len(pattern) < 2 {
		return "", "", false
	}
	at := strings.IndexByte(pattern[1:], '@') + 1
	if at < 1 {
		return "", "", false
	}
	return pattern[:at], pattern[at+1:], true
}
