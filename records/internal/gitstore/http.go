package gitstore

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/transport"
	githttp "github.com/go-git/go-git/v5/plumbing/transport/http"
)

// secure reports whether a secret may be sent there.
func (r remote) secure() bool { return strings.HasPrefix(r.address, "https://") }

// httpSession speaks git's smart http. go-git's transport does the talking: it
// follows redirects of the first request only, never from https to http, and
// drops credentials when the host changes. Everything it reads goes through our
// round tripper, which counts.
type httpSession struct {
	base  *http.Transport
	fetch transport.UploadPackSession
	send  transport.ReceivePackSession
}

func dialHTTP(to remote, a Access, l line, want service, known *answers) (session, error) {
	base := &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		ForceAttemptHTTP2:      true,
		TLSClientConfig:        &tls.Config{RootCAs: a.roots, MinVersion: tls.VersionTLS12},
		DisableCompression:     true, // git compresses; a bomb would only be larger
		MaxResponseHeaderBytes: 64 << 10,
	}
	client := githttp.NewClient(&http.Client{Transport: &roundTripper{base: base, line: l, secure: to.secure()}})
	endpoint, err := transport.NewEndpoint(to.address)
	if err != nil {
		return nil, err
	}
	var auth transport.AuthMethod
	if known.user != "" && to.secure() {
		auth = &githttp.BasicAuth{Username: known.user, Password: known.secret}
	}
	s := &httpSession{base: base}
	if want == forPush {
		s.send, err = client.NewReceivePackSession(endpoint, auth)
	} else {
		s.fetch, err = client.NewUploadPackSession(endpoint, auth)
	}
	return s, err
}

func (s *httpSession) refs(ctx context.Context) (*packp.AdvRefs, error) {
	if s.send == nil {
		return s.fetch.AdvertisedReferencesContext(ctx)
	}
	refs, err := s.send.AdvertisedReferencesContext(ctx)
	if errors.Is(err, transport.ErrEmptyRemoteRepository) {
		return packp.NewAdvRefs(), nil // a server that sends only a flush; the push makes the first branch
	}
	return refs, err
}

func (s *httpSession) pack(ctx context.Context, req *packp.UploadPackRequest) (io.ReadCloser, error) {
	return s.fetch.UploadPack(ctx, req)
}

func (s *httpSession) push(ctx context.Context, req *packp.ReferenceUpdateRequest) (*packp.ReportStatus, error) {
	return s.send.ReceivePack(ctx, req)
}

func (s *httpSession) Close() error {
	s.base.CloseIdleConnections()
	return nil
}

// roundTripper limits what a server may answer, request by request.
type roundTripper struct {
	base   http.RoundTripper
	line   line
	secure bool // the first address was https
}

// maxErrorPage is how much of an error page is read; go-git reads all of it.
const maxErrorPage = 64 << 10

func (t *roundTripper) RoundTrip(req *http.Request) (*http.Response, error) {
	if t.secure && req.URL.Scheme != "https" {
		return nil, &HostileError{What: "a redirect away from https to", Where: clip(req.URL.Redacted())}
	}
	t.line.idle.heard()
	if req.Body != nil {
		req = req.Clone(req.Context())
		req.Body = &heardBody{req.Body, t.line.idle}
	}
	res, err := t.base.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	t.line.idle.heard()
	body := io.Reader(t.line.transfer(res.Body))
	switch {
	case res.StatusCode >= 300:
		body = io.LimitReader(res.Body, maxErrorPage)
	case req.Method == http.MethodGet:
		body = t.line.advertisement(res.Body)
	}
	res.Body = struct {
		io.Reader
		io.Closer
	}{body, res.Body}
	return res, nil
}

// heardBody counts what the server takes of a request as a sign of life.
type heardBody struct {
	io.ReadCloser
	idle *watch
}

func (b *heardBody) Read(p []byte) (int, error) {
	b.idle.heard()
	return b.ReadCloser.Read(p)
}
