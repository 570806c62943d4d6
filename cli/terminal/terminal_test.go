//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package terminal

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// asMode makes the test program a program that asks; its value says what.
const asMode = "TERMINAL_TEST_ASK"

// The files of such a program besides the three standard ones.
const (
	resultFile = 3 // what came of it goes here
	startFile  = 4 // it begins when this one ends
)

func TestMain(m *testing.M) {
	if mode := os.Getenv(asMode); mode != "" {
		fmt.Fprint(os.NewFile(resultFile, "result"), ask(mode))
		return
	}
	os.Exit(m.Run())
}

// openTTY opens the controlling terminal.
func openTTY() (*os.File, error) { return os.OpenFile("/dev/tty", os.O_RDWR, 0) }

// ask does what mode says and tells what came of it.
func ask(mode string) string {
	if _, err := io.ReadAll(os.NewFile(startFile, "start")); err != nil {
		return err.Error()
	}
	if mode == "background" {
		return inBackground()
	}
	situation := Situation{Open: openTTY, StderrTerminal: true}
	t, err := Open(situation)
	if err != nil {
		return err.Error()
	}
	defer t.Close()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	switch mode {
	case "choose":
		answer, err := t.Choose(ctx, "Trust it?", "no", "file", "signer")
		return fmt.Sprintf("%q %v %s", answer, err, settings(t.in))
	case "raw":
		if _, err := term.MakeRaw(int(t.in.Fd())); err != nil {
			return err.Error()
		}
		answer, err := t.Choose(ctx, "Trust it?", "no", "file")
		return fmt.Sprintf("%q %v %s", answer, err, settings(t.in))
	case "confirm":
		yes, err := t.Confirm(ctx, "Really")
		return fmt.Sprintf("%v %v", yes, err)
	case "passphrase":
		secret, err := t.Passphrase(ctx, "Passphrase:")
		return fmt.Sprintf("%q %v %s", secret, err, settings(t.in))
	case "page":
		shown := 0
		err := t.Page(ctx, func() (string, bool, error) {
			shown++
			return fmt.Sprintf("line %d%s", shown, strings.Repeat(".", 70*(shown%2))), shown <= 12, nil
		}, func(s string) int { return len(s) })
		return fmt.Sprintf("%d %v %s", shown, err, settings(t.in))
	case "open":
		return "open"
	}
	return "unknown mode"
}

// settings says whether the terminal shows what is typed, and by lines or by bytes.
func settings(tty *os.File) string {
	s, err := unix.IoctlGetTermios(int(tty.Fd()), readSettings)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("echo=%v lines=%v", s.Lflag&unix.ECHO != 0, s.Lflag&unix.ICANON != 0)
}

// inBackground lets a process of another group open the terminal, as in a shell's <(...).
func inBackground() string {
	start, end, err := os.Pipe()
	if err != nil {
		return err.Error()
	}
	end.Close()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), asMode+"=open")
	cmd.ExtraFiles = []*os.File{os.NewFile(resultFile, "result"), start}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Run(); err != nil {
		return err.Error()
	}
	return ""
}

// session is a program that asks, on a terminal of its own.
type session struct {
	t      *testing.T
	master *os.File
	screen *bufio.Reader
	shown  strings.Builder
	result *os.File
	begin  *os.File
	cmd    *exec.Cmd
}

// start starts the program; it waits for [session.go_] before it asks.
func start(t *testing.T, mode string, controlling bool) *session {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	result, resultOut, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	begin, beginEnd, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), asMode+"="+mode, "GORACE=atexit_sleep_ms=0")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.ExtraFiles = []*os.File{resultOut, begin}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: controlling}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for _, f := range []*os.File{slave, resultOut, begin} {
		f.Close()
	}
	s := &session{t: t, master: master, screen: bufio.NewReader(master), result: result, begin: beginEnd, cmd: cmd}
	t.Cleanup(func() {
		beginEnd.Close()
		master.Close()
		result.Close()
		_ = cmd.Wait() // ends with the terminal
	})
	return s
}

// goAhead lets the program ask.
func (s *session) goAhead() { s.begin.Close() }

// see reads on until text stands behind what was seen before.
func (s *session) see(text string) {
	s.t.Helper()
	before := s.shown.Len()
	for !strings.HasSuffix(s.shown.String()[before:], text) {
		b, err := s.screen.ReadByte()
		if err != nil {
			s.t.Fatalf("waiting for %q on a screen with %q: %v", text, s.shown.String(), err)
		}
		s.shown.WriteByte(b)
	}
}

func (s *session) write(text string) {
	s.t.Helper()
	if _, err := s.master.WriteString(text); err != nil {
		s.t.Fatal(err)
	}
}

// end is what came of it; shown is the whole screen then.
func (s *session) end() string {
	s.t.Helper()
	result, err := io.ReadAll(s.result)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(result)
}

const sane = "echo=true lines=true"

func TestChoose(t *testing.T) {
	t.Parallel()
	again := "please type one of: no, file, signer\r\nTrust it? "
	tests := []struct {
		name   string
		early  string      // typed before the question
		typed  [][2]string // what is seen, then typed
		answer string
	}{
		{name: "a word", typed: [][2]string{{"Trust it? ", "file\n"}}, answer: "file"},
		{name: "spaces around", typed: [][2]string{{"Trust it? ", "  signer \n"}}, answer: "signer"},
		{name: "no", typed: [][2]string{{"Trust it? ", "no\n"}}, answer: "no"},
		{name: "empty", typed: [][2]string{{"Trust it? ", "\n"}}},
		{name: "end of input", typed: [][2]string{{"Trust it? ", "\x04"}}},
		{name: "end of input behind a word", typed: [][2]string{{"Trust it? ", "file\x04"}}},
		{name: "a letter is no word", typed: [][2]string{{"Trust it? ", "s\n"}, {again, "file\n"}}, answer: "file"},
		{name: "case counts", typed: [][2]string{{"Trust it? ", "File\n"}, {again, "\n"}}},
		{name: "two words", typed: [][2]string{{"Trust it? ", "file signer\n"}, {again, "\n"}}},
		{name: "three tries", typed: [][2]string{{"Trust it? ", "y\n"}, {again, "yes\n"}, {again, "ok\n"}, {"that counts as no\r\n", ""}}},
		{name: "edited line", typed: [][2]string{{"Trust it? ", "fix\x7fle\n"}}, answer: "file"},
		{name: "type-ahead", early: "file\n", typed: [][2]string{{"Trust it? ", "no\n"}}, answer: "no"},
		{name: "type-ahead without its end", early: "fi", typed: [][2]string{{"Trust it? ", "le\n"}, {again, "no\n"}}, answer: "no"},
		{name: "paste of lines", typed: [][2]string{{"Trust it? ", "file\nrm -rf x\n"}}},
		{name: "paste with a last line that has no end", typed: [][2]string{{"Trust it? ", "file\nrm"}}},
		{name: "paste of an empty line", typed: [][2]string{{"Trust it? ", "file\n\n"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, "choose", true)
			if tt.early != "" {
				s.write(tt.early)
				s.see(strings.ReplaceAll(tt.early, "\n", "\r\n")) // echoed: it is in the queue
			}
			s.goAhead()
			for _, step := range tt.typed {
				s.see(step[0])
				s.write(step[1])
			}
			if got, want := s.end(), fmt.Sprintf("%q <nil> %s", tt.answer, sane); got != want {
				t.Errorf("got %s, want %s; the screen:\n%s", got, want, s.shown.String())
			}
		})
	}
}

func TestConfirm(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{"yes\n": "true <nil>", "no\n": "false <nil>", "\n": "false <nil>", "\x04": "false <nil>"} {
		s := start(t, "confirm", true)
		s.goAhead()
		s.see("Really (yes/no)? ")
		s.write(typed)
		if got := s.end(); got != want {
			t.Errorf("%q gives %s, want %s", typed, got, want)
		}
	}
}

// TestPage shows twelve lines on a screen of five, of which every other takes two rows.
func TestPage(t *testing.T) {
	t.Parallel()
	const more = "-- more: Enter, enough: q -- "
	for name, test := range map[string]struct {
		typed []string
		want  string
	}{
		"to the end": {[]string{"\n", "\n", "\n"}, "13"},
		"enough":     {[]string{"\n", "q\n"}, "7"},
		"a paste":    {[]string{"\n\n\n\n"}, "4"},
		"the end":    {[]string{"\x04"}, "4"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, "page", true)
			if err := pty.Setsize(s.master, &pty.Winsize{Rows: 6, Cols: 70}); err != nil {
				t.Fatal(err)
			}
			s.goAhead()
			for _, typed := range test.typed {
				s.see(more)
				s.write(typed)
			}
			if got, want := s.end(), test.want+" <nil> "+sane; got != want {
				t.Errorf("got %s, want %s; the screen:\n%s", got, want, s.shown.String())
			}
		})
	}
}

// TestLeftRaw asks on a terminal that a program before us left in raw mode, and leaves it so.
func TestLeftRaw(t *testing.T) {
	t.Parallel()
	s := start(t, "raw", true)
	s.goAhead()
	s.see("Trust it? ")
	s.write("file\r")
	if got, want := s.end(), `"file" <nil> echo=false lines=false`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestInterrupt(t *testing.T) {
	t.Parallel()
	for mode, prompt := range map[string]string{"choose": "Trust it? ", "passphrase": "Passphrase: "} {
		s := start(t, mode, true)
		s.goAhead()
		s.see(prompt)
		if mode == "passphrase" {
			s.awaitNoEcho()
		}
		s.write("\x03")
		got := s.end()
		if !strings.Contains(got, context.Canceled.Error()) || !strings.HasSuffix(got, sane) {
			t.Errorf("%s: %s", mode, got)
		}
	}
}

// awaitNoEcho waits until the program has switched the echo off, which it does just after its
// prompt.
func (s *session) awaitNoEcho() {
	s.t.Helper()
	for {
		settings, err := unix.IoctlGetTermios(int(s.master.Fd()), readSettings)
		if err != nil {
			s.t.Fatal(err)
		}
		if settings.Lflag&unix.ECHO == 0 {
			return
		}
	}
}

func TestPassphrase(t *testing.T) {
	t.Parallel()
	s := start(t, "passphrase", true)
	s.write("typed before\n")
	s.see("typed before\r\n")
	s.goAhead()
	s.see("Passphrase: ")
	s.awaitNoEcho()
	s.write("open sésame \n")
	if got, want := s.end(), fmt.Sprintf("%q <nil> %s", "open sésame ", sane); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	rest, _ := io.ReadAll(s.screen) // fails when the program has ended, as terminals do
	if strings.Contains(string(rest), "open") {
		t.Errorf("the passphrase is on the screen: %q", rest)
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	broken := func() (*os.File, error) { return nil, errors.New("must not be opened") }
	for want, s := range map[string]Situation{
		"--no-input":     {Open: broken, StderrTerminal: true, NoInput: true},
		"CI":             {Open: broken, StderrTerminal: true, CI: true},
		"standard error": {Open: broken},
		"no terminal":    {Open: broken, StderrTerminal: true},
	} {
		opened, err := Open(s)
		var reason *CannotAsk
		if opened != nil || !errors.As(err, &reason) || !strings.Contains(reason.Reason, want) || !errors.Is(err, ErrCannotAsk) {
			t.Errorf("%s: %v", want, err)
		}
	}
	for mode, controlling := range map[string]bool{"open": false, "background": true} {
		s := start(t, mode, controlling)
		s.goAhead()
		want := "nobody can be asked: "
		if mode == "open" {
			want += "there is no terminal"
		} else {
			want += "the terminal belongs to another program just now"
		}
		if got := s.end(); got != want {
			t.Errorf("%s: got %q, want %q", mode, got, want)
		}
	}
}
