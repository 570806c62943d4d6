package records

import (
	"context"
	"fmt"
	"slices"

	"github.com/distributed-trust/distrust/schema"
	"github.com/distributed-trust/distrust/sshsig"
)

// Signer signs with one key. Package sshsig/signer makes them.
type Signer interface {
	// Key is the public half of the key that signs.
	Key() sshsig.Key
	// Sign returns an armoured SSH signature over message for the namespace.
	Sign(ctx context.Context, message []byte, ns sshsig.Namespace) ([]byte, error)
}

// Envelope is a record as it lies in a repository: its place, its bytes, and the signature over
// them. Nothing about it has been verified.
type Envelope struct {
	Path string // as in the repository: "records/…/….yml", with slashes
	YAML []byte
	Sig  []byte // armoured
}

// Record is one signed record that was verified: well formed (F1, F2), signed by a key of its log
// for this purpose (F3), and at its place (F4). Only [Open] makes one; the zero Record says
// nothing.
type Record struct {
	id       string
	doc      schema.Record
	key      sshsig.Key
	envelope Envelope
}

// ID is the SHA-256 of the record's bytes, 64 hex: the only identity of a record (F2).
func (r Record) ID() string { return r.id }

// Doc is what the record says. The caller owns the copy.
func (r Record) Doc() schema.Record { return cloneRecord(r.doc) }

// Kind is the kind of the record, without the copy that Doc makes.
func (r Record) Kind() schema.Kind { return r.doc.Kind }

// Log is the id of the log that the record belongs to.
func (r Record) Log() string { return r.doc.Log }

// Key is the key that signed the record.
func (r Record) Key() sshsig.Key { return r.key }

// Path is where the record lies in its repository.
func (r Record) Path() string { return r.envelope.Path }

// Envelope is the record as it came. The caller owns the copy.
func (r Record) Envelope() Envelope {
	return Envelope{
		Path: r.envelope.Path,
		YAML: slices.Clone(r.envelope.YAML),
		Sig:  slices.Clone(r.envelope.Sig),
	}
}

// Log is what reading a log's records needs to know of it: who it is, the states of its keys, and
// which records of compromised keys its owner stands by. [Head.Log] and [Pin.Log] make one; for
// the private log it is put together from private/log.yml and the home's keys.
type Log struct {
	ID   string       // 32 hex
	Keys []schema.Key // in the form that sshsig.Key.String writes
	Keep []string     // record ids
}

// state finds the state of a key in the log.
func (l Log) state(key string) (schema.KeyState, bool) {
	for _, k := range l.Keys {
		if k.Key == key {
			return k.State, true
		}
	}
	return "", false
}

// Void says whether a record of this log counts for nothing because its key is compromised and
// the owner does not stand by it (F5.8). A key that the log no longer knows counts as compromised:
// only a raised epoch leaves a key out (F5.4). Void records are listed, never counted.
func (l Log) Void(r Record) bool {
	state, known := l.state(r.key.String())
	if known && state != schema.Compromised {
		return false
	}
	return !slices.Contains(l.Keep, r.id)
}

// Open verifies one record of a log: F1 and F2 over its bytes, its log, the issuer that it names,
// the signature (F3), the key among the log's keys, and its place (F4). Whether the key is
// compromised is no matter of Open but of [Log.Void]. The error is a *[Refusal]; the rest of the
// set stands.
func Open(e Envelope, log Log) (Record, error) {
	if len(e.Sig) > schema.MaxSignatureBytes {
		return Record{}, refuse(e.Path, "F3", "signature of %d bytes, at most %d are read", len(e.Sig), schema.MaxSignatureBytes)
	}
	doc, err := schema.ParseRecord(e.Path, e.YAML)
	if err != nil {
		return Record{}, refusalOf(e.Path, err)
	}
	if doc.Log != log.ID {
		return Record{}, refuse(e.Path, "F2", "it belongs to log %s, this is log %s", doc.Log, log.ID)
	}
	id := schema.RecordID(e.YAML)
	if place := Path(*doc, id); e.Path != place {
		return Record{}, refuse(e.Path, "F4", "it is not at its place, which is %s", place)
	}
	key, err := sshsig.Verify(e.YAML, e.Sig, sshsig.NamespaceRecord)
	if err != nil {
		return Record{}, refuseFor(e.Path, "F3", err)
	}
	if key.String() != doc.By {
		return Record{}, refuse(e.Path, "F3", "signed by %s, which is not the key in `by`", key.Fingerprint())
	}
	if _, known := log.state(doc.By); !known {
		return Record{}, refuse(e.Path, "F3", "signed by %s, which is not a key of the log", key.Fingerprint())
	}
	e.YAML, e.Sig = slices.Clone(e.YAML), slices.Clone(e.Sig)
	return Record{id: id, doc: *doc, key: key, envelope: e}, nil
}

// Seal writes and signs a record: it fills in By, makes the bytes, signs them, and finds their
// place. What comes back was verified as a stranger would; it still has to be opened against its
// log to become a [Record].
func Seal(ctx context.Context, doc schema.Record, s Signer) (Envelope, error) {
	doc.By = s.Key().String()
	b, err := doc.Marshal()
	if err != nil {
		return Envelope{}, fmt.Errorf("sealing record: %w", err)
	}
	sig, err := sign(ctx, b, s, sshsig.NamespaceRecord)
	if err != nil {
		return Envelope{}, fmt.Errorf("sealing record: %w", err)
	}
	return Envelope{Path: Path(doc, schema.RecordID(b)), YAML: b, Sig: sig}, nil
}

// sign has b signed and does not take the signer's word for it: an agent may hold another key
// than it says, and a bad signature would only be found by followers.
func sign(ctx context.Context, b []byte, s Signer, ns sshsig.Namespace) ([]byte, error) {
	sig, err := s.Sign(ctx, b, ns)
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	key, err := sshsig.Verify(b, sig, ns)
	if err != nil {
		return nil, fmt.Errorf("verifying own signature: %w", err)
	}
	if key != s.Key() {
		return nil, fmt.Errorf("verifying own signature: made by %s, not by %s", key.Fingerprint(), s.Key().Fingerprint())
	}
	return sig, nil
}

// cloneRecord copies a document with all that it points to.
func cloneRecord(d schema.Record) schema.Record {
	d.Subjects = slices.Clone(d.Subjects)
	for i := range d.Subjects {
		d.Subjects[i].Pattern = slices.Clone(d.Subjects[i].Pattern)
	}
	d.Seen = slices.Clone(d.Seen)
	d.Scopes = slices.Clone(d.Scopes)
	d.Withdraws = slices.Clone(d.Withdraws)
	if d.Source != nil {
		source := *d.Source
		d.Source = &source
	}
	return d
}
