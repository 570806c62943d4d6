package cli

import (
	"context"
	"errors"
	"fmt"

	urfave "github.com/urfave/cli/v2"

	"github.com/distributed-trust/distrust/cli/config"
	"github.com/distributed-trust/distrust/cli/render"
	"github.com/distributed-trust/distrust/records/journal"
)

func alarmsCommand(env *Env) *Command {
	return &Command{
		Name: "alarms", Group: Follow, Max: 0,
		Summary: "what this machine accepted and is reported now",
		Text: `A sync raises an alarm when something that was accepted here, by check or by you, is reported or known with other ` +
			`bytes now. It stays until you acknowledge it or nobody says so any more; a new report opens it again.`,
		Flags: alarmsFlags(),
		Examples: []Example{
			{"distrust alarms", "exit code 7 while there are any"},
			{"distrust alarms ack 3f2a --reason 'removed it'", "you have seen to it"},
		},
		Exits: []Exit{Alarms},
		Sub:   []*Command{alarmsAckCommand(env), alarmsListCommand(env)},
		Run:   runAlarms,
	}
}

func alarmsFlags() []urfave.Flag {
	return []urfave.Flag{
		jsonFlag(),
		&urfave.BoolFlag{Name: "all", Usage: "also those that were acknowledged"},
	}
}

func alarmsListCommand(*Env) *Command {
	return &Command{
		Name: "list", Group: Follow,
		Summary:  "the same as distrust alarms",
		Flags:    alarmsFlags(),
		Examples: []Example{{"distrust alarms list --json", "for programs"}},
		Exits:    []Exit{Alarms},
		Run:      runAlarms,
	}
}

// runAlarms lists the open alarms.
func runAlarms(_ context.Context, in *Invocation) (Exit, error) {
	dirs, err := in.Env.Dirs()
	if err != nil {
		return Failed, err
	}
	alarms, err := loadAlarms(dirs)
	if err != nil {
		return Failed, err
	}
	exit := Done
	for _, a := range alarms {
		if a.Acked.IsZero() {
			exit = Alarms
		} else if !in.Bool("all") {
			continue
		}
		if in.Bool(jsonFlagName) {
			if err := printAlarmJSON(in, a); err != nil {
				return Failed, err
			}
			continue
		}
		printAlarm(in, a)
	}
	if exit == Done && !in.Bool(jsonFlagName) {
		in.Env.say("no alarm is open")
	}
	return exit, nil
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

// printAlarm says what, when it was accepted and by whose word, who says what now, and what to do.
func printAlarm(in *Invocation, a journal.Alarm) {
	out, style := in.Env.Stdout, in.Stdout
	what := nameOr(a.Entry.Name, "sha256:"+a.Entry.Digest.SHA256)
	tone, word := render.Bad, "ALARM"
	if !a.Acked.IsZero() {
		tone, word = render.Faint, "acked"
	}
	fmt.Fprintf(out, "%s  %s  %s  is %s now\n", style.Paint(tone, word), shortDigits(a.ID), render.Escape(what), a.Verdict)
	fmt.Fprintf(out, "  accepted by distrust %s on %s\n", a.Entry.Command, render.Date(a.Entry.Time))
	if a.Entry.Path != "" {
		fmt.Fprintf(out, "  seen at %s\n", render.Escape(a.Entry.Path))
	}
	for _, r := range a.Reports {
		who := nameOr(r.Source, r.Log)
		if r.Own {
			who = "you"
		}
		line := fmt.Sprintf("  %s: %s", render.Escape(who), nameOr(string(r.Category), "knows other bytes"))
		if r.Issued != 0 {
			line += ", " + render.Date(unixTime(r.Issued))
		}
		if r.Reason != "" {
			line += fmt.Sprintf(", \"%s\"", render.Escape(r.Reason))
		}
		fmt.Fprintln(out, render.Cut(line, style.Width))
	}
	if a.Acked.IsZero() {
		fmt.Fprintf(out, "  distrust why sha256:%s\n  distrust alarms ack %s\n", a.Entry.Digest.SHA256, a.ID)
	}
}

// shortDigits are the first digits of an id, for people to see; ack takes as many as are needed.
func shortDigits(id string) string { return id[:min(8, len(id))] }

// alarmJSON is one alarm for programs.
type alarmJSON struct {
	Format   int          `json:"format"`
	ID       string       `json:"id"`
	Verdict  string       `json:"verdict"`
	Name     string       `json:"name,omitempty"`
	Path     string       `json:"path,omitempty"`
	SHA256   string       `json:"sha256"`
	Project  string       `json:"project,omitempty"`
	Version  string       `json:"version,omitempty"`
	Accepted string       `json:"accepted"`
	Command  string       `json:"command"`
	Raised   string       `json:"raised"`
	Acked    string       `json:"acked,omitempty"`
	Reason   string       `json:"reason,omitempty"`
	Reports  []reportJSON `json:"reports"`
}

type reportJSON struct {
	Record   string `json:"record"`
	Log      string `json:"log"`
	Source   string `json:"source"`
	Own      bool   `json:"own"`
	Category string `json:"category,omitempty"`
	Reason   string `json:"reason,omitempty"`
	Issued   string `json:"issued,omitempty"`
}

func printAlarmJSON(in *Invocation, a journal.Alarm) error {
	out := alarmJSON{
		Format: 1, ID: a.ID, Verdict: string(a.Verdict), Name: a.Entry.Name, Path: a.Entry.Path,
		SHA256: a.Entry.Digest.SHA256, Project: a.Entry.Project, Version: a.Entry.Version,
		Accepted: moment(a.Entry.Time), Command: a.Entry.Command, Raised: moment(a.Raised), Reason: a.Reason,
		Reports: []reportJSON{},
	}
	if !a.Acked.IsZero() {
		out.Acked = moment(a.Acked)
	}
	for _, r := range a.Reports {
		report := reportJSON{Record: r.Record, Log: r.Log, Source: r.Source, Own: r.Own, Category: string(r.Category), Reason: r.Reason}
		if r.Issued != 0 {
			report.Issued = moment(unixTime(r.Issued))
		}
		out.Reports = append(out.Reports, report)
	}
	return render.EncodeJSON(in.Env.Stdout, out)
}

func alarmsAckCommand(*Env) *Command {
	return &Command{
		Name: "ack", Operands: "ID", Min: 1, Max: 1, Group: Follow,
		Summary:  "acknowledge an alarm: you have seen to it",
		Flags:    []urfave.Flag{reasonFlag()},
		Examples: []Example{{"distrust alarms ack 3f2a", "the first digits of its id are enough"}},
		Run:      runAlarmsAck,
	}
}

// runAlarmsAck marks an alarm as seen.
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
	alarms, found := journal.Ack(alarms, in.Operands[0], in.String(reasonFlagName), in.Env.Now())
	if !found {
		return Failed, fail(Failed, fmt.Errorf("no alarm has the id %q", in.Operands[0]), "see them", render.Words("distrust", "alarms", "--all")...)
	}
	if err := journal.SaveAlarms(m.dirs.Alarms(), alarms); err != nil {
		return Failed, err
	}
	fmt.Fprintf(in.Env.Stdout, "acknowledged  %s\n", render.Escape(in.Operands[0]))
	return Done, nil
}
