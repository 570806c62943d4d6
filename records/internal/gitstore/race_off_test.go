//go:build !race

package gitstore

// underRace says that the race detector multiplies what memory a process takes.
const underRace = false
