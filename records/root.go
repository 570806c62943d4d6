package records

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"maps"
	"slices"
	"strings"
)

// Root adds up the files of a set to the one value that its head signs (F5): what
//
//	find records -type f | LC_ALL=C sort | xargs -r sha256sum | sha256sum
//
// prints. Files are added in the order of their paths; use [RootOf] for a map. A new Root is the
// root of the empty set.
type Root struct {
	hash    hash.Hash
	last    string
	records int64
}

// NewRoot starts with no files.
func NewRoot() *Root { return &Root{hash: sha256.New()} }

// Add adds a file by its path in the repository ("records/…") and the SHA-256 of its bytes. The
// error is about the order: a path that is not above the last one, byte for byte.
func (r *Root) Add(path string, sum [sha256.Size]byte) error {
	if path <= r.last {
		return fmt.Errorf("adding up the set: %q after %q", path, r.last)
	}
	r.add(path, sum)
	return nil
}

func (r *Root) add(path string, sum [sha256.Size]byte) {
	r.last = path
	if strings.HasSuffix(path, recordSuffix) {
		r.records++
	}
	line := make([]byte, 0, 2*sha256.Size+len(path)+3)
	line = hex.AppendEncode(line, sum[:])
	line = append(line, ' ', ' ')
	line = append(line, path...)
	line = append(line, '\n')
	r.hash.Write(line)
}

// Sum is the root of the files so far, 64 hex.
func (r *Root) Sum() string { return hex.EncodeToString(r.hash.Sum(nil)) }

// Records is how many of the files so far are records (.yml), signatures not counted.
func (r *Root) Records() int64 { return r.records }

// RootOf is the root of a whole set and the number of records in it, from the SHA-256 of every
// file under records/ by its path. Other paths must not be among them.
func RootOf(files map[string][sha256.Size]byte) string {
	return rootOf(files).Sum()
}

// CountRecords is the number of records among the files of a set: what `records` of a head says.
func CountRecords(files map[string][sha256.Size]byte) int64 {
	var n int64
	for path := range files {
		if strings.HasSuffix(path, recordSuffix) {
			n++
		}
	}
	return n
}

func rootOf(files map[string][sha256.Size]byte) *Root {
	root := NewRoot()
	for _, path := range slices.Sorted(maps.Keys(files)) {
		root.add(path, files[path])
	}
	return root
}
