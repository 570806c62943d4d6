package schema

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"unicode"
	"unicode/utf8"
)

// ValidText reports whether a decoded string obeys the character rule of F1: valid UTF-8, the
// space and printable characters only. Everything that can move a cursor, hide or reorder text
// is not printable: control characters, line and paragraph separators, other spaces, format
// characters (bidi, zero width, tags), surrogates, private use and unassigned code points.
func ValidText(s string) error {
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			if c < 0x20 || c == 0x7f {
				return fmt.Errorf("character U+%04X is not allowed", c)
			}
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if err := checkRune(r, size); err != nil {
			return err
		}
		i += size
	}
	return nil
}

// checkRune judges one decoded character beyond ASCII.
func checkRune(r rune, size int) error {
	if r == utf8.RuneError && size == 1 {
		return errors.New("not valid UTF-8")
	}
	if !unicode.IsPrint(r) {
		return fmt.Errorf("character U+%04X is not allowed", r)
	}
	return nil
}

// checkBytes is the first part of F1, which needs no YAML: the size, the characters, and what
// a line may begin with. It comes before any parser sees the bytes.
func checkBytes(b []byte, limit int) (line int, err error) {
	if len(b) > limit {
		return 0, fmt.Errorf("%d bytes, at most %d are allowed", len(b), limit)
	}
	if len(b) == 0 {
		return 0, errors.New("the file is empty")
	}
	if b[0] == '%' {
		return 1, errors.New("a YAML directive is not allowed")
	}
	line = 1
	lineStart := true
	for i := 0; i < len(b); {
		if lineStart && (bytes.HasPrefix(b[i:], []byte("---")) || bytes.HasPrefix(b[i:], []byte("..."))) {
			return line, fmt.Errorf("a line that begins with %s is not allowed", b[i:i+3])
		}
		c := b[i]
		lineStart = c == '\n'
		switch {
		case lineStart:
			line++
			i++
		case c < 0x20 || c == 0x7f:
			return line, fmt.Errorf("character U+%04X is not allowed", c)
		case c < utf8.RuneSelf:
			i++
		default:
			r, size := utf8.DecodeRune(b[i:])
			if err := checkRune(r, size); err != nil {
				return line, err
			}
			i += size
		}
	}
	return 0, nil
}

// RecordID is the id of a record: the SHA-256 of the record file's exact bytes, in hex (F2).
func RecordID(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// lowerHex reports whether s has only the digits 0-9 and a-f.
func lowerHex(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
