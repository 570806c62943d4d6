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
	// Publish is asked once before anything leaves the machine, with the number of records that
	// the remote does not have and its URL. nil: never publish.
	Publish func(records int, url string) (bool, error)
	// Signer gives a key to sign with; it is asked for only when own records have to be put on top
	// of what another machine published.
	Signer func(context.Context) (records.Signer, error)
}

// SyncResult is what an exchange with the remote did.
type SyncResult struct {
	URL       string
	Pulled    []records.Record // published by other machines of the same log
	Published int              // records that the remote took
	Pending   int              // records that the remote does not have, because Publish said no
	Pushed    bool             // the remote took something
	Rebuilt   bool             // the own records were put on top of what another machine published
	Waiting   bool             // something waits to be published, because Publish said no

	Overruled records.Head     // what the remote held, when the home's raised epoch was put over it
	Unsealed  []records.Record // taken from there, signed by keys that count: they wait to be sealed
}

// Sync exchanges with the remote: takes what other machines of this log published, puts the own
// unpublished records on top of it, and publishes. What comes is judged like any source's state
// (F5), and so is what goes; a *[records.HeadError] leaves the home as it was, and [ErrUnpublished]
// says that no state of a log is there. Without a remote nothing happens. A push that somebody
// else was faster than is tried 5 times, then the error is [ErrPushRefused].
func (h *Home) Sync(ctx context.Context, opts SyncOptions) (*SyncResult, error) {
	url, err := h.tree.RemoteURL()
	result := &SyncResult{URL: url}
	if err != nil {
		return result, fmt.Errorf("syncing home: %w", err)
	}
	if result.URL == "" {
		return result, nil
	}
	x := &exchange{Home: h, opts: opts, result: result}
	err = ErrPushRefused
	for try := 0; try < tries && errors.Is(err, ErrPushRefused); try++ {
		err = x.round(ctx)
	}
	if err != nil {
		return result, fmt.Errorf("syncing home with %s: %w", result.URL, err)
	}
	return result, nil
}

// exchange is one Sync.
type exchange struct {
	*Home
	opts   SyncOptions
	result *SyncResult
	may    *bool // what Publish said
}

// remoteState is an accepted state of the remote; the zero value is an empty remote.
type remoteState struct {
	set
	tip string
	pin records.Pin
}

func (r remoteState) published() published { return published{pin: r.pin, commit: r.commit} }

// round is one try; [ErrPushRefused] says that somebody else published in between.
func (x *exchange) round(ctx context.Context) error {
	if x.at.Branch == "" {
		return ErrDetached
	}
	last, err := x.readPublished()
	var lost *PublishedError
	if err != nil && !errors.As(err, &lost) {
		return err
	}
	tip, err := x.tree.Fetch(ctx, gitstore.FetchOptions{URL: x.result.URL, Branch: x.at.Branch, Known: last.commit, Access: x.opts.Access})
	if errors.Is(err, ErrEmptyRemote) {
		return x.publish(ctx, last, remoteState{})
	}
	if err != nil {
		return unreachable(err)
	}
	remote, refused := x.judge(ctx, last, tip.Commit)
	if lost == nil && x.overrules(ctx, last, remote, refused) {
		if err := x.overrule(ctx, remote, refused); err != nil {
			return err
		}
		if refused == nil {
			last = remote.published()
		}
		return x.publish(ctx, last, remote)
	}
	if refused != nil {
		return refused
	}
	if err := x.takeOver(ctx, remote, lost); err != nil {
		return err
	}
	return x.publish(ctx, remote.published(), remote)
}

// judge reads the remote's published state and holds it to the head rules: over what was
// published before, or, when nothing was, as this very log (F5.1). A state that is refused is given,
// too, as far as there is one.
func (x *exchange) judge(ctx context.Context, last published, tip string) (remoteState, error) {
	state, _, err := x.stateOf(ctx, tip, x.sealed)
	if err != nil {
		return remoteState{}, unpublished(err)
	}
	remote := remoteState{set: state, tip: tip}
	if log := state.head.Doc().Log; log != x.LogID() {
		return remote, &records.HeadError{
			Kind: records.WrongLog, Pinned: x.Head(), Got: state.head,
			Detail: fmt.Sprintf("the remote holds log %s, the home is log %s", log, x.LogID()),
		}
	}
	behind, err := x.tree.IsAncestor(ctx, x.at.Commit, tip)
	if err != nil {
		return remote, err
	}
	if behind && (last.pin.Head.IsZero() || x.sealed.head.Compare(last.pin.Head) > 0) {
		// The remote has the home's own commits, so they were published, though this machine was
		// stopped before it could remember that.
		pin, err := x.reached(ctx, last, x.opts.Now)
		if err != nil {
			return remote, err
		}
		last = published{pin: pin, commit: x.sealed.commit}
	}
	remote.pin, err = x.accept(ctx, last, state, tip, x.opts.Now)
	return remote, err
}

// takeOver brings the home to the remote's state, or puts the own unpublished records on top of it.
func (x *exchange) takeOver(ctx context.Context, remote remoteState, lost *PublishedError) error {
	ahead, err := x.tree.IsAncestor(ctx, remote.tip, x.at.Commit)
	if err != nil {
		return err
	}
	if ahead { // unless a merge or a revert by hand made of it what followers would refuse
		_, err := x.reached(ctx, remote.published(), x.opts.Now)
		if err == nil {
			return x.writePublished(remote.pin, remote.commit)
		}
		if refused := (*records.HeadError)(nil); !errors.As(err, &refused) || refused.Kind == records.Future {
			return err
		}
	}
	if err := x.pull(ctx, remote.set); err != nil { // what the home had and let go is no news
		return err
	}
	behind, err := x.tree.IsAncestor(ctx, x.at.Commit, remote.tip)
	switch {
	case err != nil:
		return err
	case behind && !ahead:
		err = x.tree.Reset(ctx, remote.tip)
	case lost != nil:
		return lost
	default:
		x.result.Rebuilt = true
		err = x.rebuild(ctx, remote)
	}
	if err != nil {
		return err
	}
	if err := x.reload(ctx); err != nil {
		return err
	}
	return x.writePublished(remote.pin, remote.commit)
}

// pull notes the records that the home does not have.
func (x *exchange) pull(ctx context.Context, remote set) error {
	var paths []string
	for _, path := range remote.paths() {
		if _, have := x.sealed.sums[path]; !have {
			paths = append(paths, path)
		}
	}
	pulled, err := x.openFiles(ctx, remote, paths)
	x.result.Pulled = append(x.result.Pulled, pulled...)
	return err
}

// publish pushes the home when the remote has less. last is what a follower may know.
func (x *exchange) publish(ctx context.Context, last published, remote remoteState) error {
	if x.at.Commit == remote.tip {
		return nil
	}
	pin, err := x.reached(ctx, last, x.opts.Now)
	if err != nil {
		return err
	}
	fresh, err := x.countNew(ctx, remote)
	if err != nil {
		return err
	}
	if x.may == nil {
		yes := false
		if x.opts.Publish != nil {
			if yes, err = x.opts.Publish(fresh, x.result.URL); err != nil {
				return err
			}
		}
		x.may = &yes
	}
	if !*x.may {
		x.result.Pending, x.result.Waiting = fresh, true
		return nil
	}
	err = x.tree.Push(ctx, gitstore.PushOptions{
		URL: x.result.URL, Branch: x.at.Branch, Commit: x.at.Commit, ExpectOld: remote.tip, Access: x.opts.Access,
	})
	if err != nil {
		return err
	}
	x.result.Pushed, x.result.Published = true, fresh
	return x.writePublished(pin, x.sealed.commit)
}

// countNew counts the records that a push would show to others, sealed or not.
func (x *exchange) countNew(ctx context.Context, remote remoteState) (int, error) {
	changes, err := x.tree.Diff(ctx, remote.tip, x.at.Commit, gitstore.DefaultLimits())
	if errors.Is(unfit(err), records.ErrUnfit) { // above the sealed state there is what nobody reads
		changes, err = x.tree.Diff(ctx, remote.commit, x.at.Commit, gitstore.DefaultLimits())
	}
	n := 0
	for _, c := range changes {
		if inFolder(c.Path, records.RecordsFolder) && isRecord(c.Path) && c.Old == "" {
			n++
		}
	}
	return n, err
}
