package gitstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/sideband"
)

// FetchOptions says what to fetch, how far to trust the other side, and who
// answers its questions.
type FetchOptions struct {
	URL    string
	Branch string // short name; empty: the one that the remote's HEAD names
	Known  string // a commit that was accepted before; empty: none
	Unless string // a commit that nothing is wanted of: a branch that names it leaves the store alone
	Limits Limits
	Access
}

// Tip is the commit that a remote branch names.
type Tip struct{ Commit, Branch string }

const (
	spoolPrefix = "distrust-incoming-"

	// maxHaves is how many of our commits are told to the other side. go-git
	// and we do not negotiate, so the common one has to be among them.
	maxHaves = 256
)

// target is the repository that a fetch brings objects to.
type target struct {
	objects *objects
	dir     string // the git folder; the spool lies in it, so that a rename moves a pack
	have    []plumbing.Hash
}

// received is a checked pack that is not yet part of a repository.
type received struct {
	tip   Tip
	spool string // folder; empty when nothing had to be sent
	spill *spill // what was inflated of the pack; nil: nothing, or somebody else has it
	made  *fresh // the pack; nil when nothing had to be sent
	size  int64
}

func (r *received) drop() {
	if r.spill != nil {
		r.spill.close()
		r.spill = nil
	}
	if r.spool != "" {
		os.RemoveAll(r.spool)
	}
}

// spoolFolder lets one process at a time spool into a git folder, and sweeps
// what killed ones left there.
func spoolFolder(ctx context.Context, dir string) (release func(), err error) {
	err = waitFor(ctx, func() (err error) {
		release, err = lockFile(filepath.Join(dir, "distrust-fetch.lock"))
		return err
	})
	if err != nil {
		return nil, err
	}
	left, err := filepath.Glob(filepath.Join(dir, spoolPrefix+"*"))
	for _, name := range left {
		os.RemoveAll(name)
	}
	return release, err
}

// adopt moves the pack to its place; the index comes last and makes it count.
func (r *received) adopt(gitDir string) error {
	if r.made == nil {
		return nil
	}
	to := filepath.Join(gitDir, "objects", "pack")
	for _, ending := range []string{".pack", ".idx"} {
		name := filepath.Join(to, filepath.Base(r.made.base)+ending)
		if err := os.Rename(r.made.base+ending, name); err != nil && !exists(name) {
			return err // the same pack may be there already, in use
		}
	}
	return syncDir(to)
}

func exists(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}

// receive fetches one branch into a spool, checks it, and leaves it to the
// caller to keep it. Nothing of the target changes, which is asked for once
// something has to be compared with it.
func receive(ctx context.Context, opt FetchOptions, open func() (*target, error)) (got *received, err error) {
	from, err := parseURL(opt.URL, URLOptions{Typed: opt.Typed, Insecure: opt.Insecure})
	if err != nil {
		return nil, err
	}
	if opt.Branch != "" && !branchName(opt.Branch) {
		return nil, fmt.Errorf("fetching: branch %q: %w", clip(opt.Branch), ErrNoBranch)
	}
	limits := opt.Limits.orDefault()
	err = converse(ctx, from, opt.Access, limits, forFetch, func(ctx context.Context, s session) error {
		got = &received{}
		err := got.talk(ctx, s, opt, open, limits)
		if err != nil {
			got.drop()
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("fetching: %w", err)
	}
	return got, nil
}

func (r *received) talk(ctx context.Context, s session, opt FetchOptions, open func() (*target, error), l Limits) (err error) {
	defer recoverDecoder(&err)
	refs, err := s.refs(ctx)
	if err != nil {
		return err
	}
	want, err := r.chooseBranch(refs, opt.Branch)
	if err != nil || r.tip.Commit == opt.Unless {
		return err
	}
	to, err := open()
	if err != nil {
		return err
	}
	view := &objects{mu: to.objects.mu, layers: to.objects.layers, refresh: to.objects.refresh}
	if len(to.have) == 0 || !to.objects.isCommit(want) {
		if err := r.download(ctx, s, refs, want, to, l); err != nil {
			return err
		}
		if r.made != nil {
			spooled, err := openPacks(r.spool, r.made)
			if err != nil {
				return err
			}
			defer spooled.Close()
			view.layers = append([]storage{spooled}, view.layers...)
		}
	}
	if len(to.have) == 0 && r.made != nil {
		view.layers = view.layers[:1] // a whole fetch has to stand alone
	}
	commits, err := view.newCommits(ctx, want, to.have, l.NewCommits)
	if err != nil {
		return err
	}
	return view.connect(ctx, commits, l)
}

// chooseBranch finds the wanted branch in what the other side has.
func (r *received) chooseBranch(refs *packp.AdvRefs, branch string) (plumbing.Hash, error) {
	const heads = "refs/heads/"
	if branch == "" {
		branch = headBranch(refs, heads)
	}
	want, ok := refs.References[heads+branch]
	switch {
	case len(refs.References) == 0 && refs.Head == nil:
		return want, ErrEmptyRemote
	case branch == "" || !ok:
		return want, fmt.Errorf("branch %q: %w", clip(branch), ErrNoBranch)
	case !branchName(branch):
		return want, &HostileError{What: "a name for a branch that is not allowed:", Where: clip(branch)}
	}
	r.tip = Tip{Commit: want.String(), Branch: branch}
	return want, nil
}

// headBranch is the branch that the remote's HEAD names. Where HEAD names one
// that is not there, as in a bare repository made with another default, or an
// old server does not say: the only branch, or main, or master.
func headBranch(refs *packp.AdvRefs, heads string) string {
	for _, symref := range refs.Capabilities.Get(capability.SymRef) {
		if target, ok := strings.CutPrefix(symref, "HEAD:"+heads); ok {
			if _, ok := refs.References[heads+target]; ok {
				return target
			}
		}
	}
	var names []string
	for name, hash := range refs.References {
		if short, ok := strings.CutPrefix(name, heads); ok && (refs.Head == nil || hash == *refs.Head) {
			names = append(names, short)
		}
	}
	switch {
	case len(names) == 1:
		return names[0]
	case slices.Contains(names, "main"):
		return "main"
	case slices.Contains(names, "master"):
		return "master"
	}
	return ""
}

// download asks for the commit and what it needs beyond what we have, spools
// what comes, scans it, and makes its index.
func (r *received) download(ctx context.Context, s session, refs *packp.AdvRefs, want plumbing.Hash, to *target, l Limits) error {
	req := packp.NewUploadPackRequestFromCapabilities(refs.Capabilities)
	req.Wants = []plumbing.Hash{want}
	req.Haves = to.objects.recent(to.have, maxHaves)
	if refs.Capabilities.Supports(capability.NoProgress) {
		if err := req.Capabilities.Set(capability.NoProgress); err != nil {
			return err
		}
	}
	var err error
	if r.spool, err = os.MkdirTemp(to.dir, spoolPrefix); err != nil {
		return err
	}
	packs := filepath.Join(r.spool, "objects", "pack")
	if err := os.MkdirAll(packs, 0o700); err != nil {
		return err
	}
	answer, err := s.pack(ctx, req)
	if err != nil {
		return err
	}
	defer answer.Close()
	return r.take(ctx, demultiplex(answer, req.Capabilities), filepath.Join(packs, "spool"), l)
}

// take takes a pack into a file of the spool and makes its index.
func (r *received) take(ctx context.Context, from io.Reader, file string, l Limits) (err error) {
	if r.spill, err = newSpill(filepath.Dir(r.spool), l); err != nil {
		return fmt.Errorf("spooling a pack: %w", err)
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("spooling a pack: %w", err)
	}
	defer f.Close()
	in := newIncoming(from, f, l)
	list, sum, err := scanPack(ctx, in, r.spill, l)
	if err != nil || len(list) == 0 {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("spooling a pack: %w", err)
	}
	r.size = in.place()
	r.made, err = indexPack(ctx, file, list, sum, r.spill, l)
	return err
}

// demultiplex takes the pack out of what the other side sends along with it.
func demultiplex(r io.Reader, agreed *capability.List) io.Reader {
	switch {
	case agreed.Supports(capability.Sideband64k):
		return sideband.NewDemuxer(sideband.Sideband64k, r)
	case agreed.Supports(capability.Sideband):
		return sideband.NewDemuxer(sideband.Sideband, r)
	}
	return r
}
