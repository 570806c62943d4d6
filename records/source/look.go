package source

import (
	"context"
	"fmt"
	"os"

	"github.com/distributed-trust/distrust/records"
)

// Published is a repository as a stranger sees it who has never heard of its log: for joining a
// log from another machine, and for looking a repository over. Nothing of it is remembered.
type Published struct {
	Offer   Offer
	Heads   []records.Head // the kept ones and the published one, oldest first
	Records []records.Record
	Skipped []*records.Refusal // what of the set is not read
}

// Look fetches a repository and judges it as a first contact would, the fingerprint of spec
// included when there is one. Pins and own logs play no part and stay as they are.
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
	b := &Batch{dirs: d, options: o}
	w := newWork(b, spec, nil)
	var offer Offer
	in := &intake{report: w.report, judge: func(set *headSet) (records.Log, bool, error) {
		accepted, err := records.FirstContact(spec.Fingerprint, set.Kept, set.Published.Head, w.now())
		offer = w.offer(set)
		return accepted.Pin.Log(), false, err
	}}
	j, err := w.job(dir)
	if err == nil {
		_, err = collect(ctx, j, o.Access, in)
	}
	in.stop()
	if err != nil {
		return nil, fmt.Errorf("looking at %s: %w", spec.URL, err)
	}
	p := &Published{Offer: offer, Skipped: in.refused}
	p.Heads = records.KeptAfter(in.set.Kept, in.set.Published.Head)
	if n := len(p.Heads); n == 0 || p.Heads[n-1].ID() != in.set.Published.Head.ID() {
		p.Heads = append(p.Heads, in.set.Published.Head)
	}
	for _, e := range in.entries {
		p.Records = append(p.Records, e.Record)
	}
	return p, nil
}
