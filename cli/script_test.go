package cli_test

import (
	"encoding/pem"
	"io"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/distributed-trust/distrust/cli"
)

// clockVariable sets the clock of the program inside scripts; only the test binary knows it.
const clockVariable = "SCRIPT_NOW"

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"distrust": func() {
		env := cli.OS()
		if now, err := time.Parse(time.RFC3339, os.Getenv(clockVariable)); err == nil {
			env.Now = func() time.Time { return now }
		}
		os.Exit(cli.Main(os.Args, env))
	}})
}

// TestScripts runs the command line as its users do: a process for each line, an empty home, and
// the real ssh-keygen and git beside it.
func TestScripts(t *testing.T) {
	t.Parallel()
	requireTools(t, "git", "ssh-keygen", "sha256sum", "sh")
	runScripts(t, "testdata/script")
}

// TestSignerScripts runs those that need the tools with which others sign.
func TestSignerScripts(t *testing.T) {
	t.Parallel()
	requireTools(t, "gpg", "minisign", "signify-openbsd", "sha256sum", "sh")
	runScripts(t, "testdata/signers")
}

func runScripts(t *testing.T, dir string) {
	t.Helper()
	testscript.Run(t, testscript.Params{
		Dir:                 dir,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "",
		Setup:               setUpScript,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits,
			"serve": serve,
			"offer": offer,
			"as":    as,

			"terminal": onTerminal,
			"fits":     fits,
			"visible":  visible,
			"narrow":   narrow,
			"paste":    paste,
		},
	})
}

// requireTools skips where a program is missing, and fails under CI.
func requireTools(t *testing.T, programs ...string) {
	t.Helper()
	for _, program := range programs {
		if _, err := exec.LookPath(program); err == nil {
			continue
		}
		if os.Getenv("CI") != "" {
			t.Fatalf("%s is missing", program)
		}
		t.Skipf("%s is missing", program)
	}
}

// setUpScript gives every script a person with an empty home folder of their own.
func setUpScript(env *testscript.Env) error {
	env.Setenv(clockVariable, "2026-11-21T10:00:00Z")
	env.Setenv("GIT_CONFIG_NOSYSTEM", "1")
	env.Setenv("TERM", "xterm")
	return become(env.Setenv, env.WorkDir, "me")
}

// become makes a person: a home folder with nothing in it.
func become(setenv func(name, value string), work, who string) error {
	home := filepath.Join(work, "people", who)
	setenv("HOME", home)
	for _, variable := range []string{"XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "SSH_AUTH_SOCK"} {
		setenv(variable, "")
	}
	setenv("D", filepath.Join(home, ".local", "share", "distrust"))
	return os.MkdirAll(home, 0o700)
}

// as NAME goes on as another person with a home folder of their own.
func as(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: as NAME")
	}
	ts.Check(become(ts.Setenv, ts.Getenv("WORK"), args[0]))
}

// exits CODE COMMAND... runs a command and holds its exit code to CODE; stdout and stderr are then
// there to be matched, as after exec.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	if exit, ok := err.(*exec.ExitError); ok { //nolint:errorlint // testscript hands on what os/exec gave
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("running %v: %v", args[1:], err)
	}
	if got != want {
		ts.Fatalf("%v: exit code %d, want %d", args[1:], got, want)
	}
}

// serve [-tls] FOLDER serves the git repositories in a folder over http or https with git's own
// server, and sets URL to its address; SSL_CERT_FILE then holds what vouches for it.
func serve(ts *testscript.TestScript, neg bool, args []string) {
	secure := len(args) == 2 && args[0] == "-tls"
	if secure {
		args = args[1:]
	}
	if neg || len(args) != 1 {
		ts.Fatalf("usage: serve [-tls] FOLDER")
	}
	git, err := exec.LookPath("git")
	ts.Check(err)
	server := httptest.NewUnstartedServer(http.Handler(&cgi.Handler{
		Path: git, Args: []string{"http-backend"}, Stderr: io.Discard,
		Env: []string{
			"GIT_PROJECT_ROOT=" + ts.MkAbs(args[0]), "GIT_HTTP_EXPORT_ALL=1", "GIT_CONFIG_NOSYSTEM=1",
			"GIT_CONFIG_COUNT=2", "GIT_CONFIG_KEY_0=http.receivepack", "GIT_CONFIG_VALUE_0=true",
			"GIT_CONFIG_KEY_1=safe.directory", "GIT_CONFIG_VALUE_1=*",
		},
	}))
	if secure {
		server.StartTLS()
		file := ts.MkAbs("server.pem")
		ts.Check(os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600))
		ts.Setenv("SSL_CERT_FILE", file)
	} else {
		server.Start()
	}
	ts.Defer(server.Close)
	ts.Setenv("URL", server.URL)
}
