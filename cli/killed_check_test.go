package cli_test

import (
	"bufio"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/distributed-trust/distrust/records/journal"
)

// TestKilledChecks: of 1,000 things that programs accept side by side, while half of these are killed at
// any moment and others rewrite the journal, none that was accepted is missing there, and nothing that
// was written is torn but by who was killed.
func TestKilledChecks(t *testing.T) {
	t.Parallel()
	programs, each, beside := 100, 10, 8
	if testing.Short() {
		programs = 20
	}
	c := newCircle(t)
	me := c.follower("me")
	var files []string
	for i := range each {
		files = append(files, fmt.Sprint("file", i))
		c.write(files[i], files[i]+"\n")
	}
	me.run(0, append([]string{"trust", "--make-key"}, files...)...)
	for i := range beside {
		me.run(0, "check", files[0], "--for", fmt.Sprintf("generic:victim@%d", i))
	}
	file := filepath.Join(me.home, ".local", "state", "distrust", "journal")
	accepted := make([]int, programs) // how many files each program went past
	var all sync.WaitGroup
	turn := make(chan struct{}, beside)
	for p := range programs {
		turn <- struct{}{}
		all.Go(func() {
			defer func() { <-turn }()
			most := each
			if p%2 == 1 {
				most = 1 + p%each
			}
			accepted[p] = me.checks(t, p, files, most)
		})
		if p%(programs/beside) == 0 { // one at a time takes a line away: the journal is written anew
			all.Go(func() { me.forget(t, file, fmt.Sprint(p/(programs/beside))) })
		}
	}
	all.Wait()
	check := func(skippedAtMost int) {
		t.Helper()
		entries, skipped, err := journal.Scan(file)
		if err != nil || skipped > skippedAtMost {
			t.Errorf("%d lines are torn, %v", skipped, err)
		}
		have := map[string]bool{}
		for _, e := range entries {
			have[e.Name+" "+e.Project+" "+e.Version] = true
		}
		for p, n := range accepted {
			for _, name := range files[:n] {
				if want := fmt.Sprintf("%s pkg:generic/x %d", name, p); !have[want] {
					t.Errorf("%s was accepted and is lost", want)
				}
			}
		}
	}
	check(programs / 2)
	me.run(0, "doctor", "--fix")
	check(0)
}

// checks runs one program that checks all files, and kills it when it has gone on to the file behind the
// first most. It says how many were accepted for certain.
func (p *person) checks(t *testing.T, n int, files []string, most int) int {
	cmd := p.command(append([]string{"check", "--for", fmt.Sprintf("generic:x@%d", n)}, files...)...)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Error(err)
		return 0
	}
	seen := 0
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if !strings.HasPrefix(lines.Text(), "TRUSTED") {
			t.Errorf("program %d says %q", n, lines.Text())
		}
		if seen++; seen == most && most < len(files) {
			_ = cmd.Process.Kill()
		}
	}
	if err := cmd.Wait(); err == nil {
		return len(files)
	} else if most == len(files) {
		t.Errorf("program %d: %v", n, err)
	}
	return seen - 1 // what it was writing down when it was killed may be lost
}

// forget has the journal written anew, without one thing.
func (p *person) forget(t *testing.T, file, version string) {
	entries, err := journal.Read(file)
	if err != nil {
		t.Error(err)
		return
	}
	for _, thing := range journal.Things(entries) {
		if e := thing.Entry; e.Project == "pkg:generic/victim" && e.Version == version {
			cmd := p.command("journal", "forget", thing.ID)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("forgetting: %v: %s", err, out)
			}
		}
	}
}
