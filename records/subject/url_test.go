package subject_test

import (
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/distributed-trust/distrust/records/subject"
	"github.com/distributed-trust/distrust/schema"
)

const hashed = "https://files.pythonhosted.org/packages/34/64/8860370b167a9721e8956ae116825caff829224fbca0ca6e7bf8ddef8430/"

// TestFromURL is the table of the hosts that are known.
func TestFromURL(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ address, file, project, version string }{
		{hashed + "requests-2.33.0.tar.gz", "requests-2.33.0.tar.gz", "pkg:pypi/requests", "2.33.0"},
		{hashed + "zope_interface-7.1-1-cp313-cp313-win_amd64.whl", "zope_interface-7.1-1-cp313-cp313-win_amd64.whl", "pkg:pypi/zope-interface", "7.1"},
		{hashed + "python-dateutil-2.8.2.tar.gz", "python-dateutil-2.8.2.tar.gz", "pkg:pypi/python-dateutil", "2.8.2"},
		{hashed + "a-1!2.0rc1.post2.dev3+local.1.zip", "a-1!2.0rc1.post2.dev3+local.1.zip", "pkg:pypi/a", "1!2.0rc1.post2.dev3+local.1"},
		{"https://files.pythonhosted.org/packages/source/r/Requests/requests-2.33.0.tar.gz", "requests-2.33.0.tar.gz", "pkg:pypi/requests", "2.33.0"},
		{"https://files.pythonhosted.org/packages/source/e/evil/requests-2.33.0.tar.gz", "requests-2.33.0.tar.gz", "", ""},
		{hashed + "a-1.0-1.tar.gz", "a-1.0-1.tar.gz", "", ""},         // 1 of a-1.0, or the post-release 1.0-1 of a
		{hashed + "a-latest.tar.gz", "a-latest.tar.gz", "", ""},       // no version of PyPI's
		{hashed + "a-1.0.exe", "a-1.0.exe", "", ""},                   // an installer of old
		{hashed + "a-1.0-py3-none.whl", "a-1.0-py3-none.whl", "", ""}, // a part is missing
		{hashed + "requests-2.33.0.tar.gz#sha256=00", "requests-2.33.0.tar.gz", "pkg:pypi/requests", "2.33.0"},
		{hashed + "requests-2.33.0.tar.gz?x=y", "requests-2.33.0.tar.gz", "", ""},

		{"https://registry.npmjs.org/JSONStream/-/JSONStream-1.3.5.tgz", "JSONStream-1.3.5.tgz", "", ""},
		{"https://registry.npmjs.org/left-pad/-/left-pad-1.3.0.tgz", "left-pad-1.3.0.tgz", "pkg:npm/left-pad", "1.3.0"},
		{"https://registry.npmjs.org/@s/n/-/n-1.0.0-rc.1.tgz", "n-1.0.0-rc.1.tgz", "pkg:npm/%40s/n", "1.0.0-rc.1"},
		{"https://registry.npmjs.org/@s%2fn/-/n-1.0.0.tgz", "n-1.0.0.tgz", "pkg:npm/%40s/n", "1.0.0"},
		{"https://registry.npmjs.org/n-1/-/n-1-1.0.0.tgz", "n-1-1.0.0.tgz", "pkg:npm/n-1", "1.0.0"},
		{"https://registry.npmjs.org/n/-/m-1.0.0.tgz", "m-1.0.0.tgz", "", ""},
		{"https://registry.npmjs.org/s/n/-/n-1.0.0.tgz", "n-1.0.0.tgz", "", ""},
		{"https://registry.npmjs.org/@/n/-/n-1.0.0.tgz", "n-1.0.0.tgz", "", ""},

		{"https://static.crates.io/crates/serde_json/serde_json-1.0.0.crate", "serde_json-1.0.0.crate", "pkg:cargo/serde_json", "1.0.0"},
		{"https://static.crates.io/crates/serde/1.0.0/download", "serde-1.0.0.crate", "pkg:cargo/serde", "1.0.0"},
		{"https://crates.io/api/v1/crates/serde/1.0.0-a%2Bb/download", "serde-1.0.0-a+b.crate", "pkg:cargo/serde", "1.0.0-a+b"},
		{"https://crates.io/api/v1/crates/serde", "serde", "", ""},
		{"https://static.crates.io/crates/serde/serde_json-1.0.0.crate", "serde_json-1.0.0.crate", "", ""},

		{"https://proxy.golang.org/github.com/!burnt!sushi/toml/@v/v1.3.2.zip", "toml@v1.3.2.zip", "pkg:golang/github.com/BurntSushi/toml", "v1.3.2"},
		{"https://proxy.golang.org/git.sr.ht/~x/y/@v/v2.0.0+incompatible.zip", "y@v2.0.0+incompatible.zip", "pkg:golang/git.sr.ht/~x/y", "v2.0.0+incompatible"},
		{"https://proxy.golang.org/golang.org/x/mod/@v/v0.0.0-20260102030405-abcdef123456.zip", "mod@v0.0.0-20260102030405-abcdef123456.zip", "pkg:golang/golang.org/x/mod", "v0.0.0-20260102030405-abcdef123456"},
		{"https://proxy.golang.org/github.com/BurntSushi/toml/@v/v1.3.2.zip", "v1.3.2.zip", "", ""},
		{"https://proxy.golang.org/github.com/x!/toml/@v/v1.3.2.zip", "v1.3.2.zip", "", ""},
		{"https://proxy.golang.org/golang.org/x/mod/@v/main.zip", "main.zip", "", ""},
		{"https://proxy.golang.org/golang.org/x/mod/@v/v1.0.0.info", "v1.0.0.info", "", ""},

		{"https://github.com/Alice/Tool/releases/download/v1.2.3/tool_linux.tar.gz", "tool_linux.tar.gz", "pkg:github/alice/tool", "v1.2.3"},
		{"https://github.com/alice/tool/releases/download/rel%2F1/tool", "tool", "pkg:github/alice/tool", "rel%2F1"},
		{"https://github.com/alice/tool/releases/download/@s/n@1.0/tool", "tool", "", ""},
		{"https://github.com/alice/tool/releases/download/%40s%2Fn%401.0/tool", "tool", "pkg:github/alice/tool", "%40s%2Fn%401.0"},
		{"https://github.com/alice/tool/releases/download/50%25/tool", "tool", "pkg:github/alice/tool", "50%25"},
		{"https://github.com/alice/tool/releases/latest/download/tool", "tool", "pkg:github/alice/tool", ""},
		{"https://github.com/alice/tool/archive/refs/tags/v1.2.3.tar.gz", "tool-1.2.3.tar.gz", "pkg:github/alice/tool", "v1.2.3"},
		{"https://github.com/alice/tool/archive/refs/tags/rel/one.zip", "tool-rel-one.zip", "pkg:github/alice/tool", "rel%2Fone"},
		{"https://github.com/alice/tool/archive/refs/heads/main.zip", "main.zip", "", ""},
		{"https://github.com/alice/tool/archive/v1.2.3.tar.gz", "tool-1.2.3.tar.gz", "pkg:github/alice/tool", ""},
		{"https://github.com/alice/tool/archive/0123abcd.tar.gz", "0123abcd.tar.gz", "", ""}, // perhaps a fork's
		{"https://github.com/alice/tool/archive/pull%2F1%2Fhead.tar.gz", "", "", ""},         // anybody's
		{"https://github.com/alice/tool/archive/v1-1-gdeadbeef.tar.gz", "v1-1-gdeadbeef.tar.gz", "", ""},
		{"https://github.com/alice/tool/archive/mallory:main.tar.gz", "", "", ""},
		{"https://github.com/alice/tool/archive/refs/tags/v1-1-gdeadbeef.tar.gz", "v1-1-gdeadbeef.tar.gz", "", ""},
		{"https://github.com/alice/tool/archive/refs/tags/..%2Fpull%2F1%2Fhead.tar.gz", "", "", ""},
		{"https://github.com/alice/tool/archive/refs/tags/@s/n@1.0.zip", "tool-@s-n@1.0.zip", "pkg:github/alice/tool", "%40s%2Fn%401.0"},
		{"https://codeload.github.com/alice/tool/zip/refs/tags/v1~1", "v1~1", "", ""},
		{"https://codeload.github.com/alice/tool/tar.gz/refs/tags/v1.2.3", "tool-1.2.3.tar.gz", "pkg:github/alice/tool", "v1.2.3"},
		{"https://codeload.github.com/alice/tool/tar.gz/v1.2.3", "v1.2.3", "", ""},
		{"https://github.com/alice/to%20ol/releases/download/v1/tool", "tool", "", ""},
		{"https://github.com/a%40b/tool/releases/download/v1/tool", "tool", "", ""},
		{"https://github.com/alice/tool/blob/main/install.sh", "install.sh", "", ""},

		{"https://gitlab.com/Group/sub/repo/-/releases/v1/downloads/bin/tool", "tool", "pkg:gitlab/group/sub/repo", "v1"},
		{"https://gitlab.com/group/repo/-/archive/v1.0/repo-v1.0.tar.bz2", "repo-v1.0.tar.bz2", "pkg:gitlab/group/repo", ""},
		{"https://gitlab.com/group/repo/-/archive/0123abcd/repo-0123abcd.tar.gz", "repo-0123abcd.tar.gz", "", ""},
		{"https://gitlab.com/group/repo/-/archive/merge-requests%2F1%2Fhead/x.zip", "x.zip", "", ""},
		{"https://gitlab.com/group/repo/-/archive/v1.0-1-gdeadbeef/x.zip", "x.zip", "", ""},
		{"https://gitlab.com/repo/-/archive/v1.0/repo-v1.0.tar.gz", "repo-v1.0.tar.gz", "", ""},
		{"https://codeberg.org/Alice/tool/releases/download/v1/tool.sig", "tool.sig", "pkg:codeberg/alice/tool", "v1"},
		{"https://codeberg.org/alice/tool/archive/v1.tar.gz", "tool-1.tar.gz", "pkg:codeberg/alice/tool", ""},

		// Other hosts, and those that only look like one.
		{"https://github.com.example.org/alice/tool/releases/download/v1/tool", "tool", "", ""},
		{"https://github.com:444/alice/tool/releases/download/v1/tool", "tool", "", ""},
		{"https://GitHub.com/alice/tool/releases/download/v1/tool", "tool", "", ""},
		{"https://example.org/install.sh", "install.sh", "", ""},
	} {
		u, err := url.Parse(tt.address)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := subject.FromURL(u), (subject.Published{File: tt.file, Project: tt.project, Version: tt.version}); got != want {
			t.Errorf("%s:\n got %+v\nwant %+v", tt.address, got, want)
		}
	}
}

// TestURLNamesNoFile keeps names that mean something else somewhere from becoming a file's.
func TestURLNamesNoFile(t *testing.T) {
	t.Parallel()
	for _, path := range []string{
		"", "/", "/a/", "/a/..", "/a/.", "/a/%2e%2e", "/../x", "/a//b", "/.bashrc", "/%2ebashrc", "/-rf", "/~x", "/a%2Fb", "/a%5Cb", "/a%00b",
		"/a%0ab", "/a%1bb", "/%E2%80%AEgnp.exe", "/a:b", "/a%3fb", "/a*", "/con", "/NUL.txt", "/com1.tar.gz", "/a.", "/a%20", "/%20a", "/%ff",
		"/" + strings.Repeat("a", 201),
	} {
		u, err := url.Parse("https://example.org" + path)
		if err != nil {
			t.Fatal(err)
		}
		if got := subject.FromURL(u); got != (subject.Published{}) {
			t.Errorf("%q: %+v", path, got)
		}
	}
	u := &url.URL{Scheme: "https", Host: "example.org", Path: "/console.log"}
	if got := subject.FromURL(u); got.File != "console.log" {
		t.Errorf("%+v", got)
	}
}

// FuzzFromURL holds whatever is proposed to what a record may say and to one plain name.
func FuzzFromURL(f *testing.F) {
	for _, seed := range []string{
		hashed + "requests-2.33.0.tar.gz", hashed + "a_b-1.0-1-py3-none-any.whl",
		"https://registry.npmjs.org/@s%2fn/-/n-1.0.0.tgz", "https://crates.io/api/v1/crates/serde/1.0.0/download",
		"https://proxy.golang.org/github.com/!burnt!sushi/toml/@v/v1.3.2.zip", "https://github.com/a/b/releases/download/v%401/c",
		"https://github.com/a/b/archive/refs/tags/a/b.tar.gz", "https://gitlab.com/a/b/c/-/releases/v1/downloads/d/e",
		"https://codeload.github.com/a/b/zip/refs/tags/x", "https://codeberg.org/a/b/archive/%2e%2e.zip", "https://h/%2e",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, address string) {
		u, err := url.Parse(address)
		if err != nil {
			return
		}
		got := subject.FromURL(u)
		if got.File != "" && (filepath.Base(got.File) != got.File || strings.ContainsAny(got.File, "/\\:\x00") || strings.ContainsAny(got.File[:1], ".-")) {
			t.Errorf("%q: the file is called %q", address, got.File)
		}
		if got.Project == "" {
			if got.Version != "" {
				t.Errorf("%q: a version %q of nothing", address, got.Version)
			}
			return
		}
		project, version, err := schema.NormalizeProject(got.Project)
		if err != nil || project != got.Project || version != "" {
			t.Errorf("%q: %q becomes %q %q, %v", address, got.Project, project, version, err)
		}
		if got.Version == "" {
			return
		}
		if p, v, ok := schema.SplitRelease(got.Project + "@" + got.Version); !ok || p != got.Project || v != got.Version {
			t.Errorf("%q: %q %q is read as %q %q", address, got.Project, got.Version, p, v)
		}
	})
}
