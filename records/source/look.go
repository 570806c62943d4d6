package source

import (
	"cmp"
	"context"
	"errors"
	"os"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/index"
	"github.com/distributed-trust/distrust/records/internal/gitstore"
)

// Published is a repository as a stranger sees it who has never heard of its log: for joining a
// log from another machine, and for looking a repository over. Nothing of it is remembered.
type Published struct {
	Offer   Offer
	Log     records.Log    // with what its records are opened, and which of them are void (F5.8)
	Heads   []records.Head // the kept ones and the published one, oldest first
	Records []records.Record
	Skipped []*records.Refusal // what of the set is not read
	Tip     error              // why the newest commit is not the published state; nil when it is
	Files   int                // of the set, under records/ and keys/
	Bytes   int64              // of these files

	// Beside is what lies at the top of the newest commit, as [records.Beside] takes it.
	Beside map[string][]byte
}

// Look fetches a repository and judges it as a first contact would, the fingerprint of spec
// included when there is one, and with the same errors. Pins and own logs play no part and stay as
// they are.
func Look(ctx context.Context, d Dirs, spec Spec, o Options) (*Published, error) {
	lock, err := lockSync(ctx, d, func() {})
	if err != nil {
		return nil, err
	}
	defer lock.Unlock()
	dir, err := d.temporary()
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	w := newWork(&Batch{dirs: d, options: o}, spec, nil)
	p := &Published{}
	take := func(r records.Record) error {
		p.Records = append(p.Records, r)
		return nil
	}
	in := &intake{report: w.report, take: take, whole: true, judge: func(set *headSet) (records.Log, bool, error) {
		accepted, err := records.FirstContact(spec.Fingerprint, set.Kept, set.Published.Head, w.now())
		p.Offer, p.Log, p.Tip, p.Beside = w.offer(set), accepted.Pin.Log(), set.Published.Tip, set.Beside
		return p.Log, false, err
	}}
	j, err := w.job(dir)
	if err != nil {
		return nil, err
	}
	j.Beside = true
	found, err := w.collect(ctx, j, in)
	if err := cmp.Or(err, in.stop()); err != nil {
		return nil, err
	}
	// What a first contact is refused for once its records are known (F7).
	if err := w.checkLimits(&change{in: in, whole: true, kept: &keptReports{}}, &index.Update{}); err != nil {
		return nil, err
	}
	p.Skipped, p.Files = in.refused, len(found.list.files)
	if _, _, p.Bytes, err = found.list.root(); err != nil {
		return nil, err
	}
	p.Heads = records.KeptAfter(in.set.Kept, in.set.Published.Head)
	if n := len(p.Heads); n == 0 || p.Heads[n-1].ID() != in.set.Published.Head.ID() {
		p.Heads = append(p.Heads, in.set.Published.Head)
	}
	return p, nil
}

// beside reads what lies at the top of a commit: with job.Beside all of it.
func (c *collector) beside(commit string) (map[string][]byte, error) {
	names, err := c.store.Top(commit)
	if err != nil {
		return nil, err
	}
	top := map[string][]byte{}
	for name, blob := range names {
		if !c.job.Beside && name != records.AllowedSigners {
			continue
		}
		var b []byte
		if blob != "" && records.ReadBeside(name) {
			b, err = c.blob(blob, records.MaxBesideBytes)
			if errors.Is(err, gitstore.ErrNotFound) {
				continue // not sent; what lies beside a set is no reason to refuse the set
			}
			if err != nil {
				return nil, err
			}
		}
		top[name] = b
	}
	return top, nil
}
