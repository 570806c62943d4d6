package schema

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

const (
	testLog  = "5f0c4c7e9d1b4a86b6a1c2d3e4f50617"
	testSalt = "00112233445566778899aabbccddeeff"
	testKey  = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMJ0Yk6bLbo3vDbkrnfVkSwHLfQaT1m5s0qgIBHcw5n3"
	testSHA  = "9f2c41ab7e035d6f80112233445566778899aabbccddeeff0123456789abcdef"
	testPGP  = "openpgp:9C5C2B0D1E2F3A4B5C6D7E8F90A1B2C3D4E5F607"
	testFP   = "SHA256:hH5FsPEO9iuGc7jSYi6Keri6hrNubRkQAYfaN9zX23Q"
)

var testTime = time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)

// trustRecord is a trust record with every field that such a record can have.
func trustRecord() *Record {
	return &Record{
		Kind: KindTrust, Log: testLog, By: testKey, Issued: testTime, Expires: testTime.AddDate(1, 0, 0),
		Project: "pkg:pypi/requests", Version: "2.33.0",
		Subjects: []Subject{
			{File: `re"quests\ 2.tar.gz`, Size: 134218, Digest: Digest{SHA256: testSHA, SHA512: testSHA + testSHA}},
			{Size: -1, Digest: Digest{SHA256: testSHA}},
			{Size: -1, Signer: testPGP, Cert: armorBegin + "\n  x\n   \n=abcd\n" + armorEnd, Pattern: []string{"pkg:pypi/*", "*"}},
			{Size: -1, Git: GitID{Commit: testSHA[:40]}},
			{Size: -1, Git: GitID{Tree: testSHA}},
		},
		Basis: Reviewed, Strength: 100, Reason: `Read "the" diff: \ # no`, Seen: []string{testSHA},
	}
}

func distrustRecord() *Record {
	return &Record{
		Kind: KindDistrust, Log: testLog, By: testKey, Issued: testTime, Category: Malware,
		Subjects: []Subject{
			{Size: -1, Release: "pkg:pypi/requests@2.33.1"},
			{Size: -1, Project: "pkg:pypi/reqeusts"},
			{Size: -1, Signer: "ssh:" + testKey},
			{Size: 0, Digest: Digest{SHA256: testSHA}},
		},
	}
}

func followRecord() *Record {
	return &Record{
		Kind: KindFollow, Log: testLog, By: testKey, Issued: testTime, Weight: 50, Depth: 1, Scopes: []string{"pkg:pypi/*"},
		Source: &FollowSource{Log: testLog, URL: "https://example.org/a b.git", Key: testFP},
	}
}

func withdrawRecord() *Record {
	return &Record{Kind: KindWithdraw, Log: testLog, By: testKey, Issued: testTime, Withdraws: []string{testSHA}, Reason: "yes"}
}

func TestRecordRoundTrip(t *testing.T) {
	t.Parallel()
	for _, rec := range []*Record{trustRecord(), distrustRecord(), followRecord(), withdrawRecord()} {
		text, err := rec.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseRecord("r.yml", text)
		if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		if !reflect.DeepEqual(rec, again) {
			t.Errorf("wrote %+v\nread  %+v\n%s", rec, again, text)
		}
	}
}

// TestCorpusRoundTrip writes every good document again.
func TestCorpusRoundTrip(t *testing.T) {
	t.Parallel()
	for _, doc := range corpus(t, "corpus/good") {
		value, err := doc.parse()
		if err != nil {
			t.Fatal(err)
		}
		doc.text = marshal(t, value)
		if again, err := doc.parse(); err != nil || !reflect.DeepEqual(value, again) {
			t.Errorf("%s: read %+v\nthen %+v, %v", doc.name, value, again, err)
		}
	}
}

// TestMarshalText fixes the text, which people read in git.
func TestMarshalText(t *testing.T) {
	t.Parallel()
	text, err := trustRecord().Marshal()
	if err != nil {
		t.Fatal(err)
	}
	want := `distrust: 1
kind: "trust"
log: "` + testLog + `"
by: "` + testKey + `"
issued: 2026-11-21T10:00:00Z
expires: 2027-11-21T10:00:00Z
project: "pkg:pypi/requests"
version: "2.33.0"
subjects:
  - file: "re\"quests\\ 2.tar.gz"
    size: 134218
    digest: {sha256: "` + testSHA + `", sha512: "` + testSHA + testSHA + `"}
  - digest: {sha256: "` + testSHA + `"}
  - signer: "` + testPGP + `"
    certificate: |
      -----BEGIN PGP PUBLIC KEY BLOCK-----

        x
         ` + `
      =abcd
      -----END PGP PUBLIC KEY BLOCK-----
    projects: ["pkg:pypi/*", "*"]
  - git: {commit: "` + testSHA[:40] + `"}
  - git: {tree: "` + testSHA + `"}
reason: "Read \"the\" diff: \\ # no"
basis: "reviewed"
strength: 100
seen:
  - "` + testSHA + `"
`
	if string(text) != want {
		t.Errorf("got\n%s\nwant\n%s", text, want)
	}
}

// TestMarshalRefuses: what would not be read is not written.
func TestMarshalRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		make   func() *Record
		change func(*Record)
		reason string
	}{
		{"no kind", trustRecord, func(r *Record) { r.Kind = "" }, "kind"},
		{"head", trustRecord, func(r *Record) { r.Kind = KindHead }, "kind"},
		{"log", trustRecord, func(r *Record) { r.Log = strings.ToUpper(testLog) }, "hex"},
		{"by", trustRecord, func(r *Record) { r.By += " comment" }, "by"},
		{"fraction of a second", trustRecord, func(r *Record) { r.Issued = r.Issued.Add(1) }, "whole seconds"},
		{"no time", trustRecord, func(r *Record) { r.Issued = time.Time{} }, "needs issued"},
		{"expiry that would mean never", trustRecord, func(r *Record) { r.Expires = time.Unix(0, 0) }, "1970"},
		{"far future", trustRecord, func(r *Record) { r.Expires = r.Expires.AddDate(9000, 0, 0) }, "9999"},
		{"control in reason", trustRecord, func(r *Record) { r.Reason = "a\x1bb" }, "U+001B"},
		{"line feed in reason", trustRecord, func(r *Record) { r.Reason = "a\nb" }, "U+000A"},
		{"invalid UTF-8", trustRecord, func(r *Record) { r.Reason = "\xff" }, "UTF-8"},
		{"line feed in file", trustRecord, func(r *Record) { r.Subjects[0].File = "a\nb" }, "subjects[0]"},
		{"path as file", trustRecord, func(r *Record) { r.Subjects[0].File = "a/b" }, "path"},
		{"size", trustRecord, func(r *Record) { r.Subjects[0].Size = -2 }, "size"},
		{"size of 17 digits", trustRecord, func(r *Record) { r.Subjects[0].Size = 1e16 }, "size"},
		{"no subject", trustRecord, func(r *Record) { r.Subjects = nil }, "subjects"},
		{"empty subject", trustRecord, func(r *Record) { r.Subjects[1] = Subject{} }, "subjects[1]"},
		{"too many subjects", trustRecord, func(r *Record) {
			r.Subjects = make([]Subject, MaxSubjects+1)
			for i := range r.Subjects {
				r.Subjects[i] = Subject{Size: -1, Digest: Digest{SHA256: testSHA}}
			}
		}, "at most 1000"},
		{"too large", trustRecord, func(r *Record) { r.Reason = strings.Repeat("x", MaxRecordBytes) }, "at most 262144"},
		{"line feed after the certificate", trustRecord, func(r *Record) { r.Subjects[2].Cert += "\n" }, "public key block"},
		{"certificate with control", trustRecord, func(r *Record) { r.Subjects[2].Cert = armorBegin + "\t\n" + armorEnd }, "U+0009"},
		{"trusted release", trustRecord, func(r *Record) { r.Subjects[0] = Subject{Release: "pkg:a/b@1"} }, "only about bytes"},
		{"category on trust", trustRecord, func(r *Record) { r.Category = Other }, "category"},
		{"no category", distrustRecord, func(r *Record) { r.Category = "" }, "category"},
		{"strength", distrustRecord, func(r *Record) { r.Strength = -1 }, "strength"},
		{"weight", followRecord, func(r *Record) { r.Weight = 101 }, "weight"},
		{"depth", followRecord, func(r *Record) { r.Depth = -1 }, "depth"},
		{"scope", followRecord, func(r *Record) { r.Scopes = []string{"pypi:"} }, "scopes[0]"},
		{"withdraws", withdrawRecord, func(r *Record) { r.Withdraws = append(r.Withdraws, testSHA[:16]) }, "withdraws[1]"},
	}
	for _, test := range tests {
		rec := test.make()
		test.change(rec)
		if text, err := rec.Marshal(); err == nil || !strings.Contains(err.Error(), test.reason) {
			t.Errorf("%s: %v, want an error about %s (%d bytes)", test.name, err, test.reason, len(text))
		}
	}
}

// TestErrorLines: a refusal names the line to look at.
func TestErrorLines(t *testing.T) {
	t.Parallel()
	good, err := distrustRecord().Marshal()
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		old, new string
		want     string
	}{
		{`"pkg:pypi/reqeusts"`, `"reqeusts"`, `r.yml:8: project "reqeusts" does not begin with "pkg:" and a type (F2)`},
		{`"malware"`, `"spam"`, `r.yml:12: "spam" is no category (F2)`},
		{`"malware"`, `yes`, `r.yml:12: a string is expected here: put it in double quotes (F1)`},
		{`"malware"`, "\"malware\"\n\n  # x\ncolour: 1", `r.yml:15: field "colour": needs a newer distrust (F1)`},
		{`distrust: 1`, `distrust: 2`, `r.yml:1: format version 2: needs a newer distrust (F1)`},
		{`"distrust"`, `"endorse"`, `r.yml:2: kind "endorse": needs a newer distrust (F1)`},
		{"category: \"malware\"\n", "", `r.yml:1: a distrust record needs category (F2)`},
	}
	for _, test := range tests {
		text := strings.Replace(string(good), test.old, test.new, 1)
		_, err := ParseRecord("r.yml", []byte(text))
		if err == nil || err.Error() != test.want {
			t.Errorf("%s -> %s: %v, want %s", test.old, test.new, err, test.want)
		}
	}
	_, err = ParseRecord("", []byte("distrust: 2\n"))
	if err == nil || !strings.HasPrefix(err.Error(), "line 1: ") || !errors.Is(err, ErrNotUnderstood) {
		t.Errorf("without a file name: %v", err)
	}
}

// TestSubjectKind: exactly one form.
func TestSubjectKind(t *testing.T) {
	t.Parallel()
	forms := map[SubjectKind]Subject{
		SubjectFile: {Digest: Digest{SHA512: "x"}}, SubjectSigner: {Signer: "x"}, SubjectGit: {Git: GitID{Tree: "x"}},
		SubjectRelease: {Release: "x"}, SubjectProject: {Project: "x"}, "": {File: "x", Size: 1, Cert: "x"},
	}
	for want, s := range forms {
		if got := s.Kind(); got != want {
			t.Errorf("%+v is %q, want %q", s, got, want)
		}
	}
	if got := (Subject{Signer: "x", Project: "x"}).Kind(); got != "" {
		t.Errorf("two forms are %q", got)
	}
}
