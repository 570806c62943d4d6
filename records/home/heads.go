package home

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/internal/gitstore"
	"github.com/distributed-trust/distrust/schema"
)

func sumOf(b []byte) [sha256.Size]byte { return sha256.Sum256(b) }

// nextHead signs the head that follows prev over a set of files, and gives what changes with it
// (F4). edit may change what the head says; nil leaves it. A head that a follower with that pin
// would refuse is never committed.
func (h *Home) nextHead(ctx context.Context, s records.Signer, pin records.Pin, prev set, files sums, now time.Time, edit func(*schema.Head)) (records.Head, gitstore.Change, error) {
	kept, err := h.kept(prev)
	if err != nil {
		return records.Head{}, gitstore.Change{}, err
	}
	doc := records.NextHead(prev.head, records.RootOf(files), records.CountRecords(files), now, edit)
	next, err := records.SealHead(ctx, doc, s)
	if err != nil {
		return records.Head{}, gitstore.Change{}, err
	}
	after := records.KeptAfter(kept, next)
	chain := records.Chain{Published: next, Kept: after, Between: []records.Head{pin.Head}}
	if _, err := records.Advance(pin, chain, now); err != nil {
		return records.Head{}, gitstore.Change{}, ownRefusal(err)
	}
	return next, headChange(next, kept, after, prev.keys), nil
}

// ownRefusal says what a head that followers would refuse means to the one who made it.
func ownRefusal(err error) error {
	var refused *records.HeadError
	if errors.As(err, &refused) {
		switch refused.Kind {
		case records.BadKeys, records.BadEpoch:
			return fmt.Errorf("%w: %s", ErrRecoveryNeeded, refused.Detail)
		case records.NoAuthority:
			return fmt.Errorf("%w: %s", ErrNotYourKey, refused.Detail)
		default: // the other kinds say what they mean
		}
	}
	return err
}

// headChange is what a commit does to the files that are made from a head: itself, its copies
// under keys/, and what stock tools need. keys are the paths under keys/ that are there.
func headChange(next records.Head, before, after []records.Head, keys map[string]string) gitstore.Change {
	b, sig := next.Bytes()
	c := gitstore.Change{Write: map[string][]byte{
		records.HeadFile:          b,
		records.HeadSignatureFile: sig,
		records.AllowedSigners:    records.AllowedSignersFile(next.Doc()),
	}}
	stays := map[string]bool{}
	for _, k := range after {
		path := records.HeadPath(k.Doc().Seq)
		sigPath := records.SignaturePath(path)
		stays[path], stays[sigPath] = true, true
		if k.ID() == next.ID() || keys[path] == "" || keys[sigPath] == "" {
			c.Write[path], c.Write[sigPath] = k.Bytes()
		}
	}
	// A copy of a head that was thrown away would speak against the log once its number is reached.
	goes := map[string]bool{}
	for _, k := range before {
		goes[records.HeadPath(k.Doc().Seq)] = true
	}
	for path := range keys {
		document := strings.TrimSuffix(path, ".sig")
		if !stays[path] && (goes[document] || seqOf(document) >= next.Doc().Seq) {
			c.Delete = append(c.Delete, path)
		}
	}
	slices.Sort(c.Delete)
	return c
}

// seqOf is the number of the head whose copy lies at a path under keys/; 0 when none does.
func seqOf(path string) int64 {
	number := strings.TrimSuffix(strings.TrimPrefix(path, records.KeysFolder+"/"), ".yml")
	seq, err := strconv.ParseInt(number, 10, 64)
	if err != nil || records.HeadPath(seq) != path {
		return 0
	}
	return seq
}
