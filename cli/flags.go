package cli

import (
	"fmt"
	"slices"
	"strings"

	urfave "github.com/urfave/cli/v2"

	"github.com/distributed-trust/distrust/cli/render"
)

// The flags that every command has (C1).
const (
	helpFlag      = "help"
	noInputFlag   = "no-input"
	noJournalFlag = "no-journal"
)

// everywhere are the flags of every command but those that parse nothing.
func everywhere() []urfave.Flag {
	return []urfave.Flag{
		&urfave.BoolFlag{Name: noInputFlag, Usage: "never ask a question"},
		&urfave.BoolFlag{Name: noJournalFlag, Usage: "leave no line in the journal"},
		&urfave.BoolFlag{Name: helpFlag, Aliases: []string{"h"}, Usage: "print this help"},
	}
}

// texts are the values of a flag that may be given several times, each as it is: the library's own lists
// split at commas (C1).
type texts []string

// Set takes one more value.
func (t *texts) Set(value string) error {
	*t = append(*t, value)
	return nil
}

// String is all values on a line.
func (t *texts) String() string { return strings.Join(*t, ", ") }

// textsFlag is a flag that may be given several times.
func textsFlag(name, usage string) urfave.Flag {
	return &urfave.GenericFlag{Name: name, Usage: usage, Value: new(texts)}
}

// allFlags are the flags of c with those that every command has.
func (c *Command) allFlags() []urfave.Flag {
	return append(slices.Clone(c.Flags), everywhere()...)
}

// flagKind is what parsing needs to know of a flag.
type flagKind struct {
	name  string // the long name
	value bool   // takes one
	many  bool   // may be given several times
	empty bool   // an empty value means something
}

// flagKinds are the flags of c by every name that they have.
func (c *Command) flagKinds() map[string]flagKind {
	kinds := make(map[string]flagKind)
	for _, flag := range c.allFlags() {
		kind := flagKind{name: flag.Names()[0]}
		if documented, ok := flag.(urfave.DocGenerationFlag); ok {
			kind.value = documented.TakesValue()
		}
		_, kind.many = flag.(*urfave.GenericFlag)
		kind.empty = slices.Contains(c.EmptyOK, kind.name)
		for _, name := range flag.Names() {
			kinds[name] = kind
		}
	}
	return kinds
}

// family are the flags of c and of all below it; a name means the same kind of flag everywhere
// (a test keeps this), so that flags may stand before the name of a command.
func (c *Command) family() map[string]flagKind {
	kinds := c.flagKinds()
	for _, sub := range c.Sub {
		for name, kind := range sub.family() {
			kinds[name] = kind
		}
	}
	return kinds
}

// isFlag says whether an argument is a flag: "-" alone is an operand, standard input.
func isFlag(arg string) bool { return len(arg) > 1 && arg[0] == '-' }

// splitFlag takes a flag apart. Short names have one dash and long ones two; anything else is
// no flag of ours.
func splitFlag(arg string) (name, value string, hasValue, wellFormed bool) {
	name, value, hasValue = strings.Cut(arg, "=")
	long := strings.HasPrefix(name, "--")
	name = strings.TrimPrefix(strings.TrimPrefix(name, "-"), "-")
	wellFormed = name != "" && name[0] != '-' && long == (len(name) > 1)
	return name, value, hasValue, wellFormed
}

// parsed are the arguments of one command, put in order for urfave/cli, which would swallow
// flags behind an operand: it gets the flags only, each as --name or --name=value.
type parsed struct {
	flags    []string
	operands []string
	help     bool
}

// parser goes through the arguments of one command.
type parser struct {
	command *Command
	kinds   map[string]flagKind
	seen    map[string]bool
	parsed
	failure error // the first; --help anywhere goes before it
}

// parse takes the arguments of c apart (C1): lead are flags that stood before its name, args is
// what came after it.
func (c *Command) parse(path string, lead, args []string) (parsed, error) {
	p := &parser{command: c, kinds: c.flagKinds(), seen: make(map[string]bool)}
	if c.Run == nil { // its flags are those of a command that is missing
		p.kinds = c.family()
	}
	p.take(lead)
	rest := args
	if c.Ends != Raw {
		rest = p.take(args)
	}
	p.operands = append(p.operands, rest...)
	if p.help {
		return p.parsed, nil
	}
	if p.failure != nil {
		return parsed{}, p.failure
	}
	return p.parsed, c.countOperands(path, len(p.operands))
}

// take reads flags until they end and returns what lies behind; the operands before that end
// are kept.
func (p *parser) take(args []string) []string {
	for i := 0; i < len(args); i++ {
		arg := args[i]
		switch {
		case arg == "--":
			return args[i+1:]
		case isFlag(arg):
			i += p.flag(arg, args[i+1:])
		case p.command.Ends == AtFirstOperand:
			return args[i:]
		case p.command.Ends == CommandAfter:
			p.fail(fail(Usage, fmt.Errorf("the command goes after --, and %q stands before it", arg),
				"put it behind", render.Words(append([]string{"distrust", p.command.Name, "--"}, args[i:]...)...)...))
		default:
			p.operands = append(p.operands, arg)
		}
	}
	return nil
}

func (p *parser) fail(err error) {
	if p.failure == nil {
		p.failure = err
	}
}

// flag reads one flag and says how many of the next arguments it took as its value.
func (p *parser) flag(arg string, next []string) int {
	name, value, hasValue, wellFormed := splitFlag(arg)
	kind, known := p.kinds[name]
	switch {
	case !wellFormed || !known:
		p.fail(unknownFlag(arg, p.kinds))
		return 0
	case kind.name == helpFlag && !hasValue:
		p.help = true
		return 0
	case !kind.value && hasValue:
		p.fail(usagef("--%s takes no value", kind.name))
		return 0
	case !kind.value:
		p.flags = append(p.flags, "--"+kind.name)
		return 0
	}
	taken := 0
	if !hasValue {
		if len(next) == 0 || strings.HasPrefix(next[0], "-") {
			p.fail(missingValue(kind.name, next))
			return 0
		}
		value, taken = next[0], 1
	}
	switch {
	case value == "" && !kind.empty:
		p.fail(usagef("--%s has an empty value", kind.name))
	case p.seen[kind.name] && !kind.many:
		p.fail(usagef("--%s is given twice", kind.name))
	}
	p.seen[kind.name] = true
	p.flags = append(p.flags, "--"+kind.name+"="+value)
	return taken
}

// missingValue says that a flag has no value, and how to write one that begins with a dash.
func missingValue(name string, next []string) error {
	if len(next) == 0 || next[0] == "--" {
		return usagef("--%s needs a value", name)
	}
	return usagef("--%s needs a value; one that begins with - is written --%s=%s", name, name, next[0])
}

// countOperands holds the number of operands against what c takes.
func (c *Command) countOperands(path string, n int) error {
	what := c.Operands
	if what == "" {
		what = "no operand"
	}
	switch {
	case n < c.Min && c.Ends == CommandAfter:
		return needsHelp(path, "%s needs a command after --", path)
	case n < c.Min:
		return needsHelp(path, "%s needs %s", path, what)
	case c.Max != Any && n > c.Max && c.Max == 0:
		return needsHelp(path, "%s takes no operand, and got %d", path, n)
	case c.Max != Any && n > c.Max:
		return needsHelp(path, "%s takes %s, and got %d operands", path, what, n)
	}
	return nil
}
