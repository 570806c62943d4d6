package lockfile

import (
	"iter"
	"strings"
)

// lines gives the lines of a text with their numbers, without what ends them.
func lines(b []byte) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		number := 0
		for line := range strings.Lines(string(b)) {
			number++
			if !yield(number, strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")) {
				return
			}
		}
	}
}

// indent is how many spaces a line begins with.
func indent(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }
