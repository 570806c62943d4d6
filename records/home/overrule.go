package home

import (
	"context"
	"errors"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/internal/gitstore"
)

// overrules says whether the home's head has an epoch above the remote's that everybody will accept
// over what they know (F5.4): a recovery key has spoken here, and whatever lies there, a thief's heads
// or a rollback, is done with. refused is how the remote was judged.
func (x *exchange) overrules(ctx context.Context, last published, remote remoteState, refused error) bool {
	if judged := (*records.HeadError)(nil); refused != nil && !errors.As(refused, &judged) {
		return false
	}
	there := remote.head
	if there.IsZero() || there.Doc().Log != x.LogID() || there.Doc().Epoch >= x.Head().Doc().Epoch {
		return false
	}
	if refused == nil {
		last = remote.published()
	}
	_, err := x.reached(ctx, last, x.opts.Now)
	return err == nil
}

// overrule puts the home over a remote of a lower epoch: a commit that comes after both and takes
// nothing of the remote's files, so that the branch moves forward and no head has to be signed. Records
// that only the remote has and that keys of the home signed are not lost: they lie unsealed above.
func (x *exchange) overrule(ctx context.Context, remote remoteState, refused error) error {
	ahead, err := x.tree.IsAncestor(ctx, remote.tip, x.at.Commit)
	if err != nil {
		return err
	}
	if !ahead || refused != nil {
		x.result.Overruled = remote.head
	}
	if ahead {
		return nil
	}
	base, err := x.base(ctx, remote)
	if err != nil {
		return err
	}
	left, files, err := x.leftOver(ctx, x.sealed, x.sealed.log, remote.tip, base.sums)
	if err != nil {
		return err
	}
	over := gitstore.Change{Base: x.at.Commit, Over: remote.tip, Write: files}
	if _, err := x.tree.Commit(ctx, over, "distrust: a raised epoch over what lay at the remote", x.opts.signature()); err != nil {
		return err
	}
	x.result.Unsealed = left
	return x.reload(ctx)
}
