package cli_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/distributed-trust/distrust/cli"
)

// TestCheckBesideFirstSync has a first sync put its sources in force at every moment at which a check
// looks at its surroundings: the answer is the one of before or the one of after, never that something
// is lost.
func TestCheckBesideFirstSync(t *testing.T) {
	t.Parallel()
	requireTools(t, "git", "ssh-keygen")
	c := newCircle(t)
	alice, me := c.publisher("alice"), c.follower("me")
	c.write("known", "known\n")
	c.publish(alice, "trust", "known")
	me.run(0, "follow", alice.url, "--tofu", "--weight", "full")
	share := func(folder string) string { return filepath.Join(me.home, folder, "distrust") }
	exits := map[int]int{}
	for moment, reached := 1, true; reached; moment++ {
		for _, folder := range []string{share(".local/share"), share(".local/state"), share(".cache")} {
			if err := os.RemoveAll(folder); err != nil {
				t.Fatal(err)
			}
		}
		var said bytes.Buffer
		looks, env := 0, cli.OS()
		env.Stdout, env.Stderr = &said, &said
		env.Now = func() time.Time { return time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC) }
		env.UserHome = func() (string, error) { return me.home, nil }
		env.Getenv = func(string) string {
			if looks++; looks == moment {
				me.run(0, "sync")
			}
			return ""
		}
		exit := cli.Main([]string{"distrust", "check", "--no-journal", filepath.Join(c.dir, "work", "known")}, env)
		if exit != int(cli.Done) && exit != int(cli.Unknown) {
			t.Errorf("sync at look %d: exit code %d\n%s", moment, exit, said.Bytes())
		}
		exits[exit]++
		reached = looks >= moment
	}
	if exits[int(cli.Done)] == 0 || exits[int(cli.Unknown)] == 0 {
		t.Errorf("the syncs fell on one side of the look at the index: %v", exits)
	}
}
