//go:build race

package index

// underRace says that the race detector runs: it ends the program over damage in a mapped file that
// points beyond it, where without it there is a fault, which becomes an error.
const underRace = true
