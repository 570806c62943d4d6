package schema

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestValidText(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"", " ", "~!\"\\#", "ünï ☃", "日本語", "\U0001F600", "e\u0301"} {
		if err := ValidText(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	bad := []string{
		"\n", "\t", "\r", "\x00", "\x1b", "\x7f", "\u0085", "\u009f", "\u00a0", "\u00ad", "\u061c", "\u200b", "\u200e",
		"\u202e", "\u2028", "\u2029", "\u2066", "\u3000", "\ufeff", "\U000E0041", "\ue000", "\uffff", "\xff", "\xc0\xaf", "\xed\xa0\x80", "\xe2\x80",
	}
	for _, s := range bad {
		if ValidText("a"+s+"b") == nil || ValidText(s) == nil {
			t.Errorf("%q is accepted", s)
		}
	}
}

// TestControlsAndFormats goes over the ranges that F1 names.
func TestControlsAndFormats(t *testing.T) {
	t.Parallel()
	ranges := [][2]rune{{0, 0x1f}, {0x7f, 0x9f}, {0x200b, 0x200f}, {0x2028, 0x202f}, {0x2060, 0x206f}, {0xfff9, 0xfffb}, {0xE0000, 0xE007F}, {0xD800, 0xDFFF}, {0xF0000, 0xF0010}}
	for _, bounds := range ranges {
		for r := bounds[0]; r <= bounds[1]; r++ {
			s := string(r)
			if 0xD800 <= r && r <= 0xDFFF { // Go would write U+FFFD
				s = string([]byte{0xe0 | byte(r>>12), 0x80 | byte(r>>6)&0x3f, 0x80 | byte(r)&0x3f})
			}
			if ValidText(s) == nil {
				t.Errorf("U+%04X is accepted", r)
			}
			if r != '\n' {
				if _, err := checkBytes([]byte("a"+s), 100); err == nil {
					t.Errorf("the byte rule accepts U+%04X", r)
				}
			}
		}
	}
}

func TestCheckBytes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text string
		line       int
		reason     string
	}{
		{"empty", "", 0, "empty"},
		{"too large", strings.Repeat("x", 101), 0, "at most 100"},
		{"directive", "%YAML", 1, "directive"},
		{"first line", "---", 1, "begins with ---"},
		{"later line", "a\n\n...", 3, "begins with ..."},
		{"line of a tab", "a\nb\n\tc", 3, "U+0009"},
		{"line of a format character", "ä\n\u202e", 2, "U+202E"},
	}
	for _, test := range tests {
		line, err := checkBytes([]byte(test.text), 100)
		if err == nil || line != test.line || !strings.Contains(err.Error(), test.reason) {
			t.Errorf("%s: line %d, %v; want line %d, %s", test.name, line, err, test.line, test.reason)
		}
	}
	for _, good := range []string{"a", "\n", " ---", "--", "..", "a---", "a%", strings.Repeat("x", 100)} {
		if line, err := checkBytes([]byte(good), 100); err != nil {
			t.Errorf("%q: line %d: %v", good, line, err)
		}
	}
}

// TestQuote keeps messages short and harmless whatever a document holds.
func TestQuote(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"a", "\x1b[2J", "\u202e", "\xff", strings.Repeat("ä", 5000)} {
		q := quote(s)
		if ValidText(q) != nil || utf8.RuneCountInString(q) > 70*10 {
			t.Errorf("quote(%.20q) = %s", s, q)
		}
	}
}

func TestRecordID(t *testing.T) {
	t.Parallel()
	const want = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" // sha256sum of nothing
	if got := RecordID(nil); got != want {
		t.Errorf("RecordID of nothing is %s, want %s", got, want)
	}
}
