package source

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/distributed-trust/distrust/records/trust"
	"github.com/distributed-trust/distrust/schema"
)

// Reach is a source that the user does not follow, but whom followed sources with a depth follow in
// public (D2). It is fetched only after a yes: its URL is out of somebody's record.
type Reach struct {
	Log      string
	Path     []string // log ids from the follow to the source, the source last
	Names    []string // the same as the user knows them; foreign text beyond the first
	Width    int      // the most that a voice of it can carry, scopes aside
	URL      string   // as the last on the path says; foreign text
	Key      string   // "SHA256:…" as the same says
	Accepted bool     // the user said yes: it has a pin and is synced like a source
	Pin      *Pin     // nil: never fetched, or unfollowed
}

// Spec is the source as [Sync] takes it. Its first contact is held to the log id and to the key
// that the edge names.
func (r Reach) Spec() Spec {
	name := shortLog(r.Log)
	if n := len(r.Names); n > 0 && r.Names[n-1] != "" {
		name = r.Names[n-1]
	}
	spec := Spec{Name: name, URL: r.URL, Log: r.Log, Fingerprint: r.Key, Delegated: true}
	if r.Accepted {
		spec.URL = r.Pin.URL // where it was accepted; another edge cannot send us elsewhere
	}
	return spec
}

// Reached lists the sources that the network reaches beyond the user's follows, in any scope, in the
// order of their log ids. net is the index's network with the user's own logs and follows filled
// in, follows what [index.Generation.Follows] gives, and pins are all pins.
func Reached(net trust.Network, follows []trust.Statement, pins []*Pin, now time.Time) []Reach {
	pinned := map[string]*Pin{}
	for _, pin := range pins {
		pinned[pin.Log] = pin
	}
	var reached []Reach
	open := unscoped(net)
	edges := edgesOf(follows, now.Unix())
	for _, route := range open.Reach("", now.Unix()).Routes() {
		if route.Hops == 0 || len(route.Path) < 2 {
			continue
		}
		edge, ok := edges[hop{route.Path[len(route.Path)-2], route.Log}]
		if !ok {
			continue
		}
		r := Reach{
			Log: route.Log, Path: route.Path, Names: route.Names, Width: route.Width,
			URL: edge.Source.URL, Key: edge.Source.Key,
		}
		if pin := pinned[route.Log]; pin != nil && !pin.Tombstone() {
			r.Pin, r.Accepted = pin, pin.Delegated
		}
		reached = append(reached, r)
	}
	return reached
}

// Followed lists whom a log follows in public now, in the order of their log ids: of several records about one
// of them the newest that stands (D2). follows is what [index.Generation.Follows] gives.
func Followed(log string, follows []trust.Statement, now time.Time) []*trust.Statement {
	var list []*trust.Statement
	for at, e := range edgesOf(follows, now.Unix()) {
		if at.from == log && standing(e, now.Unix()) == 1 {
			list = append(list, e)
		}
	}
	slices.SortFunc(list, func(a, b *trust.Statement) int { return strings.Compare(a.Source.Log, b.Source.Log) })
	return list
}

// unscoped is the network with every scope taken off: a source that is heard about one project only
// has to be fetched all the same.
func unscoped(net trust.Network) trust.Network {
	out := trust.Network{
		Own: net.Own, Sources: net.Sources, Lost: net.Lost, OwnIssued: net.OwnIssued,
		Follows: slices.Clone(net.Follows), Edges: slices.Clone(net.Edges),
	}
	for i := range out.Follows {
		out.Follows[i].Scopes = nil
	}
	for i := range out.Edges {
		out.Edges[i].Scopes = nil
	}
	return out
}

// hop is a step from one log to another.
type hop struct{ from, to string }

// standing is 1 for a follow that has not expired, which of those of one second is the one that counts (D2).
func standing(e *trust.Statement, now int64) int {
	if e.Expires == 0 || e.Expires > now {
		return 1
	}
	return 0
}

// edgesOf are the follow records by which one log follows another: of several the newest that
// stands (D2).
func edgesOf(said []trust.Statement, now int64) map[hop]*trust.Statement {
	withdrawn := map[hop]bool{} // log and record id
	for i := range said {
		if w := &said[i]; w.Kind == schema.KindWithdraw && !w.Void {
			for _, id := range w.Withdraws {
				withdrawn[hop{w.Log, id}] = true
			}
		}
	}
	best := map[hop]*trust.Statement{}
	for i := range said {
		e := &said[i]
		if e.Kind != schema.KindFollow || e.Void || withdrawn[hop{e.Log, e.ID}] || e.Issued > now {
			continue
		}
		at := hop{e.Log, e.Source.Log}
		old, seen := best[at]
		if !seen || cmp.Or(cmp.Compare(e.Issued, old.Issued), standing(e, now)-standing(old, now), strings.Compare(old.ID, e.ID)) > 0 {
			best[at] = e
		}
	}
	return best
}
