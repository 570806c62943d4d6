package config

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// edited is what EditSources makes of a sources.yml.
func edited(t *testing.T, before string, edit func([]Source) []Source) string {
	t.Helper()
	d := Dirs{Config: t.TempDir()}
	if before != "" {
		if err := os.WriteFile(d.SourcesFile(), []byte(before), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	err := EditSources(d, func(s []Source) ([]Source, error) { return edit(s), nil })
	if err != nil {
		t.Fatal(err)
	}
	after, err := os.ReadFile(d.SourcesFile())
	if err != nil {
		t.Fatal(err)
	}
	return string(after)
}

func add(s Source) func([]Source) []Source {
	return func(list []Source) []Source { return append(list, s) }
}

var carol = Source{Name: "carol", URL: "https://c.example/t.git", Weight: WeightThird, ViaMax: DefaultViaMax}

const carolText = `- name: "carol"
    url: "https://c.example/t.git"
    weight: 34
`

// layout is a file as a person keeps it.
const layout = `# The people I follow.
# Ask before you copy this.

sources:
    # from work
    - name: alice        # Alice Example
      url: 'https://a.example/t.git'   # moved in May
      weight: half

    # reads everything twice
    - name: bob
      url: https://b.example/t.git
      scopes:
        - "pkg:pypi/*"   # python
        - "pkg:npm/*"

    - name: dave
      url: https://d.example/t.git

# the end
`

func TestEditSources(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		before string
		edit   func([]Source) []Source
		want   string
	}{
		{"new file", "", add(carol), "sources:\n  " + carolText},
		{"comments only", "# nobody yet\n", add(carol), "# nobody yet\nsources:\n  " + carolText},
		{"no final line end", "# nobody yet", add(carol), "# nobody yet\nsources:\n  " + carolText},
		{"empty list", "# mine\nsources: # none\n", add(carol), "# mine\nsources: # none\n  " + carolText},
		{"add", layout, add(carol), strings.Replace(layout, "\n# the end", `
    - name: "carol"
      url: "https://c.example/t.git"
      weight: 34

# the end`, 1)},
		{
			"change a field", layout,
			func(s []Source) []Source { s[0].Weight = WeightFull; return s },
			strings.Replace(layout, "weight: half", "weight: 100", 1),
		},
		{
			"change a field with a comment", layout,
			func(s []Source) []Source { s[0].URL = "https://new.example/t.git"; return s },
			strings.Replace(layout, "'https://a.example/t.git'   # moved", `"https://new.example/t.git" # moved`, 1),
		},
		{
			"new field", layout,
			func(s []Source) []Source { s[0].Log = logA; return s },
			strings.Replace(layout, "weight: half\n", "weight: half\n      log: \""+logA+"\"\n", 1),
		},
		{
			"remove a field of many lines", layout,
			func(s []Source) []Source { s[1].Scopes = nil; return s },
			strings.Replace(layout, "      scopes:\n        - \"pkg:pypi/*\"   # python\n        - \"pkg:npm/*\"\n", "", 1),
		},
		{
			"new field at the end", layout,
			func(s []Source) []Source { s[2].Insecure = true; return s },
			strings.Replace(layout, "d.example/t.git\n", "d.example/t.git\n      insecure: true\n", 1),
		},
		{
			"remove an entry with its comment", layout,
			func(s []Source) []Source { return slices.Delete(s, 1, 2) },
			strings.Replace(layout, layout[strings.Index(layout, "\n    # reads"):strings.Index(layout, "\n    - name: dave")], "", 1),
		},
		{
			"all at once", layout,
			func(s []Source) []Source { s[2].Depth = 1; return append(slices.Delete(s, 0, 1), carol) },
			"",
		},
		{"nothing", layout, func(s []Source) []Source { return s }, layout},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := edited(t, tt.before, tt.edit)
			if tt.want != "" && got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

// TestEditKeepsComments holds for layouts that only an edit of nodes can change.
func TestEditKeepsComments(t *testing.T) {
	t.Parallel()
	for _, before := range []string{
		"# top\nsources: [{name: alice, url: u}] # side\n",
		"# top\nsources:\n- {name: alice, url: u} # side\n",
		"# top\nsources: [] # side\n",
		"# top\n{sources: [{name: alice, url: u}]} # side\n",
		"# top\nsources:\n- name: alice # side\n  url: u\n  scopes: [\n    \"*\",\n  ]\n",
	} {
		got := edited(t, before, func(s []Source) []Source {
			if len(s) > 0 {
				s[0].Weight, s[0].Scopes = WeightMute, nil
			}
			return append(s, carol)
		})
		sources, err := ParseSources("", []byte(got))
		if err != nil || sources[len(sources)-1].Name != "carol" {
			t.Errorf("%q became\n%s\n%v", before, got, err)
		}
		for _, comment := range []string{"# top", "# side"} {
			if !strings.Contains(got, comment) {
				t.Errorf("%q lost %q:\n%s", before, comment, got)
			}
		}
	}
}

func TestEditRefuses(t *testing.T) {
	t.Parallel()
	d := Dirs{Config: t.TempDir()}
	if err := os.WriteFile(d.SourcesFile(), []byte("sources: {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := EditSources(d, func(s []Source) ([]Source, error) { return append(s, carol), nil })
	if err == nil {
		t.Error("a broken file was edited")
	}
	wrong := carol
	wrong.Name = "not a name"
	d = Dirs{Config: t.TempDir()}
	err = EditSources(d, func(s []Source) ([]Source, error) { return append(s, wrong), nil })
	var file *FileError
	if !errors.As(err, &file) {
		t.Errorf("an entry that cannot be read back was written: %v", err)
	}
	if _, err := os.Stat(d.SourcesFile()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file was left behind: %v", err)
	}
}

func TestEditConfig(t *testing.T) {
	t.Parallel()
	for before, want := range map[string]string{
		"":                                 "publish: auto\n",
		"# mine\n":                         "# mine\npublish: auto\n",
		"publish: never # not now":         "publish: auto # not now\n",
		"# a\njournal: false\n# b\n":       "# a\njournal: false\npublish: auto\n# b\n",
		"policy:\n  trust: 120 # strict\n": "policy:\n  trust: 120 # strict\npublish: auto\n",
	} {
		d := Dirs{Config: t.TempDir()}
		if before != "" {
			if err := os.WriteFile(d.ConfigFile(), []byte(before), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := EditConfig(d, func(c *Config) { c.Publish = PublishAuto }); err != nil {
			t.Errorf("%q: %v", before, err)
			continue
		}
		got, err := os.ReadFile(d.ConfigFile())
		if err != nil || string(got) != want {
			t.Errorf("%q became %q, %v; want %q", before, got, err, want)
		}
	}
}

// TestWriteThroughLink keeps settings that are links into somebody's dotfiles as links (C7).
func TestWriteThroughLink(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		return // links need a privilege there
	}
	for _, exists := range []bool{true, false} {
		root := t.TempDir()
		d := Dirs{Config: filepath.Join(root, "config")}
		dotfiles := filepath.Join(root, "dotfiles")
		for _, dir := range []string{d.Config, dotfiles} {
			if err := os.Mkdir(dir, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		target := filepath.Join(dotfiles, "sources.yml")
		if exists {
			if err := os.WriteFile(target, nil, 0o640); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Symlink("../dotfiles/sources.yml", d.SourcesFile()); err != nil {
			t.Fatal(err)
		}
		if err := EditSources(d, func([]Source) ([]Source, error) { return []Source{carol}, nil }); err != nil {
			t.Fatal(err)
		}
		if link, err := os.Readlink(d.SourcesFile()); err != nil || link != "../dotfiles/sources.yml" {
			t.Errorf("the link is gone: %q, %v", link, err)
		}
		info, err := os.Stat(target)
		if err != nil || info.Size() == 0 {
			t.Fatalf("the target was not written: %v", err)
		}
		if want := map[bool]os.FileMode{true: 0o640, false: 0o600}[exists]; info.Mode().Perm() != want {
			t.Errorf("mode %o, want %o", info.Mode().Perm(), want)
		}
		for _, dir := range []string{d.Config, dotfiles} {
			if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
				t.Errorf("%s holds %v, %v: something was left behind", dir, entries, err)
			}
		}
	}
}

func TestLinkLoop(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		return
	}
	d := Dirs{Config: t.TempDir()}
	if err := os.Symlink("sources.yml", d.SourcesFile()); err != nil {
		t.Fatal(err)
	}
	if err := EditSources(d, func([]Source) ([]Source, error) { return []Source{carol}, nil }); err == nil {
		t.Error("a link to itself was written")
	}
}
