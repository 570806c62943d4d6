package terminal

import (
	"context"
	"fmt"

	"golang.org/x/term"
)

// Passphrase asks for a passphrase without showing it. It gives what was typed up to the end of
// the line, which may be empty; the echo is back on return, also when ctx ends first.
func (t *Terminal) Passphrase(ctx context.Context, prompt string) ([]byte, error) {
	restore, err := prepare(t.in, hidden)
	if err != nil {
		return nil, fmt.Errorf("asking for a passphrase: %w", err)
	}
	defer restore()
	if err := t.Print(prompt + " "); err != nil {
		return nil, fmt.Errorf("asking for a passphrase: %w", err)
	}
	type result struct {
		text []byte
		err  error
	}
	typed := make(chan result, 1)
	go func() {
		text, err := term.ReadPassword(int(t.in.Fd()))
		typed <- result{text, err}
	}()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case r := <-typed:
		if err := t.Print("\n"); err != nil {
			return nil, fmt.Errorf("asking for a passphrase: %w", err)
		}
		if r.err != nil {
			return nil, fmt.Errorf("asking for a passphrase: %w", r.err)
		}
		return r.text, nil
	}
}
