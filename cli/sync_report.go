package cli

import (
	"errors"
	"fmt"

	"github.com/distributed-trust/distrust/cli/render"
	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/source"
)

// complainOf says what went wrong with one source, and what stays in force.
func (s *syncRun) complainOf(exit Exit, r *source.Result) {
	_, hint := advise(r.Err)
	var damaged *source.PinError
	if errors.As(r.Err, &damaged) {
		hint = damagedPin(r.Source)
	}
	if errors.Is(r.Err, source.ErrFirstUse) {
		hint = hintf("ask the owner for the fingerprint, and write it into its entry of sources.yml as fingerprint: SHA256:..")
	}
	s.in.Env.say(fmt.Sprintf("error: %s: %s", r.Source, oneLine(r.Err)))
	sayEvidence(s.in.Env, r)
	s.in.Env.hint(hint)
	s.exits = append(s.exits, exit)
}

// report says what came of one source.
func (s *syncRun) report(r *source.Result) {
	exit := exitOfSource(r)
	if s.in.Bool(jsonFlagName) {
		if err := printResultJSON(s.in, r); err != nil {
			s.complain(Failed, r.Source, err)
		}
	}
	if r.Err != nil {
		silent := s.quiet && exit == Unreachable && s.in.Env.Now().Sub(r.Fetched) < quietGrace
		if !silent {
			s.complainOf(exit, r)
		}
		return
	}
	s.exits = append(s.exits, exit)
	line := render.Escape(r.Source) + "  "
	if r.State == source.StateUnchanged {
		line += "unchanged"
	} else {
		line += fmt.Sprintf("head %d, +%d -%d records", r.Head.Seq, r.Added, r.Removed)
	}
	s.tell("%s", line)
	for _, v := range r.Vanished {
		doc := v.Doc()
		s.note("%s: the report on %s left the repository without a withdrawal; it still counts", r.Source, subjectsText(doc))
	}
	if !s.quiet {
		s.m.sayOdd(r)
	}
}

// sayEvidence prints both heads of a refusal that proves something.
func sayEvidence(env *Env, r *source.Result) {
	var refused *records.HeadError
	if errors.As(r.Err, &refused) {
		if !refused.Pinned.IsZero() {
			env.say(fmt.Sprintf("  accepted  head %d of %s  %s", refused.Pinned.Doc().Seq, render.Date(refused.Pinned.Doc().Issued), refused.Pinned.ID()))
		}
		if !refused.Got.IsZero() {
			env.say(fmt.Sprintf("  refused   head %d of %s  %s", refused.Got.Doc().Seq, render.Date(refused.Got.Doc().Issued), refused.Got.ID()))
		}
	}
	if r.Evidence != "" {
		env.say("  both are kept in " + r.Evidence)
	}
	if !r.Fetched.IsZero() {
		env.say(fmt.Sprintf("  what was accepted of %s before stays in force", r.Source))
	}
}

// resultJSON is what came of one source, for programs.
type resultJSON struct {
	Format   int    `json:"format"`
	Source   string `json:"source"`
	Log      string `json:"log"`
	State    string `json:"state"`
	Kind     string `json:"kind,omitempty"`
	Error    string `json:"error,omitempty"`
	Seq      int64  `json:"seq"`
	Added    int    `json:"added"`
	Removed  int    `json:"removed"`
	Vanished int    `json:"vanished"`
	Skipped  int    `json:"skipped"`
	Unsealed int    `json:"unsealed"`
	Evidence string `json:"evidence,omitempty"`
	Fetched  string `json:"fetched,omitempty"`
}

func printResultJSON(in *Invocation, r *source.Result) error {
	out := resultJSON{
		Format: 1, Source: r.Source, Log: r.Log, State: string(r.State), Kind: source.KindOf(r.Err), Seq: r.Head.Seq,
		Added: r.Added, Removed: r.Removed, Vanished: len(r.Vanished), Skipped: r.SkippedAll, Unsealed: r.Unsealed,
		Evidence: r.Evidence, Fetched: moment(r.Fetched),
	}
	if r.Err != nil {
		out.Error = r.Err.Error()
	}
	return render.EncodeJSON(in.Env.Stdout, out)
}
