package render

import (
	"strings"

	"github.com/mattn/go-runewidth"
)

// cells measures text as terminals show it; it is made here because the package's own default
// reads the environment.
func cells() *runewidth.Condition {
	return &runewidth.Condition{EastAsianWidth: false, StrictEmojiNeutral: true}
}

// Width is how many columns an escaped text takes on a terminal: wide characters take two,
// combining marks none.
func Width(s string) int {
	if plain(s) {
		return len(s)
	}
	return cells().StringWidth(s)
}

// Cut shortens an escaped text to at most width columns; what is cut ends in "..".
func Cut(s string, width int) string {
	if Width(s) <= width {
		return s
	}
	if width <= 2 {
		return strings.Repeat(".", max(width, 0))
	}
	return cells().Truncate(s, width, "..")
}

// pad fills s with spaces to width columns, on the left when right says so.
func pad(s string, width int, right bool) string {
	fill := strings.Repeat(" ", max(0, width-Width(s)))
	if right {
		return fill + s
	}
	return s + fill
}
