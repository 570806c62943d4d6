package download

import (
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
)

// FuzzParseURL holds an address that is accepted to asking that host over https, and nobody else.
func FuzzParseURL(f *testing.F) {
	for _, seed := range []string{
		"https://example.org/a?b=c#d", "https://EXAMPLE.org:8443/%2e%2e/a", "https://192.0.2.1", "https://user:secret@example.org/", "http://example.org/",
		"https://example.org\\@evil.example/", "https://[::1]/", "https://-o/", "https://a:b@c:d/", "HTTPS://example.org/", "https:example.org",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, address string) {
		u, err := ParseURL(address)
		if err != nil {
			var refused *URLError
			if !errors.As(err, &refused) {
				t.Errorf("%q: %v", address, err)
			}
			return
		}
		again, err := ParseURL(u.String())
		if err != nil || again.String() != u.String() {
			t.Errorf("%q is read as %q, and that as %v, %v", address, u, again, err)
		}
		req, err := http.NewRequest(http.MethodGet, u.String(), nil)
		if err != nil || req.URL.Scheme != "https" || req.URL.User != nil || req.Host != u.Host {
			t.Fatalf("%q: %v, %v", address, req, err)
		}
		// Whatever else reads it finds the same host: between the slashes, up to the first of these.
		_, rest, _ := strings.Cut(address, "://")
		typed := rest[:len(rest)-len(strings.TrimLeft(rest, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz.-:"))]
		if name, _, err := net.SplitHostPort(typed); err == nil {
			typed = name
		}
		if typed != u.Hostname() {
			t.Errorf("%q: %q or %q", address, typed, u.Hostname())
		}
	})
}
