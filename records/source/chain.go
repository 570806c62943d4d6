package source

import (
	"context"
	"encoding/hex"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/internal/gitstore"
	"github.com/distributed-trust/distrust/schema"
)

// maxChainBytes bounds the heads between two fetches that are held in memory at once.
const maxChainBytes = 64 << 20

// chain finds the heads that lead from the pinned one to the published one (F5.2, F5.3): the kept
// ones, and the head.yml of any new commit, followed back along prev.
func (c *collector) chain(ctx context.Context, list *fileList, set *headSet) error {
	if err := c.kept(ctx, list, set); err != nil {
		return err
	}
	h := set.Published.Head
	if c.job.first() || h.ID() == c.job.HeadID {
		return nil
	}
	// When the pinned commit is gone from the history, all of it is looked at: rule 3 asks for the
	// heads, not for git's ancestry.
	commits, err := c.store.NewCommits(ctx, set.Tip.Commit, c.job.Commit, c.job.Limits.NewCommits)
	if err != nil {
		return err
	}
	if linear, err := c.store.IsAncestor(ctx, c.job.Commit, set.Tip.Commit); err == nil {
		set.Rewritten = !linear
	}
	known, err := c.headBlobs(ctx, commits)
	if err != nil {
		return err
	}
	size := 0
	seen := map[string]bool{h.ID(): true}
	for _, from := range append([]records.Head{h}, set.Kept...) {
		for doc := from.Doc(); !c.passed(doc) && !seen[doc.Prev]; {
			seen[doc.Prev] = true
			copies, err := c.copies(known[doc.Prev])
			if err != nil {
				return err
			}
			if len(copies) == 0 {
				break // a gap, unless the pin or a kept head fills it
			}
			set.Between = append(set.Between, copies...)
			yaml, sig := copies[0].Bytes()
			if size += len(copies) * (len(yaml) + len(sig)); size > maxChainBytes {
				return &LimitError{What: "bytes of heads", Limit: maxChainBytes, Got: int64(size), Option: "new_commits"}
			}
			doc = copies[0].Doc()
		}
	}
	return nil
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

// copies opens one head with each signature that was found for it. None opens: it is as good as
// missing.
func (c *collector) copies(at []headBlob) ([]records.Head, error) {
	var copies []records.Head
	for _, blob := range at {
		doc, sig, err := c.document(blob, schema.MaxHeadBytes)
		if err != nil {
			return nil, err
		}
		c.verified++
		if h, err := records.OpenHead(records.HeadFile, doc, sig); err == nil {
			copies = append(copies, h)
		}
	}
	return copies, nil
}

// kept opens the heads under keys/ of the published commit that can matter: all of them at a first
// contact and when the epoch was raised, else those above the pin. Those above the published head
// are ignored (F5.5), and what cannot be opened counts as missing: the rules say what is needed.
func (c *collector) kept(ctx context.Context, list *fileList, set *headSet) error {
	published := set.Published.Head.Doc()
	since := int64(0)
	if !c.job.AllKept && published.Epoch == c.job.Epoch {
		since = c.job.Seq
	}
	for _, f := range list.files {
		seq, ok := keptSeq(f.path)
		if !ok {
			continue
		}
		set.KeptIDs = append(set.KeptIDs, hex.EncodeToString(f.sum[:]))
		if seq <= since {
			continue
		}
		if err := context.Cause(ctx); err != nil {
			return err
		}
		sig, _ := list.find(records.SignaturePath(f.path))
		doc, signature, err := c.document(headBlob{f.blob, sig.blob}, schema.MaxHeadBytes)
		if err != nil {
			return err
		}
		c.verified++
		h, err := records.OpenKept(f.path, doc, signature)
		var refused *records.Refusal
		if errors.As(err, &refused) || err == nil && h.Compare(set.Published.Head) > 0 {
			continue
		}
		if err != nil {
			return err
		}
		set.Kept = append(set.Kept, h)
	}
	return nil
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
