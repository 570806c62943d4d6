package render

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/distributed-trust/distrust/records/trust"
)

// CheckSchema is the JSON Schema of the objects of check and why (C1).
func CheckSchema() []byte { return Schemas()["check"] }

// reportJSON is the object of check and why (C4). Every field is always there.
type reportJSON struct {
	Format        int               `json:"format"`
	Path          string            `json:"path"`
	Name          string            `json:"name"`
	Size          *int64            `json:"size"`
	Version       string            `json:"version"`
	Project       string            `json:"project"`
	Digests       map[string]string `json:"digests"`
	Verdict       trust.Verdict     `json:"verdict"`
	DecidedBy     trust.Reason      `json:"decided_by"`
	Disputed      bool              `json:"disputed"`
	For           int               `json:"for"`
	Against       int               `json:"against"`
	UnseenAgainst int               `json:"unseen_against"`
	OtherBytes    int               `json:"other_bytes"`
	Policy        policyJSON        `json:"policy"`
	Voices        []voiceJSON       `json:"voices"`
	Signatures    []signatureJSON   `json:"signatures"`
	Findings      []findingJSON     `json:"findings"`
	Synced        *string           `json:"synced"`
	Stale         []string          `json:"stale"`
	NotUnderstood int               `json:"not_understood"`
	Indexed       int               `json:"indexed"`
	Notes         []string          `json:"notes"`
	Hints         []hintJSON        `json:"hints"`
	Exit          int               `json:"exit"`
}

type policyJSON struct {
	Trust int `json:"trust"`
	Block int `json:"block"`
}

type voiceJSON struct {
	Source     string   `json:"source"`
	Own        bool     `json:"own"`
	Log        string   `json:"log"`
	Path       []string `json:"path"`
	Weight     int      `json:"weight"`
	Kind       string   `json:"kind"`
	Level      string   `json:"level"`
	Amount     int      `json:"amount"`
	Counted    bool     `json:"counted"`
	NotCounted *string  `json:"not_counted"`
	Record     string   `json:"record"`
	Issued     string   `json:"issued"`
	Expires    *string  `json:"expires"`
	Category   string   `json:"category"`
	Basis      string   `json:"basis"`
	Reason     string   `json:"reason"`
}

type signatureJSON struct {
	Format string `json:"format"`
	Signer string `json:"signer"`
	State  string `json:"state"`
	Detail string `json:"detail"`
}

type findingJSON struct {
	Kind    string `json:"kind"`
	Source  string `json:"source"`
	Own     bool   `json:"own"`
	Counted bool   `json:"counted"`
	Amount  int    `json:"amount"`
	Record  string `json:"record"`
	Project string `json:"project"`
	Version string `json:"version"`
	Signer  string `json:"signer"`
	Text    string `json:"text"`
}

type hintJSON struct {
	Text string   `json:"text"`
	Argv []string `json:"argv"`
}

// WriteJSON prints the object of check and why on one line (C4).
func WriteJSON(w io.Writer, r Report) error {
	d := r.Decision
	out := reportJSON{
		Format: 1, Path: r.Path, Name: r.Query.Name, Version: d.Version, Project: d.Project,
		Digests: digests(r.Query), Verdict: d.Verdict, DecidedBy: d.By, Disputed: d.Disputed,
		For: d.For, Against: d.Against, UnseenAgainst: d.Unseen, OtherBytes: d.Other,
		Policy: policyJSON{d.Policy.Trust, d.Policy.Block},
		Voices: []voiceJSON{}, Signatures: []signatureJSON{}, Findings: []findingJSON{},
		Stale: []string{}, NotUnderstood: r.NotUnderstood, Indexed: r.Indexed,
		Notes: append([]string{}, r.Notes...), Hints: []hintJSON{}, Exit: r.Exit,
	}
	if r.Query.Size >= 0 {
		out.Size = &r.Query.Size
	}
	if !r.Synced.IsZero() {
		out.Synced = moment(r.Synced.Unix())
	}
	if d.Own != nil {
		out.Voices = append(out.Voices, voice(*d.Own))
	}
	for _, v := range d.Voices {
		out.Voices = append(out.Voices, voice(v))
	}
	for _, s := range r.Query.Signatures {
		out.Signatures = append(out.Signatures, signatureJSON{s.Format, s.Signer, string(s.State), s.Detail})
	}
	for _, f := range d.Findings {
		out.Findings = append(out.Findings, findingJSON{
			Kind: string(f.Kind), Source: f.Source, Own: f.Source == "", Counted: f.Counted, Amount: f.Amount,
			Record: f.Statement.ID, Project: f.Statement.Project, Version: f.Statement.Version,
			Signer: f.Signer, Text: fullFinding(f, d),
		})
	}
	for _, s := range d.Stale {
		out.Stale = append(out.Stale, s.Name)
	}
	for _, h := range append(r.overrule(), r.Hints...) {
		out.Hints = append(out.Hints, hintJSON{h.Text, Argv(h.Command)})
	}
	return EncodeJSON(w, out)
}

// voice is the object of one voice; the user's own word counts by itself, without an amount.
func voice(v trust.Voice) voiceJSON {
	s := v.Statement
	out := voiceJSON{
		Source: sourceName(v), Own: v.Own, Log: s.Log, Path: append([]string{}, v.Path...), Weight: v.Weight,
		Kind: string(s.Kind), Level: string(v.Level), Amount: v.Amount, Counted: v.NotCounted == trust.Counts,
		Record: s.ID, Issued: *moment(s.Issued), Category: string(s.Category), Basis: string(s.Basis), Reason: s.Reason,
	}
	if !out.Counted {
		why := string(v.NotCounted)
		out.NotCounted = &why
	}
	if s.Expires != 0 {
		out.Expires = moment(s.Expires)
	}
	return out
}

// digests are what identifies the queried thing.
func digests(q trust.Query) map[string]string {
	out := map[string]string{}
	for name, value := range map[string]string{
		"sha256": q.Digest.SHA256, "sha512": q.Digest.SHA512, "commit": q.Git.Commit, "tree": q.Git.Tree,
	} {
		if value != "" {
			out[name] = value
		}
	}
	return out
}

// moment is a point in time as JSON has it.
func moment(unix int64) *string {
	text := time.Unix(unix, 0).UTC().Format(time.RFC3339)
	return &text
}

// EncodeJSON prints a value on one line of JSON (C1) in which every character is visible: what
// could move a terminal's cursor or mislead its reader is written as \u escapes, which any JSON
// reader turns back into what it was.
func EncodeJSON(w io.Writer, value any) error {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return fmt.Errorf("writing JSON: %w", err)
	}
	_, err := w.Write(append(visibleJSON(bytes.TrimSuffix(b.Bytes(), []byte("\n"))), '\n'))
	return err
}

// visibleJSON escapes what is not visible. Outside of strings JSON is ASCII, so no other place
// is touched.
func visibleJSON(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for len(b) > 0 {
		r, size := utf8.DecodeRune(b)
		switch {
		case visible(r):
			out = append(out, b[:size]...)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
		b = b[size:]
	}
	return out
}
