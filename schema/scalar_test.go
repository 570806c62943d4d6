package schema

import (
	"fmt"
	"testing"
	"time"

	"gopkg.in/yaml.v3"
)

// TestOtherInYAML11 lists what a reader of YAML 1.1 or 1.2 may take for something else than a
// string, and what looks like it and is one. The library judges together with us, as in isString.
func TestOtherInYAML11(t *testing.T) {
	t.Parallel()
	others := []string{
		"y", "Y", "n", "N", "yes", "Yes", "YES", "no", "No", "NO", "on", "On", "ON", "off", "Off", "OFF",
		"true", "True", "TRUE", "false", "False", "FALSE", "~", "null", "Null", "NULL", "=", "<<",
		"0", "7", "-7", "+7", "00", "010", "0o17", "0x1F", "0X1f", "-0x1f", "0b101", "-0b1", "1_000", "0x_1", "09", "1__0",
		"1.", ".5", "-.5", "+.5", "1.5", "1e3", "1E3", "1e-3", "1.5e+3", "1_0.5_0", "6.8523015e+5", ".inf", "-.inf", "+.INF", ".NaN", ".nan",
		"1:30", "12:30:45", "-1:30", "+190:20:30.15", "0:00", "190:20:30", "1:02:03.5",
		"2026-11-21", "2026-1-2", "2026-99-99", "2026-11-21T10:00:00Z", "2026-11-21t10:00:00z", "2026-11-21 10:00:00", "2026-11-21   10:00:00.25 +1",
		"2026-11-21T10:00:00.1-05:00", "2026-11-21 1:00:00 Z", "123456789012345678901234567890",
	}
	for _, s := range others {
		if isString(plain(s)) {
			t.Errorf("%s is taken for a string", s)
		}
	}
	texts := []string{
		"yess", "nope", "one", "y2", "2.33.0", "1.2.3.4", "v1", "1a", "0xg", "0b2", "0o8", "1e", "e1", ".", "..", "-", "--", "+", "-x", ".x", "1:60", "1:", ":1", "1:2a", "1:234", "12:30:45x",
		"2026-11", "2026-11-21x", "2026-11-21 checked", "2026-11-21T", "2026-11-21T10", "2026-11-21TT10:00:00", "26-11-21", "2026/11/21", "a_1", "1-2", "1.5.x", ".infx", "nan", "inf", "null0", "==", "0x1G", "1 000", "SHA256:x",
	}
	for _, s := range texts {
		if !isString(plain(s)) {
			t.Errorf("%s is not taken for a string", s)
		}
	}
}

// plain makes the node that the library makes of a plain scalar.
func plain(s string) *yaml.Node {
	var n yaml.Node
	if err := yaml.Unmarshal([]byte("- "+s+"\n"), &n); err != nil || n.Content[0].Content[0].Kind != yaml.ScalarNode {
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s} // not plain where it stands
	}
	return n.Content[0].Content[0]
}

func TestParseTime(t *testing.T) {
	t.Parallel()
	got, ok := parseTime("2026-11-21T10:00:00Z")
	if want := time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC); !ok || got != want {
		t.Errorf("parseTime = %v %v, want %v", got, ok, want)
	}
}

// TestParseTimeDays goes over every day there could be, and compares with the calendar.
func TestParseTimeDays(t *testing.T) {
	t.Parallel()
	for _, year := range []int{0, 1, 1969, 1970, 1999, 2000, 2023, 2024, 2100, 2400, 9999} {
		for month := range 14 {
			for day := range 33 {
				s := fmt.Sprintf("%04d-%02d-%02dT23:59:59Z", year, month, day)
				date := time.Date(year, time.Month(month), day, 23, 59, 59, 0, time.UTC)
				real := date.Year() == year && int(date.Month()) == month && date.Day() == day && year >= 1970
				if _, ok := parseTime(s); ok != real {
					t.Errorf("%s: %v, want %v", s, ok, real)
				}
			}
		}
	}
}

func TestParseInt(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]int64{"0": 0, "7": 7, "100": 100, "9999999999999999": 9999999999999999} {
		if v, ok := parseInt(s); !ok || v != want {
			t.Errorf("parseInt(%s) = %d %v", s, v, ok)
		}
	}
	for _, s := range []string{"", "00", "01", "-1", "+1", "1_0", "0x1", "1.0", "1e1", " 1", "10000000000000000", "१"} {
		if v, ok := parseInt(s); ok {
			t.Errorf("parseInt(%q) = %d", s, v)
		}
	}
}
