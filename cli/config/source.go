package config

import (
	"slices"
	"strings"
	"time"

	"github.com/distributed-trust/distrust/records/trust"
)

// Source is one entry of sources.yml: somebody whose repository the user follows (C7).
type Source struct {
	Name        string // the user's own name for it, unique; never changed by a sync
	Log         string // 32 hex, written at first contact; "" before
	URL         string // where it is fetched from
	Fingerprint string // "SHA256:…" as pasted, or as accepted on first use; "" before
	Weight      int    // 0..100, or [DefaultWeight]
	Depth       int    // 0..3 hops beyond the source
	ViaMax      int    // 0..100: most that all that lies behind it can add
	Scopes      []string
	Expires     time.Time // zero: never
	Transport   Transport // what fetches it
	Insecure    bool      // http:// and git:// are allowed
	Limits      Limits
}

// DefaultWeight is the weight of an entry that names none: full within scopes, half without any
// (C3, follow). A scope that is everything bounds nothing.
const DefaultWeight = -1

// DefaultViaMax is the via_max of an entry that names none (D1).
const DefaultViaMax = 50

// MaxDepth is the greatest depth that a follow may have (D1).
const MaxDepth = 3

// Transport says what fetches a source.
type Transport string

// The transports (S3.6). The zero value is the built-in one.
const (
	Builtin Transport = ""
	Git     Transport = "git" // the user's git, with what its settings say
)

// Limits raises the limits of F7 for one source; 0 keeps the limit that is built in.
type Limits struct {
	Pack          int64 // bytes of a fetched pack
	Objects       int64 // objects in it
	Object        int64 // bytes of one object or delta result
	Inflated      int64 // bytes of all objects
	Advertisement int64 // bytes of the ref advertisement
	Store         int64 // bytes of packs that are kept
	Memory        int64 // bytes of memory of the process that fetches
	Files         int64 // files in a set
	Bytes         int64 // bytes in a set
	Commits       int64 // new commits in one fetch
	Edges         int64 // public follows
	Patterns      int64 // distinct patterns
	Vanished      int64 // kept reports that left the set
	Timeout, Idle time.Duration
}

// EffectiveWeight is the weight that counts: the one written, else full within scopes and half
// without any (C3).
func (s Source) EffectiveWeight() int {
	switch {
	case s.Weight != DefaultWeight:
		return s.Weight
	case len(s.Scopes) > 0 && !slices.Contains(s.Scopes, "*"):
		return WeightFull
	}
	return WeightHalf
}

// IsWide says whether a pattern covers everything, or every project of a type. In a head it is no
// bound that the user has set: whoever writes the head would choose their own weight.
func IsWide(pattern string) bool {
	kind, all := strings.CutSuffix(pattern, "/*")
	return pattern == "*" || all && !strings.Contains(kind, "/")
}

// Follows turns the entries of sources.yml into what [trust.Decide] takes. An entry that was never
// fetched has no log yet that could say anything.
func Follows(sources []Source) []trust.Follow {
	var follows []trust.Follow
	for _, s := range sources {
		if s.Log == "" {
			continue
		}
		f := trust.Follow{
			Name: s.Name, Log: s.Log, Weight: s.EffectiveWeight(),
			Depth: s.Depth, ViaMax: s.ViaMax, Scopes: s.Scopes,
		}
		if !s.Expires.IsZero() {
			f.Expires = s.Expires.Unix()
		}
		follows = append(follows, f)
	}
	return follows
}

// WithDefaultScopes gives the sources that name no scopes those that their head says it speaks
// about (D1). projects returns the patterns of the accepted head of a log, nil when it has none. The
// weight stays what it is without scopes: a head may change with every sync, and what it says
// bounds its log but never raises it.
func WithDefaultScopes(sources []Source, projects func(log string) []string) []Source {
	scoped := make([]Source, len(sources))
	copy(scoped, sources)
	for i, s := range scoped {
		if len(s.Scopes) == 0 && s.Log != "" {
			scoped[i].Weight, scoped[i].Scopes = s.EffectiveWeight(), projects(s.Log)
		}
	}
	return scoped
}
