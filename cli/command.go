package cli

import (
	"context"

	urfave "github.com/urfave/cli/v2"

	"github.com/distributed-trust/distrust/cli/render"
	"github.com/distributed-trust/distrust/cli/terminal"
)

// Command is one command, or one command of a command. The frame reads everything from it:
// what is parsed, what help prints, what the shells complete.
type Command struct {
	Name     string
	Operands string // as help shows them: "FILE..."; "" for none
	Min, Max int    // how many operands; [Any] for no upper bound
	Ends     Ends
	Flags    []urfave.Flag
	EmptyOK  []string // flags that mean something with an empty value

	Group    Group
	Summary  string // one line, lower case, no full stop
	Text     string // the description: paragraphs of plain text, wrapped when printed
	Examples []Example
	Exits    []Exit // what EXIT STATUS lists besides 0, 1 and 2
	Hidden   bool   // not in help and not completed
	Killable bool   // a signal may end it anywhere: it leaves nothing that has to be put in order

	Sub []*Command
	// Run does the work. A command that only has Sub has none.
	Run func(ctx context.Context, in *Invocation) (Exit, error)
}

// Any is the Max of commands that take any number of operands.
const Any = -1

// Group is the heading under which the overview lists a command (C3).
type Group string

// The groups, in the order of C3.
const (
	Decide Group = "Decide"
	Say    Group = "Say"
	Follow Group = "Follow"
	Own    Group = "Own"
)

// Example is one line of EXAMPLES: a command as it is typed, and what it is for.
type Example struct {
	Line string
	Text string
}

// Ends says where the flags of a command end (C1).
type Ends int

// Where flags end. The first "--" ends them in all but Raw.
const (
	AtDashes       Ends = iota // at "--": flags may stand anywhere before it
	AtFirstOperand             // at the first operand: what follows belongs to another program (run)
	CommandAfter               // at "--", which must stand before the operands (pipe)
	Raw                        // at once: nothing is parsed (git)
)

// Invocation is one command with the flags and operands that it was given.
type Invocation struct {
	Env      *Env
	Command  *Command
	Operands []string
	Stdout   render.Style
	Stderr   render.Style

	flags  *urfave.Context
	locked bool // this command holds the writers' lock
}

// String is the value of a flag, "" when it was not given.
func (in *Invocation) String(flag string) string { return in.flags.String(flag) }

// Strings are the values of a flag that may be given several times.
func (in *Invocation) Strings(flag string) []string {
	if values, ok := in.flags.Generic(flag).(*texts); ok {
		return *values
	}
	return nil
}

// Bool says whether a switch was given.
func (in *Invocation) Bool(flag string) bool { return in.flags.Bool(flag) }

// Int is the value of a number flag, its default when it was not given.
func (in *Invocation) Int(flag string) int { return in.flags.Int(flag) }

// Given says whether a flag was given at all.
func (in *Invocation) Given(flag string) bool { return in.flags.IsSet(flag) }

// NoInput says that no question may be asked (C1).
func (in *Invocation) NoInput() bool { return in.Bool(noInputFlag) }

// NoJournal says that this run leaves no line in the journal (C1).
func (in *Invocation) NoJournal() bool { return in.Bool(noJournalFlag) }

// Terminal opens the user's terminal for questions, or says why none may be asked (C1).
func (in *Invocation) Terminal() (*terminal.Terminal, error) {
	return terminal.Open(terminal.Situation{
		Open:           in.Env.OpenTTY,
		StderrTerminal: in.Env.IsTerminal(in.Env.Stderr),
		NoInput:        in.NoInput(),
		CI:             in.Env.Getenv("CI") != "",
	})
}

// find returns the command of that name directly below c, nil when there is none.
func (c *Command) find(name string) *Command {
	for _, sub := range c.Sub {
		if sub.Name == name {
			return sub
		}
	}
	return nil
}

// names are those of the commands directly below c that are shown.
func (c *Command) names() []string {
	var names []string
	for _, sub := range c.Sub {
		if !sub.Hidden {
			names = append(names, sub.Name)
		}
	}
	return names
}
