package render

import "strings"

// Wrap breaks text at spaces into lines of at most width columns; a longer word has a line of
// its own. Line ends count as spaces. The result has at least one line.
func Wrap(text string, width int) []string {
	lines, line := []string{}, ""
	for word := range strings.FieldsSeq(text) {
		switch {
		case line == "":
			line = word
		case Width(line)+1+Width(word) <= width:
			line += " " + word
		default:
			lines = append(lines, line)
			line = word
		}
	}
	return append(lines, line)
}
