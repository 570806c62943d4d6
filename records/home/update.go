package home

import (
	"context"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/index"
)

// Update is what an index has to take in to hold the published state. known is the id of the head
// that it holds now: when the home was opened at that very head, only what changed since is read
// and given, else the whole set; so with an empty known, too.
func (h *Home) Update(ctx context.Context, known string) (index.Update, error) {
	log := h.sealed.log
	u := index.Update{Log: log.ID, Head: h.sealed.head, Keys: log}
	if known != h.first.head.ID() || !sameKeys(h.first.head, h.sealed.head) {
		all, err := h.Records(ctx)
		u.Replace, u.Add = true, entries(all, log)
		return u, err
	}
	var paths []string
	for path := range h.sealed.sums {
		if isRecord(path) && (differs(path, h.first.sums, h.sealed.sums) || differs(records.SignaturePath(path), h.first.sums, h.sealed.sums)) {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	added, err := h.openFiles(ctx, h.sealed, paths)
	if err != nil {
		return u, fmt.Errorf("reading new records: %w", err)
	}
	u.Add = entries(added, log)
	for path, sum := range h.first.sums {
		if isRecord(path) && (differs(path, h.first.sums, h.sealed.sums) || differs(records.SignaturePath(path), h.first.sums, h.sealed.sums)) {
			u.Remove = append(u.Remove, hex.EncodeToString(sum[:])) // a record's id is the sum of its file (F2)
		}
	}
	slices.Sort(u.Remove)
	for _, e := range u.Add {
		u.Remove = slices.DeleteFunc(u.Remove, func(id string) bool { return id == e.Record.ID() })
	}
	return u, nil
}

func differs(path string, before, after sums) bool {
	old, was := before[path]
	sum, is := after[path]
	return was != is || old != sum
}

// sameKeys says whether two heads list the same keys, so that the same records open.
func sameKeys(a, b records.Head) bool {
	keys := func(h records.Head) map[string]bool {
		all := map[string]bool{}
		for _, k := range h.Doc().Keys {
			all[k.Key] = true
		}
		return all
	}
	return maps.Equal(keys(a), keys(b))
}

// Update is what an index has to take in to hold the private folder. known is that index; nil when it
// cannot be read. When it holds what lay in the folder before this Private wrote, only what it wrote is
// given, else the whole set.
func (p *Private) Update(ctx context.Context, known *index.Generation) (index.Update, error) {
	u := index.Update{Log: p.log.ID, Keys: p.log, Add: entries(p.written, p.log)}
	held, err := p.heldBy(ctx, known)
	if err != nil {
		return u, err
	}
	u.Stamp = p.stamp()
	if !held {
		all, err := p.Records(ctx)
		u.Replace, u.Add = true, entries(all, p.log)
		return u, err
	}
	return u, nil
}

func entries(opened []records.Record, log records.Log) []index.Entry {
	var all []index.Entry
	for _, r := range opened {
		all = append(all, index.Entry{Record: r, Void: log.Void(r)})
	}
	return all
}
