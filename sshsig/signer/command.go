package signer

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const (
	// maxOutput bounds what is kept of a program's output.
	maxOutput = 64 << 10
	// waitDelay is how long a killed program's children may hold its output open.
	waitDelay = 2 * time.Second
)

// passedOn are the variables that programs we run may see. Nothing else of the environment reaches
// them, so none of GIT_*, LD_* or the like can change what they do behind the caller's back.
var passedOn = []string{
	"PATH", "LANG", "TERM", "TMPDIR", "DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY",
	"XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "DBUS_SESSION_BUS_ADDRESS",
	"SSH_ASKPASS", "SSH_ASKPASS_REQUIRE", "SSH_SK_PROVIDER",
	"GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM",
	"SYSTEMROOT", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA", "TEMP", "PATHEXT",
}

// getenv reads the user's environment as it was handed in.
func (src Sources) getenv(name string) string {
	if src.Getenv == nil {
		return ""
	}
	return src.Getenv(name)
}

// environment is what a program we run sees. It is never nil, which would mean all of ours.
func (src Sources) environment(extra ...string) []string {
	env := []string{"LC_ALL=C", "HOME=" + src.Home}
	for _, name := range passedOn {
		if value := src.getenv(name); value != "" {
			env = append(env, name+"="+value)
		}
	}
	if src.AgentSocket != "" {
		env = append(env, "SSH_AUTH_SOCK="+src.AgentSocket)
	}
	return append(env, extra...)
}

// errNoProgram means that a program is not installed.
var errNoProgram = errors.New("program not found")

// program finds a program: the one given, or name in the user's PATH. Relative entries of PATH are
// passed over, for they would run what lies in the current folder.
func (src Sources) program(given, name string) (string, error) {
	if given == "" {
		given = name
	}
	if filepath.Base(given) != given {
		path, err := exec.LookPath(given)
		if err != nil {
			return "", fmt.Errorf("%w: %s", errNoProgram, given)
		}
		return filepath.Abs(path)
	}
	for _, dir := range filepath.SplitList(src.getenv("PATH")) {
		if !filepath.IsAbs(dir) {
			continue
		}
		if path, err := exec.LookPath(filepath.Join(dir, given)); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("%w: %s", errNoProgram, given)
}

// output runs a program without input and returns what it prints. It is killed when ctx is done.
func output(ctx context.Context, env []string, dir, program string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env, cmd.Dir, cmd.WaitDelay = env, dir, waitDelay
	var stdout, stderr boundedBuffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if ctx.Err() != nil {
		return nil, fmt.Errorf("running %s: %w", program, ctx.Err())
	}
	if err != nil {
		return nil, &commandError{program: program, err: err, said: stderr.lastLine()}
	}
	if stdout.cut {
		return nil, fmt.Errorf("running %s: it printed more than %d bytes", program, maxOutput)
	}
	return stdout.kept, nil
}

// commandError is a program that ran and failed.
type commandError struct {
	program string
	err     error
	said    string // last line of its standard error; foreign text
}

// Error implements error.
func (e *commandError) Error() string {
	if e.said == "" {
		return fmt.Sprintf("running %s: %v", e.program, e.err)
	}
	return fmt.Sprintf("running %s: %v: %q", e.program, e.err, e.said)
}

// Unwrap returns the cause.
func (e *commandError) Unwrap() error { return e.err }

// boundedBuffer keeps the first maxOutput bytes and swallows the rest.
type boundedBuffer struct {
	kept []byte
	cut  bool
}

// Write implements io.Writer.
func (b *boundedBuffer) Write(p []byte) (int, error) {
	room := min(maxOutput-len(b.kept), len(p))
	b.kept = append(b.kept, p[:room]...)
	b.cut = b.cut || room < len(p)
	return len(p), nil
}

// lastLine is the last line that is not empty, shortened.
func (b *boundedBuffer) lastLine() string {
	lines := strings.Split(strings.TrimSpace(string(b.kept)), "\n")
	last := strings.TrimSpace(lines[len(lines)-1])
	return last[:min(len(last), 200)]
}
