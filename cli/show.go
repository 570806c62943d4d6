package cli

import (
	"context"
	"encoding/json"
	"fmt"

	urfave "github.com/urfave/cli/v2"

	"github.com/distributed-trust/distrust/cli/render"
	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/schema"
)

func showCommand(*Env) *Command {
	return &Command{
		Name: "show", Operands: "ID", Min: 1, Max: 1, Group: Say,
		Summary: "print one record: its exact bytes, its signature, who it is from",
		Text: `Standard output is the record as it was signed and the signature behind it, so that stock ssh-keygen can check it. ` +
			`Standard error says whose record it is and how much that source counts.`,
		Flags: []urfave.Flag{jsonFlag()},
		Examples: []Example{
			{"distrust show 9f2c41ab7e03", "at least four digits of the id"},
		},
		Run: runShow,
	}
}

// runShow prints one record.
func runShow(ctx context.Context, in *Invocation) (Exit, error) {
	if !idPrefix.MatchString(in.Operands[0]) {
		return Usage, usagef("%q is no record id: 4 to 64 hexadecimal digits in lower case", in.Operands[0])
	}
	w, err := in.world(ctx)
	if err != nil {
		return Failed, err
	}
	defer w.close()
	if w.generation == nil {
		return Failed, fmt.Errorf("%s: %w", in.Operands[0], errNoSuchRecord)
	}
	entry, err := oneByID(w.generation, in.Operands[0])
	if err != nil {
		return Failed, err
	}
	if in.Bool(jsonFlagName) {
		return Done, printRecordJSON(in, entry.Record, entry.Void, entry.Vanished)
	}
	envelope := entry.Record.Envelope()
	fmt.Fprintf(in.Env.Stdout, "%s\n%s", envelope.YAML, envelope.Sig)
	in.Env.say(fmt.Sprintf("record %s", entry.Record.ID()))
	in.Env.say(fmt.Sprintf("signed by %s", entry.Record.Key().Fingerprint()))
	in.Env.say(w.standing(entry.Record.Log(), entry.Void, entry.Vanished))
	return Done, nil
}

// standing says in a sentence whose record it is and whether it counts.
func (w *world) standing(log string, void, vanished bool) string {
	text := "from " + w.nameOf(log)
	for _, f := range w.compiled.Follows {
		if f.Log == log {
			text += fmt.Sprintf(", followed at %s", render.WeightWord(f.Weight))
		}
	}
	switch {
	case void:
		text += "; void: its key is compromised"
	case vanished:
		text += "; it left their repository without a withdrawal and still counts"
	}
	return text
}

// nameOf is what the user calls a log.
func (w *world) nameOf(log string) string {
	for _, own := range w.compiled.Own {
		if own == log {
			return "you"
		}
	}
	for _, f := range w.compiled.Follows {
		if f.Log == log {
			return f.Name
		}
	}
	if w.generation != nil {
		if info, ok, err := w.generation.Log(log); err == nil && ok && info.Name != "" {
			return info.Name + " (not followed)"
		}
	}
	return "log " + log
}

// recordJSON is one record as list and show print it.
type recordJSON struct {
	Format    int           `json:"format"`
	ID        string        `json:"id"`
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
	Reason    string        `json:"reason,omitempty"`
	Subjects  []subjectJSON `json:"subjects,omitempty"`
	Seen      []string      `json:"seen,omitempty"`
	Withdraws []string      `json:"withdraws,omitempty"`
	Void      bool          `json:"void"`
	Vanished  bool          `json:"vanished"`
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
func printRecordJSON(in *Invocation, r records.Record, void, vanished bool) error {
	doc := r.Doc()
	out := recordJSON{
		Format: schema.Version, ID: r.ID(), Kind: doc.Kind, Log: doc.Log, By: doc.By, Path: r.Path(),
		Issued: moment(doc.Issued), Project: doc.Project, Version: doc.Version, Category: string(doc.Category),
		Basis: string(doc.Basis), Reason: doc.Reason, Seen: doc.Seen, Withdraws: doc.Withdraws, Void: void, Vanished: vanished,
	}
	if !doc.Expires.IsZero() {
		out.Expires = moment(doc.Expires)
	}
	for _, s := range doc.Subjects {
		out.Subjects = append(out.Subjects, subjectToJSON(s))
	}
	return json.NewEncoder(in.Env.Stdout).Encode(out)
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
