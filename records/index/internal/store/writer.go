package store

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
)

// Writer appends to a store. What was appended counts from the next Commit on, and is on the disk
// after Sync.
type Writer struct {
	path      string
	f         *os.File      // nil while it rests
	out       *bufio.Writer // nil until something is appended
	size      int64         // with what is still in out
	flushed   int64         // of the file
	committed int64
}

// MaxSize is more than a store can hold.
const MaxSize = 1 << 40

// Create begins the store of a log, in place of a file that lies there.
func Create(path, log string) (*Writer, error) {
	h, err := header(log)
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	w := &Writer{path: path, f: f}
	if err := w.write(h); err != nil {
		f.Close()
		return nil, err
	}
	return w, nil
}

// Append opens the store of a log where its last commit ends. What comes after that, from an
// update that was never finished, is cut off. A shorter file is damaged.
func Append(path, log string, committed int64) (*Writer, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := cut(f, log, committed); err != nil {
		f.Close()
		return nil, err
	}
	return &Writer{path: path, f: f, size: committed, flushed: committed, committed: committed}, nil
}

func cut(f *os.File, log string, committed int64) error {
	if err := checkHeader(f, log); err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		return err
	}
	switch size := info.Size(); {
	case size < committed:
		return fmt.Errorf("%w at %d: the file ends, %d bytes were written", ErrFrame, size, committed)
	case size > committed:
		return f.Truncate(committed)
	}
	return nil
}

// Close lets go of the file. What was not committed is cut by the next writer.
func (w *Writer) Close() error {
	w.out = nil
	if w.f == nil {
		return nil
	}
	f := w.f
	w.f = nil
	return f.Close()
}

// Rest closes the file until it is needed again: a writer of very many stores has few of them open.
func (w *Writer) Rest() error { return errors.Join(w.flush(), w.Close()) }

// file is the file, open.
func (w *Writer) file() (_ *os.File, err error) {
	if w.f == nil {
		w.f, err = os.OpenFile(w.path, os.O_RDWR, 0)
	}
	return w.f, err
}

// Size is where the next frame will begin.
func (w *Writer) Size() int64 { return w.size }

// Changed says whether anything was appended since the last commit.
func (w *Writer) Changed() bool { return w.size != w.committed }

// Append appends the frame of a record and says where it begins.
func (w *Writer) Append(f Frame) (int64, error) { return w.append(f.kind, f.body) }

// Remove appends that a record goes.
func (w *Writer) Remove(id string) error {
	_, err := w.append(frameRemove, []byte(id))
	return err
}

// State appends what is known of the log from here on.
func (w *Writer) State(b []byte) error {
	_, err := w.append(frameState, b)
	return err
}

// Commit appends that everything before is one whole update.
func (w *Writer) Commit() error {
	if _, err := w.append(frameCommit, nil); err != nil {
		return err
	}
	w.committed = w.size
	return w.flush()
}

// Sync brings the file to the disk.
func (w *Writer) Sync() error {
	f, err := w.file()
	if err != nil {
		return err
	}
	return f.Sync()
}

func (w *Writer) append(kind frameKind, body []byte) (int64, error) {
	at := w.size
	switch {
	case len(body) > maxBody:
		return 0, fmt.Errorf("%d bytes do not go into a record store", len(body))
	case at+frameHeader+maxBody >= MaxSize:
		return 0, errors.New("the record store is full")
	}
	var header [frameHeader]byte
	if err := w.write(appendHeader(header[:0], kind, body)); err != nil {
		return at, err
	}
	return at, w.write(body)
}

func (w *Writer) write(b []byte) error {
	if w.out == nil {
		f, err := w.file()
		if err != nil {
			return err
		}
		w.out = bufio.NewWriterSize(io.NewOffsetWriter(f, w.size), 1<<16)
	}
	n, err := w.out.Write(b)
	w.size += int64(n)
	return err
}

func (w *Writer) flush() error {
	if w.out != nil {
		if err := w.out.Flush(); err != nil {
			return err
		}
	}
	w.flushed = w.size
	return nil
}

// Frame reads the frame of a record, of before or of this writer.
func (w *Writer) Frame(off int64) (Frame, error) {
	if off >= w.flushed {
		if err := w.flush(); err != nil {
			return Frame{}, err
		}
	}
	f, err := w.file()
	if err != nil {
		return Frame{}, err
	}
	return recordAt(alone{f}, off, w.flushed)
}

// Appended calls do for every record in the file, committed or not, in the order in which they
// came, which is good until do returns. Damage is an error.
func (w *Writer) Appended(do func(Frame) error) error {
	if err := w.flush(); err != nil {
		return err
	}
	f, err := w.file()
	if err != nil {
		return err
	}
	var damage error
	err = scanFrames(f, w.flushed, do, func(_ int64, err error) { damage = cmp.Or(damage, err) })
	return cmp.Or(err, damage)
}

// Replay is [File.Replay] of what was committed, by this writer too. Damage is an error.
func (w *Writer) Replay() (*Live, error) {
	f, err := w.file()
	if err != nil {
		return nil, err
	}
	var damage error
	l, err := replay(f, w.committed, func(_ int64, err error) { damage = errors.Join(damage, err) })
	return l, errors.Join(err, damage)
}

// Each is [File.Each] of what Replay found.
func (w *Writer) Each(l *Live, do func(Frame) error) error {
	f, err := w.file()
	if err != nil {
		return err
	}
	return l.each(f, do)
}
