package render

import (
	"fmt"
	"strings"

	"github.com/distributed-trust/distrust/records/trust"
)

// maxOthers is how many digests of others a warning shows.
const maxOthers = 5

// OtherBytes is the warning about a file of which others know other bytes: who, by which record, and both
// digests whole, to be compared with what a project's own pages say. It is "" where that is not what
// decided.
func (r Report) OtherBytes(s Style) string {
	d := r.Decision
	if d.By != trust.ByOtherBytes {
		return ""
	}
	release := Release(d.Project, d.Version)
	lines := []string{s.Paint(Bad, "WARNING: THESE ARE NOT THE BYTES OF "+Escape(release))}
	add := func(text string) { lines = append(lines, "  "+Escape(text)) }
	told, more := 0, 0
	for _, f := range d.Findings {
		if f.Kind != trust.FindingOtherBytes || !f.Counted {
			continue
		}
		who := f.Source
		if who == "" {
			who = you
		}
		for _, theirs := range f.Statement.Subjects {
			switch {
			case theirs.File != r.Query.Name:
			case told == maxOthers: // one record can name a thousand
				more++
			default:
				told++
				add(fmt.Sprintf("%s, record %s, for %s:", who, shortID(f.Statement.ID), Release(f.Statement.Project, f.Statement.Version)))
				add("  " + Digest(trust.Query{Digest: theirs.Digest}))
			}
		}
	}
	if more > 0 {
		add(fmt.Sprintf("and %d more", more))
	}
	add("here:")
	add("  " + Digest(r.Query))
	return strings.Join(lines, "\n") + "\n"
}
