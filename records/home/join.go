package home

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/distributed-trust/distrust/records/internal/gitstore"
)

// Join clones the log at url into dir, which must be missing or empty, and verifies it as a first
// contact (F5.2). It says nothing about whether the user may sign there: see [Home.CheckSigner].
// The error is [ErrEmptyRemote] when there is nothing yet: then create a home and publish it. It is
// [ErrUnpublished] when something else is there, and a *[records.HeadError] for a log that its own
// keys do not bear out. After an error nothing is left behind.
func Join(ctx context.Context, dir, url string, access Remote, now time.Time) (*Home, error) {
	h, err := join(ctx, dir, url, access, now)
	if err != nil {
		return nil, fmt.Errorf("joining %s: %w", url, err)
	}
	return h, nil
}

func join(ctx context.Context, dir, url string, access Remote, now time.Time) (*Home, error) {
	undo, err := requireEmpty(dir)
	if err != nil {
		return nil, err
	}
	tree, _, err := gitstore.Clone(ctx, dir, gitstore.FetchOptions{URL: url, Access: access})
	if err != nil {
		return nil, errors.Join(unreachable(err), undo())
	}
	h := &Home{tree: tree}
	if err := h.adopt(ctx, now); err != nil {
		return nil, errors.Join(err, tree.Close(), undo())
	}
	return h, nil
}

// adopt accepts the clone's state as a first contact and remembers it as published.
func (h *Home) adopt(ctx context.Context, now time.Time) error {
	if err := h.reload(ctx); err != nil {
		return unpublished(err)
	}
	h.first = h.sealed
	pin, err := h.reached(ctx, published{}, now)
	if err != nil {
		return err
	}
	return h.writePublished(pin, h.sealed.commit)
}

// unreachable says of a remote on this machine what is said of one elsewhere.
func unreachable(err error) error {
	if errors.Is(err, gitstore.ErrNotRepository) {
		return fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	return err
}

// MakeRemote makes an empty repository at a path on this machine when nothing is there, so that
// a home can be published to a folder without git.
func MakeRemote(path string) (made bool, err error) {
	return gitstore.InitBare(path, Branch)
}
