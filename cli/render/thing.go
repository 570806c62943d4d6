package render

import (
	"io"
	"time"

	"github.com/distributed-trust/distrust/records/journal"
)

// subjectJSON is what something accepted is, as journal and alarms print it.
type subjectJSON struct {
	Name    string `json:"name,omitempty"`
	SHA256  string `json:"sha256,omitempty"`
	SHA512  string `json:"sha512,omitempty"`
	Commit  string `json:"commit,omitempty"`
	Tree    string `json:"tree,omitempty"`
	Project string `json:"project,omitempty"`
	Version string `json:"version,omitempty"`
}

func subjectOf(e journal.Entry) subjectJSON {
	return subjectJSON{
		Name: e.Name, SHA256: e.Digest.SHA256, SHA512: e.Digest.SHA512, Commit: e.Git.Commit, Tree: e.Git.Tree,
		Project: e.Project, Version: e.Version,
	}
}

// thingJSON is one watched thing for programs.
type thingJSON struct {
	Format int    `json:"format"`
	ID     string `json:"id"`
	subjectJSON
	Size      int64    `json:"size,omitempty"`
	Places    []string `json:"places"`
	PinnedBy  []string `json:"pinned_by,omitempty"`
	Accepted  string   `json:"accepted"`
	Command   string   `json:"command"`
	Verdict   string   `json:"verdict"`
	Overruled bool     `json:"overruled"`
	Added     bool     `json:"added"`
	Signers   []string `json:"signers"`
	Records   []string `json:"records"`
	By        []string `json:"by"`
}

// WriteThingJSON prints what the journal knows of a thing as one line of JSON (journal.schema.json).
func WriteThingJSON(w io.Writer, t journal.Thing) error {
	e := t.Entry
	list := func(s []string) []string { return append([]string{}, s...) }
	return EncodeJSON(w, thingJSON{
		Format: 1, ID: t.ID, subjectJSON: subjectOf(e), Size: e.Size, Places: list(t.Places), PinnedBy: t.Pins,
		Accepted: e.Time.UTC().Format(time.RFC3339), Command: e.Command, Verdict: string(e.Verdict), Overruled: e.Overruled, Added: e.Added,
		Signers: list(e.Signers), Records: list(e.Records), By: list(e.By),
	})
}
