package schema

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Marshal writes a record as a document that [ParseRecord] reads back as the same record:
// fields in one order, every string in double quotes, a certificate as a literal block. It
// fails when the record breaks F2 or its document would be too large, so nothing that would be
// refused elsewhere is ever signed here.
func (r *Record) Marshal() ([]byte, error) {
	if bad := r.check(); bad != nil {
		return nil, fmt.Errorf("writing %s record: %w", r.Kind, bad)
	}
	var w writer
	w.begin(r.Kind)
	w.text("log", r.Log)
	w.text("by", r.By)
	w.time("issued", r.Issued)
	w.time("expires", r.Expires)
	w.text("project", r.Project)
	w.text("version", r.Version)
	if len(r.Subjects) > 0 {
		w.WriteString("subjects:\n")
		for i := range r.Subjects {
			w.subject(&r.Subjects[i])
		}
	}
	w.text("category", string(r.Category))
	if r.Source != nil {
		fmt.Fprintf(&w, "source: {log: %s, url: %s, key: %s}\n", doubleQuote(r.Source.Log), doubleQuote(r.Source.URL), doubleQuote(r.Source.Key))
	}
	w.number("weight", r.Weight)
	w.number("depth", r.Depth)
	w.texts("scopes", r.Scopes)
	w.texts("withdraws", r.Withdraws)
	w.text("reason", r.Reason)
	w.text("basis", string(r.Basis))
	w.number("strength", r.Strength)
	w.texts("seen", r.Seen)
	return w.end("record", MaxRecordBytes)
}

// Marshal writes a head as a document that [ParseHead] reads back as the same head. It fails
// when the head breaks F5 or its document would be too large.
func (h *Head) Marshal() ([]byte, error) {
	if bad := h.check(); bad != nil {
		return nil, fmt.Errorf("writing head: %w", bad)
	}
	var w writer
	w.begin(KindHead)
	w.text("log", h.Log)
	w.text("salt", h.Salt)
	w.text("name", h.Name)
	w.text("contact", h.Contact)
	w.text("url", h.URL)
	w.texts("projects", h.Projects)
	fmt.Fprintf(&w, "epoch: %d\nseq: %d\n", h.Epoch, h.Seq)
	w.text("prev", h.Prev)
	w.text("root", h.Root)
	fmt.Fprintf(&w, "records: %d\n", h.Records)
	w.time("issued", h.Issued)
	w.time("expires", h.Expires)
	w.WriteString("keys:\n")
	for _, k := range h.Keys {
		fmt.Fprintf(&w, "  - {key: %s", doubleQuote(k.Key))
		if k.Name != "" {
			fmt.Fprintf(&w, ", name: %s", doubleQuote(k.Name))
		}
		fmt.Fprintf(&w, ", state: %s", doubleQuote(string(k.State)))
		if k.Recovery {
			w.WriteString(", recovery: true")
		}
		w.WriteString("}\n")
	}
	w.texts("keep", h.Keep)
	return w.end("head", MaxHeadBytes)
}

// Marshal writes a private log as a document that [ParsePrivateLog] reads back as the same.
func (p *PrivateLog) Marshal() ([]byte, error) {
	if bad := p.check(); bad != nil {
		return nil, fmt.Errorf("writing private log: %w", bad)
	}
	var w writer
	w.begin(KindPrivate)
	w.text("log", p.Log)
	w.text("key", p.Key)
	w.text("salt", p.Salt)
	return w.end("private log", MaxHeadBytes)
}

// A writer writes the YAML of one document; absent fields are left out.
type writer struct{ bytes.Buffer }

func (w *writer) begin(k Kind) {
	fmt.Fprintf(w, "distrust: %d\nkind: %s\n", Version, doubleQuote(string(k)))
}

func (w *writer) text(field, value string) {
	if value != "" {
		fmt.Fprintf(w, "%s: %s\n", field, doubleQuote(value))
	}
}

func (w *writer) number(field string, value int) {
	if value != 0 {
		fmt.Fprintf(w, "%s: %d\n", field, value)
	}
}

func (w *writer) time(field string, t time.Time) {
	if !t.IsZero() {
		fmt.Fprintf(w, "%s: %s\n", field, t.UTC().Format(timeLayout))
	}
}

// texts writes a list as a block, one item a line: a line is what git shows as changed.
func (w *writer) texts(field string, items []string) {
	if len(items) == 0 {
		return
	}
	fmt.Fprintf(w, "%s:\n", field)
	for _, s := range items {
		fmt.Fprintf(w, "  - %s\n", doubleQuote(s))
	}
}

// subject writes one item of the list of subjects.
func (w *writer) subject(s *Subject) {
	fields := make([]string, 0, 3)
	add := func(name, value string) { fields = append(fields, name+": "+value) }
	switch s.Kind() {
	case SubjectFile:
		if s.File != "" {
			add("file", doubleQuote(s.File))
		}
		if s.Size >= 0 {
			add("size", strconv.FormatInt(s.Size, 10))
		}
		digest := "sha256: " + doubleQuote(s.Digest.SHA256)
		if s.Digest.SHA512 != "" {
			digest += ", sha512: " + doubleQuote(s.Digest.SHA512)
		}
		add("digest", "{"+digest+"}")
	case SubjectSigner:
		add("signer", doubleQuote(s.Signer))
		if s.Cert != "" {
			add(certificateField, literalBlock(s.Cert))
		}
		if len(s.Pattern) > 0 {
			add("projects", doubleQuotes(s.Pattern))
		}
	case SubjectGit:
		if s.Git.Commit != "" {
			add("git", "{commit: "+doubleQuote(s.Git.Commit)+"}")
		} else {
			add("git", "{tree: "+doubleQuote(s.Git.Tree)+"}")
		}
	case SubjectRelease:
		add("release", doubleQuote(s.Release))
	case SubjectProject:
		add("project", doubleQuote(s.Project))
	}
	w.WriteString("  - " + strings.Join(fields, "\n    ") + "\n")
}

// end gives the document when it is not too large.
func (w *writer) end(what string, limit int) ([]byte, error) {
	if w.Len() > limit {
		return nil, fmt.Errorf("writing %s: %d bytes, at most %d are allowed (F1)", what, w.Len(), limit)
	}
	return w.Bytes(), nil
}

// doubleQuote writes a string that obeys the character rule of F1; only two characters in it
// have a meaning between double quotes.
func doubleQuote(s string) string {
	if strings.ContainsAny(s, `"\`) {
		s = strings.NewReplacer(`"`, `\"`, `\`, `\\`).Replace(s)
	}
	return `"` + s + `"`
}

// doubleQuotes writes a list on one line.
func doubleQuotes(items []string) string {
	quoted := make([]string, len(items))
	for i, s := range items {
		quoted[i] = doubleQuote(s)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// literalBlock writes lines as a literal block in a subject, without its last line feed.
func literalBlock(s string) string {
	var out strings.Builder
	out.WriteByte('|')
	for line := range strings.SplitSeq(strings.TrimSuffix(s, "\n"), "\n") {
		out.WriteByte('\n')
		if line != "" {
			out.WriteString("      " + line)
		}
	}
	return out.String()
}
