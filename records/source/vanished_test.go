package source

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"os"
	"path/filepath"
	"testing"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/internal/testkit"
	"github.com/distributed-trust/distrust/schema"
)

// vanish is a follower whose source has let one report disappear.
func vanish(t *testing.T) (alice *forge, m *machine, spec Spec, stays, gone records.Envelope) {
	t.Helper()
	alice = newForge(t, "alice")
	alice.seal(func(d *schema.Head) { d.Keys = append(d.Keys, testkit.NewKey("second").Listed(schema.Active, false)) })
	stays, gone = alice.say(reportFile("stays")), alice.say(reportFile("goes"))
	plain := alice.say(trustFile("plain"))
	alice.seal(nil)
	m = newMachine(t)
	spec = m.follow(alice)
	alice.take(gone)
	alice.take(plain)
	alice.seal(nil)
	r := m.sync(spec)[0]
	if r.State != StateNews || len(r.Vanished) != 1 || r.Vanished[0].ID() != idOf(gone) || r.Removed != 1 {
		t.Fatalf("%s, vanished %d, -%d: %v", r.State, len(r.Vanished), r.Removed, r.Err)
	}
	m.wantHolds(spec.Log, []records.Envelope{stays}, gone)
	return alice, m, spec, stays, gone
}

// TestHostileOmission: a report that leaves the set is kept, byte for byte, and counts on (F5.7).
func TestHostileOmission(t *testing.T) {
	t.Parallel()
	alice, m, spec, stays, gone := vanish(t)
	file := filepath.Join(m.dirs.kept(spec.Log), idOf(gone)+".yml")
	yaml, err := os.ReadFile(file)
	if err != nil || !bytes.Equal(yaml, gone.YAML) {
		t.Errorf("kept report: %v", err)
	}
	if sig, err := os.ReadFile(file + ".sig"); err != nil || !bytes.Equal(sig, gone.Sig) {
		t.Errorf("kept signature: %v", err)
	}
	more := alice.say(trustFile("more"))
	alice.seal(nil)
	if r := m.sync(spec)[0]; len(r.Vanished) != 0 || r.Added != 1 || r.Removed != 0 {
		t.Errorf("the next head: vanished again %d, +%d -%d: %v", len(r.Vanished), r.Added, r.Removed, r.Err)
	}
	m.wantHolds(spec.Log, []records.Envelope{stays, more}, gone)

	// Everything that can be rebuilt goes: store, index, record store.
	for _, dir := range []string{m.dirs.Cache, m.dirs.Data} {
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
	}
	if r := m.sync(spec)[0]; !r.Good() {
		t.Errorf("%s: %v", r.State, r.Err)
	}
	m.wantHolds(spec.Log, []records.Envelope{stays, more}, gone)

	// It comes back into the set: an ordinary record again.
	alice.files[gone.Path], alice.files[gone.Path+".sig"] = gone.YAML, gone.Sig
	alice.seal(nil)
	if r := m.sync(spec)[0]; r.State != StateNews {
		t.Errorf("%s: %v", r.State, r.Err)
	}
	m.wantHolds(spec.Log, []records.Envelope{stays, more, gone})
	if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the kept copy is still there: %v", err)
	}
}

// TestWithdrawEndsVanished: a withdraw ends a vanished report, whether it comes before or after it
// left; a withdraw that turns out to be void does not (F5.7, F5.8).
func TestWithdrawEndsVanished(t *testing.T) {
	t.Parallel()
	for _, order := range []string{"after it left", "as it leaves"} {
		t.Run(order, func(t *testing.T) {
			t.Parallel()
			alice := newForge(t, "alice")
			second := testkit.NewKey("second")
			alice.seal(func(d *schema.Head) { d.Keys = append(d.Keys, second.Listed(schema.Active, false)) })
			report := alice.say(reportFile("bad"))
			alice.seal(nil)
			m := newMachine(t)
			spec := m.follow(alice)

			alice.take(report)
			if order == "after it left" {
				alice.seal(nil)
				if r := m.sync(spec)[0]; len(r.Vanished) != 1 {
					t.Fatalf("%s: %v", r.State, r.Err)
				}
				m.wantHolds(spec.Log, nil, report)
			}
			back := alice.say(withdraw(idOf(report)), second)
			alice.seal(nil)
			if r := m.sync(spec)[0]; r.State != StateNews || len(r.Vanished) != 0 {
				t.Errorf("%s, vanished %d: %v", r.State, len(r.Vanished), r.Err)
			}
			m.wantHolds(spec.Log, []records.Envelope{back})

			// The withdraw itself leaves: what was taken back stays so.
			alice.take(back)
			alice.seal(nil)
			if r := m.sync(spec)[0]; r.State != StateNews {
				t.Errorf("%s: %v", r.State, r.Err)
			}
			m.wantHolds(spec.Log, nil)
			later := alice.say(trustFile("something else"))
			alice.seal(nil)
			if r := m.sync(spec)[0]; r.State != StateNews || len(r.Vanished) != 0 {
				t.Errorf("%s, vanished %d: %v", r.State, len(r.Vanished), r.Err)
			}
			m.wantHolds(spec.Log, []records.Envelope{later})

			// Its key turns out to be stolen: the withdraw is void, the report counts again.
			alice.seal(func(d *schema.Head) { d.Keys[1].State = schema.Compromised })
			r := m.sync(spec)[0]
			if r.State != StateNews {
				t.Errorf("%s: %v", r.State, r.Err)
			}
			m.wantHolds(spec.Log, []records.Envelope{later}, report)
		})
	}
}

// TestTrustEndsVanished: newer trust of the same bytes ends a report that left; older trust, and
// trust of other bytes, do not.
func TestTrustEndsVanished(t *testing.T) {
	t.Parallel()
	alice, m, spec, stays, gone := vanish(t)
	other := alice.say(trustFile("other bytes"))
	older := trustFile("goes")
	older.Issued = testStart
	old := alice.say(older)
	alice.seal(nil)
	if r := m.sync(spec)[0]; r.State != StateNews {
		t.Errorf("%s: %v", r.State, r.Err)
	}
	m.wantHolds(spec.Log, []records.Envelope{stays, other, old}, gone)

	cleared := alice.say(trustFile("goes"))
	alice.seal(nil)
	if r := m.sync(spec)[0]; r.State != StateNews {
		t.Errorf("%s: %v", r.State, r.Err)
	}
	m.wantHolds(spec.Log, []records.Envelope{stays, other, old, cleared})
}

// TestTrustThatWasThereEndsVanished: the record that ends the report came in an earlier sync.
func TestTrustThatWasThereEndsVanished(t *testing.T) {
	t.Parallel()
	alice := newForge(t, "alice")
	report := alice.say(reportFile("x"))
	cleared := alice.say(trustFile("x"))
	alice.seal(nil)
	m := newMachine(t)
	spec := m.follow(alice)
	alice.take(report)
	alice.seal(nil)
	if r := m.sync(spec)[0]; r.State != StateNews || len(r.Vanished) != 0 || r.Removed != 1 {
		t.Errorf("%s, vanished %d, -%d: %v", r.State, len(r.Vanished), r.Removed, r.Err)
	}
	m.wantHolds(spec.Log, []records.Envelope{cleared})
}

// TestHostileManyVanished: a source that lets more reports disappear than are kept is refused, with the
// number (F7).
func TestHostileManyVanished(t *testing.T) {
	t.Parallel()
	alice, m, spec, stays, gone := vanish(t)
	alice.take(stays)
	alice.seal(nil)
	spec.Limits.Vanished = 1
	var limit *LimitError
	if r := m.sync(spec)[0]; !errors.As(r.Err, &limit) || limit.Got != 2 || limit.Option != "vanished" {
		t.Errorf("%s: %v", r.State, r.Err)
	}
	m.wantHolds(spec.Log, []records.Envelope{stays}, gone)
	spec.Limits.Vanished = 2
	if r := m.sync(spec)[0]; r.State != StateNews {
		t.Errorf("%s: %v", r.State, r.Err)
	}
	m.wantHolds(spec.Log, nil, stays, gone)
}

// TestVanishedWhileIndexAhead: the report left in a run that was killed before the pin moved. It is
// found out again from the index.
func TestVanishedWhileIndexAhead(t *testing.T) {
	t.Parallel()
	alice := newForge(t, "alice")
	report := alice.say(reportFile("x"))
	alice.seal(nil)
	m := newMachine(t)
	spec := m.follow(alice)
	if err := removeAll(m.dirs.store(spec.Log)); err != nil { // the whole set comes again
		t.Fatal(err)
	}
	alice.take(report)
	alice.seal(nil)
	if r := m.sync(spec)[0]; len(r.Vanished) != 1 || !r.Update.Replace {
		t.Errorf("%s, vanished %d: %v", r.State, len(r.Vanished), r.Err)
	}
	m.wantHolds(spec.Log, nil, report)

	// The kept copy is lost or damaged, the index still has the report: it heals.
	file := filepath.Join(m.dirs.kept(spec.Log), idOf(report)+".yml")
	if err := os.WriteFile(file, []byte("rubbish"), 0o600); err != nil {
		t.Fatal(err)
	}
	y := alice.say(trustFile("y"))
	alice.seal(nil)
	r := m.sync(spec)[0]
	if r.State != StateNews || len(r.Notes) != 1 {
		t.Errorf("%s, notes %v: %v", r.State, r.Notes, r.Err)
	}
	if err := removeAll(m.dirs.store(spec.Log)); err != nil {
		t.Fatal(err)
	}
	if r := m.sync(spec)[0]; !r.Good() || len(r.Vanished) != 0 {
		t.Errorf("%s, vanished %d: %v", r.State, len(r.Vanished), r.Err)
	}
	if b, err := os.ReadFile(file); err != nil || !bytes.Equal(b, report.YAML) {
		t.Errorf("the kept copy was not mended: %v", err)
	}
	m.wantHolds(spec.Log, []records.Envelope{y}, report)
}

// TestHostileSignature hides a report by breaking its signature, with a head over the broken file: it
// can no longer be read, so it has left the set, so it stays (F5.7). Trust that is broken so goes.
func TestHostileSignature(t *testing.T) {
	t.Parallel()
	for _, store := range []string{"as it was", "deleted"} {
		t.Run(store, func(t *testing.T) {
			t.Parallel()
			alice := newForge(t, "alice")
			report, trust := alice.say(reportFile("bad")), alice.say(trustFile("good"))
			alice.seal(nil)
			m := newMachine(t)
			spec := m.follow(alice)
			alice.files[report.Path+".sig"], alice.files[trust.Path+".sig"] = trust.Sig, report.Sig
			alice.seal(nil)
			if store == "deleted" { // what is known of the files stays
				if err := removeAll(filepath.Join(m.dirs.store(spec.Log), gitFolder)); err != nil {
					t.Fatal(err)
				}
			}
			r := m.sync(spec)[0]
			if r.State != StateNews || len(r.Skipped) != 2 || len(r.Vanished) != 1 || r.Removed != 1 {
				t.Errorf("%s, %d skipped, %d vanished, -%d: %v", r.State, len(r.Skipped), len(r.Vanished), r.Removed, r.Err)
			}
			m.wantHolds(spec.Log, nil, report)

			alice.files[report.Path+".sig"], alice.files[trust.Path+".sig"] = report.Sig, trust.Sig
			alice.seal(nil)
			if r := m.sync(spec)[0]; r.State != StateNews || r.SkippedAll != 0 {
				t.Errorf("%s, %d skipped: %v", r.State, r.SkippedAll, r.Err)
			}
			m.wantHolds(spec.Log, []records.Envelope{report, trust})
		})
	}
}

// TestDamagedRecordStore breaks the file that the index keeps the records in: the whole set is taken
// again, also without news, and in the same run when only what left the set shows it.
func TestDamagedRecordStore(t *testing.T) {
	t.Parallel()
	alice := newForge(t, "alice")
	stays, goes := alice.say(reportFile("stays")), alice.say(reportFile("goes"))
	alice.seal(nil)
	m := newMachine(t)
	spec := m.follow(alice)

	m.breakRecord(spec.Log, stays, false)
	if r := m.sync(spec)[0]; !r.Good() || r.Update == nil || !r.Update.Replace || r.Removed != 0 {
		t.Errorf("%s, -%d: %v", r.State, r.Removed, r.Err)
	}
	m.wantHolds(spec.Log, []records.Envelope{stays, goes})
	if r := m.sync(spec)[0]; r.State != StateUnchanged {
		t.Errorf("once mended: %s: %v", r.State, r.Err)
	}
	for _, summed := range []bool{false, true} {
		m.breakRecord(spec.Log, goes, summed)
		alice.take(goes)
		alice.seal(nil)
		if r := m.sync(spec)[0]; r.State != StateNews || !r.Update.Replace || len(r.Notes) != 1 {
			t.Errorf("%s, notes %v: %v", r.State, r.Notes, r.Err)
		}
		m.wantHolds(spec.Log, []records.Envelope{stays})
		goes = alice.say(reportFile("goes"))
		alice.seal(nil)
		m.sync(spec)
	}
}

// breakRecord puts other bytes in the place of a record in its store; summed: with a checksum that fits them.
func (m *machine) breakRecord(log string, e records.Envelope, summed bool) {
	m.t.Helper()
	stores, err := filepath.Glob(filepath.Join(m.dirs.Data, "sources", log+"*.records"))
	if err != nil || len(stores) != 1 {
		m.t.Fatalf("record stores %v: %v", stores, err)
	}
	b, err := os.ReadFile(stores[0])
	if err != nil {
		m.t.Fatal(err)
	}
	at := bytes.Index(b, e.YAML)
	if at < 0 {
		m.t.Fatal("the record is not in its store")
	}
	copy(b[at:], bytes.Repeat([]byte("x"), len(e.YAML)))
	if summed {
		const header = 13 // magic, kind, length, CRC-32C of all but the magic
		frame := b[bytes.LastIndex(b[:at], []byte{0xFF, 0xFE, 'd', 'R'}):]
		body := frame[header:][:binary.LittleEndian.Uint32(frame[5:9])]
		table := crc32.MakeTable(crc32.Castagnoli)
		binary.LittleEndian.PutUint32(frame[9:], crc32.Update(crc32.Checksum(frame[4:9], table), table, body))
	}
	if err := os.WriteFile(stores[0], b, 0o600); err != nil {
		m.t.Fatal(err)
	}
}

// TestWithdrawnTrustEndsNothing: trust that the source took back does not end a report that leaves,
// whether it came long before or with the report's leaving (F5.7).
func TestWithdrawnTrustEndsNothing(t *testing.T) {
	t.Parallel()
	for _, when := range []string{"before", "as it leaves"} {
		t.Run(when, func(t *testing.T) {
			t.Parallel()
			alice := newForge(t, "alice")
			report := alice.say(reportFile("bad"))
			alice.seal(nil)
			m := newMachine(t)
			spec := m.follow(alice)
			trust := alice.say(trustFile("bad"))
			back := alice.say(withdraw(idOf(trust)))
			if when == "before" {
				alice.seal(nil)
				m.sync(spec)
			}
			alice.take(report)
			alice.seal(nil)
			if r := m.sync(spec)[0]; r.State != StateNews || len(r.Vanished) != 1 {
				t.Errorf("%s, vanished %d: %v", r.State, len(r.Vanished), r.Err)
			}
			m.wantHolds(spec.Log, []records.Envelope{trust, back}, report)
		})
	}
}
