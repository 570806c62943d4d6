package home

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/durable"
	"github.com/distributed-trust/distrust/records/internal/gitstore"
)

// Ready says what keeps the home from being written: [ErrDetached] or [ErrBusy]; nil when nothing
// does.
func (h *Home) Ready() error {
	if h.at.Branch == "" {
		return ErrDetached
	}
	return h.tree.Busy()
}

// LastPublished is the head that the remote was last known to have; the zero Head when nothing was
// published from here. A file that cannot be read is a *[PublishedError].
func (h *Home) LastPublished() (records.Head, error) {
	last, err := h.readPublished()
	return last.pin.Head, err
}

// Beside says which of the files beside the set are not as they should be ([records.Beside]), in
// the newest commit or else in the work tree.
func (h *Home) Beside() ([]*records.Refusal, error) {
	for _, read := range []func() (map[string][]byte, error){h.committedTop, h.top} {
		top, err := read()
		if err != nil {
			return nil, fmt.Errorf("reading the files beside the set: %w", err)
		}
		if odd := records.Beside(h.sealed.head.Doc(), top); len(odd) > 0 {
			return odd, nil
		}
	}
	return nil, nil
}

// committedTop is what lies at the top of the newest commit.
func (h *Home) committedTop() (map[string][]byte, error) {
	names, err := h.tree.Top(h.at.Commit)
	top := make(map[string][]byte, len(names))
	for name, blob := range names {
		top[name] = nil
		if blob == "" || !records.ReadBeside(name) {
			continue
		}
		b, err := h.tree.Blob(blob, records.MaxBesideBytes)
		var limit *gitstore.LimitError
		if err != nil && !errors.As(err, &limit) {
			return nil, err
		}
		top[name] = b
	}
	return top, err
}

// top is what lies at the top of the work tree.
func (h *Home) top() (map[string][]byte, error) {
	entries, err := os.ReadDir(h.Dir())
	top := make(map[string][]byte, len(entries))
	for _, e := range entries {
		top[e.Name()] = nil
		if e.Type().IsRegular() && records.ReadBeside(e.Name()) {
			if top[e.Name()], err = readFile(filepath.Join(h.Dir(), e.Name())); err != nil {
				return nil, err
			}
		}
	}
	return top, err
}

// RestoreBeside makes the files beside the set what they should be, in a commit of its own and in
// the work tree, and says which. The set and its head stay as they are, so no key is needed.
func (h *Home) RestoreBeside(ctx context.Context, opts Options) ([]string, error) {
	restored, err := h.restoreBeside(ctx, opts)
	if err != nil {
		return nil, fmt.Errorf("restoring the files beside the set: %w", err)
	}
	return restored, nil
}

func (h *Home) restoreBeside(ctx context.Context, opts Options) ([]string, error) {
	odd, err := h.Beside()
	if err != nil {
		return nil, err
	}
	made := map[string][]byte{
		records.AllowedSigners: records.AllowedSignersFile(h.sealed.head.Doc()),
		records.GitAttributes:  []byte(records.GitAttributesText),
		records.Readme:         []byte(readme),
	}
	change := gitstore.Change{Base: h.at.Commit, Write: map[string][]byte{}}
	for _, r := range odd {
		if b, ours := made[r.Path]; ours { // what else lies there is the owner's
			change.Write[r.Path] = b
		}
	}
	restored := sortedPaths(change.Write)
	if len(restored) == 0 {
		return nil, nil
	}
	if _, err := h.tree.Commit(ctx, change, "distrust: the files beside the set", opts.signature()); err != nil {
		return nil, err
	}
	for _, name := range restored {
		// A commit that has it already does not touch the work tree.
		file := filepath.Join(h.Dir(), name)
		b, err := os.ReadFile(file)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		if !bytes.Equal(b, change.Write[name]) {
			if err := durable.WriteFile(file, change.Write[name], 0o644); err != nil {
				return nil, err
			}
		}
	}
	return restored, h.reload(ctx)
}
