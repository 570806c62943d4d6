package trust

import "github.com/distributed-trust/distrust/schema"

// Statement is what one verified record says, as a plain value. Outside tests only FromRecord
// and package index make one (a test keeps this), so that nothing unverified reaches Decide.
type Statement struct {
	ID   string // record id, 64 hex
	Log  string // the log that says so, 32 hex
	Kind schema.Kind

	Issued  int64 // Unix seconds
	Expires int64 // Unix seconds; 0: never

	Project  string
	Version  string
	Subjects []schema.Subject
	Category schema.Category
	Basis    schema.Basis
	Strength int // 1..100
	Reason   string
	Seen     []string

	Source    schema.FollowSource // kind follow
	Weight    int                 // kind follow
	Depth     int                 // kind follow
	Scopes    []string            // kind follow
	Withdraws []string            // kind withdraw

	Void     bool // signed by a compromised key and not kept (F5.8): listed, never counted
	Vanished bool // a report that left the published set without a withdraw (F5.7): still counts
	Indexed  bool // taken from the index without opening the record again (A2)
}

// Follow is one line of the user's own configuration: a source and how far it is believed (D1).
type Follow struct {
	Name    string
	Log     string
	Weight  int      // 0..100; 0 mutes
	Depth   int      // 0..3 hops beyond the source
	ViaMax  int      // 0..100: most that all that lies behind it can add
	Scopes  []string // patterns; none: everything
	Expires int64    // Unix seconds; 0: never
}

// Edge is a public follow as the network pass walks it (D2).
type Edge struct {
	From, To string // logs
	Weight   int
	Depth    int
	Scopes   []string
	Issued   int64 // Unix seconds
	Expires  int64 // Unix seconds; 0: never
}

// Source is what is known of a log besides its statements. The trust of a log that has no Source
// does not count: nobody accepted a head of it.
type Source struct {
	Log     string
	Name    string // the user's name for it, or the head's own, or the log id shortened
	Issued  int64  // of its accepted head
	Expires int64  // of its accepted head, as at most issued + 400 days (F5.6)
}

// Network is the world that a decision is made in: the user's logs, follows, edges and sources.
// [Network.Compile] prepares one that is used more than once.
type Network struct {
	Own       []string // logs of the user: home, private (D1 "own records")
	Follows   []Follow // at most one for a log
	Edges     []Edge   // the public follows of sources that count, as [Edges] finds them
	Sources   []Source // every log whose head was accepted, the user's too
	Lost      []string // logs that are compromised as a whole: neither heard nor walked through
	OwnIssued []int64  // when own records were issued: a now that is behind them moves up (D1)

	compiled *compiled // by Compile
}

// Policy holds the two bars of D1. A bar below 1 counts as the default.
type Policy struct {
	Trust int // T, 100
	Block int // B, 50
}

// DefaultPolicy is T = 100, B = 50.
func DefaultPolicy() Policy { return Policy{Trust: 100, Block: 50} }

// Query is what is known about the thing that is asked about (D1).
type Query struct {
	Name    string // file name, without folders; "" when unknown
	Size    int64  // bytes; -1 when unknown
	Digest  schema.Digest
	Git     schema.GitID
	Project string
	Version string

	Signatures []Signature // detached signatures that lie beside the file and were looked at
}

// SignatureState is what came of looking at one detached signature.
type SignatureState string

// The states of a detached signature.
const (
	SignatureGood         SignatureState = "good"
	SignatureBad          SignatureState = "bad"
	SignatureNoKey        SignatureState = "no-key"
	SignatureRevoked      SignatureState = "revoked"
	SignatureExpired      SignatureState = "expired"
	SignatureWeak         SignatureState = "weak"
	SignatureWrongPurpose SignatureState = "wrong-purpose"
)

// Signature is one detached signature over the queried file. Only good ones name a signer
// that counts.
type Signature struct {
	Format string // "ssh", "openpgp", "minisign", "signify"
	Signer string // "ssh:…" and so on; "" when unknown
	State  SignatureState
	Detail string

	CallsItself string // what an OpenPGP key says its owner is called: shown, and believed by nobody
}

// Verdict is one of four answers.
type Verdict string

// The verdicts of D5. Only Trusted means go on.
const (
	Trusted    Verdict = "trusted"
	Distrusted Verdict = "distrusted"
	Mismatch   Verdict = "mismatch"
	Unknown    Verdict = "unknown"
)

// Reason names the line of D5 that decided.
type Reason string

// What can decide (D5; the JSON field decided_by).
const (
	ByOwn           Reason = "own"
	ByReported      Reason = "reported"
	ByNetwork       Reason = "network"
	BySignature     Reason = "signature"
	ByOtherBytes    Reason = "other-bytes"
	ByChangedSigner Reason = "changed-signer"
	BySubstitution  Reason = "substitution"
	ByNone          Reason = "none"
)

// Level is how specific a statement is about the queried thing (D3).
type Level string

// The levels, most specific first.
const (
	LevelFile    Level = "file"
	LevelRelease Level = "release"
	LevelSigner  Level = "signer"
	LevelProject Level = "project"
)

// NotCounted says why a voice adds nothing.
type NotCounted string

// Why a voice adds nothing (C4).
const (
	Counts       NotCounted = ""
	Muted        NotCounted = "muted"
	StaleSource  NotCounted = "stale"
	NotFollowed  NotCounted = "not-followed"
	OutOfScope   NotCounted = "out-of-scope"
	VoidRecord   NotCounted = "void"
	WithdrawnRec NotCounted = "withdrawn"
	ExpiredRec   NotCounted = "expired"
	Superseded   NotCounted = "superseded"   // the same source says something that goes before it
	Overruled    NotCounted = "overruled"    // a report that an own trust record has seen
	NotYet       NotCounted = "not-yet"      // dated in the future
	NotMatching  NotCounted = "not-matching" // the digest or signer fits but the project, size or another digest does not
	NoRoom       NotCounted = "no-room"      // others already add all that its path may carry, or that the largest sum holds (D4)
)

// Voice is one record about the subject and what it added. The amounts of all trust add up to
// Decision.For and those of all reports to Decision.Against (D4); only an overruled report has both
// an amount and a reason not to count, for it is part of N and not of N'.
type Voice struct {
	Statement  Statement
	Source     string   // name of the source
	Own        bool     // the user's own record; it never has an amount
	Path       []string // log ids from the follow to the source, the source last; none: not heard
	PathNames  []string // the same in names
	Weight     int      // of the follow that the path starts with, or of the source's own
	Width      int      // W of the source, W_t for trust that counts
	Level      Level    // "" when it does not match
	Amount     int      // what it added to P or N
	NotCounted NotCounted
	Since      int64 // with NotCounted: since when (expiry of a stale head, a withdraw), 0 unknown
}

// Finding is something seen that is no voice, in words made of parts that render prints.
type Finding struct {
	Kind      FindingKind
	Source    string // name of the source, "" for own
	Signer    string // of unsigned and other-signer: the signer that was expected
	Statement Statement
	Amount    int  // what it added to M; those of sources add up, an own one raises M to itself
	Counted   bool // false: a note only

	// Of unsigned and other-signer: the state of a signature by the expected signer that does not count, or
	// else of one by nobody knows whom; "" when there is none.
	State SignatureState
}

// FindingKind is the kind of a finding.
type FindingKind string

// The findings of D3, D4 and D5.
const (
	FindingOtherProject FindingKind = "other-project" // these bytes are known as another project or version
	FindingOtherBytes   FindingKind = "other-bytes"   // the project and file name are known with other digests
	FindingNameTwin     FindingKind = "name-twin"     // the file name is known with other digests, no project asked or none known
	FindingUnsigned     FindingKind = "unsigned"      // a trusted signer exists, no signature by it was found
	FindingOtherSigner  FindingKind = "other-signer"  // well signed, but by none of the trusted signers
	FindingNeedsProject FindingKind = "needs-project" // a project would make this signer trust count
)

// Decision is a verdict with every reason (D5). It is a value: there is no error.
type Decision struct {
	Verdict  Verdict
	By       Reason
	Disputed bool
	For      int // P
	Against  int // N
	Unseen   int // N'
	Other    int // M
	Policy   Policy
	Own      *Voice  // OWN, when there is one; not among the Voices
	Voices   []Voice // those that count, reports first, in the order of D4; then the others, own ones first
	Findings []Finding
	Stale    []Source // sources in reach for the project whose head expired, by log
	Now      int64    // the now that was used (D1)
	Project  string   // as asked
	Version  string
}
