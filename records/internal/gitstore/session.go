package gitstore

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
	"unicode"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/pktline"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/transport"
	githttp "github.com/go-git/go-git/v5/plumbing/transport/http"
)

// Access is how a remote repository is reached and who answers its questions.
// Questions are asked between two attempts, never while a connection waits.
type Access struct {
	Typed    bool // a person typed the URL: a local path is allowed (S3.1)
	Insecure bool // http:// and git:// are allowed

	// Credentials gives a name and a secret for an https URL whose server asks
	// for them; nil: there are none. It is asked once, and never for http.
	Credentials func(ctx context.Context, url string) (user, secret string, err error)

	SSH SSH

	roots *x509.CertPool // whom https trusts; nil: whom the system trusts
}

// session is one conversation with a repository: what it has, then one request.
type session interface {
	refs(ctx context.Context) (*packp.AdvRefs, error)
	// pack asks for objects and gives what is sent, still multiplexed when the
	// request says so.
	pack(ctx context.Context, req *packp.UploadPackRequest) (io.ReadCloser, error)
	// push sends objects and moves a reference; it closes the pack that it read.
	push(ctx context.Context, req *packp.ReferenceUpdateRequest) (*packp.ReportStatus, error)
	Close() error
}

type service string

const (
	forFetch service = transport.UploadPackServiceName
	forPush  service = transport.ReceivePackServiceName
)

// answers holds what was asked of a person or a helper.
type answers struct {
	user, secret string
	host         *HostKey
}

// converse holds one conversation under the limits, and once more when it ended
// in a question that somebody answered.
func converse(ctx context.Context, to remote, a Access, l Limits, want service, talk func(context.Context, session) error) error {
	var known answers
	for {
		err := attempt(ctx, to, a, l, want, &known, talk)
		var host *HostKeyError
		switch {
		case errors.As(err, &host) && !host.Changed && a.SSH.AcceptHost != nil && known.host == nil:
			if refused := a.SSH.AcceptHost(ctx, host.HostKey); refused != nil {
				return errors.Join(err, refused)
			}
			if failed := a.SSH.remember(host.HostKey); failed != nil {
				return failed
			}
			known.host = &host.HostKey
		case errors.Is(err, ErrAuth) && to.secure() && a.Credentials != nil && known.user == "":
			user, secret, failed := a.Credentials(ctx, to.address)
			if failed != nil || user == "" {
				return errors.Join(err, failed)
			}
			known.user, known.secret = user, secret
		default:
			return err
		}
	}
}

// attempt is one connection: it ends when the conversation does, at the
// deadline, or when the other side is silent for too long.
func attempt(ctx context.Context, to remote, a Access, l Limits, want service, known *answers, talk func(context.Context, session) error) (err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	deadline := time.AfterFunc(l.Timeout, func() { cancel(tooLong("milliseconds in all", l.Timeout, "timeout")) })
	defer deadline.Stop()
	idle := &watch{limit: l.Idle}
	idle.timer = time.AfterFunc(l.Idle, func() { cancel(tooLong("milliseconds of silence", l.Idle, "idle")) })
	defer idle.timer.Stop()
	line := line{limits: l, idle: idle, cancel: cancel}

	var s session
	switch to.scheme {
	case schemeHTTP:
		s, err = dialHTTP(to, a, line, want, known)
	case schemeSSH:
		s, err = dialSSH(ctx, to, a.SSH, line, want, known)
	case schemeGit:
		s, err = dialGit(ctx, to, line, want)
	case schemePath:
		idle.timer.Stop() // nobody is at the other side but ourselves
		s, err = openLocal(to.path, line)
	}
	if err == nil {
		err = talk(ctx, s)
		s.Close()
	}
	return explain(ctx, err)
}

func tooLong(what string, limit time.Duration, option string) error {
	return &LimitError{What: what, Limit: limit.Milliseconds(), Got: limit.Milliseconds() + 1, Option: option}
}

// line is what every kind of connection is held to.
type line struct {
	limits Limits
	idle   *watch
	cancel context.CancelCauseFunc
}

// watch cancels a conversation when nothing comes for too long.
type watch struct {
	limit time.Duration
	timer *time.Timer
}

// heard says that the other side did something.
func (w *watch) heard() { w.timer.Reset(w.limit) }

// meter counts what is read from the other side and ends the conversation after
// the limit; what was read until then is handed on.
type meter struct {
	io.Reader
	line line
	left int64
	err  *LimitError
}

func (m *meter) Read(p []byte) (int, error) {
	if m.left < 0 {
		return 0, m.err
	}
	n, err := m.Reader.Read(p)
	if n > 0 {
		m.line.idle.heard()
	}
	if m.left -= int64(n); m.left < 0 {
		m.err.Got = m.err.Limit + 1
		m.line.cancel(m.err)
		return 0, m.err
	}
	return n, err
}

// advertisement limits the list of references.
func (l line) advertisement(r io.Reader) *meter {
	return &meter{Reader: r, line: l, left: l.limits.Advertisement, err: &LimitError{
		What: "bytes of the list of references", Limit: l.limits.Advertisement, Option: "advertisement",
	}}
}

// transfer limits everything else: the pack, its frames, and a little for what
// is said along with it.
func (l line) transfer(r io.Reader) *meter {
	return &meter{Reader: r, line: l, left: l.limits.PackBytes + l.limits.PackBytes/64 + 1<<20, err: &LimitError{
		What: "pack bytes", Limit: l.limits.PackBytes, Option: "pack",
	}}
}

// explain finds the cause in what the protocol reports and gives it the name
// that callers branch on.
func explain(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	var limit *LimitError
	var hostile *HostileError
	var unexpected *plumbing.UnexpectedError
	var permanent *plumbing.PermanentError
	var garbled *packp.ErrUnexpectedData
	var said *pktline.ErrorLine
	var status *githttp.Err
	var network net.Error
	switch {
	case errors.As(err, &limit), errors.As(err, &hostile):
		return err
	case errors.As(err, &unexpected):
		return explain(ctx, unexpected.Err)
	case errors.As(err, &permanent):
		return explain(ctx, permanent.Err)
	case errors.Is(err, transport.ErrRepositoryNotFound):
		return named(ErrNotRepository, nil)
	case errors.Is(err, transport.ErrEmptyRemoteRepository):
		return named(ErrEmptyRemote, nil)
	case errors.Is(err, transport.ErrAuthenticationRequired), errors.Is(err, transport.ErrAuthorizationFailed):
		return named(ErrAuth, nil)
	case errors.As(err, &said):
		return named(ErrNotRepository, fmt.Errorf("it says %q", clip(said.Text)))
	case errors.As(err, &garbled), errors.Is(err, pktline.ErrInvalidPktLen):
		return named(ErrNotRepository, errors.New("its answer is not git's"))
	case errors.As(err, &status):
		return named(ErrUnreachable, fmt.Errorf("the server answers %d", status.StatusCode()))
	case errors.As(err, &network), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return named(ErrUnreachable, foreign{err})
	}
	return foreign{err}
}

// foreign is an error that may quote the other side: what it says is made safe
// to print, and what it is stays.
type foreign struct{ error }

func (f foreign) Error() string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, clip(f.error.Error()))
}

func (f foreign) Unwrap() error { return f.error }

// named puts a cause under the error that callers branch on.
func named(kind, cause error) error {
	if cause == nil {
		return kind
	}
	return fmt.Errorf("%w: %w", kind, cause)
}

// stream is a conversation over one connection, as ssh and git have it.
type stream struct {
	line line
	in   io.WriteCloser
	out  io.Reader
	end  func() error
	said func() string // what the other side wrote to its error stream
}

func (s *stream) Close() error { return s.end() }

func (s *stream) refs(context.Context) (*packp.AdvRefs, error) {
	refs := packp.NewAdvRefs()
	err := refs.Decode(s.line.advertisement(s.out))
	switch {
	case errors.Is(err, packp.ErrEmptyAdvRefs):
		err = nil // empty, and that is for the caller to judge
	case errors.Is(err, packp.ErrEmptyInput):
		// Nothing but words, and these for people: there is no repository, or
		// no right to it, and servers do not tell which.
		return nil, named(ErrNotRepository, fmt.Errorf("it says %q", clip(s.said())))
	case err != nil:
		return nil, err
	}
	transport.FilterUnsupportedCapabilities(refs.Capabilities)
	return refs, err
}

func (s *stream) pack(_ context.Context, req *packp.UploadPackRequest) (io.ReadCloser, error) {
	if err := req.UploadRequest.Encode(s.in); err != nil {
		return nil, err
	}
	if err := req.UploadHaves.Encode(s.in, true); err != nil {
		return nil, err
	}
	if err := pktline.NewEncoder(s.in).EncodeString("done\n"); err != nil {
		return nil, err
	}
	if err := s.in.Close(); err != nil {
		return nil, err
	}
	answer := packp.NewUploadPackResponse(req)
	if err := answer.Decode(io.NopCloser(s.line.transfer(s.out))); err != nil {
		return nil, err
	}
	return answer, nil
}

func (s *stream) push(_ context.Context, req *packp.ReferenceUpdateRequest) (*packp.ReportStatus, error) {
	if err := req.Encode(heardWriter{s.in, s.line.idle}); err != nil {
		return nil, err
	}
	if err := s.in.Close(); err != nil {
		return nil, err
	}
	report := packp.NewReportStatus()
	if !req.Capabilities.Supports(capability.ReportStatus) {
		return nil, errors.New("the server does not report what it did")
	}
	return report, report.Decode(s.line.advertisement(s.out))
}

// heardWriter counts what the other side takes as a sign of life.
type heardWriter struct {
	io.Writer
	idle *watch
}

func (w heardWriter) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	if n > 0 {
		w.idle.heard()
	}
	return n, err
}

// dialGit speaks git's own protocol, which neither hides nor proves anything.
func dialGit(ctx context.Context, to remote, l line, want service) (session, error) {
	port := to.port
	if port == "" {
		port = "9418"
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(to.host, port))
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	end := func() error { stop(); return conn.Close() }
	if err := pktline.NewEncoder(conn).Encodef("%s %s\x00host=%s\x00", want, to.path, to.host); err != nil {
		return nil, errors.Join(err, end())
	}
	in := struct {
		io.Writer
		io.Closer
	}{conn, closerFunc(conn.(*net.TCPConn).CloseWrite)}
	return &stream{line: l, in: in, out: conn, end: end, said: func() string { return "" }}, nil
}

type closerFunc func() error

func (f closerFunc) Close() error { return f() }
