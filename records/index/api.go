package index

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/trust"
)

// Dir says where index and record stores lie. Both folders are made when they are missing.
type Dir struct {
	Cache string // generations: Cache/index-<n>; may be deleted at any time
	Data  string // record stores: Data/sources/<log>.records, the user's own logs too; and Data/index
}

// Entry is one record of a log, opened, with what is known of it besides what it says.
type Entry struct {
	Record   records.Record
	Void     bool // its key is compromised and the log does not stand by it (F5.8); set by readers, ignored by writers
	Vanished bool // a report that left the published set without a withdraw (F5.7)
}

// Update is what one log's set becomes.
type Update struct {
	Log string // 32 hex

	// Head is the accepted head. The zero Head leaves it as it is: a private log has none.
	Head records.Head
	// Keys is what opening the log's records needs, as [records.Pin.Log] or the private folder
	// gives it. With a zero ID it is Head.Log(), or what it was when there is no Head either.
	Keys records.Log
	// Stamp says what the records were read from, where no head does ([LogInfo.Stamp]).
	Stamp string

	Spool   *Spool   // records that come in, too many for memory; nil: none
	Add     []Entry  // records that come in, or that are known but whose bytes or Vanished changed
	Remove  []string // ids of records that go; unknown ones are no error
	Replace bool     // the whole set is Spool and Add: everything else of the log goes
	Drop    bool     // the log goes with all that it said; nothing else of the update counts
}

// Config is the user's configuration as cli compiled it, so that a check reads no YAML; index only
// keeps it.
type Config struct {
	Stamp   string // says which files it was compiled from; "" is no configuration
	Policy  trust.Policy
	Journal bool           // this machine remembers what it accepted
	Follows []trust.Follow // in the order of log ids
	Own     []string       // logs whose records are the user's own word
}

// IsZero says whether there is no configuration.
func (c Config) IsZero() bool { return c.Stamp == "" }

// Equal says whether both are the same to the byte.
func (c Config) Equal(other Config) bool { return bytes.Equal(encodeConfig(c), encodeConfig(other)) }

// LogInfo is what a generation knows of one log.
type LogInfo struct {
	Log      string      // 32 hex
	Keys     records.Log // what its records are opened with
	HeadID   string      // id of the accepted head; "" for a log without heads (the private one)
	Name     string      // as the head suggests; foreign text
	URL      string      // as the head says; foreign text
	Projects []string    // as the head says
	Epoch    int64
	Seq      int64
	Issued   time.Time // of the head; zero without one
	Expires  time.Time // of the head, at most issued + 400 days (F5.6)
	Stamp    string    // of the last update; "" once the generation was made again from the stores

	Records  int // in the set, vanished ones included
	Vanished int // reports that left the published set and still count
	Edges    int // public follows
}

// Lookup counts how the statements of [Generation.Candidates] were come by.
type Lookup struct {
	Opened  int // opened again from the record store, signature included
	Indexed int // taken from the index, where their signatures were verified when they came
}

// Rebuilt says what [Rebuild] found in the record stores.
type Rebuilt struct {
	Logs    int
	Records int
	Damaged []Damage // nothing is left out silently
}

// Damage is a part of one record store that could not be read and is left out.
type Damage struct {
	Log    string
	Path   string
	Offset int64
	Err    error
}

// ErrNone says that there is neither an index nor a record store: nothing was ever written here.
var ErrNone = errors.New("no index yet")

// DamageError says that a file of the index cannot be believed. Where Log is empty it is the
// generation, which [Rebuild] makes anew; else it is that log's record store, which only a new
// fetch can mend ([Update.Replace]).
type DamageError struct {
	Path string
	Log  string
	Err  error
}

// Error says what is damaged and how it shows.
func (e *DamageError) Error() string {
	if e.Log != "" {
		return fmt.Sprintf("reading record store %s: %v", e.Path, e.Err)
	}
	return fmt.Sprintf("reading index %s: %v", e.Path, e.Err)
}

// Unwrap is how the damage shows.
func (e *DamageError) Unwrap() error { return e.Err }
