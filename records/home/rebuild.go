package home

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/internal/gitstore"
	"github.com/distributed-trust/distrust/schema"
)

// rebuild puts what only this home has on the remote's tip: one linear commit, sealed once, with
// prev naming the remote's head (F5, "Publishing"). The heads made here since were seen by nobody
// and go; what they changed in the head itself is done again. Records that nobody sealed yet, here
// or there, stay unsealed: they follow in a commit of their own.
func (x *exchange) rebuild(ctx context.Context, remote remoteState) error {
	base, err := x.base(ctx, remote)
	if err != nil {
		return err
	}
	files := mergeSums(base.sums, x.sealed.sums, remote.sums)
	sealedChange, err := x.changeTo(ctx, remote, files)
	if err != nil {
		return err
	}
	var edit func(*schema.Head)
	if !base.head.IsZero() && !sameSaying(base.head.Doc(), x.sealed.head.Doc()) {
		edit = func(doc *schema.Head) { *doc = mergeHeads(base.head.Doc(), x.sealed.head.Doc(), *doc) }
	}
	unsealed, err := x.unsealedOver(ctx, remote, files)
	if err != nil {
		return err
	}
	if edit == nil && maps.Equal(files, remote.sums) { // nothing to seal, so no key is needed
		_, err := x.tree.Rebuild(ctx, remote.tip, unsealed.own, "distrust: files of this machine", x.opts.signature())
		return err
	}
	s, err := x.signer(ctx)
	if err != nil {
		return err
	}
	_, headFiles, err := x.nextHead(ctx, s, remote.pin, remote.set, files, x.opts.Now, edit)
	if err != nil {
		return err
	}
	change := merged(merged(unsealed.undo, sealedChange), headFiles)
	change.Base = x.at.Commit
	if again := merged(unsealed.theirs, unsealed.own); len(again.Write)+len(again.Delete) > 0 {
		change.Then = &gitstore.Further{Write: again.Write, Delete: again.Delete, Message: unsealedMessage}
	}
	_, err = x.tree.Rebuild(ctx, remote.tip, change, "distrust: records of another machine's turn", x.opts.signature())
	return err
}

// unsealedMessage is that of a commit with records that no head names yet.
const unsealedMessage = "distrust: records that are not sealed yet"

// signer asks for a key. Whether it may sign is for the head rules to say.
func (x *exchange) signer(ctx context.Context) (records.Signer, error) {
	if x.opts.Signer == nil {
		return nil, ErrNotYourKey
	}
	return x.opts.Signer(ctx)
}

// base is the state that both sides come from: that of the newest commit of HEAD which the remote
// has, too. It is empty when there is none.
func (x *exchange) base(ctx context.Context, remote remoteState) (set, error) {
	commits, err := x.tree.NewCommits(ctx, x.at.Commit, remote.tip, gitstore.DefaultLimits().NewCommits)
	if err != nil {
		return set{}, err
	}
	own := map[string]bool{}
	for _, c := range commits {
		own[c.ID] = true
	}
	for commit, err := range x.tree.FirstParents(ctx, x.at.Commit) {
		if err != nil {
			return set{}, err
		}
		if own[commit.ID] {
			continue
		}
		base, _, err := x.stateOf(ctx, commit.ID, x.sealed)
		if errors.Is(err, ErrNotHome) || errors.Is(err, ErrUnsealed) {
			return set{}, nil
		}
		return base, err
	}
	return set{}, nil
}

// mergeSums does to theirs what was done to base here. Where both sides did something, theirs
// stands; names are unique, so that hardly ever happens.
func mergeSums(base, ours, theirs sums) sums {
	files := maps.Clone(theirs)
	if files == nil {
		files = sums{}
	}
	for path, sum := range ours {
		if differs(path, base, ours) && !differs(path, base, theirs) {
			files[path] = sum
		}
	}
	for path := range base {
		if _, here := ours[path]; !here && !differs(path, base, theirs) {
			delete(files, path)
		}
	}
	for path := range files {
		if document, isSig := strings.CutSuffix(path, ".sig"); isSig {
			if _, signs := files[document]; !signs {
				delete(files, path) // one side signed again what the other removed
			}
		}
	}
	return files
}

// changeTo is how the remote's sealed files become those of the new head.
func (x *exchange) changeTo(ctx context.Context, remote remoteState, files sums) (gitstore.Change, error) {
	change := gitstore.Change{Write: map[string][]byte{}}
	changes, err := x.tree.Diff(ctx, remote.commit, x.sealed.commit, gitstore.DefaultLimits())
	if err != nil {
		return change, err
	}
	for _, c := range changes {
		if _, stays := files[c.Path]; stays && differs(c.Path, remote.sums, files) {
			if change.Write[c.Path], err = x.tree.Blob(c.New, schema.MaxRecordBytes); err != nil {
				return change, err
			}
		}
	}
	for path := range remote.sums {
		if _, stays := files[path]; !stays {
			change.Delete = append(change.Delete, path)
		}
	}
	return change, nil
}

// unsealedFiles are the files that lie above the sealed states.
type unsealedFiles struct {
	undo        gitstore.Change // takes theirs away, so that the new head fits
	theirs, own gitstore.Change // brings them back
}

// unsealedOver finds what is not sealed at the remote and here, against the files of the new head.
func (x *exchange) unsealedOver(ctx context.Context, remote remoteState, files sums) (unsealedFiles, error) {
	u := unsealedFiles{
		undo:   gitstore.Change{Write: map[string][]byte{}},
		theirs: gitstore.Change{Write: map[string][]byte{}},
		own:    gitstore.Change{Write: map[string][]byte{}},
	}
	theirs, err := x.tree.Diff(ctx, remote.commit, remote.tip, gitstore.DefaultLimits())
	if err != nil {
		return u, err
	}
	there := maps.Clone(remote.sums)
	for _, c := range theirs {
		if inFolder(c.Path, records.RecordsFolder) {
			there[c.Path] = [32]byte{}
			if err := x.bring(&u.theirs, c.Path, c.New, files); err != nil {
				return u, err
			}
		}
		if inFolder(c.Path, records.RecordsFolder) || inFolder(c.Path, records.KeysFolder) {
			if err := x.putBlob(&u.undo, c.Path, c.Old); err != nil {
				return u, err
			}
		}
	}
	own, err := x.tree.Diff(ctx, x.sealed.commit, x.at.Commit, gitstore.DefaultLimits())
	if err != nil {
		return u, err
	}
	for _, c := range own {
		_, known := there[c.Path]
		if !inFolder(c.Path, records.RecordsFolder) || known && c.Old == "" {
			continue // a merge by hand brought it
		}
		if err := x.bring(&u.own, c.Path, c.New, files); err != nil {
			return u, err
		}
	}
	return u, nil
}

// bring adds a file that is not sealed to a change, unless the new head has it.
func (x *exchange) bring(c *gitstore.Change, path, blob string, files sums) error {
	b, err := x.blob(blob)
	if sum, sealed := files[path]; err != nil || sealed && b != nil && sumOf(b) == sum || !sealed && b == nil {
		return err
	}
	return x.putBlob(c, path, blob)
}

// putBlob makes a path of a change what a blob holds; no blob: it goes.
func (h *Home) putBlob(c *gitstore.Change, path, blob string) error {
	b, err := h.blob(blob)
	if err != nil {
		return err
	}
	if b == nil {
		c.Delete = append(c.Delete, path)
		return nil
	}
	c.Write[path] = b
	return nil
}

// blob reads a file of records/ or keys/; no blob: nil.
func (h *Home) blob(id string) ([]byte, error) {
	if id == "" {
		return nil, nil
	}
	return h.tree.Blob(id, schema.MaxRecordBytes)
}

// sameSaying says whether two heads say the same besides their set, number and time.
func sameSaying(a, b schema.Head) bool {
	return a.Name == b.Name && a.Contact == b.Contact && a.URL == b.URL && a.Epoch == b.Epoch &&
		slices.Equal(a.Projects, b.Projects) && slices.Equal(a.Keys, b.Keys) && slices.Equal(a.Keep, b.Keep)
}

// mergeHeads does to the remote's head what the home did to the base: profile, keys that were added
// or changed, kept records, a raised epoch. When both raised it, one raise is enough, and a key that
// the home left out is compromised. Whether its signer may do all that is for the rules to say.
func mergeHeads(base, ours, theirs schema.Head) schema.Head {
	theirs.Name = either(base.Name, ours.Name, theirs.Name)
	theirs.Contact = either(base.Contact, ours.Contact, theirs.Contact)
	theirs.URL = either(base.URL, ours.URL, theirs.URL)
	if !slices.Equal(ours.Projects, base.Projects) {
		theirs.Projects = ours.Projects
	}
	for _, id := range ours.Keep {
		if !slices.Contains(theirs.Keep, id) && !slices.Contains(base.Keep, id) {
			theirs.Keep = append(theirs.Keep, id)
		}
	}
	theirs.Keep = slices.DeleteFunc(theirs.Keep, func(id string) bool {
		return slices.Contains(base.Keep, id) && !slices.Contains(ours.Keep, id)
	})
	if ours.Epoch > base.Epoch && theirs.Epoch == base.Epoch { // its list of keys is what it was raised for (F5.4)
		theirs.Epoch, theirs.Keys = theirs.Epoch+1, ours.Keys
		return theirs
	}
	for i, k := range theirs.Keys {
		_, here := findKey(ours.Keys, k.Key)
		if _, was := findKey(base.Keys, k.Key); was != nil && here == nil {
			theirs.Keys[i].State = schema.Compromised
		}
	}
	for _, k := range ours.Keys {
		was, listed := findKey(base.Keys, k.Key)
		now, there := findKey(theirs.Keys, k.Key)
		switch {
		case there != nil && listed != nil:
			*there = mergeKey(was, k, now)
		case there != nil:
			there.State = further(k.State, now.State)
		case listed == nil:
			theirs.Keys = append(theirs.Keys, k)
		}
	}
	return theirs
}

func findKey(keys []schema.Key, key string) (schema.Key, *schema.Key) {
	for i := range keys {
		if keys[i].Key == key {
			return keys[i], &keys[i]
		}
	}
	return schema.Key{}, nil
}

func mergeKey(base, ours, theirs schema.Key) schema.Key {
	theirs.Name = either(base.Name, ours.Name, theirs.Name)
	theirs.Recovery = either(base.Recovery, ours.Recovery, theirs.Recovery)
	if ours.State != base.State && theirs.State != base.State {
		theirs.State = further(ours.State, theirs.State)
	} else {
		theirs.State = either(base.State, ours.State, theirs.State)
	}
	return theirs
}

// either is what was changed here, else what is there.
func either[T comparable](base, ours, theirs T) T {
	if ours != base {
		return ours
	}
	return theirs
}

// further is the later of two states in the direction in which they move (F5.4).
func further(a, b schema.KeyState) schema.KeyState {
	order := []schema.KeyState{schema.Active, schema.Retired, schema.Compromised}
	if slices.Index(order, a) > slices.Index(order, b) {
		return a
	}
	return b
}
