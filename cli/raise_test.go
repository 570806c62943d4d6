package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	urfave "github.com/urfave/cli/v2"

	"github.com/distributed-trust/distrust/cli/render"
	"github.com/distributed-trust/distrust/records/index"
	"github.com/distributed-trust/distrust/records/source"
)

// crowd is some people on machines of their own, whose commands run within this process.
type crowd struct {
	t   testing.TB
	dir string
}

func newCrowd(t testing.TB) *crowd {
	t.Helper()
	c := &crowd{t, t.TempDir()}
	build := exec.Command("go", "build", "-tags", "urfave_cli_no_docs", "-o", c.at("distrust"), "./distrust") // fetches in a process of its own
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return c
}

func (c *crowd) at(name string) string { return filepath.Join(c.dir, name) }

func (c *crowd) env(who string) *Env {
	env := OS()
	env.Getenv = func(name string) string { return map[string]string{"HOME": c.at(who), "PATH": os.Getenv("PATH")}[name] }
	env.UserHome = func() (string, error) { return c.at(who), nil }
	env.Executable = func() (string, error) { return c.at("distrust"), nil }
	env.Stdout, env.Stderr = io.Discard, io.Discard
	if who == "me" {
		// A head that others made in a hurry is a second ahead of a clock (D1), and all is decided again.
		env.Now = func() time.Time { return time.Now().Add(time.Minute) }
	}
	return env
}

// run has somebody run a command line.
func (c *crowd) run(who string, want int, args ...string) {
	c.t.Helper()
	if code := Main(append([]string{"distrust"}, args...), c.env(who)); code != want {
		c.t.Fatalf("%s: %v: exit code %d", who, args[:min(4, len(args))], code)
	}
}

// accept makes a machine that accepted many files on Alice's word, and knows it.
func (c *crowd) accept(n int) (files []string) {
	c.t.Helper()
	for i := range n {
		file := c.at(fmt.Sprint("file", i))
		if err := os.WriteFile(file, []byte(file), 0o600); err != nil {
			c.t.Fatal(err)
		}
		files = append(files, file)
	}
	c.run("alice", 0, "init", c.at("alice.git"), "--make-key")
	for at := 0; at < n; at += 100 {
		c.run("alice", 0, append([]string{"trust"}, files[at:min(n, at+100)]...)...)
	}
	c.run("alice", 0, "sync")
	c.run("me", 0, "follow", c.at("alice.git"), "--tofu", "--weight", "full")
	c.run("me", 0, append([]string{"check"}, files...)...)
	c.run("me", 0, "sync")
	return files
}

// fetched is a machine in the middle of a sync: news are there, and not in force.
func (c *crowd) fetched(who string) (*machine, *source.Batch) {
	c.t.Helper()
	ctx := context.Background()
	env := c.env(who)
	in := &Invocation{Env: env, Command: syncCommand(env), flags: urfave.NewContext(nil, nil, nil), Stdout: render.Style{}}
	m, err := in.machine()
	if err != nil {
		c.t.Fatal(err)
	}
	specs, err := m.specs(nil)
	if err != nil {
		c.t.Fatal(err)
	}
	options, err := m.fetchOptions(ctx)
	if err != nil {
		c.t.Fatal(err)
	}
	batch, err := source.Sync(ctx, m.sourceDirs(), specs, options)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { batch.Close() })
	unlock, err := m.lock(ctx)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(unlock)
	if err := m.watching(ctx); err != nil {
		c.t.Fatal(err)
	}
	return m, batch
}

// TestRaiseNarrow: a sync decides what its news bear on, and nothing else; the next one nothing at all.
func TestRaiseNarrow(t *testing.T) {
	t.Parallel()
	c := newCrowd(t)
	files := c.accept(12)
	c.run("alice", 0, "report", "malware", files[3], files[7])
	c.run("alice", 0, "sync")
	m, batch := c.fetched("me")
	err := batch.Commit(context.Background(), func(ctx context.Context, updates []index.Update) error { return m.apply(ctx, updates...) })
	if err != nil {
		t.Fatal(err)
	}
	if len(m.watch.things) != 12 || len(m.watch.before) != 2 || m.watch.all {
		t.Errorf("%d of %d things are touched, all: %v", len(m.watch.before), len(m.watch.things), m.watch.all)
	}
	result, err := m.raise(context.Background())
	if err != nil || len(result.Raised) != 2 || len(result.changes) != 2 {
		t.Errorf("%+v, %v", result, err)
	}
	m.watch = nil
	result, err = m.raise(context.Background())
	if err != nil || len(result.Raised) != 0 || m.watch.all || len(m.watch.before) != 0 || len(result.Alarms) != 2 {
		t.Errorf("%+v, %v", result, err)
	}
}

// BenchmarkRaise is what a sync that touches 20 of 10,000 watched files spends on them: finding them,
// deciding them before and after, and raising alarms. Reading the journal is apart, see BenchmarkScan there.
func BenchmarkRaise(b *testing.B) {
	c := newCrowd(b)
	files := c.accept(10_000)
	c.run("alice", 0, append([]string{"report", "malware"}, files[500:520]...)...)
	c.run("alice", 0, "sync")
	m, batch := c.fetched("me")
	ctx := context.Background()
	var touched *index.Touched
	err := batch.Commit(ctx, func(ctx context.Context, updates []index.Update) error {
		w, err := index.Begin(m.indexDir())
		if err != nil {
			return err
		}
		for _, u := range updates {
			if err := w.Update(ctx, u); err != nil {
				return err
			}
		}
		if touched, err = w.Touched(); err != nil {
			return err
		}
		if err := w.Close(); err != nil {
			return err
		}
		return m.apply(ctx, updates...)
	})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		m.watch.before = map[string]stood{}
		if err := m.watch.changing(ctx, touched, nil, m.settings(b)); err != nil || m.watch.all {
			b.Fatal(err)
		}
		result, err := m.raise(ctx)
		if err != nil || len(m.watch.before) != 20 || len(result.Alarms) != 20 {
			b.Fatal(len(m.watch.before), err)
		}
	}
}

// settings are those that the index holds.
func (m *machine) settings(t testing.TB) index.Config {
	t.Helper()
	g, err := index.Open(m.indexDir())
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	settings, err := g.Config()
	if err != nil {
		t.Fatal(err)
	}
	return settings
}
