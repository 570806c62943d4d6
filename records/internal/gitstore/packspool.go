package gitstore

import (
	"bufio"
	"crypto/sha1"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"os"

	"github.com/go-git/go-git/v5/plumbing"
)

// incoming is a pack as it comes in. All of it goes to a private file, and what is
// read of it into two sums. It refuses the byte after the limit.
type incoming struct {
	from   io.Reader
	to     io.Writer
	limit  int64 // of bytes in all
	failed error // why no more came than this; nil: it ended, or goes on
	next   error // what the other side ends with

	buf     []byte
	r, w    int   // what is still to be read of it
	off     int64 // where it begins in the pack
	sum     hash.Hash
	summed  int // up to where
	crc     uint32
	checked int // up to where
}

// maxEmptyReads is how often there may be nothing and no end either.
const maxEmptyReads = 100

func newIncoming(from io.Reader, to io.Writer, l Limits) *incoming {
	return &incoming{from: from, to: to, limit: l.PackBytes, buf: make([]byte, 64<<10), sum: sha1.New()}
}

// place is how many bytes were read.
func (s *incoming) place() int64 { return s.off + int64(s.r) }

func (s *incoming) fill() error {
	s.add()
	s.off += int64(s.w)
	s.r, s.w, s.summed, s.checked = 0, 0, 0, 0
	for tries := 0; s.next == nil && s.w == 0; tries++ {
		if s.w, s.next = s.from.Read(s.buf); tries == maxEmptyReads {
			s.next = io.ErrNoProgress
		}
	}
	switch all := s.off + int64(s.w); {
	case all > s.limit:
		s.w, s.failed = 0, &LimitError{What: "pack bytes", Limit: s.limit, Got: all, Option: "pack"}
	case s.w > 0:
		if _, err := s.to.Write(s.buf[:s.w]); err != nil {
			s.w, s.failed = 0, fmt.Errorf("spooling a pack: %w", err)
		}
	case !errors.Is(s.next, io.EOF):
		s.failed = fmt.Errorf("receiving a pack: %w", s.next)
	default:
		return io.EOF
	}
	return s.failed
}

func (s *incoming) Read(p []byte) (int, error) {
	if s.r == s.w {
		if err := s.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, s.buf[s.r:s.w])
	s.r += n
	return n, nil
}

// ReadByte lets the inflater take no byte more than belongs to its object.
func (s *incoming) ReadByte() (byte, error) {
	if s.r == s.w {
		if err := s.fill(); err != nil {
			return 0, err
		}
	}
	s.r++
	return s.buf[s.r-1], nil
}

// add adds what was read to the sums.
func (s *incoming) add() {
	s.sum.Write(s.buf[s.summed:s.r])
	s.crc = crc32.Update(s.crc, crc32.IEEETable, s.buf[s.checked:s.r])
	s.summed, s.checked = s.r, s.r
}

// check gives the checksum of what was read since the last time.
func (s *incoming) check() uint32 {
	crc := crc32.Update(s.crc, crc32.IEEETable, s.buf[s.checked:s.r])
	s.crc, s.checked = 0, s.r
	return crc
}

// total gives the sum of all that was read.
func (s *incoming) total() (sum plumbing.Hash) {
	s.add()
	s.sum.Sum(sum[:0])
	return sum
}

// spill keeps what was inflated of a pack in a file, so that nothing is inflated
// twice: that is most of the work with a pack, and the memory of a process that
// fetches is bounded.
type spill struct {
	f       *os.File
	w       *bufio.Writer
	most    int64 // bytes
	size    int64
	flushed int64 // how many of them can be read
	window
}

// nowhere is the place of what did not fit into a spill, and is inflated again.
const nowhere = -1

// newSpill makes a spill in a git folder, where a sweep would find it. It takes as
// many bytes as a pack may have.
func newSpill(dir string, l Limits) (*spill, error) {
	f, err := os.CreateTemp(dir, spoolPrefix)
	if err != nil {
		return nil, err
	}
	os.Remove(f.Name()) // Windows does it when it is closed
	return &spill{f: f, w: bufio.NewWriterSize(f, 64<<10), most: l.PackBytes, window: window{f: f}}, nil
}

// put keeps bytes and gives the place.
func (s *spill) put(b []byte) (int64, error) {
	if s.size+int64(len(b)) > s.most {
		return nowhere, nil
	}
	at := s.size
	s.size += int64(len(b))
	if _, err := s.w.Write(b); err != nil {
		return nowhere, fmt.Errorf("spooling a pack: %w", err)
	}
	return at, nil
}

// get gives bytes back.
func (s *spill) get(at int64, size int64) ([]byte, error) {
	if at+size > s.flushed {
		if err := s.w.Flush(); err != nil {
			return nil, fmt.Errorf("spooling a pack: %w", err)
		}
		s.flushed = s.size
	}
	s.seek(at)
	b := make([]byte, size)
	if _, err := io.ReadFull(s, b); err != nil {
		return nil, fmt.Errorf("reading what was spooled of a pack: %w", err)
	}
	return b, nil
}

func (s *spill) close() {
	s.f.Close()
	os.Remove(s.f.Name())
}
