package download

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

var (
	// ErrSilent means that a server sent next to nothing for too long.
	ErrSilent = errors.New("the server sent next to nothing for 30 seconds")
	// ErrRedirects means that a server sent us on without an end.
	ErrRedirects = fmt.Errorf("redirected more than %d times", maxRedirects)
	// ErrEncoded means that a server sends a file in an encoding of its own: which bytes are the file's
	// could not be said.
	ErrEncoded = errors.New("the server encodes what it sends")
)

// StatusError says that a server did not answer with a file.
type StatusError struct {
	Code int // of HTTP
}

// Error implements error. What the server itself calls it is not repeated.
func (e *StatusError) Error() string {
	if text := http.StatusText(e.Code); text != "" {
		return fmt.Sprintf("the server answers %d (%s)", e.Code, text)
	}
	return fmt.Sprintf("the server answers %d", e.Code)
}

// RedirectError says that a host sends us on to where nothing is downloaded from.
type RedirectError struct {
	Host string
	Err  *URLError
}

// Error implements error.
func (e *RedirectError) Error() string {
	return fmt.Sprintf("downloading %s: it sends us on to another place: %v", e.Host, e.Err)
}

// Unwrap gives the cause.
func (e *RedirectError) Unwrap() error { return e.Err }

// SizeError says that a file is longer than it may be.
type SizeError struct {
	Max  int64 // bytes
	Said int64 // how long the server says that it is; 0 when it came as a surprise
}

// Error implements error.
func (e *SizeError) Error() string {
	if e.Said > 0 {
		return fmt.Sprintf("the file has %d bytes, and %d are allowed", e.Said, e.Max)
	}
	return fmt.Sprintf("the file has more than the %d bytes that are allowed", e.Max)
}

// NetworkError says that a host could not be reached, is not who it should be, or hung up.
type NetworkError struct {
	Host string
	Err  error
}

// Error implements error. Some causes quote the server, at any length.
func (e *NetworkError) Error() string {
	return fmt.Sprintf("downloading %s: %s", e.Host, clip(e.Err.Error()))
}

// Unwrap gives the cause.
func (e *NetworkError) Unwrap() error { return e.Err }

// explain finds the cause in what the http library reports.
func explain(ctx context.Context, u *url.URL, err error) error {
	var wrapped *url.Error
	host := u.Host
	if errors.As(err, &wrapped) {
		err = wrapped.Err
		if last, bad := url.Parse(wrapped.URL); bad == nil && last.Host != "" { // a redirect to a path has none
			host = clip(last.Host) // where redirects led
		}
	}
	var refused *URLError
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, ErrSilent):
		err = cause
	case cause != nil:
		return cause
	case errors.As(err, &refused):
		return &RedirectError{Host: u.Host, Err: refused}
	case errors.Is(err, ErrRedirects):
	case errors.Is(err, io.ErrUnexpectedEOF):
		return &NetworkError{Host: host, Err: fmt.Errorf("the connection ended before the whole file was there: %w", err)}
	default:
		return &NetworkError{Host: host, Err: err}
	}
	return fmt.Errorf("downloading %s: %w", host, err)
}

// clip keeps what a server says short.
func clip(s string) string {
	const most = 200
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + ".."
}
