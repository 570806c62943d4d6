package records

import (
	"slices"
	"time"

	"github.com/distributed-trust/distrust/schema"
)

// Repin judges a head h that [Advance] refuses as a rollback, a fork or a rewrite, for a user who
// was shown both heads and takes the new one: the owner may have lost what was published. It has to
// be a state of the pinned log as at a first contact. What keys did stays done: an epoch is never
// lowered, and a key that was compromised stays so until a recovery key takes it back, nor may it
// have signed h or a kept head that is not among known, the ids of those seen before. kept are all of
// keys/. The error is a *[HeadError].
func Repin(pin Pin, known []string, kept []Head, h Head, now time.Time) (Accepted, error) {
	if err := sameLog(pin.Head, h); err != nil {
		return Accepted{}, err
	}
	if h.doc.Epoch < pin.Head.doc.Epoch {
		return Accepted{}, headError(BadEpoch, pin.Head, h, "a recovery key raised the epoch to %d, this is %d", pin.Head.doc.Epoch, h.doc.Epoch)
	}
	accepted, err := FirstContact("", kept, h, now)
	if err != nil {
		return Accepted{}, err
	}
	compromised := slices.Clone(pin.Dropped)
	for _, k := range pin.Head.doc.Keys {
		if k.State == schema.Compromised {
			compromised = append(compromised, k.Key)
		}
	}
	for _, next := range append([]Head{h}, kept...) {
		seen := next.id != h.id && (slices.Contains(known, next.id) || next.Compare(h) > 0)
		if !seen && slices.Contains(compromised, next.signer.String()) {
			return Accepted{}, headError(NoAuthority, pin.Head, next, "signed by %s, which is compromised", next.signer.Fingerprint())
		}
	}
	dropped := slices.Concat(accepted.Pin.Dropped, slices.DeleteFunc(compromised, func(key string) bool {
		k, listed := findKey(h.doc.Keys, key)
		return listed && k.State == schema.Compromised
	}))
	slices.Sort(dropped)
	accepted.Pin.Dropped = slices.Compact(dropped)
	return accepted, nil
}
