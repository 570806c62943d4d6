package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/distributed-trust/distrust/records/durable"
	"github.com/distributed-trust/distrust/records/trust"
	"github.com/distributed-trust/distrust/schema"
)

// ErrAlarms says that the alarms file cannot be read. Deciding the journal again finds every
// alarm again; which of them were acknowledged is lost.
var ErrAlarms = errors.New("the alarms file is damaged")

// alarmsFormat is the version of the alarms file.
const alarmsFormat = 1

type alarmsWire struct {
	Format int         `json:"format"`
	Alarms []alarmWire `json:"alarms"`
}

type alarmWire struct {
	ID      string       `json:"id"`
	Entry   string       `json:"entry"` // a line of the journal
	Verdict string       `json:"verdict"`
	Reports []reportWire `json:"reports"`
	Raised  time.Time    `json:"raised"`
	Acked   *time.Time   `json:"acked,omitempty"`
	Reason  string       `json:"reason,omitempty"`
	Known   []string     `json:"known,omitempty"`
}

type reportWire struct {
	Record   string `json:"record"`
	Log      string `json:"log"`
	Source   string `json:"source,omitempty"`
	Category string `json:"category,omitempty"`
	Reason   string `json:"reason,omitempty"`
	Issued   int64  `json:"issued,omitempty"`
	Own      bool   `json:"own,omitempty"`
}

// LoadAlarms reads the alarms file; a missing one holds none. One that cannot be understood is
// [ErrAlarms].
func LoadAlarms(file string) ([]Alarm, error) {
	b, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading alarms: %w", err)
	}
	alarms, err := parseAlarms(b)
	if err != nil {
		return nil, fmt.Errorf("reading alarms: %w: %w", ErrAlarms, err)
	}
	return alarms, nil
}

func parseAlarms(b []byte) ([]Alarm, error) {
	var all alarmsWire
	if err := json.Unmarshal(b, &all); err != nil {
		return nil, err
	}
	if all.Format != alarmsFormat {
		return nil, fmt.Errorf("format %d, this program reads %d", all.Format, alarmsFormat)
	}
	var alarms []Alarm
	for i, w := range all.Alarms {
		e, err := decodeLine([]byte(w.Entry))
		if err != nil || w.ID == "" {
			return nil, fmt.Errorf("alarm %d", i+1)
		}
		a := Alarm{ID: w.ID, Entry: e, Verdict: trust.Verdict(w.Verdict), Raised: w.Raised.UTC(), Reason: w.Reason, Known: w.Known}
		if w.Acked != nil {
			a.Acked = w.Acked.UTC()
		}
		for _, r := range w.Reports {
			a.Reports = append(a.Reports, Report{
				Record: r.Record, Log: r.Log, Source: r.Source, Category: schema.Category(r.Category),
				Reason: r.Reason, Issued: r.Issued, Own: r.Own,
			})
		}
		alarms = append(alarms, a)
	}
	return alarms, nil
}

// SaveAlarms replaces the alarms file in one step. File and folder are the user's alone.
func SaveAlarms(file string, alarms []Alarm) error {
	b, err := encodeAlarms(alarms)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(file), 0o700)
	}
	if err == nil {
		err = durable.WriteFile(file, b, 0o600)
	}
	if err != nil {
		return fmt.Errorf("writing alarms: %w", err)
	}
	return nil
}

func encodeAlarms(alarms []Alarm) ([]byte, error) {
	all := alarmsWire{Format: alarmsFormat, Alarms: []alarmWire{}}
	for _, a := range alarms {
		line, err := encodeLine(a.Entry)
		if err != nil {
			return nil, err
		}
		w := alarmWire{
			ID: a.ID, Entry: string(bytes.TrimSuffix(line, []byte("\n"))), Verdict: string(a.Verdict),
			Raised: a.Raised.UTC(), Reason: a.Reason, Known: a.Known, Reports: []reportWire{},
		}
		if !a.Acked.IsZero() {
			acked := a.Acked.UTC()
			w.Acked = &acked
		}
		for _, r := range a.Reports {
			w.Reports = append(w.Reports, reportWire{
				Record: r.Record, Log: r.Log, Source: r.Source, Category: string(r.Category),
				Reason: r.Reason, Issued: r.Issued, Own: r.Own,
			})
		}
		all.Alarms = append(all.Alarms, w)
	}
	b, err := json.MarshalIndent(all, "", "  ")
	return append(b, '\n'), err
}
