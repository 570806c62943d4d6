package records

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"
	"testing"

	"github.com/distributed-trust/distrust/schema"
)

func TestSlug(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in   string
		n    int
		want string
	}{
		{"requests-2.33.0.tar.gz", 48, "requests-2.33.0.tar.gz"},
		{"Requests_2.33", 48, "requests_2.33"},
		{"a  b", 48, "a-b"},
		{"a - b", 48, "a-b"},
		{"a---b", 48, "a-b"},
		{"--a--", 48, "a"},
		{"._-a-_.", 48, "a"},
		{"", 48, "x"},
		{"...", 48, "x"},
		{"-", 48, "x"},
		{"\x00\xff\xfe", 48, "x"},
		{"../../etc/passwd", 48, "etc-passwd"},
		{"a/../b", 48, "a-..-b"},
		{`a\b`, 48, "a-b"},
		{"a\nb\x1b[31m", 48, "a-b-31m"},
		{"%40scope/name", 48, "40scope-name"},
		// UTF-8 is looked at byte by byte: a letter of two bytes is one run, and so are two of them.
		{"über", 48, "ber"},
		{"naïve", 48, "na-ve"},
		{"日本語.txt", 48, "txt"},
		{"a日本b", 48, "a-b"},
		{"\u212a", 48, "x"}, // U+212A, which folds to k, is not a letter of ours
		{"\u017f", 48, "x"}, // U+017F folds to s
		{"\u0130", 48, "x"},
		{"a\u202eb", 48, "a-b"},
		// Cut to n, then trimmed again.
		{"abcdef", 3, "abc"},
		{"ab-cdef", 3, "ab"},
		{"ab...cdef", 5, "ab"},
		{strings.Repeat("a", 300), 48, strings.Repeat("a", 48)},
		{strings.Repeat("é", 300) + "z", 48, "z"},
		{"..........abc", 5, "abc"},
		// Windows devices: before the first dot, whatever follows; the prefix may exceed n.
		{"con", 48, "x-con"},
		{"CON", 48, "x-con"},
		{"con.txt", 48, "x-con.txt"},
		{"con.tar.gz", 48, "x-con.tar.gz"},
		{"prn", 48, "x-prn"},
		{"aux.h", 48, "x-aux.h"},
		{"nul", 48, "x-nul"},
		{"com0", 48, "x-com0"},
		{"com1.log", 48, "x-com1.log"},
		{"com9", 48, "x-com9"},
		{"lpt0", 48, "x-lpt0"},
		{"LPT9.x", 48, "x-lpt9.x"},
		{"_con_", 48, "x-con"},
		{"console", 3, "x-con"}, // the cut makes the device
		{"con-1", 48, "con-1"},
		{"con_", 48, "x-con"},
		{"con1", 48, "con1"},
		{"com", 48, "com"},
		{"com10", 48, "com10"},
		{"coma", 48, "coma"},
		{"lpt", 48, "lpt"},
		{"a.con", 48, "a.con"},
		{"com¹", 48, "com"}, // superscripts are bytes outside and go
	} {
		if got := Slug(c.in, c.n); got != c.want {
			t.Errorf("Slug(%q, %d) = %q, want %q", c.in, c.n, got, c.want)
		}
	}
}

func TestPath(t *testing.T) {
	t.Parallel()
	id := "0123456789abcdef" + strings.Repeat("7", 48)
	sha := "9f2c" + strings.Repeat("a", 60)
	file := func(name string) []schema.Subject {
		return []schema.Subject{{File: name, Digest: schema.Digest{SHA256: sha}}}
	}
	signer := "ssh:ssh-ed25519 AAAA"
	sum := sha256.Sum256([]byte(signer))
	signerDigits := hex.EncodeToString(sum[:])[:8]
	trust := func(project string, subjects ...schema.Subject) schema.Record {
		return schema.Record{Kind: schema.KindTrust, Project: project, Subjects: subjects}
	}
	report := func(s schema.Subject) schema.Record {
		return schema.Record{Kind: schema.KindDistrust, Subjects: []schema.Subject{s}}
	}
	for name, c := range map[string]struct {
		doc  schema.Record
		want string
	}{
		"a file of a project": {trust("pkg:pypi/requests", file("requests-2.33.0.tar.gz")...), "pypi/requests/01/requests-2.33.0.tar.gz"},
		"no project":          {trust("", file("install.sh")...), "any/01/install.sh"},
		"no name":             {trust("", file("")...), "any/01/9f2caaaa"},
		"a name of dots":      {trust("", file("...")...), "any/01/x"},
		"a device":            {trust("", file("nul.txt")...), "any/01/x-nul.txt"},
		"a long name":         {trust("", file(strings.Repeat("ab", 100))...), "any/01/" + strings.Repeat("ab", 24)},
		"the first of two":    {trust("", append(file("b"), file("a")...)...), "any/01/b"},
		"namespace and name":  {trust("pkg:github/alice/Tool", file("t")...), "github/alice-tool/01/t"},
		"many segments":       {trust("pkg:golang/github.com/a/b", file("t")...), "golang/github.com-a-b/01/t"},
		"not percent-decoded": {trust("pkg:npm/%40scope/name", file("t")...), "npm/40scope-name/01/t"},
		"a long type":         {trust("pkg:abcdefghijklmnopqrst/x", file("t")...), "abcdefghijklmnop/x/01/t"},
		"a long project":      {trust("pkg:npm/"+strings.Repeat("n", 200), file("t")...), "npm/" + strings.Repeat("n", 64) + "/01/t"},
		"a device of a type":  {trust("pkg:aux/con", file("t")...), "x-aux/x-con/01/t"},
		"a type called any":   {trust("pkg:any/thing", file("t")...), "any/thing/01/t"},
		"a signer":            {trust("", schema.Subject{Signer: signer, Pattern: []string{"*"}}), "any/01/signer-" + signerDigits},
		"a signer's patterns name no folder": {
			trust("", schema.Subject{Signer: signer, Pattern: []string{"pkg:pypi/requests"}}),
			"any/01/signer-" + signerDigits,
		},
		"a git commit":  {trust("pkg:github/a/b", schema.Subject{Git: schema.GitID{Commit: "deadbeef" + strings.Repeat("0", 32)}}), "github/a-b/01/git-deadbeef"},
		"a git tree":    {trust("", schema.Subject{Git: schema.GitID{Tree: "cafebabe" + strings.Repeat("0", 32)}}), "any/01/git-cafebabe"},
		"a release":     {report(schema.Subject{Release: "pkg:pypi/requests@2.33.1"}), "any/01/release-requests"},
		"a scoped name": {report(schema.Subject{Release: "pkg:npm/%40s/left-pad@1.0"}), "any/01/release-left-pad"},
		"a project":     {report(schema.Subject{Project: "pkg:pypi/reqeusts"}), "any/01/project-reqeusts"},
		"a long project subject": {
			report(schema.Subject{Project: "pkg:pypi/" + strings.Repeat("q", 90)}),
			"any/01/project-" + strings.Repeat("q", 40),
		},
		"a follow": {
			schema.Record{Kind: schema.KindFollow, Source: &schema.FollowSource{Log: "5f0c4c7e9d1b4a86b6a1c2d3e4f50617"}},
			"follow/01/5f0c4c7e9d1b4a86",
		},
		"a withdraw": {
			schema.Record{Kind: schema.KindWithdraw, Withdraws: []string{"ffee" + strings.Repeat("1", 60), id}},
			"withdraw/01/ffee111111111111",
		},
	} {
		want := "records/" + c.want + "-0123456789abcdef.yml"
		if got := Path(c.doc, id); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
	if got := HeadPath(42); got != "keys/42.yml" {
		t.Errorf("HeadPath(42) = %s", got)
	}
	if got := SignaturePath("keys/42.yml"); got != "keys/42.yml.sig" {
		t.Errorf("SignaturePath = %s", got)
	}
}

// element is the form that F4 demands of every name in a foreign tree.
var element = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,127}$`)

// checkPath holds a path to what F4 demands of foreign trees.
func checkPath(t *testing.T, path string) {
	t.Helper()
	elements := strings.Split(path, "/")
	if len(elements) > 5 || elements[0] != RecordsFolder {
		t.Fatalf("path %q is too deep or not under records/", path)
	}
	for _, e := range elements {
		if !element.MatchString(e) {
			t.Fatalf("path %q has an element %q that no reader takes", path, e)
		}
		stem, _, _ := strings.Cut(e, ".")
		if deviceName(stem) {
			t.Fatalf("path %q opens a device on Windows", path)
		}
	}
}

func FuzzSlug(f *testing.F) {
	for _, s := range []string{"", "con", "a.b", "..", "é", "A-B", "com1.x", "\x00", strings.Repeat("a.", 90), "x-"} {
		f.Add(s, 48)
		f.Add(s, 3)
	}
	f.Fuzz(func(t *testing.T, s string, n int) {
		n = 1 + int(uint(n)%100)
		slug := Slug(s, n)
		if !element.MatchString(slug) {
			t.Fatalf("Slug(%q, %d) = %q, which no reader takes", s, n, slug)
		}
		if len(strings.TrimPrefix(slug, "x-")) > n {
			t.Fatalf("Slug(%q, %d) = %q is too long", s, n, slug)
		}
		if strings.HasSuffix(slug, ".") || strings.Contains(slug, "--") {
			t.Fatalf("Slug(%q, %d) = %q", s, n, slug)
		}
		if stem, _, _ := strings.Cut(slug, "."); deviceName(stem) {
			t.Fatalf("Slug(%q, %d) = %q is a device", s, n, slug)
		}
		if again := Slug(slug, len(slug)); again != slug {
			t.Fatalf("Slug(%q, %d) = %q, and again %q", s, n, slug, again)
		}
		if upper := Slug(strings.Map(asciiUpper, s), n); upper != slug {
			t.Fatalf("Slug(%q, %d) = %q, but %q in capitals", s, n, slug, upper)
		}
	})
}

func asciiUpper(r rune) rune {
	if 'a' <= r && r <= 'z' {
		return r - 'a' + 'A'
	}
	return r
}

func FuzzPath(f *testing.F) {
	for _, s := range []string{"a.tar.gz", "", "con", "../x", "pkg:npm/%40a/b", "ü", strings.Repeat("z", 300)} {
		f.Add(s, s, byte(0))
		f.Add("pkg:pypi/requests", s, byte(1))
		f.Add("pkg:"+s, "x", byte(3))
	}
	f.Fuzz(func(t *testing.T, project, name string, form byte) {
		hash := sha256.Sum256([]byte(project + name))
		id := hex.EncodeToString(hash[:])
		doc := schema.Record{Kind: schema.KindDistrust, Project: project}
		switch form % 5 {
		case 0:
			doc.Subjects = []schema.Subject{{File: name, Digest: schema.Digest{SHA256: id}}}
		case 1:
			doc.Subjects = []schema.Subject{{Signer: name}}
		case 2:
			doc.Subjects = []schema.Subject{{Release: name}}
		case 3:
			doc.Subjects = []schema.Subject{{Project: name}}
		case 4:
			doc = schema.Record{Kind: schema.KindWithdraw, Withdraws: []string{name}}
		}
		path := Path(doc, id)
		checkPath(t, path)
		if again := Path(doc, id); again != path {
			t.Fatalf("two places: %q and %q", path, again)
		}
		if !strings.HasSuffix(path, "-"+id[:16]+".yml") || !strings.Contains(path, "/"+id[:2]+"/") {
			t.Fatalf("path %q does not show the id", path)
		}
	})
}
