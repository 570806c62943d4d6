package trust

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

var vectorsDir = flag.String("vectors", "", "run every decision*.yaml and network*.yaml of this folder instead of testdata")

// TestVectors runs every scenario of decision*.yaml and every network of network*.yaml (D8):
//
//	go test ./records/trust -run TestVectors -args -vectors DIR
//
// A relative DIR is looked for from here and from every folder above, up to the module's root.
func TestVectors(t *testing.T) {
	dir := "testdata"
	if *vectorsDir != "" {
		dir = *vectorsDir
	}
	v, err := findVectors(dir)
	if err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, file := range v.decisions {
		t.Run(filepath.Base(file), func(t *testing.T) { ran += runDecisions(t, file) })
	}
	for _, file := range v.networks {
		t.Run(filepath.Base(file), func(t *testing.T) { ran += runNetworks(t, file) })
	}
	if ran == 0 {
		t.Fatalf("the vectors in %s are empty", dir)
	}
}

// vectorFiles are the files of vectors in one folder.
type vectorFiles struct{ decisions, networks []string }

// findVectors finds a folder that holds vectors.
func findVectors(name string) (vectorFiles, error) {
	for up := "."; ; up = filepath.Join(up, "..") {
		dir := name
		if !filepath.IsAbs(name) {
			dir = filepath.Join(up, name)
		}
		decisions, err := filepath.Glob(filepath.Join(dir, "decision*.yaml"))
		if err != nil {
			return vectorFiles{}, err
		}
		networks, err := filepath.Glob(filepath.Join(dir, "network*.yaml"))
		if err != nil {
			return vectorFiles{}, err
		}
		if len(decisions)+len(networks) > 0 {
			return vectorFiles{decisions, networks}, nil
		}
		if _, err := os.Stat(filepath.Join(up, "go.mod")); err == nil || filepath.IsAbs(name) {
			return vectorFiles{}, fmt.Errorf("no decision*.yaml and no network*.yaml in %s", name)
		}
	}
}

// load reads a file of vectors. A field that is not known is an error: a condition that is passed
// over would make a vector say something else.
func load(t *testing.T, file string, into any) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(b))
	decoder.KnownFields(true)
	if err := decoder.Decode(into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

func runDecisions(t *testing.T, file string) int {
	var vectors struct {
		Format    int        `yaml:"format"`
		Scenarios []scenario `yaml:"scenarios"`
	}
	load(t, file, &vectors)
	if vectors.Format != 1 {
		t.Fatalf("format %d is not known", vectors.Format)
	}
	for _, s := range vectors.Scenarios {
		t.Run(fmt.Sprint(s.ID), func(t *testing.T) {
			if err := s.check(); err != nil {
				t.Errorf("%s: %v", s.Name, err)
			}
		})
	}
	return len(vectors.Scenarios)
}

// TestVectorsCanFail breaks what scenarios want, and looks where there are no vectors.
func TestVectorsCanFail(t *testing.T) {
	t.Parallel()
	if _, err := findVectors(t.TempDir()); err == nil {
		t.Error("a folder without vectors is accepted")
	}
	if _, err := findVectors("no such folder"); err == nil {
		t.Error("a folder that does not exist is accepted")
	}
	if v, err := findVectors("records/trust/testdata"); err != nil || len(v.decisions) != 2 || len(v.networks) != 1 {
		t.Errorf("from the module's root: %v, %v", v, err)
	}
	other := 7
	for name, spoil := range map[string]func(w *wantVector){
		"for":      func(w *wantVector) { w.For++ },
		"against":  func(w *wantVector) { w.Against = 1 },
		"verdict":  func(w *wantVector) { w.Verdict = "UNKNOWN" },
		"by":       func(w *wantVector) { w.By = "own" },
		"unseen":   func(w *wantVector) { w.Unseen = &other },
		"other":    func(w *wantVector) { w.Other = &other },
		"voices":   func(w *wantVector) { w.Voices = []string{"r1 99"} },
		"findings": func(w *wantVector) { w.Findings = []string{"unsigned r1 0 false"} },
		"stale":    func(w *wantVector) { w.Stale = []string{"alice"} },
		"enough":   func(w *wantVector) { w.Enough = []string{"follow alice"} },
	} {
		s := scenario{
			Project: testProject, Now: 1000, Follows: map[string]*followVector{"alice": {Weight: 100}},
			Records: []recordVector{{ID: "r1", By: "alice", Kind: "trust", Level: "file"}},
			Want:    wantVector{For: 100, Verdict: "TRUSTED"},
		}
		if err := s.check(); err != nil {
			t.Fatal(err)
		}
		spoil(&s.Want)
		if err := s.check(); err == nil || !strings.Contains(err.Error(), strings.ReplaceAll(name, "by", "decided by")) {
			t.Errorf("a wrong %s is not found: %v", name, err)
		}
	}
}
