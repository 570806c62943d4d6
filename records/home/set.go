package home

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/internal/gitstore"
	"github.com/distributed-trust/distrust/schema"
)

// sums is the SHA-256 of every file under records/ by its path: what root adds up (F5).
type sums map[string][sha256.Size]byte

// set is what a head binds at one commit, without the bytes. Nobody changes the maps of a set that
// was made.
type set struct {
	commit string
	head   records.Head
	log    records.Log // with the keys that raised epochs left out
	sums   sums
	keys   map[string]string // path under keys/ -> blob id

	// Records that may be newer than one made now: those issued at or after lateSince.
	late      map[string]lateRecord
	lateSince time.Time
}

// lateRecord is where a record of the newest second lies, and when it was issued.
type lateRecord struct {
	Blob   string    `json:"blob"`
	Issued time.Time `json:"issued"`
}

// paths are the paths of the set's records, sorted.
func (s set) paths() []string {
	var paths []string
	for path := range s.sums {
		if isRecord(path) {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	return paths
}

func isRecord(path string) bool { return strings.HasSuffix(path, ".yml") }

func inFolder(path, folder string) bool { return strings.HasPrefix(path, folder+"/") }

// stateOf finds the newest commit along first parents of tip that its own head vouches for
// (F5.5), and counts the commits above it. Only what differs from known is read.
func (h *Home) stateOf(ctx context.Context, tip string, known set) (set, int, error) {
	if tip == known.commit {
		return known, 0, nil
	}
	var last set
	state, err := records.PublishedState(func(yield func(records.Commit, error) bool) {
		for commit, err := range h.tree.FirstParents(ctx, tip) {
			c := records.Commit{ID: commit.ID}
			if err == nil {
				c.Head, c.Sig, err = h.headOf(commit)
			}
			c.Set = func() (string, int64, error) {
				var err error
				if last, err = h.setAt(ctx, commit.ID, known); err != nil {
					return "", 0, unfit(err)
				}
				return records.RootOf(last.sums), records.CountRecords(last.sums), nil
			}
			if !yield(c, err) || err != nil {
				return
			}
		}
	})
	var none *records.UnpublishedError
	switch {
	case errors.As(err, &none) && none.Heads == 0:
		return set{}, 0, fmt.Errorf("%w: %w", ErrNotHome, err)
	case errors.As(err, &none):
		return set{}, 0, fmt.Errorf("%w: %w", ErrUnsealed, err)
	case err != nil:
		return set{}, 0, err
	}
	last.settle(state.Head)
	last.log, err = h.logOf(last)
	return last, state.Unsealed, err
}

// headOf reads the head of a commit and its signature; nil when there is none.
func (h *Home) headOf(commit gitstore.Commit) (b, sig []byte, err error) {
	if commit.Head == "" {
		return nil, nil, nil
	}
	if b, err = h.tree.Blob(commit.Head, schema.MaxHeadBytes); err == nil && commit.HeadSig != "" {
		sig, err = h.tree.Blob(commit.HeadSig, schema.MaxSignatureBytes)
	}
	var limit *gitstore.LimitError
	if errors.As(err, &limit) {
		return []byte{}, nil, nil // too long to be a head, which is no reason to stop (F5.5)
	}
	return b, sig, err
}

// unfit marks what is wrong with a tree itself, so that an older commit may still fit (F4).
func unfit(err error) error {
	var hostile *gitstore.HostileError
	var limit *gitstore.LimitError
	if errors.As(err, &hostile) || errors.As(err, &limit) {
		return fmt.Errorf("%w: %w", records.ErrUnfit, err)
	}
	return err
}

// setAt adds up what a commit holds. The head is for the caller to settle.
func (h *Home) setAt(ctx context.Context, commit string, known set) (set, error) {
	changes, err := h.tree.Diff(ctx, known.commit, commit, gitstore.DefaultLimits())
	if err != nil {
		return set{}, err
	}
	s := set{commit: commit, sums: sums{}, keys: map[string]string{}, late: map[string]lateRecord{}, lateSince: known.lateSince}
	maps.Copy(s.sums, known.sums)
	maps.Copy(s.keys, known.keys)
	maps.Copy(s.late, known.late)
	for _, c := range changes {
		if err := ctx.Err(); err != nil {
			return set{}, err
		}
		if err := s.take(h, c); err != nil {
			return set{}, fmt.Errorf("reading %s: %w", c.Path, err)
		}
	}
	return s, nil
}

// take brings one file that differs into the set.
func (s *set) take(h *Home, c gitstore.FileChange) error {
	switch {
	case inFolder(c.Path, records.KeysFolder) && c.New == "":
		delete(s.keys, c.Path)
	case inFolder(c.Path, records.KeysFolder):
		s.keys[c.Path] = c.New
	case inFolder(c.Path, records.RecordsFolder):
		delete(s.late, c.Path)
		if c.New == "" {
			delete(s.sums, c.Path)
			return nil
		}
		b, err := h.tree.Blob(c.New, schema.MaxRecordBytes)
		if err != nil {
			return err
		}
		s.sums[c.Path] = sha256.Sum256(b)
		if !isRecord(c.Path) {
			return nil
		}
		if doc, err := schema.ParseRecord(c.Path, b); err == nil && !doc.Issued.Before(s.lateSince) {
			s.late[c.Path] = lateRecord{Blob: c.New, Issued: doc.Issued}
		}
	}
	return nil
}

// settle gives the set its head. What was issued before the head's own time is late no more.
func (s *set) settle(head records.Head) {
	s.head = head
	if issued := head.Doc().Issued; issued.After(s.lateSince) {
		s.lateSince = issued
		maps.DeleteFunc(s.late, func(_ string, r lateRecord) bool { return r.Issued.Before(issued) })
	}
}

// kept opens the heads under keys/ that belong to the set. Files above its head are ignored
// (F5.5), and so is what is none.
func (h *Home) kept(s set) ([]records.Head, error) {
	var kept []records.Head
	for path, blob := range s.keys {
		if !isRecord(path) {
			continue
		}
		b, err := h.tree.Blob(blob, schema.MaxHeadBytes)
		var sig []byte
		if err == nil && s.keys[records.SignaturePath(path)] != "" {
			sig, err = h.tree.Blob(s.keys[records.SignaturePath(path)], schema.MaxSignatureBytes)
		}
		var limit *gitstore.LimitError
		if err != nil && !errors.As(err, &limit) {
			return nil, fmt.Errorf("reading %s: %w", path, err)
		}
		if head, err := records.OpenKept(path, b, sig); err == nil && head.Compare(s.head) <= 0 {
			kept = append(kept, head)
		}
	}
	slices.SortFunc(kept, func(a, b records.Head) int { return cmp.Compare(a.Doc().Seq, b.Doc().Seq) })
	return kept, nil
}

// logOf is the log of a set with the keys that raised epochs left out, as compromised, so that their
// records are void instead of unknown (F5.4). The kept heads of earlier epochs listed them.
func (h *Home) logOf(s set) (records.Log, error) {
	pin, doc := records.Pin{Head: s.head}, s.head.Doc()
	if doc.Epoch == 0 {
		return pin.Log(), nil
	}
	kept, err := h.kept(s)
	for _, k := range kept {
		for _, key := range k.Doc().Keys {
			if _, listed := findKey(doc.Keys, key.Key); listed == nil {
				pin.Dropped = append(pin.Dropped, key.Key)
			}
		}
	}
	slices.Sort(pin.Dropped)
	pin.Dropped = slices.Compact(pin.Dropped)
	return pin.Log(), err
}

// errOtherBytes means that a file is not what the head says, so the cache was wrong.
var errOtherBytes = errors.New("the bytes are not those that the head names")

// openFiles opens records of a set by their paths. A file that is none is skipped alone, and noted.
func (h *Home) openFiles(ctx context.Context, s set, paths []string) ([]records.Record, error) {
	opened := make([]records.Record, 0, len(paths))
	if len(paths) == 0 {
		return opened, nil
	}
	snapshot, err := h.filesOf(ctx, s, paths)
	if err != nil {
		return nil, err
	}
	for _, path := range paths {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		envelope := records.Envelope{Path: path}
		if envelope.YAML, err = h.read(s, snapshot, path); err == nil {
			envelope.Sig, err = h.read(s, snapshot, records.SignaturePath(path))
		}
		if err != nil {
			return nil, err
		}
		r, err := records.Open(envelope, s.log)
		if err != nil {
			h.skip(asRefusal(path, err))
			continue
		}
		opened = append(opened, r)
	}
	return opened, nil
}

// skip notes a file that is no record, once.
func (h *Home) skip(r *records.Refusal) {
	if !slices.ContainsFunc(h.skipped, func(o *records.Refusal) bool { return o.Path == r.Path }) {
		h.skipped = append(h.skipped, r)
	}
}

// filesOf finds the blobs of records and their signatures. For a few that are new since the home
// was opened, only the folders that differ are read.
func (h *Home) filesOf(ctx context.Context, s set, paths []string) (map[string]string, error) {
	if h.first.commit != s.commit {
		changes, err := h.tree.Diff(ctx, h.first.commit, s.commit, gitstore.DefaultLimits())
		if err != nil {
			return nil, err
		}
		files := map[string]string{}
		for _, c := range changes {
			files[c.Path] = c.New
		}
		if !slices.ContainsFunc(paths, func(path string) bool {
			_, signed := s.sums[records.SignaturePath(path)]
			return files[path] == "" || signed && files[records.SignaturePath(path)] == ""
		}) {
			return files, nil
		}
	}
	snapshot, err := h.tree.Snapshot(ctx, s.commit, gitstore.DefaultLimits())
	if err != nil {
		return nil, err
	}
	return snapshot.Files, nil
}

// read gives the bytes of a file of the set, nil when it has none, and holds them to the sum that
// the head's root was made of.
func (h *Home) read(s set, files map[string]string, path string) ([]byte, error) {
	sum, ok := s.sums[path]
	if !ok {
		return nil, nil
	}
	b, err := h.tree.Blob(files[path], schema.MaxRecordBytes)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	if sha256.Sum256(b) != sum {
		h.dropCache()
		return nil, fmt.Errorf("reading %s: %w", path, errOtherBytes)
	}
	return b, nil
}
