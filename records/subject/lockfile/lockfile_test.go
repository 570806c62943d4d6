package lockfile_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/distributed-trust/distrust/records/subject/lockfile"
	"github.com/distributed-trust/distrust/schema"
)

var update = flag.Bool("update", false, "write anew what the lock files in testdata come to")

// show is what a lock file comes to, one line a thing.
func show(f *lockfile.File) string {
	var out strings.Builder
	for _, a := range f.Artifacts {
		digest := "sha256:" + a.Digest.SHA256
		if a.Digest.SHA512 != "" {
			digest = "sha512:" + a.Digest.SHA512
		}
		fmt.Fprintf(&out, "%d  %s  %q  %q  %s\n", a.Line, a.Project, a.Version, a.Name, digest)
	}
	for _, s := range f.Skipped {
		fmt.Fprintf(&out, "%d  %q is %s\n", s.Line, s.What, s.Reason)
	}
	return out.String()
}

// TestRead reads what the programs write, shortened: one of each kind of dependency.
func TestRead(t *testing.T) {
	t.Parallel()
	files := []string{
		"npm/package-lock.json", "yarn/yarn.lock", "cargo/Cargo.lock", "pip/requirements.txt", "poetry/poetry.lock", "uv/uv.lock", "bundler/Gemfile.lock",
	}
	for _, file := range files {
		path := filepath.Join("testdata", filepath.FromSlash(file))
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		// Windows' line ends make no difference.
		for _, text := range [][]byte{b, bytes.ReplaceAll(b, []byte("\n"), []byte("\r\n"))} {
			got, err := lockfile.Read(bytes.NewReader(text), path)
			if err != nil {
				t.Errorf("%s: %v", path, err)
				continue
			}
			want := path + ".want"
			if *update {
				if err := os.WriteFile(want, []byte(show(got)), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if expected, err := os.ReadFile(want); err != nil || show(got) != string(expected) {
				t.Errorf("%s: %v, got\n%s", path, err, show(got))
			}
		}
	}
}

// hex64 and integrity are digests of nothing in particular.
var (
	hex64     = strings.Repeat("0a", 32)
	integrity = "sha512-" + strings.Repeat("A", 86) + "=="
)

func npm(packages string) string {
	return `{"lockfileVersion": 3, "packages": {` + packages + `}}`
}

func crate(fields string) string {
	return "version = 4\n[[package]]\nname = \"a\"\nversion = \"1\"\nsource = \"registry+x\"\n" + fields
}

func poetry(fields string) string {
	return "[[package]]\nname = \"a\"\nversion = \"1\"\n" + fields + "\n[metadata]\nlock-version = \"2.0\"\n"
}

// TestHostileLockFiles refuses what is malformed, what two readers could read in two ways, and what goes beyond a bound.
func TestHostileLockFiles(t *testing.T) {
	t.Parallel()
	const no = "a line that yarn 1 does not write"
	cases := []struct{ file, text, says string }{
		{"package-lock.json", "", "line 1: unexpected end"},
		{"package-lock.json", "{\n\n{}", "line 3: invalid character"},
		{"package-lock.json", "[]", "line 1: an object is expected"},
		{"package-lock.json", "{}\xff", "not UTF-8"},
		{"package-lock.json", strings.Repeat(`{"a":`, 20000) + "1" + strings.Repeat("}", 20000), "exceeded max depth"},
		{"package-lock.json", `{"lockfileVersion": 3}`, `"packages" is missing`},
		{"package-lock.json", `{"lockfileVersion": 3, "packages": []}`, "an object is expected"},
		{"package-lock.json", `{"lockfileVersion": 3, "packages": {}, "packages": {}}`, "is there twice"},
		{"package-lock.json", npm(`"node_modules/a": {"version": "1", "\u0069ntegrity": "` + integrity + `",` + "\n" + `"integrity": "x"}`), `line 2: the key "integrity" is there twice`},
		{"package-lock.json", npm(`"node_modules/a": {}, "node_modules/a": {}`), "is there twice"},
		{"package-lock.json", npm(`"node_modules/a": {"version": 1}`), "a string is expected"},
		{"package-lock.json", npm(`"node_modules/a": {"link": "yes"}`), "true or false is expected"},
		{"package-lock.json", npm(`"node_modules/a": {"integrity": "` + integrity + `"}`), "a digest, and no version"},
		{"package-lock.json", npm(`"node_modules/a": {"version": "1", "integrity": "sha512-AAAA"}`), "not an integrity of sha512"},
		{"package-lock.json", npm(`"node_modules/a": {"version": "1", "integrity": "sha512"}`), "not ALGORITHM-BASE64"},
		{"package-lock.json", npm(`"node_modules/../a": {"version": "1", "integrity": "` + integrity + `"}`), "no segment"},
		{"package-lock.json", npm(`"node_modules/a\u202eb": {"version": "1", "integrity": "` + integrity + `"}`), "U+202E"},
		{"package-lock.json", npm(`"node_modules/` + strings.Repeat("a", 5000) + `": {"version": "1", "integrity": "` + integrity + `"}`), "more than 4096 bytes"},
		{"yarn.lock", "a@1", no},
		{"yarn.lock", "a@1, :", no},
		{"yarn.lock", "  version \"1\"", no},
		{"yarn.lock", "a@1:\n  version \"1\n", "line 2: " + no},
		{"yarn.lock", "a@1:\n    b \"1\"\n", "line 2: " + no},
		{"yarn.lock", "a@1:\n  version \"1\"\n  version \"2\"\n", "line 3: the key \"version\" is there twice"},
		{"yarn.lock", "a:\n  version \"1\"\n", `line 1: "a" is not NAME@VERSION`},
		{"yarn.lock", "<<<<<<< HEAD\n", no},
		{"Cargo.lock", crate("checksum = \"" + hex64), "line 6"},
		{"Cargo.lock", crate("checksum = \"00\""), "line 2: not a digest of sha256"},
		{"Cargo.lock", crate("checksum = \"" + hex64 + "\"\nchecksum = \"" + hex64 + "\""), `line 7: "checksum" is there twice`},
		{"Cargo.lock", "version = 4\nversion = 3", `line 2: "version" is there twice`},
		{"Cargo.lock", "version = 4\n[[package]]\nname = \"a\"", "line 2: a package without name or version"},
		{"Cargo.lock", "package = [{name = \"a\"}]", "in a form that no program writes"},
		{"Cargo.lock", "package.name = \"a\"", "in a form that no program writes"},
		{"Cargo.lock", "[package]\nname = \"a\"", "in a form that no program writes"},
		{"Cargo.lock", "[package.x]\nname = \"a\"", "in a form that no program writes"},
		{"Cargo.lock", "a = " + strings.Repeat("[", 60<<10), "nested more than"},
		{"Cargo.lock", "a = " + strings.Repeat("[\n", 1<<20), "nested more than"},
		{"Cargo.lock", "\n" + strings.Repeat("a.", 1<<20) + "a = 1", "line 2: a line of more than 64 KiB"},
		{"Cargo.lock", strings.Repeat("#", lockfile.MaxTOML+1), "more than 8 MiB"},
		{"poetry.lock", poetry("files = [\"a\"]"), "line 4: a table is expected"},
		{"poetry.lock", poetry("files = [{file = \"a\", hash = \"x\"}]"), "not ALGORITHM:HEX"},
		{"poetry.lock", poetry("files = [\n{file = \"a\", hash = \"sha256:00\"}]"), "line 5: not a digest"},
		{"poetry.lock", poetry("files = [{hash = \"sha256:" + hex64 + "\", hash = \"sha256:" + hex64 + "\"}]"), "twice"},
		{"poetry.lock", poetry("files = []\nfiles = []"), "is there twice"},
		{"poetry.lock", poetry("[[package.files]]\nfile = \"a\""), "in a form that no program writes"},
		{"poetry.lock", poetry("source.type = \"legacy\"\n[package.source]\ntype = \"git\""), "is there twice"},
		{"requirements.txt", "a==1 --hash=sha256:00", "line 1: not a digest of sha256"},
		{"requirements.txt", "\n\na==1 \\\n --hash=x", "line 3: a hash that is not"},
		{"requirements.txt", "a>=1 --hash=sha256:" + hex64, "no version after =="},
		{"requirements.txt", "a==1.* --hash=sha256:" + hex64, "no version after =="},
		{"requirements.txt", "a==1,==2 --hash=sha256:" + hex64, "no version after =="},
		{"requirements.txt", "!", "not a requirement"},
		{"Gemfile.lock", "CHECKSUMS\n  a (1) sha256=00", "line 2: not a digest"},
		{"Gemfile.lock", "CHECKSUMS\n  a sha256=" + hex64, "line 2: not a checksum of a gem"},
		{"Gemfile.lock", "CHECKSUMS\n  a (1) x", "not ALGORITHM=HEX"},
		{"Gemfile.lock", "GEM\n  specs:\n    a 1\n", "line 3: not a gem"},
		{"Gemfile.lock", "GEM\n<<<<<<< HEAD\n", "a merge that was not finished"},
	}
	for _, c := range cases {
		got, err := lockfile.Read(strings.NewReader(c.text), c.file)
		var bad *lockfile.Error
		if !errors.As(err, &bad) || !strings.Contains(err.Error(), c.says) || got != nil {
			t.Errorf("%s: %.80q: %v, want %s", c.file, c.text, err, c.says)
			continue
		}
		if bad.File != c.file || schema.ValidText(err.Error()) != nil {
			t.Errorf("%s: %q", c.file, err)
		}
	}
}

// TestHostileSizes refuses files and numbers of entries beyond the bounds.
func TestHostileSizes(t *testing.T) {
	t.Parallel()
	for says, text := range map[string]string{
		"more than 64 MiB":          strings.Repeat("#", lockfile.MaxBytes+1),
		"more than 1000000 entries": strings.Repeat("a\n", lockfile.MaxEntries+1),
	} {
		var bad *lockfile.Error
		if got, err := lockfile.Read(strings.NewReader(text), "requirements.txt"); !errors.As(err, &bad) || bad.Reason != says || got != nil {
			t.Errorf("%s: %v", says, err)
		}
	}
}

func TestUnsupported(t *testing.T) {
	t.Parallel()
	for file, text := range map[string]string{
		"package-lock.json": `{"lockfileVersion": 1, "dependencies": {}}`,
		"yarn.lock":         "__metadata:\n  version: 8\n",
		"Cargo.lock":        "[metadata]\n\"checksum a 1 (x)\" = \"" + hex64 + "\"\n",
		"poetry.lock":       "[metadata]\nlock-version = \"1.1\"\n",
		"uv.lock":           "version = 2\n",
		"go.sum":            "", "pnpm-lock.yaml": "", "flake.lock": "", "composer.lock": "", "notes.md": "",
	} {
		if _, err := lockfile.Read(strings.NewReader(text), "dir/"+file); !errors.Is(err, lockfile.ErrUnsupported) || !strings.Contains(err.Error(), file+": ") {
			t.Errorf("%s: %v", file, err)
		}
		if known := lockfile.Known("dir/" + file); known != (file != "notes.md") {
			t.Errorf("%s: known %v", file, known)
		}
	}
	for _, file := range []string{"requirements.txt", "requirements-dev.txt", "dev-requirements.txt", "npm-shrinkwrap.json", "gems.locked"} {
		if !lockfile.Known(file) {
			t.Errorf("%s is not known", file)
		}
	}
	if _, err := lockfile.Read(iotest.ErrReader(os.ErrPermission), "uv.lock"); !errors.Is(err, os.ErrPermission) {
		t.Errorf("what cannot be read: %v", err)
	}
}

// TestWeakBesideStrong keeps what npm never compares from being believed: the digest of a file that is known to be good
// beside the one of what is installed.
func TestWeakBesideStrong(t *testing.T) {
	t.Parallel()
	good := "sha256-" + strings.Repeat("A", 43) + "="
	for value, want := range map[string]int{good + " " + integrity: 1, integrity + " " + good: 1, good: 1, good + " sha384-AAAA": 0, integrity + " " + integrity + "?x": 1} {
		got, err := lockfile.Read(strings.NewReader(npm(`"node_modules/a": {"version": "1", "integrity": "`+value+`"}`)), "package-lock.json")
		if err != nil || len(got.Artifacts) != want {
			t.Errorf("%s: %v %v", value, got, err)
			continue
		}
		if want == 1 && (got.Artifacts[0].Digest.SHA256 == "") != strings.Contains(value, "sha512") {
			t.Errorf("%s: %+v", value, got.Artifacts[0])
		}
	}
}
