package cli

import (
	"context"
	"errors"
	"io"
	"testing"

	"github.com/distributed-trust/distrust/cli/terminal"
	"github.com/distributed-trust/distrust/records/subject"
)

// TestReadStdinUntilInterrupted waits for a sender that says nothing, until it is enough: pipe catches the
// signals that would end it otherwise.
func TestReadStdinUntilInterrupted(t *testing.T) {
	t.Parallel()
	silent, sender := io.Pipe()
	defer sender.Close()
	ctx, cancel := context.WithCancel(t.Context())
	in := &Invocation{Env: &Env{Stdin: readerFunc(func(p []byte) (int, error) {
		cancel()
		return silent.Read(p)
	})}}
	_, err := in.readStdin(ctx, terminal.NewProgress(io.Discard, false), subject.Options{})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
