package source

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/internal/gitstore"
	"github.com/distributed-trust/distrust/schema"
)

// maxChainBytes bounds the heads of one fetch, which are held in memory at once.
const maxChainBytes = 64 << 20

// chain hands over the published head h, and then all that may lead to it from the pinned one
// (F5.2, F5.3): the kept ones, and the head.yml of any new commit, followed back along prev. None
// but h was verified here. It says whether git's history was rewritten.
func (c *collector) chain(ctx context.Context, list *fileList, h records.Head, tip gitstore.Tip, to sink) (rewritten bool, err error) {
	yaml, sig := h.Bytes()
	if err := to.head(records.Envelope{Path: records.HeadFile, YAML: yaml, Sig: sig}); err != nil {
		return false, err
	}
	from, err := c.kept(ctx, list, h.Doc(), to)
	if err != nil || c.job.first() || h.ID() == c.job.HeadID {
		return false, err
	}
	// When the pinned commit is gone from the history, all of it is looked at: rule 3 asks for the
	// heads, not for git's ancestry.
	commits, err := c.store.NewCommits(ctx, tip.Commit, c.job.Commit, c.job.Limits.NewCommits)
	if err != nil {
		return false, err
	}
	if linear, err := c.store.IsAncestor(ctx, c.job.Commit, tip.Commit); err == nil {
		rewritten = !linear
	}
	known, err := c.headBlobs(ctx, commits)
	if err != nil {
		return false, err
	}
	seen := map[string]bool{h.ID(): true}
	for _, doc := range append([]schema.Head{h.Doc()}, from...) {
		for !c.passed(doc) && !seen[doc.Prev] {
			seen[doc.Prev] = true
			before, err := c.between(known[doc.Prev], to)
			if err != nil {
				return false, err
			}
			if before == nil {
				break // a gap, unless the pin or a kept head fills it
			}
			doc = *before
		}
	}
	return rewritten, nil
}

// passed says whether going back from a head has come to the pin. A raised epoch is followed back to
// where its own chain begins, since the keys of that chain matter (F5.4).
func (c *collector) passed(doc schema.Head) bool {
	return doc.Prev == "" || doc.Prev == c.job.HeadID || doc.Epoch == c.job.Epoch && doc.Seq < c.job.Seq
}

// maxCopies bounds how many signatures over one head are tried.
const maxCopies = 4

// headBlobs maps the id of every head.yml in the commits to where it is, newest first.
func (c *collector) headBlobs(ctx context.Context, commits []gitstore.Commit) (map[string][]headBlob, error) {
	ids := map[string]string{} // object id to head id
	known := map[string][]headBlob{}
	for _, commit := range commits {
		if err := context.Cause(ctx); err != nil {
			return nil, err
		}
		if commit.Head == "" {
			continue
		}
		id, read := ids[commit.Head]
		if !read {
			b, err := c.blob(commit.Head, schema.MaxHeadBytes)
			if err != nil {
				return nil, err
			}
			id = schema.RecordID(b)
			ids[commit.Head] = id
		}
		at := headBlob{commit.Head, commit.HeadSig}
		if len(known[id]) < maxCopies && !slices.Contains(known[id], at) {
			known[id] = append(known[id], at)
		}
	}
	return known, nil
}

// between hands over one head with each signature that was found for it, and gives what it says;
// nil when it says nothing, which is as good as missing.
func (c *collector) between(at []headBlob, to sink) (*schema.Head, error) {
	var doc *schema.Head
	for _, blob := range at {
		yaml, sig, err := c.document(blob, schema.MaxHeadBytes)
		if err != nil {
			return nil, err
		}
		if doc == nil {
			if doc, err = schema.ParseHead(records.HeadFile, yaml); err != nil {
				return nil, nil
			}
		}
		if err := to.head(records.Envelope{Path: records.HeadFile, YAML: yaml, Sig: sig}); err != nil {
			return nil, err
		}
	}
	return doc, nil
}

// kept hands over the heads under keys/ of the published commit that can matter, and gives what they
// say: all of them at a first contact and when the epoch was raised, else those above the pin. Those
// above the published head are ignored (F5.5), and what cannot be read counts as missing: the rules
// say what is needed.
func (c *collector) kept(ctx context.Context, list *fileList, published schema.Head, to sink) ([]schema.Head, error) {
	since := int64(0)
	if !c.job.AllKept && published.Epoch == c.job.Epoch {
		since = c.job.Seq
	}
	var docs []schema.Head
	for _, f := range list.files {
		seq, ok := keptSeq(f.path)
		if !ok || seq <= since {
			continue
		}
		if err := context.Cause(ctx); err != nil {
			return nil, err
		}
		sig, _ := list.find(records.SignaturePath(f.path))
		yaml, signature, err := c.document(headBlob{f.blob.String(), sig.blob.String()}, schema.MaxHeadBytes)
		if err != nil {
			return nil, err
		}
		doc, err := schema.ParseHead(f.path, yaml)
		if err != nil || doc.Epoch > published.Epoch || doc.Epoch == published.Epoch && doc.Seq > published.Seq {
			continue
		}
		docs = append(docs, *doc)
		if err := to.head(records.Envelope{Path: f.path, YAML: yaml, Sig: signature}); err != nil {
			return nil, err
		}
	}
	return docs, nil
}

// keptSeq is the number in the path of a kept head, keys/<seq>.yml.
func keptSeq(path string) (int64, bool) {
	name, ok := strings.CutPrefix(path, records.KeysFolder+"/")
	number, document := strings.CutSuffix(name, ".yml")
	if !ok || !document {
		return 0, false
	}
	seq, err := strconv.ParseInt(number, 10, 64)
	return seq, err == nil && records.HeadPath(seq) == path
}
