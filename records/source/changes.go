package source

import (
	"context"
	"encoding/hex"
	"strings"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/schema"
)

// changes hands over what the set gained and lost between two lists.
func (c *collector) changes(ctx context.Context, before, list *fileList, to sink) error {
	for _, f := range list.files {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		if !inFolder(f.path, records.RecordsFolder) {
			continue
		}
		if err := c.change(f, before, list, to); err != nil {
			return err
		}
	}
	for _, f := range before.files {
		if _, still := list.find(f.path); still || !isRecord(f.path) {
			continue
		}
		if err := to.removed(f.path, hex.EncodeToString(f.sum[:])); err != nil {
			return err
		}
	}
	return nil
}

// change hands over one file, or with a signature whose record is as it was, that record.
func (c *collector) change(f file, before, list *fileList, to sink) error {
	if !isRecord(f.path) {
		path, isSig := strings.CutSuffix(f.path, records.SignaturePath(""))
		if _, beside := list.find(path); !isSig || !isRecord(path) || !beside {
			if _, known := before.find(f.path); known && !c.job.Skipped[f.path] {
				return nil
			}
			return to.stray(f.path)
		}
		return nil // it comes with its record
	}
	sig, signed := list.find(records.SignaturePath(f.path))
	oldSig, wasSigned := before.find(records.SignaturePath(f.path))
	old, had := before.find(f.path)
	if had && old.sum == f.sum && signed == wasSigned && oldSig.sum == sig.sum && !c.job.Skipped[f.path] {
		return nil
	}
	if had && old.sum != f.sum { // other bytes in its place: another record
		if err := to.removed(f.path, hex.EncodeToString(old.sum[:])); err != nil {
			return err
		}
	}
	doc, signature, err := c.document(headBlob{f.blob, sig.blob}, schema.MaxRecordBytes)
	if err != nil {
		return err
	}
	return to.record(records.Envelope{Path: f.path, YAML: doc, Sig: signature})
}

func isRecord(path string) bool { return strings.HasSuffix(path, ".yml") }
