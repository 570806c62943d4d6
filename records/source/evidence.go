package source

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/distributed-trust/distrust/records"
)

// maxEvidence bounds the refusals of one log that are kept: a source can make new ones for ever.
// The first ones stay.
const maxEvidence = 20

// keepEvidence writes down both heads of a refusal, each with its signature, so that anybody can
// verify them with ssh-keygen and compare. It gives the folder, "" when there are no two heads or
// enough evidence against the log already.
func keepEvidence(d Dirs, e *records.HeadError, why *Refused) (string, error) {
	if e.Pinned.IsZero() || e.Got.IsZero() {
		return "", nil
	}
	log := e.Pinned.Doc().Log
	const digits = 16
	name := fmt.Sprintf("%s-%s-%s-%s", log, e.Kind, e.Pinned.ID()[:digits], e.Got.ID()[:digits])
	dir := filepath.Join(d.evidence(), name)
	had, err := Evidence(d, log)
	if err != nil {
		return "", err
	}
	for _, known := range had {
		if known == dir {
			return dir, nil
		}
	}
	if len(had) >= maxEvidence {
		return "", nil
	}
	text, err := json.MarshalIndent(why, "", "  ")
	if err != nil {
		return "", fmt.Errorf("keeping evidence: %w", err)
	}
	files := map[string][]byte{"refused.json": append(text, '\n')}
	files["pinned.yml"], files["pinned.yml.sig"] = e.Pinned.Bytes()
	files["got.yml"], files["got.yml.sig"] = e.Got.Bytes()
	for file, b := range files {
		if err := d.write(filepath.Join(dir, file), b); err != nil {
			return "", fmt.Errorf("keeping evidence: %w", err)
		}
	}
	return dir, nil
}

// Evidence lists the folders of evidence against a log, in the order of their names. Each holds
// pinned.yml and got.yml with their signatures, and refused.json.
func Evidence(d Dirs, log string) ([]string, error) {
	entries, err := os.ReadDir(d.evidence())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("listing evidence: %w", err)
	}
	var dirs []string
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), log+"-") {
			dirs = append(dirs, filepath.Join(d.evidence(), entry.Name()))
		}
	}
	return dirs, nil
}
