// Package source follows other people's trust repositories: it fetches them, holds what they
// publish to what this machine accepted before (F5), and says what changed.
//
// On disk it keeps a pin for each log (State/pins/<log>.json: the accepted head with its
// signature, and the commit that it was found at), reports that left a set (State/kept/<log>/,
// the record and its signature as they were), both heads of every refusal that proves something
// (State/evidence/), and a cache that may be deleted at any time (Data/sources/<log>/: a git
// store and the list of files of the accepted set). Records themselves go to package index.
//
// The order of writing is fixed: kept reports, then record stores and index, then pins. So
// a [Sync] gives a [Batch], whose Commit is handed the function that writes the index. Whatever
// fails before leaves the state that was in force: pin, records, and trust in them.
//
// Every source is fetched and read in a process of its own ([Options.Child], [FetchInChild]), which may
// be taken over by what it reads: what it says passes a gate, and is decided about here. With
// [Spec.Git] the user's git fetches, beside that process, into a folder that is then read there.
//
// Nothing that comes from a repository is believed before a key of the pinned log has signed it,
// and no reason, name or path in results is safe to print without escaping.
package source

import (
	"context"
	"os/exec"
	"time"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/index"
	"github.com/distributed-trust/distrust/records/internal/gitstore"
	"github.com/distributed-trust/distrust/schema"
)

// Spec is one source as the user's configuration has it.
type Spec struct {
	Name        string // the user's own name for it; for messages
	URL         string
	Log         string // 32 hex; "" before the first contact. A repository with another log is refused
	Fingerprint string // "SHA256:…" as pasted or as accepted on first use; "" when there is none
	Insecure    bool   // http:// and git:// are allowed
	Git         bool   // it is fetched with the user's git ([Options.Git]); never what was reached through others
	Delegated   bool   // reached through others (see [Reached]); its URL comes from a record, so it is never a path (S3.1)
	Limits      Limits
}

// Access is how remote repositories are reached and who answers their questions.
type Access struct {
	Credentials func(ctx context.Context, url string) (user, secret string, err error)
	SSH         SSH
}

// Git is the user's own git and the environment that it runs in.
type Git = gitstore.UserGit

// SSH is how ssh:// and user@host:path are reached.
type SSH = gitstore.SSH

// HostKey is what an unknown ssh host showed.
type HostKey = gitstore.HostKey

// Options says how to fetch. The zero value fetches eight sources at a time.
type Options struct {
	Now      time.Time   // the clock (F5.6)
	Parallel int         // how many sources are fetched at once; 0: eight
	Own      []string    // logs of the user: no repository may pass for one of them (F5.1)
	Index    index.Dir   // where the records of earlier syncs are
	Access   Access      // credentials and host keys
	Git      Git         // for the sources that want it
	Progress func(Event) // called from one goroutine at a time; may be nil

	// Accept is asked about a source that was refused as a rollback, a fork or a rewrite and is a
	// state of its log all the same: yes takes its head in place of the pinned one. What vanished
	// stays, and so does what is known of compromised keys ([records.Repin]). nil: no.
	Accept func(Replacement) (bool, error)

	// Child makes the command that runs [FetchInChild], with an environment of its own and without
	// streams: every source is fetched and read in such a process, so that what its packs do to
	// their reader is not done to us (S3.3). nil: in this process.
	Child func(context.Context) *exec.Cmd
}

// Replacement is a head that would take the place of the pinned one although it does not follow from
// it. Both heads are kept as evidence.
type Replacement struct {
	Source      string
	Why         *records.HeadError
	Pinned, New records.Head
	Evidence    string // folder that holds both heads; "" when there is evidence enough
}

// Stage says what a sync is doing for a source.
type Stage string

// The stages of one source, in order. Waiting comes first when another sync is running.
const (
	StageWaiting   Stage = "waiting"
	StageFetching  Stage = "fetching"
	StageReading   Stage = "reading"
	StageVerifying Stage = "verifying"
	StageDone      Stage = "done"
)

// Event is progress for people.
type Event struct {
	Source string // its name, "" for the whole sync
	Stage  Stage
	Done   int // records verified so far, or sources finished
	Total  int // of how many; 0 when unknown
}

// State is what came of one source.
type State string

// The states of a source after a sync. Only StateNews and StateUnchanged are good; the others
// leave everything that was accepted before in force.
const (
	StateNews          State = "news"           // a head was accepted that was not pinned yet
	StateUnchanged     State = "unchanged"      // fetched, verified to be what is pinned
	StateRefused       State = "refused"        // what it publishes is not accepted: exit 10
	StateUnreachable   State = "unreachable"    // nothing could be fetched: exit 12
	StateEmpty         State = "empty"          // an empty repository: exit 12
	StateNotRepository State = "not-repository" // nothing there is a git repository: exit 12
	StateFollowed      State = "followed"       // a first contact with a log that is followed already: nothing to do
	StateFailed        State = "failed"         // this machine's fault, such as a full disk: exit 1
)

// Result is what came of one source.
type Result struct {
	Source string // the user's name for it; may be changed before the commit
	Log    string // 32 hex; "" when a first contact failed before it was known
	URL    string
	State  State
	Err    error // why, unless the state is good: a *records.HeadError carries both heads, see [KindOf]
	First  bool  // the log was not known before

	Head    schema.Head // the head that is in force after the commit; zero when there is none
	HeadID  string
	Expires time.Time // when it goes stale (F5.6); already past: the source is stale
	Fetched time.Time // the last verified fetch, this one included

	Added         int                // records that came in
	Removed       int                // records that went, vanished reports not counted
	Vanished      []records.Record   // reports that left the set in this sync and still count (F5.7)
	Skipped       []*records.Refusal // records that are not read, and files that are no records, of this sync
	SkippedAll    int                // how many there are in the whole set
	NotUnderstood int                // records of the whole set that need a newer program
	Unsealed      int                // commits that no head covers (F5.5)
	Notes         []string           // plain sentences about what is odd but harmless
	NewURL        string             // the head names another url than the source is followed by (C3)
	Evidence      string             // folder that holds both heads of a refusal
	Verified      int                // signatures verified; 0 when nothing is new

	Update *index.Update // nil when the index stays as it is; of no use after the batch's Close
}

// Good says whether the source was fetched and accepted.
func (r *Result) Good() bool { return r.State == StateNews || r.State == StateUnchanged }
