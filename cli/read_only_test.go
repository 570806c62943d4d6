//go:build unix

package cli_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// nobody is the user that root becomes to be refused anything.
const nobody = 65534

// unprivileged has a command run by somebody whom permissions keep out.
func unprivileged(t *testing.T, cmd *exec.Cmd) *exec.Cmd {
	t.Helper()
	if os.Getuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	return cmd
}

// TestReadOnlyHome takes away the permission to write: what is known still answers, nothing asks for
// more than it needs, and what has to write says where it cannot (S4).
func TestReadOnlyHome(t *testing.T) {
	t.Parallel()
	requireTools(t, "git", "ssh-keygen")
	c := newCircle(t)
	alice, me := c.publisher("alice"), c.follower("me")
	c.write("known", "known\n")
	c.write("unknown", "unknown\n")
	c.publish(alice, "trust", "known")
	me.run(0, "follow", alice.url, "--tofu", "--weight", "full")
	me.run(0, "trust", "unknown", "--make-key", "--private")
	program, err := exec.LookPath("distrust")
	if err != nil {
		t.Fatal(err)
	}
	// What root made for the test belongs to whoever runs it from here on.
	open := []string{filepath.Dir(program), filepath.Dir(filepath.Dir(program)), filepath.Dir(c.dir), c.dir}
	for _, dir := range open {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	err = filepath.WalkDir(c.dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && os.Getuid() == 0 {
			err = os.Lchown(path, nobody, nobody)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var closed []string
	err = filepath.WalkDir(me.home, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			closed = append(closed, path)
		case d.Type().IsRegular():
			return os.Chmod(path, 0o400)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range closed {
		if err := os.Chmod(dir, 0o500); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		for _, dir := range closed {
			_ = os.Chmod(dir, 0o700)
		}
	})
	for _, step := range []struct {
		exit int
		line string
		says string
	}{
		{0, "check known", "TRUSTED  known"},
		{0, "why known", "alice (full)"},
		{0, "check unknown", "TRUSTED  unknown"},
		{0, "sources", "alice"},
		{0, "list", "known"},
		{0, "alarms", ""},
		{1, "trust known", "permission denied"},
		{1, "sync", "permission denied"},
		{1, "unfollow alice", "permission denied"},
		{0, "check known", "TRUSTED  known"},
	} {
		cmd := unprivileged(t, me.command(strings.Fields(step.line)...))
		out, err := cmd.CombinedOutput()
		if cmd.ProcessState == nil {
			t.Fatal(err)
		}
		if cmd.ProcessState.ExitCode() != step.exit || !strings.Contains(string(out), step.says) {
			t.Errorf("distrust %s: %v, want exit code %d and %q:\n%s", step.line, cmd.ProcessState, step.exit, step.says, out)
		}
	}
}
