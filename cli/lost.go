package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/distributed-trust/distrust/cli/render"
	"github.com/distributed-trust/distrust/records/journal"
	"github.com/distributed-trust/distrust/records/trust"
	"github.com/distributed-trust/distrust/schema"
)

// stood is what something came to, and on whose records.
type stood struct {
	verdict  trust.Verdict
	carriers []carrier
}

// carrier is a record that carried a yes.
type carrier struct{ record, source string }

// stoodOn keeps of a decision what a later one is compared with.
func stoodOn(d *trust.Decision) stood {
	s := stood{verdict: d.Verdict}
	if d.Verdict != trust.Trusted {
		return s
	}
	if own := d.Own; own != nil && own.Statement.Kind == schema.KindTrust {
		s.carriers = append(s.carriers, carrier{own.Statement.ID, "you"})
	}
	for i := range d.Voices {
		if v := &d.Voices[i]; v.Amount > 0 && v.Statement.Kind == schema.KindTrust {
			s.carriers = append(s.carriers, carrier{v.Statement.ID, v.Source})
		}
	}
	return s
}

// loss is why something that was trusted has lost its support: a source, and what became of its record.
type loss struct{ source, cause string }

// lost finds what a yes has lost; false where it was something else, such as another weight.
func (s stood) lost(now *trust.Decision) (loss, bool) {
	for _, c := range s.carriers {
		i := slices.IndexFunc(now.Voices, func(v trust.Voice) bool { return v.Statement.ID == c.record })
		if i < 0 {
			if now.Own == nil || now.Own.Statement.ID != c.record {
				return loss{c.source, "no longer says so"}, true
			}
			continue
		}
		switch now.Voices[i].NotCounted {
		case trust.WithdrawnRec:
			return loss{c.source, "withdrew it"}, true
		case trust.VoidRecord:
			return loss{c.source, "gave up the key that said so"}, true
		case trust.ExpiredRec:
			return loss{c.source, "said so until it expired"}, true
		case trust.StaleSource:
			return loss{c.source, "is stale"}, true
		case trust.Counts, trust.Muted, trust.NotFollowed, trust.OutOfScope, trust.Superseded, trust.Overruled, trust.NotYet,
			trust.NotMatching, trust.NoRoom: // the user's own doing, or a change that says so itself
		}
	}
	return loss{}, false
}

// notice is one for all that lost its support for the same reason.
type notice struct {
	loss
	things []journal.Thing
}

// about says whether a notice tells of a thing.
func (n notice) about(id string) bool {
	return slices.ContainsFunc(n.things, func(t journal.Thing) bool { return t.ID == id })
}

// maxLost is how many things a notice names.
const maxLost = 3

// line is the notice in words.
func (n notice) line() string {
	var names []string
	for _, t := range n.things[:min(maxLost, len(n.things))] {
		names = append(names, entryName(t.Entry))
	}
	text := strings.Join(names, ", ")
	if more := len(n.things) - len(names); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	verb := "was trusted, is"
	if len(n.things) > 1 {
		verb = "were trusted, are"
	}
	return render.Escape(fmt.Sprintf("%s  %s unknown now: %s %s", text, verb, n.source, n.cause))
}
