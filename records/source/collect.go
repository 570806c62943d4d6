package source

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/internal/gitstore"
	"github.com/distributed-trust/distrust/schema"
)

// job is what fetching and reading one repository needs to know. It is made of plain values, and
// the answer goes through a [sink], so that a process of its own can do the work (S3.3).
type job struct {
	Dir      string // the store: Dir/git and Dir/files
	URL      string
	Typed    bool // a person typed the URL
	Insecure bool // http:// and git:// are allowed
	Branch   string
	Limits   Limits

	// What is pinned; all zero at a first contact.
	Tip, Commit string
	HeadID      string
	Epoch, Seq  int64

	AllKept bool            // hand over every kept head, not only those above the pin
	Beside  bool            // hand over all that lies beside the set, not only its allowed signers
	Fresh   bool            // the index holds the pinned set: hand over changes only
	Skipped map[string]bool // paths of the pinned set that were not read
}

// first says whether nothing is pinned.
func (j *job) first() bool { return j.HeadID == "" }

// claim is what a job says of a repository besides its heads and files: plain values of which
// nothing was verified.
type claim struct {
	Tip           string // the commit that was fetched
	Branch        string
	Commit        string // the published state, Tip or a first parent of it (F5.5)
	Unsealed      int    // commits above Commit
	NotUnderstood int    // of these, those whose head needs a newer program
	Why           *fault // why the newest of them is not the state; nil when there are none
	Rewritten     bool   // the pinned commit is no ancestor of the tip: a note, no rule (F5.3)
	Base          string // the commit of the list of files that the new one differs from; "" for none

	// Beside is what lies at the top of the tip, see [Published.Beside]; without job.Beside only
	// what [records.AllowedSigners] holds.
	Beside map[string][]byte
}

// sink takes what a job finds, in this order: how the list of files differs from the one of an
// earlier run, the published head, the kept heads and those between, the claim, and then every
// record that [compareLists] names, in its order. An error from it ends the job. Again from claim
// asks for the paths of job.Skipped too.
type sink interface {
	fetched() error
	files([]file) error // in the order of their paths, some at a time; without a blob: it is not there any more
	head(records.Envelope) error
	claim(claim) (again bool, err error)
	record(records.Envelope) error
}

// collector reads one store.
type collector struct {
	job   job
	store *gitstore.Store
	base  *fileList // the list of an earlier run, empty when there is none
	last  *fileList // the newest list of this run; base until there is one
}

// collect does a job: fetch, find the published state (F5.5), hand over the heads, then what
// changed. Nothing that it hands over has been accepted. Unchanged says that the tip is the pinned
// one and that the index holds its set: nothing was read.
func collect(ctx context.Context, j job, access Access, to sink) (unchanged bool, err error) {
	store, err := gitstore.StoreAt(filepath.Join(j.Dir, gitFolder))
	if err != nil {
		return false, err
	}
	defer store.Close()
	unless := "" // what is read already
	if j.Fresh {
		unless = j.Tip
	}
	tip, err := store.Fetch(ctx, gitstore.FetchOptions{
		URL: j.URL, Branch: j.Branch, Known: j.Tip, Unless: unless, Limits: j.Limits.git(),
		Access: gitstore.Access{
			Typed: j.Typed, Insecure: j.Insecure,
			Credentials: access.Credentials, SSH: access.SSH,
		},
	})
	if err != nil {
		return false, err
	}
	if tip.Commit == unless {
		return true, to.fetched()
	}
	c := &collector{job: j, store: store}
	c.base = readFileList(filepath.Join(j.Dir, filesFile))
	c.last = c.base
	if err := to.fetched(); err != nil {
		return false, err
	}
	list, said, err := c.read(ctx, tip, to)
	if err != nil {
		return false, err
	}
	again, err := to.claim(said)
	if err != nil {
		return false, err
	}
	return false, c.records(ctx, j.changes(c.base, list, again), list, to)
}

// continues says whether a list of files is that of the pinned set, and the index holds it.
func (j *job) continues(base *fileList) bool {
	return j.Fresh && base.Head == j.HeadID && base.Commit == j.Commit
}

// changes is what a set gained and lost since what the index holds.
func (j *job) changes(base, list *fileList, again bool) difference {
	if !j.continues(base) {
		return compareLists(&fileList{}, list, nil)
	}
	skipped := j.Skipped
	if !again {
		skipped = nil
	}
	return compareLists(base, list, skipped)
}

// records hands over the records that changed. They come as they are, however long: the root of
// the set is over all bytes, and whoever opens them refuses what is too long.
func (c *collector) records(ctx context.Context, d difference, list *fileList, to sink) error {
	for _, i := range d.records {
		f := list.files[i]
		if err := context.Cause(ctx); err != nil {
			return err
		}
		e := records.Envelope{Path: f.path}
		var err error
		if e.YAML, err = c.store.Read(f.blob, c.job.Limits.ObjectBytes); err != nil {
			return err
		}
		if sig, ok := list.find(records.SignaturePath(f.path)); ok {
			if e.Sig, err = c.store.Read(sig.blob, c.job.Limits.ObjectBytes); err != nil {
				return err
			}
		}
		if err := to.record(e); err != nil {
			return err
		}
	}
	return nil
}

// read finds the published state and the heads that lead to it, within the time of one fetch: a
// repository can be made so that looking for its state never ends.
func (c *collector) read(ctx context.Context, tip gitstore.Tip, to sink) (*fileList, claim, error) {
	seconds := int64(c.job.Limits.Timeout.Seconds())
	limit := &LimitError{What: readingTime, Limit: seconds, Got: seconds + 1, Option: "timeout"}
	ctx, cancel := context.WithTimeoutCause(ctx, c.job.Limits.Timeout, limit)
	defer cancel()
	said := claim{Tip: tip.Commit, Branch: tip.Branch, Base: c.base.Commit}
	list, published, err := c.published(ctx, tip)
	if err != nil {
		return nil, said, err
	}
	said.Commit, said.Unsealed, said.NotUnderstood = published.Commit, published.Unsealed, published.NotUnderstood
	said.Why = faultOf(published.Tip)
	if err := c.base.differs(list, to.files); err != nil {
		return nil, said, err
	}
	if said.Rewritten, err = c.chain(ctx, list, published.Head, tip, to); err != nil {
		return nil, said, err
	}
	said.Beside, err = c.beside(tip.Commit)
	c.last = nil
	return list, said, err
}

// readingTime is what a source is over when looking for its state takes too long.
const readingTime = "seconds of reading"

// published finds the published state (F5.5) and the list of its files.
func (c *collector) published(ctx context.Context, tip gitstore.Tip) (*fileList, records.Published, error) {
	var list *fileList
	state, err := records.PublishedState(func(yield func(records.Commit, error) bool) {
		for commit, err := range c.store.FirstParents(ctx, tip.Commit) {
			var next records.Commit
			if err == nil {
				next, err = c.commit(ctx, commit, &list)
			}
			if !yield(next, err) || err != nil {
				return
			}
		}
	})
	var none *records.UnpublishedError
	switch {
	case errors.As(err, &none) && none.Heads == 0:
		err = fmt.Errorf("%w: %w", ErrNotTrust, err)
	case errors.As(err, &none) && errors.Is(none.Tip, schema.ErrNotUnderstood):
		err = fmt.Errorf("%w: %w", ErrNewer, err)
	}
	return list, state, err
}

// commit is a commit as [records.PublishedState] wants it. The list of its files goes to list when
// its set is added up.
func (c *collector) commit(ctx context.Context, commit gitstore.Commit, list **fileList) (records.Commit, error) {
	out := records.Commit{ID: commit.ID}
	if commit.Head != "" {
		var err error
		if out.Head, out.Sig, err = c.document(headBlob{commit.Head, commit.HeadSig}, schema.MaxHeadBytes); err != nil {
			return out, err
		}
	}
	out.Set = func() (string, int64, error) {
		files, err := c.list(ctx, commit.ID)
		if err != nil {
			return "", 0, err
		}
		*list = files
		root, count, size, err := files.root()
		if err == nil {
			err = c.job.Limits.setBytes(size)
		}
		return root, count, err
	}
	return out, nil
}
