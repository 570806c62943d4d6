package journal

import (
	"time"

	"github.com/distributed-trust/distrust/records/trust"
	"github.com/distributed-trust/distrust/schema"
)

// Entry is one thing that was accepted.
type Entry struct {
	Time      time.Time
	Name      string // file name, without folders; "" when unknown
	Path      string // where it lay, absolute; "" when it came through a pipe
	Command   string // the command that accepted it: check, pipe, …
	Digest    schema.Digest
	Git       schema.GitID
	Size      int64 // bytes; -1 when unknown
	Project   string
	Version   string
	Verdict   trust.Verdict
	Signers   []string // signers whose signature over it was good
	Records   []string // ids of the records that carried the decision
	Overruled bool     // the user went on against the verdict
}

// Report is one record that speaks against an accepted thing now.
type Report struct {
	Record   string
	Log      string
	Source   string
	Category schema.Category
	Reason   string
	Issued   int64
	Own      bool
}

// Alarm is an accepted thing that is now distrusted or a mismatch.
type Alarm struct {
	ID      string
	Entry   Entry
	Verdict trust.Verdict
	Reports []Report
	Raised  time.Time
	Acked   time.Time // zero: open
	Reason  string    // why it was acknowledged
}

// Append writes e at the end of file, unless the same digest, verdict and project are there
// already.
func Append(file string, e Entry) error { return nil }

// Read reads the journal. Lines that were torn or damaged are skipped; [Scan] counts them.
func Read(file string) ([]Entry, error) { return nil, nil }

// Scan is Read that says how many lines were skipped.
func Scan(file string) (entries []Entry, skipped int, err error) { return nil, 0, nil }

// JournalQuery is what Decide is asked about an entry.
func JournalQuery(e Entry) trust.Query { return trust.Query{} }

// Change is what Raise found.
type Change struct {
	Alarms []Alarm // all that are to be kept: raised, still open, acknowledged
	Raised []Alarm // those that are new, or open again because of a new report
	Closed []Alarm // those of before for which nothing reports any more; not among Alarms
}

// Raise compares what was accepted with what is decided now. It is pure.
func Raise(entries []Entry, decide func(Entry) trust.Decision, alarms []Alarm, now time.Time) Change {
	return Change{}
}

// Ack marks the alarm whose id begins with prefix as seen; false when there is no such one.
func Ack(alarms []Alarm, prefix, reason string, now time.Time) ([]Alarm, bool) { return nil, false }

// LoadAlarms reads the alarms file; a missing one holds none.
func LoadAlarms(file string) ([]Alarm, error) { return nil, nil }

// SaveAlarms replaces the alarms file in one step.
func SaveAlarms(file string, alarms []Alarm) error { return nil }
