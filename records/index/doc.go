// Package index keeps verified records where a check finds them without git, network or YAML:
// record stores that hold every record byte for byte, and index generations that say which of
// them speak about a digest, a signer or a name.
//
// A record store is one append-only file a log, Data/sources/<log>.records (rewritten ones carry
// a number: <log>.<n>.records): a header, then frames of magic, length, CRC and body. Frames add
// a record, remove one, state the log's head and keys, or commit what came before them; what
// follows the last commit is not believed. An index generation is an immutable bbolt file,
// Cache/index-<n>, or a small one that says what is different from a whole one below it, so that a
// record more does not cost as much as the index is large; the file Data/index names them and the user's own logs, and is
// swapped by a rename. Generations can always be rebuilt from the stores ([Rebuild]); nothing in them
// is a secret and nothing in them is believed where the record itself can be opened again
// ([Generation.Candidates]). What a log says about others lies there twice: as it was said
// ([Generation.Follows]), and as the edges that count, which every check walks ([Generation.Network]).
//
// Readers never lock: they open the current generation, and start again once when it was replaced
// under them. Writers ([Apply], [Begin], [Rebuild]) must be one at a time; the caller holds the lock.
package index
