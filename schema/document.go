// Package schema holds the YAML documents of distrust, format 1: their types, the strict
// reader, the writer, the limits, and the JSON Schemas that say the same for other programs.
//
// It knows bytes and shapes only: no keys, no signatures, no clock, no I/O. Everything that
// crosses the network passes through [ParseRecord] or [ParseHead] before anything looks at it.
// The format is specified in docs/format.md; clause ids such as F1 refer to it.
package schema

import "time"

// Version is the format version that this package reads and writes, the value of `distrust:`.
const Version = 1

// Kind says what a document is. The zero value is no kind.
type Kind string

// The kinds of documents (F2, F5).
const (
	KindTrust    Kind = "trust"    // these bytes, or what this signer signs for these projects, are good
	KindDistrust Kind = "distrust" // a report
	KindFollow   Kind = "follow"   // a public follow, an edge that others may use
	KindWithdraw Kind = "withdraw" // takes back records of the same log
	KindHead     Kind = "head"     // the signed state of a log
	KindPrivate  Kind = "private"  // private/log.yml: which key and salt made the private log's id
)

// Category says why something is distrusted (F2).
type Category string

// The categories of a report (F2).
const (
	Malware        Category = "malware"
	Vulnerable     Category = "vulnerable"
	CompromisedKey Category = "compromised-key"
	Typosquat      Category = "typosquat"
	Other          Category = "other"
)

// Categories lists every category in the order in which help shows them.
func Categories() []Category {
	return []Category{Malware, Vulnerable, CompromisedKey, Typosquat, Other}
}

// Basis says what an issuer did before saying so (F2). The empty string means not said.
type Basis string

// The bases of a record (F2).
const (
	Reviewed  Basis = "reviewed"
	Built     Basis = "built"
	Tested    Basis = "tested"
	Verified  Basis = "verified"
	Published Basis = "published"
	Used      Basis = "used"
	Automated Basis = "automated"
)

// Bases lists every basis in the order in which help shows them.
func Bases() []Basis {
	return []Basis{Reviewed, Built, Tested, Verified, Published, Used, Automated}
}

// Record is one record document (F2). Times have whole seconds in UTC; the zero time means
// that the field is absent. Digests, ids, logs and salts are lower-case hex.
type Record struct {
	Kind    Kind
	Log     string // 32 hex: the log it belongs to
	By      string // issuer's whole public key, "type base64", no comment
	Issued  time.Time
	Expires time.Time // trust and follow only

	Project string // "pkg:type/[namespace/]name"
	Version string // only with Project

	Subjects []Subject // trust and distrust: 1 to [MaxSubjects]
	Category Category  // distrust only, required there
	Basis    Basis     // trust and distrust
	Strength int       // 1..100; 0 means absent, which counts as 100
	Reason   string
	Seen     []string // trust only: ids of the reports that the issuer saw and overruled

	Source *FollowSource // follow only, required there
	Weight int           // follow only: 1..100
	Depth  int           // follow only: 0..3
	Scopes []string      // follow only: patterns

	Withdraws []string // withdraw only: ids of records of the same log
}

// FollowSource names the log that a public follow is about (F2).
type FollowSource struct {
	Log string // 32 hex
	URL string
	Key string // "SHA256:" and 43 base64 characters
}

// SubjectKind says which of the five forms a subject has.
type SubjectKind string

// The forms of a subject (F2).
const (
	SubjectFile    SubjectKind = "file"
	SubjectSigner  SubjectKind = "signer"
	SubjectGit     SubjectKind = "git"
	SubjectRelease SubjectKind = "release"
	SubjectProject SubjectKind = "project"
)

// Subject is one thing that a record speaks about: exactly one of a file (Digest), a signer,
// a git object, a release or a project (F2).
type Subject struct {
	File    string // the name it is known by; "" when not given
	Size    int64  // bytes; -1 when not given
	Digest  Digest
	Signer  string   // "ssh:…", "openpgp:…", "minisign:…" or "signify:…", the whole identity
	Cert    string   // openpgp signers only: the certificate, a block of lines
	Pattern []string // signer on a trust record: patterns of projects, field `projects`
	Git     GitID
	Release string // "pkg:type/name@version"
	Project string // "pkg:type/name"
}

// Digest is the digest set of a file; each is lower-case hex, "" when not given.
type Digest struct {
	SHA256 string // 64 hex
	SHA512 string // 128 hex
}

// GitID names a git commit or a git tree, exactly one of them, in 40 or 64 hex.
type GitID struct {
	Commit string
	Tree   string
}

// Kind says which form s has; "" when it has none or more than one.
func (s Subject) Kind() SubjectKind {
	var form SubjectKind
	forms := 0
	is := func(there bool, k SubjectKind) {
		if there {
			form = k
			forms++
		}
	}
	is(s.Digest != (Digest{}), SubjectFile)
	is(s.Signer != "", SubjectSigner)
	is(s.Git != (GitID{}), SubjectGit)
	is(s.Release != "", SubjectRelease)
	is(s.Project != "", SubjectProject)
	if forms != 1 {
		return ""
	}
	return form
}

// KeyState is the state of a key in a head (F5.4, F5.8); it only moves forward.
type KeyState string

// The states of a key.
const (
	Active      KeyState = "active"
	Retired     KeyState = "retired"     // signs nothing new; what it signed counts
	Compromised KeyState = "compromised" // what it signed is void unless kept
)

// Key is one key of a log as its head lists it (F5).
type Key struct {
	Key      string // "type base64"
	Name     string
	State    KeyState
	Recovery bool
}

// Head is the signed state of one log (F5).
type Head struct {
	Log      string // 32 hex
	Salt     string // 32 hex, fixed at seq 1
	Name     string
	Contact  string // mailto: or https:
	URL      string // where the log is published
	Projects []string
	Epoch    int64
	Seq      int64  // 1 and up
	Prev     string // SHA-256 of the previous head.yml; "" at seq 1 only
	Root     string // SHA-256 over every file under records/
	Records  int64  // number of .yml under records/
	Issued   time.Time
	Expires  time.Time
	Keys     []Key
	Keep     []string // ids of records of compromised keys that the owner stands by
}

// PrivateLog is the document private/log.yml (F5): what makes the private log's id.
type PrivateLog struct {
	Log  string // 32 hex
	Key  string // "type base64"
	Salt string // 32 hex
}
