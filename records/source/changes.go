package source

import (
	"encoding/hex"
	"strings"

	"github.com/distributed-trust/distrust/records"
)

// difference is what a set gained and lost between two lists of its files.
type difference struct {
	records []int     // places in the list after of what is to be opened: new, with other bytes or under another signature, or skipped before
	removed []removal // records that were in the set, and are not now
	strays  []string  // new files that are neither a record nor its signature
}

// removal is a record that left the set, by the id that it had.
type removal struct{ path, id string }

// compareLists compares two lists. Records and strays at the paths in again count as new.
func compareLists(before, after *fileList, again map[string]bool) difference {
	var d difference
	if len(before.files) == 0 {
		d.records = make([]int, 0, len(after.files)/2) // beside each its signature
	}
	for i, f := range after.files {
		if inFolder(f.path, records.RecordsFolder) {
			d.file(i, before, after, again[f.path])
		}
	}
	for _, f := range before.files {
		if !inFolder(f.path, records.RecordsFolder) || !isRecord(f.path) {
			continue
		}
		if _, still := after.find(f.path); !still {
			d.removed = append(d.removed, removal{f.path, hex.EncodeToString(f.sum[:])})
		}
	}
	return d
}

// file compares the file at a place, and with a record its signature.
func (d *difference) file(i int, before, after *fileList, again bool) {
	f := after.files[i]
	old, had := before.find(f.path)
	if !isRecord(f.path) {
		path, isSig := strings.CutSuffix(f.path, records.SignaturePath(""))
		if _, beside := after.find(path); isSig && isRecord(path) && beside {
			return // it comes with its record
		}
		if !had || again {
			d.strays = append(d.strays, f.path)
		}
		return
	}
	sig, signed := after.find(records.SignaturePath(f.path))
	oldSig, wasSigned := before.find(records.SignaturePath(f.path))
	if had && old.sum == f.sum && signed == wasSigned && oldSig.sum == sig.sum && !again {
		return
	}
	if had && old.sum != f.sum { // other bytes in its place: another record
		d.removed = append(d.removed, removal{f.path, hex.EncodeToString(old.sum[:])})
	}
	d.records = append(d.records, i)
}

func isRecord(path string) bool { return strings.HasSuffix(path, ".yml") }
