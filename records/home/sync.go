package home

import (
	"context"
	"errors"
	"fmt"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/internal/gitstore"
)

// tries is how often a refused push is rebuilt on what came before it (F5, "Publishing").
const tries = 5

// Remote says how the remote is reached. It is gitstore's, under the name that callers know.
type Remote = gitstore.Access

// SyncOptions say what Sync may do.
type SyncOptions struct {
	Options
	Access Remote
	// Publish is asked before anything leaves the machine, with the number of records that the
	// remote does not have and its URL. nil: never publish.
	Publish func(records int, url string) (bool, error)
	// Signer gives a key to sign with; it is asked for only when the home has to be rebuilt on
	// what another machine published.
	Signer func(context.Context) (records.Signer, error)
}

// SyncResult is what an exchange with the remote did.
type SyncResult struct {
	URL       string
	Pulled    []records.Record // published by other machines of the same log
	Published int              // records that the remote took
	Pending   int              // records that the remote does not have, because Publish said no
	Pushed    bool             // the remote took a new head
	Rebuilt   bool             // the own records were put on top of what another machine published
	Waiting   bool             // a new head waits to be published, because Publish said no
}

// ErrOwnCommits means that the home and its remote went apart in files that are not records, which
// only their owner can merge.
var ErrOwnCommits = errors.New("other files were committed here and at the remote")

// Sync exchanges with the remote: takes what other machines of this log published, puts the own
// unpublished records on top of it, and publishes. What comes is judged like any source's state
// (F5); a *[records.HeadError] leaves the home as it was. Without a remote nothing happens.
func (h *Home) Sync(ctx context.Context, opts SyncOptions) (*SyncResult, error) {
	result := &SyncResult{URL: h.Remote()}
	if result.URL == "" {
		return result, nil
	}
	for range tries {
		again, err := h.exchange(ctx, opts, result)
		if err != nil {
			return result, fmt.Errorf("syncing home with %s: %w", result.URL, err)
		}
		if !again {
			return result, nil
		}
	}
	return result, fmt.Errorf("syncing home with %s: %w, %d times", result.URL, gitstore.ErrPushRefused, tries)
}

// exchange does one round; again says that somebody else published in between.
func (h *Home) exchange(ctx context.Context, opts SyncOptions, result *SyncResult) (again bool, err error) {
	pin, _, err := h.readPublished()
	if err != nil {
		return false, err
	}
	tip, err := h.tree.Fetch(ctx, gitstore.FetchOptions{URL: result.URL, Branch: h.at.Branch, Access: opts.Access})
	if errors.Is(err, gitstore.ErrEmptyRemote) || errors.Is(err, gitstore.ErrNoBranch) {
		return h.publish(ctx, opts, result, nil, "")
	}
	if err != nil {
		return false, err
	}
	remote, err := h.judge(ctx, pin, tip.Commit, opts)
	if err != nil {
		return false, err
	}
	if err := h.takeOver(ctx, remote, tip.Commit, opts, result); err != nil {
		return false, err
	}
	return h.publish(ctx, opts, result, remote, tip.Commit)
}

// remoteState is an accepted state of the remote.
type remoteState struct {
	set
	pin records.Pin
}

// judge reads the remote's published state and holds it to the head rules: over what was
// published before, or, when nothing was, as this very log (F5.1).
func (h *Home) judge(ctx context.Context, pin records.Pin, tip string, opts SyncOptions) (*remoteState, error) {
	state, _, err := published(ctx, h.tree, tip)
	if err != nil {
		return nil, err
	}
	if state.head.Doc().Log != h.LogID() {
		return nil, &records.HeadError{Kind: records.WrongLog, Pinned: h.Head(), Got: state.head,
			Detail: fmt.Sprintf("the remote holds log %s, the home is log %s", state.head.Doc().Log, h.LogID())}
	}
	var accepted records.Accepted
	if pin.Head.IsZero() {
		accepted, err = records.FirstContact("", state.kept, state.head, opts.Now)
	} else {
		chain := records.Chain{Published: state.head, Kept: state.kept}
		if chain.Between, err = h.headsBetween(ctx, tip, pin); err != nil {
			return nil, err
		}
		accepted, err = records.Advance(pin, chain, opts.Now)
	}
	if err != nil {
		return nil, err
	}
	return &remoteState{set: state, pin: accepted.Pin}, nil
}

// headsBetween opens head.yml of every commit that the remote has and that is not the pin's own.
func (h *Home) headsBetween(ctx context.Context, tip string, pin records.Pin) ([]records.Head, error) {
	var heads []records.Head
	for commit, err := range h.tree.FirstParents(ctx, tip) {
		if err != nil {
			return nil, err
		}
		if len(heads) > gitstore.DefaultLimits().NewCommits {
			break
		}
		if commit.Head == "" || commit.HeadSig == "" {
			continue
		}
		b, err := h.tree.Blob(commit.Head, maxHead)
		if err != nil {
			return nil, err
		}
		sig, err := h.tree.Blob(commit.HeadSig, maxHead)
		if err != nil {
			return nil, err
		}
		head, err := records.OpenHead(records.HeadFile, b, sig)
		if err != nil {
			continue // a commit that nobody can vouch for proves nothing
		}
		heads = append(heads, head)
		if head.ID() == pin.Head.ID() {
			break
		}
	}
	return heads, nil
}

// maxHead bounds the blobs that are read as heads; records.OpenHead has the exact limits.
const maxHead = 64 << 10

// takeOver brings the home to the remote's state, or puts the own unpublished records on top of it.
func (h *Home) takeOver(ctx context.Context, remote *remoteState, tip string, opts SyncOptions, result *SyncResult) error {
	result.Pulled = append(result.Pulled, h.missingHere(remote.set)...)
	ahead, err := h.tree.IsAncestor(ctx, tip, h.at.Commit)
	if err != nil {
		return err
	}
	if ahead {
		return h.writePublished(remote.pin, remote.commit)
	}
	behind, err := h.tree.IsAncestor(ctx, h.at.Commit, tip)
	if err != nil {
		return err
	}
	if behind {
		if err := h.tree.Reset(ctx, tip); err != nil {
			return err
		}
		if err := h.reload(ctx); err != nil {
			return err
		}
		return h.writePublished(remote.pin, remote.commit)
	}
	if err := h.rebuild(ctx, remote, tip, opts); err != nil {
		return err
	}
	result.Rebuilt = true
	return h.writePublished(remote.pin, remote.commit)
}

// missingHere are the records of a state that the home does not have.
func (h *Home) missingHere(other set) []records.Record {
	var missing []records.Record
	for _, r := range other.records {
		if len(h.Find(r.ID())) == 0 {
			missing = append(missing, r)
		}
	}
	return missing
}

// publish pushes the home when the remote has less; again says that the push was refused because
// somebody else was faster.
func (h *Home) publish(ctx context.Context, opts SyncOptions, result *SyncResult, remote *remoteState, tip string) (again bool, err error) {
	if h.at.Commit == tip {
		return false, nil
	}
	fresh := len(h.sealed.records)
	if remote != nil {
		fresh = h.countNew(remote.set)
	}
	yes := false
	if opts.Publish != nil {
		if yes, err = opts.Publish(fresh, result.URL); err != nil {
			return false, err
		}
	}
	if !yes {
		result.Pending, result.Waiting = fresh, true
		return false, nil
	}
	err = h.tree.Push(ctx, gitstore.PushOptions{
		URL: result.URL, Branch: h.at.Branch, Commit: h.at.Commit, ExpectOld: tip, Access: opts.Access,
	})
	if errors.Is(err, gitstore.ErrPushRefused) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	result.Pushed, result.Published, result.Pending = true, fresh, 0
	pin := records.Pin{Head: h.sealed.head}
	if remote != nil {
		if pin, err = h.ownPin(ctx, remote.pin, opts); err != nil {
			return false, err
		}
	}
	return false, h.writePublished(pin, h.sealed.commit)
}

// ownPin is the pin of what was just published over what was there before: the keys that a raised
// epoch left out stay known.
func (h *Home) ownPin(ctx context.Context, before records.Pin, opts SyncOptions) (records.Pin, error) {
	between, err := h.headsBetween(ctx, h.sealed.commit, before)
	if err != nil {
		return records.Pin{}, err
	}
	accepted, err := records.Advance(before, records.Chain{Published: h.sealed.head, Kept: h.sealed.kept, Between: between}, opts.Now)
	return accepted.Pin, err
}

func (h *Home) countNew(remote set) int {
	n := 0
	for path := range h.sealed.sums {
		if _, ok := remote.sums[path]; !ok && isRecord(path) {
			n++
		}
	}
	return n
}
