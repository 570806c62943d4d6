package journal

import (
	"slices"
	"strings"
	"time"

	"github.com/distributed-trust/distrust/records/trust"
	"github.com/distributed-trust/distrust/schema"
)

// Entry is one thing that was accepted: trusted, or gone on with against the verdict.
type Entry struct {
	Time      time.Time // whole seconds are kept
	Name      string    // file name, without folders; "" when unknown
	Path      string    // where it lay, absolute; "" when it came through a pipe; of what is pinned, the lock file
	Command   string    // the command that accepted it: check, pipe, …
	Digest    schema.Digest
	Git       schema.GitID
	Size      int64 // bytes; not positive when unknown
	Project   string
	Version   string
	Verdict   trust.Verdict
	Signers   []string // signers whose signature over it was good
	Records   []string // ids of the records that carried the decision
	By        []string // whose they were, as the user called them then: sources may be gone by the time that it matters
	Overruled bool     // the user went on against the verdict
	Added     bool     // it was here already and was put under watch, whatever the verdict: nobody accepted it
	Pinned    bool     // a lock file names it; the file itself need never have been here
}

// subject is what an entry is about, in one string: its digests or git id. It is empty when it
// is about nothing that could be found again.
func (e *Entry) subject() string {
	if e.Digest.SHA256 != "" {
		return "sha256:" + e.Digest.SHA256
	}
	if e.Digest.SHA512 != "" {
		return "sha512:" + e.Digest.SHA512
	}
	switch {
	case e.Git.Commit != "":
		return "commit:" + e.Git.Commit
	case e.Git.Tree != "":
		return "tree:" + e.Git.Tree
	}
	return ""
}

// claim is what is written once: the same bytes, accepted as the same thing with the same verdict, and
// no more known of them: a signature, or a name, is what somebody may speak about later. Of what was put
// under watch it is the place that counts, and no verdict.
type claim struct {
	subject, project, version string
	verdict                   trust.Verdict
	overruled, named          bool
	signers                   string
	added                     string // path
}

func (e *Entry) claim() claim {
	if e.Added {
		place := "at " + e.Path
		if e.Pinned {
			place = "in " + e.Path
		}
		return claim{subject: e.subject(), project: e.Project, version: e.Version, added: place}
	}
	return claim{
		subject: e.subject(), project: e.Project, version: e.Version, verdict: e.Verdict, overruled: e.Overruled,
		named: e.Name != "", signers: strings.Join(slices.Sorted(slices.Values(e.Signers)), "\x00"),
	}
}

// Query is what Decide is asked about an entry: what was known of it when it was accepted.
func (e Entry) Query() trust.Query {
	q := trust.Query{
		Name: e.Name, Size: -1, Digest: e.Digest, Git: e.Git,
		Project: e.Project, Version: e.Version,
	}
	if e.Size > 0 {
		q.Size = e.Size
	}
	for _, signer := range e.Signers {
		format, _, _ := strings.Cut(signer, ":")
		q.Signatures = append(q.Signatures, trust.Signature{Format: format, Signer: signer, State: trust.SignatureGood})
	}
	return q
}

// clone copies what e points to.
func (e Entry) clone() Entry {
	e.Signers, e.Records, e.By = slices.Clone(e.Signers), slices.Clone(e.Records), slices.Clone(e.By)
	return e
}
