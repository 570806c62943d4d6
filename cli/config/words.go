package config

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// The weights that have a word (D1): one person at full is enough, two at half, three at third.
const (
	WeightFull  = 100
	WeightHalf  = 50
	WeightThird = 34
	WeightMute  = 0
)

// ParseWeight reads a weight as a person writes it: full, half, third, mute, or 0 to 100.
func ParseWeight(s string) (int, error) {
	switch s {
	case "full":
		return WeightFull, nil
	case "half":
		return WeightHalf, nil
	case "third":
		return WeightThird, nil
	case "mute":
		return WeightMute, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > 100 || strconv.Itoa(n) != s {
		return 0, fmt.Errorf("%q is no weight: full, half, third, mute, or 0 to 100", s)
	}
	return n, nil
}

// day is a day of 24 hours; distrust counts in UTC, which has no others.
const day = 24 * time.Hour

// maxSpan keeps spans far from where time.Duration overflows.
const maxSpan = 100 * 366 * day

// ParseSpan reads a length of time: a whole number with h, d, w or y (365 days), such as 48h
// or 90d (C1). Months are left out because m means minutes elsewhere.
func ParseSpan(s string) (time.Duration, error) {
	bad := fmt.Errorf("%q is no length of time: write it as 48h, 90d, 6w or 1y", s)
	units := map[byte]time.Duration{'h': time.Hour, 'd': day, 'w': 7 * day, 'y': 365 * day}
	if len(s) < 2 || strings.Trim(s[:len(s)-1], "0123456789") != "" {
		return 0, bad
	}
	unit, known := units[s[len(s)-1]]
	n, err := strconv.ParseInt(s[:len(s)-1], 10, 64)
	if !known || err != nil {
		return 0, bad
	}
	if n > int64(maxSpan/unit) {
		return 0, fmt.Errorf("%q is longer than a hundred years", s)
	}
	return time.Duration(n) * unit, nil
}

// ParseWhen reads a point in time (C1): a length of time from now, a date (its first moment in
// UTC), or RFC 3339. The result has whole seconds and is in UTC.
func ParseWhen(s string, now time.Time) (time.Time, error) {
	if span, err := ParseSpan(s); err == nil {
		return now.Add(span).UTC().Truncate(time.Second), nil
	}
	return parseMoment(s)
}

// parseMoment reads a date or RFC 3339: what a file can hold, where there is no now. Years stay
// where they are written with four digits, and away from the zero time, which means none.
func parseMoment(s string) (time.Time, error) {
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if at, err := time.Parse(layout, s); err == nil && at.UTC().Year() >= 1970 && at.UTC().Year() <= 9999 {
			return at.UTC().Truncate(time.Second), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time: write it as 90d, 48h, 2027-01-31 or 2027-01-31T10:00:00Z", s)
}

// formatMoment writes a point in time for a file: a date when it is the first moment of one.
func formatMoment(at time.Time) string {
	at = at.UTC()
	if at.Equal(at.Truncate(day)) {
		return at.Format(time.DateOnly)
	}
	return at.Format(time.RFC3339)
}
