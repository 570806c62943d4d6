// Package store keeps the records of one log, each byte for byte, in one append-only file.
//
// The file begins with magic (8 bytes, the last is the version of the format), the id of the log
// (16), and the CRC-32C of both (4, little endian). Frames follow: magic (4), kind (1), length of
// the body (4, little endian), CRC-32C of kind, length and body (4), body. A frame adds a record,
// removes one, states what is known of the log, or commits what came before it; what follows the
// last commit is not believed. Beside its bytes a record has what it says in a form that is read
// without YAML ([Said]); a record is believed only when it was opened again ([Frame.Open]).
package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

const (
	frameHeader = 13
	// maxBody bounds a body: a record (256 KiB), its statement (less than the record), its
	// signature (16 KiB), or a log's keys and kept ids.
	maxBody = 1 << 20
	// firstRead is how much is read before the length is known: most records fit.
	firstRead = 2 << 10
)

// frameMagic holds bytes that occur in no UTF-8 text, so that no record can hold a frame and a
// reader that lost its place finds the next true one.
var frameMagic = [4]byte{0xFF, 0xFE, 'd', 'R'}

type frameKind byte

const (
	frameRecord frameKind = 1 // a record comes in, or takes the place of the one with its id
	frameRemove frameKind = 2 // the record with this id goes
	frameState  frameKind = 3 // what is known of the log from here on
	frameCommit frameKind = 4 // everything before is one whole update
)

// ErrFrame says that no whole frame lies where one is read.
var ErrFrame = errors.New("no whole frame")

// castagnoli is the CRC that processors compute in hardware. It finds damage, not intent. Its
// table is made when it is first asked for.
func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

// appendHeader appends what comes before the body of a frame.
func appendHeader(b []byte, kind frameKind, body []byte) []byte {
	at := len(b)
	b = append(b, frameMagic[:]...)
	b = append(b, byte(kind))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(body)))
	sum := frameSum(b[at+4:at+9], body)
	return binary.LittleEndian.AppendUint32(b, sum)
}

func frameSum(head, body []byte) uint32 {
	return crc32.Update(crc32.Update(0, castagnoli(), head), castagnoli(), body)
}

// Frame is one frame of a store, read and found whole.
type Frame struct {
	Off  int64 // where it begins
	kind frameKind
	body []byte
}

// Size is the length of the frame.
func (f Frame) Size() int64 { return frameHeader + int64(len(f.body)) }

func (f Frame) next() int64 { return f.Off + f.Size() }

// Same says whether two frames hold the same.
func (f Frame) Same(g Frame) bool { return f.kind == g.kind && bytes.Equal(f.body, g.body) }

// reader gives so many bytes of a store from an offset on.
type reader interface {
	at(off int64, n int) ([]byte, error)
}

// readFrame reads the frame at off of a store that ends at end. ErrFrame: what lies there is no
// whole frame. Other errors are the file's.
func readFrame(r reader, off, end int64) (Frame, error) {
	room := end - off
	if off < 0 || room < frameHeader {
		return Frame{}, fmt.Errorf("%w at %d: the file ends", ErrFrame, off)
	}
	b, err := r.at(off, int(min(room, firstRead)))
	if err != nil {
		return Frame{}, err
	}
	n, err := frameLength(b, off)
	if err != nil {
		return Frame{}, err
	}
	if n > room {
		return Frame{}, fmt.Errorf("%w at %d: the file ends", ErrFrame, off)
	}
	if int64(len(b)) < n {
		if b, err = r.at(off, int(n)); err != nil {
			return Frame{}, err
		}
	}
	return parseFrame(b[:n], off)
}

// frameLength is how long the frame is that b begins with, header included.
func frameLength(b []byte, off int64) (int64, error) {
	if len(b) < frameHeader || !bytes.Equal(b[:4], frameMagic[:]) {
		return 0, fmt.Errorf("%w at %d", ErrFrame, off)
	}
	n := binary.LittleEndian.Uint32(b[5:9])
	if n > maxBody {
		return 0, fmt.Errorf("%w at %d: a body of %d bytes", ErrFrame, off, n)
	}
	return frameHeader + int64(n), nil
}

// parseFrame checks a frame whose bytes are all there.
func parseFrame(b []byte, off int64) (Frame, error) {
	body := b[frameHeader:]
	if frameSum(b[4:9], body) != binary.LittleEndian.Uint32(b[9:13]) {
		return Frame{}, fmt.Errorf("%w at %d: the checksum differs", ErrFrame, off)
	}
	kind := frameKind(b[4])
	if kind < frameRecord || kind > frameCommit {
		return Frame{}, fmt.Errorf("%w at %d: kind %d", ErrFrame, off, kind)
	}
	return Frame{kind: kind, Off: off, body: body}, nil
}

// scanFrames calls do for every whole frame up to end, which is good until do returns, and
// damaged for the start of every stretch that is none. It ends whatever lies there; the error is the file's or do's.
func scanFrames(r io.ReaderAt, end int64, do func(Frame) error, damaged func(off int64, err error)) error {
	w := &window{r: r, size: end}
	for off := HeaderSize; off < end; {
		f, err := readFrame(w, off, end)
		if errors.Is(err, ErrFrame) {
			damaged(off, err)
			if off, err = findFrame(w, off+1, end); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		if err := do(f); err != nil {
			return err
		}
		off = f.next()
	}
	return nil
}

// findFrame is where the next whole frame begins, end when none does. A magic may itself be
// damage: only one that starts a whole frame counts.
func findFrame(w *window, off, end int64) (int64, error) {
	for off+frameHeader <= end {
		b, err := w.at(off, int(min(windowSize, end-off)))
		if errors.Is(err, ErrFrame) {
			return end, nil // the file is shorter than it should be
		} else if err != nil {
			return 0, err
		}
		at := bytes.Index(b, frameMagic[:])
		if at < 0 {
			off += int64(len(b) - len(frameMagic) + 1) // a magic may lie across two windows
			continue
		}
		off += int64(at)
		_, err = readFrame(w, off, end)
		if err == nil {
			return off, nil
		}
		if !errors.Is(err, ErrFrame) {
			return 0, err
		}
		off++
	}
	return end, nil
}
