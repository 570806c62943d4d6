package render

import (
	"strconv"
	"time"
)

// Ago says how long before now something was, in words: "just now", "3 days ago"; what lies
// ahead is "in 3 days".
func Ago(at, now time.Time) string {
	d := now.Sub(at)
	switch {
	case d > -time.Minute && d < time.Minute:
		return "just now"
	case d < 0:
		return "in " + Span(-d)
	}
	return Span(d) + " ago"
}

// Span says how long something is in its greatest whole unit: "2 hours", "1 month".
func Span(d time.Duration) string {
	const day = 24 * time.Hour
	units := []struct {
		length time.Duration
		name   string
	}{
		{365 * day, "year"},
		{30 * day, "month"},
		{day, "day"},
		{time.Hour, "hour"},
		{time.Minute, "minute"},
		{time.Second, "second"},
	}
	for _, unit := range units {
		if n := d / unit.length; n > 0 {
			return count(int64(n), unit.name)
		}
	}
	return "0 seconds"
}

// Date is the day of a moment, in UTC as in the records.
func Date(at time.Time) string { return at.UTC().Format(time.DateOnly) }

// count writes a number with its noun: "1 day", "3 days".
func count(n int64, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return strconv.FormatInt(n, 10) + " " + noun
}
