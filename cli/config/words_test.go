package config

import (
	"testing"
	"time"
)

func TestWeights(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]int{
		"full": 100, "half": 50, "third": 34, "mute": 0, "0": 0, "1": 1, "34": 34, "100": 100,
	} {
		got, err := ParseWeight(word)
		if err != nil || got != want {
			t.Errorf("ParseWeight(%q) = %d, %v; want %d", word, got, err, want)
		}
	}
	for _, bad := range []string{"", "Full", "101", "-1", "+5", "050", "0x10", "5.0", "half ", "full,half"} {
		if got, err := ParseWeight(bad); err == nil {
			t.Errorf("ParseWeight(%q) = %d, want an error", bad, got)
		}
	}
}

func TestSpans(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]time.Duration{
		"48h": 48 * time.Hour, "90d": 90 * day, "6w": 42 * day, "1y": 365 * day, "0d": 0,
	} {
		got, err := ParseSpan(word)
		if err != nil || got != want {
			t.Errorf("ParseSpan(%q) = %v, %v; want %v", word, got, err, want)
		}
	}
	for _, bad := range []string{"", "h", "90", "1.5d", "-1d", "+1d", "5m", "1d2h", "101y", "99999999999999999999d", "9223372036854775807h", " 1d"} {
		if got, err := ParseSpan(bad); err == nil {
			t.Errorf("ParseSpan(%q) = %v, want an error", bad, got)
		}
	}
}

func TestWhen(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 10, 0, 0, 999, time.FixedZone("", 3600))
	for word, want := range map[string]string{
		"90d":                       "2027-02-19T09:00:00Z",
		"48h":                       "2026-11-23T09:00:00Z",
		"2027-01-31":                "2027-01-31T00:00:00Z",
		"2027-01-31T10:00:00+02:00": "2027-01-31T08:00:00Z",
	} {
		got, err := ParseWhen(word, now)
		if err != nil || got.Format(time.RFC3339Nano) != want {
			t.Errorf("ParseWhen(%q) = %v, %v; want %s", word, got, err, want)
		}
		if back, err := parseMoment(formatMoment(got)); err != nil || !back.Equal(got) {
			t.Errorf("%q is written as %q", word, formatMoment(got))
		}
	}
	for _, bad := range []string{"", "tomorrow", "2027-02-30", "2027-1-1", "31.01.2027", "2027-01-31 10:00"} {
		if got, err := ParseWhen(bad, now); err == nil {
			t.Errorf("ParseWhen(%q) = %v, want an error", bad, got)
		}
	}
}
