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
	b, err := c.store.Blob(id, limit)
	var long *LimitError
	if errors.As(err, &long) {
		return make([]byte, limit+1), nil
	}
	return b, err
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
	var changed []file
	err := c.store.Changed(ctx, base.Commit, commit, c.job.Limits.git(), func(path string, blob [20]byte) {
		if listed(path) {
			changed = append(changed, file{path: path, blob: blob}) // without a blob: the file is gone
		}
	})
	if err != nil {
		return nil, err
	}
	return base.patch(changed), nil
}

// sum finds the sum of a file. The object may be as long as any: what is too long for its kind is
// refused when it is opened, but the root of the set is over its bytes all the same (F5).
func (c *collector) sum(f file) (file, error) {
	var err error
	if f.sum, f.size, err = c.store.Sum(f.blob, c.job.Limits.ObjectBytes); err != nil {
		return f, fmt.Errorf("reading %s: %w", f.path, err)
	}
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
