package store

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/distributed-trust/distrust/records"
)

const (
	fileMagic = "dtstore\x01"
	// HeaderSize is where the first frame begins.
	HeaderSize = int64(len(fileMagic) + 16 + 4)
	suffix     = ".records"
)

// Name is the name of a log's store. One that was rewritten has a number, above the last.
func Name(log string, number uint32) string {
	if number == 0 {
		return log + suffix
	}
	return log + "." + strconv.FormatUint(uint64(number), 10) + suffix
}

// ParseName is the reverse of Name; false for other names.
func ParseName(name string) (log string, number uint32, ok bool) {
	stem, found := strings.CutSuffix(name, suffix)
	log, digits, numbered := strings.Cut(stem, ".")
	if _, err := logBytes(log); err != nil || !found {
		return "", 0, false
	}
	if numbered {
		n, err := strconv.ParseUint(digits, 10, 32)
		if err != nil {
			return "", 0, false
		}
		number = uint32(n)
	}
	return log, number, Name(log, number) == name
}

// logBytes reads a log id: 32 digits of lower-case hex.
func logBytes(log string) ([]byte, error) {
	raw, err := hex.DecodeString(log)
	if err != nil || len(raw) != 16 || hex.EncodeToString(raw) != log {
		return nil, fmt.Errorf("%q is no log id", log)
	}
	return raw, nil
}

// CheckLog says why log is no log id.
func CheckLog(log string) error {
	_, err := logBytes(log)
	return err
}

func header(log string) ([]byte, error) {
	raw, err := logBytes(log)
	if err != nil {
		return nil, err
	}
	b := append([]byte(fileMagic), raw...)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli())), nil
}

// checkHeader says why the file is not the log's store.
func checkHeader(r io.ReaderAt, log string) error {
	want, err := header(log)
	if err != nil {
		return err
	}
	have := make([]byte, len(want))
	if err := readAt(r, have, 0); err != nil {
		return err
	}
	if !bytes.Equal(have, want) {
		return errors.New("its header is not that of this log")
	}
	return nil
}

// File is a store that is open for reading. It may be used by several goroutines at once.
type File struct{ f *os.File }

// Open opens the store of a log.
func Open(path, log string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if err := checkHeader(f, log); err != nil {
		f.Close()
		return nil, err
	}
	return &File{f}, nil
}

// Close lets go of the file.
func (f *File) Close() error { return f.f.Close() }

// Size is the length of the file, committed or not.
func (f *File) Size() (int64, error) {
	info, err := f.f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// Frame reads the frame of a record from a store that is committed up to end.
func (f *File) Frame(off, end int64) (Frame, error) { return recordAt(alone{f.f}, off, end) }

func recordAt(r reader, off, end int64) (Frame, error) {
	fr, err := readFrame(r, off, end)
	if err == nil && fr.kind != frameRecord {
		err = fmt.Errorf("%w at %d: not a record", ErrFrame, off)
	}
	return fr, err
}

// Replay goes through the frames up to end and says what is live after the last commit among
// them. damaged is called for every stretch that holds no whole frame.
func (f *File) Replay(end int64, damaged func(off int64, err error)) (*Live, error) {
	return replay(f.f, end, damaged)
}

// Check goes through the frames up to end once, and gives the first damage: a stretch that holds no whole
// frame, or a record that says nothing.
func (f *File) Check(end int64) error {
	var damage error
	blame := func(_ int64, err error) { damage = cmp.Or(damage, err) }
	err := scanFrames(f.f, end, func(f Frame) error {
		if f.kind == frameRecord {
			_, err := f.Said(&records.Log{})
			blame(f.Off, err)
		}
		return nil
	}, blame)
	return cmp.Or(err, damage)
}

// Live is what a store holds when all its frames were gone through.
type Live struct {
	Frames map[ID]Place
	State  []byte // of the last state frame; nil without one
	End    int64  // where the last commit ends
}

// Place is where a frame lies.
type Place struct{ Off, Size int64 }

// inOrder lists the live frames from front to back of the store: the order in which they came.
func (l *Live) inOrder() []Place {
	return slices.SortedFunc(maps.Values(l.Frames), func(a, b Place) int { return cmp.Compare(a.Off, b.Off) })
}

// each reads the live frames in their order, the file in large pieces.
func (l *Live) each(file io.ReaderAt, do func(Frame) error) error {
	r := &window{r: file, size: l.End}
	for _, at := range l.inOrder() {
		f, err := recordAt(r, at.Off, l.End)
		if err != nil {
			return err
		}
		if err := do(f); err != nil {
			return err
		}
	}
	return nil
}

// Each calls do for every live frame, in the order in which they came. A frame is good until do returns.
func (f *File) Each(l *Live, do func(Frame) error) error { return l.each(f.f, do) }

// change is what one frame does.
type change struct {
	kind  frameKind
	id    ID
	place Place
}

func (l *Live) apply(c change, state []byte) {
	switch c.kind {
	case frameRecord:
		l.Frames[c.id] = c.place
	case frameRemove:
		delete(l.Frames, c.id)
	case frameState:
		l.State = state
	case frameCommit:
		l.End = c.place.Off + c.place.Size
	}
}

func replay(r io.ReaderAt, end int64, damaged func(off int64, err error)) (*Live, error) {
	l := &Live{Frames: map[ID]Place{}, End: HeaderSize}
	var pending []change
	var state []byte // of the last state frame
	err := scanFrames(r, end, func(f Frame) error {
		c := change{kind: f.kind, place: Place{f.Off, f.Size()}}
		var err error
		switch f.kind {
		case frameRecord:
			c.id, err = f.ID()
		case frameRemove:
			c.id, err = ParseID(string(f.body))
		case frameState:
			state = bytes.Clone(f.body)
		case frameCommit:
		}
		if err != nil {
			damaged(f.Off, err)
			return nil
		}
		if pending = append(pending, c); c.kind == frameCommit {
			for _, p := range pending {
				l.apply(p, state)
			}
			pending = pending[:0]
		}
		return nil
	}, damaged)
	return l, err
}
