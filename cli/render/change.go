package render

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/distributed-trust/distrust/records/trust"
)

// Change is something that this machine remembers and that comes to another verdict.
type Change struct {
	ID      string // of the thing, and of the alarm over it
	Name    string // what it is called
	Before  trust.Verdict
	After   Report
	Planned bool // it would change; nothing has
}

// WriteChange prints what changes on one line, and unless that is said elsewhere, what decides about it
// then: in the words of check.
func WriteChange(w io.Writer, c Change, why bool) error {
	q, d := c.After.Query, c.After.Decision
	line := Escape(c.Name)
	if q.Project != "" {
		line += " (" + Escape(Release(q.Project, q.Version)) + ")"
	}
	if c.Planned {
		line += fmt.Sprintf("  is %s, would be %s", c.Before, d.Verdict)
	} else {
		line += fmt.Sprintf("  was %s, is %s now", c.Before, d.Verdict)
	}
	amount, remark := c.After.summary()
	if parts := slices.DeleteFunc([]string{amount, remark}, func(p string) bool { return p == "" }); why && len(parts) > 0 {
		line += ": " + Escape(strings.Join(parts, ", "))
	}
	_, err := io.WriteString(w, line+"\n")
	return err
}

// changeJSON is a change for programs.
type changeJSON struct {
	Format  int               `json:"format"`
	Thing   string            `json:"thing"`
	Name    string            `json:"name"`
	Digests map[string]string `json:"digests"`
	Project string            `json:"project"`
	Version string            `json:"version"`
	Before  trust.Verdict     `json:"before"`
	After   trust.Verdict     `json:"after"`
	Planned bool              `json:"planned"`
	By      trust.Reason      `json:"decided_by"`
	For     int               `json:"for"`
	Against int               `json:"against"`
}

// WriteChangeJSON prints a change as one object on one line.
func WriteChangeJSON(w io.Writer, c Change) error {
	q, d := c.After.Query, c.After.Decision
	return EncodeJSON(w, changeJSON{
		Format: 1, Thing: c.ID, Name: c.Name, Digests: digests(q), Project: q.Project, Version: q.Version,
		Before: c.Before, After: d.Verdict, Planned: c.Planned, By: d.By, For: d.For, Against: d.Against,
	})
}
