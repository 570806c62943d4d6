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
	"strings"

	"github.com/google/renameio/v2"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/schema"
	"github.com/distributed-trust/distrust/sshsig"
)

// Private is the log of records that never leave this machine: the same files as in a home, but
// no head and no git (F5, "Private records").
type Private struct {
	dir     string
	log     records.Log
	records []records.Record
	skipped []*records.Refusal
}

// privateFile names the key and the salt that made the private log's id.
const privateFile = "log.yml"

// OpenPrivate reads the private folder. homeKeys are the keys of the home's head in their states;
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
	p := &Private{dir: dir, log: privateLog(doc, homeKeys)}
	return p, p.read()
}

// CreatePrivate makes the private folder for a key.
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
	if err := renameio.WriteFile(filepath.Join(dir, privateFile), b, 0o600); err != nil {
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

// Records are the private records, opened, in the order of their paths.
func (p *Private) Records() []records.Record { return p.records }

// Skipped says which files are no records, and why.
func (p *Private) Skipped() []*records.Refusal { return p.skipped }

// Write seals documents into the private folder and reads them back.
func (p *Private) Write(ctx context.Context, s records.Signer, docs []schema.Record, opts Options) ([]records.Record, error) {
	var written []records.Record
	for _, doc := range docs {
		doc.Log = p.log.ID
		doc.Issued = issuedAfter(p.records, doc, opts.Now)
		envelope, err := records.Seal(ctx, doc, s)
		if err != nil {
			return written, fmt.Errorf("writing private record: %w", err)
		}
		r, err := records.Open(envelope, p.log)
		if err != nil {
			return written, fmt.Errorf("writing private record: %w", err)
		}
		// The signature first: a record without one would be shown as refused.
		if err := p.put(records.SignaturePath(envelope.Path), envelope.Sig); err != nil {
			return written, fmt.Errorf("writing private record: %w", err)
		}
		if err := p.put(envelope.Path, envelope.YAML); err != nil {
			return written, fmt.Errorf("writing private record: %w", err)
		}
		written = append(written, r)
		p.records = append(p.records, r)
	}
	return written, nil
}

func (p *Private) put(path string, b []byte) error {
	file := filepath.Join(p.dir, filepath.FromSlash(path))
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	return renameio.WriteFile(file, b, 0o600)
}

// read opens every record of the folder. A file that is none is skipped alone.
func (p *Private) read() error {
	files, err := readFolder(p.dir)
	if err != nil {
		return fmt.Errorf("reading private records: %w", err)
	}
	for _, path := range sortedPaths(files) {
		if !strings.HasSuffix(path, ".yml") {
			continue
		}
		r, err := records.Open(records.Envelope{Path: path, YAML: files[path], Sig: files[records.SignaturePath(path)]}, p.log)
		if err != nil {
			p.skipped = append(p.skipped, asRefusal(path, err))
			continue
		}
		p.records = append(p.records, r)
	}
	return nil
}
