package source

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"path/filepath"
	"strings"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/internal/gitstore"
	"github.com/distributed-trust/distrust/schema"
)

// headSet is what a repository publishes about itself (F5). The heads are opened: signed by keys
// that they list, nothing more.
type headSet struct {
	Tip       gitstore.Tip
	Published records.Published
	Kept      []records.Head
	Between   []records.Head
	Rewritten bool     // the pinned commit is no ancestor of the tip: a note, no rule (F5.3)
	KeptIDs   []string // of every kept head at the published commit, in the order of their paths
	Verified  int      // heads whose signatures were looked at

	Beside map[string][]byte // what lies at the top of the tip, see [claim]
}

// found is what a job ends with.
type found struct {
	Unchanged bool // the tip is the pinned one and the index holds its set: nothing was read
	Whole     bool // the whole set was handed over, and nothing as removed
	list      *fileList
}

// gate is the sink of a job. Whoever does the job may have been taken over by what it read, so
// nothing of what it says is believed (S3.3): heads are opened here, the list of files has to add up
// to the root that the head signs, and every record has to be the bytes that the list names. What
// passes goes to the intake.
type gate struct {
	job job
	in  *intake

	read      bool   // everything was fetched
	changed   []file // how the list differs from the earlier one
	pathBytes int    // of what changed
	raw       []records.Envelope
	rawBytes  int
	list      *fileList // nil before the claim
	whole     bool
	expected  []int // places in the list of records that have to come, in this order
}

// unbelievable is an answer that no job of ours gives.
func unbelievable(what string) error {
	return &HostileError{What: "the process that fetched it said what cannot be: " + what}
}

func (g *gate) fetched() error {
	if g.read {
		return unbelievable("everything twice")
	}
	g.read = true
	g.in.report(StageReading, 0, 0)
	return nil
}

// listedFile is the form of paths on a list (F4): records/ or keys/, and one to four names.
func listedFile(path string) bool {
	folder, rest, below := strings.Cut(path, "/")
	if !below || folder != records.RecordsFolder && folder != records.KeysFolder {
		return false
	}
	for range 4 {
		var name string
		if name, rest, below = strings.Cut(rest, "/"); !gitstore.ValidName(name) {
			return false
		}
		if !below {
			return true
		}
	}
	return false
}

// maxBranchBytes bounds the name of a branch, which a pin holds, as the fetch of the next one does.
const maxBranchBytes = 200

// isObject is the form of an object id of git.
func isObject(s string) bool { return len(s) == 40 && lowerHex(s) }

func (g *gate) files(changes []file) error {
	if g.list != nil {
		return unbelievable("files after the list")
	}
	last := ""
	if n := len(g.changed); n > 0 {
		last = g.changed[n-1].path
	}
	for _, f := range changes {
		if f.path <= last || !listedFile(f.path) || f.size < 0 {
			return unbelievable("a list of files that is none")
		}
		last = f.path
		g.pathBytes += len(f.path)
	}
	g.changed = append(g.changed, changes...)
	most := 2 * g.job.Limits.Files // all gone, and as many new ones
	if len(g.changed) > most {
		return unbelievable("more files than there may be")
	}
	if most *= pathBytes; g.pathBytes > most {
		return &LimitError{What: "bytes of file names", Limit: int64(most), Got: int64(g.pathBytes), Option: "files"}
	}
	return nil
}

// pathBytes is how long the names of a set may be on average: no path of F4 is longer than 170.
const pathBytes = 192

// envelopeBytes is about what a document takes besides its bytes.
const envelopeBytes = 256

func (g *gate) head(e records.Envelope) error {
	if g.list != nil {
		return unbelievable("a head after the heads")
	}
	if g.rawBytes += envelopeBytes + len(e.Path) + len(e.YAML) + len(e.Sig); g.rawBytes > maxChainBytes {
		return &LimitError{What: "bytes of heads", Limit: maxChainBytes, Got: int64(g.rawBytes), Option: "commits"}
	}
	g.raw = append(g.raw, e)
	return nil
}

// errListGone says that the list of files of the last run was deleted or changed meanwhile.
var errListGone = errors.New("the list of files of the last sync was changed meanwhile")

func (g *gate) claim(c claim) (again bool, err error) {
	if g.list != nil {
		return false, unbelievable("everything twice")
	}
	base := &fileList{}
	if c.Base != "" {
		if base = readFileList(filepath.Join(g.job.Dir, filesFile)); base.Commit != c.Base {
			return false, errListGone
		}
	}
	g.list = &fileList{Commit: c.Commit, files: base.patch(g.changed)}
	set, err := g.open(c)
	if err != nil {
		return false, err
	}
	if err := g.addUp(set.Published.Head.Doc()); err != nil {
		return false, err
	}
	g.list.Head = set.Published.Head.ID()
	again, err = g.in.heads(set)
	if err != nil {
		return false, err
	}
	g.whole, g.raw, g.changed = !g.job.continues(base), nil, nil
	d := g.job.changes(base, g.list, again)
	for _, r := range d.removed {
		g.in.removed(r.path, r.id)
	}
	for _, path := range d.strays {
		g.in.stray(path)
	}
	g.expected = d.records
	return again, nil
}

// addUp holds the list to the published head (F5.5) and to the limits.
func (g *gate) addUp(doc schema.Head) error {
	if err := g.job.Limits.files(len(g.list.files)); err != nil {
		return err
	}
	root, count, size, err := g.list.root()
	if err != nil || root != doc.Root || count != doc.Records {
		return unbelievable("a set that does not fit its head")
	}
	return g.job.Limits.setBytes(size)
}

// open opens the heads. The first is the published one; of the others, what does not open counts
// as missing.
func (g *gate) open(c claim) (*headSet, error) {
	if len(g.raw) == 0 || len(c.Branch) > maxBranchBytes || g.job.Branch != "" && c.Branch != g.job.Branch ||
		!isObject(c.Tip) || !isObject(c.Commit) || c.Unsealed < 0 || c.NotUnderstood < 0 {
		return nil, unbelievable("a state that is none")
	}
	first := g.raw[0]
	h, err := records.OpenHead(records.HeadFile, first.YAML, first.Sig)
	if err != nil {
		return nil, unbelievable("a head that is none")
	}
	set := &headSet{
		Tip: gitstore.Tip{Commit: c.Tip, Branch: c.Branch}, Rewritten: c.Rewritten, Beside: c.Beside, Verified: len(g.raw),
		Published: records.Published{
			Commit: c.Commit, Head: h, Unsealed: c.Unsealed, NotUnderstood: c.NotUnderstood, Tip: c.Why.err(),
		},
	}
	for _, f := range g.list.files {
		if _, ok := keptSeq(f.path); ok {
			set.KeptIDs = append(set.KeptIDs, hex.EncodeToString(f.sum[:]))
		}
	}
	for _, e := range g.raw[1:] {
		if e.Path == records.HeadFile {
			if h, err := records.OpenHead(e.Path, e.YAML, e.Sig); err == nil {
				set.Between = append(set.Between, h)
			}
			continue
		}
		if !g.isListed(e) {
			return nil, unbelievable("a kept head that is not on the list")
		}
		if h, err := records.OpenKept(e.Path, e.YAML, e.Sig); err == nil && h.Compare(set.Published.Head) <= 0 {
			set.Kept = append(set.Kept, h)
		}
	}
	return set, nil
}

// isListed says whether the bytes of a document are those that the list names.
func (g *gate) isListed(e records.Envelope) bool {
	doc, ok := g.list.find(e.Path)
	sig, signed := g.list.find(records.SignaturePath(e.Path))
	fits := func(f file, b []byte) bool { return f.size == int64(len(b)) && f.sum == sha256.Sum256(b) }
	return ok && fits(doc, e.YAML) && (signed && fits(sig, e.Sig) || !signed && len(e.Sig) == 0)
}

func (g *gate) record(e records.Envelope) error {
	if len(g.expected) == 0 || g.list.files[g.expected[0]].path != e.Path || !g.isListed(e) {
		return unbelievable("a record that is not on the list")
	}
	g.expected = g.expected[1:]
	// What is too long is refused as such by its reader, who needs no more to see it, nor more memory.
	if len(e.YAML) > schema.MaxRecordBytes || len(e.Sig) > schema.MaxSignatureBytes {
		e.YAML = bytes.Clone(e.YAML[:min(len(e.YAML), schema.MaxRecordBytes+1)])
		e.Sig = bytes.Clone(e.Sig[:min(len(e.Sig), schema.MaxSignatureBytes+1)])
	}
	return g.in.record(e)
}

// end is what came of the job.
func (g *gate) end(unchanged bool) (*found, error) {
	switch {
	case unchanged && (!g.job.Fresh || g.list != nil):
		return nil, unbelievable("that nothing changed")
	case unchanged:
		return &found{Unchanged: true}, nil
	case g.list == nil || len(g.expected) > 0:
		return nil, unbelievable("that this is all")
	}
	return &found{Whole: g.whole, list: g.list}, nil
}
