package schema

import (
	"strings"
	"testing"
)

func TestMatchPattern(t *testing.T) {
	t.Parallel()
	tests := []struct {
		pattern, project string
		want             bool
	}{
		{"*", "pkg:pypi/requests", true},
		{"*", "", true},
		{"pkg:pypi/requests", "pkg:pypi/requests", true},
		{"pkg:pypi/requests", "pkg:pypi/Requests", false},
		{"pkg:pypi/requests", "pkg:pypi/requests2", false},
		{"pkg:pypi/requests", "pkg:pypi/requests/x", false},
		{"pkg:pypi/requests", "", false},
		{"pkg:pypi/*", "pkg:pypi/requests", true},
		{"pkg:pypi/*", "pkg:pypi2/requests", false},
		{"pkg:github/alice/*", "pkg:github/alice/tool", true},
		{"pkg:github/alice/*", "pkg:github/alice/tool/sub", true},
		{"pkg:github/alice/*", "pkg:github/alice", false},
		{"pkg:github/alice/*", "pkg:github/alice2/tool", false},
		{"pkg:github/alice/*", "pkg:github/Alice/tool", false},
		{"pkg:github/alice/*", "", false},
		{"pkg:npm/%40s/*", "pkg:npm/%40s/n", true},
		{"pkg:npm/%40s/*", "pkg:npm/@s/n", false},
		{"pkg:pypi/req*", "pkg:pypi/requests", false}, // no pattern at all
		{"", "", false},
	}
	for _, test := range tests {
		if got := MatchPattern(test.pattern, test.project); got != test.want {
			t.Errorf("MatchPattern(%q, %q) = %v", test.pattern, test.project, got)
		}
	}
	if !MatchAny(nil, "pkg:a/b") || !MatchAny(nil, "") || !MatchAny([]string{"pkg:x/y", "pkg:a/*"}, "pkg:a/b") || MatchAny([]string{"pkg:x/y"}, "pkg:a/b") {
		t.Error("MatchAny is not: any of them, or no bound at all")
	}
}

func TestSplitRelease(t *testing.T) {
	t.Parallel()
	project, version, ok := SplitRelease("pkg:npm/%40s/n@1.0.0-rc.1+b")
	if project != "pkg:npm/%40s/n" || version != "1.0.0-rc.1+b" || !ok {
		t.Errorf("got %q %q %v", project, version, ok)
	}
	for _, bad := range []string{"", "@", "pkg:a/b", "pkg:a/b@", "pkg:a@1", "pkg:a/b@1 2", "pkg:a/b@1@2", "a/b@1", "pkg:a/b@1?x=y"} {
		if _, _, ok := SplitRelease(bad); ok {
			t.Errorf("%q is taken for a release", bad)
		}
	}
}

func TestNormalizeProject(t *testing.T) {
	t.Parallel()
	tests := []struct{ typed, project, version string }{
		{"jq", "pkg:generic/jq", ""},
		{"jq@1.8", "pkg:generic/jq", "1.8"},
		{"JQ", "pkg:generic/JQ", ""},
		{"pypi:requests", "pkg:pypi/requests", ""},
		{"pypi:Zope.Interface", "pkg:pypi/zope-interface", ""},
		{"pypi:a-_.b@2.33.0", "pkg:pypi/a-b", "2.33.0"},
		{"pypi:a@1!2.0+local", "pkg:pypi/a", "1!2.0+local"},
		{"pkg:pypi/Requests@2.33.0", "pkg:pypi/requests", "2.33.0"},
		{"PKG:PyPI/requests", "pkg:pypi/requests", ""},
		{"npm:@Scope/Name", "pkg:npm/%40scope/name", ""},
		{"npm:@scope/name@1.0.0", "pkg:npm/%40scope/name", "1.0.0"},
		{"npm:left-pad@2.0.0", "pkg:npm/left-pad", "2.0.0"},
		{"pkg:npm/%40scope/name@1.0.0", "pkg:npm/%40scope/name", "1.0.0"},
		{"pkg:npm/@scope/name", "pkg:npm/%40scope/name", ""},
		{"github:Owner/Repo", "pkg:github/owner/repo", ""},
		{"github:o/r@v1.2/rc", "pkg:github/o/r", "v1.2%2Frc"},
		{"gitlab:Group/Sub/Repo", "pkg:gitlab/group/sub/repo", ""},
		{"codeberg:Owner/Repo", "pkg:codeberg/owner/repo", ""},
		{"golang:github.com/BurntSushi/toml@v1.3.2", "pkg:golang/github.com/BurntSushi/toml", "v1.3.2"},
		{"golang:example.org/m@v0.0.0-20260102030405-abcdef123456+incompatible", "pkg:golang/example.org/m", "v0.0.0-20260102030405-abcdef123456+incompatible"},
		{"cargo:Serde_JSON@1.0", "pkg:cargo/Serde_JSON", "1.0"},
		{"gem:Rails", "pkg:gem/Rails", ""},
		{"maven:org.Apache/Commons@1", "pkg:maven/org.Apache/Commons", "1"},
		{"deb:Debian/Curl@1:7.50~rc1-1", "pkg:deb/debian/curl", "1:7.50~rc1-1"},
		{"rpm:Fedora/NetworkManager", "pkg:rpm/fedora/NetworkManager", ""},
		{"oci:Example/Image@sha256:abc", "pkg:oci/Example/image", "sha256:abc"},
		{"generic:a b", "pkg:generic/a%20b", ""},
		{"generic:ä", "pkg:generic/%C3%A4", ""},
		{"generic:%c3%a4%41", "pkg:generic/%C3%A4A", ""},
		{"generic:a%2Fb", "pkg:generic/a%2Fb", ""},
		{"@x", "pkg:generic/%40x", ""},
		{"codeberg:Owner/Repo@v1", "pkg:codeberg/owner/repo", "v1"},
		{"bitbucket:Owner/Repo", "pkg:bitbucket/owner/repo", ""},
		{"composer:Symfony/Console", "pkg:composer/symfony/console", ""},
		{"gem:rails@7.1", "pkg:gem/rails", "7.1"},
		{"npm:~tilde", "pkg:npm/~tilde", ""},
		{"npm:%40s/n", "pkg:npm/%40s/n", ""},
		{"pkg://pypi/requests", "pkg:pypi/requests", ""},
		// What people copy from their browser, from git remote -v, and from pip.
		{"https://github.com/Owner/Repo", "pkg:github/owner/repo", ""},
		{"https://github.com/owner/repo/", "pkg:github/owner/repo", ""},
		{"HTTPS://www.GitHub.com/owner/repo.git", "pkg:github/owner/repo", ""},
		{"http://github.com/owner/repo", "pkg:github/owner/repo", ""},
		{"git@github.com:Owner/repo.git", "pkg:github/owner/repo", ""},
		{"ssh://git@codeberg.org/owner/repo.git", "pkg:codeberg/owner/repo", ""},
		{"git+https://github.com/owner/repo.git@v1.0", "pkg:github/owner/repo", "v1.0"},
		{"git+ssh://git@gitlab.com/group/sub/repo.git", "pkg:gitlab/group/sub/repo", ""},
		{"git://bitbucket.org/o/r", "pkg:bitbucket/o/r", ""},
		{"github:owner/repo.git", "pkg:github/owner/repo", ""},
		{"github:owner/repo.git.git", "pkg:github/owner/repo", ""},
		{"gitlab:a/b/c/d", "pkg:gitlab/a/b/c/d", ""},
	}
	for _, test := range tests {
		project, version, err := NormalizeProject(test.typed)
		if err != nil || project != test.project || version != test.version {
			t.Errorf("%s: %q %q %v, want %q %q", test.typed, project, version, err, test.project, test.version)
		}
	}
	for _, bad := range []string{
		"", "a*", "generic:a*b", ":", "pypi:", "pkg:", "pkg:pypi", "pkg:pypi/", ":x", "a/b", "github.com/x/y@v1", "https://example.org/x", "pypi:a/../b", "pypi:a//b", "pypi:.", "pypi:%2e%2e",
		"pypi:requests==2.33.0", "pypi:requests[socks]", "pypi:a/b", "pypi: requests", "pypi:requests ", "pypi:a+b", "cargo:a/b", "gem:a b",
		"npm:scope/name", "npm:@scope", "npm:@scope/", "npm:@/name", "npm:@s/@n", "npm:@s/n/x", "npm:left pad", "npm:@@s/n",
		"github:repo", "github:a/b/c", "github:@owner/repo", "github:owner/.git", "github:/owner/repo", "codeberg:x", "gitlab:x",
		"https://github.com", "https://github.com/", "https://github.com/owner", "https://github.com/owner/repo/releases/tag/v1", "https://github.com/o/r?x=y",
		"https://github.com.evil.example/o/r", "https://user@github.com/o/r", "https://pypi.org/project/requests/", "git@example.org:o/r", "git@:o/r",
		"ssh://github.com/o/r", "file:///etc/passwd", "github.com/o/r",
		"pypi:a@", "jq@", "pypi:a?x=y", "pkg:deb/debian/curl@1?arch=amd64", "pkg:a/b#sub", "generic:%zz", "generic:%4", "generic:%0a", "generic:a\nb", "generic:\u202e", "7z:x", "p y:x", "\xff",
	} {
		if project, version, err := NormalizeProject(bad); err == nil {
			t.Errorf("%q is taken for %q %q", bad, project, version)
		} else if strings.Contains(err.Error(), "\n") || ValidText(err.Error()) != nil {
			t.Errorf("%q: message %q", bad, err)
		}
	}
}

func TestNormalizePattern(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"*":                               "*",
		"jq":                              "pkg:generic/jq",
		"pypi:Requests":                   "pkg:pypi/requests",
		"pypi:":                           "pkg:pypi/*",
		"pypi:*":                          "pkg:pypi/*",
		"pkg:pypi/":                       "pkg:pypi/*",
		"pkg:pypi/*":                      "pkg:pypi/*",
		"github:Alice/":                   "pkg:github/alice/*",
		"github:alice/*":                  "pkg:github/alice/*",
		"pkg:github/alice/*":              "pkg:github/alice/*",
		"npm:@Scope/":                     "pkg:npm/%40scope/*",
		"golang:Example.org/X/*":          "pkg:golang/Example.org/X/*",
		"golang:github.com/Burnt/":        "pkg:golang/github.com/Burnt/*",
		"codeberg:Alice/":                 "pkg:codeberg/alice/*",
		"gitlab:group/sub/":               "pkg:gitlab/group/sub/*",
		"https://github.com/Alice":        "pkg:github/alice/*",
		"https://github.com/alice/":       "pkg:github/alice/*",
		"https://github.com/alice/tool/":  "pkg:github/alice/tool",
		"git@codeberg.org:alice/tool.git": "pkg:codeberg/alice/tool",
	} {
		if got, err := NormalizePattern(typed); err != nil || got != want {
			t.Errorf("%s: %q %v, want %q", typed, got, err, want)
		}
	}
	for _, bad := range []string{"", "**", "a*", "pypi:req*", "pypi:a@1", "/", "/*", ":", "pypi/", "pkg:", "pkg:/*", "github:a//", "github:../*", "alice/*", "pypi:*/x", "pypi:x@1:", "pypi:a:", "pypi:requests/", "npm:left-pad/", "npm:@s/n/", "github:a/b/", "https://example.org/", "https://github.com/"} {
		if got, err := NormalizePattern(bad); err == nil {
			t.Errorf("%q is taken for %q", bad, got)
		}
	}
}
