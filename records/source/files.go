package source

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/distributed-trust/distrust/records"
)

// fileList is what is known of every file under records/ and keys/ of one commit: a cache that saves
// reading and hashing them again. An object id is only a hint for finding bytes that were read
// before; the set is bound by the SHA-256 of those bytes (F5).
type fileList struct {
	Commit string
	Head   string // id of the head that the set belongs to
	files  []file // sorted by path
}

type file struct {
	path string
	blob string // git's object id
	size int64
	sum  [sha256.Size]byte
}

const filesFormat = "distrust files 1"

// maxListBytes bounds the list that is read back: 250,000 files of the longest paths, and room
// for limits that were raised.
const maxListBytes = 1 << 30

func comparePath(f file, path string) int { return strings.Compare(f.path, path) }

func (l *fileList) find(path string) (file, bool) {
	i, ok := slices.BinarySearchFunc(l.files, path, comparePath)
	if !ok {
		return file{}, false
	}
	return l.files[i], true
}

// root adds the set up (F5): its root, its number of records, and the size of all files in bytes.
func (l *fileList) root() (root string, count, size int64, err error) {
	r := records.NewRoot()
	for _, f := range l.files {
		size += f.size
		if !inFolder(f.path, records.RecordsFolder) {
			continue
		}
		if err := r.Add(f.path, f.sum); err != nil {
			return "", 0, 0, err
		}
	}
	return r.Sum(), r.Records(), size, nil
}

// listed says whether a file belongs on the list: records and kept heads.
func listed(path string) bool {
	return inFolder(path, records.RecordsFolder) || inFolder(path, records.KeysFolder)
}

func inFolder(path, folder string) bool {
	rest, ok := strings.CutPrefix(path, folder)
	return ok && strings.HasPrefix(rest, "/")
}

// gone says, of a change, that there is no such file any more.
func (f file) gone() bool { return f.blob == "" }

// patch is the files of the list after changes, which are in the order of their paths.
func (l *fileList) patch(changes []file) []file {
	files := make([]file, 0, len(l.files)+len(changes))
	old := l.files
	for _, change := range changes {
		i, had := slices.BinarySearchFunc(old, change.path, comparePath)
		files = append(files, old[:i]...)
		if old = old[i:]; had {
			old = old[1:]
		}
		if !change.gone() {
			files = append(files, change)
		}
	}
	return append(files, old...)
}

// differs is what patch needs to make another list of this one.
func (l *fileList) differs(other *fileList) []file {
	var changes []file
	old := l.files
	for _, f := range other.files {
		for len(old) > 0 && old[0].path < f.path {
			changes = append(changes, file{path: old[0].path})
			old = old[1:]
		}
		if len(old) > 0 && old[0].path == f.path {
			same := old[0] == f
			if old = old[1:]; same {
				continue
			}
		}
		changes = append(changes, f)
	}
	for _, f := range old {
		changes = append(changes, file{path: f.path})
	}
	return changes
}

// marshal writes the list: a header, a line for each file, and the sum of what comes before.
func (l *fileList) marshal() []byte {
	size := 0
	for _, f := range l.files {
		size += len(f.path) + len(f.blob) + 2*sha256.Size + len("   18446744073709551615\n")
	}
	var b bytes.Buffer
	b.Grow(size + 1<<10) // tens of MiB: growing step by step would take three times as much
	fmt.Fprintf(&b, "%s %s %s\n", filesFormat, l.Commit, l.Head)
	for _, f := range l.files {
		b.Write(f.appendLine(b.AvailableBuffer()))
	}
	sum := sha256.Sum256(b.Bytes())
	fmt.Fprintf(&b, "sum %x\n", sum)
	return b.Bytes()
}

var errFileList = errors.New("the list of files is damaged")

// parseFileList reads a list back. Any damage is an error: the list is then made anew.
func parseFileList(b []byte) (*fileList, error) {
	end := bytes.LastIndex(b, []byte("\nsum ")) + 1
	if end == 0 || string(b[end:]) != fmt.Sprintf("sum %x\n", sha256.Sum256(b[:end])) {
		return nil, errFileList
	}
	scanner := bufio.NewScanner(bytes.NewReader(b[:end]))
	scanner.Scan()
	rest, ok := strings.CutPrefix(scanner.Text(), filesFormat+" ")
	commit, head, both := strings.Cut(rest, " ")
	if !ok || !both {
		return nil, errFileList
	}
	list := &fileList{Commit: commit, Head: head}
	for scanner.Scan() {
		f, err := parseFile(scanner.Text())
		if err != nil {
			return nil, err
		}
		list.files = append(list.files, f)
	}
	return list, scanner.Err()
}

// readFileList reads the list of an earlier run. A damaged or missing one costs time, no more.
func readFileList(path string) *fileList {
	b, err := readBounded(path, maxListBytes)
	if err != nil {
		return &fileList{}
	}
	list, err := parseFileList(b)
	if err != nil {
		return &fileList{}
	}
	return list
}

func (f file) appendLine(line []byte) []byte {
	line = hex.AppendEncode(line, f.sum[:])
	line = append(line, ' ')
	line = append(line, f.blob...)
	line = append(line, ' ')
	line = strconv.AppendInt(line, f.size, 10)
	line = append(line, ' ')
	line = append(line, f.path...)
	return append(line, '\n')
}

func parseFile(line string) (file, error) {
	fields := strings.SplitN(line, " ", 4)
	if len(fields) != 4 || len(fields[0]) != 2*sha256.Size {
		return file{}, errFileList
	}
	f := file{blob: fields[1], path: fields[3]}
	if _, err := hex.Decode(f.sum[:], []byte(fields[0])); err != nil {
		return file{}, errFileList
	}
	size, err := strconv.ParseInt(fields[2], 10, 64)
	if err != nil || size < 0 {
		return file{}, errFileList
	}
	f.size = size
	return f, nil
}
