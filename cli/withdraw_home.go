package cli

import (
	"context"
	"fmt"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/home"
	"github.com/distributed-trust/distrust/records/subject"
	"github.com/distributed-trust/distrust/schema"
)

// toWithdraw finds the records that ID|FILE means: the user's own, or with --home those of that
// clone's log, whose members may each take back what the log said.
func (m *machine) toWithdraw(ctx context.Context, arg string) ([]ownRecord, error) {
	if m.homeDir() == m.defaultHome() {
		return m.in.ownRecords(ctx, arg)
	}
	h, err := m.home(ctx)
	if err != nil {
		return nil, err
	}
	defer h.Close()
	withdrawn := map[string]bool{}
	all, err := h.Records(ctx)
	if err != nil {
		return nil, err
	}
	for _, r := range all {
		for _, id := range r.Doc().Withdraws {
			withdrawn[id] = true
		}
	}
	matches := func(r records.Record) bool { return len(arg) <= len(r.ID()) && r.ID()[:len(arg)] == arg }
	if !isID(arg) || fileExists(arg) {
		s, err := m.in.read(ctx, arg, subject.Options{})
		if err != nil {
			return nil, err
		}
		matches = func(r records.Record) bool { return recordOf(r, s.Digest) }
	}
	return inHome(h, all, arg, withdrawn, matches)
}

// inHome are the records of a home that match and still stand.
func inHome(h *home.Home, all []records.Record, arg string, withdrawn map[string]bool, matches func(records.Record) bool) ([]ownRecord, error) {
	var found []ownRecord
	for _, r := range all {
		if r.Kind() != schema.KindWithdraw && !withdrawn[r.ID()] && matches(r) {
			found = append(found, ownRecord{id: r.ID()})
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%s: %w in %s", arg, errNoSuchRecord, h.Dir())
	}
	return found, nil
}

// recordOf says whether a record is about the file with this digest.
func recordOf(r records.Record, digest schema.Digest) bool {
	for _, s := range r.Doc().Subjects {
		if s.Kind() == schema.SubjectFile && s.Digest.SHA256 == digest.SHA256 {
			return true
		}
	}
	return false
}
