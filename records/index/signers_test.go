package index

import (
	"slices"
	"testing"

	"github.com/distributed-trust/distrust/records/internal/testkit"
	"github.com/distributed-trust/distrust/schema"
)

// TestSigners: whoever may sign for a project, and whatever is said about these keys, and nobody else.
func TestSigners(t *testing.T) {
	t.Parallel()
	alice, bob := newLog(t, "alice"), newLog(t, "bob")
	key := func(name string) string { return "ssh:" + testkit.NewKey(name).Key().String() }
	signs := func(name, pattern string) schema.Record {
		return testkit.Trust(schema.Subject{Size: -1, Signer: key(name), Pattern: []string{pattern}})
	}
	exact := alice.entry(signs("exact", "pkg:pypi/one"))
	prefix := alice.entry(signs("prefix", "pkg:pypi/*"))
	all := bob.entry(signs("all", "*"))
	other := bob.entry(signs("other", "pkg:pypi/on"))
	stolen := bob.entry(testkit.Report(schema.Subject{Size: -1, Signer: key("exact")}))
	elsewhere := bob.entry(testkit.Report(schema.Subject{Size: -1, Signer: key("other")}))
	d := testDir(t)
	apply(t, d, alice.update(exact, prefix, alice.entry(trusted("f", "f"))), bob.update(all, other, stolen, elsewhere))
	g := open(t, d)
	for project, want := range map[string][]Entry{
		"pkg:pypi/one": {exact, prefix, all, stolen},
		"pkg:pypi/on":  {prefix, all, other, elsewhere},
		"pkg:npm/one":  {all},
		"":             {all},
	} {
		statements, err := g.Signers(project)
		if err != nil {
			t.Fatal(err)
		}
		var expected []string
		for _, e := range want {
			expected = append(expected, e.Record.ID())
		}
		got := ids(statements)
		slices.Sort(got)
		slices.Sort(expected)
		if !slices.Equal(got, expected) {
			t.Errorf("%q: %d statements, want %d", project, len(got), len(expected))
		}
	}
}
