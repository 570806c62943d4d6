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
}

// errNotSealed means that a commit's head does not name the commit's records.
var errNotSealed = errors.New("the head does not name these records")

// maxUnsealed is how many commits may lie above the published state (F5.5).
const maxUnsealed = 1000

// published finds the newest commit along first parents that its own head vouches for (F5.5) and
// counts the commits above it.
func published(ctx context.Context, tree *gitstore.Worktree, tip string) (set, int, error) {
	unsealed := 0
	sawHead := false
	for commit, err := range tree.FirstParents(ctx, tip) {
		if err != nil {
			return set{}, 0, err
		}
		if unsealed >= maxUnsealed {
			break
		}
		if commit.Head != "" {
			sawHead = true
			s, err := readSet(ctx, tree, commit.ID)
			if err == nil {
				return s, unsealed, nil
			}
			if ctx.Err() != nil {
				return set{}, 0, ctx.Err()
			}
		}
		unsealed++
	}
	if !sawHead {
		return set{}, 0, ErrNotHome
	}
	return set{}, 0, fmt.Errorf("%w: no commit has a head that names its records", ErrUnsealed)
}

// readSet reads the set of a commit and holds it against its head.
func readSet(ctx context.Context, repo repository, commit string) (set, error) {
	snapshot, err := repo.Snapshot(ctx, commit, gitstore.DefaultLimits())
	if err != nil {
		return set{}, err
	}
	s := set{commit: commit, files: snapshot.Files, sums: map[string][sha256.Size]byte{}}
	content, err := s.readFiles(ctx, repo)
	if err != nil {
		return set{}, err
	}
	s.head, err = records.OpenHead(records.HeadFile, content[records.HeadFile], content[records.HeadSignatureFile])
	if err != nil {
		return set{}, err
	}
	doc := s.head.Doc()
	if records.RootOf(s.sums) != doc.Root || records.CountRecords(s.sums) != doc.Records {
		return set{}, errNotSealed
	}
	s.open(content)
	return s, nil
}

// readFiles reads every file of ours and adds up those under records/.
func (s *set) readFiles(ctx context.Context, repo repository) (map[string][]byte, error) {
	content := make(map[string][]byte, len(s.files))
	for _, path := range slices.Sorted(maps.Keys(s.files)) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		b, err := repo.Blob(s.files[path], schema.MaxRecordBytes)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", path, err)
		}
		content[path] = b
		if strings.HasPrefix(path, records.RecordsFolder+"/") {
			s.sums[path] = sha256.Sum256(b)
		}
	}
	return content, nil
}

// open opens the kept heads and the records. What cannot be opened is skipped alone.
func (s *set) open(content map[string][]byte) {
	log := s.head.Log()
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
