package trust

import (
	"slices"

	"github.com/distributed-trust/distrust/schema"
)

// list writes down every voice with what it added, or why it added nothing.
func (d *decider) list(r *Decision, own word, support, against count) {
	if own.said != nil {
		v := d.voice(d.own, own)
		r.Own = &v
	}
	shown := make(map[*said]bool, len(against.voices)+len(support.voices))
	r.Voices = make([]Voice, 0, len(against.voices)+len(support.voices))
	var rest []Voice
	for _, n := range []*count{&against, &support} {
		for _, i := range n.pass.order(n.voices) {
			w, reason := d.shown(n, i)
			shown[w.said] = true
			v := d.voice(n.from[i], w)
			d.along(&v, n.pass, n.voices[i].state)
			v.Amount, v.NotCounted = n.amounts[i], reason
			if reason == Counts {
				r.Voices = append(r.Voices, v)
			} else {
				rest = append(rest, v)
			}
		}
	}
	for i := range d.own.said {
		x := &d.own.said[i]
		if x == own.said || !x.listed(d.names) {
			continue
		}
		v := d.voice(d.own, word{x, x.as(d.names), 0})
		v.NotCounted, v.Since = x.reason(Superseded, 0)
		rest = append(rest, v)
	}
	for _, s := range d.others {
		for i := range s.said {
			if x := &s.said[i]; x.listed(d.names) && !shown[x] {
				rest = append(rest, d.uncounted(s, x, against.pass))
			}
		}
	}
	r.Voices = append(r.Voices, rest...)
	for _, node := range d.pass(d.q.Project, false).stale {
		source := *d.c.fact(node).source
		source.Name = d.c.name(source.Log)
		r.Stale = append(r.Stale, source)
	}
}

// shown is a word of a count as the screen has it. Of several standing reports of one source one
// that the user has not seen is shown: that is the one which decides. When there is none, the
// report is overruled: it is part of N, not of N'.
func (d *decider) shown(n *count, i int) (word, NotCounted) {
	w := n.words[i]
	if w.isReport() {
		unseen, ok := n.from[i].choose([]name{n.name}, d.seen)
		if !ok || !unseen.isReport() {
			return w, Overruled
		}
		w.said, w.at = unseen.said, unseen.at
	}
	if n.amounts[i] == 0 {
		return w, NoRoom
	}
	return w, Counts
}

// uncounted is the line of a record that is not its source's word, or whose source is not heard.
// A report that is its source's word and yet in no sum is about another of the names that these
// bytes have: N is the largest over them.
func (d *decider) uncounted(s *source, x *said, reports *pass) Voice {
	v := d.voice(s, word{x, x.as(d.names), 0})
	p := d.hearingPass(s, x, reports)
	reason, since := d.unheard(s, x, p)
	switch {
	case reason != Counts:
	case x.isReport() && d.seen[x.s.ID]:
		reason = Overruled
	default:
		reason = Superseded
		if w, ok := d.word(s); ok && w.said == x {
			reason = NoRoom
		}
	}
	v.NotCounted, v.Since = x.reason(reason, since)
	if state, ok := p.find(s.log); ok {
		d.along(&v, p, state)
	}
	return v
}

// hearingPass is the pass that a record would be heard in: of a report the one that counted, or else
// one of a name that it is about.
func (d *decider) hearingPass(s *source, x *said, reports *pass) *pass {
	if !x.isReport() {
		return d.pass(d.q.Project, true)
	}
	if _, ok := reports.find(s.log); ok {
		return reports
	}
	for _, n := range d.names {
		p := d.pass(n.project, false)
		if _, ok := p.find(s.log); ok && x.as([]name{n}) != noRank {
			return p
		}
	}
	return reports
}

// Reports lists the ids of all standing and answered reports of heard sources about the subject,
// sorted: what a user has seen who overrules them, for the field seen (D5). Reports of sources
// that are not heard are not among them: they are new on the day when they are.
func (d Decision) Reports() []string {
	var ids []string
	for _, v := range d.Voices {
		gone := v.NotCounted == VoidRecord || v.NotCounted == WithdrawnRec
		if !v.Own && !gone && len(v.Path) > 0 && v.Statement.Kind == schema.KindDistrust {
			ids = append(ids, v.Statement.ID)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// reason is why a record adds nothing: what holds of the record itself, else what is given.
func (x *said) reason(other NotCounted, since int64) (NotCounted, int64) {
	switch {
	case x.state != Counts:
		return x.state, x.since
	case !x.isReport() && x.rank == noRank:
		return NotMatching, 0
	}
	return other, since
}

// unheard says why a source is not heard with a record in a pass, and since when; Counts when it
// is heard.
func (d *decider) unheard(s *source, x *said, p *pass) (NotCounted, int64) {
	node, known := d.c.node(s.log)
	if known && d.c.fact(node).lost {
		return VoidRecord, 0
	}
	i, followed := d.c.follow(s.log)
	if followed {
		switch f := d.c.follows[i]; {
		case f.Weight <= 0:
			return Muted, 0
		case f.Expires != 0 && d.now >= f.Expires:
			return NotFollowed, f.Expires
		}
	}
	if _, heard := p.find(s.log); !heard {
		if followed {
			return OutOfScope, 0
		}
		if _, heard := d.pass(d.q.Project, false).find(s.log); heard && !x.isReport() {
			return StaleSource, 0 // only the edges of stale sources lead to it
		}
		return NotFollowed, 0
	}
	if !x.isReport() && !d.fresh(s.log) {
		if source := d.c.fact(node).source; source != nil {
			return StaleSource, source.Expires
		}
		return StaleSource, 0
	}
	return Counts, 0
}

// voice starts the line of a record.
func (d *decider) voice(s *source, w word) Voice {
	v := Voice{Statement: *w.s, Own: s == d.own, Level: w.at.level(), Source: d.c.name(w.s.Log)}
	if i, ok := d.c.follow(w.s.Log); ok && !v.Own {
		v.Weight = d.c.follows[i].Weight
	}
	return v
}

// along fills in the path that a voice is heard on.
func (d *decider) along(v *Voice, p *pass, state int32) {
	route := p.routeTo(state)
	v.Path, v.PathNames, v.Weight, v.Width = route.Path, route.Names, route.Follow.Weight, route.Width
}
