package postings

import (
	"bufio"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"slices"
	"sync"
)

// Sorter takes postings in any order, from several goroutines at once. What is too much for memory
// lies in sorted runs in a file, which is believed only as long as the sorter is there.
type Sorter struct {
	create func() (*os.File, error) // makes the file
	room   int                      // postings of a space in memory

	mu    sync.Mutex // guards what follows
	held  [Spaces][]Posting
	count [Spaces]int
	file  *os.File // nil: all is in memory
	end   int64
	runs  [Spaces][]run
}

// run is a part of the file.
type run struct {
	off   int64
	count int
	sum   uint32 // CRC-32C
}

// NewSorter is an empty sorter, with room for so many postings of a space in memory. create makes a
// file that nobody else has, when it comes to that; Close removes it.
func NewSorter(room int, create func() (*os.File, error)) *Sorter {
	return &Sorter{create: create, room: room}
}

// Count is how many postings were added to a space.
func (s *Sorter) Count(space int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count[space]
}

// Add adds a posting for each of the hashes.
func (s *Sorter) Add(space int, ref uint64, hashes ...uint64) error {
	s.mu.Lock()
	list := s.held[space]
	if list == nil && s.file != nil {
		list = make([]Posting, 0, s.room)
	}
	for _, h := range hashes {
		list = append(list, Posting{h, ref})
	}
	s.held[space] = list
	s.count[space] += len(hashes)
	if len(list) < s.room {
		s.mu.Unlock()
		return nil
	}
	s.held[space] = nil
	err := s.open()
	at := s.end
	s.end += int64(len(list)) * postingSize
	s.mu.Unlock()
	if err != nil {
		return err
	}
	// The others go on meanwhile.
	r, err := writeRun(s.file, at, list)
	if err != nil {
		return fmt.Errorf("sorting: %w", err)
	}
	s.mu.Lock()
	s.runs[space] = append(s.runs[space], r)
	s.mu.Unlock()
	return nil
}

func (s *Sorter) open() (err error) {
	if s.file == nil {
		s.file, err = s.create()
	}
	return err
}

// writeRun sorts a list and writes it to the file.
func writeRun(f *os.File, off int64, list []Posting) (run, error) {
	slices.SortFunc(list, Posting.Compare)
	r := run{off: off, count: len(list)}
	out := bufio.NewWriterSize(io.NewOffsetWriter(f, off), runBuffer)
	for part := range slices.Chunk(list, runBuffer/postingSize) {
		b := out.AvailableBuffer()
		for _, p := range part {
			b = appendPosting(b, p)
		}
		r.sum = crc32.Update(r.sum, castagnoli(), b)
		if _, err := out.Write(b); err != nil {
			return run{}, err
		}
	}
	return r, out.Flush()
}

// Close lets go of the file and removes it.
func (s *Sorter) Close() error {
	if s.file == nil {
		return nil
	}
	f := s.file
	s.file = nil
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// sources gives what was added to a space, in sorted parts. Nothing is added any more.
func (s *Sorter) sources(space int) []source {
	var list []source
	for _, r := range s.runs[space] {
		list = append(list, r.source(s.file))
	}
	slices.SortFunc(s.held[space], Posting.Compare)
	return append(list, listed(s.held[space]))
}

const runBuffer = 32 << 10

var errRun = errors.New("sorting: what was written to a temporary file is not there any more")

// source reads a run.
func (r run) source(f *os.File) source {
	in := io.NewSectionReader(f, r.off, int64(r.count)*postingSize)
	buffer := make([]byte, runBuffer)
	var b []byte
	var sum uint32
	return func() (Posting, bool, error) {
		if len(b) == 0 {
			n, err := io.ReadFull(in, buffer)
			if err == io.EOF && n == 0 {
				if sum != r.sum {
					return Posting{}, false, errRun
				}
				return Posting{}, false, nil
			}
			if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
				return Posting{}, false, fmt.Errorf("sorting: %w", err)
			}
			if n%postingSize != 0 {
				return Posting{}, false, errRun
			}
			b = buffer[:n]
			sum = crc32.Update(sum, castagnoli(), buffer[:n])
		}
		p := postingAt(b, 0)
		b = b[postingSize:]
		return p, true, nil
	}
}
