package home

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/internal/gitstore"
	"github.com/distributed-trust/distrust/schema"
)

// repository is what reading a set needs: a store or a work tree.
type repository interface {
	Snapshot(ctx context.Context, commit string, l gitstore.Limits) (*gitstore.Snapshot, error)
	Blob(id string, limit int64) ([]byte, error)
}

// set is everything that one commit holds of a log.
type set struct {
	commit  string
	head    records.Head
	kept    []records.Head
	records []records.Record
	skipped []*records.Refusal
	sums    map[string][sha256.Size]byte // path under records/ -> SHA-256
	files   map[string]string            // path of ours -> blob id
	content map[string][]byte            // path of ours -> bytes, until they are opened
}

// errNotSealed means that a commit's head does not name the commit's records.
var errNotSealed = errors.New("the head does not name these records")

// published finds the newest commit along first parents that its own head vouches for (F5.5) and
// counts the commits above it.
func published(ctx context.Context, tree *gitstore.Worktree, tip string) (set, int, error) {
	var last set
	state, err := records.PublishedState(func(yield func(records.Commit, error) bool) {
		for commit, err := range tree.FirstParents(ctx, tip) {
			c := records.Commit{ID: commit.ID}
			if err == nil {
				c.Head, c.Sig, err = headOf(tree, commit)
			}
			c.Set = func() (string, int64, error) {
				var err error
				if last, err = readFiles(ctx, tree, commit.ID); err != nil {
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
	last.head = state.Head
	last.open()
	return last, state.Unsealed, nil
}

// headOf reads the head of a commit and its signature; nil when there is none.
func headOf(repo repository, commit gitstore.Commit) (b, sig []byte, err error) {
	if commit.Head == "" {
		return nil, nil, nil
	}
	if b, err = repo.Blob(commit.Head, schema.MaxHeadBytes); err != nil || commit.HeadSig == "" {
		return b, nil, err
	}
	sig, err = repo.Blob(commit.HeadSig, schema.MaxSignatureBytes)
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

// readSet reads the set of a commit and holds it against its head.
func readSet(ctx context.Context, repo repository, commit string) (set, error) {
	s, err := readFiles(ctx, repo, commit)
	if err != nil {
		return set{}, err
	}
	s.head, err = records.OpenHead(records.HeadFile, s.content[records.HeadFile], s.content[records.HeadSignatureFile])
	if err != nil {
		return set{}, err
	}
	doc := s.head.Doc()
	if records.RootOf(s.sums) != doc.Root || records.CountRecords(s.sums) != doc.Records {
		return set{}, errNotSealed
	}
	s.open()
	return s, nil
}

// readFiles reads every file of ours at a commit and adds up those under records/.
func readFiles(ctx context.Context, repo repository, commit string) (set, error) {
	snapshot, err := repo.Snapshot(ctx, commit, gitstore.DefaultLimits())
	if err != nil {
		return set{}, err
	}
	s := set{commit: commit, files: snapshot.Files, sums: map[string][sha256.Size]byte{}, content: make(map[string][]byte, len(snapshot.Files))}
	for _, path := range slices.Sorted(maps.Keys(s.files)) {
		if err := ctx.Err(); err != nil {
			return set{}, err
		}
		b, err := repo.Blob(s.files[path], schema.MaxRecordBytes)
		if err != nil {
			return set{}, fmt.Errorf("reading %s: %w", path, err)
		}
		s.content[path] = b
		if strings.HasPrefix(path, records.RecordsFolder+"/") {
			s.sums[path] = sha256.Sum256(b)
		}
	}
	return s, nil
}

// open opens the kept heads and the records. What cannot be opened is skipped alone.
func (s *set) open() {
	content, log := s.content, s.head.Log()
	s.content = nil
	for _, path := range slices.Sorted(maps.Keys(content)) {
		folder, _, _ := strings.Cut(path, "/")
		document := strings.HasSuffix(path, ".yml")
		switch {
		case folder == records.KeysFolder && document:
			kept, err := records.OpenKept(path, content[path], content[records.SignaturePath(path)])
			if err == nil && below(kept, s.head) {
				s.kept = append(s.kept, kept)
			}
		case folder == records.RecordsFolder && document:
			envelope := records.Envelope{Path: path, YAML: content[path], Sig: content[records.SignaturePath(path)]}
			r, err := records.Open(envelope, log)
			if err != nil {
				s.skipped = append(s.skipped, asRefusal(path, err))
				continue
			}
			s.records = append(s.records, r)
		}
	}
	slices.SortFunc(s.kept, func(a, b records.Head) int { return int(a.Doc().Seq - b.Doc().Seq) })
}

// below says whether a kept head belongs to the state of h; files above it are ignored (F5.5).
func below(kept, h records.Head) bool {
	a, b := kept.Doc(), h.Doc()
	return a.Epoch < b.Epoch || a.Epoch == b.Epoch && a.Seq <= b.Seq
}

func sumOf(b []byte) [sha256.Size]byte { return sha256.Sum256(b) }
