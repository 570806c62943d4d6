package store

import (
	"errors"
	"fmt"
	"io"
)

// windowSize is how much of a file is read at a time when it is gone through.
const windowSize = 256 << 10

// window reads a file that is gone through from front to back in large pieces.
type window struct {
	r    io.ReaderAt
	size int64 // nothing is read from here on
	room []byte
	b    []byte // in room: what was read
	off  int64  // of b in the file
}

// at gives n bytes from off on, which are good until the next call.
func (w *window) at(off int64, n int) ([]byte, error) {
	if off < w.off || off+int64(n) > w.off+int64(len(w.b)) {
		want := max(int64(n), min(windowSize, w.size-off))
		if int64(len(w.room)) < want {
			w.room = make([]byte, want)
		}
		got, err := w.r.ReadAt(w.room[:want], off)
		w.off, w.b = off, w.room[:got]
		if got < n {
			return nil, readError(off+int64(got), err)
		}
	}
	return w.b[off-w.off:][:n], nil
}

// alone reads pieces that are kept.
type alone struct{ r io.ReaderAt }

func (a alone) at(off int64, n int) ([]byte, error) {
	b := make([]byte, n)
	if err := readAt(a.r, b, off); err != nil {
		return nil, err
	}
	return b, nil
}

func readAt(r io.ReaderAt, b []byte, off int64) error {
	n, err := r.ReadAt(b, off)
	if n == len(b) {
		return nil
	}
	return readError(off, err)
}

func readError(off int64, err error) error {
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%w at %d: the file ends", ErrFrame, off)
	}
	return fmt.Errorf("reading at %d: %w", off, err)
}
