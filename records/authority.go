package records

import (
	"maps"
	"slices"

	"github.com/distributed-trust/distrust/schema"
)

// step is one head on the way, and whether a copy of it lies under keys/.
type step struct {
	head Head
	kept bool
}

// state is what the heads up to one of them say about the keys of the log. Keys change in kept
// heads only, so the keys of the last judged head are those in force.
type state struct {
	head    Head
	dropped []string // keys that count as compromised whatever head says, sorted ([Pin.Dropped])
}

func (st state) pin() Pin { return Pin{Head: st.head, Dropped: st.dropped} }

// genesis judges the first kept head: it must be seq 1 and be signed by the key that the log id
// is made of (F5.1).
func genesis(first step) (state, error) {
	h := first.head
	switch {
	case h.doc.Seq != 1 || !first.kept:
		return state{}, headError(NotKept, Head{}, h, "the kept head of seq 1, which makes the log's id, is missing")
	case h.doc.Epoch != 0:
		return state{}, headError(BadEpoch, Head{}, h, "the first head has epoch %d instead of 0", h.doc.Epoch)
	case LogID(h.signer, h.doc.Salt) != h.doc.Log:
		return state{}, headError(WrongLog, Head{}, h, "log %s is not made of the key that signed seq 1, %s", h.doc.Log, h.signer.Fingerprint())
	}
	if k, _ := findKey(h.doc.Keys, h.signer.String()); k.State != schema.Active {
		return state{}, headError(NoAuthority, Head{}, h, "the first head is signed by a key that is not active")
	}
	return state{head: h}, nil
}

// judge says whether next may come after st (F5.2, F5.4): signed by a key that was active, or, when
// it raises the epoch, by a recovery key; changing keys only as its signer may, and kept when it
// changes them. Whether next is linked to st by prev is not asked here.
func (st state) judge(next step) (state, error) {
	prev, h := st.head, next.head
	if err := sameLog(prev, h); err != nil {
		return state{}, err
	}
	signer, listed := findKey(prev.doc.Keys, h.signer.String())
	if !listed || signer.State != schema.Active || slices.Contains(st.dropped, signer.Key) {
		return state{}, headError(NoAuthority, prev, h, "signed by %s, which is no active key of head %d", h.signer.Fingerprint(), prev.doc.Seq)
	}
	if h.Compare(prev) == 0 {
		return state{}, headError(Fork, prev, h, "two heads with seq %d: %s and %s", h.doc.Seq, shortID(prev), shortID(h))
	}
	if !next.kept && changesKeys(prev, h) {
		return state{}, headError(NotKept, prev, h, "it changes keys or epoch, but %s does not hold it", HeadPath(h.doc.Seq))
	}
	if h.doc.Epoch != prev.doc.Epoch {
		if err := checkRaise(prev, h, signer.Recovery); err != nil {
			return state{}, err
		}
		return state{head: h, dropped: st.droppedBy(h, nil)}, nil
	}
	if err := st.checkKeys(h, signer.Recovery); err != nil {
		return state{}, err
	}
	// Only a recovery key takes a dropped key back.
	dropped := slices.DeleteFunc(slices.Clone(st.dropped), func(key string) bool {
		k, back := findKey(h.doc.Keys, key)
		return signer.Recovery && back && k.State != schema.Compromised
	})
	return state{head: h, dropped: dropped}, nil
}

// checkRaise holds a raised epoch to F5.4: by exactly one, and by a recovery key.
func checkRaise(prev, h Head, recovery bool) error {
	switch {
	case h.doc.Epoch != prev.doc.Epoch+1:
		return headError(BadEpoch, prev, h, "the epoch goes from %d to %d, not up by one", prev.doc.Epoch, h.doc.Epoch)
	case !recovery:
		return headError(BadEpoch, prev, h, "the epoch is raised by %s, which is no recovery key", h.signer.Fingerprint())
	case h.doc.Seq == 1:
		return headError(BadEpoch, prev, h, "a first head cannot raise the epoch")
	}
	return nil
}

// mayRaise says whether h is a raise of the epoch that st's recovery keys stand behind, so that it
// is accepted even if its chain does not meet st (F5.4).
func (st state) mayRaise(h Head) bool {
	k, _ := findKey(st.head.doc.Keys, h.signer.String())
	return h.doc.Epoch == st.head.doc.Epoch+1 && k.Recovery && k.State == schema.Active && !slices.Contains(st.dropped, k.Key)
}

// droppedBy lists the keys that count as compromised once h has raised the epoch: all that were
// known before, and more, that h does not list (F5.4).
func (st state) droppedBy(h Head, more map[string]bool) []string {
	known := slices.AppendSeq(slices.Clone(st.dropped), maps.Keys(more))
	for _, k := range st.head.doc.Keys {
		known = append(known, k.Key)
	}
	slices.Sort(known)
	return slices.DeleteFunc(slices.Compact(known), func(key string) bool {
		_, listed := findKey(h.doc.Keys, key)
		return listed
	})
}

// checkKeys holds a change of keys within one epoch to F5.4. A signer that is no recovery key may
// add ordinary keys, move them forward, and add the very first recovery key; a recovery key may
// do everything but leave a key out. Order and names of ordinary keys are nobody's protection.
func (st state) checkKeys(h Head, recovery bool) error {
	for _, before := range st.head.doc.Keys {
		after, listed := findKey(h.doc.Keys, before.Key)
		switch {
		case !listed:
			return headError(BadKeys, st.head, h, "it leaves out a key without raising the epoch")
		case recovery:
		case before.Recovery && after != before:
			return headError(BadKeys, st.head, h, "%s, which is no recovery key, changes a recovery key", h.signer.Fingerprint())
		case rank(after.State) < rank(before.State):
			return headError(BadKeys, st.head, h, "%s, which is no recovery key, moves a key from %s back to %s",
				h.signer.Fingerprint(), before.State, after.State)
		}
	}
	if recovery {
		return nil
	}
	had := slices.ContainsFunc(st.head.doc.Keys, func(k schema.Key) bool { return k.Recovery })
	for _, after := range h.doc.Keys {
		before, listed := findKey(st.head.doc.Keys, after.Key)
		if after.Recovery && !before.Recovery {
			if had {
				return headError(BadKeys, st.head, h, "%s, which is no recovery key, adds another recovery key", h.signer.Fingerprint())
			}
			had = true // only the first is free
		}
		if !listed && after.State != schema.Compromised && slices.Contains(st.dropped, after.Key) {
			return headError(BadKeys, st.head, h, "%s, which is no recovery key, takes back a key that an epoch left out", h.signer.Fingerprint())
		}
	}
	return nil
}

// changesKeys says whether a head must be kept for what it says about keys (F4).
func changesKeys(prev, h Head) bool {
	return h.doc.Epoch != prev.doc.Epoch || !slices.Equal(h.doc.Keys, prev.doc.Keys)
}

// rank orders key states the way they may move (F5.4).
func rank(s schema.KeyState) int {
	switch s {
	case schema.Active:
		return 0
	case schema.Retired:
		return 1
	case schema.Compromised:
		return 2
	}
	return 3
}
