package store

import "io"

// windowSize is how much of a file is read at a time when it is gone through.
const windowSize = 256 << 10

// window reads a file that is scanned from front to back in large pieces.
type window struct {
	r    io.ReaderAt
	size int64 // nothing is read from here on
	b    []byte
	off  int64 // of b in the file
}

// ReadAt reads as the file would; what lies before the window or is larger than it is not kept.
func (w *window) ReadAt(p []byte, off int64) (int, error) {
	if off < w.off || off+int64(len(p)) > w.off+int64(len(w.b)) {
		if len(p) > windowSize {
			return w.r.ReadAt(p, off)
		}
		if w.b == nil {
			w.b = make([]byte, windowSize)
		}
		n := max(0, min(windowSize, w.size-off))
		got, err := w.r.ReadAt(w.b[:n], off)
		w.off, w.b = off, w.b[:got]
		if got < len(p) {
			copy(p, w.b)
			if err == nil {
				err = io.EOF
			}
			return min(got, len(p)), err
		}
	}
	return copy(p, w.b[off-w.off:]), nil
}
