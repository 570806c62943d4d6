package render

import (
	"io"
	"slices"
	"strings"
)

// Column is one column of a [Table].
type Column struct {
	Head  string // what stands above it; in sentences it stands before the cell
	Right bool   // numbers stand right
	Min   int    // least width where there is room
	Cut   bool   // may be shortened when the lines are too long; the last such column goes first
}

// Cell is one cell: its text, escaped when it is printed, and what its colour stands for.
type Cell struct {
	Text   string
	Tone   Tone
	Quoted bool // shown in double quotes, which stay when the text is cut
}

// shown is the text as it is printed in at most width columns.
func (c Cell) shown(width int) string {
	if c.Quoted && c.Text != "" {
		return `"` + Cut(c.Text, width-2) + `"`
	}
	return Cut(c.Text, width)
}

// width is how many columns the whole cell takes.
func (c Cell) width() int {
	if c.Quoted && c.Text != "" {
		return Width(c.Text) + 2
	}
	return Width(c.Text)
}

// Table lists things one a line, in columns that stay within the width of the terminal, or one
// sentence a row where tables cannot be seen (C1).
type Table struct {
	Indent  int
	Columns []Column
	rows    [][]Cell
}

// Row adds a row of plain cells; missing ones at its end are empty.
func (t *Table) Row(texts ...string) {
	cells := make([]Cell, len(texts))
	for i, text := range texts {
		cells[i].Text = text
	}
	t.Cells(cells...)
}

// Cells adds a row.
func (t *Table) Cells(cells ...Cell) {
	for i := range cells {
		cells[i].Text = Escape(cells[i].Text)
	}
	for len(cells) > 0 && cells[len(cells)-1].Text == "" {
		cells = cells[:len(cells)-1]
	}
	t.rows = append(t.rows, cells)
}

// Len is the number of rows.
func (t *Table) Len() int { return len(t.rows) }

// gap is what stands between columns.
const gap = 2

// Write prints the table; without rows it prints nothing.
func (t *Table) Write(w io.Writer, s Style) error {
	if len(t.rows) == 0 {
		return nil
	}
	var b strings.Builder
	if s.Sentences {
		t.sentences(&b)
	} else {
		t.lines(&b, s)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// sentences writes "name alice, weight full, seq 42" for each row.
func (t *Table) sentences(b *strings.Builder) {
	for _, row := range t.rows {
		var parts []string
		for i, cell := range row {
			if cell.Text != "" {
				parts = append(parts, strings.TrimSpace(t.Columns[i].Head+" "+cell.shown(cell.width())))
			}
		}
		b.WriteString(strings.Join(parts, ", ") + "\n")
	}
}

// lines writes the heads, if there are any, and the rows.
func (t *Table) lines(b *strings.Builder, s Style) {
	rows := t.rows
	heads := make([]Cell, len(t.Columns))
	for i, c := range t.Columns {
		heads[i] = Cell{Text: c.Head, Tone: Faint}
	}
	if slices.ContainsFunc(heads, func(c Cell) bool { return c.Text != "" }) {
		rows = slices.Insert(slices.Clone(rows), 0, heads)
	}
	widths := t.widths(rows, s.width())
	for _, row := range rows {
		b.WriteString(strings.Repeat(" ", t.Indent))
		for i, cell := range row {
			text := cell.shown(cell.width())
			if t.Columns[i].Cut {
				text = cell.shown(widths[i])
			}
			padded := text
			if i < len(row)-1 || t.Columns[i].Right {
				padded = pad(text, widths[i], t.Columns[i].Right)
			}
			if i > 0 {
				b.WriteString(strings.Repeat(" ", gap))
			}
			b.WriteString(strings.Replace(padded, text, s.Paint(cell.Tone, text), 1))
		}
		b.WriteString("\n")
	}
}

// widths measures the columns. The last cell of a row pushes nothing aside, so it does not make
// its column wider; columns that may be cut give way until the longest line fits.
func (t *Table) widths(rows [][]Cell, width int) []int {
	widths := make([]int, len(t.Columns))
	for i, c := range t.Columns {
		widths[i] = c.Min
	}
	for _, row := range rows {
		for i, cell := range row {
			if i < len(row)-1 || t.Columns[i].Cut || t.Columns[i].Right {
				widths[i] = max(widths[i], cell.width())
			}
		}
	}
	for i := len(widths) - 1; i >= 0; i-- {
		if t.Columns[i].Cut {
			over := t.longest(rows, widths) - width
			widths[i] = max(min(widths[i], minCut), widths[i]-max(over, 0))
		}
	}
	return widths
}

// minCut is what is always left of a cell.
const minCut = 8

// longest is the width of the longest line with these columns.
func (t *Table) longest(rows [][]Cell, widths []int) int {
	most := 0
	for _, row := range rows {
		n := t.Indent
		for i, cell := range row {
			switch {
			case i < len(row)-1:
				n += widths[i] + gap
			case t.Columns[i].Cut:
				n += min(widths[i], cell.width())
			default:
				n += cell.width()
			}
		}
		most = max(most, n)
	}
	return most
}
