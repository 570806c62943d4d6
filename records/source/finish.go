package source

import (
	"fmt"
	"slices"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/index"
	"github.com/distributed-trust/distrust/schema"
)

// finish turns an accepted state into what the index has to take and what is to be pinned. An error
// refuses the state: nothing of it is in force.
func (w *work) finish(in *intake, whole bool) error {
	pinned := w.accepted.Pin
	update := &index.Update{
		Log: pinned.Head.Doc().Log, Head: pinned.Head, Keys: pinned.Log(),
		Spool: w.spool, Replace: whole,
	}
	c := &change{in: in, whole: whole, log: pinned.Log(), gen: w.batch.gen, spool: w.spool}
	if err := c.compare(w.batch.dirs, w.now()); err != nil {
		return err
	}
	c.apply(update)
	if err := w.checkLimits(c, update); err != nil {
		return err
	}
	w.kept = c.kept
	w.skipped = w.skipped.next(pinned.Head.ID(), in.touched, in.refused)
	w.next = w.pinFor(in.set)

	r := &w.result
	r.State, r.First = StateNews, w.pin == nil
	if w.accepted.Unchanged && !whole && len(in.now)+len(update.Add)+len(update.Remove) == 0 {
		r.State, update = StateUnchanged, nil
	}
	r.Update, r.Vanished, r.Skipped = update, c.vanished, in.refused
	r.Added, r.Removed = c.counts()
	w.describe(w.next)
	w.note(in.set, c)
	return nil
}

// edgeBytes is how much address and scopes of a public follow may take on average: every check
// reads all of them.
const edgeBytes = 1 << 10

// checkLimits holds the set to the limits of F7 that need records to be counted. More is refused
// with the number; nothing is cut.
func (w *work) checkLimits(c *change, update *index.Update) error {
	if got := c.kept.count(); got > w.limits.Vanished {
		return &LimitError{What: "reports that left the set", Limit: int64(w.limits.Vanished), Got: int64(got), Option: "vanished"}
	}
	edges, size := 0, 0
	patterns := map[string]bool{}
	count := func(url string, scopes []string) {
		edges++
		size += len(url)
		for _, p := range scopes {
			size += len(p)
			patterns[p] = true
		}
	}
	for _, st := range c.in.follows {
		count(st.Source.URL, st.Scopes)
	}
	if edges == 0 {
		return nil // no more than were accepted before
	}
	if !c.whole {
		known, err := w.batch.edges()
		if err != nil {
			return err
		}
		for _, e := range known[update.Log] {
			if !c.in.now[e.ID] && !slices.Contains(update.Remove, e.ID) {
				count(e.Source.URL, e.Scopes)
			}
		}
	}
	if edges > w.limits.Edges {
		return &LimitError{What: "public follows", Limit: int64(w.limits.Edges), Got: int64(edges), Option: "edges"}
	}
	if most := w.limits.Edges * edgeBytes; size > most {
		return &LimitError{What: "bytes of public follows", Limit: int64(most), Got: int64(size), Option: "edges"}
	}
	if len(patterns) > w.limits.Patterns {
		return &LimitError{What: "patterns in public follows", Limit: int64(w.limits.Patterns), Got: int64(len(patterns)), Option: "patterns"}
	}
	return nil
}

// pinFor is the pin of the state that was accepted.
func (w *work) pinFor(set *headSet) *Pin {
	var pin Pin
	if w.pin != nil {
		pin = *w.pin
	} else {
		pin.FirstSeen = w.now()
	}
	head := w.accepted.Pin.Head
	doc := head.Doc()
	yaml, sig := head.Bytes()
	if w.pin != nil && !w.accepted.Unchanged {
		pin.Moved = w.moved(doc)
	}
	pin.Format, pin.Log = pinFormat, doc.Log
	pin.Branch, pin.Tip, pin.Commit = set.Tip.Branch, set.Tip.Commit, set.Published.Commit
	pin.Head, pin.Signature = string(yaml), string(sig)
	pin.Dropped, pin.KeptHeads = w.accepted.Pin.Dropped, w.keptHeads(pin.KeptHeads, set)
	pin.Skipped, pin.NotUnderstood = w.skipped.counts()
	pin.Unsealed, pin.NewerHeads = set.Published.Unsealed, set.Published.NotUnderstood
	pin.Signers = oddSigners(doc, set.Beside)
	return w.following(pin)
}

// keptHeads are the ids of those heads under keys/ that were judged now or are known from before. What else
// lies there is anybody's: no root covers it, and rule 5 ignores what is above the published head.
func (w *work) keptHeads(known []string, set *headSet) []string {
	judged := map[string]bool{}
	for _, id := range known {
		judged[id] = true
	}
	for _, h := range w.accepted.Chain {
		judged[h.ID()] = true
	}
	return slices.DeleteFunc(slices.Clone(set.KeptIDs), func(id string) bool { return !judged[id] })
}

// oddSigners says what is wrong with the allowed_signers file of a repository (F4). It changes nothing
// of what is accepted, but deceives people who verify with stock tools.
func oddSigners(head schema.Head, top map[string][]byte) string {
	for _, odd := range records.Beside(head, top) {
		if odd.Path == records.AllowedSigners {
			return odd.Error() + "; do not verify with it"
		}
	}
	return ""
}

// moved is the new address of a source whose head names another one than its last head did (C3). It is
// said until the user follows it there, or the head takes it back; nothing moves by itself.
func (w *work) moved(doc schema.Head) string {
	before, err := w.pin.Doc()
	if err != nil || doc.URL == "" || doc.URL == w.spec.URL {
		return ""
	}
	if doc.URL == before.URL {
		return w.pin.Moved
	}
	return doc.URL
}

// note says what is odd but no reason to refuse.
func (w *work) note(set *headSet, c *change) {
	say := func(format string, args ...any) {
		w.result.Notes = append(w.result.Notes, fmt.Sprintf(format, args...))
	}
	if set.Rewritten {
		say("its git history was rewritten; its heads still follow from the accepted one")
	}
	if w.accepted.Raised {
		say("a recovery key has taken the log over: epoch %d", w.result.Head.Epoch)
	}
	if n := len(c.kept.broken); n > 0 {
		say("%d kept reports of it are damaged on this machine", n)
	}
	if c.lost > 0 {
		say("%d records that left the set could not be read from the damaged record store", c.lost)
	}
	if w.pin != nil && !w.accepted.Raised {
		lost := 0
		for _, id := range w.pin.KeptHeads {
			if !slices.Contains(set.KeptIDs, id) {
				lost++
			}
		}
		if lost > 0 {
			say("%d heads are gone from its %s folder: new followers may not get in", lost, records.KeysFolder)
		}
	}
}
