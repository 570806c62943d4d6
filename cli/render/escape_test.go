package render

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestEscape(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain ASCII ~!": "plain ASCII ~!",
		"日本語 été":        "日本語 été",
		"e\u0301":        "e\u0301", // a combining mark belongs to its letter
		"😀":              "😀",
		"\x1b[2J":        `\x1b[2J`,
		"a\nb\rc\td":     `a\nb\rc\td`,
		"\x00\x07\x7f":   `\x00\x07\x7f`,
		"\u009b31m":      `\u009b31m`,
		"\x9b31m":        `\x9b31m`, // not UTF-8: a C1 byte all the same
		"\u202eevil":     `\u202eevil`,
		"\u2066a\u2069":  `\u2066a\u2069`,
		"a\u200bb":       `a\u200bb`,
		"a\u00adb":       `a\u00adb`,
		"\ufeff":         `\ufeff`,
		"\u2028\u2029":   `\u2028\u2029`,
		"\u00a0\u3000":   `\u00a0\u3000`,
		"\u3164\u115f":   `\u3164\u115f`,
		"❤\ufe0f":        `❤\ufe0f`,
		"\u2800":         `\u2800`,
		"\U000e0041":     `\U000e0041`,
		"\U000e0100":     `\U000e0100`,
		"\ue000":         `\ue000`,
		`C:\x1b`:         `C:\x1b`,
		"\ufffd":         "\ufffd",
		"":               "",
	} {
		if got := Escape(in); got != want {
			t.Errorf("Escape(%q) = %q, want %q", in, got, want)
		}
	}
}

// safe says that nothing in s can do more than show itself.
func safe(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Cs)
	})
}

func FuzzEscape(f *testing.F) {
	for _, s := range append(append([]string(nil), tricky...), misleading...) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := Escape(s)
		if !safe(got) {
			t.Fatalf("Escape(%q) = %q", s, got)
		}
		if again := Escape(got); again != got {
			t.Fatalf("escaped twice: %q", again)
		}
		if Width(Cut(got, 10)) > 10 {
			t.Fatalf("Cut(%q, 10) has %d columns", got, Width(Cut(got, 10)))
		}
		var b strings.Builder
		if err := EncodeJSON(&b, []string{s}); err != nil {
			t.Fatal(err)
		}
		line := strings.TrimSuffix(b.String(), "\n")
		if !safe(line) {
			t.Fatalf("JSON of %q is %q", s, line)
		}
		var back []string
		if err := json.Unmarshal([]byte(line), &back); err != nil || len(back) != 1 || back[0] != strings.ToValidUTF8(s, "\ufffd") && utf8.ValidString(s) {
			t.Fatalf("JSON of %q comes back as %q, %v", s, back, err)
		}
	})
}
