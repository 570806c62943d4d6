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

// told is what --brief told of last. While the day and the alarms file are the same there is nothing to
// tell, and the file, which somebody who reports very much makes large, is not read.
type told struct {
	Day    string   `json:"day"`
	Alarms string   `json:"alarms"` // stamp of the file
	Open   []string `json:"open"`   // ids
}

func toldFile(d config.Dirs) string { return filepath.Join(d.State, "alarms.told") }

// readTold is the zero value when nothing is known: then it is told once more.
func readTold(d config.Dirs) told {
	var t told
	if b, err := os.ReadFile(toldFile(d)); err != nil || json.Unmarshal(b, &t) != nil {
		return told{}
	}
	return t
}

// brief tells of each open alarm once a day, in one line. It reads the alarms file and nothing else
// unless one is open: it runs before prompts (C3).
func (in *Invocation) brief(dirs config.Dirs) (Exit, error) {
	info, err := os.Stat(dirs.Alarms())
	if errors.Is(err, os.ErrNotExist) {
		return Done, nil
	}
	if err != nil {
		return Failed, err
	}
	before, now := readTold(dirs), told{Day: in.Env.Now().Format(time.DateOnly), Alarms: durable.Stamp(info)}
	if before.Day == now.Day && before.Alarms == now.Alarms {
		return exitOfOpen(len(before.Open)), nil
	}
	alarms, err := loadAlarms(dirs)
	if err != nil {
		return Failed, err
	}
	known := map[string]bool{}
	if before.Day == now.Day {
		for _, id := range before.Open {
			known[id] = true
		}
	}
	var news []journal.Alarm
	for _, a := range alarms {
		if !a.Acked.IsZero() {
			continue
		}
		if now.Open = append(now.Open, a.ID); !known[a.ID] {
			news = append(news, a)
		}
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
	if b, err := json.Marshal(now); err == nil && len(alarms) > 0 {
		_ = durable.WriteFile(toldFile(dirs), append(b, '\n'), 0o600) // a machine where nothing can be written is told each time
	}
	return exitOfOpen(len(now.Open)), nil
}

// exitOfOpen is the exit code while so many alarms are open (C2).
func exitOfOpen(n int) Exit {
	if n > 0 {
		return Alarms
	}
	return Done
}
