package source

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/schema"
)

// keptReports are the reports of a log that left its set (F5.7), and the withdraws that left it
// with them: each a record file with its signature, named by its id.
type keptReports struct {
	dirs    Dirs
	dir     string
	records []records.Record // on the disk, opened
	broken  []string         // ids of files that no longer open; kept as they are
	add     []records.Record // to write before the set without them counts
	drop    []string         // ids that are in the set again, removed after the pin
}

// readKept opens the kept reports of a log.
func readKept(d Dirs, log records.Log) (*keptReports, error) {
	k := &keptReports{dirs: d, dir: d.kept(log.ID)}
	entries, err := os.ReadDir(k.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return k, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading kept reports: %w", err)
	}
	for _, entry := range entries {
		id, ok := strings.CutSuffix(entry.Name(), ".yml")
		if !ok || len(id) != 64 || !lowerHex(id) {
			continue
		}
		r, err := k.open(id, log)
		if err != nil {
			k.broken = append(k.broken, id)
			continue
		}
		k.records = append(k.records, r)
	}
	return k, nil
}

// open opens one kept report as it lay in its repository.
func (k *keptReports) open(id string, log records.Log) (records.Record, error) {
	yaml, err := readBounded(k.file(id), schema.MaxRecordBytes)
	if err != nil {
		return records.Record{}, err
	}
	sig, err := readBounded(records.SignaturePath(k.file(id)), schema.MaxSignatureBytes)
	if err != nil {
		return records.Record{}, err
	}
	doc, err := schema.ParseRecord(id, yaml)
	if err != nil {
		return records.Record{}, err
	}
	if schema.RecordID(yaml) != id {
		return records.Record{}, errors.New("its bytes are not those of its id")
	}
	return records.Open(records.Envelope{Path: records.Path(*doc, id), YAML: yaml, Sig: sig}, log)
}

func (k *keptReports) file(id string) string { return filepath.Join(k.dir, id+".yml") }

func (k *keptReports) has(id string) bool {
	for _, r := range k.records {
		if r.ID() == id {
			return true
		}
	}
	return false
}

// write puts new ones on the disk; the record comes last and makes its signature count.
func (k *keptReports) write() error {
	for _, r := range k.add {
		e := r.Envelope()
		if err := k.dirs.write(records.SignaturePath(k.file(r.ID())), e.Sig); err != nil {
			return fmt.Errorf("keeping report %s: %w", r.ID(), err)
		}
		if err := k.dirs.write(k.file(r.ID()), e.YAML); err != nil {
			return fmt.Errorf("keeping report %s: %w", r.ID(), err)
		}
	}
	return nil
}

// clear removes those that are in the set again.
func (k *keptReports) clear() error {
	for _, id := range k.drop {
		for _, file := range []string{k.file(id), records.SignaturePath(k.file(id))} {
			if err := k.dirs.remove(file); err != nil {
				return fmt.Errorf("dropping kept report %s: %w", id, err)
			}
		}
	}
	return nil
}

// count is how many will be kept.
func (k *keptReports) count() int {
	return len(k.records) + len(k.broken) + len(k.add) - len(k.drop)
}
