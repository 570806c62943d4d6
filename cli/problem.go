package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/distributed-trust/distrust/cli/render"
)

// Problem is an error that knows its exit code and the next step.
type Problem struct {
	Err  error
	Exit Exit
	Hint render.Hint // the zero value: the table of hints decides, usage errors have none
}

// Error is what went wrong.
func (p *Problem) Error() string { return p.Err.Error() }

// Unwrap gives what went wrong.
func (p *Problem) Unwrap() error { return p.Err }

// fail is an error with its exit code and the command to run next.
func fail(exit Exit, err error, text string, command ...render.Arg) error {
	return &Problem{Err: err, Exit: exit, Hint: render.Hint{Text: text, Command: command}}
}

// say writes one line of ours to standard error; text is escaped here, so foreign strings in it
// are safe (C1).
func (e *Env) say(text string) {
	fmt.Fprintf(e.Stderr, "distrust: %s\n", render.Escape(text))
}

// warn writes something that did not stop the command.
func (e *Env) warn(format string, args ...any) {
	e.say("warning: " + fmt.Sprintf(format, args...))
}

// hint writes a next step, the last line of what a command says (C1).
func (e *Env) hint(h render.Hint) {
	if line := h.Line(); line != "" {
		fmt.Fprintf(e.Stderr, "distrust: hint: %s\n", line)
	}
}

// complain says what went wrong and what to do, and gives the exit code.
func (e *Env) complain(err error) Exit {
	exit, hint := advise(err)
	e.say("error: " + oneLine(err))
	e.hint(hint)
	return exit
}

// oneLine is what an error says on one line, also when it is several.
func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

// checkedWriter remembers the first error of writing: a verdict that could not be printed must
// not end as success.
type checkedWriter struct {
	io.Writer
	failure error
}

// Write passes b on.
func (w *checkedWriter) Write(b []byte) (int, error) {
	n, err := w.Writer.Write(b)
	if err != nil && w.failure == nil {
		w.failure = err
	}
	return n, err
}
