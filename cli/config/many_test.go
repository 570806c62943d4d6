package config

import (
	"fmt"
	"os"
	"slices"
	"testing"
)

// TestManySources: as many as can be reached are entries of sources.yml at once, and edited there.
func TestManySources(t *testing.T) {
	t.Parallel()
	d := Dirs{Config: t.TempDir()}
	if err := os.Chmod(d.Config, 0o700); err != nil {
		t.Fatal(err)
	}
	var many []Source
	for i := range 5000 {
		many = append(many, Source{
			Name: fmt.Sprintf("somebody-%d", i), Log: fmt.Sprintf("a%031x", i), URL: fmt.Sprintf("https://git.example.org/people/somebody-%d/trust.git", i),
			Fingerprint: "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", Weight: WeightHalf, Depth: 1, ViaMax: DefaultViaMax,
		})
	}
	for range 2 {
		if err := EditSources(d, func([]Source) ([]Source, error) { return many, nil }); err != nil {
			t.Fatal(err)
		}
		got, err := LoadSources(d.SourcesFile())
		if err != nil || !slices.EqualFunc(got, many, sameSource) {
			t.Fatalf("%d sources, %v", len(got), err)
		}
		many = slices.Clone(many)
		many[4999].Weight = WeightFull
	}
}
