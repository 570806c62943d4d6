//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package gitstore

import (
	"time"

	"github.com/go-git/go-git/v5/plumbing/format/index"
	"golang.org/x/sys/unix"
)

// fillStat writes down what git compares to see that a file was not touched.
// Left out, git reads the file once more and writes it down itself.
func fillStat(e *index.Entry, file string) {
	var st unix.Stat_t
	if unix.Lstat(file, &st) != nil {
		return
	}
	e.CreatedAt = time.Unix(st.Ctim.Unix())
	e.ModifiedAt = time.Unix(st.Mtim.Unix())
	e.Dev, e.Inode = uint32(st.Dev), uint32(st.Ino)
	e.UID, e.GID, e.Size = st.Uid, st.Gid, uint32(st.Size)
}
