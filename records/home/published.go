package home

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/google/renameio/v2"

	"github.com/distributed-trust/distrust/records"
)

// lastPublished is what was last seen at the remote, or accepted by it. A head that is in here was
// shown to others and is never thrown away (F5, "Publishing").
type lastPublished struct {
	Commit    string   `json:"commit"`
	Head      []byte   `json:"head"`
	Signature []byte   `json:"signature"`
	Dropped   []string `json:"dropped,omitempty"`
}

// readPublished gives the pin of the published state and its commit; both are zero when nothing
// was published yet.
func (h *Home) readPublished() (records.Pin, string, error) {
	b, err := os.ReadFile(h.publishedFile())
	if errors.Is(err, fs.ErrNotExist) {
		return records.Pin{}, "", nil
	}
	if err != nil {
		return records.Pin{}, "", fmt.Errorf("reading what was published: %w", err)
	}
	var last lastPublished
	decoder := json.NewDecoder(bytes.NewReader(b))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&last); err != nil {
		return records.Pin{}, "", fmt.Errorf("reading what was published: %s: %w", h.publishedFile(), err)
	}
	head, err := records.OpenHead(records.HeadFile, last.Head, last.Signature)
	if err != nil {
		return records.Pin{}, "", fmt.Errorf("reading what was published: %s: %w", h.publishedFile(), err)
	}
	return records.Pin{Head: head, Dropped: last.Dropped}, last.Commit, nil
}

func (h *Home) writePublished(pin records.Pin, commit string) error {
	last := lastPublished{Commit: commit, Dropped: pin.Dropped}
	last.Head, last.Signature = pin.Head.Bytes()
	b, err := json.Marshal(last)
	if err == nil {
		err = renameio.WriteFile(h.publishedFile(), append(b, '\n'), 0o600)
	}
	if err != nil {
		return fmt.Errorf("remembering what was published: %w", err)
	}
	return nil
}
