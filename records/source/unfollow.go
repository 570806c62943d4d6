package source

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/distributed-trust/distrust/records/index"
)

// Unfollow stops following a log: apply takes it out of the index, then its pin becomes a tombstone
// and the git store, a cache, goes. The log's place is kept: following it again goes on from
// there, so it cannot be used to show an older state. The caller holds the writers' lock, as for
// [Batch.Commit]; a sync that is under way finds the pin changed and leaves the log alone.
func Unfollow(ctx context.Context, d Dirs, log string, now time.Time, apply func(context.Context, []index.Update) error) error {
	pin, err := ReadPin(d, log)
	if err != nil {
		return fmt.Errorf("unfollowing: %w", err)
	}
	if err := apply(ctx, []index.Update{{Log: log, Drop: true}}); err != nil {
		return fmt.Errorf("unfollowing: %w", err)
	}
	pin.Unfollowed, pin.Delegated = now.UTC().Truncate(time.Second), false
	if err := WritePin(d, pin); err != nil {
		return fmt.Errorf("unfollowing: %w", err)
	}
	return removeAll(d.store(log))
}

// Forget drops all that is remembered of a log: what the index has of it, the git store, evidence,
// kept reports, and the pin, so that the next contact is a first one. A log whose pin is damaged
// can be forgotten too. The caller holds the writers' lock.
func Forget(ctx context.Context, d Dirs, log string, apply func(context.Context, []index.Update) error) error {
	if !isLog(log) {
		return fmt.Errorf("forgetting: %q is not a log id", log)
	}
	if err := apply(ctx, []index.Update{{Log: log, Drop: true}}); err != nil {
		return fmt.Errorf("forgetting: %w", err)
	}
	evidence, err := Evidence(d, log)
	if err != nil {
		return fmt.Errorf("forgetting: %w", err)
	}
	// The pin goes last: a run that is killed before leaves a log that still cannot go back.
	for _, path := range append(evidence, d.store(log), d.kept(log), d.pin(log)) {
		if err := removeAll(path); err != nil {
			return err
		}
	}
	return nil
}

func removeAll(path string) error {
	if err := os.RemoveAll(path); err != nil {
		return fmt.Errorf("removing %s: %w", filepath.Base(path), err)
	}
	return nil
}
