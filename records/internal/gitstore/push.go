package gitstore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
)

// PushOptions says what to push and where.
type PushOptions struct {
	URL       string
	Branch    string // short name, of the remote
	Commit    string // what the branch is to name
	ExpectOld string // what it has to name now; empty: anything that Commit descends from, or nothing
	Limits    Limits
	Access
}

// Push sends a commit, and what the remote does not have of it, and moves the
// remote's branch forward. ErrPushRefused says that the branch has commits that
// Commit does not descend from, or is not where it was expected: fetch, build
// again on its tip, and try again. ErrPushDenied says that trying again will not
// help.
func (w *Worktree) Push(ctx context.Context, opt PushOptions) error {
	to, err := parseURL(opt.URL, URLOptions{Typed: opt.Typed, Insecure: opt.Insecure})
	if err != nil {
		return err
	}
	commit, err := parseID(opt.Commit)
	if err != nil || !branchName(opt.Branch) {
		return fmt.Errorf("pushing %q to branch %q: neither may be odd", clip(opt.Commit), clip(opt.Branch))
	}
	limits := opt.Limits.orDefault()
	p := push{objects: &w.objects, gitDir: w.common, opt: opt, commit: commit, limits: limits}
	err = converse(ctx, to, opt.Access, limits, forPush, p.talk)
	if errors.Is(err, errSaidNo) {
		// Only the branch itself tells whether somebody was faster.
		if now, listErr := remoteBranch(ctx, to, opt, limits); listErr == nil && now != p.old {
			err = named(ErrPushRefused, err)
		} else {
			err = named(ErrPushDenied, err)
		}
	}
	if err != nil {
		return fmt.Errorf("pushing: %w", err)
	}
	if url, err := w.RemoteURL(); err == nil && url == opt.URL {
		return w.setTracking(opt.Branch, commit)
	}
	return nil
}

// errSaidNo is the other side's no, before it is known why.
var errSaidNo = errors.New("the server did not move the branch")

type push struct {
	objects *objects
	gitDir  string
	opt     PushOptions
	commit  plumbing.Hash
	limits  Limits
	old     plumbing.Hash // what the branch named
}

func (p *push) ref() plumbing.ReferenceName { return plumbing.NewBranchReferenceName(p.opt.Branch) }

func (p *push) talk(ctx context.Context, s session) error {
	refs, err := s.refs(ctx)
	if err != nil {
		return err
	}
	p.old = refs.References[p.ref().String()]
	if err := p.mayMove(ctx); err != nil || p.old == p.commit {
		return err
	}
	var have []plumbing.Hash
	for _, h := range refs.References {
		have = append(have, h)
	}
	list, err := p.objects.missing(ctx, p.commit, have, p.limits)
	if err != nil {
		return err
	}
	req := packp.NewReferenceUpdateRequestFromCapabilities(refs.Capabilities)
	req.Commands = []*packp.Command{{Name: p.ref(), Old: p.old, New: p.commit}}
	req.Packfile = p.objects.encode(ctx, p.gitDir, list)
	defer req.Packfile.Close()
	report, err := s.push(ctx, req)
	if err != nil && (report == nil || report.Error() == nil) {
		return err
	}
	if report != nil && report.Error() != nil {
		return fmt.Errorf("%w: it says %q", errSaidNo, clip(report.Error().Error()))
	}
	return nil
}

// mayMove is the rule of a push that forces nothing.
func (p *push) mayMove(ctx context.Context) error {
	if p.opt.ExpectOld != "" && p.opt.ExpectOld != p.old.String() {
		return fmt.Errorf("%w: its branch is at %s", ErrPushRefused, p.old)
	}
	if p.old.IsZero() {
		return nil
	}
	forward, err := p.objects.IsAncestor(ctx, p.old.String(), p.commit.String())
	if err == nil && !forward {
		err = fmt.Errorf("%w: its branch is at %s", ErrPushRefused, p.old)
	}
	return err
}

// remoteBranch asks what a remote's branch names.
func remoteBranch(ctx context.Context, to remote, opt PushOptions, l Limits) (at plumbing.Hash, err error) {
	err = converse(ctx, to, opt.Access, l, forPush, func(ctx context.Context, s session) error {
		refs, err := s.refs(ctx)
		if err == nil {
			at = refs.References[plumbing.NewBranchReferenceName(opt.Branch).String()]
		}
		return err
	})
	return at, err
}

// push writes a pack into a repository on this machine and moves its branch. A
// branch that is checked out there is left alone, as git does: its work tree
// would fall behind.
func (s *localSession) push(ctx context.Context, req *packp.ReferenceUpdateRequest) (*packp.ReportStatus, error) {
	cmd := req.Commands[0]
	branch, _, err := s.head()
	if err != nil && !errors.Is(err, ErrDetached) {
		return nil, err
	}
	if !s.bare && plumbing.NewBranchReferenceName(branch) == cmd.Name {
		return nil, fmt.Errorf("%w: the branch is checked out there", ErrPushDenied)
	}
	release, err := spoolFolder(ctx, s.common)
	if err != nil {
		return nil, err
	}
	defer release()
	r := received{}
	if r.spool, err = os.MkdirTemp(s.common, spoolPrefix); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPushDenied, err)
	}
	defer r.drop()
	if err := r.take(ctx, req.Packfile, filepath.Join(r.spool, "spool"), s.line.limits); err != nil {
		return nil, err
	}
	if err := r.adopt(s.common); err != nil {
		return nil, err
	}
	lock, err := lockRef(ctx, s.common, cmd.Name.String(), cmd.New)
	if err != nil {
		return nil, err
	}
	defer lock.release()
	if now, err := readRef(s.common, cmd.Name.String()); err != nil || now != cmd.Old {
		return nil, errors.Join(err, fmt.Errorf("%w: its branch is at %s", ErrPushRefused, now))
	}
	return nil, lock.set()
}
