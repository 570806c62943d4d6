package source

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/index"
	"github.com/distributed-trust/distrust/records/internal/gitstore"
	"github.com/distributed-trust/distrust/schema"
)

// work is one source on its way through a sync.
type work struct {
	batch  *Batch
	spec   Spec
	ask    func(Offer) (bool, error) // at a first contact without a fingerprint; nil: no
	limits Limits
	result Result

	pin    *Pin // as it was read; nil at a first contact
	revive bool // the pin was met by its log alone, and goes on: hold to the fingerprint too
	probe  bool // the log is followed under another entry: judge, change nothing
	whole  bool // the record store is damaged: take the whole set again

	accepted  records.Accepted
	spool     *index.Spool // the records that came; nil: none
	temporary string       // the store until the log is accepted; "" when it is in its place
	next      *Pin         // what to pin; nil leaves it
	aside     string       // where the lists of the accepted set wait for the commit; "" leaves them
	skipped   *skipList    // as it was read, then as it will be
	kept      *keptReports // what to write and remove under State/kept; nil leaves it
}

func newWork(b *Batch, spec Spec, ask func(Offer) (bool, error)) *work {
	return &work{
		batch: b, spec: spec, ask: ask, limits: spec.Limits.orDefault(),
		result: Result{Source: spec.Name, Log: spec.Log, URL: spec.URL},
	}
}

func (w *work) now() time.Time { return w.batch.options.Now.UTC().Truncate(time.Second) }

func (w *work) report(stage Stage, done, total int) {
	w.batch.event(Event{Source: w.spec.Name, Stage: stage, Done: done, Total: total})
}

// run fetches and judges one source.
func (w *work) run(ctx context.Context) {
	err := w.readPin(w.spec.Log)
	if err == nil {
		err = w.attempt(ctx)
	}
	var met *metError
	if errors.As(err, &met) { // a first contact met a log that has a pin: begin again from there
		w.pin = met.pin
		// An entry of sources.yml that nobody wrote the log into is the same one, by its name.
		w.revive = w.revivable() || !w.batch.first && w.pin.Name == w.spec.Name
		w.probe = !w.revive
		err = w.attempt(ctx)
	}
	if err != nil && ctx.Err() == nil {
		w.refuse(err)
	}
}

// metError ends a first contact with a log that this machine has a pin of.
type metError struct{ pin *Pin }

func (e *metError) Error() string { return "there is a pin of log " + e.pin.Log }

// readPin reads what is remembered of the log that the source is known by.
func (w *work) readPin(log string) error {
	if log == "" {
		return nil
	}
	pin, err := ReadPin(w.batch.dirs, log)
	if errors.Is(err, ErrNoPin) {
		return nil
	}
	if err != nil {
		return err
	}
	w.pin = pin
	w.revive = w.revivable()
	return nil
}

// revivable says whether the pin is of nobody that the user follows: an unfollowed source, or one
// that was only reached through others until now.
func (w *work) revivable() bool {
	return w.pin.Tombstone() || w.pin.Delegated && !w.spec.Delegated
}

// attempt fetches the source into its store. The store is a cache: when it turns out to be damaged
// it is thrown away, once, and everything is fetched again.
func (w *work) attempt(ctx context.Context) error {
	dir, err := w.storeDir()
	if err != nil {
		return err
	}
	_, missing := os.Stat(filepath.Join(dir, gitFolder))
	in, err := w.fetch(ctx, dir)
	broken := KindOf(err) == KindLocal || errors.Is(err, gitstore.ErrIncomplete)
	if missing == nil && broken && in.set == nil && ctx.Err() == nil {
		if err := removeAll(dir); err != nil {
			return err
		}
		_, err = w.fetch(ctx, dir)
	}
	// A record store that cannot be read is written anew from the whole set.
	var damage *index.DamageError
	if errors.As(err, &damage) && damage.Log != "" && !w.whole {
		w.whole = true
		_, err = w.fetch(ctx, dir)
	}
	return err
}

// storeDir is where the source is fetched to: its place, or a new folder as long as nothing of its
// log was accepted from there.
func (w *work) storeDir() (string, error) {
	if w.pin != nil && !w.revive && !w.probe {
		return w.batch.dirs.store(w.pin.Log), nil
	}
	if w.temporary == "" {
		dir, err := w.batch.dirs.temporary()
		if err != nil {
			return "", err
		}
		w.temporary = dir
	}
	return w.temporary, nil
}

// fetch does the job of one source and finishes what came of it.
func (w *work) fetch(ctx context.Context, dir string) (*intake, error) {
	w.report(StageFetching, 0, 0)
	if err := w.closeSpool(); err != nil { // of an attempt before
		return &intake{}, err
	}
	in := &intake{judge: w.judge, report: w.report}
	in.take = func(r records.Record) (err error) {
		if w.spool == nil {
			w.spool, err = index.NewSpool(filepath.Join(dir, spoolFile), in.log.ID)
		}
		if err != nil {
			return err
		}
		return w.spool.Add(index.Entry{Record: r})
	}
	j, err := w.job(dir)
	if err != nil {
		return in, err
	}
	in.whole, in.skipped = !j.Fresh, j.Skipped
	found, err := w.collect(ctx, j, in)
	err = cmp.Or(err, in.stop())
	w.result.Verified += in.verified()
	switch {
	case err != nil:
		return in, err
	case found.Unchanged:
		w.next = w.following(*w.pin)
		w.result.State = StateUnchanged
		w.describe(w.next)
		return in, nil
	}
	if err := w.finish(in, found.Whole); err != nil {
		return in, err
	}
	return in, w.setAside(dir, found.list)
}

func (w *work) closeSpool() error {
	if w.spool == nil {
		return nil
	}
	err := w.spool.Close()
	w.spool = nil
	return err
}

// job says what to fetch, and what is known.
func (w *work) job(dir string) (job, error) {
	j := job{
		Dir: dir, URL: w.spec.URL, Typed: !w.spec.Delegated, Insecure: w.spec.Insecure,
		Limits: w.limits, AllKept: w.pin == nil || w.revive || w.probe || w.batch.options.Accept != nil,
	}
	w.skipped = &skipList{}
	if w.pin == nil {
		return j, nil
	}
	doc, err := w.pin.Doc()
	if err != nil {
		return job{}, w.damaged(err)
	}
	j.Tip, j.Commit = w.pin.Tip, w.pin.Commit
	j.HeadID, j.Epoch, j.Seq = w.pin.HeadID(), doc.Epoch, doc.Seq
	if w.pin.URL == w.spec.URL {
		j.Branch = w.pin.Branch // S3.4; elsewhere the branch may have another name
	}
	if w.revive || w.probe {
		return j, nil
	}
	indexed, err := w.indexed(j.HeadID)
	if err != nil {
		return job{}, err
	}
	skipped := readSkipList(filepath.Join(dir, skippedFile))
	w.whole = w.whole || indexed && !w.sound()
	if indexed && !w.whole && skipped.Head == j.HeadID && skipped.Reader == readerVersion {
		j.Fresh, j.Skipped = true, skipped.paths()
		w.skipped = skipped
	}
	return j, nil
}

// indexed says whether the index holds the set of the pinned head.
func (w *work) indexed(head string) (bool, error) {
	if w.batch.gen == nil {
		return false, nil
	}
	info, known, err := w.batch.gen.Log(w.pin.Log)
	if err != nil {
		return false, fmt.Errorf("reading index: %w", err)
	}
	return known && info.HeadID == head, nil
}

// sound says whether the record store of the pinned log can be read through: without it a report that
// disappears could not be told from one that never was.
func (w *work) sound() bool {
	var damage *index.DamageError
	return !errors.As(w.batch.gen.Sound(w.pin.Log), &damage)
}

func (w *work) damaged(err error) error {
	return &PinError{Log: w.pin.Log, File: w.batch.dirs.pin(w.pin.Log), Reason: "its head cannot be read", Err: err}
}

// following is a pin with what this contact adds to it in any case.
func (w *work) following(pin Pin) *Pin {
	pin.Name, pin.Delegated, pin.URL = w.spec.Name, w.spec.Delegated, w.spec.URL
	if pin.Name == "" {
		pin.Name = shortLog(pin.Log)
	}
	pin.Fetched, pin.Refused, pin.Unfollowed = w.now(), nil, time.Time{}
	if pin.Moved == w.spec.URL {
		pin.Moved = ""
	}
	return &pin
}

// describe fills in the part of the result that tells what is in force.
func (w *work) describe(pin *Pin) {
	r := &w.result
	if pin.Tombstone() {
		return // nothing of it is in force
	}
	r.Log, r.Fetched, r.NewURL = pin.Log, pin.Fetched, pin.Moved
	r.SkippedAll, r.NotUnderstood, r.Unsealed = pin.Skipped, pin.NotUnderstood, pin.Unsealed
	if doc, err := pin.Doc(); err == nil {
		r.Head, r.HeadID, r.Expires = *doc, pin.HeadID(), expires(doc)
	}
	if pin.Signers != "" {
		r.Notes = append(r.Notes, pin.Signers)
	}
	if pin.NewerHeads > 0 {
		r.Notes = append(r.Notes, "its newest state needs a newer distrust; what is in force is older")
	}
}

// expires is when a head goes stale (F5.6).
func expires(doc *schema.Head) time.Time {
	if most := doc.Issued.Add(schema.MaxHeadLifetime); doc.Expires.After(most) {
		return most
	}
	return doc.Expires
}

// fail ends the work of a source with an error. What was in force stays.
func (w *work) fail(err error) {
	log := w.spec.Log
	if w.pin != nil {
		log = w.pin.Log
	}
	w.result = Result{
		Source: w.spec.Name, Log: log, URL: w.spec.URL, Err: err, State: stateOf(err),
		First: w.pin == nil, Verified: w.result.Verified,
	}
	w.next, w.kept = nil, nil
	if w.pin != nil {
		w.describe(w.pin)
	}
}

// refuse is fail for what a source published: the pin remembers why, and evidence is kept.
func (w *work) refuse(err error) {
	w.fail(err)
	if w.result.State != StateRefused {
		return
	}
	why := &Refused{At: w.now(), Kind: KindOf(err), Reason: err.Error()}
	var head *records.HeadError
	if errors.As(err, &head) {
		dir, keepErr := keepEvidence(w.batch.dirs, head, why)
		if keepErr != nil {
			w.result.Notes = append(w.result.Notes, keepErr.Error())
		}
		w.result.Evidence, why.Evidence = dir, dir
	}
	if w.pin == nil || w.probe {
		return
	}
	next := *w.pin
	if old := next.Refused; old != nil && old.Kind == why.Kind && old.Reason == why.Reason {
		return // the same as the last time, and since then
	}
	next.Refused = why
	w.next = &next
}

// keep makes sure that the pin is still the one that was judged by, and puts reports that vanished
// where they last, before the set without them counts.
func (w *work) keep() error {
	if w.next == nil {
		return nil
	}
	pin, err := ReadPin(w.batch.dirs, w.next.Log)
	switch {
	case errors.Is(err, ErrNoPin) && w.pin == nil:
	case err != nil && !errors.Is(err, ErrNoPin):
		return err
	case err != nil || w.pin == nil || pin.Sum != w.pin.Sum:
		return &RaceError{Log: w.next.Log}
	}
	if w.kept == nil {
		return nil
	}
	return w.kept.write()
}

// commit puts the pin in force, and then what is only a cache.
func (w *work) commit() error {
	if w.next == nil {
		return nil
	}
	if w.result.Err == nil && w.temporary != "" {
		place := w.batch.dirs.store(w.next.Log)
		if err := w.batch.dirs.remove(place); err != nil {
			return err
		}
		if err := w.batch.dirs.rename(w.temporary, place); err != nil {
			return fmt.Errorf("moving store into place: %w", err)
		}
		w.temporary = ""
	}
	if name := w.result.Source; name != "" {
		w.next.Name = name
	}
	if err := WritePin(w.batch.dirs, w.next); err != nil {
		return err
	}
	if w.kept != nil {
		if err := w.kept.clear(); err != nil {
			return err
		}
	}
	if w.result.Err != nil {
		return nil
	}
	return w.placeAside()
}
