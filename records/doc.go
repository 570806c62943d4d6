// Package records makes the two things that everything else believes: a [Record] and a [Head]
// whose signatures were verified, and it judges whether a fetched head may follow a pinned one.
//
// It speaks format 1 (docs/format.md). A record is a YAML file and a detached SSH signature
// that lie at the one [Path] which follows from the record. A log is one identity's set of
// records; its [Head] lists the keys that may sign for it and binds every file of the set by
// [RootOf]. Only [Open], [Seal]'s reader and [OpenHead] make these values, so whatever holds one
// holds something that a key has signed.
//
// The rules for heads (F5) are pure functions over values: [FirstContact] when nothing is
// pinned, [Advance] when something is, [PublishedState] to find the head that a repository
// publishes, [Vanished] for reports that left a set. They read no clock and do no I/O. A refusal
// is a [HeadError] that carries both heads as evidence, or a [Refusal] of one document.
package records
