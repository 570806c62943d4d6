package home

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/internal/gitstore"
)

// Join clones the log at url into dir, which must be missing or empty, and verifies it as a first
// contact (F5.2). It says nothing about whether the user may sign there: see [Home.CheckSigner].
// The error is [ErrEmptyRemote] when there is nothing yet: then create a home and publish it.
func Join(ctx context.Context, dir, url string, access Remote, now time.Time) (*Home, error) {
	if err := requireEmpty(dir); err != nil {
		return nil, fmt.Errorf("joining %s: %w", url, err)
	}
	tree, _, err := gitstore.Clone(ctx, dir, gitstore.FetchOptions{URL: url, Access: access})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("joining %s: %w", url, err), os.RemoveAll(dir))
	}
	h := &Home{tree: tree}
	if err := h.adopt(ctx, now); err != nil {
		tree.Close()
		return nil, errors.Join(fmt.Errorf("joining %s: %w", url, err), os.RemoveAll(dir))
	}
	return h, nil
}

// adopt accepts the clone's state as a first contact and remembers it as published.
func (h *Home) adopt(ctx context.Context, now time.Time) error {
	if err := h.reload(ctx); err != nil {
		return err
	}
	accepted, err := records.FirstContact("", h.sealed.kept, h.sealed.head, now)
	if err != nil {
		return err
	}
	return h.writePublished(accepted.Pin, h.sealed.commit)
}

// MakeRemote makes an empty repository at a path on this machine when nothing is there, so that
// a home can be published to a folder without git.
func MakeRemote(path string) (made bool, err error) {
	return gitstore.InitBare(path, Branch)
}
