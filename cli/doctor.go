package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	urfave "github.com/urfave/cli/v2"

	"github.com/distributed-trust/distrust/cli/render"
)

// fixFlagName is the flag that lets doctor mend.
const fixFlagName = "fix"

func doctorCommand(*Env) *Command {
	return &Command{
		Name: "doctor", Operands: "[DIR|URL]", Min: 0, Max: 1, Group: Own,
		Summary: "look over this machine's set-up, or a whole trust repository",
		Text: `Without an operand: who may write our files, settings, clock, key, home, private records, index, pins, sources, journal, ` +
			`alarms, and what killed programs left behind. Each check is a line: ok; a note, which can stay as it is; or a problem, with ` +
			`the next command. The exit code is 1 while problems remain. Nothing is fetched, asked or changed. With --fix what can be ` +
			`mended without changing what is believed is mended, and said: nothing that was signed is removed, and nobody is trusted more.` + "\n\n" +
			`With a folder or an address: the repository as a stranger sees it who has never heard of it, fetched anew and judged as ` +
			`distrust follow would, every record and signature opened. Nothing of this machine plays a part, so it serves as the ` +
			`repository's own CI. Of a folder it also says what is not committed or not sealed.`,
		Flags: []urfave.Flag{
			&urfave.BoolFlag{Name: fixFlagName, Usage: "mend what can be mended on this machine"},
			&urfave.BoolFlag{Name: insecureFlagName, Usage: "allow http:// and git:// (who reads what is seen by others)"},
			&urfave.BoolFlag{Name: jsonFlagName, Usage: "one JSON object"},
		},
		Examples: []Example{
			{"distrust doctor", "is everything well here?"},
			{"distrust doctor --fix", "mend what can be mended"},
			{"distrust doctor .", "in a trust repository, before a push"},
			{"distrust doctor https://example.org/alice/trust.git", "what a new follower would get"},
		},
		Exits: []Exit{Refused, Unreachable},
		Run:   runDoctor,
	}
}

// runDoctor looks over this machine or a repository.
func runDoctor(ctx context.Context, in *Invocation) (Exit, error) {
	if len(in.Operands) == 1 {
		if in.Bool(fixFlagName) {
			return Usage, usagef("--%s mends this machine: leave %s out", fixFlagName, in.Operands[0])
		}
		return lookOver(ctx, in, in.Operands[0])
	}
	d, err := examineMachine(ctx, in)
	if err == nil && in.Bool(fixFlagName) {
		d, err = d.fix(ctx)
	}
	if err != nil {
		return Failed, err
	}
	return d.exit(), d.print(in, "")
}

// grade says how bad a finding is.
type grade string

// The grades. Only a problem makes the exit code 1.
const (
	fine    grade = "ok"
	note    grade = "note"
	problem grade = "problem"
	mended  grade = "mended"
)

// finding is one line of doctor.
type finding struct {
	grade grade
	check string      // which check it is of: permissions, key, ...
	where string      // a file, a source, a record; "" when text says all
	text  string      // what; foreign text in it is escaped when it is printed
	next  render.Hint // what the user can do about it
	// mend is what --fix does about it, nil when nothing can be done; it says what it did.
	mend func(context.Context) (string, error)
}

// findings are what doctor found, in the order of the checks.
type findings []finding

// say adds a finding.
func (f *findings) say(g grade, check, where, text string, next render.Hint) *finding {
	*f = append(*f, finding{grade: g, check: check, where: where, text: text, next: next})
	return &(*f)[len(*f)-1]
}

// fault adds a problem that is an error, with the next step that the table of hints has for it.
func (f *findings) fault(check, where string, err error) *finding {
	_, hint := advise(err)
	return f.say(problem, check, where, oneLine(err), hint)
}

// check runs one check. What it gives is said when it finds no problem, before its notes.
func (f *findings) check(name string, run func(name string) (summary string)) {
	before := len(*f)
	summary := run(name)
	if summary != "" && (*f)[before:].worst() != problem {
		*f = slices.Insert(*f, before, finding{grade: fine, check: name, text: summary})
	}
}

// worst is problem when there is one, else note or ok.
func (f findings) worst() grade {
	worst := fine
	for _, one := range f {
		if one.grade == problem {
			return problem
		}
		if one.grade == note {
			worst = note
		}
	}
	return worst
}

// exit is 1 while problems remain.
func (f findings) exit() Exit {
	if f.worst() == problem {
		return Failed
	}
	return Done
}

// print shows the findings: for people one paragraph each, for programs one object. target is the
// repository, "" for this machine.
func (f findings) print(in *Invocation, target string) error {
	if in.Bool(jsonFlagName) {
		return f.printJSON(in, target)
	}
	for _, one := range f {
		one.print(in)
	}
	return nil
}

// The columns of a finding: its grade, its check, and what there is to say.
const (
	gradeWidth = len(problem) + 2
	checkWidth = len("permissions") + 2
)

// print writes one finding within the width of the screen; commands to paste are never broken.
func (one finding) print(in *Invocation) {
	out, style := in.Env.Stdout, in.Stdout
	text := render.Escape(in.short(one.text))
	if style.Sentences {
		if next := one.next.Line(); next != "" {
			text += "; " + next
		}
		fmt.Fprintf(out, "%s: %s: %s\n", one.grade, one.check, text)
		return
	}
	tone := map[grade]render.Tone{fine: render.Good, note: render.Warn, problem: render.Bad, mended: render.Good}[one.grade]
	indent := strings.Repeat(" ", gradeWidth+checkWidth)
	first := style.Paint(tone, string(one.grade)) + strings.Repeat(" ", gradeWidth-len(one.grade)) + fmt.Sprintf("%-*s", checkWidth, one.check)
	width := max(style.Width-len(indent), checkWidth)
	for _, line := range render.Wrap(text, width) {
		fmt.Fprintf(out, "%s%s\n", first, line)
		first = indent
	}
	next := one.next.Line()
	if next == "" {
		return
	}
	command, ok := render.Command(one.next.Command...)
	if len(one.next.Command) == 0 || !ok || render.Width(next) <= width {
		for _, line := range render.Wrap(next, width) {
			fmt.Fprintf(out, "%s%s\n", indent, line)
		}
		return
	}
	if one.next.Text != "" {
		for _, line := range render.Wrap(render.Escape(one.next.Text)+":", width) {
			fmt.Fprintf(out, "%s%s\n", indent, line)
		}
	}
	fmt.Fprintf(out, "  %s\n", command)
}

// short writes the paths in a text as people do: ~ for their home folder.
func (in *Invocation) short(text string) string {
	top, err := in.Env.UserHome()
	if err != nil || len(top) < 2 {
		return text
	}
	separator := string(filepath.Separator)
	return strings.ReplaceAll(text, top+separator, "~"+separator)
}

// doctorJSON is what doctor found, for programs.
type doctorJSON struct {
	Format     int           `json:"format"`
	Repository string        `json:"repository"` // "" for this machine
	Healthy    bool          `json:"healthy"`
	Findings   []findingJSON `json:"findings"`
}

type findingJSON struct {
	Grade string   `json:"grade"`
	Check string   `json:"check"`
	Where string   `json:"where"`
	Text  string   `json:"text"`
	Hint  string   `json:"hint"`
	Argv  []string `json:"argv"`
}

func (f findings) printJSON(in *Invocation, target string) error {
	out := doctorJSON{Format: 1, Repository: target, Healthy: f.worst() != problem, Findings: []findingJSON{}}
	for _, one := range f {
		out.Findings = append(out.Findings, findingJSON{
			Grade: string(one.grade), Check: one.check, Where: one.where, Text: one.text,
			Hint: one.next.Text, Argv: render.Argv(one.next.Command),
		})
	}
	return render.EncodeJSON(in.Env.Stdout, out)
}
