// Package terminal asks the user: questions and passphrases on the controlling terminal, and
// progress on standard error.
//
// It speaks clause C1 of docs/cli.md: a question is only asked when somebody can answer it, is
// answered by whole words, and every doubt is a no. Texts are printed as they come: callers
// escape foreign strings first.
package terminal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// Situation is what decides whether a question may be asked at all (C1).
type Situation struct {
	Open           func() (*os.File, error) // opens the controlling terminal
	StderrTerminal bool                     // standard error is a terminal
	NoInput        bool                     // --no-input was given
	CI             bool                     // CI is set in the environment
}

// ErrCannotAsk says that no question may be asked, or that nobody is there to answer it.
var ErrCannotAsk = errors.New("nobody can be asked")

// CannotAsk is [ErrCannotAsk] with its reason.
type CannotAsk struct {
	Reason string
}

// Error says why nobody can be asked.
func (e *CannotAsk) Error() string { return ErrCannotAsk.Error() + ": " + e.Reason }

// Is makes every CannotAsk an [ErrCannotAsk].
func (e *CannotAsk) Is(target error) bool { return target == ErrCannotAsk }

// Terminal is the user's terminal, opened for questions.
type Terminal struct {
	in, out *os.File
}

// Open opens the terminal for questions, or says with a [*CannotAsk] why none may be asked (C1):
// it must open, standard error must be a terminal, our process group must be its foreground
// group, and neither --no-input nor CI may be set.
func Open(s Situation) (*Terminal, error) {
	switch {
	case s.NoInput:
		return nil, &CannotAsk{"--no-input was given"}
	case s.CI:
		return nil, &CannotAsk{"CI is set"}
	case !s.StderrTerminal:
		return nil, &CannotAsk{"standard error is not a terminal"}
	}
	in, err := s.Open()
	if err != nil {
		return nil, &CannotAsk{"there is no terminal"}
	}
	if !foreground(in) {
		in.Close()
		return nil, &CannotAsk{"the terminal belongs to another program just now"}
	}
	out, err := output(in)
	if err != nil {
		in.Close()
		return nil, &CannotAsk{"the terminal cannot be written to"}
	}
	return &Terminal{in: in, out: out}, nil
}

// Close lets the terminal go.
func (t *Terminal) Close() error {
	err := t.in.Close()
	if t.out != t.in {
		err = errors.Join(err, t.out.Close())
	}
	return err
}

// Print writes to the terminal, wherever the streams go.
func (t *Terminal) Print(text string) error {
	_, err := io.WriteString(t.out, text)
	return err
}

// tries is how often a question is asked before the answer is no (C1).
const tries = 3

// Choose asks until the whole trimmed line is exactly one of words and returns it (C1). The
// empty answer stands for no: an empty line, the end of input, input already waiting behind the
// answer (a paste), and the third answer that is none of the words. What was typed before the
// question is thrown away. A word that means no can be among words like any other.
func (t *Terminal) Choose(ctx context.Context, prompt string, words ...string) (string, error) {
	for range tries {
		answer, ok, err := t.line(ctx, prompt+" ")
		if err != nil {
			return "", fmt.Errorf("asking: %w", err)
		}
		answer = strings.TrimSpace(answer)
		switch {
		case !ok:
			return "", t.Print("\nthat counts as no\n")
		case answer == "":
			return "", nil
		case slices.Contains(words, answer):
			return answer, nil
		}
		if err := t.Print("please type one of: " + strings.Join(words, ", ") + "\n"); err != nil {
			return "", fmt.Errorf("asking: %w", err)
		}
	}
	return "", t.Print("that counts as no\n")
}

// Confirm asks a question that only the word yes answers with true; no is the other word.
func (t *Terminal) Confirm(ctx context.Context, prompt string) (bool, error) {
	answer, err := t.Choose(ctx, prompt+" (yes/no)?", "yes", "no")
	return answer == "yes", err
}

// echo says whether what is typed is shown. It is set before the question is, since people type as
// soon as they see it.
type echo bool

const (
	hidden echo = false
	shown  echo = true
)

// line reads one line that a person types after seeing prompt. ok is false when the input ended
// or when more was waiting behind the line.
func (t *Terminal) line(ctx context.Context, prompt string) (text string, ok bool, err error) {
	restore, err := prepare(t.in, shown)
	if err != nil {
		return "", false, err
	}
	defer restore()
	if err := t.Print(prompt); err != nil {
		return "", false, err
	}
	type result struct {
		text string
		err  error
	}
	typed := make(chan result, 1)
	go func() {
		buffer := make([]byte, 4096) // the most that a terminal keeps of a line
		n, err := t.in.Read(buffer)
		typed <- result{string(buffer[:n]), err}
	}()
	select {
	case <-ctx.Done():
		return "", false, ctx.Err()
	case r := <-typed:
		if r.err != nil && !errors.Is(r.err, io.EOF) {
			return "", false, r.err
		}
		whole := strings.HasSuffix(r.text, "\n")
		return r.text, whole && !waiting(t.in), nil
	}
}
