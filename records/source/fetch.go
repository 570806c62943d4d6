package source

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"github.com/distributed-trust/distrust/records/internal/gitstore"
)

const (
	// childTurns is how often the time of one fetch a process may take in all, besides what it
	// waits for us: a fetch, once more as a whole when the store is full, and reading what came.
	childTurns = 3

	// watchEvery is how often the time and memory of a process are looked at (S3.3).
	watchEvery = 50 * time.Millisecond
)

var (
	errNotOurs = errors.New("it is not this program")
	errEnded   = errors.New("it ended without an answer")
)

// collect does a job, in a process of its own when there is a way to start one, and holds what it
// says to the gate.
func (w *work) collect(ctx context.Context, j job, in *intake) (*found, error) {
	if w.spec.Git {
		dir, err := w.quarantine(ctx, &j)
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(dir)
	}
	g := &gate{job: j, in: in}
	var unchanged bool
	var err error
	if w.batch.options.Child == nil {
		unchanged, err = collect(ctx, j, w.access(), g)
	} else {
		unchanged, err = w.collectApart(ctx, j, g)
	}
	if err != nil {
		return nil, err
	}
	return g.end(unchanged)
}

// quarantine has the user's git fetch the source into a folder of its own (S3.6), and has the job
// read that folder. Git runs beside the process that fetches, which needs nothing of the user's
// environment for it; a killed run's folder is swept with its stores.
func (w *work) quarantine(ctx context.Context, j *job) (dir string, err error) {
	if dir, err = w.batch.dirs.temporary(); err != nil {
		return "", err
	}
	known, err := filepath.Abs(filepath.Join(j.Dir, gitFolder))
	if err == nil {
		j.Branch, err = w.batch.options.Git.Quarantine(ctx, dir, known, gitstore.FetchOptions{
			URL: j.URL, Branch: j.Branch, Limits: j.Limits.git(),
			Access: gitstore.Access{Typed: j.Typed, Insecure: j.Insecure},
		})
	}
	if err == nil {
		j.URL, err = filepath.Abs(dir)
	}
	if err != nil {
		os.RemoveAll(dir)
		return "", err
	}
	j.Typed = true // the folder is ours
	return dir, nil
}

// access is how remote repositories are reached. One question is asked at a time: sources are
// fetched in parallel, and there is one person.
func (w *work) access() Access {
	a := w.batch.options.Access
	if ask := a.Credentials; ask != nil {
		a.Credentials = func(ctx context.Context, url string) (user, secret string, err error) {
			w.batch.questions.Lock()
			defer w.batch.questions.Unlock()
			return ask(ctx, url)
		}
	}
	if ask := a.SSH.AcceptHost; ask != nil {
		a.SSH.AcceptHost = func(ctx context.Context, host HostKey) error {
			w.batch.questions.Lock()
			defer w.batch.questions.Unlock()
			return ask(ctx, host)
		}
	}
	return a
}

// collectApart does a job in a process of its own. It is killed when it takes too much memory or
// time, when ctx ends, and when it says what cannot be.
func (w *work) collectApart(ctx context.Context, j job, to *gate) (unchanged bool, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	access := w.access()
	c := &child{command: w.batch.options.Child(ctx), limits: w.limits, access: access, to: to}
	err = c.start(order{
		Job: j, Agent: access.SSH.Agent, KnownHosts: access.SSH.KnownHosts,
		AskHost: access.SSH.AcceptHost != nil, AskKey: access.Credentials != nil,
	})
	if err != nil {
		return false, fmt.Errorf("starting the process that fetches: %w", err)
	}
	go c.watch(ctx, cancel)
	end, err := c.converse(ctx)
	killed := context.Cause(ctx)
	cancel(nil)          // it has nothing more to say
	_ = c.command.Wait() // how it ends says nothing: it is killed
	switch {
	case err != nil && killed != nil:
		return false, killed
	case errors.Is(err, errNotOurs):
		return false, fmt.Errorf("starting the process that fetches: %w", errors.Join(err, c.said.err()))
	case errors.Is(err, errEnded):
		return false, &HostileError{What: "the process that fetched it ended without an answer", Err: c.said.err()}
	case err != nil:
		return false, err
	case end.Fault != nil:
		return false, errors.Join(append([]error{end.Fault.err()}, c.refused...)...)
	}
	return end.Unchanged, nil
}

// child is a process that fetches, seen from outside.
type child struct {
	command *exec.Cmd
	limits  Limits
	access  Access
	to      *gate
	answers *json.Encoder
	frames  frameReader
	said    words       // on its error stream
	awaited atomic.Bool // it is its turn
	refused []error     // questions that were answered with no
	keys    int         // how often credentials were asked for
}

// start starts the process and tells it what to do.
func (c *child) start(o order) error {
	stdin, err := c.command.StdinPipe()
	if err != nil {
		return err
	}
	stdout, err := c.command.StdoutPipe()
	if err != nil {
		return err
	}
	// Its collector is to stay well below what it is killed for.
	c.command.Env = append(c.command.Environ(), fmt.Sprintf("GOMEMLIMIT=%d", c.limits.Memory/4*3))
	c.command.Stderr = &c.said
	c.command.WaitDelay = time.Second
	dieWithParent(c.command)
	if err := c.command.Start(); err != nil {
		return err
	}
	c.answers = json.NewEncoder(stdin)
	c.frames = frameReader{in: bufio.NewReaderSize(stdout, 64<<10), job: &c.to.job}
	if err := c.answers.Encode(o); err != nil {
		return errors.Join(err, c.command.Process.Kill(), c.command.Wait(), c.said.err())
	}
	return nil
}

// watch ends the process when it takes too much memory, or, while we wait for it, too much time.
func (c *child) watch(ctx context.Context, end context.CancelCauseFunc) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	var took time.Duration
	for most := childTurns * c.limits.Timeout; ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if c.awaited.Load() {
			took += watchEvery
		}
		if took > most {
			end(&LimitError{What: readingTime, Limit: int64(most.Seconds()), Got: int64(most.Seconds()) + 1, Option: "timeout"})
		}
		if used := residentMemory(c.command.Process.Pid); used > c.limits.Memory {
			end(&LimitError{What: "bytes of memory", Limit: c.limits.Memory, Got: used, Option: "memory"})
		}
	}
}

// converse takes what the process says until it ends.
func (c *child) converse(ctx context.Context) (ending, error) {
	kind, hello, err := c.next()
	if err != nil || kind != frameHello || string(hello) != helloText {
		return ending{}, errNotOurs
	}
	for {
		kind, payload, err := c.next()
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = errEnded
		}
		if err != nil {
			return ending{}, err
		}
		if kind == frameEnd {
			var end ending
			if json.Unmarshal(payload, &end) != nil {
				return end, unbelievable("an answer that is none")
			}
			return end, nil
		}
		if err := c.take(ctx, kind, payload); err != nil {
			return ending{}, err
		}
	}
}

// next waits for a frame.
func (c *child) next() (frameKind, []byte, error) {
	c.awaited.Store(true)
	defer c.awaited.Store(false)
	return c.frames.next()
}

// take takes one frame.
func (c *child) take(ctx context.Context, kind frameKind, payload []byte) error {
	switch kind {
	case frameFetched:
		return c.to.fetched()
	case frameFiles:
		changes, err := parseFiles(payload)
		if err != nil {
			return err
		}
		return c.to.files(changes)
	case frameHead, frameRecord:
		e, err := parseEnvelope(payload)
		if err != nil {
			return err
		}
		if kind == frameHead {
			return c.to.head(e)
		}
		return c.to.record(e)
	case frameClaim:
		var said claim
		if json.Unmarshal(payload, &said) != nil {
			return unbelievable("a state that is none")
		}
		again, err := c.to.claim(said)
		if err != nil {
			return err
		}
		return c.reply(answer{Again: again})
	case frameQuestion:
		var q question
		if json.Unmarshal(payload, &q) != nil {
			return unbelievable("a question that is none")
		}
		a, err := c.ask(ctx, q)
		if err != nil {
			return err
		}
		return c.reply(a)
	case frameHello, frameEnd:
	}
	return unbelievable("something that means nothing")
}

// reply answers. A process that does not listen keeps us waiting as one that does not speak.
func (c *child) reply(a answer) error {
	c.awaited.Store(true)
	defer c.awaited.Store(false)
	if err := c.answers.Encode(a); err != nil {
		return fmt.Errorf("answering the process that fetches: %w", err)
	}
	return nil
}

// maxKeys is how often credentials may be asked for: a fetch, and once more as a whole when the store
// is full.
const maxKeys = 2

// ask puts a question of the process to whoever answers such questions, about a host once. The URL
// that credentials are asked for is ours: the process cannot ask for those of another.
func (c *child) ask(ctx context.Context, q question) (a answer, err error) {
	fingerprint := regexp.MustCompile(`^SHA256:[A-Za-z0-9+/]{43}$`) // the form that people compare
	switch {
	case q.Host != nil && !fingerprint.MatchString(q.Host.Fingerprint):
		return a, unbelievable("a fingerprint that is none")
	case q.Host != nil && c.access.SSH.AcceptHost != nil:
		ask := c.access.SSH.AcceptHost
		c.access.SSH.AcceptHost = nil
		err = ask(ctx, *q.Host)
	case q.Host == nil && q.URL == c.to.job.URL && c.access.Credentials != nil && c.keys < maxKeys:
		c.keys++
		a.User, a.Secret, err = c.access.Credentials(ctx, q.URL)
	default:
		return a, unbelievable("a question that nobody answers")
	}
	if err != nil {
		a = answer{Refused: err.Error()}
		c.refused = append(c.refused, err)
	}
	return a, nil
}

// words keeps the beginning of what a process says on its error stream.
type words struct{ bytes.Buffer }

func (w *words) Write(p []byte) (int, error) {
	const most = 1 << 10
	w.Buffer.Write(p[:min(len(p), most-w.Len())])
	return len(p), nil
}

// err is the first line, nil when nothing was said. It may quote what was fetched.
func (w *words) err() error {
	line, _, _ := strings.Cut(strings.TrimSpace(w.String()), "\n")
	if line == "" {
		return nil
	}
	return fmt.Errorf("it said %q", line)
}
