package trust

import (
	"time"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/schema"
)

// FromRecord is what a verified record says. void says that its key is compromised and its owner
// does not stand by it ([records.Log.Void], F5.8); vanished that it left the published set without
// a withdraw (F5.7). A zero Record makes a statement of no kind, which says nothing.
func FromRecord(r records.Record, void, vanished bool) Statement {
	doc := r.Doc()
	s := Statement{
		ID: r.ID(), Log: doc.Log, Kind: doc.Kind,
		Issued: unix(doc.Issued), Expires: unix(doc.Expires),
		Project: doc.Project, Version: doc.Version, Subjects: doc.Subjects,
		Category: doc.Category, Basis: doc.Basis, Strength: doc.Strength, Reason: doc.Reason, Seen: doc.Seen,
		Weight: doc.Weight, Depth: doc.Depth, Scopes: doc.Scopes, Withdraws: doc.Withdraws,
		Void: void, Vanished: vanished,
	}
	if s.Strength == 0 && (s.Kind == schema.KindTrust || s.Kind == schema.KindDistrust) {
		s.Strength = full
	}
	if doc.Source != nil {
		s.Source = *doc.Source
	}
	return s
}

// unix is a time in Unix seconds, 0 when it is absent.
func unix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}
