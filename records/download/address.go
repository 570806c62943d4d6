package download

import (
	"fmt"
	"net/url"
	"regexp"
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

// host begins with a letter or digit, so that nothing takes it for an option; other alphabets are
// written as they go over the wire.
var host = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.-]{0,252}$`)

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
	case u.Opaque != "" || !host.MatchString(u.Hostname()) || strings.ContainsAny(u.Host, "[]"):
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
