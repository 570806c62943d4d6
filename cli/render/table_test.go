package render

import (
	"strings"
	"testing"
	"time"

	"github.com/distributed-trust/distrust/schema"
)

func tableText(t *testing.T, table *Table, s Style) string {
	t.Helper()
	return text(t, func(b *strings.Builder) error { return table.Write(b, s) })
}

func sources() *Table {
	t := &Table{Columns: []Column{
		{Head: "NAME"}, {Head: "WEIGHT"}, {Head: "SEQ", Right: true}, {Head: "SCOPES", Cut: true}, {Head: "STATE"},
	}}
	t.Row("alice", "full", "42", "pypi:*, npm:*, github:alice/*, github:owner/repo, golang:example.org/x", "")
	t.Row("日本語", "half", "7", "", "stale since 2026-11-09")
	t.Row("e\x1b[31m", "third", "1000", "*", "")
	return t
}

func TestTable(t *testing.T) {
	t.Parallel()
	want := `NAME       WEIGHT   SEQ  SCOPES                           STATE
alice      full      42  pypi:*, npm:*, github:alice/*..
日本語     half       7                                   stale since 2026-11-09
e\x1b[31m  third   1000  *
`
	if got := tableText(t, sources(), Style{}); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	want = `NAME alice, WEIGHT full, SEQ 42, SCOPES pypi:*, npm:*, github:alice/*, github:owner/repo, golang:example.org/x
NAME 日本語, WEIGHT half, SEQ 7, STATE stale since 2026-11-09
NAME e\x1b[31m, WEIGHT third, SEQ 1000, SCOPES *
`
	if got := tableText(t, sources(), Style{Sentences: true}); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := tableText(t, &Table{Columns: []Column{{Head: "X"}}}, Style{}); got != "" {
		t.Errorf("an empty table prints %q", got)
	}
	for _, width := range []int{60, 72, 80, 100, 200} {
		for line := range strings.Lines(tableText(t, sources(), Style{Width: width})) {
			if n := Width(strings.TrimSuffix(line, "\n")); n > width {
				t.Errorf("%d columns in %d: %s", n, width, line)
			}
		}
	}
}

// TestColorMovesNothing keeps columns in place whatever is painted.
func TestColorMovesNothing(t *testing.T) {
	t.Parallel()
	make := func() *Table {
		t := &Table{Columns: []Column{{Head: "A"}, {Head: "N", Right: true}, {Head: "B"}}}
		t.Cells(Cell{Text: "a", Tone: Bad}, Cell{Text: "1", Tone: Good}, Cell{Text: "b"})
		t.Cells(Cell{Text: "long"}, Cell{Text: "1000"}, Cell{Text: "b", Tone: Faint})
		return t
	}
	plain, painted := tableText(t, make(), Style{}), tableText(t, make(), Style{Color: true})
	strip := strings.NewReplacer("\x1b[1;31m", "", "\x1b[32m", "", "\x1b[2m", "", "\x1b[0m", "")
	if painted == plain || strip.Replace(painted) != plain {
		t.Errorf("plain\n%s\npainted\n%s", plain, painted)
	}
}

func TestCut(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text  string
		width int
		want  string
	}{
		{"hello", 5, "hello"},
		{"hello!", 5, "hel.."},
		{"日本語", 6, "日本語"},
		{"日本語", 5, "日.."},
		{"日本語", 4, "日.."},
		{"abc", 2, ".."},
		{"abc", 0, ""},
		{"abc", -1, ""},
	} {
		if got := Cut(tt.text, tt.width); got != tt.want {
			t.Errorf("Cut(%q, %d) = %q, want %q", tt.text, tt.width, got, tt.want)
		}
	}
}

func TestWrap(t *testing.T) {
	t.Parallel()
	got := strings.Join(Wrap("one two  three\nfour 日本語 five enormouslylongword x", 9), "|")
	if want := "one two|three|four|日本語|five|enormouslylongword|x"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := Wrap("", 9); len(got) != 1 {
		t.Errorf("nothing gives %q", got)
	}
}

func TestAgo(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "just now", 59 * time.Second: "just now", -59 * time.Second: "just now",
		time.Minute: "1 minute ago", 119 * time.Minute: "1 hour ago", 2 * time.Hour: "2 hours ago", 47 * time.Hour: "1 day ago",
		29 * day: "29 days ago", 65 * day: "2 months ago", 364 * day: "12 months ago", 800 * day: "2 years ago", -3 * day: "in 3 days",
	} {
		if got := Ago(now.Add(-d), now); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
	if got := Span(0); got != "0 seconds" {
		t.Errorf("Span(0) = %q", got)
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"pkg:pypi/requests": "pypi:requests", "pkg:npm/%40s/n": "npm:@s/n", "pkg:github/o/*": "github:o/*", "*": "*", "": "", "pkg:x": "pkg:x",
	} {
		if got := Project(in); got != want {
			t.Errorf("Project(%q) = %q, want %q", in, got, want)
		}
	}
	// What is shown can be typed: it means the same project.
	for _, purl := range []string{"pkg:pypi/requests", "pkg:npm/%40s/n", "pkg:github/o/r", "pkg:golang/example.org/X", "pkg:generic/jq"} {
		project, version, err := schema.NormalizeProject(Release(purl, "1.0"))
		if err != nil || project != purl || version != "1.0" {
			t.Errorf("%s is shown as %s, which means %s %s, %v", purl, Release(purl, "1.0"), project, version, err)
		}
	}
	for weight, want := range map[int]string{100: "full", 50: "half", 34: "third", 0: "mute", 33: "33"} {
		if got := WeightWord(weight); got != want {
			t.Errorf("WeightWord(%d) = %q, want %q", weight, got, want)
		}
	}
}
