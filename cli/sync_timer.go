package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/distributed-trust/distrust/cli/render"
	"github.com/distributed-trust/distrust/records/durable"
)

const (
	installTimerFlagName = "install-timer"
	removeTimerFlagName  = "remove-timer"
)

// The units of a timer (C3), and the line by which we know them again: files of these names without it are
// somebody else's.
const (
	timerUnit   = "distrust-sync.timer"
	serviceUnit = "distrust-sync.service"
	unitMark    = "# Written by distrust sync --install-timer. Change it with: systemctl --user edit\n"
)

// serviceText runs a sync: the program and its environment are filled in. It publishes nothing, since what
// leaves the machine does so when the user syncs. An open alarm and a source that was not reached for a
// week are no failures of the unit. What it is denied needs no privilege to deny, and neither git, ssh nor
// notify-send miss it.
const serviceText = unitMark + `[Unit]
Description=Fetch whom distrust follows, and say what turned out bad
Documentation=https://github.com/distributed-trust/distrust

[Service]
Type=oneshot
ExecStart=%s sync --quiet --notify --no-push --no-input
%sSuccessExitStatus=7 12
TimeoutStartSec=15min
Nice=10
UMask=0077
NoNewPrivileges=true
LockPersonality=true
RestrictRealtime=true
RestrictSUIDSGID=true
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
`

// timerText has it run four times a day, not at the same moment as everybody's, and after a day that the
// machine was off.
const timerText = unitMark + `[Unit]
Description=Sync distrust four times a day
Documentation=https://github.com/distributed-trust/distrust

[Timer]
OnCalendar=*-*-* 00/6:00:00
RandomizedDelaySec=1h
Persistent=true

[Install]
WantedBy=timers.target
`

// unitFile is a unit as it is on the disk.
type unitFile struct {
	path string
	text string // as it would be written
	was  string // as it is; "" when it is not there
}

// runTimer installs or removes the timer.
func runTimer(in *Invocation) (Exit, error) {
	if len(in.Operands) > 0 || in.Bool(installTimerFlagName) && in.Bool(removeTimerFlagName) {
		return Usage, usagef("--%s and --%s stand alone", installTimerFlagName, removeTimerFlagName)
	}
	dir, err := in.Env.unitDir()
	if err != nil {
		return Failed, err
	}
	units := []*unitFile{{path: filepath.Join(dir, serviceUnit)}, {path: filepath.Join(dir, timerUnit)}}
	for _, u := range units {
		if err := u.read(); err != nil {
			return Failed, err
		}
	}
	enabled := filepath.Join(dir, "timers.target.wants", timerUnit)
	if in.Bool(removeTimerFlagName) {
		return in.removeTimer(units, enabled)
	}
	return in.installTimer(units, enabled)
}

// unitDir is where the units of a user lie.
func (e *Env) unitDir() (string, error) {
	config := e.Getenv("XDG_CONFIG_HOME")
	if !filepath.IsAbs(config) {
		home, err := e.UserHome()
		if err != nil {
			return "", err
		}
		config = filepath.Join(home, ".config")
	}
	return filepath.Join(config, "systemd", "user"), nil
}

// read reads a unit that is there, and refuses one that we did not write.
func (u *unitFile) read() error {
	info, err := os.Lstat(u.path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	b := []byte(nil)
	if info.Mode().IsRegular() {
		if b, err = os.ReadFile(u.path); err != nil {
			return err
		}
	}
	if u.was = string(b); !strings.HasPrefix(u.was, unitMark) {
		return fail(Failed, fmt.Errorf("%s is there, and distrust did not write it", u.path),
			"look at it", render.Word("cat"), render.File(u.path, ""))
	}
	return nil
}

// installTimer writes the units. Turning them on is the user's.
func (in *Invocation) installTimer(units []*unitFile, enabled string) (Exit, error) {
	if _, err := in.Env.LookPath("systemctl"); err != nil {
		return Failed, fail(Failed, errors.New("there is no systemd that could run a timer"),
			"have cron run it every few hours", render.Words("distrust", "sync", "--quiet", "--notify", "--no-push")...)
	}
	_, err := in.Env.Dirs() // else every run would end with what is wrong with them
	if err == nil {
		units[0].text, err = in.Env.serviceUnit()
	}
	if err != nil {
		return Failed, err
	}
	units[1].text = timerText
	if err := os.MkdirAll(filepath.Dir(units[0].path), 0o700); err != nil {
		return Failed, err
	}
	written := false
	for _, u := range units {
		verb := "unchanged"
		if u.was != u.text {
			verb, written = "wrote", true
			if err := durable.WriteFile(u.path, []byte(u.text), 0o600); err != nil {
				return Failed, err
			}
		}
		fmt.Fprintf(in.Env.Stdout, "%s  %s\n", verb, render.Escape(u.path))
	}
	if _, err := os.Lstat(enabled); err == nil {
		in.Env.say("it is on already")
		if written {
			in.Env.hint(render.Hint{Text: "have systemd read it again", Command: render.Words("systemctl", "--user", "daemon-reload")})
		}
		return Done, nil
	}
	in.Env.say("nothing runs yet; when it is on it syncs four times a day, and publishes nothing")
	in.Env.hint(render.Hint{Text: "turn it on", Command: render.Words("systemctl", "--user", "enable", "--now", timerUnit)})
	return Done, nil
}

// removeTimer removes the units, and the link by which systemd was told to start the timer.
func (in *Invocation) removeTimer(units []*unitFile, enabled string) (Exit, error) {
	units = slices.DeleteFunc(units, func(u *unitFile) bool { return u.was == "" })
	if len(units) == 0 {
		in.Env.say("there is no timer of distrust's")
		return Done, nil
	}
	on := false
	if to, err := os.Readlink(enabled); err == nil && filepath.Base(to) == timerUnit {
		if err := os.Remove(enabled); err != nil {
			return Failed, err
		}
		on = true
	}
	for _, u := range units {
		if err := os.Remove(u.path); err != nil {
			return Failed, err
		}
		fmt.Fprintf(in.Env.Stdout, "removed  %s\n", render.Escape(u.path))
	}
	if on {
		in.Env.hint(render.Hint{Text: "it was on; end it now and not with your session", Command: render.Words("systemctl", "--user", "stop", timerUnit)})
	}
	return Done, nil
}

// serviceUnit is the service that runs this program, with the folders that it uses here.
func (e *Env) serviceUnit() (string, error) {
	program, err := e.program()
	if err != nil {
		return "", err
	}
	quoted, err := unitWord(program)
	if err != nil {
		return "", err
	}
	settings := ""
	for _, name := range []string{
		"DISTRUST_CONFIG_DIR", "DISTRUST_DATA_DIR", "DISTRUST_STATE_DIR", "DISTRUST_CACHE_DIR",
		"XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME",
	} {
		value := e.Getenv(name)
		if value == "" {
			continue
		}
		word, err := unitWord(name + "=" + value)
		if err != nil {
			return "", err
		}
		settings += "Environment=" + word + "\n"
	}
	return fmt.Sprintf(serviceText, quoted, settings), nil
}

// program is where this program lies, for others to start later: as the user finds it, so that an update
// is found, too.
func (e *Env) program() (string, error) {
	self, err := e.Executable()
	if err != nil {
		return "", fmt.Errorf("finding this program: %w", err)
	}
	info, err := os.Stat(self)
	if err != nil {
		return "", fmt.Errorf("finding this program: %w", err)
	}
	if strings.Contains(self, string(filepath.Separator)+"go-build") {
		return "", fmt.Errorf("%s is gone when go run ends: install distrust first", self)
	}
	found, err := e.LookPath("distrust")
	if err != nil || !filepath.IsAbs(found) {
		return self, nil
	}
	if same, err := os.Stat(found); err != nil || !os.SameFile(info, same) {
		return self, nil
	}
	return found, nil
}

// unitWord quotes one word of a unit. A dollar means nothing in the path of a program or in Environment=; a
// program with quotes or backslashes in its path is one that systemd never starts.
func unitWord(word string) (string, error) {
	if render.Escape(word) != word || strings.ContainsAny(word, `"'\`) {
		return "", fmt.Errorf("%q has characters that systemd takes in no path", word)
	}
	return `"` + strings.ReplaceAll(word, "%", "%%") + `"`, nil
}
