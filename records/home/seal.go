package home

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/internal/gitstore"
	"github.com/distributed-trust/distrust/schema"
)

// Options are what every change of a home needs.
type Options struct {
	Now    time.Time
	Author Author
}

// Written is what a change of a home did.
type Written struct {
	Commit  string
	Head    records.Head     // in force now; the previous one after WriteUnsealed
	Records []records.Record // those that were written, opened as a stranger would
}

// Write seals documents into the home: one commit with the records, a new head over the whole
// set, and what goes with it. Log, By and Issued of the documents are filled in. It is refused
// with [ErrUnsealed] when records came in another way since the last head, because a head must
// not vouch for what nobody looked at: that is what Seal is for.
func (h *Home) Write(ctx context.Context, s records.Signer, docs []schema.Record, opts Options) (*Written, error) {
	if h.unsealed > 0 {
		return nil, fmt.Errorf("writing records: %w: commits that are not sealed: %d", ErrUnsealed, h.unsealed)
	}
	change, ids, err := h.sealRecords(ctx, s, docs, opts)
	if err != nil {
		return nil, fmt.Errorf("writing records: %w", err)
	}
	written, err := h.commitHead(ctx, s, change, nil, describe(docs), opts)
	if err != nil {
		return nil, fmt.Errorf("writing records: %w", err)
	}
	written.Records, err = h.written(ids)
	return written, err
}

// WriteUnsealed commits signed records without a new head, for a pull request to somebody who
// seals (C3, --no-seal). The key must be in the log.
func (h *Home) WriteUnsealed(ctx context.Context, s records.Signer, docs []schema.Record, opts Options) (*Written, error) {
	change, _, err := h.sealRecords(ctx, s, docs, opts)
	if err != nil {
		return nil, fmt.Errorf("writing records: %w", err)
	}
	log := h.sealed.head.Log()
	written := &Written{Head: h.sealed.head}
	for path, b := range change {
		if !strings.HasSuffix(path, ".yml") {
			continue
		}
		r, err := records.Open(records.Envelope{Path: path, YAML: b, Sig: change[records.SignaturePath(path)]}, log)
		if err != nil {
			return nil, fmt.Errorf("writing records: %w", err)
		}
		written.Records = append(written.Records, r)
	}
	written.Commit, err = h.tree.Commit(ctx, gitstore.Change{Write: change}, describe(docs), opts.signature())
	if err != nil {
		return nil, fmt.Errorf("writing records: %w", err)
	}
	return written, h.reload(ctx)
}

// Renew makes a new head over the same records, with whatever edit changes in it; edit may be
// nil. It is how a head's time is prolonged, and how keys, name and URL change.
func (h *Home) Renew(ctx context.Context, s records.Signer, message string, edit func(*schema.Head) error, opts Options) (*Written, error) {
	if h.unsealed > 0 {
		return nil, fmt.Errorf("renewing head: %w: commits that are not sealed: %d", ErrUnsealed, h.unsealed)
	}
	if err := h.CheckSigner(s); err != nil {
		return nil, fmt.Errorf("renewing head: %w", err)
	}
	var refused error
	apply := func(doc *schema.Head) {
		if edit != nil {
			refused = edit(doc)
		}
	}
	probe := h.sealed.head.Doc() // an edit that is refused must not reach a signature
	if apply(&probe); refused != nil {
		return nil, fmt.Errorf("renewing head: %w", refused)
	}
	written, err := h.commitHead(ctx, s, nil, apply, message, opts)
	if err != nil {
		return nil, fmt.Errorf("renewing head: %w", err)
	}
	return written, nil
}

// sealRecords signs documents and gives the files to write.
func (h *Home) sealRecords(ctx context.Context, s records.Signer, docs []schema.Record, opts Options) (map[string][]byte, []string, error) {
	if err := h.CheckSigner(s); err != nil {
		return nil, nil, err
	}
	if len(docs) == 0 {
		return nil, nil, errors.New("no record to write")
	}
	files := map[string][]byte{}
	var ids []string
	for _, doc := range docs {
		doc.Log = h.LogID()
		doc.Issued = issuedAfter(h.sealed.records, doc, opts.Now)
		envelope, err := records.Seal(ctx, doc, s)
		if err != nil {
			return nil, nil, err
		}
		files[envelope.Path] = envelope.YAML
		files[records.SignaturePath(envelope.Path)] = envelope.Sig
		ids = append(ids, schema.RecordID(envelope.YAML))
	}
	return files, ids, nil
}

// commitHead commits a change of files under records/ together with the head that names the new
// set, then reads the home again as a stranger would.
func (h *Home) commitHead(ctx context.Context, s records.Signer, change map[string][]byte, edit func(*schema.Head), message string, opts Options) (*Written, error) {
	sums := maps.Clone(h.sealed.sums)
	var deleted []string
	for path, b := range change {
		if b == nil {
			delete(sums, path)
			deleted = append(deleted, path)
			continue
		}
		sums[path] = sha256.Sum256(b)
	}
	next, files, err := nextState(ctx, s, h.sealed, sums, opts.Now, edit)
	if err != nil {
		return nil, err
	}
	for path, b := range change {
		if b != nil {
			files[path] = b
		}
	}
	slices.Sort(deleted)
	commit, err := h.tree.Commit(ctx, gitstore.Change{Write: files, Delete: deleted}, message, opts.signature())
	if err != nil {
		return nil, err
	}
	if err := h.reload(ctx); err != nil {
		return nil, fmt.Errorf("reading back: %w", err)
	}
	if h.sealed.commit != commit || h.sealed.head.ID() != next.ID() {
		return nil, fmt.Errorf("reading back: %w", errNotSealed)
	}
	return &Written{Commit: commit, Head: next}, nil
}

// nextState makes the head that follows prev over a set of files, and the files that go with it.
// edit may change what the head says; nil leaves it.
func nextState(ctx context.Context, s records.Signer, prev set, sums map[string][sha256.Size]byte, now time.Time, edit func(*schema.Head)) (records.Head, map[string][]byte, error) {
	doc := records.NextHead(prev.head, records.RootOf(sums), records.CountRecords(sums), now, edit)
	return sealState(ctx, s, prev, doc)
}

// sealState signs a head and gives the files that belong to it (F4).
func sealState(ctx context.Context, s records.Signer, prev set, doc schema.Head) (records.Head, map[string][]byte, error) {
	next, err := records.SealHead(ctx, doc, s)
	if err != nil {
		return records.Head{}, nil, err
	}
	b, sig := next.Bytes()
	files := map[string][]byte{
		records.HeadFile:          b,
		records.HeadSignatureFile: sig,
		records.AllowedSigners:    records.AllowedSignersFile(next.Doc()),
	}
	if records.MustKeep(prev.kept, next) {
		path := records.HeadPath(doc.Seq)
		files[path], files[records.SignaturePath(path)] = b, sig
	}
	return next, files, nil
}

// written finds what was just written in the state that was read back.
func (h *Home) written(ids []string) ([]records.Record, error) {
	var found []records.Record
	for _, id := range ids {
		r := h.Find(id)
		if len(r) != 1 {
			return nil, fmt.Errorf("reading back record %s: %w", id, ErrNoRecord)
		}
		found = append(found, r[0])
	}
	return found, nil
}

// issuedAfter is the time for a new record: now, but later than the last one about the same
// things, so that the newest is never a matter of chance (D1).
func issuedAfter(have []records.Record, doc schema.Record, now time.Time) time.Time {
	issued := now.UTC().Truncate(time.Second)
	for _, r := range have {
		other := r.Doc()
		if related(doc, other) && !other.Issued.Before(issued) {
			issued = other.Issued.Add(time.Second)
		}
	}
	return issued
}

// related says whether two records can be about the same thing.
func related(a, b schema.Record) bool {
	if a.Source != nil && b.Source != nil {
		return a.Source.Log == b.Source.Log
	}
	for _, x := range a.Subjects {
		for _, y := range b.Subjects {
			if sameSubject(x, y) {
				return true
			}
		}
	}
	return false
}

func sameSubject(x, y schema.Subject) bool {
	switch x.Kind() {
	case schema.SubjectFile:
		return x.Digest.SHA256 == y.Digest.SHA256
	case schema.SubjectSigner:
		return x.Signer == y.Signer
	case schema.SubjectGit:
		return x.Git == y.Git
	case schema.SubjectRelease:
		return x.Release == y.Release
	case schema.SubjectProject:
		return x.Project == y.Project
	}
	return false
}

func (o Options) signature() gitstore.Signature {
	return gitstore.Signature{Name: o.Author.Name, Email: o.Author.Email, When: o.Now}
}

// describe is a commit message: what the records are about, in one line.
func describe(docs []schema.Record) string {
	if len(docs) != 1 {
		return fmt.Sprintf("distrust: %d records", len(docs))
	}
	doc := docs[0]
	what := "record"
	switch {
	case doc.Source != nil:
		what = doc.Source.Log
	case len(doc.Withdraws) > 0:
		what = doc.Withdraws[0][:16]
	case len(doc.Subjects) > 1:
		what = fmt.Sprintf("%d subjects", len(doc.Subjects))
	case len(doc.Subjects) == 1:
		what = subjectName(doc.Subjects[0])
	}
	return fmt.Sprintf("distrust: %s %s", doc.Kind, what)
}

func subjectName(s schema.Subject) string {
	switch s.Kind() {
	case schema.SubjectFile:
		if s.File != "" {
			return s.File
		}
		return "sha256:" + s.Digest.SHA256[:16]
	case schema.SubjectSigner:
		kind, _, _ := strings.Cut(s.Signer, ":")
		return "signer " + kind
	case schema.SubjectGit:
		return "git " + s.Git.Commit + s.Git.Tree
	case schema.SubjectRelease:
		return s.Release
	case schema.SubjectProject:
		return s.Project
	}
	return "subject"
}
