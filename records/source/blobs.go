package source

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/internal/gitstore"
	"github.com/distributed-trust/distrust/schema"
)

// headBlob is where a document and its signature are in a git store; sig may be empty.
type headBlob struct{ doc, sig string }

// document reads a document and its signature. What is longer than its limit comes back as limit +
// 1 zero bytes, for its reader to refuse by its own rule.
func (c *collector) document(at headBlob, limit int64) (doc, sig []byte, err error) {
	if doc, err = c.blob(at.doc, limit); err != nil || at.sig == "" {
		return doc, nil, err
	}
	sig, err = c.blob(at.sig, schema.MaxSignatureBytes)
	return doc, sig, err
}

func (c *collector) blob(id string, limit int64) ([]byte, error) {
	b, err := c.bytes(id, limit)
	var long *LimitError
	if errors.As(err, &long) || int64(len(b)) > limit {
		return make([]byte, limit+1), nil
	}
	return b, err
}

func (c *collector) bytes(id string, limit int64) ([]byte, error) {
	if b, ok := c.cache.take(id); ok {
		return b, nil
	}
	return c.store.Blob(id, limit)
}

// blobCache holds what was read for its hash until it is handed over, so that a first sync of a
// source of ordinary size reads everything once. What does not fit is read again.
type blobCache struct {
	blobs map[string][]byte
	size  int
}

// maxCache bounds the bytes that a cache of blobs holds.
const maxCache = 4 << 20

func (c *blobCache) put(id string, b []byte) {
	if c.size+len(b) > maxCache {
		return
	}
	if c.blobs == nil {
		c.blobs = map[string][]byte{}
	}
	c.size += len(b)
	c.blobs[id] = b
}

// take gives a blob out of the cache. It is asked for once, mostly; the next time it is read again.
func (c *blobCache) take(id string) ([]byte, bool) {
	b, ok := c.blobs[id]
	if ok {
		delete(c.blobs, id)
		c.size -= len(b)
	}
	return b, ok
}

// list lists the files of a commit with the SHA-256 of each. Where an earlier list names the same
// object at the same path, its sum is taken from there: it is of bytes that were read before.
func (c *collector) list(ctx context.Context, commit string) (*fileList, error) {
	names, err := c.names(ctx, commit)
	if err != nil {
		return nil, unfit(err)
	}
	if err := c.job.Limits.files(len(names)); err != nil {
		return nil, err
	}
	list := &fileList{Commit: commit, files: names}
	for i, f := range names {
		if f.sum != ([sha256.Size]byte{}) {
			continue
		}
		if err := context.Cause(ctx); err != nil {
			return nil, err
		}
		if names[i], err = c.sum(f); err != nil {
			return nil, err
		}
	}
	c.last = list
	return list, nil
}

// names lists the files of a commit; what is known of them from the list before is filled in.
func (c *collector) names(ctx context.Context, commit string) ([]file, error) {
	base := c.last
	if !c.store.Has(base.Commit) {
		base = &fileList{}
	}
	changes, err := c.store.Diff(ctx, base.Commit, commit, c.job.Limits.git())
	if err != nil {
		return nil, err
	}
	changed := make([]file, 0, len(changes))
	for _, change := range changes { // sorted by path
		if listed(change.Path) {
			blob, _ := parseBlobID(change.New) // none: the file is gone
			changed = append(changed, file{path: change.Path, blob: blob})
		}
	}
	return base.patch(changed), nil
}

// sum reads and hashes a file. The object may be as long as any: what is too long for its kind is
// refused when it is opened, but the root of the set is over its bytes all the same (F5).
func (c *collector) sum(f file) (file, error) {
	b, err := c.store.Blob(f.blob.String(), c.job.Limits.ObjectBytes)
	if err != nil {
		return f, fmt.Errorf("reading %s: %w", f.path, err)
	}
	f.sum, f.size = sha256.Sum256(b), int64(len(b))
	c.cache.put(f.blob.String(), b)
	return f, nil
}

// unfit sorts what is wrong with a tree. One that breaks the rules of F4 counts as a set that does
// not fit its head; one that is not all there, or too big, is refused.
func unfit(err error) error {
	var hostile *HostileError
	var limit *LimitError
	switch {
	case errors.As(err, &hostile) && !errors.Is(err, gitstore.ErrIncomplete),
		errors.As(err, &limit) && limit.Option == "tree_depth":
		return fmt.Errorf("%w: %w", records.ErrUnfit, err)
	}
	return err
}
