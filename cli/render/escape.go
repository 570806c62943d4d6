package render

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Escape makes a foreign string safe to print on one line of a terminal: control characters
// (C0, DEL, C1), line ends, bidirectional and other format characters, zero-width and
// otherwise invisible ones and bytes that are not UTF-8 come out as \n, \x1b, \u202e and the
// like (C1). What can be seen stays as it is, so escaping twice changes nothing.
func Escape(s string) string {
	if plain(s) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case visible(r):
			b.WriteString(s[i : i+size])
		default:
			b.WriteString(escaped(r))
		}
		i += size
	}
	return b.String()
}

// plain says quickly that s is printable ASCII, as nearly everything is.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// visible says whether r shows as itself wherever it stands. Characters that Unicode calls
// default ignorable are letters, marks or symbols for some purposes, and invisible all the same.
func visible(r rune) bool {
	switch {
	case r == ' ':
		return true
	case r == '\u2800': // an empty braille cell: a symbol that looks like a space
		return false
	case unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector):
		return false
	}
	return unicode.IsPrint(r)
}

// escaped spells a character that is not visible.
func escaped(r rune) string {
	switch {
	case r == '\n':
		return `\n`
	case r == '\r':
		return `\r`
	case r == '\t':
		return `\t`
	case r < 0x80:
		return fmt.Sprintf(`\x%02x`, r)
	case r <= 0xffff:
		return fmt.Sprintf(`\u%04x`, r)
	}
	return fmt.Sprintf(`\U%08x`, r)
}

// tabStop is how far tabs lead.
const tabStop = 8

// Content is one line of a foreign file, without its line end, as it can be looked at: escaped, but for
// tabs, which lead to the next stop.
func Content(line string) string {
	var b strings.Builder
	column := 0
	for i, part := range strings.Split(line, "\t") {
		if i > 0 {
			gap := tabStop - column%tabStop
			b.WriteString(strings.Repeat(" ", gap))
			column += gap
		}
		text := Escape(part)
		b.WriteString(text)
		column += Width(text)
	}
	return b.String()
}

// noticeWidth is how much of a line a desktop notice shows.
const noticeWidth = 120

// Notice makes a foreign string safe in the body of a desktop notice: what it shows is seen, nothing of
// it is markup, and notify-send, which reads backslashes as C does, finds none that means anything.
func Notice(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `\`, `\\`).Replace(Cut(Escape(s), noticeWidth))
}
