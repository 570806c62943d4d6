package home

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/internal/gitstore"
	"github.com/distributed-trust/distrust/schema"
)

// ByHand is what came into the home since its last head other than by [Home.Write]: edited,
// dropped in, merged or removed. [Home.Pending] finds it, [Home.Seal] puts it under a new head.
type ByHand struct {
	Added   []records.Record   // well signed, new to the set
	Sign    []schema.Record    // the user's own, to be signed (again): written or edited by hand
	Removed []records.Record   // not there any more
	Refused []*records.Refusal // cannot be sealed; while there are any, Seal refuses
	Others  []string           // files under records/ that are neither .yml nor .yml.sig; sealed only when they are committed

	files     map[string][]byte // the work tree's files under records/
	write     map[string]bool   // those that the set gains, or that are other than sealed
	gone      map[string]bool   // paths that the set, or the work tree, loses
	committed []gitstore.FileChange
}

// Empty says whether there is nothing to seal.
func (b *ByHand) Empty() bool {
	return len(b.Sign)+len(b.Removed)+len(b.Refused)+len(b.write)+len(b.gone) == 0
}

// RefusedError says that files which came by hand cannot be sealed.
type RefusedError struct {
	Refused []*records.Refusal
}

// Error names the first of them.
func (e *RefusedError) Error() string {
	if len(e.Refused) == 1 {
		return e.Refused[0].Error()
	}
	return fmt.Sprintf("%v, and %d more", e.Refused[0], len(e.Refused)-1)
}

// Pending compares the files under records/ of the work tree with the published state, committed
// or not. key is the key that would sign: a document of this log that names it as issuer and is not
// signed well is signed again, since only its holder can have meant it. With a nil key there are
// none of those.
func (h *Home) Pending(ctx context.Context, key records.Signer) (*ByHand, error) {
	found, err := h.pending(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("reading what came by hand: %w", err)
	}
	return found, nil
}

func (h *Home) pending(ctx context.Context, key records.Signer) (*ByHand, error) {
	found := &ByHand{write: map[string]bool{}, gone: map[string]bool{}}
	var err error
	if found.files, found.Refused, err = readFolder(ctx, h.Dir()); err != nil {
		return nil, err
	}
	if err := h.pendingCommits(ctx, found); err != nil {
		return nil, err
	}
	log := h.sealed.log
	for _, path := range sortedPaths(found.files) {
		switch {
		case h.asSealed(path, found.files[path]) && strings.HasSuffix(path, ".yml.sig") && found.files[strings.TrimSuffix(path, ".sig")] == nil:
			found.gone[path] = true // its record was removed
		case strings.HasSuffix(path, ".yml"):
			h.pendingRecord(found, path, log, key)
		case strings.HasSuffix(path, ".yml.sig"):
			if found.files[strings.TrimSuffix(path, ".sig")] == nil {
				found.refuse(path, "F4", "a signature without its record")
			}
		default:
			h.pendingOther(found, path)
		}
	}
	var removed []string
	for path := range h.sealed.sums {
		if _, ok := found.files[path]; ok {
			continue
		}
		found.gone[path] = true
		if isRecord(path) {
			removed = append(removed, path)
		}
	}
	slices.Sort(removed)
	found.Removed, err = h.openFiles(ctx, h.sealed, removed)
	return found, err
}

// pendingCommits lists what the commits above the sealed one did to files that are read.
func (h *Home) pendingCommits(ctx context.Context, found *ByHand) error {
	var err error
	found.committed, err = h.tree.Diff(ctx, h.sealed.commit, h.at.Commit, gitstore.DefaultLimits())
	var hostile *gitstore.HostileError
	if errors.As(err, &hostile) { // a name or a mode that no follower would accept
		found.refuse(hostile.Where, "F4", "it is committed, and "+hostile.What)
		return nil
	}
	return err
}

func (b *ByHand) refuse(path, rule, reason string) {
	b.Refused = append(b.Refused, &records.Refusal{Path: path, Rule: schema.Rule(rule), Reason: reason})
}

// pendingRecord judges one record file that may have come by hand.
func (h *Home) pendingRecord(found *ByHand, path string, log records.Log, key records.Signer) {
	sigPath := records.SignaturePath(path)
	envelope := records.Envelope{Path: path, YAML: found.files[path], Sig: found.files[sigPath]}
	if h.asSealed(path, envelope.YAML) && h.asSealed(sigPath, envelope.Sig) {
		return
	}
	r, err := records.Open(envelope, log)
	switch {
	case err == nil && log.Void(r):
		found.refuse(path, "F5", "signed by a compromised key: nobody would count it")
		return
	case err == nil:
		found.Added = append(found.Added, r)
		found.write[path], found.write[sigPath] = true, true
		return
	}
	doc, parseErr := schema.ParseRecord(path, envelope.YAML)
	if parseErr != nil {
		found.Refused = append(found.Refused, asRefusal(path, parseErr))
		return
	}
	if key == nil || doc.Log != log.ID || doc.By != key.Key().String() {
		found.Refused = append(found.Refused, h.foreign(path, envelope.YAML, doc, asRefusal(path, err)))
		return
	}
	found.Sign = append(found.Sign, *doc)
	found.gone[path], found.gone[sigPath] = true, true // it moves to the place of its new bytes
}

// foreign says why a document that is not signed well is not the signer's to sign again. why is how
// a reader refuses it, which says enough about one that was never in the set.
func (h *Home) foreign(path string, b []byte, doc *schema.Record, why *records.Refusal) *records.Refusal {
	if _, edited := h.sealed.sums[path]; !edited {
		return why
	}
	if doc.Log != h.LogID() {
		return &records.Refusal{Path: path, Line: lineOf(b, "log:"), Rule: "F2", Reason: "it belongs to another log, whose owner has to sign it"}
	}
	return &records.Refusal{
		Path: path, Line: lineOf(b, "by:"), Rule: "F3", Err: why,
		Reason: "it was changed after another key signed it: only that key can sign it again",
	}
}

// lineOf is the number of the first line that begins with a field; 0 when none does.
func lineOf(b []byte, field string) int {
	n := 0
	for line := range bytes.Lines(b) {
		n++
		if bytes.HasPrefix(line, []byte(field)) {
			return n
		}
	}
	return 0
}

// pendingOther looks at a file that is no record. What only lies in the work tree is the user's
// own business; what is committed is part of the root (F5).
func (h *Home) pendingOther(found *ByHand, path string) {
	if h.asSealed(path, found.files[path]) {
		return
	}
	found.Others = append(found.Others, path)
	_, tracked := h.sealed.sums[path]
	if tracked || slices.ContainsFunc(found.committed, func(c gitstore.FileChange) bool { return c.Path == path }) {
		found.write[path] = true
	}
}

func (h *Home) asSealed(path string, b []byte) bool {
	sum, ok := h.sealed.sums[path]
	return ok && b != nil && sum == sumOf(b)
}

// Seal makes a new head over what [Home.Pending] found. It is refused with a [RefusedError] while
// something cannot be sealed. Without anything pending it renews the head.
func (h *Home) Seal(ctx context.Context, s records.Signer, found *ByHand, opts Options) (*Written, error) {
	written, err := h.seal(ctx, s, found, opts)
	if err != nil {
		return nil, fmt.Errorf("sealing: %w", err)
	}
	return written, nil
}

func (h *Home) seal(ctx context.Context, s records.Signer, found *ByHand, opts Options) (*Written, error) {
	if len(found.Refused) > 0 {
		return nil, &RefusedError{Refused: found.Refused}
	}
	if err := h.CheckSigner(s); err != nil {
		return nil, err
	}
	change := gitstore.Change{Write: map[string][]byte{}}
	for path := range found.write {
		change.Write[path] = found.files[path]
	}
	opened := slices.Clone(found.Added)
	for _, doc := range found.Sign {
		envelope, err := records.Seal(ctx, doc, s)
		if err != nil {
			return nil, err
		}
		r, err := records.Open(envelope, h.sealed.log)
		if err != nil {
			return nil, err
		}
		change.Write[envelope.Path] = envelope.YAML
		change.Write[records.SignaturePath(envelope.Path)] = envelope.Sig
		opened = append(opened, r)
	}
	for path := range found.gone {
		if _, written := change.Write[path]; !written {
			change.Delete = append(change.Delete, path)
		}
	}
	written, err := h.sealOver(ctx, s, found, change, opts)
	if err != nil {
		return nil, err
	}
	written.Records = opened
	return written, nil
}

// sealOver commits the new set on top of HEAD, whatever the commits since the last head did.
func (h *Home) sealOver(ctx context.Context, s records.Signer, found *ByHand, change gitstore.Change, opts Options) (*Written, error) {
	files := sumsAfter(h.sealed.sums, change)
	prev := h.sealed
	prev.keys = maps.Clone(prev.keys)
	for _, c := range found.committed {
		_, stays := files[c.Path]
		switch {
		case inFolder(c.Path, records.KeysFolder) && c.Old == "":
			prev.keys[c.Path] = c.New
		case inFolder(c.Path, records.KeysFolder):
			b, err := h.tree.Blob(c.Old, schema.MaxHeadBytes)
			if err != nil {
				return nil, err
			}
			change.Write[c.Path] = b
		case !inFolder(c.Path, records.RecordsFolder):
		case !stays:
			change.Delete = append(change.Delete, c.Path)
		case change.Write[c.Path] == nil:
			change.Write[c.Path] = found.files[c.Path]
		}
	}
	next, headFiles, err := h.nextHead(ctx, s, records.Pin{Head: h.sealed.head}, prev, files, opts.Now, nil)
	if err != nil {
		return nil, err
	}
	return h.commitState(ctx, next, merged(change, headFiles), sealMessage(found), opts)
}

func countRecords(n int) string {
	if n == 1 {
		return "1 record"
	}
	return fmt.Sprintf("%d records", n)
}

func sealMessage(found *ByHand) string {
	n := len(found.Added) + len(found.Sign)
	switch {
	case found.Empty():
		return "distrust: renew the head"
	case len(found.Removed) == 0:
		return "distrust: seal " + countRecords(n)
	}
	return fmt.Sprintf("distrust: seal %s, %d removed", countRecords(n), len(found.Removed))
}
