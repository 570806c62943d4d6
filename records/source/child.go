package source

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
)

// errParent ends a process that fetches when nobody listens to it any more.
var errParent = errors.New("the program that started this is gone")

// FetchInChild does the job that it reads from in, one of [Options.Child], and writes the answer to
// out. It is all that a process does which was started to fetch (S3.3): what comes from the network
// is parsed here, and nothing is decided. It returns when the job is done, whatever came of it, or
// when in ends; the process then has to end too, since work on a hostile pack may still go on.
func FetchInChild(ctx context.Context, in io.Reader, out io.Writer) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	decoder := json.NewDecoder(in)
	var o order
	if err := decoder.Decode(&o); err != nil {
		return fmt.Errorf("reading the job: %w", err)
	}
	answers := make(chan answer)
	go func() {
		for {
			var a answer
			if err := decoder.Decode(&a); err != nil {
				cancel(errParent)
				return
			}
			select {
			case answers <- a:
			case <-ctx.Done():
				return
			}
		}
	}()
	w := frameWriter{out: bufio.NewWriterSize(out, 64<<10), answer: func() (answer, error) {
		select {
		case a := <-answers:
			return a, nil
		case <-ctx.Done():
			return answer{}, context.Cause(ctx)
		}
	}}
	done := make(chan error, 1)
	go func() { done <- o.do(ctx, w) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("fetching: %w", context.Cause(ctx))
	}
}

// largeHeap is from where on a process that fetches saves memory.
const largeHeap = 8 << 20

// saveMemory has a process with much in memory collect its garbage at half of what lives, not at as much again: it
// makes little, and several of them run at once. One with little in memory would only collect more often.
func saveMemory() {
	var m runtime.MemStats
	if runtime.ReadMemStats(&m); m.HeapAlloc > largeHeap {
		debug.SetGCPercent(50)
	}
}

// do does the job of an order.
func (o *order) do(ctx context.Context, w frameWriter) error {
	if err := w.write(frameHello, []byte(helloText)); err != nil {
		return err
	}
	if err := w.out.Flush(); err != nil {
		return fmt.Errorf("answering: %w", err)
	}
	access := Access{SSH: SSH{Agent: o.Agent, KnownHosts: o.KnownHosts}}
	if o.AskHost {
		access.SSH.AcceptHost = func(_ context.Context, host HostKey) error {
			_, err := w.ask(question{Host: &host})
			return err
		}
	}
	if o.AskKey {
		access.Credentials = func(_ context.Context, url string) (user, secret string, err error) {
			a, err := w.ask(question{URL: url})
			return a.User, a.Secret, err
		}
	}
	unchanged, err := collect(ctx, o.Job, access, w)
	return w.writeJSON(frameEnd, ending{Unchanged: unchanged, Fault: faultOf(err)})
}
