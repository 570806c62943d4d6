package schema

import (
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// isString says whether a scalar is a string for every YAML reader (F1): quoted, or plain and
// not read as anything else by YAML 1.2 or 1.1.
func isString(n *yaml.Node) bool {
	if n.Style != 0 {
		return true
	}
	return n.Tag == "!!str" && !otherInYAML11(n.Value)
}

// otherInYAML11 says whether a YAML 1.1 reader takes a plain scalar for a bool, null, number,
// date or one of the special values, beyond what the library already does.
func otherInYAML11(s string) bool {
	if len(s) <= len("false") {
		switch strings.ToLower(s) {
		case "y", "n", "yes", "no", "on", "off", "true", "false", "null", "~", "=", "<<", "":
			return true
		}
	}
	c := s[0]
	if c != '+' && c != '-' && c != '.' && (c < '0' || c > '9') {
		return false
	}
	return numberInYAML11(strings.ReplaceAll(s, "_", "")) || dateInYAML11(s)
}

// numberInYAML11 knows the numbers of YAML 1.1 and 1.2 with their underscores taken out:
// decimal, 0b, 0o, 0x, floats, infinities, and base 60 ("1:30", "12:30:45.6").
func numberInYAML11(s string) bool {
	s = strings.TrimLeft(s, "+-")
	switch lower := strings.ToLower(s); {
	case lower == ".inf" || lower == ".nan":
		return true
	case strings.HasPrefix(lower, "0b"):
		return only(lower[2:], "01")
	case strings.HasPrefix(lower, "0o"):
		return only(lower[2:], "01234567")
	case strings.HasPrefix(lower, "0x"):
		return only(lower[2:], "0123456789abcdef")
	}
	whole, sixties, base60 := strings.Cut(s, ":")
	if base60 {
		sixties, fraction, _ := strings.Cut(sixties, ".")
		for part := range strings.SplitSeq(sixties, ":") {
			if len(part) == 0 || len(part) > 2 || !only(part, digits) || len(part) == 2 && part[0] > '5' {
				return false
			}
		}
		return whole != "" && only(whole, digits) && only(fraction, digits)
	}
	mantissa, exponent := s, ""
	if e := strings.IndexAny(s, "eE"); e >= 0 {
		mantissa, exponent = s[:e], strings.TrimLeft(s[e+1:], "+-")
		if exponent == "" {
			return false
		}
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	return whole+fraction != "" && only(whole, digits) && only(fraction, digits) && only(exponent, digits)
}

const digits = "0123456789"

// only says whether s has no byte that is not in set.
func only(s, set string) bool {
	for i := 0; i < len(s); i++ {
		if strings.IndexByte(set, s[i]) < 0 {
			return false
		}
	}
	return true
}

// dateInYAML11 knows the dates and times of YAML 1.1, real or not.
func dateInYAML11(s string) bool {
	rest, ok := numbers(s, "-", 4, 2, 2)
	if !ok || s[4] != '-' {
		return false
	}
	if rest == "" {
		return true
	}
	clock := strings.TrimLeft(rest, " ")
	if clock == rest {
		if clock = strings.TrimLeft(rest, "Tt"); len(clock) != len(rest)-1 {
			return false
		}
	}
	if rest, ok = numbers(clock, ":", 2, 2, 2); !ok {
		return false
	}
	if strings.HasPrefix(rest, ".") {
		rest = strings.TrimLeft(rest[1:], digits)
	}
	zone := strings.TrimLeft(rest, " ")
	return only(zone, "Zz+-:"+digits)
}

// numbers takes numbers of at most the given lengths, with sep between them, off the front of s.
func numbers(s, sep string, lengths ...int) (rest string, ok bool) {
	for i, most := range lengths {
		if i > 0 {
			if s, ok = strings.CutPrefix(s, sep); !ok {
				return s, false
			}
		}
		n := len(s) - len(strings.TrimLeft(s, digits))
		if n == 0 || n > most {
			return s, false
		}
		s = s[n:]
	}
	return s, true
}

// timeLayout is the one way to write a time (F1).
const timeLayout = "2006-01-02T15:04:05Z"

// parseTime reads a time of F1.
func parseTime(s string) (time.Time, bool) {
	if len(s) != len(timeLayout) {
		return time.Time{}, false
	}
	t, err := time.Parse(timeLayout, s)
	return t, err == nil && validTime(t) && t.Format(timeLayout) == s
}

// validTime says whether a time can be written as F1 wants it. Times up to the beginning of
// 1970 are refused: no record is that old, and where times are counted in seconds 0 is "never".
func validTime(t time.Time) bool {
	return t.Nanosecond() == 0 && t.Unix() > 0 && t.UTC().Year() <= 9999
}

// parseInt reads an integer of F1: 0, or up to 16 digits of which the first is not 0.
func parseInt(s string) (int64, bool) {
	const most = 16
	if s == "" || len(s) > most || s[0] == '0' && len(s) > 1 {
		return 0, false
	}
	var v int64
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		v = v*10 + int64(s[i]-'0')
	}
	return v, true
}
