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
	Beside  bool            // hand over what lies beside the set, too
	Fresh   bool            // the index holds the pinned set: hand over changes only
	Skipped map[string]bool // paths of the pinned set that were not read
}

// first says whether nothing is pinned.
func (j *job) first() bool { return j.HeadID == "" }

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

	Beside map[string][]byte // with job.Beside: what lies at the top of the tip, see [Published.Beside]
}

// sink takes what a job finds, in this order: the heads, then what the set gained and lost. An
// error from it ends the job. Again from heads asks for the paths of job.Skipped too.
type sink interface {
	fetched()
	heads(*headSet) (again bool, err error)
	record(records.Envelope) error // new, or with other bytes than before
	removed(path, id string) error // was in the set under this id, and is not now
	stray(path string) error       // a file under records/ that is neither a record nor its signature
}

// found is what a job ends with.
type found struct {
	Unchanged bool // the tip is the pinned one and the index holds its set: nothing was read
	Whole     bool // the whole set was handed over, and nothing as removed
	list      *fileList
}

// collector reads one store.
type collector struct {
	job      job
	store    *gitstore.Store
	base     *fileList       // the list of an earlier run, empty when there is none
	sums     map[string]file // files that were hashed in this run, by object id
	cache    blobCache
	verified int
}

// collect does a job: fetch, find the published state (F5.5), hand over the heads, then what
// changed. Nothing that it returns or hands over has been accepted.
func collect(ctx context.Context, j job, access Access, to sink) (*found, error) {
	store, err := gitstore.OpenStore(filepath.Join(j.Dir, gitFolder))
	if err != nil {
		return nil, err
	}
	defer store.Close()
	tip, err := store.Fetch(ctx, gitstore.FetchOptions{
		URL: j.URL, Branch: j.Branch, Known: j.Tip, Limits: j.Limits.git(),
		Access: gitstore.Access{
			Typed: j.Typed, Insecure: j.Insecure,
			Credentials: access.Credentials, SSH: access.SSH,
		},
	})
	if err != nil {
		return nil, err
	}
	to.fetched()
	if j.Fresh && tip.Commit == j.Tip {
		return &found{Unchanged: true}, nil
	}
	c := &collector{job: j, store: store, sums: map[string]file{}}
	c.base = readFileList(filepath.Join(j.Dir, filesFile))
	list, set, err := c.read(ctx, tip)
	if err != nil {
		return nil, err
	}
	again, err := to.heads(set)
	if err != nil {
		return nil, err
	}
	before := &fileList{}
	fresh := j.Fresh && c.base.Head == j.HeadID && c.base.Commit == j.Commit
	if fresh {
		before = c.base
	}
	if !again {
		c.job.Skipped = nil
	}
	if err := c.changes(ctx, before, list, to); err != nil {
		return nil, err
	}
	return &found{Whole: !fresh, list: list}, nil
}

// read finds the published state and the heads that lead to it, within the time of one fetch: a
// repository can be made so that looking for its state never ends.
func (c *collector) read(ctx context.Context, tip gitstore.Tip) (*fileList, *headSet, error) {
	seconds := int64(c.job.Limits.Timeout.Seconds())
	limit := &LimitError{What: readingTime, Limit: seconds, Got: seconds + 1, Option: "timeout"}
	bounded, cancel := context.WithTimeoutCause(ctx, c.job.Limits.Timeout, limit)
	defer cancel()
	list, set, err := c.published(bounded, tip)
	if err == nil {
		err = c.chain(bounded, list, set)
	}
	if err == nil && c.job.Beside {
		set.Beside, err = c.beside(tip.Commit)
	}
	if err != nil {
		return nil, nil, err
	}
	set.Verified = c.verified
	c.sums = nil // there is one list now, and it has them
	return list, set, nil
}

// readingTime is what a source is over when looking for its state takes too long.
const readingTime = "seconds of reading"

// published finds the published state (F5.5) and the list of its files.
func (c *collector) published(ctx context.Context, tip gitstore.Tip) (*fileList, *headSet, error) {
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
		return nil, nil, fmt.Errorf("%w: %w", ErrNotTrust, err)
	case errors.As(err, &none) && errors.Is(none.Tip, schema.ErrNotUnderstood):
		return nil, nil, fmt.Errorf("%w: %w", ErrNewer, err)
	case err != nil:
		return nil, nil, err
	}
	list.Commit, list.Head = state.Commit, state.Head.ID()
	return list, &headSet{Tip: tip, Published: state}, nil
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
		c.verified++
	}
	out.Set = func() (string, int64, error) {
		files, err := c.list(ctx, commit.ID)
		if err != nil {
			return "", 0, err
		}
		*list = files
		root, count, size, err := files.root()
		if limit := c.job.Limits.SetBytes; err == nil && size > limit {
			err = &LimitError{What: "bytes in the set", Limit: limit, Got: size, Option: "set_bytes"}
		}
		return root, count, err
	}
	return out, nil
}
