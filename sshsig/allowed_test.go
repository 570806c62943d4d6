package sshsig_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/distributed-trust/distrust/sshsig"
)

// allowedCase asks whether the key K may sign a "file" as user-1@example.com. In lines, KEY is K and
// WRONG is another key.
type allowedCase struct {
	name  string
	lines string
	as    string // default user-1@example.com
	ns    string // default test-1
	at    string // default 20261121120000Z
	zone  string // default UTC
	want  bool
	safer bool // OpenSSH allows it, and we skip the line
}

// allowedCases are OpenSSH's regress/sshsig.sh without certificates (research, section 2), and then
// the file format (3a).
var allowedCases = []allowedCase{
	{name: "plain", lines: `user-1@example.com KEY`, want: true},
	{name: "limited namespace", lines: `user-1@example.com namespaces="test-1,whatever" KEY`, want: true},
	{name: "unknown option", lines: `user-1@example.com octopus KEY`},
	{name: "wrong key", lines: `user-1@example.com WRONG`},
	{name: "wrong principal", lines: `josef.k@example.com KEY`},
	{name: "excluded namespace", lines: `user-1@example.com namespaces="whatever" KEY`},
	{name: "valid at 1985", lines: years80, at: "19850101Z", want: true},
	{name: "valid at 1979", lines: years80, at: "19790101Z"},
	{name: "valid at 1991", lines: years80, at: "19910101Z"},
	{name: "valid now", lines: years80},
	{name: "two lines, 2010", lines: twoSpans, at: "20100101Z"},
	{name: "two lines, 1983", lines: twoSpans, at: "19830101Z", want: true},
	{name: "two lines, 1988", lines: twoSpans, at: "19880101Z", want: true},
	{name: "two lines, 1995", lines: twoSpans, at: "19950101Z", want: true},
	{name: "key flagged as authority", lines: `user-1@example.com cert-authority KEY`},
	{name: "authority line, then plain line", lines: "user-1@example.com cert-authority KEY\nuser-1@example.com KEY", want: true},

	{name: "tabs", lines: "user-1@example.com\tnamespaces=\"test-1\"\tKEY", want: true},
	{name: "leading blanks", lines: " \t user-1@example.com  KEY", want: true},
	{name: "comment behind", lines: `user-1@example.com KEY me on my laptop`, want: true},
	{name: "blank lines and comments", lines: "# people\n\n  # more\n\t\nuser-1@example.com KEY\n", want: true},
	{name: "line commented out", lines: `#user-1@example.com KEY`},
	{name: "crlf", lines: "user-1@example.com KEY\r\n", want: true},
	{name: "crlf behind a comment", lines: "user-1@example.com KEY me\r\n", want: true},
	{name: "byte order mark", lines: "\ufeffuser-1@example.com KEY"},
	{name: "byte order mark, second line", lines: "\ufeffuser-1@example.com KEY\nuser-1@example.com KEY", want: true},
	{name: "principal only", lines: "user-1@example.com"},
	{name: "principal and type only", lines: "user-1@example.com ssh-ed25519"},
	{name: "key without principal", lines: "KEY"},
	{name: "bad line first", lines: "user-1@example.com octopus KEY\nuser-1@example.com KEY", want: true},

	{name: "star", lines: `*@example.com KEY`, want: true},
	{name: "star alone", lines: `* KEY`, want: true},
	{name: "stars", lines: `*us*-*1*@*.com* KEY`, want: true},
	{name: "star that fits nowhere", lines: `*@example.org KEY`},
	{name: "question mark", lines: `user-?@example.com KEY`, want: true},
	{name: "question mark is one", lines: `user-??@example.com KEY`},
	{name: "brackets are no pattern", lines: `user-[0-9]@example.com KEY`},
	{name: "principals are case-sensitive", lines: `User-1@example.com KEY`},
	{name: "list", lines: `a@b,user-1@example.com,c KEY`, want: true},
	{name: "list ends with a comma", lines: `user-1@example.com, KEY`, want: true},
	{name: "list with a blank", lines: `a@b, user-1@example.com KEY`},
	{name: "negated behind", lines: `*@example.com,!user-1@example.com KEY`},
	{name: "negated before", lines: `!user-1@example.com,*@example.com KEY`},
	{name: "negated only", lines: `!josef.k@example.com KEY`},
	{name: "another negated", lines: `*@example.com,!josef.k@example.com KEY`, want: true},
	{name: "negated pattern", lines: `*,!user-* KEY`},
	{name: "negated on another line", lines: "!user-1@example.com,* KEY\n* KEY", want: true},
	{name: "quoted", lines: `"user-1@example.com" KEY`, want: true},
	{name: "quoted with a blank", lines: `"a b,user-1@example.com" KEY`, want: true},
	{name: "principal with a blank", lines: `"a b" KEY`, as: "a b", want: true},
	{name: "quotes inside", lines: `user-1"@example.com" KEY`, want: true},
	{name: "quotes inside with a blank", lines: `user-1"@example.com b" KEY`},
	{name: "no closing quote", lines: `"user-1@example.com KEY`},
	{name: "no blank behind the quotes", lines: `"user-1@example.com"KEY`, want: true},
	{name: "too long a pattern", lines: `user-1@example.com,` + strings.Repeat("a", 1023) + ` KEY`},
	{name: "a long pattern", lines: `user-1@example.com,` + strings.Repeat("a", 1022) + ` KEY`, want: true},

	{name: "option in capitals", lines: `user-1@example.com NAMESPACES="test-1" KEY`, want: true},
	{name: "namespace is case-sensitive", lines: `user-1@example.com namespaces="TEST-1" KEY`},
	{name: "namespace pattern", lines: `user-1@example.com namespaces="test-*" KEY`, want: true},
	{name: "namespace negated", lines: `user-1@example.com namespaces="*,!test-1" KEY`},
	{name: "namespace empty", lines: `user-1@example.com namespaces="" KEY`},
	{name: "namespace not quoted", lines: `user-1@example.com namespaces=test-1 KEY`},
	{name: "namespace half quoted", lines: `user-1@example.com namespaces="test-1 KEY`},
	{name: "namespace without value", lines: `user-1@example.com namespaces KEY`},
	{name: "namespaces twice", lines: `user-1@example.com namespaces="test-1",namespaces="test-1" KEY`},
	{name: "namespace with a blank", lines: `user-1@example.com namespaces="a b,test-1" KEY`, want: true},
	{name: "namespace with a quote", lines: `user-1@example.com namespaces="a\"b" KEY`, ns: `a"b`, want: true},
	{name: "text behind a value", lines: `user-1@example.com namespaces="test-1"x KEY`},
	{name: "blank behind a comma", lines: `user-1@example.com namespaces="test-1", valid-after="1980" KEY`},
	{name: "comma behind the options", lines: `user-1@example.com namespaces="test-1", KEY`},
	{name: "comma before the options", lines: `user-1@example.com ,namespaces="test-1" KEY`, want: true},
	{name: "two commas", lines: `user-1@example.com namespaces="test-1",,valid-after="19800101" KEY`, want: true},
	{name: "two options fields", lines: `user-1@example.com namespaces="test-1" valid-after="19800101" KEY`},
	{name: "unknown option behind", lines: `user-1@example.com namespaces="test-1",octopus KEY`},
	{name: "unknown option with a known start", lines: `user-1@example.com namespaces2="test-1" KEY`},
	{name: "all options", lines: `user-1@example.com valid-before="20300101",namespaces="test-1",valid-after="19800101" KEY`, want: true},

	{name: "date with Z", lines: `user-1@example.com valid-after="20261121Z" KEY`, at: "20261121Z", want: true},
	{name: "the second before", lines: `user-1@example.com valid-after="20261121Z" KEY`, at: "20261120235959Z"},
	{name: "the last second", lines: `user-1@example.com valid-before="20261121101112Z" KEY`, at: "20261121101112Z", want: true},
	{name: "the second behind", lines: `user-1@example.com valid-before="20261121101112Z" KEY`, at: "20261121101113Z"},
	{name: "minutes", lines: `user-1@example.com valid-before="202611211011z" KEY`, at: "20261121101100Z", want: true},
	{name: "behind the minute", lines: `user-1@example.com valid-before="202611211011Z" KEY`, at: "20261121101101Z"},
	{name: "UTC", lines: `user-1@example.com valid-before="202611211011UTC" KEY`, at: "20261121101100Z", zone: "Europe/Berlin", want: true},
	{name: "local winter", lines: `user-1@example.com valid-after="20260115120000" KEY`, at: "20260115110000Z", zone: "Europe/Berlin", want: true},
	{name: "local winter, before", lines: `user-1@example.com valid-after="20260115120000" KEY`, at: "20260115105959Z", zone: "Europe/Berlin"},
	{name: "local summer is standard time", lines: `user-1@example.com valid-after="20260715120000" KEY`, at: "20260715110000Z", zone: "Europe/Berlin", want: true},
	{name: "local summer is standard time, before", lines: `user-1@example.com valid-after="20260715120000" KEY`, at: "20260715105959Z", zone: "Europe/Berlin"},
	{name: "west", lines: `user-1@example.com valid-after="20260115" KEY`, at: "20260115050000Z", zone: "America/New_York", want: true},
	{name: "west, before", lines: `user-1@example.com valid-after="20260115" KEY`, at: "20260115045959Z", zone: "America/New_York"},
	{name: "dashes", lines: `user-1@example.com valid-after="1980-01-01" KEY`},
	{name: "year only", lines: `user-1@example.com valid-after="1980" KEY`},
	{name: "month 13", lines: `user-1@example.com valid-after="19801301" KEY`},
	{name: "day 32", lines: `user-1@example.com valid-after="19800132" KEY`},
	{name: "day 0", lines: `user-1@example.com valid-after="19800100" KEY`},
	{name: "hour 24", lines: `user-1@example.com valid-after="198001012400" KEY`},
	{name: "minute 60", lines: `user-1@example.com valid-after="198001010060" KEY`},
	{name: "second 61", lines: `user-1@example.com valid-after="19800101000061" KEY`, want: true},
	{name: "second 62", lines: `user-1@example.com valid-after="19800101000062" KEY`},
	{name: "30 February is 2 March", lines: `user-1@example.com valid-after="20260230Z" KEY`, at: "20260302Z", want: true},
	{name: "30 February is not 1 March", lines: `user-1@example.com valid-after="20260230Z" KEY`, at: "20260301Z"},
	{name: "the epoch", lines: `user-1@example.com valid-after="19700101Z" KEY`},
	{name: "before the epoch", lines: `user-1@example.com valid-after="19690101Z" KEY`},
	{name: "letters in a date", lines: `user-1@example.com valid-after="1980O101" KEY`},
	{name: "sign in a date", lines: `user-1@example.com valid-after="1980+101" KEY`},
	{name: "blank in a time", lines: `user-1@example.com valid-after="1980010100 1" KEY`, safer: true},
	{name: "time not quoted", lines: `user-1@example.com valid-after=19800101 KEY`},
	{name: "after twice", lines: `user-1@example.com valid-after="19800101",valid-after="19800101" KEY`},
	{name: "before twice", lines: `user-1@example.com valid-before="20300101",valid-before="20300101" KEY`},
	{name: "before is after after", lines: `user-1@example.com valid-after="20300101",valid-before="19800101" KEY`},
	{name: "before is after", lines: `user-1@example.com valid-after="20200101",valid-before="20200101" KEY`},

	{name: "damaged key", lines: `user-1@example.com ssh-ed25519 AAAA`},
	{name: "two keys", lines: `user-1@example.com WRONG KEY`},
}

const (
	years80  = `user-1@example.com valid-after="19800101",valid-before="19900101" KEY`
	twoSpans = years80 + "\n" + `user-1@example.com valid-after="19850101",valid-before="20000101" KEY`
)

// fill puts the keys in and the defaults.
func (c allowedCase) fill(key, wrong sshsig.Key) allowedCase {
	c.lines = strings.ReplaceAll(strings.ReplaceAll(c.lines, "KEY", key.String()), "WRONG", wrong.String())
	for _, d := range []struct {
		field *string
		value string
	}{{&c.as, "user-1@example.com"}, {&c.ns, "test-1"}, {&c.at, "20261121120000Z"}, {&c.zone, "UTC"}} {
		if *d.field == "" {
			*d.field = d.value
		}
	}
	return c
}

// moment reads the times of the table.
func moment(t *testing.T, s string) time.Time {
	t.Helper()
	layout := "20060102150405Z"
	at, err := time.Parse(layout[:len(s)-1]+"Z", s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	location, err := time.LoadLocation(name)
	if err != nil {
		t.Skipf("no time zones here: %v", err)
	}
	return location
}

func testPair(t testing.TB) (key, wrong sshsig.Key) {
	t.Helper()
	keys := makeTestKeys()
	key, err := sshsig.KeyFromSSH(keys.ed25519.PublicKey())
	if err != nil {
		t.Fatal(err)
	}
	wrong, err = sshsig.KeyFromSSH(keys.ecdsa.PublicKey())
	if err != nil {
		t.Fatal(err)
	}
	return key, wrong
}

func TestAllowed(t *testing.T) {
	t.Parallel()
	key, wrong := testPair(t)
	for _, c := range allowedCases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c := c.fill(key, wrong)
			allowed, notes := sshsig.ParseAllowedSigners("file", []byte(c.lines), zone(t, c.zone))
			err := allowed.Allowed(key, c.as, sshsig.Namespace(c.ns), moment(t, c.at))
			if (err == nil) != c.want {
				t.Errorf("Allowed: %v, want %v; notes %v", err, c.want, notes)
			}
			var refused *sshsig.NotAllowedError
			if err != nil && (!isOnly(err, sshsig.ErrNotAllowed) || !errors.As(err, &refused) || refused.Reason == "") {
				t.Errorf("not a NotAllowedError with its reason: %v", err)
			}
			if c.safer && len(notes) == 0 {
				t.Error("a line that OpenSSH uses was skipped without a note")
			}
		})
	}
}

// TestAllowedIsOpenSSHs asks ssh-keygen about every row of the table.
func TestAllowedIsOpenSSHs(t *testing.T) {
	t.Parallel()
	s := newStock(t)
	key, wrong := testPair(t)
	sigs := map[string]string{}
	for i, c := range allowedCases {
		c := c.fill(key, wrong)
		if sigs[c.ns] == "" {
			armored, err := sshsig.Sign([]byte("m"), makeTestKeys().ed25519, sshsig.Namespace(c.ns))
			if err != nil {
				t.Fatal(err)
			}
			sigs[c.ns] = s.write(fmt.Sprintf("sig%d", i), armored)
		}
		file := s.write("allowed", []byte(c.lines))
		_, ok := s.run([]byte("m"), []string{"TZ=" + c.zone}, "-Y", "verify", "-f", file, "-I", c.as, "-n", c.ns, "-s", sigs[c.ns], "-O", "verify-time="+c.at)
		if ok != (c.want || c.safer) {
			t.Errorf("%s: ssh-keygen says %v", c.name, ok)
		}
	}
}

// TestPrincipals is find-principals of the regress script, against the real one.
func TestPrincipals(t *testing.T) {
	t.Parallel()
	s := newStock(t)
	key, wrong := testPair(t)
	armored, err := sshsig.Sign([]byte("m"), makeTestKeys().ed25519, "test-1")
	if err != nil {
		t.Fatal(err)
	}
	sig := s.write("sig", armored)
	for _, c := range []struct {
		name, lines, at, want string
	}{
		{"listed", "user-1@example.com KEY", "20261121Z", "user-1@example.com"},
		{"only another key listed", "user-1@example.com WRONG", "20261121Z", ""},
		{"namespaces are not asked about", `user-1@example.com namespaces="test1,test2" KEY`, "20261121Z", "user-1@example.com"},
		{"several", "a@b,*@c KEY", "20261121Z", "a@b *@c"},
		{"in time", years80, "19850101Z", "user-1@example.com"},
		{"too early", years80, "19790101Z", ""},
		{"too late", years80, "19990101Z", ""},
		{"two spans, in the second", twoSpans, "19950101Z", "user-1@example.com"},
		{"two spans, in none", twoSpans, "20100101Z", ""},
		{"authority", "user-1@example.com cert-authority KEY", "20261121Z", ""},
	} {
		lines := allowedCase{lines: c.lines}.fill(key, wrong).lines
		allowed, _ := sshsig.ParseAllowedSigners("file", []byte(lines), time.UTC)
		if got := strings.Join(allowed.Principals(key, moment(t, c.at)), " "); got != c.want {
			t.Errorf("%s: Principals = %q, want %q", c.name, got, c.want)
		}
		out, ok := s.run([]byte("m"), []string{"TZ=UTC"}, "-Y", "find-principals", "-f", s.write("allowed", []byte(lines)), "-s", sig, "-O", "verify-time="+c.at)
		if got := strings.Join(strings.Fields(out), " "); got != c.want || ok != (c.want != "") {
			t.Errorf("%s: ssh-keygen says %q, %v", c.name, got, ok)
		}
	}
	allowed, _ := sshsig.ParseAllowedSigners("file", []byte("a,b "+key.String()+"\nb,c "+key.String()), time.UTC)
	if got := strings.Join(allowed.Principals(key, time.Unix(1, 0)), " "); got != "a b c" {
		t.Errorf("over several lines: %q", got)
	}
	if got := allowed.Principals(sshsig.Key{}, time.Unix(1, 0)); got != nil {
		t.Errorf("the zero key is listed for %q", got)
	}
}

// TestMatchPrincipals is match-principals of the regress script, against the real one.
func TestMatchPrincipals(t *testing.T) {
	t.Parallel()
	s := newStock(t)
	key, _ := testPair(t)
	lines := fmt.Sprintf("principal1 %[1]s\nprinci* %[1]s\nunique %[1]s\n", key)
	file := s.write("allowed", []byte(lines))
	allowed, notes := sshsig.ParseAllowedSigners("file", []byte(lines), time.UTC)
	if len(notes) != 0 {
		t.Fatal(notes)
	}
	for principal, want := range map[string]string{
		"unique":     "unique",
		"princip":    "princi*",
		"principal1": "principal1 princi*",
		"princ":      "",
		"prince":     "",
		"unknown":    "",
	} {
		if got := strings.Join(allowed.MatchPrincipals(principal), " "); got != want {
			t.Errorf("%s: %q, want %q", principal, got, want)
		}
		out, ok := s.run(nil, nil, "-Y", "match-principals", "-f", file, "-I", principal)
		if got := strings.Join(strings.Fields(out), " "); got != want || ok != (want != "") {
			t.Errorf("%s: ssh-keygen says %q, %v", principal, got, ok)
		}
	}
}

func TestAllowedSignersNotes(t *testing.T) {
	t.Parallel()
	key, _ := testPair(t)
	keys := makeTestKeys()
	weak := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(keys.weakRSA.PublicKey())))
	cert := &ssh.Certificate{Key: keys.ed25519.PublicKey(), CertType: ssh.UserCert}
	if err := cert.SignCert(zeroes{}, keys.ed25519); err != nil {
		t.Fatal(err)
	}
	certificate := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(cert)))
	for line, want := range map[string]string{
		"a cert-authority " + key.String():                  "cert-authority",
		"a cert-authority,namespaces=\"x\" " + key.String(): "cert-authority",
		"a " + certificate:                                  "certificate",
		"a " + weak:                                         "1024 bits",
		"a ssh-dss AAAAB3NzaC1kc3M=":                        `"ssh-dss"`,
		"a octopus " + key.String():                         `unknown option "octopus"`,
		"a namespaces=file " + key.String():                 "not in double quotes",
		"a namespaces=\"file " + key.String():               "closing quote",
		"a valid-after=\"1980-01-01\" " + key.String():      "YYYYMMDD",
		"a":                      "no key",
		"a namespaces=\"file\"":  "no key",
		"\"a " + key.String():    "closing quote",
		"a " + key.String()[:40]: "malformed",
		"a ssh-ed25519 A-A=":     "base64",
		"a\x00 " + key.String():  "NUL",
		"a " + strings.Repeat("o", 500) + " " + key.String(): "...",
	} {
		file := "# people\nb " + key.String() + "\n" + line + "\n\nc " + key.String() + "\n"
		allowed, notes := sshsig.ParseAllowedSigners("dir/allowed", []byte(file), time.UTC)
		if len(notes) != 1 || notes[0].File != "dir/allowed" || notes[0].Line != 3 || !strings.Contains(notes[0].Reason, want) {
			t.Errorf("%.60q: %v, want line 3 with %q", line, notes, want)
			continue
		}
		if s := notes[0].String(); !strings.HasPrefix(s, "dir/allowed:3: ") || strings.ContainsAny(s, "\x00\n") || len(s) > 300 {
			t.Errorf("%.60q: %q", line, s)
		}
		if got := strings.Join(allowed.Principals(key, time.Unix(1, 0)), " "); got != "b c" {
			t.Errorf("%.60q: the other lines give %q", line, got)
		}
	}
}

func TestAllowedReasons(t *testing.T) {
	t.Parallel()
	key, wrong := testPair(t)
	lines := fmt.Sprintf("a %[1]s\nb namespaces=\"file\" %[1]s\nc namespaces=\"git\",valid-before=\"20000101Z\" %[1]s\nd valid-after=\"20300101Z\" %[1]s", key)
	allowed, notes := sshsig.ParseAllowedSigners("file", []byte(lines), time.UTC)
	if len(notes) != 0 {
		t.Fatal(notes)
	}
	at := moment(t, "20261121Z")
	for _, c := range []struct {
		key       sshsig.Key
		principal string
		ns        sshsig.Namespace
		want      string
	}{
		{wrong, "a", "file", "not listed"},
		{key, "e", "file", "other principals"},
		{key, "b", "git", "other namespaces"},
		{key, "c", "git", "not valid after 2000-01-01T00:00:00Z"},
		{key, "d", "git", "not valid before 2030-01-01T00:00:00Z"},
		{sshsig.Key{}, "a", "git", "must all be given"},
		{key, "", "git", "must all be given"},
		{key, "a", "", "must all be given"},
		{key, strings.Repeat("a", 2000), "git", "must all be given"},
	} {
		err := allowed.Allowed(c.key, c.principal, c.ns, at)
		if !errors.Is(err, sshsig.ErrNotAllowed) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.20s %s: %v, want %s", c.principal, c.ns, err, c.want)
		}
	}
	if allowed.MatchPrincipals("") != nil {
		t.Error("the empty principal matches")
	}
}

func TestAllowedSignersBounds(t *testing.T) {
	t.Parallel()
	key, _ := testPair(t)
	line := "a " + key.String() + "\n"
	full := strings.Repeat("#\n", (sshsig.MaxAllowedSigners-len(line))/2) + line
	full = strings.Repeat("\n", sshsig.MaxAllowedSigners-len(full)) + full
	allowed, notes := sshsig.ParseAllowedSigners("file", []byte(full), time.UTC)
	if err := allowed.Allowed(key, "a", "file", time.Unix(1, 0)); err != nil || len(notes) != 0 {
		t.Errorf("as long as may be: %v, %v", err, notes)
	}
	allowed, notes = sshsig.ParseAllowedSigners("file", []byte(full+"\n"), time.UTC)
	if err := allowed.Allowed(key, "a", "file", time.Unix(1, 0)); err == nil || len(notes) != 1 || notes[0].String() == "" {
		t.Errorf("longer: %v, %v", err, notes)
	}
	// A pattern that would take a backtracking matcher for ever.
	hard := strings.Repeat("*a", 500) + "*b"
	allowed, _ = sshsig.ParseAllowedSigners("file", []byte(strings.Repeat(hard+" "+key.String()+"\n", 100)), time.UTC)
	if err := allowed.Allowed(key, strings.Repeat("a", 1000), "file", time.Unix(1, 0)); err == nil {
		t.Error("a pattern that ends in b matches a's")
	}
}

func TestAllowedSignersLine(t *testing.T) {
	t.Parallel()
	key, _ := testPair(t)
	const logID = "5f0c4c7e9d1b4a86b6a1c2d3e4f50617"
	line := sshsig.AllowedSignersLine(logID, key)
	if want := logID + ` namespaces="distrust/record/v1,distrust/head/v1" ` + key.String(); line != want {
		t.Errorf("%q, want %q", line, want)
	}
	allowed, notes := sshsig.ParseAllowedSigners("file", []byte(line), nil)
	for _, ns := range []sshsig.Namespace{sshsig.NamespaceRecord, sshsig.NamespaceHead} {
		if err := allowed.Allowed(key, logID, ns, time.Unix(1, 0)); err != nil || len(notes) != 0 {
			t.Errorf("%s: %v, %v", ns, err, notes)
		}
	}
	if err := allowed.Allowed(key, logID, sshsig.NamespaceFile, time.Unix(1, 0)); err == nil {
		t.Error("a key of a log may sign files")
	}
}

// TestLocalTimesAreThoseOfTheSystem compares the zone rules where clocks are moved.
func TestLocalTimesAreThoseOfTheSystem(t *testing.T) {
	t.Parallel()
	s := newStock(t)
	key, wrong := testPair(t)
	if _, err := os.Stat(filepath.Join("/usr/share/zoneinfo", "Europe", "Berlin")); err != nil {
		t.Skip("no time zones here")
	}
	armored, err := sshsig.Sign([]byte("m"), makeTestKeys().ed25519, "test-1")
	if err != nil {
		t.Fatal(err)
	}
	sig := s.write("sig", armored)
	for _, c := range []struct{ zone, after string }{
		{"Europe/Berlin", "20260329023000"},       // does not exist
		{"Europe/Berlin", "20261025023000"},       // exists twice
		{"America/New_York", "20260308023000"},    // does not exist
		{"Australia/Lord_Howe", "20260405014500"}, // exists twice, half an hour
		{"Asia/Kolkata", "20260715120000"},
		{"Pacific/Auckland", "20260115120000"},
	} {
		lines := allowedCase{lines: `user-1@example.com valid-after="` + c.after + `" KEY`}.fill(key, wrong).lines
		allowed, _ := sshsig.ParseAllowedSigners("file", []byte(lines), zone(t, c.zone))
		file := s.write("allowed", []byte(lines))
		var refused *sshsig.NotAllowedError
		if !errors.As(allowed.Allowed(key, "user-1@example.com", "test-1", time.Unix(1, 0)), &refused) {
			t.Fatal("valid in 1970")
		}
		_, stamp, _ := strings.Cut(refused.Reason, "before ")
		start, err := time.Parse(time.RFC3339, stamp)
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range []time.Time{start.Add(-time.Second), start} {
			ours := allowed.Allowed(key, "user-1@example.com", "test-1", at) == nil
			_, theirs := s.run([]byte("m"), []string{"TZ=" + c.zone}, "-Y", "verify", "-f", file, "-I", "user-1@example.com", "-n", "test-1", "-s", sig, "-O", "verify-time="+at.Format("20060102150405Z"))
			if ours != theirs {
				t.Errorf("%s %s at %s: %v, ssh-keygen says %v", c.zone, c.after, at, ours, theirs)
			}
		}
	}
}
