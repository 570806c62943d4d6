package journal

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"time"
	"unicode/utf8"

	"github.com/distributed-trust/distrust/records/trust"
	"github.com/distributed-trust/distrust/schema"
)

// maxLine bounds a line with the LF that ends it; one more is before it in what one append writes
// in one piece, at most 4 KiB.
const maxLine = 4<<10 - 1

// A line is a JSON object whose last member is the CRC-32C of everything before it. It finds
// what a crash or a disk broke; it is no defence against somebody who can write the file.
const (
	sumMember = `,"sum":"`
	sumEnd    = `"}`
	sumLength = len(sumMember) + 8 + len(sumEnd)
)

var errLine = errors.New("not a whole line of the journal")

// castagnoli is the CRC that processors compute in hardware; its table is made when it is first asked for.
func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

// wire is an entry as JSON has it. Paths and names are bytes to the system: those that are no
// UTF-8 are kept in base64, so that the path stays the path.
type wire struct {
	Time      string   `json:"time"`
	Command   string   `json:"command,omitempty"`
	Verdict   string   `json:"verdict"`
	Overruled bool     `json:"overruled,omitempty"`
	SHA256    string   `json:"sha256,omitempty"`
	SHA512    string   `json:"sha512,omitempty"`
	Commit    string   `json:"commit,omitempty"`
	Tree      string   `json:"tree,omitempty"`
	Size      int64    `json:"size,omitempty"`
	Name      string   `json:"name,omitempty"`
	NameRaw   string   `json:"name_base64,omitempty"`
	Path      string   `json:"path,omitempty"`
	PathRaw   string   `json:"path_base64,omitempty"`
	Project   string   `json:"project,omitempty"`
	Version   string   `json:"version,omitempty"`
	Signers   []string `json:"signers,omitempty"`
	Records   []string `json:"records,omitempty"`
	By        []string `json:"by,omitempty"`
	Added     bool     `json:"added,omitempty"`
	Pinned    bool     `json:"pinned,omitempty"`
	Cut       bool     `json:"cut,omitempty"` // something was left out to fit
}

// encodeLine writes an entry as one line with its LF, at most maxLine bytes. What does not fit is
// left out whole, never shortened into something else: a cut path would name another file, a cut
// project another project. The digests always stay.
func encodeLine(e Entry) ([]byte, error) {
	w := wire{
		Time: e.Time.UTC().Format(time.RFC3339), Command: e.Command, Verdict: string(e.Verdict), Overruled: e.Overruled,
		SHA256: e.Digest.SHA256, SHA512: e.Digest.SHA512, Commit: e.Git.Commit, Tree: e.Git.Tree,
		Project: e.Project, Version: e.Version, Signers: e.Signers, Records: e.Records,
		By: e.By, Added: e.Added, Pinned: e.Pinned,
	}
	if e.Size > 0 {
		w.Size = e.Size
	}
	w.Name, w.NameRaw = asText(e.Name)
	w.Path, w.PathRaw = asText(e.Path)
	b, err := w.line()
	for err == nil && len(b) > maxLine {
		if !w.shorten() {
			return nil, fmt.Errorf("an entry of %d bytes, %d at most", len(b), maxLine)
		}
		b, err = w.line()
	}
	return b, err
}

// shorten leaves out the most dispensable thing that is there; false when nothing is left.
func (w *wire) shorten() bool {
	w.Cut = true
	const few = 8 // enough to say by whose word
	switch {
	case len(w.Records) > few:
		w.Records = w.Records[:max(few, len(w.Records)/2)]
	case len(w.By) > few:
		w.By = w.By[:few]
	case w.Path != "" || w.PathRaw != "":
		w.Path, w.PathRaw = "", ""
	case w.Name != "" || w.NameRaw != "":
		w.Name, w.NameRaw = "", ""
	case len(w.By) > 0:
		w.By = nil
	case len(w.Signers) > 0:
		w.Signers = w.Signers[:len(w.Signers)-1]
	case w.Project != "":
		w.Project, w.Version = "", ""
	case len(w.Records) > 0:
		w.Records = nil
	case w.Command != "":
		w.Command = ""
	default:
		return false
	}
	return true
}

func (w *wire) line() ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(w); err != nil {
		return nil, err
	}
	b := bytes.TrimSuffix(out.Bytes(), []byte("}\n"))
	return fmt.Appendf(b, "%s%08x%s\n", sumMember, crc32.Checksum(b, castagnoli()), sumEnd), nil
}

// decodeLine reads a line without its LF.
func decodeLine(line []byte) (Entry, error) {
	at := len(line) - sumLength
	if at < 1 || len(line) >= maxLine {
		return Entry{}, errLine
	}
	body := line[:at]
	if want := fmt.Appendf(nil, "%s%08x%s", sumMember, crc32.Checksum(body, castagnoli()), sumEnd); !bytes.Equal(line[at:], want) {
		return Entry{}, errLine
	}
	var w wire
	if err := json.Unmarshal(append(bytes.Clone(body), '}'), &w); err != nil {
		return Entry{}, errLine
	}
	at1, err := time.Parse(time.RFC3339, w.Time)
	if err != nil {
		return Entry{}, errLine
	}
	e := Entry{
		Time: at1.UTC(), Command: w.Command, Verdict: trust.Verdict(w.Verdict), Overruled: w.Overruled,
		Digest: schema.Digest{SHA256: w.SHA256, SHA512: w.SHA512}, Git: schema.GitID{Commit: w.Commit, Tree: w.Tree},
		Size: w.Size, Project: w.Project, Version: w.Version, Signers: w.Signers, Records: w.Records,
		By: w.By, Added: w.Added, Pinned: w.Pinned,
	}
	if e.Name, err = asBytes(w.Name, w.NameRaw); err != nil {
		return Entry{}, errLine
	}
	if e.Path, err = asBytes(w.Path, w.PathRaw); err != nil || e.subject() == "" {
		return Entry{}, errLine
	}
	return e, nil
}

func asText(s string) (text, raw string) {
	if utf8.ValidString(s) {
		return s, ""
	}
	return "", base64.StdEncoding.EncodeToString([]byte(s))
}

func asBytes(text, raw string) (string, error) {
	if raw == "" {
		return text, nil
	}
	b, err := base64.StdEncoding.DecodeString(raw)
	return string(b), err
}
