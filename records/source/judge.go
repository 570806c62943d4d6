package source

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/schema"
	"github.com/distributed-trust/distrust/sshsig"
)

// Offer is what a repository shows at a first contact that nobody vouched for: everything that
// the user can be told before saying yes (F6). All of it but the fingerprints is the publisher's
// own word.
type Offer struct {
	Source      string // as the spec names it
	URL         string
	Log         string
	Fingerprint string   // of the key that signed the published head
	Others      []string // of further active keys that signed a kept head: they would do as well
	Head        schema.Head
	HeadID      string
	Expires     time.Time // after which the source is stale (F5.6)
	Unsealed    int
}

// Accepts says whether a fingerprint that the user typed is one that may be accepted.
func (o Offer) Accepts(fingerprint string) bool {
	return fingerprint != "" && (fingerprint == o.Fingerprint || slices.Contains(o.Others, fingerprint))
}

// judge holds what a repository publishes to F5. It gives the log that records are opened with, and
// whether records that were skipped deserve another look.
func (w *work) judge(set *headSet) (records.Log, bool, error) {
	h := set.Published.Head
	if err := w.ownLog(h); err != nil {
		return records.Log{}, false, err
	}
	if w.pin == nil {
		if err := w.meet(h); err != nil {
			return records.Log{}, false, err
		}
		var err error
		if w.accepted, err = w.firstContact(set); err != nil {
			return records.Log{}, false, err
		}
		return w.accepted.Pin.Log(), false, nil
	}
	known, err := w.openPin()
	if err != nil {
		return records.Log{}, false, err
	}
	if (w.revive || w.probe) && w.spec.Fingerprint != "" {
		if _, err := records.FirstContact(w.spec.Fingerprint, set.Kept, h, w.now()); err != nil {
			return records.Log{}, false, err
		}
	}
	chain := records.Chain{Published: h, Kept: set.Kept, Between: set.Between}
	if w.accepted, err = records.Advance(known, chain, w.now()); err != nil {
		w.accepted, err = w.replace(known, set, err)
	}
	if err != nil {
		return records.Log{}, false, err
	}
	if w.spec.Log == "" && w.spec.Fingerprint == "" && w.revivable() {
		// Nobody but whoever serves the address says that it is this log.
		if err := w.firstUse(set); err != nil {
			return records.Log{}, false, err
		}
	}
	if w.probe {
		return records.Log{}, false, &FollowedError{Log: w.pin.Log, Name: w.pin.Name, URL: w.pin.URL}
	}
	log := w.accepted.Pin.Log()
	return log, !slices.Equal(log.Keys, known.Log().Keys), nil
}

// replace asks whether a head may take the place of the pinned one that was refused because it does
// not follow from it. The error is the refusal unless the answer is yes.
func (w *work) replace(known records.Pin, set *headSet, refused error) (records.Accepted, error) {
	var why *records.HeadError
	if w.batch.options.Accept == nil || w.revive || w.probe || !errors.As(refused, &why) {
		return records.Accepted{}, refused
	}
	switch why.Kind {
	case records.Rollback, records.Fork, records.Rewrite:
	default:
		return records.Accepted{}, refused
	}
	h := set.Published.Head
	accepted, err := records.Repin(known, w.pin.KeptHeads, set.Kept, h, w.now())
	if err != nil {
		return records.Accepted{}, err
	}
	// Both heads are evidence whoever broke the rule: the two that change places are kept.
	shown := *why
	shown.Pinned, shown.Got = known.Head, h
	dir, err := keepEvidence(w.batch.dirs, &shown, &Refused{At: w.now(), Kind: string(why.Kind), Reason: why.Error()})
	if err != nil {
		return records.Accepted{}, err
	}
	yes, err := w.batch.options.Accept(Replacement{Source: w.spec.Name, Why: why, Pinned: known.Head, New: h, Evidence: dir})
	if err != nil || !yes {
		return records.Accepted{}, errors.Join(refused, err)
	}
	w.result.Evidence = dir
	w.result.Notes = append(w.result.Notes, fmt.Sprintf("as you said, its head %d took the place of head %d", h.Doc().Seq, known.Head.Doc().Seq))
	return accepted, nil
}

// ownLog refuses a repository that passes for the user (F5.1).
func (w *work) ownLog(h records.Head) error {
	if log := h.Doc().Log; slices.Contains(w.batch.options.Own, log) {
		return &ClaimError{Log: log, Own: true}
	}
	return nil
}

// meet holds a first contact to what is known of its log: the entry of sources.yml that names
// one, and a pin that there may be.
func (w *work) meet(h records.Head) error {
	log := h.Doc().Log
	if w.spec.Log != "" && log != w.spec.Log {
		return &records.HeadError{
			Kind: records.WrongLog, Got: h,
			Detail: fmt.Sprintf("it belongs to log %s, not to %s", log, w.spec.Log),
		}
	}
	pin, err := ReadPin(w.batch.dirs, log)
	switch {
	case errors.Is(err, ErrNoPin):
		return nil
	case err != nil:
		return err
	}
	return &metError{pin}
}

// firstContact accepts a log that nothing is known of: the fingerprint that was named has signed
// it, or the user says yes to what it offers.
func (w *work) firstContact(set *headSet) (records.Accepted, error) {
	named := w.spec.Fingerprint
	accepted, err := records.FirstContact(named, set.Kept, set.Published.Head, w.now())
	if err != nil || named != "" {
		return accepted, err
	}
	return accepted, w.firstUse(set)
}

// firstUse has the user say whether the log that a repository shows is the one that was meant.
func (w *work) firstUse(set *headSet) error {
	if w.ask == nil {
		return ErrFirstUse
	}
	yes, err := w.ask(w.offer(set))
	if err == nil && !yes {
		err = ErrFirstUse
	}
	return err
}

func (w *work) offer(set *headSet) Offer {
	h := set.Published.Head
	doc := h.Doc()
	offer := Offer{
		Source: w.spec.Name, URL: w.spec.URL, Log: doc.Log, Fingerprint: h.SignedBy().Fingerprint(),
		Head: doc, HeadID: h.ID(), Expires: h.Expires(), Unsealed: set.Published.Unsealed,
	}
	active := map[sshsig.Key]bool{}
	for _, k := range doc.Keys {
		if key, err := sshsig.ParseKey(k.Key); err == nil && k.State == schema.Active {
			active[key] = true
		}
	}
	for _, kept := range set.Kept {
		if signer := kept.SignedBy(); active[signer] && !offer.Accepts(signer.Fingerprint()) {
			offer.Others = append(offer.Others, signer.Fingerprint())
		}
	}
	return offer
}

// openPin verifies the pinned head again: what is remembered has to be signed, too.
func (w *work) openPin() (records.Pin, error) {
	w.result.Verified++
	h, err := records.OpenHead("pin of "+w.pin.Log, []byte(w.pin.Head), []byte(w.pin.Signature))
	if err != nil {
		return records.Pin{}, w.damaged(err)
	}
	return records.Pin{Head: h, Dropped: w.pin.Dropped}, nil
}
