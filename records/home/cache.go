package home

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"time"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/durable"
	"github.com/distributed-trust/distrust/schema"
)

// cacheFrom is how many files may be read again at every opening before the cache is written anew.
// A home of fewer files has none.
const cacheFrom = 64

// cacheHeader is the second line of the cache; the first is its SHA-256. What follows is the text
// that root adds up (F5), so that the head of the commit vouches for it.
type cacheHeader struct {
	Format    int                   `json:"format"`
	Commit    string                `json:"commit"`
	Keys      map[string]string     `json:"keys"`
	Late      map[string]lateRecord `json:"late"`
	LateSince time.Time             `json:"late_since"`
}

const cacheFormat = 1

func (h *Home) cacheFile() string { return filepath.Join(h.tree.GitDir(), "distrust-sealed") }

// readCache gives the set that the cache remembers, or an empty one: whatever is wrong with it, the
// repository itself is read instead.
func (h *Home) readCache(ctx context.Context) set {
	b, err := os.ReadFile(h.cacheFile())
	sum, text, _ := bytes.Cut(b, []byte("\n"))
	line, text, ok := bytes.Cut(text, []byte("\n"))
	if err != nil || !ok || string(sum) != schema.RecordID(line) {
		return set{}
	}
	var header cacheHeader
	if json.Unmarshal(line, &header) != nil || header.Format != cacheFormat || !h.tree.Has(header.Commit) {
		return set{}
	}
	s := set{commit: header.Commit, keys: header.Keys, late: header.Late, lateSince: header.LateSince}
	for commit, err := range h.tree.FirstParents(ctx, header.Commit) {
		if err != nil {
			return set{}
		}
		yaml, sig, err := h.headOf(commit)
		if err != nil {
			return set{}
		}
		if s.head, err = records.OpenHead(records.HeadFile, yaml, sig); err != nil {
			return set{}
		}
		break
	}
	root := sha256.Sum256(text)
	if s.head.IsZero() || hex.EncodeToString(root[:]) != s.head.Doc().Root {
		return set{}
	}
	if s.sums, ok = parseSums(text); !ok || records.CountRecords(s.sums) != s.head.Doc().Records {
		return set{}
	}
	if s.log, err = h.logOf(s); err != nil {
		return set{}
	}
	return s
}

// parseSums reads lines as sha256sum writes them.
func parseSums(text []byte) (sums, bool) {
	all := make(sums, bytes.Count(text, []byte("\n")))
	for len(text) > 0 {
		line, rest, ok := bytes.Cut(text, []byte("\n"))
		var sum [sha256.Size]byte
		if !ok || len(line) < 2*sha256.Size+2 {
			return nil, false
		}
		if _, err := hex.Decode(sum[:], line[:2*sha256.Size]); err != nil {
			return nil, false
		}
		all[string(line[2*sha256.Size+2:])] = sum
		text = rest
	}
	return all, true
}

// writeCache remembers the sealed state when enough has changed. It is a cache: where it cannot
// be written, the next opening reads the repository.
func (h *Home) writeCache() {
	if h.sealed.commit == h.cached.commit || changed(h.cached.sums, h.sealed.sums) < cacheFrom {
		return
	}
	header, err := json.Marshal(cacheHeader{
		Format: cacheFormat, Commit: h.sealed.commit, Keys: h.sealed.keys, Late: h.sealed.late, LateSince: h.sealed.lateSince,
	})
	if err != nil {
		return
	}
	text := append([]byte(schema.RecordID(header)+"\n"), append(header, '\n')...)
	for _, path := range sortedPaths(h.sealed.sums) {
		sum := h.sealed.sums[path]
		text = hex.AppendEncode(text, sum[:])
		text = append(text, "  "+path+"\n"...)
	}
	if durable.WriteFile(h.cacheFile(), text, 0o600) == nil {
		h.cached = h.sealed
	}
}

// dropCache forgets a cache that turned out to be wrong.
func (h *Home) dropCache() {
	h.cached = set{}
	if err := os.Remove(h.cacheFile()); err != nil {
		return // it will be found wrong again, which costs time only
	}
}

// changed counts the files that differ.
func changed(before, after sums) int {
	n := 0
	for path, sum := range after {
		if old, ok := before[path]; !ok || old != sum {
			n++
		}
	}
	for path := range before {
		if _, ok := after[path]; !ok {
			n++
		}
	}
	return n
}
