package records

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/distributed-trust/distrust/schema"
	"github.com/distributed-trust/distrust/sshsig"
)

// logDomain keeps the hash that makes log ids apart from every other use of SHA-256 (F5).
const logDomain = "distrust/log/v1"

// saltBytes is the length of a salt and of a log id; both are written in hex.
const saltBytes = 16

// Head is a signed state of a log: its bytes are well formed (F1, F5) and a key that it lists
// signed them. That says nothing about whether the log accepts it, which is for [FirstContact] and
// [Advance] to judge. Only [OpenHead], [OpenKept] and [SealHead] make one.
type Head struct {
	id     string
	doc    schema.Head
	signer sshsig.Key
	yaml   []byte
	sig    []byte
}

// IsZero says whether h is no head at all.
func (h Head) IsZero() bool { return h.id == "" }

// ID is the SHA-256 of the head's bytes, 64 hex: what the next head's prev must be.
func (h Head) ID() string { return h.id }

// Doc is what the head says. The caller owns the copy.
func (h Head) Doc() schema.Head { return cloneHead(h.doc) }

// SignedBy is the key that signed the head. The head lists it, in whatever state.
func (h Head) SignedBy() sshsig.Key { return h.signer }

// Bytes are the signed bytes and the armoured signature. The caller owns the copies.
func (h Head) Bytes() (yaml, sig []byte) { return slices.Clone(h.yaml), slices.Clone(h.sig) }

// Log is what the head says about its log: enough to open the log's records. Keys that an epoch
// left out are known to the pin only; see [Pin.Log].
func (h Head) Log() Log {
	return Log{ID: h.doc.Log, Keys: slices.Clone(h.doc.Keys), Keep: slices.Clone(h.doc.Keep)}
}

// Expires is when the head goes stale: as it says, but at most 400 days after it was issued (F5.6).
func (h Head) Expires() time.Time {
	limit := h.doc.Issued.Add(schema.MaxHeadLifetime)
	if h.doc.Expires.After(limit) {
		return limit
	}
	return h.doc.Expires
}

// Stale says whether the head's time is over: trust of its log no longer counts, reports do (F5.6).
func (h Head) Stale(now time.Time) bool { return !now.Before(h.Expires()) }

// HasRecovery says whether an active recovery key is listed. Without one, whoever steals an active
// key cannot be beaten (F5.4); people have to be told.
func (h Head) HasRecovery() bool {
	return slices.ContainsFunc(h.doc.Keys, func(k schema.Key) bool { return k.Recovery && k.State == schema.Active })
}

// OpenHead reads a head and verifies its signature under a key that it lists (F3, F5.5). A head
// that lists a key which F3 never accepts, or one key twice, is refused (F5.8). The error is a
// *[Refusal].
func OpenHead(file string, yaml, sig []byte) (Head, error) {
	if len(yaml) > schema.MaxHeadBytes {
		return Head{}, refuse(file, "F7", "head of %d bytes, at most %d are read", len(yaml), schema.MaxHeadBytes)
	}
	if len(sig) > schema.MaxSignatureBytes {
		return Head{}, refuse(file, "F3", "signature of %d bytes, at most %d are read", len(sig), schema.MaxSignatureBytes)
	}
	doc, err := schema.ParseHead(file, yaml)
	if err != nil {
		return Head{}, refusalOf(file, err)
	}
	if err := checkListedKeys(file, doc.Keys); err != nil {
		return Head{}, err
	}
	signer, err := sshsig.Verify(yaml, sig, sshsig.NamespaceHead)
	if err != nil {
		return Head{}, refuseFor(file, "F3", err)
	}
	if _, listed := findKey(doc.Keys, signer.String()); !listed {
		return Head{}, refuse(file, "F5", "signed by %s, which it does not list", signer.Fingerprint())
	}
	return Head{
		id:  schema.RecordID(yaml),
		doc: *doc, signer: signer, yaml: slices.Clone(yaml), sig: slices.Clone(sig),
	}, nil
}

// OpenKept opens a head that lies under keys/ and holds it to its place, keys/<seq>.yml (F4).
func OpenKept(path string, yaml, sig []byte) (Head, error) {
	h, err := OpenHead(path, yaml, sig)
	if err != nil {
		return Head{}, err
	}
	if place := HeadPath(h.doc.Seq); path != place {
		return Head{}, refuse(path, "F4", "it is not at its place, which is %s", place)
	}
	return h, nil
}

// SealHead writes and signs a head and opens it again as a stranger would.
func SealHead(ctx context.Context, doc schema.Head, s Signer) (Head, error) {
	b, err := doc.Marshal()
	if err != nil {
		return Head{}, fmt.Errorf("sealing head: %w", err)
	}
	sig, err := sign(ctx, b, s, sshsig.NamespaceHead)
	if err != nil {
		return Head{}, fmt.Errorf("sealing head: %w", err)
	}
	h, err := OpenHead(HeadFile, b, sig)
	if err != nil {
		return Head{}, fmt.Errorf("sealing head: %w", err)
	}
	return h, nil
}

// LogID is the id of the log whose first head this key signs with this salt (F5): 32 hex, the
// first 16 bytes of SHA-256 over "distrust/log/v1", NUL, the key's wire bytes, and the 16 bytes
// that salt names in hex. It is empty, which no document accepts, when salt is no such thing.
func LogID(key sshsig.Key, salt string) string {
	raw, err := hex.DecodeString(salt)
	if err != nil || len(raw) != saltBytes {
		return ""
	}
	h := sha256.New()
	h.Write([]byte(logDomain))
	h.Write([]byte{0})
	h.Write(key.Wire())
	h.Write(raw)
	return hex.EncodeToString(h.Sum(nil)[:saltBytes])
}

// NewSalt draws a salt, 32 hex. It is empty, which no document accepts, when rand fails;
// crypto/rand.Reader never does.
func NewSalt(rand io.Reader) string {
	var salt [saltBytes]byte
	if _, err := io.ReadFull(rand, salt[:]); err != nil {
		return ""
	}
	return hex.EncodeToString(salt[:])
}

// AllowedSignersFile is the allowed_signers file that belongs to a head: a line for every key
// that is not compromised, in the order of keys (F4). Stock ssh-keygen verifies records with it.
func AllowedSignersFile(head schema.Head) []byte {
	var out []byte
	for _, k := range head.Keys {
		key, err := sshsig.ParseKey(k.Key)
		if err != nil || k.State == schema.Compromised {
			continue // a head with a key that does not parse is never opened
		}
		out = append(out, sshsig.AllowedSignersLine(head.Log, key)...)
		out = append(out, '\n')
	}
	return out
}

// checkListedKeys refuses what would make the key list mean two things, or nothing (F5.8). Keys
// must be written the one way that Key.String writes them, so that text compares as keys do.
func checkListedKeys(file string, keys []schema.Key) error {
	for i, k := range keys {
		key, err := sshsig.ParseKey(k.Key)
		if err != nil {
			r := refuseFor(file, "F5", err)
			r.Reason = fmt.Sprintf("key %d of the list is never accepted: %v", i+1, err)
			return r
		}
		if key.String() != k.Key {
			return refuse(file, "F5", "key %d of the list is not written as `type base64`", i+1)
		}
		if _, twice := findKey(keys[:i], k.Key); twice {
			return refuse(file, "F5", "key %s is listed twice", key.Fingerprint())
		}
	}
	return nil
}

func findKey(keys []schema.Key, text string) (schema.Key, bool) {
	for _, k := range keys {
		if k.Key == text {
			return k, true
		}
	}
	return schema.Key{}, false
}

func cloneHead(d schema.Head) schema.Head {
	d.Projects = slices.Clone(d.Projects)
	d.Keys = slices.Clone(d.Keys)
	d.Keep = slices.Clone(d.Keep)
	return d
}
