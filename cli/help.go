package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	urfave "github.com/urfave/cli/v2"

	"github.com/distributed-trust/distrust/cli/render"
)

func helpCommand(*Env) *Command {
	return &Command{
		Name: "help", Operands: "[COMMAND|TOPIC]", Max: 2, Group: Own,
		Summary: "explain a command or a topic",
		Text: "Without operands: all commands and topics. With a command, the same as the " +
			"command's --help.",
		Examples: []Example{
			{"distrust help check", "what check does, its flags and its exit codes"},
			{"distrust help exit-codes", "what the exit codes of all commands mean"},
		},
		Run: func(_ context.Context, in *Invocation) (Exit, error) {
			return Done, runHelp(in.Env.Stdout, program(in.Env), in.Operands)
		},
	}
}

// runHelp prints the help that words ask for.
func runHelp(w io.Writer, root *Command, words []string) error {
	if len(words) == 0 {
		printOverview(w, root)
		return nil
	}
	if len(words) == 1 {
		for _, t := range topics() {
			if t.name == words[0] {
				fmt.Fprint(w, t.text())
				return nil
			}
		}
	}
	command, path := root, ""
	for _, word := range words {
		sub := command.find(word)
		if sub == nil {
			return unknownHelp(command, path, word)
		}
		command, path = sub, strings.TrimSpace(path+" "+word)
	}
	printCommand(w, root, command, path)
	return nil
}

// unknownHelp names the command or topic that was probably meant.
func unknownHelp(parent *Command, path, word string) error {
	names := parent.names()
	if path == "" {
		for _, t := range topics() {
			names = append(names, t.name)
		}
	}
	full := strings.TrimSpace(path + " " + word)
	meant := nearest(word, names)
	if other := otherWords[word]; path == "" && parent.find(other) != nil {
		meant = other
	}
	if meant == "" {
		return usagef("no help for %q; see: distrust help", full)
	}
	return usagef("no help for %q, did you mean: distrust help %s", full, strings.TrimSpace(path+" "+meant))
}

// helpWidth is how wide help is: it reads well and fits everywhere.
const helpWidth = 78

// printOverview lists all commands and topics.
func printOverview(w io.Writer, root *Command) {
	fmt.Fprint(w, "usage: distrust COMMAND [FLAGS] [OPERANDS]\n\n"+
		"Should I trust this file? The answer comes from people you choose to follow.\n")
	for _, group := range []Group{Decide, Say, Follow, Own} {
		var rows [][2]string
		for _, c := range root.Sub {
			if c.Group == group && !c.Hidden {
				rows = append(rows, [2]string{c.Name, c.Summary})
			}
		}
		section(w, string(group), rows)
	}
	var rows [][2]string
	for _, t := range topics() {
		rows = append(rows, [2]string{"help " + t.name, t.summary})
	}
	section(w, "More", rows)
	fmt.Fprint(w, "\nEvery command explains itself: distrust COMMAND --help\n")
}

// section prints a heading and rows of a term and what it means; nothing without rows.
func section(w io.Writer, heading string, rows [][2]string) {
	if len(rows) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s\n", heading)
	widest := 0
	for _, row := range rows {
		if n := len(row[0]); n <= 24 {
			widest = max(widest, n)
		}
	}
	for _, row := range rows {
		lines := render.Wrap(row[1], helpWidth-widest-4)
		term := row[0]
		if len(term) > widest {
			fmt.Fprintf(w, "  %s\n", term)
			term = ""
		}
		for _, line := range lines {
			fmt.Fprintf(w, "  %-*s  %s\n", widest, term, line)
			term = ""
		}
	}
}

// printCommand prints the help of one command: usage, description, flags, examples, exit status.
func printCommand(w io.Writer, root, c *Command, path string) {
	if c == root {
		printOverview(w, root)
		return
	}
	fmt.Fprintf(w, "usage: distrust %s\n\n%s.\n", usageLine(c, path), upperFirst(c.Summary))
	for paragraph := range strings.SplitSeq(c.Text, "\n\n") {
		if paragraph == "" {
			continue
		}
		fmt.Fprintln(w)
		for _, line := range render.Wrap(paragraph, helpWidth) {
			fmt.Fprintln(w, line)
		}
	}
	var subs [][2]string
	for _, sub := range c.Sub {
		subs = append(subs, [2]string{strings.TrimSpace(sub.Name + " " + sub.Operands), sub.Summary})
	}
	section(w, "COMMANDS", subs)
	section(w, "FLAGS", flagRows(c))
	fmt.Fprint(w, "\nEXAMPLES\n")
	for _, example := range c.examples() {
		fmt.Fprintf(w, "  %s\n", example.Line)
		for _, line := range render.Wrap(example.Text, helpWidth-6) {
			fmt.Fprintf(w, "      %s\n", line)
		}
	}
	section(w, "EXIT STATUS", exitRows(c))
}

// usageLine is what is typed after "distrust".
func usageLine(c *Command, path string) string {
	words := []string{path}
	if c.Ends != Raw {
		words = append(words, "[FLAGS]")
	}
	if c.Ends == CommandAfter {
		words = append(words, "--")
	}
	if c.Run == nil {
		words = append(words, "COMMAND")
	} else if c.Operands != "" {
		words = append(words, c.Operands)
	}
	return strings.Join(words, " ")
}

// flagRows are the flags of a command; those that it parses none of has none.
func flagRows(c *Command) [][2]string {
	if c.Ends == Raw {
		return nil
	}
	var rows [][2]string
	for _, flag := range c.allFlags() {
		documented, ok := flag.(urfave.DocGenerationFlag)
		if !ok {
			continue
		}
		value, text := placeholder(documented.GetUsage())
		term := "--" + flag.Names()[0]
		for _, short := range flag.Names()[1:] {
			term = "-" + short + ", " + term
		}
		if documented.TakesValue() {
			term += " " + value
		}
		rows = append(rows, [2]string{term, text})
	}
	return rows
}

// placeholder takes the word in backquotes out of a flag's usage: what its value is called.
func placeholder(usage string) (value, text string) {
	before, rest, ok := strings.Cut(usage, "`")
	word, after, closed := strings.Cut(rest, "`")
	if !ok || !closed {
		return "VALUE", usage
	}
	return word, before + word + after
}

// exitRows are the lines of EXIT STATUS: the codes that the command can end with.
func exitRows(c *Command) [][2]string {
	var rows [][2]string
	for _, row := range exitTable {
		if row.exit <= Usage || slices.Contains(c.exits(), row.exit) {
			rows = append(rows, [2]string{fmt.Sprint(int(row.exit)), row.meaning})
		}
	}
	return rows
}

// examples are those of c; a command that only has others below it shows theirs.
func (c *Command) examples() []Example {
	all := c.Examples
	if c.Run == nil {
		for _, sub := range c.Sub {
			all = append(all, sub.examples()...)
		}
	}
	return all
}

// exits are the codes that c, or a command below it, ends with besides the common ones.
func (c *Command) exits() []Exit {
	all := c.Exits
	for _, sub := range c.Sub {
		all = append(all, sub.exits()...)
	}
	return all
}

// upperFirst begins a sentence.
func upperFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
