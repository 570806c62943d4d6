package home

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/durable"
	"github.com/distributed-trust/distrust/records/index"
	"github.com/distributed-trust/distrust/schema"
	"github.com/distributed-trust/distrust/sshsig"
)

// Private is the log of records that never leave this machine: the same files as in a home, but
// no head and no git (F5, "Private records").
type Private struct {
	dir     string
	log     records.Log
	opened  []records.Record // once somebody asked
	skipped []*records.Refusal

	files   map[string]string // what lies there, once somebody looked, by path (look)
	before  string            // the stamp of that, before anything was written
	written []records.Record  // since then
}

// privateFile names the key and the salt that made the private log's id.
const privateFile = "log.yml"

// OpenPrivate opens the private folder. homeKeys are the keys of the home's head in their states;
// besides them the key that the folder was made with may sign. The error is [ErrNoHome] when
// there is no such folder.
func OpenPrivate(dir string, homeKeys []schema.Key) (*Private, error) {
	file := filepath.Join(dir, privateFile)
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("opening private records: %w", ErrNoHome)
	}
	if err != nil {
		return nil, fmt.Errorf("opening private records: %w", err)
	}
	doc, err := schema.ParsePrivateLog(file, b)
	if err != nil {
		return nil, fmt.Errorf("opening private records: %w", err)
	}
	key, err := sshsig.ParseKey(doc.Key)
	if err != nil {
		return nil, fmt.Errorf("opening private records: %s: %w", file, err)
	}
	if records.LogID(key, doc.Salt) != doc.Log {
		return nil, fmt.Errorf("opening private records: %s: log is not made of key and salt (F5)", file)
	}
	return &Private{dir: dir, log: privateLog(doc, homeKeys)}, nil
}

// CreatePrivate makes the private folder for a key. One that is there already is an error that is
// fs.ErrExist: its log id is part of every record in it.
func CreatePrivate(dir string, key sshsig.Key, homeKeys []schema.Key, rand io.Reader) (*Private, error) {
	salt := records.NewSalt(rand)
	doc := &schema.PrivateLog{Log: records.LogID(key, salt), Key: key.String(), Salt: salt}
	b, err := doc.Marshal()
	if err != nil {
		return nil, fmt.Errorf("creating private records: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("creating private records: %w", err)
	}
	file := filepath.Join(dir, privateFile)
	if _, err := os.Lstat(file); err == nil {
		return nil, fmt.Errorf("creating private records: %s: %w", file, fs.ErrExist)
	}
	if err := durable.WriteFile(file, b, 0o600); err != nil {
		return nil, fmt.Errorf("creating private records: %w", err)
	}
	return &Private{dir: dir, log: privateLog(doc, homeKeys)}, nil
}

// privateLog is what may sign: the chosen key, unless the home knows better about its state, and
// the home's keys.
func privateLog(doc *schema.PrivateLog, homeKeys []schema.Key) records.Log {
	log := records.Log{ID: doc.Log, Keys: slices.Clone(homeKeys)}
	known := slices.ContainsFunc(homeKeys, func(k schema.Key) bool { return k.Key == doc.Key })
	if !known {
		log.Keys = append(log.Keys, schema.Key{Key: doc.Key, Name: "private", State: schema.Active})
	}
	return log
}

// Log is the private log with the keys that may sign in it.
func (p *Private) Log() records.Log { return p.log }

// Dir is the folder that the records lie in.
func (p *Private) Dir() string { return p.dir }

// Records are the private records, verified, in the order of their paths. A file that is none is
// skipped alone.
func (p *Private) Records(ctx context.Context) ([]records.Record, error) {
	if p.opened != nil {
		return p.opened, nil
	}
	if err := p.look(ctx); err != nil { // first: what changes from here on is noticed by the next one who looks
		return nil, err
	}
	files, skipped, err := readFolder(ctx, p.dir)
	if err != nil {
		return nil, fmt.Errorf("reading private records: %w", err)
	}
	opened := []records.Record{}
	for _, path := range sortedPaths(files) {
		if !isRecord(path) {
			continue
		}
		r, err := records.Open(records.Envelope{Path: path, YAML: files[path], Sig: files[records.SignaturePath(path)]}, p.log)
		if err != nil {
			skipped = append(skipped, asRefusal(path, err))
			continue
		}
		opened = append(opened, r)
	}
	p.opened, p.skipped = opened, skipped
	return opened, nil
}

// Skipped says which of the files that were read are no records, and why.
func (p *Private) Skipped() []*records.Refusal { return p.skipped }

// Write seals documents into the private folder and reads them back. The key must be an active one
// of those that may sign there; else a *[SignerError]. known is as for [Private.Update].
func (p *Private) Write(ctx context.Context, s records.Signer, docs []schema.Record, known *index.Generation, opts Options) ([]records.Record, error) {
	written, err := p.write(ctx, s, docs, known, opts)
	if err != nil {
		return written, fmt.Errorf("writing private records: %w", err)
	}
	return written, nil
}

func (p *Private) write(ctx context.Context, s records.Signer, docs []schema.Record, known *index.Generation, opts Options) ([]records.Record, error) {
	if err := checkSigner(p.log.Keys, s.Key()); err != nil {
		return nil, err
	}
	latest, err := p.latest(ctx, known, opts.Now)
	if err != nil {
		return nil, err
	}
	var written []records.Record
	for _, doc := range docs {
		doc.Log = p.log.ID
		doc.Issued = latest.next(doc, opts.Now)
		envelope, err := records.Seal(ctx, doc, s)
		if err != nil {
			return written, err
		}
		r, err := records.Open(envelope, p.log)
		if err != nil {
			return written, err
		}
		if err := p.putEnvelope(envelope); err != nil {
			return written, err
		}
		written = append(written, r)
		p.written = append(p.written, r)
		if p.opened != nil {
			p.opened = append(p.opened, r)
		}
	}
	return written, nil
}

// SignAgain signs with another key what a key, which is compromised now, signed before a time: nothing
// here has a head that could keep it. It gives how many records that were.
func (p *Private) SignAgain(ctx context.Context, s records.Signer, key sshsig.Key, before time.Time) (int, error) {
	all, err := p.Records(ctx)
	if err != nil {
		return 0, err
	}
	stands, _ := signedBy(all, key, before)
	for i, r := range stands {
		e, err := records.Seal(ctx, r.Doc(), s)
		if err == nil {
			err = p.putEnvelope(e)
		}
		if err != nil {
			return i, fmt.Errorf("signing private records again: %w", err)
		}
	}
	p.opened, p.files, p.written = nil, nil, nil
	return len(stands), nil
}

// putEnvelope writes a record, the signature first: a record without one would be shown as refused.
// What is known of the folder's files goes with it.
func (p *Private) putEnvelope(e records.Envelope) error {
	if err := p.put(records.SignaturePath(e.Path), e.Sig); err != nil {
		return err
	}
	return p.put(e.Path, e.YAML)
}

func (p *Private) put(path string, b []byte) error {
	file := filepath.Join(p.dir, filepath.FromSlash(path))
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	if err := durable.WriteFile(file, b, 0o600); err != nil {
		return err
	}
	info, err := os.Lstat(file)
	if err == nil && p.files != nil {
		p.files[path] = durable.Stamp(info)
	}
	return err
}
