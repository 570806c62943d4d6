package home

import (
	"context"
	"crypto/sha256"
	"maps"
	"slices"
	"strings"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/internal/gitstore"
	"github.com/distributed-trust/distrust/schema"
)

func isRecord(path string) bool { return strings.HasSuffix(path, ".yml") }

// rebuild puts what only this home has on the remote's tip: one linear commit, sealed once, with
// prev naming the remote's head (F5, "Publishing"). The heads made here since were seen by nobody
// and go; what they changed in the head itself is done again.
func (h *Home) rebuild(ctx context.Context, remote *remoteState, tip string, opts SyncOptions) error {
	s, err := h.rebuildSigner(ctx, opts)
	if err != nil {
		return err
	}
	base, err := h.base(ctx, remote)
	if err != nil {
		return err
	}
	sums := maps.Clone(remote.sums)
	files := map[string][]byte{}
	if err := h.carryRecords(base, remote.sums, sums, files); err != nil {
		return err
	}
	var deleted []string
	for path := range base.sums {
		if _, here := h.sealed.sums[path]; here {
			continue
		}
		if _, there := sums[path]; there { // removed here since
			delete(sums, path)
			deleted = append(deleted, path)
		}
	}
	slices.Sort(deleted)
	_, headFiles, err := nextState(ctx, s, remote.set, sums, opts.Now, func(doc *schema.Head) {
		*doc = mergeHeads(base.head.Doc(), h.sealed.head.Doc(), *doc)
	})
	if err != nil {
		return err
	}
	maps.Copy(files, headFiles)
	change := gitstore.Change{Write: files, Delete: deleted}
	if _, err := h.tree.Rebuild(ctx, tip, change, "distrust: records of another machine's turn", opts.signature()); err != nil {
		return err
	}
	return h.reload(ctx)
}

// rebuildSigner asks for the key, and holds it to the home before anything is changed.
func (h *Home) rebuildSigner(ctx context.Context, opts SyncOptions) (records.Signer, error) {
	if opts.Signer == nil {
		return nil, ErrNotYourKey
	}
	s, err := opts.Signer(ctx)
	if err != nil {
		return nil, err
	}
	return s, h.CheckSigner(s)
}

// base is the last state that both sides share: what was published from here, or nothing.
func (h *Home) base(ctx context.Context, remote *remoteState) (set, error) {
	_, commit, err := h.readPublished()
	if err != nil {
		return set{}, err
	}
	if commit == "" || !h.tree.Has(commit) {
		return set{head: remote.head}, nil
	}
	return readSet(ctx, h.tree, commit)
}

// carryRecords takes over the files that are new here since the base.
func (h *Home) carryRecords(base set, there, sums map[string][sha256.Size]byte, files map[string][]byte) error {
	for path, sum := range h.sealed.sums {
		if _, old := base.sums[path]; old {
			continue // there or removed there: the remote's word
		}
		if _, has := there[path]; has {
			continue
		}
		b, err := h.tree.Blob(h.sealed.files[path], schema.MaxRecordBytes)
		if err != nil {
			return err
		}
		files[path], sums[path] = b, sum
	}
	return nil
}

// mergeHeads does to the remote's head what the home did to the base: profile, keys that were
// added or moved forward, and kept records.
func mergeHeads(base, ours, theirs schema.Head) schema.Head {
	if ours.Name != base.Name {
		theirs.Name = ours.Name
	}
	if ours.Contact != base.Contact {
		theirs.Contact = ours.Contact
	}
	if ours.URL != base.URL {
		theirs.URL = ours.URL
	}
	if !slices.Equal(ours.Projects, base.Projects) {
		theirs.Projects = ours.Projects
	}
	for _, k := range ours.Keys {
		i := slices.IndexFunc(theirs.Keys, func(o schema.Key) bool { return o.Key == k.Key })
		was := slices.IndexFunc(base.Keys, func(o schema.Key) bool { return o.Key == k.Key })
		switch {
		case i < 0 && was < 0:
			theirs.Keys = append(theirs.Keys, k)
		case i >= 0 && stateRank(k.State) > stateRank(theirs.Keys[i].State):
			theirs.Keys[i].State = k.State
		}
	}
	for _, id := range ours.Keep {
		if !slices.Contains(theirs.Keep, id) && !slices.Contains(base.Keep, id) {
			theirs.Keep = append(theirs.Keep, id)
		}
	}
	return theirs
}

// stateRank orders the states in the one direction in which they move (F5.4).
func stateRank(s schema.KeyState) int {
	return slices.Index([]schema.KeyState{schema.Active, schema.Retired, schema.Compromised}, s)
}
