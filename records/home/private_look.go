package home

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/durable"
	"github.com/distributed-trust/distrust/records/index"
	"github.com/distributed-trust/distrust/records/trust"
	"github.com/distributed-trust/distrust/schema"
)

// look notes what lies in the folder, once, by names, sizes and times alone: no head says whether
// something changed here, and to open every record for each new one would cost too much. It comes
// before anything is written.
func (p *Private) look(ctx context.Context) error {
	if p.files != nil {
		return nil
	}
	files := map[string]string{}
	_, err := walkFolder(ctx, p.dir, func(name, _ string, entry fs.DirEntry) (*records.Refusal, error) {
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) { // gone meanwhile
			return nil, nil
		}
		if err == nil {
			files[name] = durable.Stamp(info)
		}
		return nil, err
	})
	if err != nil {
		return fmt.Errorf("looking at private records: %w", err)
	}
	p.files = files
	p.before = p.stamp()
	return nil
}

// stamp is what there was to see in the folder, and whose records open there: with it an index says
// what it holds, as with a head's id.
func (p *Private) stamp() string {
	var lines []string
	for _, k := range p.log.Keys {
		lines = append(lines, k.Key)
	}
	slices.Sort(lines)
	for _, path := range sortedPaths(p.files) {
		lines = append(lines, path, p.files[path])
	}
	return schema.RecordID([]byte(strings.Join(lines, "\n")))
}

// heldBy says whether an index holds just what lay in the folder before anything was written.
func (p *Private) heldBy(ctx context.Context, known *index.Generation) (bool, error) {
	if err := p.look(ctx); err != nil || known == nil {
		return false, err
	}
	info, _, err := known.Log(p.log.ID)
	return err == nil && info.Stamp == p.before, nil
}

// latest finds when things were last spoken of, as far as that is not before now: from the index, if it
// holds the folder, else from the folder.
func (p *Private) latest(ctx context.Context, known *index.Generation, now time.Time) (issued, error) {
	found := issued{}
	held, err := p.heldBy(ctx, known)
	if err != nil {
		return nil, err
	}
	if held && found.noteIndexed(known, p.log.ID, now) == nil {
		return found, nil
	}
	all, err := p.Records(ctx)
	for _, r := range all {
		found.note(r.Doc())
	}
	return found, err
}

// noteIndexed notes what an index holds of a log, unless all of it was issued before now.
func (have issued) noteIndexed(g *index.Generation, log string, now time.Time) error {
	late, err := g.Late(log)
	if err != nil || len(late) == 0 || late[len(late)-1] < now.Unix() {
		return err
	}
	return g.Statements(log, func(st trust.Statement, _ string) error {
		doc := schema.Record{Issued: time.Unix(st.Issued, 0).UTC(), Subjects: st.Subjects}
		if st.Kind == schema.KindFollow {
			doc.Source = &st.Source
		}
		have.note(doc)
		return nil
	})
}
