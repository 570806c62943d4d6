package gitstore

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
)

var goodURLs = []struct {
	url  string
	want remote
}{
	{"https://example.org/alice/trust.git", remote{scheme: schemeHTTP, host: "example.org", path: "/alice/trust.git"}},
	{"https://example.org:8443/t", remote{scheme: schemeHTTP, host: "example.org", port: "8443", path: "/t"}},
	{"https://example.org/a%20b", remote{scheme: schemeHTTP, host: "example.org", path: "/a b"}},
	{"http://127.0.0.1:8080/t", remote{scheme: schemeHTTP, host: "127.0.0.1", port: "8080", path: "/t"}},
	{"ssh://git@example.org/~alice/trust", remote{scheme: schemeSSH, user: "git", host: "example.org", path: "~alice/trust"}},
	{"ssh://example.org:2222/srv/t.git", remote{scheme: schemeSSH, host: "example.org", port: "2222", path: "/srv/t.git"}},
	{"git://example.org/t", remote{scheme: schemeGit, host: "example.org", path: "/t"}},
	{"git@example.org:alice/trust.git", remote{scheme: schemeSSH, user: "git", host: "example.org", path: "alice/trust.git"}},
	{"git@example.org:/srv/trust.git", remote{scheme: schemeSSH, user: "git", host: "example.org", path: "/srv/trust.git"}},
	{"/home/alice/trust", remote{scheme: schemePath, path: "/home/alice/trust"}},
	{"/home/a b/ü", remote{scheme: schemePath, path: "/home/a b/ü"}},
	{"file:///home/alice/a%20b", remote{scheme: schemePath, path: "/home/alice/a b"}},
}

// Every one of these is a way that somebody was attacked by, or close to one.
var badURLs = []string{
	"", " ", "https://", "https:///x", "https://example.org", "https://example.org/", "https:example.org/x",
	"HTTPS://example.org/x", "ftp://example.org/x", "javascript:alert(1)", "data:text/plain,x",
	"ext::sh -c touch% /tmp/x", "fd::7", "transport::address", "ext::git@example.org:x",
	"--upload-pack=touch x", "-oProxyCommand=touch x:y", "--upload-pack=x@example.org:y",
	"ssh://-oProxyCommand=x/y", "ssh://-oProxyCommand=touch%20x@example.org/y", "ssh://git@-x/y",
	"-x@example.org:y", "git@-x:y", "git@example.org:-x", "git@example.org:", "git@example.org::x", "@example.org:x", "git@:x",
	"example.org:x", "host:path", "user@host", "a b@example.org:x", "a;b@example.org:x",
	"https://alice:secret@example.org/x", "https://alice@example.org/x", "https://@example.org/x", "ssh://alice:secret@example.org/x",
	"https://example.org/x?y", "https://example.org/x?", "https://example.org/x#y", "https://example.org/x#",
	"https://example.org:0/x", "https://example.org:65536/x", "https://example.org:x/y", "https://example.org:/y", "https://example.org:+1/y",
	"https://[::1]/x", "https://exa_mple.org/x", "https://exämple.org/x", "https://example.org\\x/y", "https://.example.org/x",
	"https://example.org/x\ny", "https://example.org/x%0ay", "https://example.org/\x1b[31m", "https://exam\x00ple.org/x", "\x00",
	"relative/path", "./x", "../x", "~/x", "file://host/x", "file:x", "file:relative", "file://", "file:///", "file:///x?y",
	"https9//:00000\x8700", "git@\xff:x", "/x\xff", "/x\x00y", "/x\ny", "https://example.org/" + strings.Repeat("x", maxURL),
	"https://" + strings.Repeat("x", 254) + "/y", "git@" + strings.Repeat("x", 254) + ":y",
}

func TestHostileURLs(t *testing.T) {
	t.Parallel()
	all := URLOptions{Typed: true, Insecure: true}
	for _, c := range goodURLs {
		got, err := parseURL(c.url, all)
		c.want.address = c.url
		if err != nil || got != c.want {
			t.Errorf("%q: %+v, %v, want %+v", c.url, got, err, c.want)
		}
		if err := CheckURL(c.url, all); err != nil {
			t.Errorf("%q: %v", c.url, err)
		}
		typed := c.want.scheme == schemePath
		if err := CheckURL(c.url, URLOptions{Insecure: true}); (err != nil) != typed {
			t.Errorf("%q that nobody typed: %v", c.url, err)
		}
		insecure := strings.HasPrefix(c.url, "http://") || strings.HasPrefix(c.url, "git://")
		if err := CheckURL(c.url, URLOptions{Typed: true}); (err != nil) != insecure {
			t.Errorf("%q on a safe transport: %v", c.url, err)
		}
	}
	for _, url := range badURLs {
		err := CheckURL(url, all)
		var bad *URLError
		if !errors.As(err, &bad) || bad.URL != url || bad.Reason == "" {
			t.Errorf("%q: %v", url, err)
		}
		if err != nil && strings.ContainsFunc(err.Error(), unicode.IsControl) {
			t.Errorf("%q: the error holds it raw: %q", url, err)
		}
	}
}

// Whatever is accepted has a host and a user that no program can take for an
// option, and is reached by one of the four ways.
func FuzzCheckURL(f *testing.F) {
	for _, c := range goodURLs {
		f.Add(c.url, true, true)
	}
	for _, url := range badURLs {
		f.Add(url, true, true)
		f.Add(url, false, false)
	}
	f.Fuzz(func(t *testing.T, url string, typed, insecure bool) {
		r, err := parseURL(url, URLOptions{Typed: typed, Insecure: insecure})
		if err != nil {
			if !errors.As(err, new(*URLError)) {
				t.Fatalf("%q: %v", url, err)
			}
			return
		}
		if !cleanText(r.path) || r.path == "" || strings.ContainsAny(url, "\x00\n\r\x1b") {
			t.Fatalf("%q has the path %q", url, r.path)
		}
		if r.scheme == schemePath {
			if !typed || !filepath.IsAbs(r.path) {
				t.Fatalf("%q is the path %q", url, r.path)
			}
			return
		}
		for _, name := range []string{r.host, r.user} {
			if strings.HasPrefix(name, "-") || strings.ContainsAny(name, " @:/\\'\"$`;") {
				t.Fatalf("%q has the name %q", url, name)
			}
		}
		if r.host == "" || r.scheme == schemeSSH && strings.HasPrefix(r.path, "-") {
			t.Fatalf("%q is %+v", url, r)
		}
		if plain := strings.HasPrefix(url, "http://") || r.scheme == schemeGit; plain && !insecure {
			t.Fatalf("%q can be read on the way", url)
		}
		if r.scheme == schemeHTTP && r.user != "" {
			t.Fatalf("%q holds credentials", url)
		}
	})
}
