//go:build unix

package cli_test

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
)

// desk is a person at a terminal, with a folder for temporary files of their own.
type desk struct {
	*person
	temporary string
}

// newDesk has files that may be executed, and a person who has a key.
func newDesk(t *testing.T, files map[string]string) desk {
	t.Helper()
	c := newCircle(t)
	d := desk{c.follower("me"), filepath.Join(c.dir, "temporary")}
	if err := os.Mkdir(d.temporary, 0o700); err != nil {
		t.Fatal(err)
	}
	c.write("seed", "seed\n")
	d.run(0, "trust", "seed", "--make-key")
	for name, text := range files {
		d.write(name, text)
	}
	return d
}

func (d desk) write(name, text string) {
	d.c.t.Helper()
	d.c.write(name, text)
	if err := os.Chmod(d.file(name), 0o755); err != nil {
		d.c.t.Fatal(err)
	}
}

func (d desk) file(name string) string { return filepath.Join(d.c.dir, "work", name) }

// environ is what programs at the desk have in their environment.
func (d desk) environ() []string {
	env := slices.DeleteFunc(d.command().Env, func(v string) bool { return strings.HasPrefix(v, "CI=") })
	return append(env, "TMPDIR="+d.temporary, "TERM=dumb", "PS1=$ ", "NO_COLOR=1")
}

// tidy fails unless every temporary file is gone.
func (d desk) tidy() {
	d.c.t.Helper()
	left, err := filepath.Glob(filepath.Join(d.temporary, "distrust-*"))
	if err != nil || len(left) > 0 {
		d.c.t.Errorf("left behind: %v, %v", left, err)
	}
}

// screen is a terminal and the program on it.
type screen struct {
	t      *testing.T
	cmd    *exec.Cmd
	master *os.File
	out    *bufio.Reader
	shown  strings.Builder
	since  int // where the next text is looked for
}

// terminal starts a program on a terminal of its own.
func (d desk) terminal(t *testing.T, program string, args ...string) *screen {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Env = filepath.Join(d.c.dir, "work"), d.environ()
	master, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 80})
	if err != nil {
		t.Fatal(err)
	}
	hangUp := func() { // what the program started may hold the terminal for longer than the program
		cmd.Process.Kill()
		master.Close()
	}
	guard := time.AfterFunc(30*time.Second, hangUp)
	t.Cleanup(func() {
		guard.Stop()
		hangUp()
	})
	return &screen{t: t, cmd: cmd, master: master, out: bufio.NewReader(master)}
}

// await reads until text is there, behind what was awaited before.
func (s *screen) await(text string) {
	s.t.Helper()
	for !strings.Contains(s.shown.String()[s.since:], text) {
		b, err := s.out.ReadByte()
		if err != nil {
			s.t.Fatalf("the program ended before it showed %q:\n%s", text, s.shown.String())
		}
		if b != '\r' {
			s.shown.WriteByte(b)
		}
	}
	s.since = s.shown.Len()
}

func (s *screen) send(keys string) {
	s.t.Helper()
	if _, err := io.WriteString(s.master, keys); err != nil {
		s.t.Fatal(err)
	}
}

// exit reads to the end and returns the exit code, -1 after a signal.
func (s *screen) exit() int {
	s.t.Helper()
	for {
		b, err := s.out.ReadByte()
		if err != nil {
			break
		}
		if b != '\r' {
			s.shown.WriteByte(b)
		}
	}
	err := s.cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		s.t.Fatal(err)
	}
	return s.cmd.ProcessState.ExitCode()
}
