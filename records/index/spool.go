package index

import (
	"cmp"
	"errors"
	"fmt"
	"os"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/index/internal/store"
	"github.com/distributed-trust/distrust/records/trust"
)

// Spool holds opened records of one log in a file until an update takes them in ([Update.Spool]),
// so that a large set is never in memory as a whole. It is believed as a record store is, and only
// as long as the program runs that wrote it.
type Spool struct {
	path string
	log  string
	w    *store.Writer
	n    int
}

// NewSpool begins a spool in the file at path, in place of what lies there.
func NewSpool(path, log string) (*Spool, error) {
	w, err := store.Create(path, log)
	if err != nil {
		return nil, fmt.Errorf("spooling records: %w", err)
	}
	return &Spool{path: path, log: log, w: w}, nil
}

// Add appends a record.
func (s *Spool) Add(e Entry) error {
	if e.Record.Log() != s.log {
		return fmt.Errorf("spooling record %s: it belongs to log %q", e.Record.ID(), e.Record.Log())
	}
	said, frame := frameOf(e)
	if _, err := s.w.Append(frame); err != nil {
		return fmt.Errorf("spooling record %s: %w", said.Statement.ID, err)
	}
	s.n++
	return nil
}

// Open opens those records again, signature included, whose statements are wanted.
func (s *Spool) Open(keys records.Log, wanted func(*trust.Statement) bool) ([]records.Record, error) {
	var opened []records.Record
	err := s.each(&keys, func(said *store.Said, f store.Frame) error {
		if !wanted(&said.Statement) {
			return nil
		}
		r, _, err := f.Open(&keys)
		opened = append(opened, r)
		return err
	})
	return opened, err
}

// each calls do for every record, in the order in which they were added.
func (s *Spool) each(keys *records.Log, do func(*store.Said, store.Frame) error) error {
	n := 0
	err := s.w.Appended(func(f store.Frame) error {
		said, err := f.Said(keys)
		if err != nil {
			return fmt.Errorf("reading spooled records: %w", err)
		}
		n++
		return do(&said, f)
	})
	if err == nil && n != s.n {
		err = fmt.Errorf("reading spooled records: %d of %d are there", n, s.n)
	}
	return err
}

// Close removes the file.
func (s *Spool) Close() error {
	closed, removed := s.w.Close(), os.Remove(s.path)
	if errors.Is(removed, os.ErrNotExist) {
		removed = nil
	}
	return cmp.Or(closed, removed)
}

// frameOf is an opened record as a store holds it.
func frameOf(e Entry) (store.Said, store.Frame) {
	s := store.SaidOf(e.Record, e.Vanished)
	return s, store.RecordFrame(&s, e.Record.Envelope())
}
