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
	"syscall"
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
	guard := time.AfterFunc(30*time.Second, func() { cmd.Process.Kill() })
	t.Cleanup(func() {
		guard.Stop()
		cmd.Process.Kill()
		master.Close()
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

const (
	waits = "#!/bin/sh\necho ready\nread -r line\necho \"read $line\"\nexit 5\n"
	traps = "#!/bin/sh\ntrap 'echo caught; exit 42' INT\necho ready\nread -r line\n"
	notes = "#!/bin/sh\nfor s in HUP TERM USR1 USR2; do trap \"echo got $s\" $s; done\necho ready\n" +
		"while :; do read -r line && break; done\necho \"read $line\"\nexit 3\n"
)

// TestJobControl has a shell and a terminal do with a program what they do without us.
func TestJobControl(t *testing.T) {
	t.Parallel()
	requireTools(t, "bash", "sh", "git", "ssh-keygen")
	d := newDesk(t, map[string]string{"waits": waits, "traps": traps})
	d.run(0, "trust", "waits", "traps")
	for name, tt := range map[string]struct {
		start string
		keys  string
		code  string
	}{
		"run and Ctrl-C":             {"distrust run ./waits", "\x03", "code 130"},
		"run and Ctrl-\\":            {"distrust run ./waits", "\x1c", "code 131"},
		"run and a trap for Ctrl-C":  {"distrust run ./traps", "\x03", "code 42"},
		"pipe and Ctrl-C":            {"cat waits | distrust pipe -- sh -c 'echo ready; read -r line < /dev/tty'", "\x03", "code 130"},
		"pipe and a trap for Ctrl-C": {"cat traps | distrust pipe -- sh -c 'trap \"exit 42\" INT; echo ready; read -r line < /dev/tty'", "\x03", "code 42"},
		"git and Ctrl-C":             {"distrust git -c alias.x='!echo ready; read -r line' x", "\x03", "code 130"},
	} {
		t.Run(name, func(t *testing.T) {
			s := d.terminal(t, "bash", "--norc", "--noprofile", "-i")
			s.send("ulimit -c 0\n" + tt.start + "\n")
			s.await("\nready\n")
			s.send(tt.keys)
			s.await("$ ")
			s.send("echo \"code $?\"\n")
			s.await("\n" + tt.code + "\n")
			s.send("exit\n")
			s.exit()
			d.tidy()
		})
	}
	t.Run("Ctrl-Z", func(t *testing.T) {
		s := d.terminal(t, "bash", "--norc", "--noprofile", "-i")
		s.send("distrust run ./waits\n")
		s.await("\nready\n")
		s.send("\x1a")
		s.await("Stopped")
		s.send("jobs\n")
		s.await("Stopped")
		s.send("fg\n")
		s.await("\ndistrust run ./waits\n")
		s.send("hello\n")
		s.await("\nread hello\n")
		s.send("echo \"code $?\"\n")
		s.await("\ncode 5\n")
		s.send("exit\n")
		s.exit()
		d.tidy()
	})
}

// TestSignalsArePassedOn sends to us alone what a service manager would send: the program gets it, and we
// stay for its exit code. An interrupt is the terminal's to send.
func TestSignalsArePassedOn(t *testing.T) {
	t.Parallel()
	requireTools(t, "sh", "git", "ssh-keygen")
	d := newDesk(t, map[string]string{"notes": notes, "waits": waits})
	d.run(0, "trust", "notes", "waits")
	start := func(t *testing.T, program string) (*exec.Cmd, io.WriteCloser, *bufio.Reader) {
		cmd := exec.Command("distrust", "run", program)
		cmd.Dir, cmd.Env = filepath.Join(d.c.dir, "work"), d.environ()
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { cmd.Process.Kill() })
		return cmd, in, bufio.NewReader(out)
	}
	says := func(t *testing.T, out *bufio.Reader, want string) {
		t.Helper()
		if line, err := out.ReadString('\n'); line != want+"\n" {
			t.Fatalf("%q, %v; want %q", line, err, want)
		}
	}
	cmd, in, out := start(t, "./notes")
	says(t, out, "ready")
	for name, s := range map[string]os.Signal{"HUP": syscall.SIGHUP, "TERM": syscall.SIGTERM, "USR1": syscall.SIGUSR1, "USR2": syscall.SIGUSR2} {
		cmd.Process.Signal(os.Interrupt)
		cmd.Process.Signal(s)
		says(t, out, "got "+name)
	}
	io.WriteString(in, "line\n")
	says(t, out, "read line")
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 3 {
		t.Errorf("exit code %d", code)
	}
	d.tidy()

	cmd, _, out = start(t, "./waits")
	says(t, out, "ready")
	cmd.Process.Signal(syscall.SIGTERM)
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 143 {
		t.Errorf("exit code %d after TERM", code)
	}
	d.tidy()
}

// TestEndedBeforeTheStart ends us while the question stands: nothing runs, and nothing is left behind.
func TestEndedBeforeTheStart(t *testing.T) {
	t.Parallel()
	requireTools(t, "git", "ssh-keygen")
	d := newDesk(t, map[string]string{"touches": "#!/bin/sh\ntouch ran\n"})
	for name, end := range map[string]func(*screen){
		"TERM":   func(s *screen) { s.cmd.Process.Signal(syscall.SIGTERM) },
		"HUP":    func(s *screen) { s.cmd.Process.Signal(syscall.SIGHUP) },
		"Ctrl-C": func(s *screen) { s.send("\x03") },
		"no":     func(s *screen) { s.send("no\n") },
		"Ctrl-D": func(s *screen) { s.send("\x04") },
	} {
		for _, line := range [][]string{{"distrust", "run", "./touches"}, {"sh", "-c", "cat touches | distrust pipe -- sh; exit $?"}} {
			if name != "Ctrl-C" && name != "no" && name != "Ctrl-D" && line[0] == "sh" {
				continue // the signal would go to the shell
			}
			t.Run(name+" "+line[0], func(t *testing.T) {
				s := d.terminal(t, line[0], line[1:]...)
				s.await(" ?: ")
				end(s)
				if code := s.exit(); code != 125 && line[0] == "distrust" {
					t.Errorf("exit code %d", code)
				}
				if _, err := os.Stat(d.file("ran")); err == nil {
					t.Error("it ran")
				}
				d.tidy()
			})
		}
	}
}

// TestHostileSwappedFile changes a file while the user is asked about it: what was read is shown and used,
// and what lies there now is another file that nobody trusts (S2).
func TestHostileSwappedFile(t *testing.T) {
	t.Parallel()
	requireTools(t, "sh", "git", "ssh-keygen")
	const good, evil = "#!/bin/sh\necho good\n", "#!/bin/sh\necho evil; touch ran\n"
	for name, swap := range map[string]func(desk){
		"replaced": func(d desk) {
			d.write("other", evil)
			if err := os.Rename(d.file("other"), d.file("file")); err != nil {
				d.c.t.Fatal(err)
			}
		},
		"written over": func(d desk) { d.write("file", evil) },
		"removed":      func(d desk) { os.Remove(d.file("file")) },
	} {
		for command, result := range map[string]string{"run": "\ngood\n", "cat": "\necho good\n"} {
			t.Run(name+" "+command, func(t *testing.T) {
				t.Parallel()
				d := newDesk(t, map[string]string{"file": good})
				s := d.terminal(t, "distrust", command, "./file")
				s.await(" ?: ")
				swap(d)
				s.send("view\n")
				s.await("\necho good\n")
				s.await(" ?: ")
				s.send("file\n")
				s.await(result)
				if code := s.exit(); code != 0 {
					t.Errorf("exit code %d:\n%s", code, s.shown.String())
				}
				if strings.Contains(s.shown.String(), "evil") {
					t.Errorf("it was swapped:\n%s", s.shown.String())
				}
				d.write("file", evil)
				d.run(map[string]int{"run": 125, "cat": 3}[command], command, "./file")
				if _, err := os.Stat(d.file("ran")); err == nil {
					t.Error("it ran")
				}
				d.tidy()
			})
		}
	}
}

// TestFormsInShells types the documented forms into shells (C6): asked once, silent the second time. Inside
// <(...) a question is asked only where the terminal listens to us, which no shell must wait for in vain.
func TestFormsInShells(t *testing.T) {
	t.Parallel()
	const load, bare = "distrust ask .envrc && source <(distrust cat .envrc)", "source <(distrust cat .envrc)"
	for _, shell := range []struct {
		line       []string
		load, bare string // with and without asking first
		asks       bool   // without asking first, as it leaves us in the foreground
	}{
		{[]string{"bash", "--norc", "--noprofile", "-i"}, load, bare, true},
		{[]string{"bash", "--norc", "--noprofile", "-i"}, load, "cat <(distrust cat .envrc)", false},
		{[]string{"zsh", "-f", "-i", "+o", "zle"}, load, bare, false},
		{[]string{"fish", "--no-config", "-i"}, "distrust ask .envrc && distrust cat .envrc | source", "distrust cat .envrc | source", true},
	} {
		t.Run(shell.line[0]+" "+shell.bare, func(t *testing.T) {
			t.Parallel()
			requireTools(t, shell.line[0], "git", "ssh-keygen")
			d := newDesk(t, map[string]string{".envrc": "export COLOUR=blue\n"})
			s := d.terminal(t, shell.line[0], shell.line[1:]...)
			s.send(shell.load + "\n")
			s.await(" ?: ")
			s.send("file\n")
			s.await("TRUSTED")
			s.send("echo \"colour $COLOUR.\"\n")
			s.await("colour blue.")
			for range 2 { // a question would take the echo for its answer
				s.send(shell.load + "; echo \"again $COLOUR.\"\n")
				s.await("again blue.")
			}

			d.write(".envrc", "export COLOUR=red\n")
			s.send(shell.bare + "; echo \"still $COLOUR.\"\n")
			if shell.asks {
				s.await(" ?: ")
				s.send("no\n")
			} else {
				s.await("not asked: the terminal belongs to another program just now")
			}
			s.await("refused: UNKNOWN")
			s.await("still blue.")

			s.send("printf 'echo hi\\n' | distrust pipe -- sh\n")
			s.await(" ?: ")
			s.send("file\n")
			s.await("hi\n")
			s.send("printf 'echo hi\\n' | distrust pipe -- sh; echo \"again $COLOUR.\"\n")
			s.await("hi\n")
			s.await("again blue.")
			s.send("exit\n")
			s.exit()
			d.tidy()
		})
	}
}
