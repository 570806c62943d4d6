package render

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/distributed-trust/distrust/records/journal"
)

// Bytes says what lies where an accepted file lay.
type Bytes string

// What may lie at a [Place].
const (
	SameBytes  Bytes = "same"     // the file, as it was accepted
	OtherBytes Bytes = "other"    // something else
	Gone       Bytes = "gone"     // nothing
	NotRead    Bytes = "not-read" // it cannot be read, or is too large to be read in passing

	Pinned    Bytes = "pinned"     // a lock file that pins it
	NotPinned Bytes = "not-pinned" // a lock file that pinned it and does not any more
)

// Place is where an accepted file lay, or the lock file that pinned it, and what lies there now.
type Place struct {
	Path  string
	Bytes Bytes
}

// Alarm is an alarm with what the machine knows of its file now.
type Alarm struct {
	journal.Alarm
	Places []Place
}

// WriteAlarm prints what it is about, how it was accepted, where it lies, who says what, and what to
// do (C3).
func WriteAlarm(w io.Writer, a Alarm, s Style) error {
	e := a.Entry
	id := Digest(e.Query())
	tone, word := Bad, "ALARM"
	if !a.Acked.IsZero() {
		tone, word = Faint, "acked"
	}
	what := called(e)
	var lines []string
	for _, r := range a.Reports {
		lines = append(lines, reportLine(r))
	}
	if !a.Acked.IsZero() {
		lines = append(lines, ackedLine(a.Alarm))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s  %s  is %s now\n", s.Paint(tone, word), a.ID[:min(8, len(a.ID))], what, a.Verdict)
	b.WriteString("  " + Cut(accepted(e), s.width()-2) + "\n")
	for _, p := range a.Places {
		b.WriteString("  " + p.line() + "\n") // whole, to be pasted
	}
	for _, line := range lines {
		b.WriteString("  " + Cut(line, s.width()-2) + "\n")
	}
	if a.Acked.IsZero() {
		for _, command := range a.next(id) {
			if line, ok := Command(command...); ok {
				b.WriteString("  " + line + "\n")
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// called is what a line calls something: its file name, else the release that it is of, else its digest.
func called(e journal.Entry) string {
	switch {
	case e.Name != "":
		return Escape(e.Name)
	case e.Project != "":
		return Release(e.Project, e.Version)
	}
	return Short(Digest(e.Query()))
}

// accepted says when and how something came to be watched, and on whose word.
func accepted(e journal.Entry) string {
	how := fmt.Sprintf(" on %s by distrust %s", Date(e.Time), Escape(e.Command))
	switch {
	case e.Added:
		return "put under watch" + how
	case e.Overruled:
		return "used" + how + ", though " + string(e.Verdict)
	case len(e.By) > 0:
		how += ", on the word of " + Escape(strings.Join(e.By, ", "))
	}
	return "accepted" + how
}

// line says what lies at the place.
func (p Place) line() string {
	path := Escape(p.Path)
	switch p.Bytes {
	case SameBytes:
		return "is still at " + path
	case OtherBytes:
		return "other bytes are now at " + path
	case Gone:
		return "is no longer at " + path
	case Pinned:
		return "is still pinned by " + path
	case NotPinned:
		return "is no longer pinned by " + path
	case NotRead:
	}
	return "was not looked at: " + path
}

// reportLine is who says what now.
func reportLine(r journal.Report) string {
	who := r.Source
	switch {
	case r.Own:
		who = you
	case who == "":
		who = r.Log
	}
	says := string(r.Category)
	if says == "" {
		says = "knows other bytes or another signer"
	}
	line := Escape(who) + ": " + Escape(says)
	if r.Issued != 0 {
		line += ", " + Date(time.Unix(r.Issued, 0))
	}
	if r.Reason != "" {
		line += `, "` + Escape(r.Reason) + `"`
	}
	return line
}

func ackedLine(a journal.Alarm) string {
	line := "acknowledged on " + Date(a.Acked)
	if a.Reason != "" {
		line += `, "` + Escape(a.Reason) + `"`
	}
	return line
}

// next are the commands that come next: to see all reasons, and to say that it was seen to.
func (a Alarm) next(id string) [][]Arg {
	var all [][]Arg
	if strings.HasPrefix(id, "sha") { // why takes no git ids
		why := Words("distrust", "why")
		if a.Entry.Project != "" {
			why = append(why, Words("--for", Release(a.Entry.Project, a.Entry.Version))...)
		}
		all = append(all, append(why, Word(id)))
	}
	return append(all, Words("distrust", "alarms", "ack", a.ID))
}

// alarmJSON is one alarm for programs.
type alarmJSON struct {
	Format int    `json:"format"`
	ID     string `json:"id"`
	subjectJSON
	Verdict   string            `json:"verdict"`
	Path      string            `json:"path,omitempty"`
	Places    []placeJSON       `json:"places"`
	Accepted  string            `json:"accepted"`
	Command   string            `json:"command"`
	By        []string          `json:"by"`
	Overruled bool              `json:"overruled"`
	Added     bool              `json:"added"`
	Raised    string            `json:"raised"`
	Acked     string            `json:"acked,omitempty"`
	Reason    string            `json:"reason,omitempty"`
	Reports   []alarmReportJSON `json:"reports"`
}

type placeJSON struct {
	Path  string `json:"path"`
	Bytes Bytes  `json:"bytes"`
}

type alarmReportJSON struct {
	Record   string `json:"record"`
	Log      string `json:"log"`
	Source   string `json:"source"`
	Own      bool   `json:"own"`
	Category string `json:"category,omitempty"`
	Reason   string `json:"reason,omitempty"`
	Issued   string `json:"issued,omitempty"`
}

// WriteAlarmJSON prints an alarm as one line of JSON (alarm.schema.json).
func WriteAlarmJSON(w io.Writer, a Alarm) error {
	e := a.Entry
	stamp := func(at time.Time) string {
		if at.IsZero() {
			return ""
		}
		return at.UTC().Format(time.RFC3339)
	}
	out := alarmJSON{
		Format: 1, ID: a.ID, subjectJSON: subjectOf(e), Verdict: string(a.Verdict), Path: e.Path, Places: []placeJSON{},
		Accepted: stamp(e.Time), Command: e.Command, By: append([]string{}, e.By...), Overruled: e.Overruled, Added: e.Added,
		Raised: stamp(a.Raised), Acked: stamp(a.Acked), Reason: a.Reason, Reports: []alarmReportJSON{},
	}
	for _, p := range a.Places {
		out.Places = append(out.Places, placeJSON(p))
	}
	for _, r := range a.Reports {
		report := alarmReportJSON{Record: r.Record, Log: r.Log, Source: r.Source, Own: r.Own, Category: string(r.Category), Reason: r.Reason}
		if r.Issued != 0 {
			report.Issued = stamp(time.Unix(r.Issued, 0))
		}
		out.Reports = append(out.Reports, report)
	}
	return EncodeJSON(w, out)
}

// WriteBrief prints an alarm on one line, for a prompt.
func WriteBrief(w io.Writer, a journal.Alarm, s Style) error {
	what := called(a.Entry)
	end := fmt.Sprintf(" is %s now: distrust alarms", a.Verdict)
	line := s.Paint(Bad, "distrust: alarm:") + " " + Cut(what, s.width()-len("distrust: alarm: ")-len(end)) + end
	_, err := io.WriteString(w, line+"\n")
	return err
}
