package cli

import (
	"context"
	"slices"

	"github.com/distributed-trust/distrust/cli/render"
	"github.com/distributed-trust/distrust/records/journal"
	"github.com/distributed-trust/distrust/records/subject"
	"github.com/distributed-trust/distrust/records/trust"
	"github.com/distributed-trust/distrust/schema"
)

// remember writes what was accepted into the journal. A machine where nothing can be written
// still gets its answer (C3).
func (w *world) remember(ctx context.Context, in *Invocation, s subject.Subject, r render.Report) {
	if r.Decision.Verdict == trust.Trusted {
		w.note(ctx, in, w.entry(in, s, r))
	}
}

// note appends to the journal, where this machine keeps one.
func (w *world) note(ctx context.Context, in *Invocation, e journal.Entry) {
	if in.NoJournal() || !w.compiled.Journal {
		return
	}
	if dirs, err := in.Env.Dirs(); err == nil {
		_ = journal.Append(ctx, dirs.Journal(), e)
	}
}

// note appends to the journal what a command overruled by itself.
func (m *machine) note(ctx context.Context, entries ...journal.Entry) {
	if m.in.NoJournal() || !m.config.Journal {
		return
	}
	_ = journal.Append(ctx, m.dirs.Journal(), entries...)
}

// entry is what the journal keeps of something and what was decided about it.
func (w *world) entry(in *Invocation, s subject.Subject, r render.Report) journal.Entry {
	e := journal.Entry{
		Time: w.now, Name: s.Name, Path: s.Path, Command: in.Command.Name, Digest: s.Digest, Size: s.Size,
		Project: r.Query.Project, Version: r.Query.Version, Verdict: r.Decision.Verdict,
		Signers: goodSigners(r.Query.Signatures),
	}
	if e.Verdict == trust.Distrusted || e.Verdict == trust.Mismatch { // went on with all the same: what is known raises no alarm
		for _, against := range journal.Reports(&r.Decision) {
			e.Records = append(e.Records, against.Record)
		}
		return e
	}
	carried := func(v trust.Voice, by string) {
		e.Records = append(e.Records, v.Statement.ID)
		if !slices.Contains(e.By, by) {
			e.By = append(e.By, by)
		}
	}
	if own := r.Decision.Own; own != nil && own.Statement.Kind == schema.KindTrust {
		carried(*own, "you")
	}
	for _, v := range r.Decision.Voices {
		if v.Amount > 0 && v.Statement.Kind == schema.KindTrust {
			carried(v, v.Source)
		}
	}
	return e
}
