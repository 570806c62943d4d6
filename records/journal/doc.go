// Package journal remembers what this machine accepted, and says when that turns out bad.
//
// The journal is a file of JSON lines, one an accepted thing, each at most 4 KiB and written in
// one append, so that any number of checks may write at once and a crash loses at most the line
// that it was writing. Empty lines between them keep half a line from spoiling the next. It is
// private (0600), never published, and never read by a decision.
// Alarms are the difference of two pure calls: what was accepted, and what is decided about it now.
package journal
