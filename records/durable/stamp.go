package durable

import (
	"io/fs"
	"strconv"
)

// Stamp tells the states of a file apart at a glance, without reading it: by size and time, and by its number
// on the disk where the system tells that, which every renaming into its place changes.
func Stamp(info fs.FileInfo) string {
	b := strconv.AppendInt(make([]byte, 0, 48), info.Size(), 10)
	b = strconv.AppendInt(append(b, ','), info.ModTime().UnixNano(), 10)
	b = strconv.AppendUint(append(b, ','), inode(info), 10)
	return string(b)
}
