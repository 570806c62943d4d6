package home

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/internal/gitstore"
	"github.com/distributed-trust/distrust/schema"
	"github.com/distributed-trust/distrust/sshsig"
)

// ErrOwnKey means that a key was to declare itself compromised: its thief could say so, too.
var ErrOwnKey = errors.New("a compromised key does not vouch for its own end")

// NoHeadError says that no head with that number can be gone back to.
type NoHeadError struct{ Seq int64 }

// Error names the number.
func (e *NoHeadError) Error() string {
	return fmt.Sprintf("the home has no head %d of this epoch", e.Seq)
}

// CompromiseOptions say how a key is given up.
type CompromiseOptions struct {
	KeepBefore time.Time // the owner stands by what it signed before; zero: by nothing
	BackTo     int64     // the number of the last head that the owner made; 0: the home's newest
}

// Compromise is what giving up a key as compromised comes to. [Home.PlanCompromise] finds it,
// [Home.Compromise] does it.
type Compromise struct {
	Key    sshsig.Key
	After  records.Head // the head that the new one follows
	Raises bool         // a recovery key signs: the epoch goes up, and no head of a thief can stand against it (F5.4)

	Keep     []records.Record // signed by the key, and kept (F5.8)
	Again    []records.Record // likewise, but more than a head can keep: to be signed again
	Void     []records.Record // signed by the key, and nothing from now on
	Added    []string         // other keys that heads signed by it, or by one of these, added: its thief may have
	LeftOut  []schema.Key     // keys that came after After: they count as compromised (F5.4)
	Unsealed []records.Record // signed by other keys, and not in the set of After: they wait to be sealed

	base     set
	unsealed map[string][]byte
}

// PlanCompromise says what happens when by gives up a key. An ordinary key moves the state forward
// in a head like any other, which cannot stand against what a thief has published; so what a
// thief may have done before is undone, with BackTo, by a recovery key only ([ErrRecoveryNeeded]).
//
// What the key dates back is believed, as far as it is in the set of the head that is gone back to.
func (h *Home) PlanCompromise(ctx context.Context, by, key sshsig.Key, o CompromiseOptions) (*Compromise, error) {
	c, err := h.planCompromise(ctx, by, key, o)
	if err != nil {
		return nil, fmt.Errorf("giving up key: %w", err)
	}
	return c, nil
}

func (h *Home) planCompromise(ctx context.Context, by, key sshsig.Key, o CompromiseOptions) (*Compromise, error) {
	base, err := h.backTo(ctx, o.BackTo)
	if err != nil {
		return nil, err
	}
	c := &Compromise{Key: key, After: base.head, base: base}
	doc := base.head.Doc()
	signer, _ := findKey(doc.Keys, by.String())
	c.Raises = signer.Recovery
	was, _ := findKey(doc.Keys, key.String())
	now, _ := findKey(h.sealed.head.Doc().Keys, key.String())
	switch {
	case by == key:
		return nil, fmt.Errorf("%w: %s", ErrOwnKey, key.Fingerprint())
	case signer.State != schema.Active:
		return nil, &SignerError{Key: by, State: signer.State}
	case was.Key == "" && now.Key == "":
		return nil, fmt.Errorf("%w: %s", ErrKeyUnknown, key.Fingerprint())
	case !c.Raises && (was.Recovery || base.commit != h.sealed.commit):
		return nil, ErrRecoveryNeeded
	case !c.Raises && was.State == schema.Compromised:
		return nil, fmt.Errorf("%w: %s is %s", ErrKeyState, key.Fingerprint(), was.State)
	}
	for _, k := range h.sealed.head.Doc().Keys {
		if listed, _ := findKey(doc.Keys, k.Key); listed.Key == "" {
			c.LeftOut = append(c.LeftOut, k)
		}
	}
	if c.Added, err = h.addedBy(base, key); err != nil {
		return nil, err
	}
	c.Added = slices.DeleteFunc(c.Added, func(k string) bool { return k == by.String() })
	if err := h.sortRecords(ctx, c, o.KeepBefore); err != nil {
		return nil, err
	}
	log := base.log
	log.Keys = slices.Clone(log.Keys)
	if _, k := findKey(log.Keys, key.String()); k != nil {
		k.State = schema.Compromised
	}
	c.Unsealed, c.unsealed, err = h.leftOver(ctx, base, log, h.at.Commit, nil)
	return c, err
}

// addedBy lists the keys, "type base64" each, that a key added to the log, and those that these added.
func (h *Home) addedBy(s set, key sshsig.Key) (added []string, err error) {
	kept, err := h.kept(s)
	known := map[string]bool{}
	for _, head := range records.KeptAfter(kept, s.head) {
		signer := head.SignedBy().String()
		by := signer == key.String() || slices.Contains(added, signer)
		for _, k := range head.Doc().Keys {
			if by && !known[k.Key] && k.Key != signer {
				added = append(added, k.Key)
			}
			known[k.Key] = true
		}
	}
	return added, err
}

// backTo is the state with the head of that number in the epoch of the home's head, which follows from
// it: a thief can put commits with another head of that number between (F5.3).
func (h *Home) backTo(ctx context.Context, seq int64) (set, error) {
	head := h.sealed.head.Doc()
	if seq == 0 || seq == head.Seq {
		return h.sealed, nil
	}
	kept, err := h.kept(h.sealed)
	if err != nil {
		return set{}, err
	}
	known := map[string]records.Head{}
	for _, k := range kept {
		known[k.ID()] = k
	}
	last := h.sealed.head
	for commit, err := range h.tree.FirstParents(ctx, h.sealed.commit) {
		if err != nil {
			return set{}, err
		}
		b, sig, err := h.headOf(commit)
		if err != nil {
			return set{}, err
		}
		found, err := records.OpenHead(records.HeadFile, b, sig)
		if err != nil {
			continue
		}
		known[found.ID()] = found
		for prev, ok := known[last.Doc().Prev]; ok && last.Doc().Seq > seq; prev, ok = known[last.Doc().Prev] {
			last = prev
		}
		if found.ID() != last.ID() || found.Doc().Seq != seq || found.Doc().Epoch != head.Epoch {
			continue
		}
		if s, unsealed, err := h.stateOf(ctx, commit.ID, h.sealed); err == nil && unsealed == 0 {
			return s, nil
		}
	}
	return set{}, &NoHeadError{Seq: seq}
}

// sortRecords says what is to become of the records that the key signed.
func (h *Home) sortRecords(ctx context.Context, c *Compromise, before time.Time) error {
	all, err := h.openFiles(ctx, c.base, c.base.paths())
	if err != nil {
		return err
	}
	var stands []records.Record
	stands, c.Void = signedBy(all, c.Key, before)
	kept := c.After.Doc().Keep
	for _, r := range stands {
		switch {
		case slices.Contains(kept, r.ID()):
		case len(kept)+len(c.Keep) < schema.MaxKeep:
			c.Keep = append(c.Keep, r)
		default:
			c.Again = append(c.Again, r)
		}
	}
	c.Void = slices.DeleteFunc(c.Void, func(r records.Record) bool { return slices.Contains(kept, r.ID()) })
	return nil
}

// signedBy are the records of a key: those from before a time that nobody withdrew, and the others.
func signedBy(all []records.Record, key sshsig.Key, before time.Time) (stands, rest []records.Record) {
	late := func(r records.Record) bool { return r.Key() == key && !r.Doc().Issued.Before(before) }
	withdrawn := map[string]bool{}
	for _, r := range all {
		if late(r) {
			continue
		}
		for _, id := range r.Doc().Withdraws {
			withdrawn[id] = true
		}
	}
	for _, r := range all {
		switch {
		case r.Key() != key:
		case late(r) || withdrawn[r.ID()]:
			rest = append(rest, r)
		default:
			stands = append(stands, r)
		}
	}
	return stands, rest
}

// leftOver finds records that a commit holds and a set does not, nor gone. Only what opens and counts in
// the log is taken: the rest of the commit may be anybody's.
func (h *Home) leftOver(ctx context.Context, s set, log records.Log, commit string, gone sums) (left []records.Record, files map[string][]byte, err error) {
	changes, err := h.tree.Diff(ctx, s.commit, commit, gitstore.DefaultLimits())
	if errors.Is(unfit(err), records.ErrUnfit) {
		return nil, nil, nil
	}
	blobs := map[string]string{}
	for _, c := range changes {
		if inFolder(c.Path, records.RecordsFolder) && c.Old == "" {
			blobs[c.Path] = c.New
		}
	}
	files = map[string][]byte{}
	for _, path := range sortedPaths(blobs) {
		sigPath := records.SignaturePath(path)
		if _, was := gone[path]; was || !isRecord(path) || blobs[sigPath] == "" {
			continue
		}
		e := records.Envelope{Path: path}
		if e.YAML, err = h.blob(blobs[path]); err == nil {
			e.Sig, err = h.blob(blobs[sigPath])
		}
		if errors.Is(unfit(err), records.ErrUnfit) {
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		if r, err := records.Open(e, log); err == nil && !log.Void(r) {
			left = append(left, r)
			files[path], files[sigPath] = e.YAML, e.Sig
		}
	}
	return left, files, err
}

// Compromise makes the head that was planned, and brings the home to it. The key of s is the one that
// it was planned for.
func (h *Home) Compromise(ctx context.Context, s records.Signer, c *Compromise, opts Options) (*Written, error) {
	written, err := h.compromise(ctx, s, c, opts)
	if err != nil {
		return nil, fmt.Errorf("giving up key: %w", err)
	}
	return written, nil
}

func (h *Home) compromise(ctx context.Context, s records.Signer, c *Compromise, opts Options) (*Written, error) {
	again := gitstore.Change{Write: map[string][]byte{}}
	for _, r := range c.Again {
		e, err := records.Seal(ctx, r.Doc(), s)
		if err != nil {
			return nil, err
		}
		again.Write[e.Path], again.Write[records.SignaturePath(e.Path)] = e.YAML, e.Sig
	}
	files := sumsAfter(c.base.sums, again)
	next, headFiles, err := h.nextHead(ctx, s, records.Pin{Head: h.sealed.head}, c.base, files, opts.Now, c.edit)
	if err != nil {
		return nil, err
	}
	change := merged(again, headFiles)
	change.Base = h.at.Commit
	if c.base.commit != h.at.Commit {
		change.Over = h.at.Commit
	}
	if len(c.unsealed) > 0 {
		change.Then = &gitstore.Further{Write: c.unsealed, Message: unsealedMessage}
	}
	commit, err := h.tree.Rebuild(ctx, c.base.commit, change, "distrust: a key is compromised", opts.signature())
	if err != nil {
		return nil, err
	}
	return h.readBack(ctx, commit, next)
}

// edit is what the new head says besides its set.
func (c *Compromise) edit(doc *schema.Head) {
	if c.Raises {
		doc.Epoch++
	}
	if _, k := findKey(doc.Keys, c.Key.String()); k != nil {
		k.State = schema.Compromised
	}
	for _, r := range c.Keep {
		doc.Keep = append(doc.Keep, r.ID())
	}
}
