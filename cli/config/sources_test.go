package config

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/distributed-trust/distrust/records/trust"
)

const (
	logA = "5f0c4c7e9d1b4a86b6a1c2d3e4f50617"
	logB = "00112233445566778899aabbccddeeff"
	fpA  = "SHA256:Wv3cAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
)

// full uses every field.
const full = `# people I know
sources:
  - name: alice
    log: "` + logA + `"
    url: https://example.org/alice/trust.git
    fingerprint: "` + fpA + `"
    weight: half
    depth: 2
    via_max: 30
    scopes: ["pkg:pypi/*", "github:owner/"]
    expires: 2027-01-31
    transport: git
    insecure: true
    limits: {pack: 134217728, files: 500000, timeout: 2m}
  - {name: bob, url: "/srv/bob.git"}
`

func TestParseSources(t *testing.T) {
	t.Parallel()
	got, err := ParseSources("sources.yml", []byte(full))
	if err != nil {
		t.Fatal(err)
	}
	want := []Source{
		{
			Name: "alice", Log: logA, URL: "https://example.org/alice/trust.git", Fingerprint: fpA,
			Weight: 50, Depth: 2, ViaMax: 30, Scopes: []string{"pkg:pypi/*", "pkg:github/owner/*"},
			Expires: time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC), Transport: Git, Insecure: true,
			Limits: Limits{Pack: 134217728, Files: 500000, Timeout: 2 * time.Minute},
		},
		{Name: "bob", URL: "/srv/bob.git", Weight: DefaultWeight, ViaMax: 50},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestParseSourcesOfNobody(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "\n", "# nothing yet\n", "sources:\n", "sources: []\n", "---\nsources: []\n"} {
		got, err := ParseSources("sources.yml", []byte(text))
		if err != nil || len(got) != 0 {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}

func TestParseSourcesRefuses(t *testing.T) {
	t.Parallel()
	entry := func(lines string) string { return "sources:\n- name: a\n  url: u\n" + lines }
	tests := []struct {
		name, text string
		line       int
		reason     string
	}{
		{"unknown field", entry("  wieght: 50\n"), 4, `no field "wieght"`},
		{"unknown top field", "source: []\n", 1, `no field "source"`},
		{"field twice", entry("  url: v\n"), 4, "given twice"},
		{"no url", "sources:\n- name: a\n", 2, "needs a url"},
		{"no name", "sources:\n- url: a\n", 2, "needs a name"},
		{"weight", entry("  weight: 150\n"), 4, "no weight"},
		{"octal", entry("  weight: 010\n"), 4, "no weight"},
		{"depth", entry("  depth: 4\n"), 4, "from 0 to 3"},
		{"log", entry("  log: ABC\n"), 4, "no log"},
		{"fingerprint", entry("  fingerprint: MD5:aa\n"), 4, "no fingerprint"},
		{"scope", entry("  scopes: [\"pkg:pypi/*/x\"]\n"), 4, ""},
		{"scopes no list", entry("  scopes: \"*\"\n"), 4, "a list"},
		{"word for truth", entry("  insecure: yes\n"), 4, "neither true nor false"},
		{"empty", entry("  depth:\n"), 4, "missing"},
		{"date", entry("  expires: soon\n"), 4, "no time"},
		{"transport", entry("  transport: rsync\n"), 4, "builtin or git"},
		{"what does not exist", entry("  max_age: 48h\n"), 4, `no field "max_age"`},
		{"limit", entry("  limits: {pack: 0}\n"), 4, "number from 1"},
		{"limit beyond all", entry("  limits: {object: 9223372036854775807}\n"), 4, "number from 1"},
		{"limit name", entry("  limits: {packs: 1}\n"), 4, `no field "packs"`},
		{"two of a name", entry("- name: a\n  url: v\n"), 4, "two sources named"},
		{"two of a log", "sources:\n- {name: a, url: u, log: " + logA + "}\n- {name: b, url: u, log: " + logA + "}\n", 3, "same log"},
		{"name like a flag", "sources:\n- {name: -a, url: u}\n", 2, "no name"},
		{"name of the user", "sources:\n- {name: you, url: u}\n", 2, "stands for the user"},
		{"escape in a name", "sources:\n- {name: \"a\\e[2J\", url: u}\n", 2, ""},
		{"anchor", "sources:\n- &x {name: a, url: u}\n", 2, "anchors"},
		{"merge", "sources:\n- &x {name: a, url: u}\n- {<<: *x, name: b}\n", 2, "anchors"},
		{"tag", "sources: !!seq []\n", 1, "tags"},
		{"second document", "sources: []\n---\nsources: []\n", 2, "second document"},
		{"no mapping", "- a\n", 1, "must be a mapping"},
		{"broken", "sources:\n  - name: [\n", 0, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := ParseSources("my/sources.yml", []byte(tt.text))
			var file *FileError
			if !errors.As(err, &file) {
				t.Fatalf("got %+v, %v; want a FileError", got, err)
			}
			if file.File != "my/sources.yml" || tt.line != 0 && file.Line != tt.line || !strings.Contains(file.Reason, tt.reason) {
				t.Errorf("got %q, want line %d and %q", err, tt.line, tt.reason)
			}
		})
	}
}

func TestFollows(t *testing.T) {
	t.Parallel()
	at := time.Unix(1800000000, 0)
	sources := []Source{
		{Name: "scoped", Log: "1", Weight: DefaultWeight, Scopes: []string{"pkg:pypi/*"}, ViaMax: 50, Depth: 1},
		{Name: "broad", Log: "2", Weight: DefaultWeight, ViaMax: 50, Expires: at},
		{Name: "muted", Log: "3", Weight: WeightMute, ViaMax: 50},
		{Name: "never fetched", Weight: WeightFull},
	}
	want := []trust.Follow{
		{Name: "scoped", Log: "1", Weight: 100, Scopes: []string{"pkg:pypi/*"}, ViaMax: 50, Depth: 1},
		{Name: "broad", Log: "2", Weight: 50, ViaMax: 50, Expires: 1800000000},
		{Name: "muted", Log: "3", Weight: 0, ViaMax: 50},
	}
	if got := Follows(sources); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	heads := func(log string) []string {
		return map[string][]string{"2": {"pkg:npm/*"}, "1": {"pkg:npm/*"}}[log]
	}
	scoped := Follows(WithDefaultScopes(sources, heads))
	if !slices.Equal(scoped[0].Scopes, []string{"pkg:pypi/*"}) {
		t.Errorf("the user's scopes became %v", scoped[0].Scopes)
	}
	if !slices.Equal(scoped[1].Scopes, []string{"pkg:npm/*"}) || scoped[1].Weight != WeightHalf {
		t.Errorf("the head's scopes give %+v: a head must not raise its own weight", scoped[1])
	}
	if sources[1].Scopes != nil {
		t.Error("WithDefaultScopes changed its argument")
	}
}

// TestEverythingIsNoBound: "full within scopes" is for scopes that leave something out.
func TestEverythingIsNoBound(t *testing.T) {
	t.Parallel()
	s := Source{Weight: DefaultWeight, Scopes: []string{"pkg:pypi/one", "*"}}
	if got := s.EffectiveWeight(); got != WeightHalf {
		t.Errorf("everything gives the weight %d, want half", got)
	}
	for pattern, want := range map[string]bool{
		"*": true, "pkg:pypi/*": true, "pkg:github/alice/*": false, "pkg:pypi/one": false,
	} {
		if got := IsWide(pattern); got != want {
			t.Errorf("IsWide(%q) = %v", pattern, got)
		}
	}
}

func TestParseConfig(t *testing.T) {
	t.Parallel()
	got, err := ParseConfig("config.yml", []byte("policy: {trust: 150}\npublish: auto\njournal: false\n"))
	want := Config{Policy: trust.Policy{Trust: 150, Block: 50}, Publish: PublishAuto}
	if err != nil || got != want {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	if got, err := ParseConfig("config.yml", []byte("journal: off\n")); err != nil || got.Journal {
		t.Errorf("journal: off gives %+v, %v", got, err)
	}
	if got, err := ParseConfig("config.yml", nil); err != nil || got != DefaultConfig() {
		t.Errorf("an empty file gives %+v, %v", got, err)
	}
	for _, bad := range []string{"policy: {trust: 0}", "policy: {block: 0}", "publish: yes", "journal: 1", "polcy: {}", "policy: 3", "publish: [auto]"} {
		if got, err := ParseConfig("config.yml", []byte(bad)); err == nil {
			t.Errorf("%q gives %+v", bad, got)
		} else if want := "config.yml:1: "; !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %q does not begin with %q", bad, err, want)
		}
	}
}

func FuzzParseSources(f *testing.F) {
	f.Add([]byte(full))
	f.Add([]byte("sources: [{name: a, url: u}]"))
	f.Add([]byte("sources:\n- name: a # x\n  url: u\n\n# y\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		sources, err := ParseSources("f", b)
		if err != nil {
			var file *FileError
			if !errors.As(err, &file) {
				t.Fatalf("error without a file: %v", err)
			}
			return
		}
		// What is read can be written: the same entries come back from an empty file.
		text, err := rewriteSources("f", nil, nil, sources)
		if err != nil {
			t.Fatalf("cannot write %+v: %v", sources, err)
		}
		if again, err := ParseSources("f", text); err != nil || !slices.EqualFunc(again, sources, sameSource) {
			t.Fatalf("%+v is written as\n%s\nwhich is %+v, %v", sources, text, again, err)
		}
		// An edit of one field is either right or refused.
		want := slices.Clone(sources)
		for i := range want {
			want[i].Weight = (want[i].Weight + 2) % 101
		}
		if text, err := rewriteSources("f", b, sources, want); err == nil {
			if got, err := ParseSources("f", text); err != nil || !slices.EqualFunc(got, want, sameSource) {
				t.Fatalf("edit gives\n%s\n%v", text, err)
			}
		}
		_ = fmt.Sprint(Follows(sources))
	})
}
