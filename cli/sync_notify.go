package cli

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"github.com/distributed-trust/distrust/cli/render"
	"github.com/distributed-trust/distrust/records/journal"
)

const notifyFlagName = "notify"

// notifyWait is how long a desktop that does not answer is waited for, and notifyMost how many alarms a
// notice names.
const (
	notifyWait = 5 * time.Second
	notifyMost = 3
)

// notify shows new alarms on the desktop. Where there is none nothing is lost: they are printed, and stay open.
func (s *syncRun) notify(raised []journal.Alarm) {
	if !s.in.Bool(notifyFlagName) || len(raised) == 0 {
		return
	}
	program, err := s.in.Env.LookPath("notify-send")
	if err != nil {
		return
	}
	var lines []string
	for i, a := range raised {
		if i == notifyMost {
			lines = append(lines, fmt.Sprintf("and %d more", len(raised)-i))
			break
		}
		lines = append(lines, render.Notice(noticeOf(a)))
	}
	lines = append(lines, "distrust alarms")
	ctx, cancel := context.WithTimeout(s.ctx, notifyWait)
	defer cancel()
	show := exec.CommandContext(ctx, program, "--app-name=distrust", "--urgency=critical", "--",
		"distrust: "+count(len(raised), "new alarm"), strings.Join(lines, "\n"))
	show.Env = s.in.Env.Environ()
	_ = show.Run() // a desktop that shows nothing is none
}

// noticeOf is an alarm on one line.
func noticeOf(a journal.Alarm) string {
	text := fmt.Sprintf("%s is %s now", entryName(a.Entry), a.Verdict)
	if len(a.Reports) == 0 {
		return text
	}
	first := a.Reports[0]
	who := nameOr(first.Source, first.Log)
	if first.Own {
		who = "you"
	}
	return text + fmt.Sprintf(": %s, %s", who, nameOr(string(first.Category), "other bytes"))
}
