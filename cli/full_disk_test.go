package cli_test

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// limited runs the program where no file may grow beyond a number of blocks of 512 bytes, which is
// what a full disk looks like to it, and gives its exit code and what it said.
func (p *person) limited(blocks int, args ...string) (int, string) {
	p.c.t.Helper()
	cmd := p.command(args...)
	shell := exec.Command("sh", append([]string{"-c", fmt.Sprintf(`ulimit -f %d; exec distrust "$@"`, blocks), "sh"}, args...)...)
	shell.Dir, shell.Env = cmd.Dir, cmd.Env
	out, err := shell.CombinedOutput()
	if shell.ProcessState == nil {
		p.c.t.Fatal(err)
	}
	return shell.ProcessState.ExitCode(), string(out)
}

// limits are blocks at which writing stops: at every one of the first, where small files and the
// beginnings of large ones lie, then further apart.
func limits() []int {
	var all []int
	for n := 0; n < 24; n++ {
		all = append(all, n)
	}
	for n := 24; n < 512; n += n / 3 {
		all = append(all, n)
	}
	return all
}

// TestSyncOnFullDisk has every write of a sync fail somewhere: what was in force stays so, what went
// wrong is said, and with room again the next sync ends where an undisturbed machine is (S4).
func TestSyncOnFullDisk(t *testing.T) {
	t.Parallel()
	requireTools(t, "git", "ssh-keygen", "sh")
	c := newCircle(t)
	alice, bob := c.publisher("alice"), c.publisher("bob")
	victim, calm := c.follower("victim"), c.follower("calm")
	c.write("accepted", "accepted\n")
	c.publish(alice, "trust", "accepted")
	for _, p := range []*person{victim, calm} {
		p.run(0, "follow", alice.url, "--tofu", "--weight", "full")
		p.run(0, "follow", bob.url, "--tofu", "--weight", "full")
		p.run(0, "check", "accepted")
	}
	for i := range 40 { // enough that stores, index and journal grow over many blocks
		c.write(fmt.Sprintf("many%d", i), fmt.Sprintf("many %d\n", i))
	}
	alice.run(0, append([]string{"trust"}, workFiles(c, "many*")...)...)
	c.publish(bob, "report", "malware", "accepted")
	alice.run(0, "sync")

	failed := 0
	for _, blocks := range limits() {
		exit, said := victim.limited(blocks, "sync")
		if exit != 0 && exit != 7 {
			failed++
			if !strings.Contains(said, "distrust: error: ") {
				t.Errorf("%d blocks: exit code %d, and no word: %s", blocks, exit, said)
			}
		}
		if strings.Contains(said, "panic") || strings.Contains(said, "goroutine") {
			t.Errorf("%d blocks: %s", blocks, said)
		}
		// One of the two states is in force, whole.
		if got := victim.exit("check", "accepted"); got != 0 && got != 5 {
			t.Errorf("%d blocks: check exits %d", blocks, got)
		}
	}
	if failed < 5 {
		t.Errorf("only %d syncs met a full disk", failed)
	}
	victim.run(7, "sync")
	calm.run(7, "sync")
	got, want := victim.state(), calm.state()
	for _, line := range got {
		if !slices.Contains(want, line) {
			t.Errorf("only after full disks: %s", line)
		}
	}
	for _, line := range want {
		if !slices.Contains(got, line) {
			t.Errorf("not after full disks: %s", line)
		}
	}
}

// TestTrustOnFullDisk has every write of a new record fail somewhere: the home stays one that git and
// stock tools find in order, and the next record goes in.
func TestTrustOnFullDisk(t *testing.T) {
	t.Parallel()
	requireTools(t, "git", "ssh-keygen", "sh")
	c := newCircle(t)
	me := c.follower("me")
	c.write("first", "first\n")
	me.run(0, "trust", "first", "--make-key")
	dir := filepath.Join(me.home, ".local/share/distrust/home")
	failed := 0
	for _, blocks := range limits() {
		name := fmt.Sprintf("file%d", blocks)
		c.write(name, name+"\n")
		exit, said := me.limited(blocks, "trust", name)
		if exit != 0 {
			failed++
			if !strings.Contains(said, "distrust: error: ") {
				t.Errorf("%d blocks: exit code %d, and no word: %s", blocks, exit, said)
			}
		}
		if got := me.exit("check", "first"); got != 0 {
			t.Errorf("%d blocks: check exits %d after: %s", blocks, got, said)
		}
		if out, err := exec.Command("git", "-C", dir, "fsck", "--strict").CombinedOutput(); err != nil {
			t.Errorf("%d blocks: git fsck: %v: %s", blocks, err, out)
		}
		me.run(0, "trust", name, "--reason", "again")
		if got := me.exit("check", name); got != 0 {
			t.Errorf("%d blocks: check of what was trusted exits %d", blocks, got)
		}
	}
	if failed < 2 {
		t.Errorf("only %d records met a full disk", failed)
	}
	out, err := exec.Command("git", "-C", dir, "status", "--short").CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Errorf("git status: %v: %s", err, out)
	}
}

// workFiles lists files of the folder where everybody works.
func workFiles(c *circle, pattern string) []string {
	c.t.Helper()
	files, err := filepath.Glob(filepath.Join(c.dir, "work", pattern))
	if err != nil {
		c.t.Fatal(err)
	}
	for i := range files {
		files[i] = filepath.Base(files[i])
	}
	return files
}

// exit is the exit code of the program.
func (p *person) exit(args ...string) int {
	p.c.t.Helper()
	cmd := p.command(args...)
	err := cmd.Run()
	if cmd.ProcessState == nil {
		p.c.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode()
}
