package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/distributed-trust/distrust/cli/render"
	"github.com/distributed-trust/distrust/records/durable"
)

// Files in the state folder that hold a moment: when a sync last reached everybody, and when somebody
// was last reminded that this is long ago.
const (
	syncedFile   = "synced"
	remindedFile = "reminded"
)

// remindAfter is how old the news may be before people at a prompt are told, and remindEvery how often
// they are (C4).
const (
	remindAfter = 7 * 24 * time.Hour
	remindEvery = 24 * time.Hour
)

// remind says on a terminal, once a day, that the news is old, or that there was never any. Scripts
// never see it.
func (in *Invocation) remind() {
	env := in.Env
	terminal := env.IsTerminal(env.Stdout) && env.IsTerminal(env.Stderr) && env.AtPrompt()
	if !terminal || in.NoInput() || in.Bool(quietFlagName) || in.Bool(jsonFlagName) || env.Getenv("CI") != "" {
		return
	}
	now, synced, reminded := env.Now(), readSynced(in), readMoment(in, remindedFile)
	if ago := now.Sub(reminded); ago >= 0 && ago < remindEvery || now.Sub(synced) < remindAfter {
		return
	}
	m, err := in.machine()
	if err != nil || len(m.sources) == 0 || m.noteMoment(remindedFile) != nil {
		return // where it cannot be remembered it would be said every time
	}
	if synced.IsZero() {
		env.say("never synced on this machine: distrust sync")
		return
	}
	env.say(fmt.Sprintf("last synced %s: distrust sync", render.Ago(synced, now)))
}

// readSynced is when a sync last reached everybody; zero when never.
func readSynced(in *Invocation) time.Time { return readMoment(in, syncedFile) }

// readMoment reads a moment of the state folder; zero when it is not known.
func readMoment(in *Invocation, file string) time.Time {
	dirs, err := in.Env.Dirs()
	if err != nil {
		return time.Time{}
	}
	b, err := os.ReadFile(filepath.Join(dirs.State, file))
	if err != nil {
		return time.Time{}
	}
	seconds, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
	if err != nil {
		return time.Time{}
	}
	return unixTime(seconds)
}

// noteMoment writes down that it is now.
func (m *machine) noteMoment(file string) error {
	if err := os.MkdirAll(m.dirs.State, 0o700); err != nil {
		return err
	}
	text := strconv.FormatInt(m.env.Now().Unix(), 10) + "\n"
	return durable.WriteFile(filepath.Join(m.dirs.State, file), []byte(text), 0o600)
}
