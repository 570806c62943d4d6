package source

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/internal/gitstore"
)

// childVariable makes the test binary the process that fetches, or one that was taken over.
const childVariable = "SOURCE_TEST_CHILD"

func TestMain(m *testing.M) {
	name := os.Getenv(childVariable)
	if name == "" {
		os.Exit(m.Run())
	}
	var err error
	switch name {
	case "honest":
		err = FetchInChild(context.Background(), os.Stdin, os.Stdout)
	case "parent":
		err = parent()
	case "asks about a host":
		err = takenOver(lie{onStart: asksAboutHost}, os.Stdin, os.Stdout)
	default:
		err = takenOver(lies()[name], os.Stdin, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// childOf is this binary as a process that fetches: the honest one, or one that lies.
func childOf(name string) func(context.Context) *exec.Cmd {
	return func(ctx context.Context) *exec.Cmd {
		command := exec.CommandContext(ctx, os.Args[0])
		command.Env = []string{childVariable + "=" + name}
		return command
	}
}

// lie is a process that fetches and was taken over: it does the job, and changes what it says.
type lie struct {
	frameWriter
	order order
	heads int

	onStart  func(*lie) error // instead of the job
	onFiles  func(*lie, []file) error
	onHead   func(*lie, records.Envelope) error
	onClaim  func(*lie, *claim)
	onRecord func(*lie, records.Envelope) error
	onEnd    func(*ending)

	limits Limits // of the source
	option string // of the LimitError that it comes to; "" for a refusal as hostile
	local  bool   // it comes to a failure of this machine
}

// takenOver does a job with lies.
func takenOver(l lie, in io.Reader, out io.Writer) error {
	decoder := json.NewDecoder(in)
	if err := decoder.Decode(&l.order); err != nil {
		return err
	}
	l.frameWriter = frameWriter{out: bufio.NewWriter(out), answer: func() (a answer, err error) {
		err = decoder.Decode(&a)
		return a, err
	}}
	if err := l.write(frameHello, []byte(helloText)); err != nil {
		return err
	}
	if err := l.out.Flush(); err != nil {
		return err
	}
	if l.onStart != nil {
		return l.onStart(&l)
	}
	unchanged, err := collect(context.Background(), l.order.Job, Access{}, &l)
	end := ending{unchanged, faultOf(err)}
	if l.onEnd != nil {
		l.onEnd(&end)
	}
	return l.writeJSON(frameEnd, end)
}

func (l *lie) files(changes []file) error {
	if l.onFiles != nil {
		return l.onFiles(l, changes)
	}
	return l.frameWriter.files(changes)
}

func (l *lie) head(e records.Envelope) error {
	l.heads++
	if l.onHead != nil {
		return l.onHead(l, e)
	}
	return l.frameWriter.head(e)
}

func (l *lie) claim(c claim) (bool, error) {
	if l.onClaim != nil {
		l.onClaim(l, &c)
	}
	return l.frameWriter.claim(c)
}

func (l *lie) record(e records.Envelope) error {
	if l.onRecord != nil {
		return l.onRecord(l, e)
	}
	return l.frameWriter.record(e)
}

// lies are what a process can say that was taken over by what it read.
func lies() map[string]lie {
	changed := func(edit func([]file) []file) func(*lie, []file) error {
		return func(l *lie, changes []file) error { return l.frameWriter.files(edit(changes)) }
	}
	return map[string]lie{
		"a record is left out": {onRecord: func(*lie, records.Envelope) error { return nil }},
		"a record is another one": {onRecord: func(l *lie, e records.Envelope) error {
			e.YAML = append(e.YAML, "# more\n"...)
			return l.frameWriter.record(e)
		}},
		"a record has another signature": {onRecord: func(l *lie, e records.Envelope) error {
			e.Sig = append(e.Sig, '\n')
			return l.frameWriter.record(e)
		}},
		"a record comes twice": {onRecord: func(l *lie, e records.Envelope) error {
			return errors.Join(l.frameWriter.record(e), l.frameWriter.record(e))
		}},
		"a file is not on the list": {onFiles: changed(func(f []file) []file { return f[:len(f)-1] })},
		"a file more is on the list": {onFiles: changed(func(f []file) []file {
			last := f[len(f)-1]
			last.path += "x"
			return append(f, last)
		})},
		"a sum is another one":     {onFiles: changed(func(f []file) []file { f[len(f)-1].sum[0] ^= 1; return f })},
		"the list is not in order": {onFiles: changed(func(f []file) []file { f[0], f[1] = f[1], f[0]; return f })},
		"a path leaves its folder": {onFiles: changed(func(f []file) []file {
			f[len(f)-1].path = "records/../../../pins/x.yml"
			return f
		})},
		"the list is cut": {onFiles: func(l *lie, _ []file) error { return l.write(frameFiles, []byte("00 00")) }},
		"the list never ends": {onFiles: func(l *lie, _ []file) error {
			for i := 0; ; i++ {
				f := file{path: fmt.Sprintf("records/any/00/%012d.yml", i), blob: strings.Repeat("0", 40)}
				if err := l.frameWriter.files([]file{f}); err != nil {
					return err
				}
			}
		}},
		"no head": {onHead: func(*lie, records.Envelope) error { return nil }},
		"a head that nobody signed": {onHead: func(l *lie, e records.Envelope) error {
			e.YAML = append(e.YAML, "# more\n"...)
			return l.frameWriter.head(e)
		}},
		"a kept head that is not on the list": {onHead: func(l *lie, e records.Envelope) error {
			if l.heads == 1 {
				err := l.frameWriter.head(e)
				e.Path = records.HeadPath(77)
				return errors.Join(err, l.frameWriter.head(e))
			}
			return l.frameWriter.head(e)
		}},
		"heads without end": {option: "commits", onHead: func(l *lie, e records.Envelope) error {
			for {
				if err := l.frameWriter.head(e); err != nil {
					return err
				}
			}
		}},
		"heads that are nothing but names": {option: "commits", onHead: func(l *lie, e records.Envelope) error {
			for {
				if err := l.frameWriter.head(records.Envelope{Path: strings.Repeat("x", 64<<10)}); err != nil {
					return err
				}
			}
		}},
		"a size is another one": {onFiles: changed(func(f []file) []file { f[len(f)-1].size--; return f })},
		"another branch":        {onClaim: func(_ *lie, c *claim) { c.Branch = "x y" }},
		"fetched again and again": {onStart: func(l *lie) error {
			for {
				if err := l.fetched(); err != nil {
					return err
				}
			}
		}},
		"lists of nothing": {onFiles: func(l *lie, _ []file) error {
			for {
				if err := l.write(frameFiles); err != nil {
					return err
				}
			}
		}},
		"questions, and no ear for answers": {onStart: func(l *lie) error {
			for {
				if err := l.writeJSON(frameQuestion, question{URL: "https://bank.example/"}); err != nil {
					return err
				}
			}
		}},
		"another earlier list":    {local: true, onClaim: func(_ *lie, c *claim) { c.Base = strings.Repeat("1", 40) }},
		"a commit that is a path": {onClaim: func(_ *lie, c *claim) { c.Commit = "../../x" }},
		"fewer than no commits":   {onClaim: func(_ *lie, c *claim) { c.Unsealed = -1 }},
		"everything twice": {onClaim: func(l *lie, c *claim) {
			_, _ = l.frameWriter.claim(*c)
		}},
		"nothing changed": {onEnd: func(e *ending) { e.Unchanged = true }},
		"an end at once":  {onStart: func(l *lie) error { return l.writeJSON(frameEnd, ending{}) }},
		"no end":          {onStart: func(*lie) error { return errors.New("a crash") }},
		"a frame of 4 GiB": {onStart: func(l *lie) error {
			_, err := l.out.WriteString("r\xff\xff\xff\xff")
			return errors.Join(err, l.out.Flush())
		}},
		"a frame of no kind": {onStart: func(l *lie) error { return errors.Join(l.write('?'), l.out.Flush()) }},
		"no JSON":            {onStart: func(l *lie) error { return errors.Join(l.write(frameEnd, []byte("{")), l.out.Flush()) }},
		"somebody else's password": {onStart: func(l *lie) error {
			a, err := l.ask(question{URL: "https://bank.example/"})
			return fmt.Errorf("%+v, %w", a, err)
		}},
		"memory without end": {option: "memory", limits: Limits{Memory: 64 << 20}, onStart: func(*lie) error {
			for hoard := [][]byte{}; ; {
				hoard = append(hoard, make([]byte, 1<<20))
				for i := range hoard[len(hoard)-1] {
					hoard[len(hoard)-1][i] = 1
				}
			}
		}},
		"silence": {option: "timeout", limits: Limits{Timeout: 100 * time.Millisecond}, onStart: func(*lie) error { select {} }},
	}
}

// TestHostileChild syncs with a process that was taken over while it read what came: nothing that it
// says is believed, and nothing of it is put in force.
func TestHostileChild(t *testing.T) {
	t.Parallel()
	for name, lie := range lies() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if lie.option == "memory" && residentMemory(os.Getpid()) == 0 {
				t.Skip("the memory of another process is not known on this system")
			}
			alice := newForge(t, "alice")
			one := alice.say(trustFile("one"))
			alice.seal(nil)
			m := newMachine(t)
			spec := m.follow(alice)
			before := m.pin(spec.Log)
			alice.say(reportFile("two"))
			alice.seal(nil)

			liar, told := *m, spec
			told.Limits = lie.limits
			liar.opt.Child = childOf(name)
			liar.opt.Access.Credentials = func(context.Context, string) (user, secret string, err error) {
				t.Error("somebody was asked for a password")
				return "me", "secret", nil
			}
			r := liar.sync(told)[0]
			var limit *LimitError
			switch {
			case lie.local && r.State != StateFailed,
				lie.option != "" && (!errors.As(r.Err, &limit) || limit.Option != lie.option || r.State != StateRefused),
				!lie.local && lie.option == "" && (KindOf(r.Err) != KindHostile || r.State != StateRefused):
				t.Errorf("%s: %v", r.State, r.Err)
			}
			if after := m.pin(spec.Log); after.Head != before.Head || after.Tip != before.Tip {
				t.Error("the pin moved")
			}
			m.wantHolds(spec.Log, []records.Envelope{one})
			if r := m.sync(spec)[0]; r.State != StateNews || r.Added != 1 {
				t.Errorf("an honest process afterwards: %s, +%d: %v", r.State, r.Added, r.Err)
			}
		})
	}
}

// TestChildIsNotOurs starts what is another program: that is this machine's fault, not the source's.
func TestChildIsNotOurs(t *testing.T) {
	t.Parallel()
	alice := newForge(t, "alice")
	m := newMachine(t)
	spec := m.follow(alice)
	for _, args := range [][]string{{"echo", "hello"}, {"true"}, {"no-such-program-at-all"}} {
		m.opt.Child = func(ctx context.Context) *exec.Cmd { return exec.CommandContext(ctx, args[0], args[1:]...) }
		if r := m.sync(spec)[0]; r.State != StateFailed {
			t.Errorf("%v: %s: %v", args, r.State, r.Err)
		}
	}
}

// silentServer takes connections and says nothing.
func silentServer(t *testing.T) (url string, asked <-chan struct{}) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	accepted := make(chan struct{}, 10)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
			accepted <- struct{}{}
		}
	}()
	return "git://" + listener.Addr().String() + "/alice", accepted
}

// TestCancelEndsChild gives up a sync while its process waits for a server: the process is gone when
// Sync returns.
func TestCancelEndsChild(t *testing.T) {
	t.Parallel()
	url, asked := silentServer(t)
	m := newMachine(t)
	var command *exec.Cmd
	m.opt.Child = func(ctx context.Context) *exec.Cmd {
		command = childOf("honest")(ctx)
		return command
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-asked
		cancel()
	}()
	spec := Spec{Name: "alice", URL: url, Log: strings.Repeat("0", 32), Insecure: true}
	if _, err := Sync(ctx, m.dirs, []Spec{spec}, m.opt); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if command.ProcessState == nil {
		t.Error("the process is still there")
	}
}

// TestChildEndsWithParent takes the pipe away from a process that fetches, as the end of the one that
// started it does: it ends at once, whatever it is doing.
func TestChildEndsWithParent(t *testing.T) {
	t.Parallel()
	url, asked := silentServer(t)
	in, feed := io.Pipe()
	done := make(chan error)
	go func() { done <- FetchInChild(context.Background(), in, io.Discard) }()
	if err := json.NewEncoder(feed).Encode(order{Job: job{Dir: t.TempDir(), URL: url, Insecure: true, Limits: DefaultLimits()}}); err != nil {
		t.Fatal(err)
	}
	<-asked
	feed.Close()
	if err := <-done; !errors.Is(err, errParent) {
		t.Errorf("it ended with %v", err)
	}
}

// parent starts a process that fetches, and then does nothing more.
func parent() error {
	command := childOf("silence")(context.Background())
	stdin, err := command.StdinPipe()
	if err != nil {
		return err
	}
	command.Stdout = os.Stdout
	dieWithParent(command)
	if err := command.Start(); err != nil {
		return err
	}
	if err := json.NewEncoder(stdin).Encode(order{}); err != nil {
		return err
	}
	select {}
}

// TestChildDiesWithParent kills the one that started a process which fetches and hears nothing: both
// are gone.
func TestChildDiesWithParent(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("elsewhere the end of its standard input has to do")
	}
	command := childOf("parent")(t.Context())
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	hello := make([]byte, 5+len(helloText))
	if _, err := io.ReadFull(out, hello); err != nil {
		t.Fatal(err)
	}
	if err := command.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	// The pipe ends when nobody holds it any more.
	if _, err := io.Copy(io.Discard, out); err != nil {
		t.Error(err)
	}
	_ = command.Wait()
}

// TestFaultsKeepTheirKind sends every error over the border that callers branch on.
func TestFaultsKeepTheirKind(t *testing.T) {
	t.Parallel()
	all := []error{
		&LimitError{What: "files", Limit: 1, Got: 2, Option: "files"},
		&HostileError{What: "a name", Where: "\x1b[2J"},
		&HostileError{What: "a file is missing", Where: "x", Err: gitstore.ErrIncomplete},
		&URLError{URL: "ext::sh", Reason: "no"},
		&gitstore.HostKeyError{HostKey: HostKey{Host: "h", Fingerprint: "SHA256:x"}},
		&gitstore.HostKeyError{HostKey: HostKey{Host: "h"}, Changed: true, Known: "known_hosts:1"},
		fmt.Errorf("%w: %w", ErrNotTrust, &records.UnpublishedError{Commits: 3}),
		&records.UnpublishedError{Commits: 3, Heads: 1, Tip: errors.New("its root")},
		errors.New("disk full"),
	}
	for _, sentinel := range sentinels() {
		all = append(all, fmt.Errorf("fetching: %w", sentinel))
	}
	for _, err := range all {
		b, failed := json.Marshal(faultOf(err))
		var f *fault
		if failed = errors.Join(failed, json.Unmarshal(b, &f)); failed != nil {
			t.Fatal(failed)
		}
		got := f.err()
		if got.Error() != err.Error() || KindOf(got) != KindOf(err) || stateOf(got) != stateOf(err) {
			t.Errorf("%q (%s) became %q (%s)", err, KindOf(err), got, KindOf(got))
		}
		for name, sentinel := range sentinels() {
			if errors.Is(err, sentinel) != errors.Is(got, sentinel) {
				t.Errorf("%q is %s: %v, then %v", err, name, errors.Is(err, sentinel), errors.Is(got, sentinel))
			}
		}
	}
}
