package download

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"time"
)

// MaxBytes is how long a file may be unless the user says otherwise: longer than what is released in
// one piece, images of whole systems included, and short of what fills an ordinary disk unnoticed.
const MaxBytes = 8 << 30

const (
	maxRedirects = 10
	maxHeader    = 64 << 10         // bytes of what a server says before the file
	maxIdle      = 30 * time.Second // without minBytes, it has hung
	minBytes     = 1 << 10
	maxErrorPage = 64 << 10 // that are read to keep the connection
)

// Client downloads. One client keeps its connections from one file to the next.
type Client struct {
	http *http.Transport
	idle time.Duration
}

// NewClient makes a client. It trusts the hosts that roots vouch for; nil: those that the system
// trusts. Proxies are those of the environment, as with other programs.
func NewClient(roots *x509.CertPool) *Client {
	return &Client{idle: maxIdle, http: &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		ForceAttemptHTTP2:      true,
		TLSClientConfig:        &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		DisableCompression:     true, // what is signed and listed are the bytes as they come
		MaxResponseHeaderBytes: maxHeader,
	}}
}

// Close lets the connections go.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Options say how one file is downloaded.
type Options struct {
	MaxBytes int64                   // 0: [MaxBytes]
	Progress func(done, total int64) // called as bytes come, total 0 when unknown; may be nil
}

// Result is what was downloaded.
type Result struct {
	From *url.URL // where it came from in the end
	Size int64
}

// Get downloads what lies at u, which [ParseURL] made, into a new file, with the permissions that
// new files get. After an error there is no file.
func (c *Client) Get(ctx context.Context, u *url.URL, file string, opts Options) (Result, error) {
	if opts.MaxBytes == 0 {
		opts.MaxBytes = MaxBytes
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	w := &watch{limit: c.idle}
	w.timer = time.AfterFunc(c.idle, func() { cancel(ErrSilent) })
	defer w.timer.Stop()

	res, err := c.ask(ctx, u, w)
	if err != nil {
		return Result{}, explain(ctx, u, err)
	}
	defer res.Body.Close()
	if err := acceptable(res, opts.MaxBytes); err != nil {
		_, _ = io.CopyN(io.Discard, res.Body, maxErrorPage)
		return Result{}, fmt.Errorf("downloading %s: %w", res.Request.URL.Host, err)
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return Result{}, err
	}
	size, err := c.save(ctx, f, res, w, opts)
	if err = errors.Join(err, f.Close()); err != nil {
		return Result{}, errors.Join(err, os.Remove(file))
	}
	return Result{From: res.Request.URL, Size: size}, nil
}

// ask asks for the file, wherever redirects lead.
func (c *Client) ask(ctx context.Context, u *url.URL, w *watch) (*http.Response, error) {
	client := &http.Client{Transport: c.http, CheckRedirect: func(req *http.Request, via []*http.Request) error {
		if len(via) > maxRedirects {
			return ErrRedirects
		}
		req.Header.Del("Referer") // an address can be a secret
		w.heard(minBytes)
		return check(req.URL)
	}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept-Encoding", "identity")
	req.Header.Set("User-Agent", "distrust")
	return client.Do(req)
}

// acceptable says whether an answer is the whole file as it is, and not too long by its own account.
func acceptable(res *http.Response, most int64) error {
	if res.StatusCode != http.StatusOK {
		return &StatusError{Code: res.StatusCode}
	}
	for _, encoding := range res.Header.Values("Content-Encoding") {
		if encoding != "identity" {
			return fmt.Errorf("%w (%q)", ErrEncoded, clip(encoding))
		}
	}
	if res.ContentLength > most {
		return &SizeError{Max: most, Said: res.ContentLength}
	}
	return nil
}

// save writes what comes, counting, and makes it last.
func (c *Client) save(ctx context.Context, f *os.File, res *http.Response, w *watch, opts Options) (int64, error) {
	from := &meter{from: io.LimitReader(res.Body, opts.MaxBytes+1), watch: w, total: max(0, res.ContentLength), progress: opts.Progress}
	size, err := io.Copy(f, from)
	switch {
	case from.err == nil && context.Cause(ctx) != nil:
		// We are hanging up, and a server that hears of it can make that look like the end of the file.
		return size, explain(ctx, res.Request.URL, context.Cause(ctx))
	case from.err != nil:
		return size, explain(ctx, res.Request.URL, from.err)
	case err != nil:
		return size, err // of the disk: it names the file
	case size > opts.MaxBytes:
		return size, fmt.Errorf("downloading %s: %w", res.Request.URL.Host, &SizeError{Max: opts.MaxBytes})
	}
	w.timer.Stop() // nothing more is expected of the server
	return size, f.Sync()
}

// watch ends a download when next to nothing comes for too long: a byte now and then is nothing.
type watch struct {
	limit time.Duration
	timer *time.Timer
	bytes int
}

// heard says that n bytes more came.
func (w *watch) heard(n int) {
	if w.bytes += n; w.bytes >= minBytes {
		w.bytes = 0
		w.timer.Reset(w.limit)
	}
}

// meter reads from the server and keeps its errors apart from those of writing.
type meter struct {
	from        io.Reader
	watch       *watch
	done, total int64
	progress    func(done, total int64)
	err         error
}

// Read implements io.Reader.
func (m *meter) Read(p []byte) (int, error) {
	n, err := m.from.Read(p)
	m.watch.heard(n)
	m.done += int64(n)
	if m.progress != nil && n > 0 {
		m.progress(m.done, m.total)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		m.err = err
	}
	return n, err
}
