package home

import (
	"bytes"
	"context"
	"fmt"
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
	Others  []string           // files under records/ that are neither .yml nor .yml.sig

	change map[string][]byte // path under records/ -> content, nil: removed
}

// Empty says whether there is nothing to seal.
func (b *ByHand) Empty() bool {
	return len(b.Added)+len(b.Sign)+len(b.Removed)+len(b.Refused) == 0 && len(b.change) == 0
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

// Pending compares the files under records/ of the work tree with the published state. key is the
// key that would sign: a document of this log that names it as issuer and is not signed well is
// signed again, since only its holder can have meant it.
func (h *Home) Pending(key records.Signer) (*ByHand, error) {
	files, err := readFolder(h.Dir())
	if err != nil {
		return nil, fmt.Errorf("reading what came by hand: %w", err)
	}
	found := &ByHand{change: map[string][]byte{}}
	log := h.sealed.head.Log()
	for _, path := range sortedPaths(files) {
		switch {
		case strings.HasSuffix(path, ".yml"):
			h.pendingRecord(found, path, files, log, key)
		case strings.HasSuffix(path, ".yml.sig"):
			if _, ok := files[strings.TrimSuffix(path, ".sig")]; !ok {
				found.Refused = append(found.Refused, &records.Refusal{Path: path, Rule: "F4", Reason: "a signature without its record"})
			}
		default:
			if !h.sameAsSealed(path, files[path]) {
				found.Others = append(found.Others, path)
				found.change[path] = files[path] // the root adds up every file (F5)
			}
		}
	}
	for _, r := range h.sealed.records {
		if _, ok := files[r.Path()]; !ok {
			found.Removed = append(found.Removed, r)
		}
	}
	for path := range h.sealed.sums {
		if _, ok := files[path]; !ok {
			found.change[path] = nil
		}
	}
	return found, nil
}

// pendingRecord judges one record file that may have come by hand.
func (h *Home) pendingRecord(found *ByHand, path string, files map[string][]byte, log records.Log, key records.Signer) {
	sigPath := records.SignaturePath(path)
	if h.sameAsSealed(path, files[path]) && h.sameAsSealed(sigPath, files[sigPath]) {
		return
	}
	envelope := records.Envelope{Path: path, YAML: files[path], Sig: files[sigPath]}
	r, err := records.Open(envelope, log)
	if err == nil {
		found.Added = append(found.Added, r)
		found.change[path], found.change[sigPath] = envelope.YAML, envelope.Sig
		return
	}
	doc, parseErr := schema.ParseRecord(path, files[path])
	if parseErr != nil {
		found.Refused = append(found.Refused, asRefusal(path, parseErr))
		return
	}
	if refusal := foreign(path, files[path], doc, log, key); refusal != nil {
		found.Refused = append(found.Refused, refusal)
		return
	}
	found.Sign = append(found.Sign, *doc)
	found.change[path], found.change[sigPath] = nil, nil // it moves to the place of its new bytes
}

// foreign says why a document that is not signed well is not the signer's to sign again: it belongs
// to another log, or names another key as its author.
func foreign(path string, b []byte, doc *schema.Record, log records.Log, key records.Signer) *records.Refusal {
	refusal := &records.Refusal{Path: path, Rule: "F3"}
	switch {
	case doc.Log != log.ID:
		refusal.Line, refusal.Reason = lineOf(b, "log:"), "it belongs to another log, whose owner has to sign it"
	case key == nil:
		refusal.Line, refusal.Reason = lineOf(b, "by:"), "it was changed after it was signed"
	case doc.By != key.Key().String():
		refusal.Line, refusal.Reason = lineOf(b, "by:"), "it was changed after another key signed it: only that key can sign it again"
	default:
		return nil
	}
	return refusal
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

func (h *Home) sameAsSealed(path string, b []byte) bool {
	sum, ok := h.sealed.sums[path]
	return ok && b != nil && sum == sumOf(b)
}

// Seal makes a new head over what [Home.Pending] found. It is refused with a [RefusedError] while
// something cannot be sealed. Without anything pending it renews the head.
func (h *Home) Seal(ctx context.Context, s records.Signer, found *ByHand, opts Options) (*Written, error) {
	if len(found.Refused) > 0 {
		return nil, fmt.Errorf("sealing: %w", &RefusedError{Refused: found.Refused})
	}
	if err := h.CheckSigner(s); err != nil {
		return nil, fmt.Errorf("sealing: %w", err)
	}
	change := map[string][]byte{}
	for path, b := range found.change {
		change[path] = b
	}
	for _, doc := range found.Sign {
		envelope, err := records.Seal(ctx, doc, s)
		if err != nil {
			return nil, fmt.Errorf("sealing: %w", err)
		}
		change[envelope.Path] = envelope.YAML
		change[records.SignaturePath(envelope.Path)] = envelope.Sig
	}
	if err := h.dropUnchanged(ctx, change); err != nil {
		return nil, fmt.Errorf("sealing: %w", err)
	}
	written, err := h.commitHead(ctx, s, change, nil, sealMessage(found), opts)
	if err != nil {
		return nil, fmt.Errorf("sealing: %w", err)
	}
	return written, nil
}

// dropUnchanged takes removals out of a change that HEAD has made already: the commit above the
// sealed state may have removed the file itself.
func (h *Home) dropUnchanged(ctx context.Context, change map[string][]byte) error {
	snapshot, err := h.tree.Snapshot(ctx, h.at.Commit, gitstore.DefaultLimits())
	if err != nil {
		return err
	}
	for path, b := range change {
		_, committed := snapshot.Files[path]
		_, sealed := h.sealed.sums[path]
		if b == nil && !committed && !sealed {
			delete(change, path)
		}
	}
	return nil
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
	case n == 0 && len(found.Removed) == 0:
		return "distrust: renew the head"
	case len(found.Removed) == 0:
		return "distrust: seal " + countRecords(n)
	}
	return fmt.Sprintf("distrust: seal %s, %d removed", countRecords(n), len(found.Removed))
}
