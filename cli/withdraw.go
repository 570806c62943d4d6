package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	urfave "github.com/urfave/cli/v2"

	"github.com/distributed-trust/distrust/cli/render"
	"github.com/distributed-trust/distrust/records/index"
	"github.com/distributed-trust/distrust/records/subject"
	"github.com/distributed-trust/distrust/records/trust"
	"github.com/distributed-trust/distrust/schema"
)

// isID says whether a word is taken for a record id: four digits of it or more.
func isID(word string) bool {
	return len(word) >= 4 && len(word) <= 64 && strings.Trim(word, "0123456789abcdef") == ""
}

// errNoSuchRecord means that nothing known has this id.
var errNoSuchRecord = errors.New("no such record")

func withdrawCommand(*Env) *Command {
	return &Command{
		Name: "withdraw", Operands: "ID|FILE", Min: 1, Max: 1, Group: Say,
		Summary: "take back what you said",
		Text: `Makes a signed record that takes back records of yours: the one with this id, or all about this file. ` +
			`Nothing is deleted; followers drop what was taken back at their next sync. A report that you removed by hand still ` +
			`counts for them: give its whole id.`,
		Flags: append([]urfave.Flag{forFlag(), reasonFlag(), jsonFlag()}, signFlags()...),
		Examples: []Example{
			{"distrust withdraw 9f2c41ab7e03", "one record, by its id"},
			{"distrust withdraw install.sh", "everything you said about this file"},
		},
		Exits: []Exit{NotSetUp},
		Run:   runWithdraw,
	}
}

// runWithdraw withdraws own records.
func runWithdraw(ctx context.Context, in *Invocation) (Exit, error) {
	m, err := in.machine()
	if err != nil {
		return Failed, err
	}
	targets, err := m.toWithdraw(ctx, in.Operands[0])
	if err != nil {
		return Failed, err
	}
	public, private := schema.Record{}, schema.Record{}
	for _, t := range targets {
		doc := &public
		if t.private {
			doc = &private
		}
		doc.Kind, doc.Reason = schema.KindWithdraw, in.String(reasonFlagName)
		doc.Withdraws = append(doc.Withdraws, t.id)
	}
	for _, one := range []struct {
		doc     schema.Record
		private bool
	}{{public, false}, {private, true}} {
		if len(one.doc.Withdraws) == 0 {
			continue
		}
		opts := sayOptions{private: one.private}
		r, err := m.saySomething(ctx, opts, func() (schema.Record, error) { return one.doc, nil })
		if err != nil {
			return Failed, err
		}
		if in.Bool(jsonFlagName) {
			if err := printRecordJSON(in, r, opts.standing()); err != nil {
				return Failed, err
			}
			continue
		}
		m.saidRecord(r, "withdrawn", shortIDs(one.doc.Withdraws), opts)
	}
	return Done, nil
}

func shortIDs(ids []string) string {
	short := make([]string, len(ids))
	for i, id := range ids {
		short[i] = id[:16]
	}
	return strings.Join(short, " ")
}

// ownRecord is a record of the user's that can be withdrawn.
type ownRecord struct {
	id      string
	private bool
}

// ownRecords finds what ID|FILE means: a file when one of that name is there, else an id.
func (in *Invocation) ownRecords(ctx context.Context, arg string) ([]ownRecord, error) {
	w, err := in.world(ctx)
	if err != nil {
		return nil, err
	}
	defer w.close()
	if w.generation == nil {
		return nil, fmt.Errorf("%s: %w: you have said nothing yet", arg, errNoSuchRecord)
	}
	if isID(arg) && !fileExists(arg) {
		if w.leftHome(arg) {
			in.Env.say("that record is not in your home; who has it all the same lets it go once this is published")
			return []ownRecord{{id: arg}}, nil
		}
		return ownByID(w, arg)
	}
	s, err := in.read(ctx, arg, subject.Options{})
	if err != nil {
		return nil, err
	}
	project, version, err := in.project()
	if err != nil {
		return nil, err
	}
	_, statements, _, err := w.decide(query(s, project, version))
	if err != nil {
		return nil, err
	}
	withdrawn := withdrawnBy(statements)
	var found []ownRecord
	for _, st := range statements {
		if w.isOwn(st.Log) && !withdrawn[st.ID] && aboutFile(st, s.Digest) {
			found = append(found, ownRecord{st.ID, !w.hasHead(st.Log)})
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%s: %w: you have said nothing about these bytes", arg, errNoSuchRecord)
	}
	return found, nil
}

// hasHead says whether a log is published with heads; the private one is not.
func (w *world) hasHead(log string) bool {
	info, ok, err := w.generation.Log(log)
	return err == nil && ok && info.HeadID != ""
}

// isOwn says whether a log is the home's or the private one.
func (w *world) isOwn(log string) bool { return slices.Contains(w.compiled.Own, log) }

// leftHome says whether a whole id may be of a record that was removed from the home without a withdrawal. If it
// is a report, whoever follows counts it until it is withdrawn (F5.7).
func (w *world) leftHome(id string) bool {
	if len(id) != 64 || !slices.ContainsFunc(w.compiled.Own, w.hasHead) {
		return false
	}
	_, err := oneByID(w.generation, id)
	return errors.Is(err, errNoSuchRecord)
}

// ownByID finds the one own record whose id begins with prefix.
func ownByID(w *world, prefix string) ([]ownRecord, error) {
	entry, err := oneByID(w.generation, prefix)
	if err != nil {
		return nil, err
	}
	id, log := entry.Record.ID(), entry.Record.Log()
	if !w.isOwn(log) {
		return nil, cannotWithdraw(id, "is not yours: only its author can withdraw it")
	}
	if entry.Record.Kind() == schema.KindWithdraw {
		return nil, cannotWithdraw(id, "is a withdrawal: say it again instead of taking it back")
	}
	withdrawn, err := w.withdrawnIn(log)
	if err != nil {
		return nil, err
	}
	if withdrawn[id] {
		return nil, cannotWithdraw(id, "was withdrawn already")
	}
	return []ownRecord{{id, !w.hasHead(log)}}, nil
}

func cannotWithdraw(id, why string) error {
	return fail(Failed, fmt.Errorf("record %s %s", id[:16], why), "look at it", render.Words("distrust", "show", id[:16])...)
}

// oneByID finds the one record whose id begins with prefix.
func oneByID(g *index.Generation, prefix string) (index.Entry, error) {
	entries, err := g.ByID(prefix)
	if err != nil {
		return index.Entry{}, err
	}
	switch len(entries) {
	case 0:
		return index.Entry{}, fmt.Errorf("%s: %w", prefix, errNoSuchRecord)
	case 1:
		return entries[0], nil
	}
	var ids []string
	for _, e := range entries[:min(3, len(entries))] {
		ids = append(ids, e.Record.ID()[:min(len(prefix)+6, 64)])
	}
	return index.Entry{}, usagef("%s begins %d ids (%s ..): write more digits", prefix, len(entries), strings.Join(ids, ", "))
}

// withdrawnBy are the ids that withdrawals among the statements name, each for its own log.
func withdrawnBy(statements []trust.Statement) map[string]bool {
	logs := map[string]string{}
	for _, st := range statements {
		logs[st.ID] = st.Log
	}
	withdrawn := map[string]bool{}
	for _, st := range statements {
		if st.Kind != schema.KindWithdraw || st.Void {
			continue
		}
		for _, id := range st.Withdraws {
			if logs[id] == st.Log {
				withdrawn[id] = true
			}
		}
	}
	return withdrawn
}

func aboutFile(st trust.Statement, digest schema.Digest) bool {
	for _, s := range st.Subjects {
		if s.Kind() == schema.SubjectFile && s.Digest.SHA256 == digest.SHA256 {
			return true
		}
	}
	return false
}

func unixTime(seconds int64) time.Time { return time.Unix(seconds, 0).UTC() }
