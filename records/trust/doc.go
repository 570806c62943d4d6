// Package trust turns what verified records say, the user's follows and a time into one verdict
// with every reason.
//
// It is the specification of docs/decision.md as code, and clause ids such as D4 refer to it. The
// package is pure: integers only, no clock, no I/O, and nothing depends on the order of its inputs
// or of a map. It takes plain values, so that another program can bring its own:
//
//   - a [Query] says what is known about the thing: digests, project, version, who signed it well;
//   - [Statement]s are what records say ([FromRecord] makes one of a verified record);
//   - a [Network] is the world: the user's logs and [Follow]s, the public follows of sources, and
//     which heads were accepted;
//   - [Decide] gives a [Decision].
//
// # The network pass (D2)
//
// [Network.Reach] finds who may be heard: the widest path to each source from a follow, where a
// path is as wide as its narrowest part. The user's follows, scopes, hops, via_max and expiries
// bound it. Trust is not heard over the edges of stale sources, reports are.
//
// # The verdict (D3 to D5)
//
// One source has one voice. Trust adds up under capacities (P), so that any number of puppets adds
// no more than the edges that lead to them; reports add up more generously (N), and again without
// those that the user has overruled (N'); other bytes than these add up to M. The first line that
// matches decides:
//
//	1  the user's own word is a report        DISTRUSTED
//	2  N' >= 50                               DISTRUSTED
//	3  the user trusts these very bytes       TRUSTED
//	4  bad or changed signature, other bytes  MISMATCH
//	5  the user trusts its signer             TRUSTED
//	6  P - N >= 100                           TRUSTED
//	7  otherwise                              UNKNOWN
package trust
