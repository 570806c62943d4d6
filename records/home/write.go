package home

import (
	"context"
	"errors"
	"fmt"
	"maps"
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

func (o Options) signature() gitstore.Signature {
	return gitstore.Signature{Name: o.Author.Name, Email: o.Author.Email, When: o.Now}
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
	written, err := h.write(ctx, s, docs, opts)
	if err != nil {
		return nil, fmt.Errorf("writing records: %w", err)
	}
	return written, nil
}

func (h *Home) write(ctx context.Context, s records.Signer, docs []schema.Record, opts Options) (*Written, error) {
	if err := h.requireSealed(); err != nil {
		return nil, err
	}
	files, opened, err := h.sealRecords(ctx, s, docs, opts)
	if err != nil {
		return nil, err
	}
	opts.Now = notBefore(opened, opts.Now)
	written, err := h.commitHead(ctx, s, gitstore.Change{Write: files}, nil, describe(docs), opts)
	if err != nil {
		return nil, err
	}
	written.Records = opened
	return written, nil
}

// maxLead is how far ahead of the clock a head may be issued to be no older than its records.
const maxLead = time.Minute

// notBefore is when the head over new records is issued: now, but not before them, so that they count
// with followers as soon as the head does (D1). Records of one thing that are said within a second are
// a second apart; what lies further ahead comes of a clock that was set back, and waits.
func notBefore(opened []records.Record, now time.Time) time.Time {
	at := now
	for _, r := range opened {
		if issued := r.Doc().Issued; issued.After(at) && !issued.After(now.Add(maxLead)) {
			at = issued
		}
	}
	return at
}

// WriteUnsealed commits signed records without a new head, for a pull request to somebody who
// seals (C3, --no-seal). The key must be in the log.
func (h *Home) WriteUnsealed(ctx context.Context, s records.Signer, docs []schema.Record, opts Options) (*Written, error) {
	files, opened, err := h.sealRecords(ctx, s, docs, opts)
	if err != nil {
		return nil, fmt.Errorf("writing records: %w", err)
	}
	change := gitstore.Change{Base: h.at.Commit, Write: files}
	commit, err := h.tree.Commit(ctx, change, describe(docs), opts.signature())
	if err != nil {
		return nil, fmt.Errorf("writing records: %w", err)
	}
	if err := h.reload(ctx); err != nil {
		return nil, fmt.Errorf("writing records: %w", err)
	}
	return &Written{Commit: commit, Head: h.sealed.head, Records: opened}, nil
}

// Renew makes a new head over the same records, with whatever edit changes in it; edit may be
// nil. It is how a head's time is prolonged, and how keys, name and URL change. An edit that
// followers would refuse (F5.4) is refused here: with [ErrRecoveryNeeded], when a key that is no
// recovery key made it.
func (h *Home) Renew(ctx context.Context, s records.Signer, message string, edit func(*schema.Head) error, opts Options) (*Written, error) {
	written, err := h.renew(ctx, s, message, edit, opts)
	if err != nil {
		return nil, fmt.Errorf("renewing head: %w", err)
	}
	return written, nil
}

func (h *Home) renew(ctx context.Context, s records.Signer, message string, edit func(*schema.Head) error, opts Options) (*Written, error) {
	if err := h.requireSealed(); err != nil {
		return nil, err
	}
	if err := h.CheckSigner(s); err != nil {
		return nil, err
	}
	if edit == nil {
		return h.commitHead(ctx, s, gitstore.Change{}, nil, message, opts)
	}
	edited := h.sealed.head.Doc()
	if err := edit(&edited); err != nil { // before anything is signed
		return nil, err
	}
	return h.commitHead(ctx, s, gitstore.Change{}, func(doc *schema.Head) {
		doc.Name, doc.Contact, doc.URL, doc.Projects = edited.Name, edited.Contact, edited.URL, edited.Projects
		doc.Keys, doc.Keep, doc.Epoch = edited.Keys, edited.Keep, edited.Epoch
	}, message, opts)
}

func (h *Home) requireSealed() error {
	if h.unsealed > 0 {
		return fmt.Errorf("%w: commits that are not sealed: %d", ErrUnsealed, h.unsealed)
	}
	return nil
}

// sealRecords signs documents and gives the files to write, and what a stranger makes of them.
func (h *Home) sealRecords(ctx context.Context, s records.Signer, docs []schema.Record, opts Options) (map[string][]byte, []records.Record, error) {
	if err := h.CheckSigner(s); err != nil {
		return nil, nil, err
	}
	if len(docs) == 0 {
		return nil, nil, errors.New("no record to write")
	}
	latest, err := h.latest(ctx, opts.Now)
	if err != nil {
		return nil, nil, err
	}
	files, log := map[string][]byte{}, h.sealed.log
	var opened []records.Record
	for _, doc := range docs {
		doc.Log = log.ID
		doc.Issued = latest.next(doc, opts.Now)
		envelope, err := records.Seal(ctx, doc, s)
		if err != nil {
			return nil, nil, err
		}
		r, err := records.Open(envelope, log)
		if err != nil {
			return nil, nil, err
		}
		files[envelope.Path] = envelope.YAML
		files[records.SignaturePath(envelope.Path)] = envelope.Sig
		opened = append(opened, r)
	}
	return files, opened, nil
}

// latest finds when things were last spoken of, as far as that is not before now.
func (h *Home) latest(ctx context.Context, now time.Time) (issued, error) {
	found := issued{}
	if now.Before(h.sealed.lateSince) { // the clock went back
		all, err := h.Records(ctx)
		for _, r := range all {
			found.note(r.Doc())
		}
		return found, err
	}
	for path, r := range h.sealed.late {
		if r.Issued.Before(now.Truncate(time.Second)) {
			continue
		}
		b, err := h.read(h.sealed, map[string]string{path: r.Blob}, path)
		if err != nil {
			return nil, err
		}
		if doc, err := schema.ParseRecord(path, b); err == nil {
			found.note(*doc)
		}
	}
	return found, nil
}

// issued is when each thing was last spoken of.
type issued map[string]time.Time

// next is the time for a new record: now, but later than the last one about the same things, so
// that the newest is never a matter of chance (D1).
func (have issued) next(doc schema.Record, now time.Time) time.Time {
	doc.Issued = now.UTC().Truncate(time.Second)
	for _, thing := range things(doc) {
		if last, ok := have[thing]; ok && !last.Before(doc.Issued) {
			doc.Issued = last.Add(time.Second)
		}
	}
	have.note(doc)
	return doc.Issued
}

func (have issued) note(doc schema.Record) {
	for _, thing := range things(doc) {
		if doc.Issued.After(have[thing]) {
			have[thing] = doc.Issued
		}
	}
}

// things are what a record is about, each as one text.
func things(doc schema.Record) []string {
	var all []string
	if doc.Source != nil {
		all = append(all, "log "+doc.Source.Log)
	}
	for _, s := range doc.Subjects {
		switch s.Kind() {
		case schema.SubjectFile:
			all = append(all, "file "+s.Digest.SHA256)
		case schema.SubjectSigner:
			all = append(all, "signer "+s.Signer)
		case schema.SubjectGit:
			all = append(all, "git "+s.Git.Commit+" "+s.Git.Tree)
		case schema.SubjectRelease:
			all = append(all, "release "+s.Release)
		case schema.SubjectProject:
			all = append(all, "project "+s.Project)
		}
	}
	return all
}

// commitHead commits a change of files under records/ together with the head that names the new
// set.
func (h *Home) commitHead(ctx context.Context, s records.Signer, change gitstore.Change, edit func(*schema.Head), message string, opts Options) (*Written, error) {
	files := sumsAfter(h.sealed.sums, change)
	next, headChange, err := h.nextHead(ctx, s, records.Pin{Head: h.sealed.head}, h.sealed, files, opts.Now, edit)
	if err != nil {
		return nil, err
	}
	return h.commitState(ctx, next, merged(change, headChange), message, opts)
}

// sumsAfter are the files of a set once a change of files under records/ is made.
func sumsAfter(before sums, change gitstore.Change) sums {
	files := sums{}
	maps.Copy(files, before)
	for path, b := range change.Write {
		files[path] = sumOf(b)
	}
	for _, path := range change.Delete {
		delete(files, path)
	}
	return files
}

// commitState commits on top of HEAD, which must be where the home was read, and reads the home again.
func (h *Home) commitState(ctx context.Context, next records.Head, change gitstore.Change, message string, opts Options) (*Written, error) {
	change.Base = h.at.Commit
	commit, err := h.tree.Commit(ctx, change, message, opts.signature())
	if err != nil {
		return nil, err
	}
	return h.readBack(ctx, commit, next)
}

// readBack opens the home at a commit that was just made, as a stranger would.
func (h *Home) readBack(ctx context.Context, commit string, next records.Head) (*Written, error) {
	if err := h.reload(ctx); err != nil {
		return nil, fmt.Errorf("reading back: %w", err)
	}
	if h.sealed.head.ID() != next.ID() {
		return nil, fmt.Errorf("reading back: %w", ErrUnsealed)
	}
	return &Written{Commit: commit, Head: next}, nil
}

// merged is two changes as one; b has the last word.
func merged(a, b gitstore.Change) gitstore.Change {
	all := gitstore.Change{Write: map[string][]byte{}}
	maps.Copy(all.Write, a.Write)
	for _, path := range b.Delete {
		delete(all.Write, path)
	}
	maps.Copy(all.Write, b.Write)
	for _, path := range append(append([]string(nil), a.Delete...), b.Delete...) {
		if _, written := all.Write[path]; !written {
			all.Delete = append(all.Delete, path)
		}
	}
	return all
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
		what = doc.Withdraws[0][:min(16, len(doc.Withdraws[0]))]
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
		return "sha256:" + s.Digest.SHA256[:min(16, len(s.Digest.SHA256))]
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
