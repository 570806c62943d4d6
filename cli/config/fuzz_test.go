package config

import (
	"errors"
	"testing"
	"time"
)

// FuzzParseConfig: what is wrong with config.yml or state.yml is said with its place; an edit writes
// exactly what was wanted, or nothing.
func FuzzParseConfig(f *testing.F) {
	for _, s := range []string{
		"", "# nothing\n", "policy: {trust: 50, block: 7}\npublish: auto\njournal: false\n", "policy:\n  trust: 200 # two\n\npublish: 'never'\n",
		"key: ~/.ssh/id\nhome: \"/srv/h\"\n", "journal: yes", "policy: {trust: 0}", "{publish: auto, journal: true}", "a: &a 1\nb: *a", "--- \npublish: auto\n---\n", "policy: !!str x",
	} {
		f.Add([]byte(s), 60, true)
	}
	f.Fuzz(func(t *testing.T, b []byte, bar int, auto bool) {
		if _, err := ParseMachine("state.yml", b); err != nil && !errors.As(err, new(*FileError)) {
			t.Fatalf("state.yml: %v", err)
		}
		old, err := ParseConfig("config.yml", b)
		if err != nil {
			if !errors.As(err, new(*FileError)) {
				t.Fatal(err)
			}
			return
		}
		if p := old.Policy; p.Trust < 1 || p.Block < 1 || p.Trust > maxBar || p.Block > maxBar {
			t.Fatalf("policy %+v", p)
		}
		want := old
		want.Policy.Trust = 1 + int(uint(bar)%maxBar)
		want.Journal = !old.Journal
		if want.Publish = PublishNever; auto {
			want.Publish = PublishAuto
		}
		text, err := rewriteConfig("config.yml", b, old, want)
		if err != nil {
			if !errors.As(err, new(*FileError)) || len(b) == 0 {
				t.Fatalf("cannot write %+v: %v", want, err)
			}
			return
		}
		if got, err := ParseConfig("config.yml", text); err != nil || got != want {
			t.Fatalf("%+v is written as\n%s\nwhich is %+v, %v", want, text, got, err)
		}
	})
}

// FuzzWords: a word that means something means the same when it is written out and read again.
func FuzzWords(f *testing.F) {
	for _, s := range []string{"full", "third", "mute", "0", "100", "007", "48h", "90d", "6w", "1y", "100y", "5124096h", "2027-01-31", "2027-01-31T10:00:00+02:00", "0001-01-01", "9999-12-31T23:59:59-23:59", "m", "-1d"} {
		f.Add(s)
	}
	now := time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, s string) {
		if weight, err := ParseWeight(s); err == nil && (weight < WeightMute || weight > WeightFull) {
			t.Fatalf("the weight %q is %d", s, weight)
		}
		if span, err := ParseSpan(s); err == nil && (span < 0 || span > maxSpan) {
			t.Fatalf("the span %q is %v", s, span)
		}
		if at, err := ParseWhen(s, now); err == nil {
			if again, err := parseMoment(formatMoment(at)); err != nil || !again.Equal(at) || at.IsZero() {
				t.Fatalf("the time %q is %v, and again %v, %v", s, at, again, err)
			}
		}
	})
}
