package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/distributed-trust/distrust/cli/config"
	"github.com/distributed-trust/distrust/cli/render"
	"github.com/distributed-trust/distrust/records/durable"
	"github.com/distributed-trust/distrust/records/journal"
)

// maxBrief is how many alarms a prompt shows one by one.
const maxBrief = 3

// saidFile remembers on which day --brief told of which open alarm.
func saidFile(d config.Dirs) string { return filepath.Join(d.State, "alarms.said") }

// brief tells of each open alarm once a day, in one line. It reads the alarms file and nothing else
// unless one is open: it runs before prompts (C3).
func (in *Invocation) brief(dirs config.Dirs) (Exit, error) {
	alarms, err := loadAlarms(dirs)
	if err != nil || openAlarms(alarms) == 0 {
		return Done, err
	}
	before, now := map[string]string{}, map[string]string{}
	if b, err := os.ReadFile(saidFile(dirs)); err == nil && json.Unmarshal(b, &before) != nil {
		before = map[string]string{} // then it is told once more
	}
	today := in.Env.Now().Format(time.DateOnly)
	var news []journal.Alarm
	for _, a := range alarms {
		if !a.Acked.IsZero() {
			continue
		}
		if now[a.ID] = today; before[a.ID] != today {
			news = append(news, a)
		}
	}
	if len(news) == 0 {
		return Alarms, nil
	}
	for i, a := range news {
		if i == maxBrief {
			fmt.Fprintf(in.Env.Stdout, "distrust: and %s more are open: distrust alarms\n", count(len(news)-i, "alarm"))
			break
		}
		if err := render.WriteBrief(in.Env.Stdout, a, in.Stdout); err != nil {
			return Failed, err
		}
	}
	b, err := json.Marshal(now)
	if err == nil {
		err = durable.WriteFile(saidFile(dirs), append(b, '\n'), 0o600)
	}
	if errors.Is(err, os.ErrPermission) {
		err = nil // a machine where nothing can be written is told each time
	}
	return Alarms, err
}
