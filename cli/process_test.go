//go:build unix

package cli_test

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	waits = "#!/bin/sh\necho ready\nread -r line\necho \"read $line\"\nexit 5\n"
	traps = "#!/bin/sh\ntrap 'echo caught; exit 42' INT\necho ready\nread -r line\n"
	gated = "#!/bin/sh\necho ready\nread -r gate < gate\nread -r line\necho \"read $line\"\nexit 5\n"
	ttys  = "#!/bin/sh\ntest -t 0 && test -t 1 && test -t 2 && echo terminals\n"
	notes = "#!/bin/sh\nfor s in HUP TERM USR1 USR2; do trap \"echo got $s\" $s; done\necho ready\n" +
		"until read -r line && test -n \"$line\"; do echo more || exit; done\necho \"read $line\"\nexit 3\n"
)

// TestJobControl has a shell and a terminal do with a program what they do without us. An interrupt ends the
// shell's loop, too.
func TestJobControl(t *testing.T) {
	t.Parallel()
	requireTools(t, "bash", "sh", "git", "ssh-keygen")
	d := newDesk(t, map[string]string{"waits": waits, "traps": traps, "gated": gated, "ttys": ttys})
	d.run(0, "trust", "waits", "traps", "gated", "ttys")
	for name, tt := range map[string]struct {
		start string
		keys  string // a line ends a read in which a shell keeps its trap waiting
		code  string
	}{
		"run and Ctrl-C":             {"for round in 1 2; do distrust run ./waits; done", "\x03", "code 130"},
		"run and Ctrl-\\":            {"distrust run ./waits", "\x1c", "code 131"},
		"run and a trap for Ctrl-C":  {"distrust run ./traps", "\x03\n", "code 42"},
		"pipe and Ctrl-C":            {"for round in 1 2; do cat waits | distrust pipe -- sh -c 'echo ready; read -r line < /dev/tty'; done", "\x03", "code 130"},
		"pipe and a trap for Ctrl-C": {"cat traps | distrust pipe -- sh -c 'trap \"exit 42\" INT; echo ready; read -r line < /dev/tty'", "\x03\n", "code 42"},
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
	t.Run("streams", func(t *testing.T) {
		s := d.terminal(t, "distrust", "run", "./ttys")
		s.await("terminals\n")
		s.exit()
		s = d.terminal(t, "distrust", "git", "-c", "alias.x=!test -t 0 && test -t 1 && test -t 2 && echo terminals", "x")
		s.await("terminals\n")
		s.exit()
	})
	t.Run("Ctrl-Z", func(t *testing.T) {
		// Where the program reads from the terminal, it may take a byte of what is typed before it has stopped.
		gate := filepath.Join(d.c.dir, "work", "gate")
		if err := syscall.Mkfifo(gate, 0o600); err != nil {
			t.Fatal(err)
		}
		opened, err := os.OpenFile(gate, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer opened.Close()
		s := d.terminal(t, "bash", "--norc", "--noprofile", "-i")
		s.send("distrust run ./gated\n")
		s.await("\nready\n")
		s.send("\x1a")
		s.await("Stopped")
		s.await("$ ")
		s.send("jobs\n")
		s.await("Stopped")
		s.await("$ ")
		s.send("fg\n")
		s.await("\ndistrust run ./gated\n")
		io.WriteString(opened, "open\n")
		s.send("hello\n")
		s.await("\nread hello\n")
		s.send("echo \"code $?\"\n")
		s.await("\ncode 5\n")
		s.send("exit\n")
		s.exit()
		d.tidy()
	})
}

// heedHangUp has what a test starts hear a hang-up, which is ignored under nohup and what nohup starts.
func heedHangUp(t *testing.T) {
	heard := make(chan os.Signal, 1)
	signal.Notify(heard, syscall.SIGHUP)
	t.Cleanup(func() { signal.Stop(heard) })
}

// TestSignalsArePassedOn sends to us alone what a service manager would send: the program gets it, and we
// stay for its exit code. An interrupt is the terminal's to send.
func TestSignalsArePassedOn(t *testing.T) {
	t.Parallel()
	requireTools(t, "sh", "git", "ssh-keygen")
	heedHangUp(t)
	d := newDesk(t, map[string]string{"notes": notes, "waits": waits})
	d.run(0, "trust", "notes", "waits")
	start := func(program string) (*exec.Cmd, io.Writer, *bufio.Reader) {
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
		end := func() { // the script may outlive us, and would hold the pipes
			cmd.Process.Kill()
			in.Close()
			out.Close()
		}
		guard := time.AfterFunc(30*time.Second, end)
		t.Cleanup(func() {
			guard.Stop()
			end()
		})
		return cmd, in, bufio.NewReader(out)
	}
	// A shell may sit down to read in the moment in which a signal comes, and runs the trap after the next
	// line only: so it is given lines until it says what is wanted.
	await := func(in io.Writer, out *bufio.Reader, want string) {
		t.Helper()
		for heard := ""; heard != want; {
			io.WriteString(in, "\n")
			line, err := out.ReadString('\n')
			if heard = strings.TrimSuffix(line, "\n"); err != nil || heard != want && heard != "more" {
				t.Fatalf("%q, %v; want %q", line, err, want)
			}
		}
	}
	cmd, in, out := start("./notes")
	await(io.Discard, out, "ready")
	for name, s := range map[string]os.Signal{"HUP": syscall.SIGHUP, "TERM": syscall.SIGTERM, "USR1": syscall.SIGUSR1, "USR2": syscall.SIGUSR2} {
		cmd.Process.Signal(os.Interrupt)
		cmd.Process.Signal(s)
		await(in, out, "got "+name)
	}
	io.WriteString(in, "line\n")
	await(in, out, "read line")
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 3 {
		t.Errorf("exit code %d", code)
	}
	d.tidy()

	cmd, _, out = start("./waits")
	await(io.Discard, out, "ready")
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
	heedHangUp(t)
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

// TestNothingMayRunThere has a folder for temporary files in which nothing can be executed: that is said
// before anything is read or asked.
func TestNothingMayRunThere(t *testing.T) {
	t.Parallel()
	requireTools(t, "sh", "git", "ssh-keygen")
	if err := exec.Command("unshare", "-rm", "mount", "-t", "tmpfs", "-o", "noexec", "none", t.TempDir()).Run(); err != nil {
		t.Skip("no folder can be mounted here: ", err)
	}
	d := newDesk(t, map[string]string{"waits": waits})
	s := d.terminal(t, "unshare", "-rm", "sh", "-c", `mount -t tmpfs -o noexec none "$TMPDIR" && exec distrust run ./waits`)
	if code := s.exit(); code != 126 {
		t.Errorf("exit code %d", code)
	}
	for _, want := range []string{
		"distrust: error: nothing can be executed in " + d.temporary + "\n",
		"distrust: hint: set TMPDIR to a folder of your own where programs may run\n",
	} {
		if !strings.Contains(s.shown.String(), want) {
			t.Errorf("%q is missing:\n%s", want, s.shown.String())
		}
	}
	d.tidy()
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
