//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package gitstore

import "os"

// tryLock always succeeds: what keeps others out here is that a lock file can
// be made only once.
func tryLock(*os.File) bool { return true }

// unlock closes the file; whoever made it removes it.
func unlock(f *os.File) { f.Close() }

// locksEnd says that nothing is known of the process that made a lock file: a
// person has to remove one that was left behind, as with git itself.
const locksEnd = false
