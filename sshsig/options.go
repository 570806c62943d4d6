package sshsig

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// lineOptions is the options field of one allowed signers line.
type lineOptions struct {
	authority  bool
	limited    bool   // namespaces was given; "" then allows none
	namespaces string // pattern list
	after      int64  // Unix seconds; 0: no limit
	before     int64  // Unix seconds; 0: no limit
}

// validAt reports whether a Unix time is inside the validity; both ends are.
func (o lineOptions) validAt(at int64) bool {
	return (o.after == 0 || at >= o.after) && (o.before == 0 || at <= o.before)
}

// cutOptions takes the options field: it ends at the first blank outside quotes, and \" inside
// quotes is no quote.
func cutOptions(s string) (options, rest string, err error) {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s) && s[i+1] == '"':
			i++
		case s[i] == '"':
			quoted = !quoted
		case !quoted && (s[i] == ' ' || s[i] == '\t'):
			return s[:i], strings.TrimLeft(s[i:], " \t"), nil
		}
	}
	if quoted {
		return "", "", errors.New("options have no closing quote")
	}
	return "", "", errors.New("line has no key")
}

// parseLineOptions reads comma-separated options: cert-authority and NAME="value" with names in
// any case. An unknown option makes the line void, for it may be a restriction.
func parseLineOptions(s string, local *time.Location) (lineOptions, error) {
	var o lineOptions
	for s != "" {
		var err error
		if s, err = o.parseOne(s, local); err != nil {
			return lineOptions{}, err
		}
		if s == "" {
			break
		}
		if s[0] != ',' {
			return lineOptions{}, fmt.Errorf("unknown option %q", clip(s))
		}
		if s = s[1:]; s == "" {
			return lineOptions{}, errors.New("options end with a comma")
		}
	}
	if o.after != 0 && o.before != 0 && o.before <= o.after {
		return lineOptions{}, errors.New("valid-before is not later than valid-after")
	}
	return o, nil
}

// parseOne reads at most one option from the front of s and returns what follows it.
func (o *lineOptions) parseOne(s string, local *time.Location) (rest string, err error) {
	if rest, ok := cutPrefixFold(s, "cert-authority"); ok {
		o.authority = true
		return rest, nil
	}
	if rest, ok := cutPrefixFold(s, "namespaces="); ok {
		if o.limited {
			return "", errors.New("namespaces is given twice")
		}
		o.limited = true
		o.namespaces, rest, err = dequote(rest)
		return rest, err
	}
	if rest, ok := cutPrefixFold(s, "valid-after="); ok {
		return o.parseTime(&o.after, "valid-after", rest, local)
	}
	if rest, ok := cutPrefixFold(s, "valid-before="); ok {
		return o.parseTime(&o.before, "valid-before", rest, local)
	}
	return s, nil
}

// parseTime reads the quoted time of an option that may be given once.
func (o *lineOptions) parseTime(into *int64, name, s string, local *time.Location) (string, error) {
	if *into != 0 {
		return "", fmt.Errorf("%s is given twice", name)
	}
	text, rest, err := dequote(s)
	if err != nil {
		return "", err
	}
	unix, ok := parseStamp(text, local)
	if !ok {
		return "", fmt.Errorf("%s is not YYYYMMDD[HHMM[SS]][Z]: %q", name, clip(text))
	}
	*into = unix
	return rest, nil
}

// dequote reads a double-quoted value, in which \" stands for a quote.
func dequote(s string) (value, rest string, err error) {
	if s == "" || s[0] != '"' {
		return "", "", errors.New("option value is not in double quotes")
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s) && s[i+1] == '"':
			i++
			b.WriteByte('"')
		case s[i] == '"':
			return b.String(), s[i+1:], nil
		default:
			b.WriteByte(s[i])
		}
	}
	return "", "", errors.New("option value has no closing quote")
}

// cutPrefixFold is strings.CutPrefix in any ASCII case.
func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

// parseStamp reads YYYYMMDD[HHMM[SS]] with Z or UTC behind it, or else in the zone local. Like
// OpenSSH (through strptime, mktime and timegm) it carries the 31st of a short month over into the
// next one, allows two leap seconds, takes local times as standard time even in summer, and refuses
// times up to 1970-01-01T00:00:00Z.
func parseStamp(s string, local *time.Location) (int64, bool) {
	zone := local
	if n := len(s); n > 1 && strings.EqualFold(s[n-1:], "Z") {
		s, zone = s[:n-1], time.UTC
	} else if n > 3 && strings.EqualFold(s[n-3:], "UTC") {
		s, zone = s[:n-3], time.UTC
	}
	if len(s) != 8 && len(s) != 12 && len(s) != 14 {
		return 0, false
	}
	fields := [6]int{}
	limits := [6][2]int{{0, 9999}, {1, 12}, {1, 31}, {0, 23}, {0, 59}, {0, 61}}
	for i, width := 0, 4; s != ""; i, width = i+1, 2 {
		n, ok := digits(s[:width])
		if !ok || n < limits[i][0] || n > limits[i][1] {
			return 0, false
		}
		fields[i], s = n, s[width:]
	}
	in := func(zone *time.Location) time.Time {
		return time.Date(fields[0], time.Month(fields[1]), fields[2], fields[3], fields[4], fields[5], 0, zone)
	}
	unix := in(time.UTC).Unix()
	if zone != nil {
		unix -= standardOffset(in(zone))
	}
	return unix, unix > 0
}

// standardOffset is the offset from UTC, in seconds, of the standard time that holds around t.
func standardOffset(t time.Time) int64 {
	if t.IsDST() {
		start, end := t.ZoneBounds()
		if !end.IsZero() && !end.IsDST() {
			t = end
		} else if before := start.Add(-time.Second); !start.IsZero() && !before.IsDST() {
			t = before
		}
	}
	_, offset := t.Zone()
	return int64(offset)
}

// digits reads a number of ASCII digits only.
func digits(s string) (int, bool) {
	n := 0
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int(s[i]-'0')
	}
	return n, true
}
