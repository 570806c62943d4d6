package cli

import (
	"context"
	"fmt"

	urfave "github.com/urfave/cli/v2"

	"github.com/distributed-trust/distrust/cli/render"
)

func showCommand(*Env) *Command {
	return &Command{
		Name: "show", Operands: "ID", Min: 1, Max: 1, Group: Say,
		Summary: "print one record: its exact bytes, its signature, who it is from",
		Text: `Standard output is the record as it was signed and the signature behind it, so that stock ssh-keygen can check it. ` +
			`Standard error says whose record it is and how much that source counts.`,
		Flags: []urfave.Flag{jsonFlag()},
		Examples: []Example{
			{"distrust show 9f2c41ab7e03", "at least four digits of the id"},
		},
		Run: runShow,
	}
}

// runShow prints one record.
func runShow(ctx context.Context, in *Invocation) (Exit, error) {
	if !isID(in.Operands[0]) {
		return Usage, usagef("%q is no record id: 4 to 64 hexadecimal digits in lower case", in.Operands[0])
	}
	w, err := in.world(ctx)
	if err != nil {
		return Failed, err
	}
	defer w.close()
	if w.generation == nil {
		return Failed, fmt.Errorf("%s: %w", in.Operands[0], errNoSuchRecord)
	}
	entry, err := oneByID(w.generation, in.Operands[0])
	if err != nil {
		return Failed, err
	}
	withdrawn, err := w.withdrawnIn(entry.Record.Log())
	if err != nil {
		return Failed, err
	}
	standing := w.standingOf(entry, withdrawn[entry.Record.ID()])
	if in.Bool(jsonFlagName) {
		return Done, printRecordJSON(in, entry.Record, standing)
	}
	envelope := entry.Record.Envelope()
	fmt.Fprintf(in.Env.Stdout, "%s\n%s", envelope.YAML, envelope.Sig)
	in.Env.say(fmt.Sprintf("record %s", entry.Record.ID()))
	in.Env.say(fmt.Sprintf("signed by %s", entry.Record.Key().Fingerprint()))
	in.Env.say(w.standingText(entry.Record.Log(), standing))
	return Done, nil
}

// standingText says in a sentence whose record it is and whether it counts.
func (w *world) standingText(log string, s standing) string {
	text := "from " + s.from
	if s.private {
		text += ", private"
	}
	for _, f := range w.compiled.Follows {
		if f.Log == log {
			text += fmt.Sprintf(", followed at %s", render.WeightWord(f.Weight))
		}
	}
	switch {
	case s.withdrawn:
		text += "; withdrawn: it no longer counts"
	case s.void:
		text += "; void: its key is compromised"
	case s.vanished:
		text += "; it left their repository without a withdrawal and still counts"
	}
	return text
}

// nameOf is what the user calls a log.
func (w *world) nameOf(log string) string {
	if w.isOwn(log) {
		return "you"
	}
	for _, f := range w.compiled.Follows {
		if f.Log == log {
			return f.Name
		}
	}
	if w.generation != nil {
		if info, ok, err := w.generation.Log(log); err == nil && ok && info.Name != "" {
			return info.Name + " (not followed)"
		}
	}
	return "log " + log
}
