package render

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/distributed-trust/distrust/records/trust"
	"github.com/distributed-trust/distrust/schema"
)

var update = flag.Bool("update", false, "write the golden files anew")

// now is the moment of all tests here.
var now = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func ago(d time.Duration) int64 { return now.Add(-d).Unix() }

const (
	day   = 24 * time.Hour
	alice = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	bob   = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
	carol = "cccccccccccccccccccccccccccccccc"
	dave  = "dddddddddddddddddddddddddddddddd"
	own   = "00000000000000000000000000000000"
)

// id is a record id.
func id(digit string) string { return strings.Repeat(digit, 64) }

// requests is the decision of C4's example of why.
func requests() Report {
	q := trust.Query{
		Name: "requests-2.33.0.tar.gz", Size: 134218, Project: "pkg:pypi/requests",
		Digest: schema.Digest{SHA256: "9f2c41ab7e03" + strings.Repeat("0", 52)},
	}
	return Report{
		Path: "requests-2.33.0.tar.gz", Query: q, Follows: 5, Synced: now.Add(-3 * time.Hour), Exit: 5,
		Decision: trust.Decision{
			Verdict: trust.Distrusted, By: trust.ByReported, Project: q.Project,
			For: 150, Against: 50, Unseen: 50, Policy: trust.DefaultPolicy(),
			Voices: []trust.Voice{
				{
					Statement: trust.Statement{
						ID: id("1"), Log: carol, Kind: schema.KindDistrust, Category: schema.Malware,
						Issued: ago(2 * time.Hour), Reason: "posts env to 203.0.113.7:8443 on import",
					},
					Source: "carol", Path: []string{carol}, PathNames: []string{"carol"}, Weight: 50, Level: trust.LevelFile, Amount: 50,
				},
				{
					Statement: trust.Statement{
						ID: id("2"), Log: alice, Kind: schema.KindTrust, Basis: schema.Reviewed,
						Issued: ago(3*day + time.Hour), Reason: "Read the diff from 2.32.",
					},
					Source: "alice", Path: []string{alice}, PathNames: []string{"alice"}, Weight: 100, Level: trust.LevelFile, Amount: 100,
				},
				{
					Statement: trust.Statement{ID: id("3"), Log: dave, Kind: schema.KindTrust, Basis: schema.Used, Issued: ago(65 * day)},
					Source:    "dave", Path: []string{bob, dave}, PathNames: []string{"bob", "dave"}, Weight: 50,
					Level: trust.LevelSigner, Amount: 50,
				},
				{
					Statement: trust.Statement{ID: id("4"), Log: "e" + own[1:], Kind: schema.KindTrust, Issued: ago(day)},
					Source:    "mallory", Level: trust.LevelFile, NotCounted: trust.Muted,
				},
				{
					Statement: trust.Statement{ID: id("5"), Log: "f" + own[1:], Kind: schema.KindTrust, Issued: ago(90 * day), Expires: ago(-day)},
					Source:    "frank", Level: trust.LevelFile, NotCounted: trust.StaleSource, Since: ago(12 * day),
				},
			},
		},
	}
}

func text(t *testing.T, write func(*strings.Builder) error) string {
	t.Helper()
	var b strings.Builder
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func whyText(t *testing.T, r Report, s Style) string {
	t.Helper()
	return text(t, func(b *strings.Builder) error { return WriteWhy(b, r, s) })
}

func checkText(t *testing.T, r Report) string {
	t.Helper()
	return text(t, func(b *strings.Builder) error { return WriteCheck(b, r, Style{Now: now}) })
}

// TestWhyExact holds the example of C4 byte for byte, but for alice's reason: in C4 it ends one
// column behind the eightieth.
func TestWhyExact(t *testing.T) {
	t.Parallel()
	want := `DISTRUSTED  requests-2.33.0.tar.gz  pypi:requests  sha256:9f2c41ab7e03..
  NO    50  carol (half)        malware   2 hours ago  "posts env to 203.0.11.."
  yes  100  alice (full)        reviewed  3 days ago   "Read the diff from 2..."
  yes   50  bob (half) > dave   signer    2 months ago
  yes 150 of 100 needed, no 50 of 50: reported
  not counted: mallory (muted), frank (stale since 2026-11-09)
  overrule: distrust trust --anyway --for pypi:requests requests-2.33.0.tar.gz
`
	if got := whyText(t, requests(), Style{Now: now}); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestCheckExact holds the lines of C4's examples of check.
func TestCheckExact(t *testing.T) {
	t.Parallel()
	install := Report{
		Path:     "install.sh",
		Decision: trust.Decision{Verdict: trust.Unknown, By: trust.ByNone, Policy: trust.DefaultPolicy()},
	}
	changed := install
	changed.Decision.Findings = []trust.Finding{{
		Kind: trust.FindingNameTwin, Statement: trust.Statement{Issued: ago(time.Hour), Log: own},
	}}
	trusted := requests()
	trusted.Decision = trust.Decision{Verdict: trust.Trusted, By: trust.ByNetwork, For: 100, Policy: trust.DefaultPolicy()}
	for want, r := range map[string]Report{
		"UNKNOWN  install.sh  you follow nobody yet\n":                                  install,
		"TRUSTED  requests-2.33.0.tar.gz  100 of 100\n":                                 trusted,
		"UNKNOWN  install.sh  0 of 100  not the bytes that you trusted on 2026-11-21\n": changed,
		"DISTRUSTED  requests-2.33.0.tar.gz  reported as malware by carol\n":            requests(),
	} {
		if got := checkText(t, r); got != want {
			t.Errorf("got  %swant %s", got, want)
		}
	}
	hint := Hint{Text: "decide for yourself once", Command: append(Words("distrust", "ask"), File("install.sh", ""))}
	if got, want := hint.Line(), "decide for yourself once: distrust ask install.sh"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// golden holds text against testdata/NAME, or writes it there.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
	}
}

// hostile is a report in which every foreign string attacks the terminal.
func hostile() Report {
	const evil = "a\x1b[2Jb\u202ec\nd\u200be"
	r := requests()
	r.Path, r.Query.Name = evil, evil
	r.Decision.Project, r.Decision.Version = "pkg:generic/"+evil, evil
	for i := range r.Decision.Voices {
		v := &r.Decision.Voices[i]
		v.Source, v.Statement.Reason, v.PathNames = evil, evil, []string{evil, evil}
		v.Statement.Category, v.Statement.Basis = evil, evil
	}
	r.Decision.Findings = []trust.Finding{
		{Kind: trust.FindingOtherProject, Source: evil, Statement: trust.Statement{Project: evil, Version: evil}},
		{Kind: evil},
		{Kind: trust.FindingOtherSigner, Signer: evil, Source: evil},
	}
	r.Query.Signatures = []trust.Signature{{Format: evil, Signer: evil, State: evil, Detail: evil}}
	r.Decision.Stale = []trust.Source{{Name: evil}}
	r.Notes, r.Hints = []string{evil}, []Hint{{Text: evil, Command: Words(evil)}, {Command: []Arg{File(evil, "")}}}
	return r
}

// TestNothingForeignReachesTheTerminal is the one rule of this package.
func TestNothingForeignReachesTheTerminal(t *testing.T) {
	t.Parallel()
	for _, s := range []Style{{Now: now}, {Now: now, Sentences: true}, {Now: now, Width: 20}} {
		out := whyText(t, hostile(), s) + checkText(t, hostile()) +
			text(t, func(b *strings.Builder) error { return WriteJSON(b, hostile()) })
		for line := range strings.Lines(out) {
			if line = strings.TrimSuffix(line, "\n"); Escape(line) != line {
				t.Errorf("printed raw: %q", line)
			}
		}
	}
}

func TestWhyGolden(t *testing.T) {
	t.Parallel()
	golden(t, "why-sentences.txt", whyText(t, requests(), Style{Now: now, Sentences: true}))
	golden(t, "why-color.txt", whyText(t, requests(), Style{Now: now, Color: true}))
	golden(t, "why-narrow.txt", whyText(t, requests(), Style{Now: now, Width: 60}))
	golden(t, "why-cases.txt", cases(t))
}

// cases are the other answers that why and check can give, one below the other.
func cases(t *testing.T) string {
	t.Helper()
	policy := trust.DefaultPolicy()
	twin := trust.Statement{Project: "pkg:pypi/requests", Version: "2.5.0", Issued: ago(day)}
	signer := trust.Statement{Subjects: []schema.Subject{{Signer: "x", Pattern: []string{"pkg:pypi/*"}}}}
	mine := func(kind schema.Kind, level trust.Level) *trust.Voice {
		return &trust.Voice{Own: true, Level: level, Statement: trust.Statement{
			Kind: kind, Log: own, Category: schema.Other, Issued: ago(day), Reason: "says who",
		}}
	}
	carolSays := requests().Decision.Voices[:1]
	const openpgp = "openpgp:9C5C2B9C5C2B9C5C2B9C5C2B9C5C2B9C5C2B9C5C"
	unsigned := func(state trust.SignatureState) trust.Decision {
		return trust.Decision{
			Verdict: trust.Unknown, By: trust.ByNone, Project: "pkg:pypi/requests",
			Findings: []trust.Finding{{
				Kind: trust.FindingUnsigned, Source: "alice", Signer: openpgp, State: state,
				Statement: trust.Statement{ID: id("5"), Issued: ago(40 * day)},
			}},
		}
	}
	decisions := []trust.Decision{
		{Verdict: trust.Trusted, By: trust.ByOwn, Own: mine(schema.KindTrust, trust.LevelFile)},
		{Verdict: trust.Trusted, By: trust.ByOwn, Own: mine(schema.KindTrust, trust.LevelSigner), Project: "pkg:pypi/requests"},
		{Verdict: trust.Distrusted, By: trust.ByOwn, Own: mine(schema.KindDistrust, trust.LevelFile)},
		{Verdict: trust.Trusted, By: trust.ByOwn, Own: mine(schema.KindTrust, trust.LevelFile), Against: 50, Voices: []trust.Voice{
			func() trust.Voice { v := carolSays[0]; v.NotCounted = trust.Overruled; return v }(),
		}},
		{Verdict: trust.Trusted, By: trust.ByNetwork, For: 150, Against: 30, Unseen: 30, Disputed: true},
		{Verdict: trust.Unknown, By: trust.ByNone, For: 50, Against: 30, Unseen: 30, Voices: carolSays},
		{Verdict: trust.Unknown, By: trust.ByNone, For: 50, Stale: []trust.Source{{Name: "frank", Expires: ago(12 * day)}}},
		{Verdict: trust.Mismatch, By: trust.BySignature},
		{
			Verdict: trust.Mismatch, By: trust.ByOtherBytes, Other: 100, Project: "pkg:pypi/requests",
			Findings: []trust.Finding{{Kind: trust.FindingOtherBytes, Source: "alice", Statement: twin, Counted: true, Amount: 100}},
		},
		{
			Verdict: trust.Mismatch, By: trust.BySubstitution, Other: 100, Project: "pkg:pypi/other",
			Findings: []trust.Finding{{Kind: trust.FindingOtherProject, Source: "alice", Statement: twin, Counted: true, Amount: 100}},
		},
		{
			Verdict: trust.Mismatch, By: trust.ByChangedSigner, Project: "pkg:pypi/requests",
			Findings: []trust.Finding{
				{Kind: trust.FindingOtherSigner, Signer: "minisign:RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3", Statement: trust.Statement{ID: id("3"), Issued: ago(20 * day)}},
				{Kind: trust.FindingOtherSigner, Source: "alice", Signer: openpgp, Statement: trust.Statement{ID: id("4"), Issued: ago(30 * day)}},
			},
		},
		unsigned(""), unsigned(trust.SignatureNoKey), unsigned(trust.SignatureRevoked),
		{Verdict: trust.Unknown, By: trust.ByNone, Findings: []trust.Finding{{Kind: trust.FindingNeedsProject, Statement: signer}}},
	}
	var b strings.Builder
	for _, d := range decisions {
		d.Policy = policy
		r := Report{
			Path: "-x y.tgz", Decision: d, Follows: 2, NotUnderstood: 3, Indexed: 1, Notes: []string{"a note"},
			Hints: []Hint{{Text: "enough if you follow alice at full", Command: Words("distrust", "follow", "alice", "--weight", "full")}},
		}
		if d.By == trust.BySignature {
			r.Query.Signatures = []trust.Signature{{Format: "openpgp", State: trust.SignatureBad, Detail: "digest differs"}}
		}
		if d.By == trust.ByChangedSigner {
			r.Query.Signatures = []trust.Signature{{Format: "ssh", State: trust.SignatureGood, Signer: "ssh:ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"}}
		}
		b.WriteString(checkText(t, r) + whyText(t, r, Style{Now: now}) + "\n")
	}
	return b.String()
}

// TestWidth keeps every line but commands within the terminal.
func TestWidth(t *testing.T) {
	t.Parallel()
	r := requests()
	for i := range r.Decision.Voices {
		r.Decision.Voices[i].PathNames = []string{"ここにいる", strings.Repeat("n", 40)}
		r.Decision.Voices[i].Statement.Reason = strings.Repeat("説明 ", 30)
	}
	for _, width := range []int{60, 80, 132} {
		for line := range strings.Lines(whyText(t, r, Style{Now: now, Width: width})) {
			line = strings.TrimSuffix(line, "\n")
			if Width(line) > width && !strings.Contains(line, "distrust trust") && !strings.HasPrefix(line, "DISTRUSTED") {
				t.Errorf("%d columns in %d: %s", Width(line), width, line)
			}
		}
	}
}
