// Package home is the user's own trust repository: it creates one, joins one, writes signed
// records into it, seals the set with a new head, and publishes it.
//
// A home is an ordinary git work tree with the files of docs/format.md, F4, beside whatever else
// the user keeps there. Commits carry only our paths; what the user staged stays staged. Nothing
// leaves the machine but through [Home.Sync]. Records that are never published lie in a folder
// of their own, see [Private].
package home

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/internal/gitstore"
	"github.com/distributed-trust/distrust/schema"
)

// Branch is the branch of a home that we create.
const Branch = "main"

// The errors that callers branch on. Those of the git repository itself are re-exported, so that
// nobody else needs to know how a home is stored.
var (
	ErrNoHome     = errors.New("no home here")
	ErrNotHome    = errors.New("not a trust repository")
	ErrUnsealed   = errors.New("the records are not those that the head names")
	ErrNotYourKey = errors.New("the key is not an active key of this log")
	ErrNotEmpty   = errors.New("the folder is not empty")
	ErrNoRecord   = errors.New("no such record")

	ErrBusy        = gitstore.ErrBusy
	ErrDetached    = gitstore.ErrDetached
	ErrLocked      = gitstore.ErrLocked
	ErrUnreachable = gitstore.ErrUnreachable
	ErrEmptyRemote = gitstore.ErrEmptyRemote
	ErrPushDenied  = gitstore.ErrPushDenied
	ErrAuth        = gitstore.ErrAuth
)

// Author is who git says made a commit. It proves nothing: the head signs the set.
type Author struct {
	Name  string
	Email string
}

// Home is an open home. It is not safe for use by several goroutines, and only the holder of the
// writer's lock may change it.
type Home struct {
	tree     *gitstore.Worktree
	at       gitstore.Head
	sealed   set
	unsealed int // commits above the sealed one
}

// Open opens the home in dir and reads its published state: the newest commit along first parents
// whose head names exactly its records (F5.5). The error is [ErrNoHome] when there is no
// repository, [ErrNotHome] when it holds no log.
func Open(ctx context.Context, dir string) (*Home, error) {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("opening home %s: %w", dir, ErrNoHome)
	}
	tree, err := gitstore.OpenWorktree(dir)
	if errors.Is(err, gitstore.ErrNotRepository) {
		return nil, fmt.Errorf("opening home %s: %w: %w", dir, ErrNoHome, err)
	}
	if err != nil {
		return nil, fmt.Errorf("opening home %s: %w", dir, err)
	}
	h := &Home{tree: tree}
	if err := h.reload(ctx); err != nil {
		tree.Close()
		return nil, fmt.Errorf("opening home %s: %w", dir, err)
	}
	return h, nil
}

// reload reads the state again after HEAD moved.
func (h *Home) reload(ctx context.Context) error {
	at, err := h.tree.Head()
	if err != nil {
		return err
	}
	if at.Commit == "" {
		return ErrNotHome
	}
	sealed, unsealed, err := published(ctx, h.tree, at.Commit)
	if err != nil {
		return err
	}
	h.at, h.sealed, h.unsealed = at, sealed, unsealed
	return nil
}

// Close releases the repository.
func (h *Home) Close() error { return h.tree.Close() }

// Dir is the folder of the work tree.
func (h *Home) Dir() string { return h.tree.Dir() }

// Head is the head of the published state.
func (h *Home) Head() records.Head { return h.sealed.head }

// LogID is the id of the home's log.
func (h *Home) LogID() string { return h.sealed.head.Doc().Log }

// Records are the records of the published state, opened, in the order of their paths.
func (h *Home) Records() []records.Record { return h.sealed.records }

// Skipped says which files of the published state are no records, and why.
func (h *Home) Skipped() []*records.Refusal { return h.sealed.skipped }

// Unsealed is the number of commits above the published state, whose records nobody reads yet.
func (h *Home) Unsealed() int { return h.unsealed }

// Remote is the URL that Sync exchanges with; "" when the home is on this machine only.
func (h *Home) Remote() string {
	url, err := h.tree.RemoteURL()
	if err != nil {
		return ""
	}
	return url
}

// SetRemote changes the URL that Sync exchanges with.
func (h *Home) SetRemote(url string) error {
	if err := h.tree.SetRemoteURL(url); err != nil {
		return fmt.Errorf("setting remote: %w", err)
	}
	return nil
}

// CheckSigner says whether a key may sign for this log now (F5.2); else [ErrNotYourKey].
func (h *Home) CheckSigner(s records.Signer) error {
	text := s.Key().String()
	for _, k := range h.sealed.head.Doc().Keys {
		if k.Key == text && k.State == schema.Active {
			return nil
		}
	}
	return fmt.Errorf("%w: %s", ErrNotYourKey, s.Key().Fingerprint())
}

// Find returns the records of the published state whose id begins with prefix.
func (h *Home) Find(prefix string) []records.Record {
	var found []records.Record
	for _, r := range h.sealed.records {
		if len(prefix) <= len(r.ID()) && r.ID()[:len(prefix)] == prefix {
			found = append(found, r)
		}
	}
	return found
}

// publishedFile remembers, inside the repository's own git folder, which commit was last seen at
// the remote: a head that was published is never thrown away (F5 "Publishing").
func (h *Home) publishedFile() string {
	return filepath.Join(h.tree.GitDir(), "distrust-published")
}
