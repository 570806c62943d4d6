package source

import (
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
			liar.opt.Access.SSH.AcceptHost = func(context.Context, HostKey) error {
				t.Error("somebody was asked about a host")
				return nil
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
