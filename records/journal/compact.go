package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/gofrs/flock"

	"github.com/distributed-trust/distrust/records/durable"
)

// compactFrom is the size from which a journal is worth compacting.
const compactFrom = 1 << 20

// Compact writes the journal anew when more than half of a large one is of no use: lines that say
// again what an earlier one says, and torn or damaged ones. Nothing that [Read] gives is lost, so
// the file is never longer than [compactFrom] or twice what is watched. Programs that append
// meanwhile wait, readers do not; a crash leaves the old journal or the new one.
func Compact(ctx context.Context, file string) error {
	info, err := os.Stat(file)
	if errors.Is(err, os.ErrNotExist) || err == nil && info.Size() < compactFrom {
		return nil
	}
	if err == nil {
		err = compact(ctx, file, 2, nil)
	}
	if err != nil {
		return fmt.Errorf("compacting journal: %w", err)
	}
	return nil
}

// Mend writes the journal anew without its torn and damaged lines, once aside holds it as it was.
func Mend(ctx context.Context, file, aside string) error {
	all, err := os.ReadFile(file)
	if err == nil {
		err = durable.WriteFile(aside, all, 0o600)
	}
	if err == nil {
		err = compact(ctx, file, 1, nil)
	}
	if err != nil {
		return fmt.Errorf("mending journal: %w", err)
	}
	return nil
}

// Forget writes the journal anew without the entries that are to go, and returns those: nothing is
// said of them later. What others append meanwhile stays.
func Forget(ctx context.Context, file string, gone func(Entry) bool) ([]Entry, error) {
	if _, err := os.Stat(file); errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	var went []Entry
	err := compact(ctx, file, 1, func(e Entry) bool {
		if !gone(e) {
			return true
		}
		went = append(went, e)
		return false
	})
	if err != nil {
		return nil, fmt.Errorf("writing journal: %w", err)
	}
	return went, nil
}

// compact writes the journal anew when at most one part in so many is of use: what is said for the
// first time, and is to stay (nil: all that).
func compact(ctx context.Context, file string, parts int, stays func(Entry) bool) (err error) {
	unlock, err := lock(ctx, file, (*flock.Flock).TryLockContext)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	all, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var used bytes.Buffer
	_, err = distinct(bytes.NewReader(all), func(e Entry, line []byte) {
		if stays != nil && !stays(e) {
			return
		}
		used.Write(line)
		used.WriteByte('\n')
	})
	if err != nil || used.Len() > len(all)/parts {
		return err
	}
	return durable.WriteFile(file, used.Bytes(), 0o600)
}
