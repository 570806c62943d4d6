package terminal

import (
	"context"
	"fmt"
	"strings"

	"golang.org/x/term"
)

// Page shows lines a screenful at a time until the user has seen enough. next gives one line without
// its line end, and false behind the last; width says how many columns a line takes.
func (t *Terminal) Page(ctx context.Context, next func() (string, bool, error), width func(string) int) error {
	columns, rows, err := term.GetSize(int(t.out.Fd()))
	if err != nil || columns < 1 || rows < 3 {
		columns, rows = 80, 24
	}
	left := rows - 1
	for {
		line, ok, err := next()
		if err != nil || !ok {
			return err
		}
		takes := max(1, (width(line)+columns-1)/columns)
		if takes > left {
			more, err := t.more(ctx)
			if err != nil || !more {
				return err
			}
			left = rows - 1
		}
		left -= takes
		if err := t.Print(line + "\n"); err != nil {
			return fmt.Errorf("showing: %w", err)
		}
	}
}

// more asks for the next screenful: Enter is a yes, anything else is enough.
func (t *Terminal) more(ctx context.Context) (bool, error) {
	answer, whole, err := t.line(ctx, "-- more: Enter, enough: q -- ")
	if err != nil {
		return false, fmt.Errorf("showing: %w", err)
	}
	return whole && strings.TrimSpace(answer) == "", nil
}
