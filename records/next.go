package records

import (
	"slices"
	"time"

	"github.com/distributed-trust/distrust/schema"
	"github.com/distributed-trust/distrust/sshsig"
)

// FirstHead is the document of the first head of a new log, for an empty set: key, which must sign
// it, makes the log's id together with salt ([NewSalt]). edit may fill in the rest, such as name,
// url, more keys, or a set that is there already; nil leaves it.
func FirstHead(key sshsig.Key, salt string, now time.Time, edit func(*schema.Head)) schema.Head {
	doc := schema.Head{
		Root:   NewRoot().Sum(),
		Issued: now.UTC().Truncate(time.Second),
		Keys:   []schema.Key{{Key: key.String(), State: schema.Active}},
	}
	doc.Expires = doc.Issued.Add(schema.MaxHeadLifetime)
	if edit != nil {
		edit(&doc)
	}
	doc.Log, doc.Salt = LogID(key, salt), salt
	doc.Epoch, doc.Seq, doc.Prev = 0, 1, ""
	return doc
}

// NextHead is the document of the head that comes after prev: its number, the link to prev, the
// log and the salt are given, the set is root and records, and the time is now, for 400 days. edit
// may change the rest, the epoch too; nil leaves it. Whether followers will take the result is for
// [Advance] to say.
func NextHead(prev Head, root string, records int64, now time.Time, edit func(*schema.Head)) schema.Head {
	doc := prev.Doc()
	doc.Root, doc.Records = root, records
	doc.Issued = now.UTC().Truncate(time.Second)
	doc.Expires = doc.Issued.Add(schema.MaxHeadLifetime)
	if edit != nil {
		edit(&doc)
	}
	doc.Log, doc.Salt = prev.doc.Log, prev.doc.Salt
	doc.Seq, doc.Prev = prev.doc.Seq+1, prev.id
	return doc
}

// MustKeep says whether a copy of h belongs under keys/ ([HeadPath]), given the heads that are kept
// already: it is the first, or changes keys or epoch, or is the first that its key signs (F4). The
// kept heads alone must let a stranger follow authority from seq 1 (F5.2).
func MustKeep(kept []Head, h Head) bool {
	var last Head
	signed := false
	for _, k := range kept {
		if k.id == h.id || k.Compare(h) >= 0 {
			continue // what is kept above h, or is h itself, does not speak for h
		}
		signed = signed || k.signer == h.signer
		if last.IsZero() || k.Compare(last) > 0 {
			last = k
		}
	}
	return last.IsZero() || !signed || changesKeys(last, h)
}

// KeptAfter is what lies under keys/ once h is published over kept: h's copy among them when it
// must be kept. Heads of a lower epoch that h's chain no longer contains, such as a thief's, are
// left out, since no first contact could pass over them.
func KeptAfter(kept []Head, h Head) []Head {
	var out []Head
	for _, s := range stepsTo(kept, h) {
		if s.head.id != h.id {
			out = append(out, s.head)
		}
	}
	if MustKeep(out, h) || slices.ContainsFunc(kept, func(k Head) bool { return k.id == h.id }) {
		out = append(out, h)
	}
	return out
}
