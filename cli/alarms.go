package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	urfave "github.com/urfave/cli/v2"

	"github.com/distributed-trust/distrust/cli/config"
	"github.com/distributed-trust/distrust/cli/render"
	"github.com/distributed-trust/distrust/records/journal"
)

func alarmsCommand(env *Env) *Command {
	return &Command{
		Name: "alarms", Group: Follow, Max: 0, Killable: true,
		Summary: "what this machine accepted and is reported now",
		Text: `A sync raises an alarm when something that was accepted here, by check or by you, is reported or known with other ` +
			`bytes now. It stays until you acknowledge it or nobody says so any more; a new report opens it again.`,
		Flags: append(alarmsFlags(),
			&urfave.BoolFlag{Name: briefFlagName, Usage: "one line a day for each, or nothing"},
			&urfave.StringFlag{Name: hookFlagName, Usage: "print what makes `SHELL` tell of alarms before its prompt: bash, zsh or fish"},
		),
		Examples: []Example{
			{"distrust alarms", "exit code 7 while there are any"},
			{"distrust alarms ack 3f2a --reason 'removed it'", "you have seen to it"},
			{`eval "$(distrust alarms --hook bash)"`, "in ~/.bashrc; zsh in ~/.zshrc"},
			{"distrust alarms --hook fish | source", "in ~/.config/fish/config.fish"},
		},
		Exits: []Exit{Alarms},
		Sub:   []*Command{alarmsAckCommand(env), alarmsListCommand(env)},
		Run:   runAlarms,
	}
}

const (
	briefFlagName = "brief"
	hookFlagName  = "hook"
)

func alarmsFlags() []urfave.Flag {
	return []urfave.Flag{
		jsonFlag(),
		&urfave.BoolFlag{Name: "all", Usage: "also those that were acknowledged"},
	}
}

func alarmsListCommand(*Env) *Command {
	return &Command{
		Name: "list", Group: Follow, Killable: true,
		Summary:  "the same as distrust alarms",
		Flags:    alarmsFlags(),
		Examples: []Example{{"distrust alarms list --json", "for programs"}},
		Exits:    []Exit{Alarms},
		Run:      runAlarms,
	}
}

// runAlarms lists the open alarms.
func runAlarms(ctx context.Context, in *Invocation) (Exit, error) {
	if in.Given(hookFlagName) {
		return in.hook(in.String(hookFlagName))
	}
	dirs, err := in.Env.Dirs()
	if err != nil {
		return Failed, err
	}
	if in.Bool(briefFlagName) {
		if in.Bool(jsonFlagName) || in.Bool("all") {
			return Usage, usagef("--%s goes with no other flag", briefFlagName)
		}
		return in.brief(dirs)
	}
	alarms, err := loadAlarms(dirs)
	if err != nil {
		return Failed, err
	}
	exit := exitOfOpen(openAlarms(alarms))
	shown := slices.DeleteFunc(alarms, func(a journal.Alarm) bool { return !a.Acked.IsZero() && !in.Bool("all") })
	if err := in.printAlarms(ctx, shown); err != nil {
		return Failed, err
	}
	if exit == Done && !in.Bool(jsonFlagName) {
		in.Env.say("no alarm is open")
	}
	return exit, nil
}

// openAlarms counts those that nobody has seen to.
func openAlarms(alarms []journal.Alarm) int {
	n := 0
	for _, a := range alarms {
		if a.Acked.IsZero() {
			n++
		}
	}
	return n
}

// loadAlarms reads the alarms, and says where the file lies when it is damaged.
func loadAlarms(dirs config.Dirs) ([]journal.Alarm, error) {
	alarms, err := journal.LoadAlarms(dirs.Alarms())
	if errors.Is(err, journal.ErrAlarms) {
		return nil, fail(Failed, fmt.Errorf("%s: %w", dirs.Alarms(), err), "move it away; the next sync raises what is still true",
			render.File("mv", ""), render.File(dirs.Alarms(), ""), render.File(dirs.Alarms()+".damaged", ""))
	}
	return alarms, err
}

// maxRaised is how many new alarms a command prints in full: whoever reports everything at once shall not
// push what else it says off the screen.
const maxRaised = 20

// printRaised prints alarms that a command has just raised.
func (in *Invocation) printRaised(ctx context.Context, raised []journal.Alarm) error {
	shown := raised
	if len(raised) > maxRaised && !in.Bool(jsonFlagName) {
		shown = raised[:maxRaised]
	}
	if err := in.printAlarms(ctx, shown); err != nil {
		return err
	}
	if more := len(raised) - len(shown); more > 0 {
		fmt.Fprintf(in.Env.Stdout, "and %s more: distrust alarms\n", count(more, "alarm"))
	}
	return nil
}

// printAlarms prints alarms with what lies where their files lay.
func (in *Invocation) printAlarms(ctx context.Context, alarms []journal.Alarm) error {
	if len(alarms) == 0 {
		return nil
	}
	dirs, err := in.Env.Dirs()
	if err != nil {
		return err
	}
	entries, err := journal.Read(dirs.Journal())
	if err != nil {
		return err
	}
	things := map[string]journal.Thing{}
	for _, t := range journal.Things(entries) {
		things[t.ID] = t
	}
	look := &lookAround{left: maxLooked}
	for _, a := range alarms {
		one := render.Alarm{Alarm: a}
		t := things[a.ID]
		for _, path := range t.Places[:min(maxPlaces, len(t.Places))] {
			one.Places = append(one.Places, render.Place{Path: path, Bytes: look.at(ctx, path, a.Entry)})
		}
		for _, path := range t.Pins[:min(maxPlaces, len(t.Pins))] {
			one.Places = append(one.Places, render.Place{Path: path, Bytes: look.pin(path, a.Entry)})
		}
		write := func() error { return render.WriteAlarm(in.Env.Stdout, one, in.Stdout) }
		if in.Bool(jsonFlagName) {
			write = func() error { return render.WriteAlarmJSON(in.Env.Stdout, one) }
		}
		if err := write(); err != nil {
			return err
		}
	}
	return nil
}

const (
	// maxLooked is how many bytes are read to say whether the files of alarms are what they were: an
	// answer that takes a minute is none.
	maxLooked = 1 << 30
	// maxPlaces is how many places of one thing are shown.
	maxPlaces = 8
)

// lookAround compares files with what was accepted, within a number of bytes for all.
type lookAround struct {
	left int64
	pins map[string]pins // of lock files that were read
}

// at says what lies at path of an accepted file.
func (l *lookAround) at(ctx context.Context, path string, e journal.Entry) render.Bytes {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return render.Gone
	case err != nil:
		return render.NotRead
	case !info.Mode().IsRegular(), e.Size > 0 && info.Size() != e.Size:
		return render.OtherBytes
	case info.Size() > l.left, e.Digest.SHA256 == "":
		return render.NotRead
	}
	l.left -= info.Size()
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return render.NotRead
	}
	s, err := foundFile{shown: path, real: real}.read(ctx, nil)
	switch {
	case err != nil:
		return render.NotRead
	case s.Digest.SHA256 != e.Digest.SHA256:
		return render.OtherBytes
	}
	return render.SameBytes
}

// shortDigits are the first digits of an id, for people to see; ack takes as many as are needed.
func shortDigits(id string) string { return id[:min(8, len(id))] }

func alarmsAckCommand(*Env) *Command {
	return &Command{
		Name: "ack", Operands: "ID...", Min: 1, Max: Any, Group: Follow,
		Summary:  "acknowledge alarms: you have seen to them",
		Flags:    []urfave.Flag{reasonFlag()},
		Examples: []Example{{"distrust alarms ack 3f2a", "the first digits of its id are enough"}},
		Run:      runAlarmsAck,
	}
}

// runAlarmsAck marks alarms as seen: all that are named, or none.
func runAlarmsAck(ctx context.Context, in *Invocation) (Exit, error) {
	m, unlock, err := in.lockedMachine(ctx)
	if err != nil {
		return Failed, err
	}
	defer unlock()
	alarms, err := loadAlarms(m.dirs)
	if err != nil {
		return Failed, err
	}
	for _, id := range in.Operands {
		var found bool
		if alarms, found = journal.Ack(alarms, id, in.String(reasonFlagName), in.Env.Now()); !found {
			return Failed, fail(Failed, fmt.Errorf("no alarm has the id %q", id), "see them", render.Words("distrust", "alarms", "--all")...)
		}
	}
	if err := journal.SaveAlarms(m.dirs.Alarms(), alarms); err != nil {
		return Failed, err
	}
	for _, id := range in.Operands {
		fmt.Fprintf(in.Env.Stdout, "acknowledged  %s\n", render.Escape(id))
	}
	return Done, nil
}
