// Package render turns decisions, reports and tables into text, and it is the one place that
// prints foreign strings.
//
// It speaks the exact output of clause C4 of docs/cli.md: lines for people in at most the width
// of their terminal, and JSON objects as check.schema.json says. Whatever comes from a record,
// a file name or a server goes through [Escape] (or, inside a command to paste, [Command])
// before it reaches a terminal.
package render

import "time"

// DefaultWidth is the width of text that is not written to a terminal (C1).
const DefaultWidth = 80

// Style says how text for people is written.
type Style struct {
	Width     int       // columns to stay within; 0 counts as [DefaultWidth]
	Color     bool      // colour helps the eye; words never need it
	Sentences bool      // one sentence a row instead of tables (TERM=dumb, screen readers)
	Now       time.Time // for "3 days ago"
}

// width is the number of columns to stay within.
func (s Style) width() int {
	if s.Width <= 0 {
		return DefaultWidth
	}
	return s.Width
}

// Tone is what a colour stands for.
type Tone int

// The tones. Plain has no colour.
const (
	Plain Tone = iota
	Good
	Bad
	Warn
	Faint
)

// Paint colours a text that has been escaped already.
func (s Style) Paint(tone Tone, text string) string {
	codes := [...]string{Plain: "", Good: "32", Bad: "1;31", Warn: "33", Faint: "2"}
	if !s.Color || tone == Plain || text == "" {
		return text
	}
	return "\x1b[" + codes[tone] + "m" + text + "\x1b[0m"
}
