package testkit

import (
	"bytes"
	"io"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// Need skips without an outside program, which proves nothing: under CI it fails.
func Need(t testing.TB, programs ...string) {
	t.Helper()
	for _, program := range programs {
		if _, err := exec.LookPath(program); err != nil {
			if os.Getenv("CI") != "" {
				t.Fatalf("%s is missing", program)
			}
			t.Skipf("%s is missing", program)
		}
	}
}

// Env is an environment in which git knows nothing of the machine, and the same people at the same
// time commit.
func Env() []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + os.DevNull, "LC_ALL=C", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + os.DevNull,
		"GIT_CONFIG_COUNT=2", "GIT_CONFIG_KEY_0=maintenance.auto", "GIT_CONFIG_VALUE_0=false", "GIT_CONFIG_KEY_1=gc.auto", "GIT_CONFIG_VALUE_1=0",
		"GIT_AUTHOR_NAME=A U Thor", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_AUTHOR_DATE=1700000000 +0000",
		"GIT_COMMITTER_NAME=C O Mitter", "GIT_COMMITTER_EMAIL=c@example.org", "GIT_COMMITTER_DATE=1700000000 +0000",
	}
}

// Run runs a program in a folder and gives what it printed. A missing program ends the test.
func Run(t testing.TB, dir string, stdin []byte, program string, args ...string) (string, error) {
	t.Helper()
	Need(t, program)
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Env, cmd.Stdin = dir, Env(), bytes.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	return strings.TrimRight(string(out), "\n"), err
}

// Git runs git in a folder.
func Git(t testing.TB, dir string, args ...string) string {
	t.Helper()
	return GitReads(t, dir, nil, args...)
}

// GitReads runs git in a folder with something to read.
func GitReads(t testing.TB, dir string, stdin []byte, args ...string) string {
	t.Helper()
	out, err := Run(t, dir, stdin, "git", args...)
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// Server is git behind http.
type Server struct {
	URL      string
	Requests atomic.Int64
}

// Serve serves the repositories below a folder with git itself, for reading and writing.
func Serve(t testing.TB, dir string) *Server {
	t.Helper()
	backend := filepath.Join(Git(t, dir, "--exec-path"), "git-http-backend")
	Need(t, backend)
	handler := &cgi.Handler{
		Path: backend, Stderr: io.Discard,
		Env: append(Env(), "GIT_PROJECT_ROOT="+dir, "GIT_HTTP_EXPORT_ALL=1", "REMOTE_USER=tester"), // a user may push
	}
	s := new(Server)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.Requests.Add(1)
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	s.URL = server.URL
	return s
}
