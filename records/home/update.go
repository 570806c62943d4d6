package home

import (
	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/index"
)

// Update is the whole published state for the index.
func (h *Home) Update() index.Update {
	return index.Update{Log: h.LogID(), Head: h.sealed.head, Replace: true, Add: entries(h.sealed.records, h.sealed.head.Log())}
}

// Update is the whole private log for the index; it has no head.
func (p *Private) Update() index.Update {
	return index.Update{Log: p.log.ID, Keys: p.log, Replace: true, Add: entries(p.records, p.log)}
}

func entries(opened []records.Record, log records.Log) []index.Entry {
	var all []index.Entry
	for _, r := range opened {
		all = append(all, index.Entry{Record: r, Void: log.Void(r)})
	}
	return all
}
