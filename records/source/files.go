package source

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
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
	at     int    // the last place that was found: what comes next mostly lies beside it
}

type file struct {
	path string
	blob blobID
	size int64
	sum  [sha256.Size]byte
}

// blobID is git's object id of a file. There is one for every file of a set, twice over while it is read, and
// text would take four times as much.
type blobID [20]byte

// String is the id as git writes it, "" for none.
func (id blobID) String() string {
	if id == (blobID{}) {
		return ""
	}
	return hex.EncodeToString(id[:])
}

// parseBlobID reads the only form of an object id.
func parseBlobID(b []byte) (id blobID, ok bool) {
	if !isObject(string(b)) {
		return id, false
	}
	_, err := hex.Decode(id[:], b)
	return id, err == nil && id != (blobID{})
}

const filesFormat = "distrust files 1"

// maxListBytes bounds the list that is read back: 250,000 files of the longest paths, and room
// for limits that were raised.
const maxListBytes = 1 << 30

func comparePath(f file, path string) int { return strings.Compare(f.path, path) }

// find finds a file. It is not for several goroutines at once.
func (l *fileList) find(path string) (file, bool) {
	for i := max(l.at-1, 0); i < len(l.files) && i <= l.at+1; i++ {
		if l.files[i].path == path {
			l.at = i
			return l.files[i], true
		}
	}
	i, ok := slices.BinarySearchFunc(l.files, path, comparePath)
	if l.at = i; !ok {
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
func (f file) gone() bool { return f.blob == (blobID{}) }

// patch is the files of the list after changes, which are in the order of their paths.
func (l *fileList) patch(changes []file) []file {
	if len(l.files) == 0 && !slices.ContainsFunc(changes, file.gone) {
		return changes
	}
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

// differs gives what patch needs to make another list of this one, some at a time: a whole set of changes
// would be as large as the list. The slice is only lent.
func (l *fileList) differs(other *fileList, give func([]file) error) error {
	changes := make([]file, 0, 1<<10)
	add := func(f file) error {
		if changes = append(changes, f); len(changes) < cap(changes) {
			return nil
		}
		err := give(changes)
		changes = changes[:0]
		return err
	}
	old := l.files
	for _, f := range other.files {
		for len(old) > 0 && old[0].path < f.path {
			if err := add(file{path: old[0].path}); err != nil {
				return err
			}
			old = old[1:]
		}
		if len(old) > 0 && old[0].path == f.path {
			same := old[0] == f
			if old = old[1:]; same {
				continue
			}
		}
		if err := add(f); err != nil {
			return err
		}
	}
	for _, f := range old {
		if err := add(file{path: f.path}); err != nil {
			return err
		}
	}
	if len(changes) == 0 {
		return nil
	}
	return give(changes)
}

// write writes the list: a header, a line for each file, and the sum of what comes before. That of a large set
// takes tens of MiB, which are never held as a whole.
func (l *fileList) write(to io.Writer) error {
	out, sum := bufio.NewWriterSize(to, 64<<10), sha256.New()
	both := io.MultiWriter(out, sum)
	if _, err := fmt.Fprintf(both, "%s %s %s\n", filesFormat, l.Commit, l.Head); err != nil {
		return err
	}
	var line []byte
	for _, f := range l.files {
		line = f.appendLine(line[:0])
		if _, err := both.Write(line); err != nil {
			return err
		}
	}
	if _, err := fmt.Fprintf(out, "sum %x\n", sum.Sum(nil)); err != nil {
		return err
	}
	return out.Flush()
}

var errFileList = errors.New("the list of files is damaged")

// parseFileList reads a list back, of about so many bytes. Any damage is an error: the list is then made anew.
func parseFileList(from io.Reader, size int64) (*fileList, error) {
	in, sum := bufio.NewReaderSize(from, 64<<10), sha256.New()
	line, err := in.ReadSlice('\n')
	if err != nil {
		return nil, err
	}
	sum.Write(line)
	rest, ok := strings.CutPrefix(strings.TrimSuffix(string(line), "\n"), filesFormat+" ")
	commit, head, both := strings.Cut(rest, " ")
	if !ok || !both {
		return nil, errFileList
	}
	const mean = 180 // bytes of a line
	list := &fileList{Commit: commit, Head: head, files: make([]file, 0, size/mean)}
	for {
		if line, err = in.ReadSlice('\n'); err != nil {
			return nil, err
		}
		if bytes.HasPrefix(line, []byte("sum ")) {
			break
		}
		sum.Write(line)
		f, err := parseFile(line[:len(line)-1])
		if err != nil {
			return nil, err
		}
		list.files = append(list.files, f)
	}
	if string(line) != fmt.Sprintf("sum %x\n", sum.Sum(nil)) {
		return nil, errFileList
	}
	if _, err := in.ReadByte(); !errors.Is(err, io.EOF) {
		return nil, errFileList
	}
	return list, nil
}

// readFileList reads the list of an earlier run. A damaged or missing one costs time, no more.
func readFileList(path string) *fileList {
	f, err := os.Open(path)
	if err != nil {
		return &fileList{}
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.Size() > maxListBytes {
		return &fileList{}
	}
	list, err := parseFileList(f, info.Size())
	if err != nil {
		return &fileList{}
	}
	return list
}

func (f file) appendLine(line []byte) []byte {
	line = hex.AppendEncode(line, f.sum[:])
	line = append(line, ' ')
	line = hex.AppendEncode(line, f.blob[:])
	line = append(line, ' ')
	line = strconv.AppendInt(line, f.size, 10)
	line = append(line, ' ')
	line = append(line, f.path...)
	return append(line, '\n')
}

// parseFile reads a line and keeps nothing of it but the path.
func parseFile(line []byte) (f file, err error) {
	const sumEnd = 2 * len(f.sum)
	const blobEnd = sumEnd + 1 + 2*len(f.blob)
	if len(line) <= blobEnd || line[sumEnd] != ' ' || line[blobEnd] != ' ' {
		return file{}, errFileList
	}
	size, path, ok := bytes.Cut(line[blobEnd+1:], []byte(" "))
	_, err = hex.Decode(f.sum[:], line[:sumEnd])
	if !ok || err != nil {
		return file{}, errFileList
	}
	if f.blob, ok = parseBlobID(line[sumEnd+1 : blobEnd]); !ok {
		return file{}, errFileList
	}
	if f.size, err = strconv.ParseInt(string(size), 10, 64); err != nil || f.size < 0 {
		return file{}, errFileList
	}
	f.path = string(path)
	return f, nil
}
