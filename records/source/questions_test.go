package source

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/distributed-trust/distrust/records/internal/testkit"
)

// TestCredentialsAcrossTheBorder fetches from a server that asks who is there: the process that fetches
// asks for the secret, once, and does not keep it.
func TestCredentialsAcrossTheBorder(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("whom to trust is not in the environment on this system")
	}
	alice := newForge(t, "alice")
	to, err := url.Parse(testkit.Serve(t, filepath.Dir(alice.dir)).URL)
	if err != nil {
		t.Fatal(err)
	}
	behind := httputil.NewSingleHostReverseProxy(to)
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, secret, _ := r.BasicAuth(); user != "me" || secret != "secret" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		behind.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	file := filepath.Join(t.TempDir(), "server.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	m := newMachine(t)
	m.opt.Child = func(ctx context.Context) *exec.Cmd {
		command := childOf("honest")(ctx)
		command.Env = append(command.Env, "SSL_CERT_FILE="+file)
		return command
	}
	spec := Spec{Name: "alice", URL: server.URL + "/alice", Fingerprint: alice.key.Fingerprint()}
	asked, refused := 0, errors.New("the helper does not know")
	m.opt.Access.Credentials = func(context.Context, string) (user, secret string, err error) {
		asked++
		return "", "", refused
	}
	if r := m.first(spec, nil); r.State != StateUnreachable || !errors.Is(r.Err, ErrAuth) || !errors.Is(r.Err, refused) || asked != 1 {
		t.Errorf("without a secret: asked %d times, %s: %v", asked, r.State, r.Err)
	}
	m.opt.Access.Credentials = func(_ context.Context, url string) (user, secret string, err error) {
		if url != spec.URL {
			t.Errorf("asked for the secret of %s", url)
		}
		return "me", "secret", nil
	}
	if r := m.first(spec, nil); r.State != StateNews {
		t.Errorf("with the secret: %s: %v", r.State, r.Err)
	}
	err = filepath.WalkDir(filepath.Dir(m.dirs.Data), func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if strings.Contains(string(b), "secret") {
			t.Errorf("%s holds the secret", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestHostQuestionAcrossTheBorder asks about an unknown ssh host in the process of the user, and hands
// back the answer.
func TestHostQuestionAcrossTheBorder(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.opt.Child = childOf("asks about a host")
	var asked []HostKey
	answer := error(nil)
	m.opt.Access.SSH.AcceptHost = func(_ context.Context, host HostKey) error {
		asked = append(asked, host)
		return answer
	}
	spec := Spec{Name: "alice", URL: "git@example.org:alice", Fingerprint: newForge(t, "alice").key.Fingerprint()}
	if r := m.first(spec, nil); r.Err == nil || !strings.Contains(r.Err.Error(), "the answer is yes") {
		t.Errorf("%s: %v", r.State, r.Err)
	}
	answer = errors.New("not this one")
	if r := m.first(spec, nil); !errors.Is(r.Err, answer) || !strings.Contains(r.Err.Error(), "the answer is not this one") {
		t.Errorf("%s: %v", r.State, r.Err)
	}
	if len(asked) != 2 || asked[0].Host != "example.org" || asked[0].Fingerprint != "SHA256:"+strings.Repeat("x", 43) {
		t.Errorf("asked about %+v", asked)
	}
}

// asksAboutHost is a process that meets an unknown host, and says what it is told.
func asksAboutHost(l *lie) error {
	text := "yes"
	if _, err := l.ask(question{Host: &HostKey{Host: "example.org", Fingerprint: "SHA256:" + strings.Repeat("x", 43)}}); err != nil {
		text = err.Error()
	}
	return l.writeJSON(frameEnd, ending{Fault: faultOf(fmt.Errorf("the answer is %s: %w", text, ErrUnknownHost))})
}
