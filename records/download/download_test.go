package download

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// serving starts a server over TLS, and gives a client that trusts its certificate.
type serving func(t *testing.T, answer http.HandlerFunc) (*httptest.Server, *Client)

// server speaks HTTP/1.1.
func server(t *testing.T, answer http.HandlerFunc) (*httptest.Server, *Client) {
	t.Helper()
	s := httptest.NewTLSServer(answer)
	t.Cleanup(s.Close)
	return s, clientOf(t, s)
}

// both tries something with servers of HTTP/1.1, and of HTTP/2, which frames everything in another way.
func both(t *testing.T, try func(t *testing.T, server serving)) {
	t.Helper()
	t.Run("1.1", func(t *testing.T) { try(t, server) })
	t.Run("2", func(t *testing.T) {
		try(t, func(t *testing.T, answer http.HandlerFunc) (*httptest.Server, *Client) {
			t.Helper()
			s := httptest.NewUnstartedServer(answer)
			s.EnableHTTP2 = true
			s.StartTLS()
			t.Cleanup(s.Close)
			return s, clientOf(t, s)
		})
	})
}

func clientOf(t *testing.T, s *httptest.Server) *Client {
	t.Helper()
	c := NewClient(s.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs)
	c.http.Proxy = nil // of the machine that the tests run on
	t.Cleanup(c.Close)
	return c
}

// get downloads into a new folder, and says what is in it afterwards.
func get(t *testing.T, c *Client, address string, opts Options) (string, Result, error) {
	t.Helper()
	u, err := ParseURL(address)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "file")
	result, err := c.Get(t.Context(), u, file, opts)
	b, missing := os.ReadFile(file)
	if (err == nil) != (missing == nil) {
		t.Errorf("%v, and the file: %v", err, missing)
	}
	return string(b), result, err
}

func TestGet(t *testing.T) {
	t.Parallel()
	both(t, getting)
}

func getting(t *testing.T, server serving) {
	t.Helper()
	content := strings.Repeat("distrust", 50_000)
	s, c := server(t, func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Accept-Encoding"); got != "identity" {
			t.Errorf("asked for the encoding %q", got)
		}
		switch r.URL.Path {
		case "/moved":
			http.SetCookie(w, &http.Cookie{Name: "a", Value: "b"})
			http.Redirect(w, r, "/here?token=secret", http.StatusFound)
		case "/here":
			if r.Header.Get("Cookie") != "" || r.Header.Get("Referer") != "" || r.Header.Get("Authorization") != "" {
				t.Errorf("sent on: %v", r.Header)
			}
			w.Header().Set("Content-Length", fmt.Sprint(len(content)))
			io.WriteString(w, content)
		case "/unknown-length":
			w.(http.Flusher).Flush()
			io.WriteString(w, content)
		}
	})
	for _, path := range []string{"/here", "/moved", "/unknown-length"} {
		var done, total int64
		got, result, err := get(t, c, s.URL+path, Options{Progress: func(d, t int64) { done, total = d, t }})
		if err != nil || got != content || result.Size != int64(len(content)) || done != result.Size {
			t.Errorf("%s: %d bytes, %+v, %v", path, len(got), result, err)
		}
		if want := map[bool]int64{true: 0, false: done}[path == "/unknown-length"]; total != want {
			t.Errorf("%s: total %d", path, total)
		}
		if path == "/moved" && result.From.Path != "/here" {
			t.Errorf("came from %s", result.From)
		}
	}
	got, _, err := get(t, c, s.URL+"/empty", Options{})
	if got != "" || err != nil {
		t.Errorf("an empty file: %q, %v", got, err)
	}
}

// TestGetLeavesOtherFiles writes to a name that is taken.
func TestGetLeavesOtherFiles(t *testing.T) {
	t.Parallel()
	s, c := server(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "new") })
	u, err := ParseURL(s.URL + "/x")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Get(t.Context(), u, file, Options{}); !errors.Is(err, os.ErrExist) {
		t.Errorf("%v", err)
	}
	if b, _ := os.ReadFile(file); string(b) != "old" {
		t.Errorf("the file holds %q", b)
	}
}

func TestHostileAddresses(t *testing.T) {
	t.Parallel()
	for _, good := range []string{
		"https://example.org", "https://example.org/a?b=c", "https://EXAMPLE.org:8443/a", "https://192.0.2.1/a", "https://xn--bcher-kva.example/",
	} {
		if _, err := ParseURL(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	if u, err := ParseURL("https://example.org/a#sha256=00"); err != nil || u.String() != "https://example.org/a" {
		t.Errorf("a fragment: %v, %v", u, err)
	}
	for _, bad := range []string{
		"", "example.org", "example.org/a", "//example.org/a", "http://example.org/a", "HTTP://example.org", "ftp://example.org/a", "file:///etc/passwd",
		"javascript:alert(1)", "https:a", "https:///a", "https://:443/a", "https://user@example.org/a", "https://user:secret@example.org/a",
		"https://-oProxyCommand/a", "https://example.org:/a", "https://example.org:0/a", "https://example.org:65536/a", "https://[::1]/a",
		"https://exa mple.org/a", "https://example.org/a b", "https://example.org/\n", "https://example.org/\xff", "https://bücher.example/",
		"https://example.org/%zz", "https://example.org\\@evil.example/", "https://" + strings.Repeat("a", 254) + "/", "https://example.org/" + strings.Repeat("a", maxURL),
	} {
		var refused *URLError
		if _, err := ParseURL(bad); !errors.As(err, &refused) || refused.Reason == "" {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestHostileRedirects(t *testing.T) {
	t.Parallel()
	both(t, hostileRedirects)
}

func hostileRedirects(t *testing.T, server serving) {
	t.Helper()
	plain := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("asked over http") }))
	defer plain.Close()
	asked := 0
	s, c := server(t, func(w http.ResponseWriter, r *http.Request) {
		asked++
		to := map[string]string{
			"/http": plain.URL + "/x", "/file": "file:///etc/passwd", "/credentials": "https://user:secret@" + r.Host + "/ok",
			"/loop": "/loop", "/ten": "/ten?n=" + r.URL.Query().Get("n") + "x", "/script": "javascript:alert(1)",
		}[r.URL.Path]
		if to == "" || len(r.URL.Query().Get("n")) == maxRedirects {
			io.WriteString(w, "ok")
			return
		}
		w.Header().Set("Location", to)
		w.WriteHeader(http.StatusFound)
	})
	for _, path := range []string{"/http", "/file", "/credentials", "/script"} {
		asked = 0
		var refused *RedirectError
		if _, _, err := get(t, c, s.URL+path, Options{}); !errors.As(err, &refused) || strings.Contains(err.Error(), "secret") || asked != 1 {
			t.Errorf("%s, asked %d times: %v", path, asked, err)
		}
	}
	asked = 0
	if _, _, err := get(t, c, s.URL+"/loop", Options{}); !errors.Is(err, ErrRedirects) || asked != maxRedirects+1 || !strings.HasPrefix(err.Error(), "downloading 127.0.0.1:") {
		t.Errorf("a loop, asked %d times: %v", asked, err)
	}
	if got, _, err := get(t, c, s.URL+"/ten", Options{}); got != "ok" {
		t.Errorf("as many as are allowed: %q, %v", got, err)
	}
}

func TestHostileLengths(t *testing.T) {
	t.Parallel()
	both(t, hostileLengths)
}

func hostileLengths(t *testing.T, server serving) {
	t.Helper()
	s, c := server(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/says-more": // than is allowed, and would send it
			w.Header().Set("Content-Length", "2000000")
			io.Copy(w, bytes.NewReader(make([]byte, 2_000_000)))
		case "/endless":
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 64<<10)); err != nil {
					return
				}
			}
		case "/short": // sends less than it says
			w.Header().Set("Content-Length", "1000")
			w.Write(make([]byte, 10))
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		case "/cut": // of a length that it did not say
			w.Write(make([]byte, 10))
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		case "/fits":
			w.Write(make([]byte, 1_000_000))
		}
	})
	var size *SizeError
	if _, _, err := get(t, c, s.URL+"/says-more", Options{MaxBytes: 1_000_000}); !errors.As(err, &size) || size.Said != 2_000_000 || size.Max != 1_000_000 {
		t.Errorf("more than allowed: %v", err)
	}
	if _, _, err := get(t, c, s.URL+"/endless", Options{MaxBytes: 1_000_000}); !errors.As(err, &size) || size.Said != 0 {
		t.Errorf("no end: %v", err)
	}
	for _, path := range []string{"/short", "/cut"} {
		var network *NetworkError
		if _, _, err := get(t, c, s.URL+path, Options{}); !errors.As(err, &network) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if got, _, err := get(t, c, s.URL+"/fits", Options{MaxBytes: 1_000_000}); len(got) != 1_000_000 {
		t.Errorf("exactly as much as is allowed: %d, %v", len(got), err)
	}
}

// TestHostileSilence meets servers that hold the line without saying much.
func TestHostileSilence(t *testing.T) {
	t.Parallel()
	both(t, hostileSilence)
}

func hostileSilence(t *testing.T, server serving) {
	t.Helper()
	s, c := server(t, func(w http.ResponseWriter, r *http.Request) {
		every := func(pause time.Duration, bytes int) {
			tick := time.NewTicker(pause)
			defer tick.Stop()
			for range 400 {
				select {
				case <-r.Context().Done():
					return
				case <-tick.C:
					w.Write(make([]byte, bytes))
					w.(http.Flusher).Flush()
				}
			}
		}
		switch r.URL.Path {
		case "/nothing":
			<-r.Context().Done()
		case "/header-only":
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		case "/drip":
			every(10*time.Millisecond, 1)
		case "/slow": // and honest: longer than the limit in all
			every(2*time.Millisecond, minBytes)
		}
	})
	c.idle = 400 * time.Millisecond
	for _, path := range []string{"/nothing", "/header-only", "/drip"} {
		if _, _, err := get(t, c, s.URL+path, Options{}); !errors.Is(err, ErrSilent) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if got, _, err := get(t, c, s.URL+"/slow", Options{}); len(got) != 400*minBytes {
		t.Errorf("a slow server: %d bytes, %v", len(got), err)
	}
}

// TestHostileAnswers gets what is no file, or none that could be compared with anything.
func TestHostileAnswers(t *testing.T) {
	t.Parallel()
	both(t, hostileAnswers)
}

func hostileAnswers(t *testing.T, server serving) {
	t.Helper()
	s, c := server(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/gzip":
			w.Header().Set("Content-Encoding", "gzip")
			w.Write([]byte{0x1f, 0x8b})
		case "/twice":
			w.Header().Add("Content-Encoding", "identity")
			w.Header().Add("Content-Encoding", "br\u202e"+strings.Repeat("x", 1000))
		case "/control":
			w.Header().Set("X", "\x1b[31m"+strings.Repeat("x", 10_000))
		case "/moved":
			w.Header().Set("Location", "http://"+strings.Repeat("x", 10_000)+"/")
			w.WriteHeader(http.StatusFound)
		case "/partial":
			w.WriteHeader(http.StatusPartialContent)
		case "/nothing":
			w.WriteHeader(http.StatusNoContent)
		case "/gone":
			w.WriteHeader(http.StatusGone)
			io.Copy(w, bytes.NewReader(make([]byte, 1<<20)))
		case "/odd":
			w.WriteHeader(599)
		case "/header":
			for i := range 100 {
				w.Header().Set(fmt.Sprintf("X-%d", i), strings.Repeat("x", 1000))
			}
		case "/disposition":
			w.Header().Set("Content-Disposition", `attachment; filename="../../.bashrc"`)
			io.WriteString(w, "ok")
		}
	})
	for _, path := range []string{"/gzip", "/twice"} {
		if _, _, err := get(t, c, s.URL+path, Options{}); !errors.Is(err, ErrEncoded) {
			t.Errorf("%s: %v", path, err)
		}
	}
	for _, path := range []string{"/twice", "/control", "/moved"} { // what a server says is not repeated at length
		if _, _, err := get(t, c, s.URL+path, Options{}); err != nil && len(err.Error()) > 400 || err == nil && path != "/control" {
			t.Errorf("%s: %v", path, err)
		}
	}
	for path, code := range map[string]int{"/partial": 206, "/nothing": 204, "/gone": 410, "/odd": 599} {
		var status *StatusError
		if _, _, err := get(t, c, s.URL+path, Options{}); !errors.As(err, &status) || status.Code != code {
			t.Errorf("%s: %v", path, err)
		}
	}
	var network *NetworkError
	if _, _, err := get(t, c, s.URL+"/header", Options{}); !errors.As(err, &network) {
		t.Errorf("a huge header: %v", err)
	}
	if got, _, err := get(t, c, s.URL+"/disposition", Options{}); got != "ok" {
		t.Errorf("a name of the server's: %q, %v", got, err)
	}
}

// TestHostileHosts meets hosts that are not who they should be, or are not there.
func TestHostileHosts(t *testing.T) {
	t.Parallel()
	s, _ := server(t, func(http.ResponseWriter, *http.Request) { t.Error("asked a stranger") })
	s.Config.ErrorLog = nil
	stranger := NewClient(x509.NewCertPool())
	stranger.http.Proxy = nil
	var network *NetworkError
	var unverified *tls.CertificateVerificationError
	if _, _, err := get(t, stranger, s.URL+"/x", Options{}); !errors.As(err, &network) || !errors.As(err, &unverified) {
		t.Errorf("nobody vouches for it: %v", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	if _, _, err := get(t, stranger, "https://"+address+"/x", Options{}); !errors.As(err, &network) || network.Host != address || !strings.HasPrefix(err.Error(), "downloading "+address+": ") {
		t.Errorf("nobody is there: %v", err)
	}
}

// TestInterrupted ends a download in the middle: nothing is left.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	s, c := server(t, func(w http.ResponseWriter, r *http.Request) {
		w.Write(make([]byte, 64<<10))
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	u, err := ParseURL(s.URL + "/x")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	_, err = c.Get(ctx, u, filepath.Join(dir, "file"), Options{Progress: func(int64, int64) { cancel() }})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestFullDisk keeps the faults of the disk apart from those of the server.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/dev/full"); runtime.GOOS != "linux" || err != nil {
		t.Skip("needs /dev/full")
	}
	s, c := server(t, func(w http.ResponseWriter, _ *http.Request) { w.Write(make([]byte, 64<<10)) })
	u, err := ParseURL(s.URL + "/x")
	if err != nil {
		t.Fatal(err)
	}
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	watch := &watch{limit: time.Minute, timer: time.NewTimer(time.Minute)}
	res, err := c.ask(t.Context(), u, watch)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var network *NetworkError
	if _, err := c.save(t.Context(), full, res, watch, Options{MaxBytes: MaxBytes}); err == nil || errors.As(err, &network) || !strings.Contains(err.Error(), "/dev/full") {
		t.Errorf("%v", err)
	}
}
