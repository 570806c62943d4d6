package cli

import (
	"strings"
)

// resolved is the command that the arguments name.
type resolved struct {
	command *Command
	path    string   // "alarms ack"; "" for the program itself
	lead    []string // flags that stood before the name of the command
	args    []string // what came behind it
}

// resolve finds the command (C1): flags may stand before its name, and what is not a command is
// refused with the nearest one.
func resolve(root *Command, args []string) (resolved, error) {
	r := resolved{command: root, args: args}
	for len(r.command.Sub) > 0 {
		at, err := firstOperand(r.command.family, r.args)
		if err != nil && r.command.Run == nil {
			return r, err
		}
		if err != nil || at < 0 {
			return r, nil // the command's own parse says what is wrong
		}
		name := r.args[at]
		sub := r.command.find(name)
		if sub == nil {
			if r.command.Max != 0 && r.command.Run != nil {
				return r, nil // an operand
			}
			return r, unknownCommand(r.command, r.path, name)
		}
		r.lead = append(r.lead, r.args[:at]...)
		r.args = r.args[at+1:]
		r.command, r.path = sub, strings.TrimSpace(r.path+" "+name)
	}
	return r, nil
}

// firstOperand is the index of the first argument that is neither a flag nor the value of one,
// -1 when there is none. An unknown flag is an error, as what follows might be its value. The flags
// that there are take longer to list than a whole check, and are only asked for where one is met.
func firstOperand(family func() map[string]flagKind, args []string) (int, error) {
	var kinds map[string]flagKind
	for i := 0; i < len(args); i++ {
		if args[i] == "--" {
			break
		}
		if !isFlag(args[i]) {
			return i, nil
		}
		if kinds == nil {
			kinds = family()
		}
		name, _, hasValue, wellFormed := splitFlag(args[i])
		kind, known := kinds[name]
		if !wellFormed || !known {
			return -1, unknownFlag(args[i], kinds)
		}
		if kind.value && !hasValue {
			i++
		}
	}
	return -1, nil
}
