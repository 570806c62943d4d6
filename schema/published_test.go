package schema

import (
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"
)

// validators are the checks of single values that the schemas repeat as patterns.
func validators() map[string]func(string) error {
	return map[string]func(string) error{
		"record/$defs/project/pattern": ValidProject,
		"record/$defs/pattern/pattern": ValidPattern,
		"head/$defs/pattern/pattern":   ValidPattern,
		"record/$defs/version/pattern": ValidVersion,
		"record/$defs/release/properties/release/pattern": func(s string) error {
			if _, _, ok := SplitRelease(s); !ok {
				return errors.New("no release")
			}
			return nil
		},
		"record/$defs/signer/pattern": ValidSigner,
		"record/$defs/key/pattern":    validKeyLine,
		"head/$defs/key/pattern":      validKeyLine,
		"record/properties/source/properties/key/pattern": func(s string) error {
			return (&FollowSource{Log: testLog, URL: "x", Key: s}).check()
		},
		"head/properties/contact/pattern": validContact,
		"record/$defs/time/pattern": func(s string) error {
			if _, ok := parseTime(s); !ok && s != "1970-01-01T00:00:00Z" { // said by "not" in the schema
				return errors.New("no time")
			}
			return nil
		},
	}
}

// publishedPatterns takes the patterns out of the schemas.
func publishedPatterns(t testing.TB) map[string]*regexp.Regexp {
	t.Helper()
	patterns := map[string]*regexp.Regexp{}
	for path := range validators() {
		parts := strings.Split(path, "/")
		var value any
		if err := json.Unmarshal(JSONSchema(parts[0]), &value); err != nil {
			t.Fatal(err)
		}
		for _, part := range parts[1:] {
			object, ok := value.(map[string]any)
			if !ok {
				t.Fatalf("the schema has no %s", path)
			}
			value = object[part]
		}
		text, ok := value.(string)
		if !ok {
			t.Fatalf("the schema has no %s", path)
		}
		patterns[path] = regexp.MustCompile(text)
	}
	return patterns
}

// TestPublishedTimes: the pattern for times knows the calendar.
func TestPublishedTimes(t *testing.T) {
	t.Parallel()
	pattern := publishedPatterns(t)["record/$defs/time/pattern"]
	digit := func(n, width int) string {
		s := strings.Repeat("0", width) + jsonNumber(n)
		return s[len(s)-width:]
	}
	check := func(s string) {
		_, ok := parseTime(s)
		if pattern.MatchString(s) != ok {
			t.Errorf("%s: %v in the schema, %v here", s, !ok, ok)
		}
	}
	for year := 1960; year < 10000; year++ {
		for _, day := range []string{"02-28", "02-29", "02-30"} {
			check(digit(year, 4) + "-" + day + "T00:00:00Z")
		}
	}
	for month := range 15 {
		for day := range 34 {
			check("2027-" + digit(month, 2) + "-" + digit(day, 2) + "T00:00:00Z")
		}
	}
	for n := range 100 {
		check("2027-01-01T" + digit(n, 2) + ":00:00Z")
		check("2027-01-01T00:" + digit(n, 2) + ":00Z")
		check("2027-01-01T00:00:" + digit(n, 2) + "Z")
	}
}

func jsonNumber(n int) string {
	b, err := json.Marshal(n)
	if err != nil {
		return ""
	}
	return string(b)
}
