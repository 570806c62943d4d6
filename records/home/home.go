// Package home is the user's own trust repository: it creates one, joins one, writes signed
// records into it, seals the set with a new head, and publishes it.
//
// A home is an ordinary git work tree with the files of docs/format.md, F4, beside whatever else
// the user keeps there. Commits carry only our paths; what the user staged stays staged. Nothing
// leaves the machine but through [Home.Sync]. Records that are never published lie in a folder
// of their own, see [Private].
//
// Two files of ours lie in the repository's git folder: distrust-published is the pin of what the
// remote was last known to hold, and distrust-sealed is a cache, in the very form that root adds
// up (F5), with which a home of many records opens without reading them all.
package home

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/internal/gitstore"
	"github.com/distributed-trust/distrust/schema"
	"github.com/distributed-trust/distrust/sshsig"
)

// Branch is the branch of a home that we create.
const Branch = "main"

// The errors that callers branch on. Those of the git repository itself are re-exported, so that
// nobody else needs to know how a home is stored.
var (
	ErrNoHome      = errors.New("no home here")
	ErrNotHome     = errors.New("not a trust repository")
	ErrUnsealed    = errors.New("the records are not those that the head names")
	ErrNotYourKey  = errors.New("the key is not an active key of this log")
	ErrNotEmpty    = errors.New("the folder is not empty")
	ErrUnpublished = errors.New("the remote holds no state of a log") // something else lies there, or nothing in it fits its head

	ErrBusy        = gitstore.ErrBusy
	ErrDetached    = gitstore.ErrDetached
	ErrLocked      = gitstore.ErrLocked
	ErrMoved       = gitstore.ErrMoved
	ErrNoBranch    = gitstore.ErrNoBranch
	ErrUnreachable = gitstore.ErrUnreachable
	ErrEmptyRemote = gitstore.ErrEmptyRemote
	ErrPushRefused = gitstore.ErrPushRefused
	ErrPushDenied  = gitstore.ErrPushDenied
	ErrAuth        = gitstore.ErrAuth
)

type (
	// ConflictError says that the home and its remote went apart in files that are not records,
	// which only their owner can merge.
	ConflictError = gitstore.ConflictError
	// DirtyError says that what came from the remote would overwrite files that the user changed
	// and did not commit.
	DirtyError = gitstore.DirtyError
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
	sealed   set // the published state of HEAD
	first    set // what it was when the home was opened
	cached   set // what the cache file holds
	unsealed int // commits above the sealed one

	opened  []records.Record // of the sealed state, once somebody asked
	skipped []*records.Refusal
}

// Open opens the home in dir and finds its published state: the newest commit along first parents
// whose head names exactly its records (F5.5). The error is [ErrNoHome] when there is no
// repository, [ErrNotHome] when it holds no log, [ErrUnsealed] when no head fits.
//
// The head is verified. Records are when they are read ([Home.Records]).
func Open(ctx context.Context, dir string) (*Home, error) {
	h, err := open(ctx, dir)
	if err != nil {
		return nil, fmt.Errorf("opening home %s: %w", dir, err)
	}
	return h, nil
}

func open(ctx context.Context, dir string) (*Home, error) {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNoHome
	}
	tree, err := gitstore.OpenWorktree(dir)
	if errors.Is(err, gitstore.ErrNotRepository) {
		return nil, fmt.Errorf("%w: %w", ErrNoHome, err)
	}
	if err != nil {
		return nil, err
	}
	h := &Home{tree: tree}
	h.cached = h.readCache(ctx)
	h.sealed = h.cached
	if err := h.reload(ctx); err != nil {
		return nil, errors.Join(err, tree.Close())
	}
	h.first = h.sealed
	return h, nil
}

// reload finds the state again after HEAD moved, reading what differs from the one known so far.
func (h *Home) reload(ctx context.Context) error {
	at, err := h.tree.Head()
	if err != nil && !errors.Is(err, ErrDetached) { // reading is fine; every change refuses by itself
		return err
	}
	if at.Commit == "" {
		return ErrNotHome
	}
	sealed, unsealed, err := h.stateOf(ctx, at.Commit, h.sealed)
	if err != nil {
		return err
	}
	h.at, h.sealed, h.unsealed, h.opened = at, sealed, unsealed, nil
	h.writeCache()
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

// Records are the records of the published state in the order of their paths. Each is verified
// when it is read, and its bytes are those that the head names.
func (h *Home) Records(ctx context.Context) ([]records.Record, error) {
	if h.opened == nil {
		opened, err := h.openFiles(ctx, h.sealed, h.sealed.paths())
		if err != nil {
			return nil, fmt.Errorf("reading the home's records: %w", err)
		}
		h.opened = opened
	}
	return h.opened, nil
}

// Skipped says which of the files that were read so far are no records, and why.
func (h *Home) Skipped() []*records.Refusal { return h.skipped }

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

// CheckSigner says whether a key may sign for this log now (F5.2); else a *[SignerError].
func (h *Home) CheckSigner(s records.Signer) error {
	return checkSigner(h.sealed.log.Keys, s.Key())
}

func checkSigner(keys []schema.Key, key sshsig.Key) error {
	k, _ := findKey(keys, key.String())
	if k.State == schema.Active {
		return nil
	}
	return &SignerError{Key: key, State: k.State}
}

// SignerError says which key is no active one. It is an [ErrNotYourKey].
type SignerError struct {
	Key   sshsig.Key
	State schema.KeyState // "": the log does not have it
}

// Error names the key.
func (e *SignerError) Error() string {
	text := ErrNotYourKey.Error() + ": " + e.Key.Fingerprint()
	if e.State != "" {
		text += " is " + string(e.State)
	}
	return text
}

// Is makes errors.Is(err, ErrNotYourKey) hold.
func (e *SignerError) Is(target error) bool { return target == ErrNotYourKey }
