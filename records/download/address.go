package download

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// A URLError says why an address is not asked.
type URLError struct {
	URL    string // as it was given: quote it before it is shown
	Reason string
}

// Error implements error.
func (e *URLError) Error() string { return fmt.Sprintf("address %q: %s", e.URL, e.Reason) }

const maxURL = 4096 // signed addresses of object stores are long

// validHost says whether a host begins with a letter or digit, so that nothing takes it for an option,
// and goes on with these, dots and hyphens; other alphabets are written as they go over the wire.
func validHost(s string) bool {
	alphanumeric := func(c rune) bool {
		return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
	}
	odd := func(c rune) bool { return !alphanumeric(c) && c != '.' && c != '-' }
	return s != "" && len(s) <= 253 && alphanumeric(rune(s[0])) && !strings.ContainsFunc(s, odd)
}

// ParseURL reads an address: https, a host and a path, and no credentials. Of a fragment, which never
// leaves the machine, nothing is kept.
func ParseURL(address string) (*url.URL, error) {
	refuse := func(reason string) (*url.URL, error) { return nil, &URLError{URL: address, Reason: reason} }
	if address == "" || len(address) > maxURL {
		return refuse("it is empty or too long")
	}
	if strings.ContainsFunc(address, func(r rune) bool { return r <= ' ' || r == 0x7f || r == 0xfffd }) {
		return refuse("it holds a space or a control character")
	}
	u, err := url.Parse(address)
	if err != nil {
		return refuse("it cannot be read as a URL")
	}
	if err := check(u); err != nil {
		return nil, err
	}
	u.Fragment, u.RawFragment = "", ""
	return u, nil
}

// check holds an address to the rules, the one that was typed and where redirects lead.
func check(u *url.URL) error {
	reason := ""
	switch port := u.Port(); {
	case u.Scheme != "https":
		reason = "only https:// is downloaded"
	case u.User != nil:
		reason = "it holds credentials"
	case u.Opaque != "" || !validHost(u.Hostname()) || strings.ContainsAny(u.Host, "[]"):
		reason = "the name of the host is not one that may be reached"
	case port == "" && strings.Contains(u.Host, ":") || port != "" && !validPort(port):
		reason = "the port is not a number from 1 to 65535"
	default:
		return nil
	}
	return &URLError{URL: clip(u.Redacted()), Reason: reason}
}

func validPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n > 0
}
