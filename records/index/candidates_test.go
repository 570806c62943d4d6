package index

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/distributed-trust/distrust/records/internal/testkit"
	"github.com/distributed-trust/distrust/records/trust"
	"github.com/distributed-trust/distrust/schema"
)

// TestFewAreOpened: at most 64 are opened again, the nearest first, and no log crowds out the
// others by saying much.
func TestFewAreOpened(t *testing.T) {
	t.Parallel()
	loud, quiet, far := newLog(t, "loud"), newLog(t, "quiet"), newLog(t, "far")
	d := testDir(t)
	var many []Entry
	for i := range 90 {
		doc := testkit.Report(testkit.File("f", "f"))
		doc.Reason, doc.Issued = fmt.Sprint(i), testStart.Add(time.Duration(i)*time.Minute)
		many = append(many, loud.entry(doc))
	}
	near := quiet.entry(trusted("f", "f"))
	twin := far.entry(trusted("f", "other bytes"))
	apply(t, d, loud.update(many...), quiet.update(near), far.update(twin))
	g := open(t, d)
	var first []trust.Statement
	for range 2 {
		statements, lookup, err := g.Candidates(fileQuery("f", "f"), trust.DefaultPolicy())
		if err != nil || len(statements) != 92 || lookup.Opened != MaxOpened || lookup.Indexed != 28 {
			t.Fatalf("%d statements, %+v, %v", len(statements), lookup, err)
		}
		for i, s := range statements {
			if s.Indexed != (i >= MaxOpened) {
				t.Errorf("statement %d is indexed: %v", i, s.Indexed)
			}
		}
		if at := slices.IndexFunc(statements, func(s trust.Statement) bool { return s.ID == near.Record.ID() }); at > 1 {
			t.Errorf("the quiet log comes as number %d", at)
		}
		if statements[91].ID != twin.Record.ID() {
			t.Error("what is about other bytes comes before what is about these")
		}
		if first != nil && !slices.Equal(ids(first), ids(statements)) {
			t.Error("another order the second time")
		}
		first = statements
	}
}

// TestKeysFindEachOther: every form of subject is found by what names it, and by nothing else.
func TestKeysFindEachOther(t *testing.T) {
	t.Parallel()
	alice := newLog(t, "alice")
	signer := "ssh:" + testkit.NewKey("ned").Key().String()
	sha512 := testkit.Digest("x").SHA256 + testkit.Digest("y").SHA256
	commit, tree := "0123456789012345678901234567890123456789", "9876543210987654321098765432109876543210"
	good := func(s string) []trust.Signature {
		return []trust.Signature{{Signer: s, State: trust.SignatureGood}}
	}
	tests := map[string]struct {
		doc schema.Record
		hit trust.Query
	}{
		"sha256":  {trusted("a", "a"), trust.Query{Digest: testkit.Digest("a")}},
		"sha512":  {schema.Record{Kind: schema.KindTrust, Subjects: []schema.Subject{{Size: -1, Digest: schema.Digest{SHA256: testkit.Digest("b").SHA256, SHA512: sha512}}}}, trust.Query{Digest: schema.Digest{SHA512: sha512}}},
		"commit":  {testkit.Report(schema.Subject{Size: -1, Git: schema.GitID{Commit: commit}}), trust.Query{Git: schema.GitID{Commit: commit}}},
		"tree":    {testkit.Report(schema.Subject{Size: -1, Git: schema.GitID{Tree: tree}}), trust.Query{Git: schema.GitID{Tree: tree}}},
		"signer":  {testkit.Report(schema.Subject{Size: -1, Signer: signer}), trust.Query{Signatures: good(signer)}},
		"release": {testkit.Report(schema.Subject{Size: -1, Release: "pkg:npm/%40s/n@1.0"}), trust.Query{Project: "pkg:npm/%40s/n", Version: "1.0"}},
		"project": {testkit.Report(schema.Subject{Size: -1, Project: "pkg:npm/n"}), trust.Query{Project: "pkg:npm/n"}},
		"twin":    {trusted("twin", "c"), trust.Query{Name: "twin", Project: "pkg:npm/z", Digest: testkit.Digest("d")}},
	}
	d := testDir(t)
	want := map[string]string{}
	var all []Entry
	for name, test := range tests {
		test.doc.Reason = name
		e := alice.entry(test.doc)
		want[name] = e.Record.ID()
		all = append(all, e)
	}
	apply(t, d, alice.update(all...))
	for name, test := range tests {
		if have := ids(candidates(t, d, test.hit)); !slices.Equal(have, []string{want[name]}) {
			t.Errorf("%s: %v, want %s", name, have, want[name])
		}
	}
	for name, q := range map[string]trust.Query{
		"nothing":         {},
		"bad signature":   {Signatures: []trust.Signature{{Signer: signer, State: trust.SignatureBad}}},
		"another version": {Project: "pkg:npm/%40s/n", Version: "2.0"},
		"release unasked": {Project: "pkg:npm/%40s/n"},
		"tree as commit":  {Git: schema.GitID{Commit: tree}},
	} {
		if have := candidates(t, d, q); len(have) != 0 {
			t.Errorf("%s: %v", name, ids(have))
		}
	}
}

func TestPatternsFor(t *testing.T) {
	t.Parallel()
	for _, project := range []string{"pkg:pypi/requests", "pkg:npm/%40s/n", "pkg:golang/github.com/a/b/c", ""} {
		patterns := patternsFor(project)
		for _, p := range []string{"*", "pkg:pypi/*", "pkg:npm/*", "pkg:npm/%40s/*", "pkg:golang/github.com/*", "pkg:golang/github.com/a/b/*", "pkg:golang/github.com/a/b/c/*", project} {
			if p != "" && schema.MatchPattern(p, project) != slices.Contains(patterns, p) {
				t.Errorf("%q for %q: %v", p, project, patterns)
			}
		}
	}
}
