package gitstore

import (
	"fmt"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
)

// URLOptions is what the caller knows about where a URL came from.
type URLOptions struct {
	Typed    bool // a person typed it: an absolute path or file:// is allowed
	Insecure bool // http:// and git:// are allowed (--insecure-transport)
}

// A URLError says why a URL is not one that may be reached (S3.1).
type URLError struct {
	URL    string // as it was given: quote it before it is shown
	Reason string
}

func (e *URLError) Error() string { return fmt.Sprintf("address %q: %s", e.URL, e.Reason) }

// CheckURL refuses every address but those of S3.1, before any library sees it:
// https://host/path, ssh://[user@]host[:port]/path, user@host:path, and with the
// options http://, git://, an absolute path and file:///path.
func CheckURL(address string, opt URLOptions) error {
	_, err := parseURL(address, opt)
	return err
}

type scheme int

const (
	schemeHTTP scheme = iota // http and https
	schemeSSH
	schemeGit
	schemePath
)

// remote is a checked address, taken apart.
type remote struct {
	scheme           scheme
	address          string // the whole address, for the http library
	user, host, port string
	path             string // as the other side, or the file system, reads it
}

const maxURL = 2048

// parseURL is CheckURL with its result: the only way to a remote.
func parseURL(address string, opt URLOptions) (remote, error) {
	refuse := func(reason string) (remote, error) { return remote{}, &URLError{URL: address, Reason: reason} }
	if address == "" || len(address) > maxURL {
		return refuse("it is empty or too long")
	}
	for _, c := range address {
		if c < 0x20 || c == 0x7f || c == 0xfffd {
			return refuse("it holds a control character")
		}
	}
	if filepath.IsAbs(address) {
		if !opt.Typed {
			return refuse("a local path is followed only when a person types it")
		}
		return remote{scheme: schemePath, address: address, path: filepath.Clean(address)}, nil
	}
	name, rest, ok := strings.Cut(address, "://")
	if !ok {
		return parseScp(address)
	}
	switch name {
	case "https", "ssh":
	case "http", "git":
		if !opt.Insecure {
			return refuse("what " + name + ":// carries can be read on the way (--insecure-transport)")
		}
	case "file":
		if !opt.Typed {
			return refuse("a local path is followed only when a person types it")
		}
		if !strings.HasPrefix(rest, "/") {
			return refuse("file:// needs an absolute path and no host")
		}
	default:
		return refuse("only https://, ssh:// and user@host:path are reached")
	}
	return parseSchemed(address, name)
}

// parseSchemed takes an address with one of our schemes apart.
func parseSchemed(address, name string) (remote, error) {
	refuse := func(reason string) (remote, error) { return remote{}, &URLError{URL: address, Reason: reason} }
	u, err := url.Parse(address)
	if err != nil {
		return refuse("it cannot be read as a URL")
	}
	if u.Opaque != "" || u.RawQuery != "" || u.ForceQuery || strings.Contains(address, "#") {
		return refuse("it holds a query or a fragment")
	}
	if u.Path == "" || u.Path == "/" || !cleanText(u.Path) {
		return refuse("it names no repository")
	}
	r := remote{address: address, host: u.Hostname(), port: u.Port(), path: u.Path}
	if name == "file" {
		r.scheme, r.path = schemePath, filepath.Clean(filepath.FromSlash(u.Path))
		return r, nil
	}
	if !validHost(r.host) || strings.ContainsAny(u.Host, "[]") {
		return refuse("the name of the host is not one that may be reached")
	}
	if r.port == "" && strings.Contains(u.Host, ":") || r.port != "" && !validPort(r.port) {
		return refuse("the port is not a number from 1 to 65535")
	}
	if u.User != nil {
		if _, has := u.User.Password(); has || name != "ssh" {
			return refuse("it holds credentials")
		}
		if r.user = u.User.Username(); !validHost(r.user) {
			return refuse("the name of the user is not one that may be used")
		}
	}
	r.scheme = map[string]scheme{"https": schemeHTTP, "http": schemeHTTP, "ssh": schemeSSH, "git": schemeGit}[name]
	if r.scheme != schemeHTTP {
		r.path = strings.TrimPrefix(r.path, "/~")
		if r.path != u.Path {
			r.path = "~" + r.path // ssh://host/~user/repo, as git reads it
		}
	}
	return r, nil
}

// parseScp takes user@host:path apart, the form without a scheme.
func parseScp(address string) (remote, error) {
	refuse := func(reason string) (remote, error) { return remote{}, &URLError{URL: address, Reason: reason} }
	where, path, ok := strings.Cut(address, ":")
	user, host, both := strings.Cut(where, "@")
	if !ok || !both || !validHost(user) || !validHost(host) {
		return refuse("only https://, ssh:// and user@host:path are reached")
	}
	if path == "" || path[0] == '-' || path[0] == ':' {
		return refuse("it names no repository")
	}
	return remote{scheme: schemeSSH, address: address, user: user, host: host, path: path}, nil
}

// validHost holds for the names of hosts and users (S3.1): a letter or digit,
// then letters, digits, dots and hyphens. Nothing that begins with a hyphen can
// be taken for an option.
func validHost(s string) bool {
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		case (c == '.' || c == '-') && i > 0:
		default:
			return false
		}
	}
	return len(s) > 0 && len(s) <= 253
}

func validPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n > 0
}

func cleanText(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool { return c < 0x20 || c == 0x7f || c == 0xfffd })
}
