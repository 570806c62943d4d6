package cli_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/distributed-trust/distrust/records/index"
	"github.com/distributed-trust/distrust/records/source"
)

// kills is how many syncs are killed: S4's "kill -9 at random moments".
const kills = 200

// killedStates is how many states the sources go through meanwhile.
const killedStates = 20

// TestKilledSync kills syncs at random moments while what is followed goes on, reports come and
// vanish, and an alarm is due; one sync in peace then ends where a machine is that was never
// disturbed: the same records, pins, verdicts and alarms (S4).
func TestKilledSync(t *testing.T) {
	t.Parallel()
	requireTools(t, "git", "ssh-keygen")
	n := kills
	if testing.Short() {
		n = killedStates
	}
	c := newCircle(t)
	alice, bob := c.publisher("alice"), c.publisher("bob")
	victim, calm := c.follower("victim"), c.follower("calm")

	c.write("accepted", "accepted\n")
	c.publish(alice, "trust", "accepted")
	for state := range killedStates {
		if state%4 == 2 {
			bob.run(0, "report", "vulnerable", "--release", fmt.Sprintf("npm:pad%d@1.0", state))
		}
	}
	bob.run(0, "sync")
	for _, p := range []*person{victim, calm} {
		p.run(0, "follow", alice.url, "--tofu", "--weight", "full")
		p.run(0, "follow", bob.url, "--tofu", "--weight", "full")
		p.run(0, "check", "accepted")
	}
	// Both walk through the same states, one in peace. Its sync is timed, so that the kills fall
	// all over the other's.
	random := rand.New(rand.NewPCG(1, 2))
	died := 0
	for state := range killedStates {
		c.next(alice, bob, state)
		began := time.Now()
		calm.run(-1, "sync")
		whole := time.Since(began)
		for range n / killedStates {
			if victim.killed(time.Duration(random.Int64N(int64(whole))), "sync") {
				died++
			}
		}
	}
	t.Logf("killed: %d of %d", died, n)
	if died < n/4 {
		t.Errorf("only %d of %d syncs were killed", died, n)
	}
	victim.run(7, "sync")
	calm.run(7, "sync")
	got, want := victim.state(), calm.state()
	for _, line := range got {
		if !slices.Contains(want, line) {
			t.Errorf("only after %d kills: %s", n, line)
		}
	}
	for _, line := range want {
		if !slices.Contains(got, line) {
			t.Errorf("not after %d kills: %s", n, line)
		}
	}
	// What the dead left is gone with the next sync.
	left, err := filepath.Glob(filepath.Join(victim.home, ".local/share/distrust/sources/*"))
	if err != nil {
		t.Fatal(err)
	}
	if len(left) != 4 { // a store and a record store for each
		t.Errorf("left over: %v", left)
	}
}

// circle is a folder in which some people publish and others follow.
type circle struct {
	t   *testing.T
	dir string
}

// person is somebody with a home folder of their own.
type person struct {
	c    *circle
	home string
	url  string
}

func newCircle(t *testing.T) *circle {
	t.Helper()
	c := &circle{t: t, dir: t.TempDir()}
	c.write("work/.keep", "")
	return c
}

// write writes a file into the folder in which everybody works.
func (c *circle) write(name, text string) {
	c.t.Helper()
	if !strings.HasPrefix(name, "work/") {
		name = "work/" + name
	}
	path := filepath.Join(c.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		c.t.Fatal(err)
	}
}

func (c *circle) follower(name string) *person {
	c.t.Helper()
	p := &person{c: c, home: filepath.Join(c.dir, name)}
	if err := os.Mkdir(p.home, 0o700); err != nil {
		c.t.Fatal(err)
	}
	return p
}

func (c *circle) publisher(name string) *person {
	c.t.Helper()
	p := c.follower(name)
	p.url = filepath.Join(c.dir, name+".git")
	p.run(0, "init", p.url, "--make-key", "--name", name)
	return p
}

// publish has somebody say something and publish it.
func (c *circle) publish(p *person, line ...string) {
	c.t.Helper()
	p.run(0, line...)
	p.run(0, "sync")
}

// next brings both sources to their next state: records come and go, and on the way Bob reports
// what was accepted, withdraws another report, and drops a third without a word.
func (c *circle) next(alice, bob *person, state int) {
	c.t.Helper()
	name := fmt.Sprintf("file%d", state)
	c.write(name, name+"\n")
	switch state % 4 {
	case 0:
		c.publish(alice, "trust", name)
		c.publish(bob, "report", "malware", name)
	case 1:
		c.publish(bob, "withdraw", fmt.Sprintf("file%d", state-1))
	case 2:
		bob.drop(fmt.Sprintf("release-pad%d-", state)) // no withdraw: the report stays
		c.publish(bob, "seal")
	case 3:
		c.publish(alice, "trust", name)
	}
	if state == killedStates/2 {
		c.publish(bob, "report", "malware", "accepted")
	}
}

// drop removes the records of one's own home with this label, by hand.
func (p *person) drop(label string) {
	p.c.t.Helper()
	dir := filepath.Join(p.home, ".local/share/distrust/home")
	files, err := filepath.Glob(filepath.Join(dir, "records/*/*/"+label+"*"))
	if err != nil || len(files) == 0 {
		p.c.t.Fatalf("nothing to drop: %v", err)
	}
	for _, file := range files {
		if err := os.Remove(file); err != nil {
			p.c.t.Fatal(err)
		}
	}
}

// command is the program, run by the person in the folder where everybody works.
func (p *person) command(args ...string) *exec.Cmd {
	cmd := exec.Command("distrust", args...)
	cmd.Dir = filepath.Join(p.c.dir, "work")
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "XDG_") || strings.HasPrefix(v, "SSH_AUTH_SOCK=") || strings.HasPrefix(v, "DISTRUST_")
	}), "HOME="+p.home, "GIT_CONFIG_NOSYSTEM=1", clockVariable+"=2026-11-21T10:00:00Z")
	return cmd
}

// run runs the program to its end and holds its exit code to want; -1: whatever it is.
func (p *person) run(want int, args ...string) string {
	p.c.t.Helper()
	cmd := p.command(args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if cmd.ProcessState == nil {
		p.c.t.Fatal(err)
	}
	if got := cmd.ProcessState.ExitCode(); want >= 0 && got != want {
		p.c.t.Fatalf("%s: distrust %s: exit code %d, want %d\n%s%s", filepath.Base(p.home), strings.Join(args, " "), got, want, out, stderr.Bytes())
	}
	return string(out)
}

// killed starts the program and kills it after a while, and says whether that was in time.
func (p *person) killed(after time.Duration, args ...string) bool {
	p.c.t.Helper()
	cmd := p.command(args...)
	if err := cmd.Start(); err != nil {
		p.c.t.Fatal(err)
	}
	timer := time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	_ = cmd.Wait() // killed, or through before that
	return cmd.ProcessState.ExitCode() < 0
}

// state is everything that a sync puts in force, a line each.
func (p *person) state() []string {
	p.c.t.Helper()
	var lines []string
	line := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	share := filepath.Join(p.home, ".local/share/distrust")
	gen, err := index.Open(index.Dir{Cache: filepath.Join(p.home, ".cache/distrust"), Data: share})
	if err != nil {
		p.c.t.Fatal(err)
	}
	defer gen.Close()
	logs, err := gen.Logs()
	if err != nil {
		p.c.t.Fatal(err)
	}
	for _, log := range logs {
		line("%s: seq %d, head %s, %d records, %d vanished", log.Name, log.Seq, log.HeadID, log.Records, log.Vanished)
		err := gen.Each(log.Log, func(e index.Entry) error {
			line("%s void %t vanished %t", e.Record.ID(), e.Void, e.Vanished)
			return nil
		})
		if err != nil {
			p.c.t.Fatal(err)
		}
	}
	pins, broken, err := source.Pins(source.Dirs{Data: share, State: filepath.Join(p.home, ".local/state/distrust"), Cache: filepath.Join(p.home, ".cache/distrust")})
	if err != nil || len(broken) > 0 {
		p.c.t.Fatal(err, broken)
	}
	for _, pin := range pins {
		line("pin %s of %s: %s %s %s", pin.Log, pin.Name, pin.HeadID(), pin.Tip, pin.Commit)
	}
	for state := range killedStates {
		line("%s", p.run(-1, "why", "--json", fmt.Sprintf("file%d", state)))
	}
	line("%s", p.run(5, "why", "--json", "accepted"))
	line("%s", p.run(7, "alarms", "--json"))
	return lines
}
