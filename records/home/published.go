package home

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/durable"
	"github.com/distributed-trust/distrust/records/internal/gitstore"
)

// published is what the remote was last known to hold, or what it accepted from here. A head that
// is in here was shown to others and is never thrown away (F5, "Publishing"). The zero value says
// that nothing was published yet.
type published struct {
	pin    records.Pin
	commit string
}

// publishedFile is how it lies on disk.
type publishedFile struct {
	Commit    string   `json:"commit"`
	Head      []byte   `json:"head"`
	Signature []byte   `json:"signature"`
	Dropped   []string `json:"dropped,omitempty"`
}

// PublishedError says that the file which remembers what was published cannot be read, and that the
// home and its remote went apart: records that were published already might be published again
// under another head, which followers would refuse as a fork.
type PublishedError struct {
	File string
	Err  error
}

// Error names the file.
func (e *PublishedError) Error() string {
	return fmt.Sprintf("what was published from here is no longer known: %s: %v", e.File, e.Err)
}

// Unwrap is what is wrong with the file.
func (e *PublishedError) Unwrap() error { return e.Err }

func (h *Home) publishedFile() string { return filepath.Join(h.tree.GitDir(), "distrust-published") }

// readPublished reads what was published; a damaged file is a *[PublishedError].
func (h *Home) readPublished() (published, error) {
	b, err := os.ReadFile(h.publishedFile())
	if errors.Is(err, fs.ErrNotExist) {
		return published{}, nil
	}
	if err != nil {
		return published{}, fmt.Errorf("reading what was published: %w", err)
	}
	var file publishedFile
	decoder := json.NewDecoder(bytes.NewReader(b))
	decoder.DisallowUnknownFields()
	err = decoder.Decode(&file)
	p := published{commit: file.Commit, pin: records.Pin{Dropped: file.Dropped}}
	if err == nil {
		p.pin.Head, err = records.OpenHead(records.HeadFile, file.Head, file.Signature)
	}
	if err == nil && p.pin.Head.Doc().Log != h.LogID() {
		err = fmt.Errorf("it is of log %s", p.pin.Head.Doc().Log)
	}
	if err != nil {
		return published{}, &PublishedError{File: h.publishedFile(), Err: err}
	}
	return p, nil
}

func (h *Home) writePublished(pin records.Pin, commit string) error {
	if last, err := h.readPublished(); err == nil && last.commit == commit && last.pin.Head.ID() == pin.Head.ID() && slices.Equal(last.pin.Dropped, pin.Dropped) {
		return nil
	}
	file := publishedFile{Commit: commit, Dropped: pin.Dropped}
	file.Head, file.Signature = pin.Head.Bytes()
	b, err := json.Marshal(file)
	if err == nil {
		err = durable.WriteFile(h.publishedFile(), append(b, '\n'), 0o600)
	}
	if err != nil {
		return fmt.Errorf("remembering what was published: %w", err)
	}
	return nil
}

// reached is the pin of a follower who knew last and now sees the home's own state; the error is
// the *[records.HeadError] with which they would refuse it.
func (h *Home) reached(ctx context.Context, last published, now time.Time) (records.Pin, error) {
	return h.accept(ctx, last, h.sealed, h.at.Commit, now)
}

// accept judges a state as F5 has every follower do it. tip is the commit that it was found from.
func (h *Home) accept(ctx context.Context, last published, s set, tip string, now time.Time) (records.Pin, error) {
	kept, err := h.kept(s)
	if err != nil {
		return records.Pin{}, err
	}
	if last.pin.Head.IsZero() {
		accepted, err := records.FirstContact("", kept, s.head, now)
		return accepted.Pin, err
	}
	between, err := h.headsSince(ctx, tip, last.commit)
	if err != nil {
		return records.Pin{}, err
	}
	accepted, err := records.Advance(last.pin, records.Chain{Published: s.head, Kept: kept, Between: between}, now)
	return accepted.Pin, err
}

// headsSince opens head.yml of every commit that tip has and known has not (F5.3).
func (h *Home) headsSince(ctx context.Context, tip, known string) ([]records.Head, error) {
	commits, err := h.tree.NewCommits(ctx, tip, known, gitstore.DefaultLimits().NewCommits)
	if err != nil {
		return nil, err
	}
	var heads []records.Head
	seen := map[[2]string]bool{}
	for _, commit := range commits {
		blobs := [2]string{commit.Head, commit.HeadSig}
		if commit.Head == "" || seen[blobs] {
			continue
		}
		seen[blobs] = true
		b, sig, err := h.headOf(commit)
		if err != nil {
			return nil, err
		}
		if head, err := records.OpenHead(records.HeadFile, b, sig); err == nil { // one that nobody can vouch for proves nothing
			heads = append(heads, head)
		}
	}
	return heads, nil
}

// unpublished says of a remote what [Home.stateOf] says of a home.
func unpublished(err error) error {
	if errors.Is(err, ErrNotHome) || errors.Is(err, ErrUnsealed) {
		return fmt.Errorf("%w: %w", ErrUnpublished, err)
	}
	return err
}
