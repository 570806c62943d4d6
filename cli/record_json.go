package cli

import (
	"github.com/distributed-trust/distrust/cli/render"
	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/index"
	"github.com/distributed-trust/distrust/schema"
)

// standing is what is known of a record besides its own bytes.
type standing struct {
	from      string // what the user calls its log
	private   bool   // the user's own, in the folder that is never published
	withdrawn bool
	void      bool
	vanished  bool
}

// standingOf gathers it from the index.
func (w *world) standingOf(e index.Entry, withdrawn bool) standing {
	log := e.Record.Log()
	return standing{
		from: w.nameOf(log), private: w.isOwn(log) && !w.hasHead(log), withdrawn: withdrawn, void: e.Void, vanished: e.Vanished,
	}
}

// recordJSON is one record as list and show print it; cli/render/record.schema.json publishes it.
type recordJSON struct {
	Format    int           `json:"format"`
	ID        string        `json:"id"`
	From      string        `json:"from"`
	Kind      schema.Kind   `json:"kind"`
	Log       string        `json:"log"`
	By        string        `json:"by"`
	Path      string        `json:"path"`
	Issued    string        `json:"issued"`
	Expires   string        `json:"expires,omitempty"`
	Project   string        `json:"project,omitempty"`
	Version   string        `json:"version,omitempty"`
	Category  string        `json:"category,omitempty"`
	Basis     string        `json:"basis,omitempty"`
	Strength  int           `json:"strength,omitempty"`
	Reason    string        `json:"reason,omitempty"`
	Subjects  []subjectJSON `json:"subjects,omitempty"`
	Seen      []string      `json:"seen,omitempty"`
	Withdraws []string      `json:"withdraws,omitempty"`
	Source    *followedJSON `json:"source,omitempty"`
	Weight    int           `json:"weight,omitempty"`
	Depth     int           `json:"depth,omitempty"`
	Scopes    []string      `json:"scopes,omitempty"`
	Private   bool          `json:"private"`
	Withdrawn bool          `json:"withdrawn"`
	Void      bool          `json:"void"`
	Vanished  bool          `json:"vanished"`
	Message   *messageJSON  `json:"message,omitempty"` // report --to
}

// followedJSON is whom a public follow names.
type followedJSON struct {
	Log string `json:"log"`
	URL string `json:"url"`
	Key string `json:"key"`
}

type subjectJSON struct {
	File     string            `json:"file,omitempty"`
	Size     *int64            `json:"size,omitempty"`
	Digest   map[string]string `json:"digest,omitempty"`
	Signer   string            `json:"signer,omitempty"`
	Projects []string          `json:"projects,omitempty"`
	Git      map[string]string `json:"git,omitempty"`
	Release  string            `json:"release,omitempty"`
	Project  string            `json:"project,omitempty"`
}

// printRecordJSON prints one record as one object on one line.
func printRecordJSON(in *Invocation, r records.Record, s standing) error {
	return render.EncodeJSON(in.Env.Stdout, recordToJSON(r, s))
}

func recordToJSON(r records.Record, s standing) recordJSON {
	doc := r.Doc()
	out := recordJSON{
		Format: schema.Version, ID: r.ID(), From: s.from, Kind: doc.Kind, Log: doc.Log, By: doc.By, Path: r.Path(),
		Issued: moment(doc.Issued), Expires: moment(doc.Expires), Project: doc.Project, Version: doc.Version,
		Category: string(doc.Category), Basis: string(doc.Basis), Strength: doc.Strength, Reason: doc.Reason, Seen: doc.Seen,
		Withdraws: doc.Withdraws, Weight: doc.Weight, Depth: doc.Depth, Scopes: doc.Scopes,
		Private: s.private, Withdrawn: s.withdrawn, Void: s.void, Vanished: s.vanished,
	}
	if doc.Source != nil {
		out.Source = &followedJSON{doc.Source.Log, doc.Source.URL, doc.Source.Key}
	}
	for _, s := range doc.Subjects {
		out.Subjects = append(out.Subjects, subjectToJSON(s))
	}
	return out
}

func subjectToJSON(s schema.Subject) subjectJSON {
	out := subjectJSON{File: s.File, Signer: s.Signer, Projects: s.Pattern, Release: s.Release, Project: s.Project}
	if s.Kind() == schema.SubjectFile {
		out.Digest = notEmpty("sha256", s.Digest.SHA256, "sha512", s.Digest.SHA512)
		if s.Size >= 0 {
			out.Size = &s.Size
		}
	}
	if s.Kind() == schema.SubjectGit {
		out.Git = notEmpty("commit", s.Git.Commit, "tree", s.Git.Tree)
	}
	return out
}

// notEmpty makes a map of the pairs that have a value.
func notEmpty(pairs ...string) map[string]string {
	m := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			m[pairs[i]] = pairs[i+1]
		}
	}
	return m
}
