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
