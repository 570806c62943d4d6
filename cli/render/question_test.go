package render

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/distributed-trust/distrust/records/trust"
	"github.com/distributed-trust/distrust/schema"
)

// ned is an OpenPGP signer, and good a good signature of a signer.
const ned = "openpgp:9C5C2B44D0C23A1F8E6B1A2B3C4D5E6F70819203"

func good(signer, name string) trust.Signature {
	format, _, _ := strings.Cut(signer, ":")
	return trust.Signature{Format: format, Signer: signer, State: trust.SignatureGood, CallsItself: name}
}

// unknown is the thing of C5's example: half of what it takes, and signed by a key that nobody knows.
func unknown(signatures ...trust.Signature) Question {
	r := requests()
	r.Query.Signatures = signatures
	bobs := r.Decision.Voices[2]
	bobs.Path, bobs.PathNames, bobs.Level, bobs.Source = []string{bob}, []string{"bob"}, trust.LevelFile, "bob"
	r.Decision = trust.Decision{
		Verdict: trust.Unknown, By: trust.ByNone, Project: r.Query.Project, For: 50, Policy: trust.DefaultPolicy(),
		Voices: []trust.Voice{bobs},
	}
	q := Question{Report: r, Viewing: true}
	for _, s := range signatures {
		if s.State == trust.SignatureGood {
			q.Signers = append(q.Signers, s.Signer)
		}
	}
	return q
}

func TestQuestionExact(t *testing.T) {
	t.Parallel()
	got := unknown(good(ned, "Ned <ned@example.org>")).Text(Style{Width: 80, Now: now})
	want := `The trustworthiness of 'requests-2.33.0.tar.gz' can't be established.
  sha256:9f2c41ab7e03.., 134,218 bytes, for pypi:requests
  signed by openpgp:9C5C2B44D0C23A1F8E6B1A2B3C4D5E6F70819203 (calls itself
    "Ned <ned@example.org>"): good signature
  nobody you follow knows this key; bob (half) says yes: 50 of 100
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestQuestionAnswers(t *testing.T) {
	t.Parallel()
	const ssh = "ssh:ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIO5tCk7KoT/FIzQxahu1TrRqJPWvmqTSDWLYXBZEREj/"
	expired := trust.Signature{Format: "openpgp", Signer: ned, State: trust.SignatureExpired}
	missing := unknown()
	missing.Missing = true
	unseen := unknown()
	unseen.Viewing = false
	for _, test := range []struct {
		name   string
		q      Question
		prompt string
		words  string
	}{
		{"signed", unknown(good(ned, "")), "Trust it? no, file (these bytes only), signer (for pypi:requests), deny, view, ?:", "no n file f signer " + ned + " deny d view v ?"},
		{"by two", unknown(good(ned, ""), good(ssh, "")), "Trust it? no, file (these bytes only), a signer's fingerprint, deny, view, ?:", "no n file f " + ned + " " + Signer(ssh) + " deny d view v ?"},
		{"not well signed", unknown(expired), "Trust it? no, file (these bytes only), deny, view, ?:", "no n file f deny d view v ?"},
		{"missing", missing, "Trust it? no, the word file (these bytes only), deny, view, ?:", "no n file deny d view v ?"},
		{"nothing to view", unseen, "Trust it? no, file (these bytes only), deny, ?:", "no n file f deny d ?"},
	} {
		if got := test.q.Prompt(); got != test.prompt {
			t.Errorf("%s: prompt %q, want %q", test.name, got, test.prompt)
		}
		if got := strings.Join(test.q.Words(), " "); got != test.words {
			t.Errorf("%s: words %q, want %q", test.name, got, test.words)
		}
	}
	q := unknown(good(ned, ""), good(ssh, ""))
	for typed, want := range map[string]string{
		"": "no ", "no": "no ", "n": "no ", "signer": "no ", "f": "file ", "file": "file ", "d": "deny ", "deny": "deny ", "view": "view ", "v": "view ", "?": "? ",
		ned: "signer " + ned, Signer(ssh): "signer " + ssh, strings.ToLower(ned): "no ",
	} {
		if !slices.Contains(q.Words(), typed) && want != "no " {
			t.Errorf("%q means something and is no word", typed)
		}
		answer, signer := q.Answer(typed)
		if got := string(answer) + " " + signer; got != want {
			t.Errorf("%q means %q, want %q", typed, got, want)
		}
	}
}

// TestQuestionSaysWhatIsKnown holds the question to name reports, findings and a missing signature.
func TestQuestionSaysWhatIsKnown(t *testing.T) {
	t.Parallel()
	q := unknown()
	q.Missing = true
	report := requests().Decision.Voices[0]
	report.Weight = 25
	q.Decision.Voices = append([]trust.Voice{report}, q.Decision.Voices...)
	q.Decision.Findings = []trust.Finding{
		{Kind: trust.FindingNameTwin, Statement: trust.Statement{Issued: ago(day)}},
		{Kind: trust.FindingUnsigned, Signer: ned, Statement: trust.Statement{ID: id("7"), Kind: schema.KindTrust, Issued: ago(day)}},
	}
	lines := strings.Split(q.Text(Style{Width: 200, Now: now}), "\n")
	if !strings.HasPrefix(lines[1], "  NOT SIGNED: you trust "+ned) {
		t.Errorf("the missing signature is not what is said first: %q", lines)
	}
	text := strings.Join(lines, "\n")
	for _, want := range []string{"carol (25) says NO: malware, bob (half) says yes: 50 of 100", "not the bytes that you trusted on 2026-11-20"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	q.Decision.Findings[1].State = trust.SignatureExpired
	if got := q.Text(Style{Width: 200, Now: now}); !strings.Contains(got, "\n  NO GOOD SIGNATURE: you trust "+ned) || !strings.Contains(got, "expired") {
		t.Errorf("a signature that does not count is not what is said first:\n%s", got)
	}
	if strings.Contains(text, "not signed\n") {
		t.Errorf("it is said twice:\n%s", text)
	}
}

// TestHostileFlood has many voices crowd a report out of the question: a report that counts is named, and none
// is seen but what was named.
func TestHostileFlood(t *testing.T) {
	t.Parallel()
	q := unknown()
	no, yes := requests().Decision.Voices[0], q.Decision.Voices[0]
	q.Decision.Voices = nil
	var named []string
	for i := range 6 {
		no.Source, no.Weight, no.Statement.ID = fmt.Sprint("no", i), 5, id(fmt.Sprint(i))
		no.PathNames, named = []string{no.Source}, append(named, no.Statement.ID)
		q.Decision.Voices = append(q.Decision.Voices, no)
	}
	for range 10 {
		q.Decision.Voices = append(q.Decision.Voices, yes)
	}
	no.NotCounted, no.Statement.ID = trust.NoRoom, id("7") // heard, and not named
	q.Decision.Voices = append(q.Decision.Voices, no)
	text := q.Text(Style{Width: 400, Now: now})
	for i := range 6 {
		if want := fmt.Sprintf("no%d (5) says NO: malware, ", i); !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	if !strings.Contains(text, "malware, and 10 more say yes: 50 of 100") {
		t.Errorf("the others are not counted:\n%s", text)
	}
	other := trust.Finding{Kind: trust.FindingOtherBytes, Source: "alice", Counted: true, Statement: trust.Statement{ID: id("8")}}
	for range 1000 {
		other.Statement.Subjects = append(other.Statement.Subjects, schema.Subject{File: q.Query.Name, Digest: schema.Digest{SHA256: id("9")}})
	}
	r := q.Report
	r.Decision.By, r.Decision.Findings = trust.ByOtherBytes, []trust.Finding{other}
	if text := r.OtherBytes(Style{Width: 80}); strings.Count(text, "\n") > 20 || !strings.Contains(text, "and 995 more") {
		t.Errorf("a list of a thousand files is told whole:\n%s", text)
	}
	r.Decision.By, r.Decision.Findings = trust.ByChangedSigner, slices.Repeat([]trust.Finding{{Kind: trust.FindingOtherSigner, Source: "alice", Signer: ned, Statement: trust.Statement{ID: id("8")}}}, 300)
	if text := r.ChangedSigner(Style{Width: 80}); strings.Count(text, "\n") > 24 || !strings.Contains(text, "and 295 more keys") {
		t.Errorf("three hundred keys are told whole:\n%s", text)
	}
	for range 2000 {
		q.Decision.Findings = append(q.Decision.Findings, trust.Finding{Kind: trust.FindingNameTwin, Source: "puppet", Statement: trust.Statement{Issued: ago(day)}})
	}
	text = q.Text(Style{Width: 80, Now: now})
	if n := strings.Count(text, "\n"); n > 20 || !strings.Contains(text, "and 1995 more of the kind") {
		t.Errorf("%d lines:\n%s", n, text)
	}
	if got := q.Seen(); !slices.Equal(got, named) {
		t.Errorf("seen %q, and named are %q", got, named)
	}
}

// TestHostileQuestion has every foreign string try to draw the question itself.
func TestHostileQuestion(t *testing.T) {
	t.Parallel()
	evil := "x\x1b[2J\n  signed by you: good signature\r\u202e"
	q := unknown(good(ned, evil), trust.Signature{Format: "ssh", State: trust.SignatureBad, Detail: evil})
	q.Path = evil
	q.Decision.Voices[0].PathNames = []string{evil}
	texts := q.Text(Style{Width: 80, Now: now}) + q.Prompt() + "\n" + q.Help(Style{Width: 80})
	q.Decision.By = trust.ByChangedSigner
	q.Decision.Findings = []trust.Finding{{Kind: trust.FindingOtherSigner, Source: evil, Signer: evil}}
	texts += q.ChangedSigner(Style{Width: 80, Now: now})
	for line := range strings.Lines(texts) {
		line = strings.TrimSuffix(line, "\n")
		if Escape(line) != line {
			t.Errorf("raw: %q", line)
		}
		if strings.HasPrefix(strings.TrimSpace(line), "signed by you") {
			t.Errorf("a foreign string made a line of its own: %q", line)
		}
	}
}

func TestContent(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"":                  "",
		"\tx":               "        x",
		"ab\tx\ty":          "ab      x       y",
		"\x1b[31m\tred":     `\x1b[31m        red`,
		"世\tx":              "世      x",
		"a\rb":              `a\rb`,
		"\u202etxt\x00\xff": `\u202etxt\x00\xff`,
	} {
		if got := Content(line); got != want {
			t.Errorf("%q is shown as %q, want %q", line, got, want)
		}
	}
}
