package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/index/internal/codec"
	"github.com/distributed-trust/distrust/records/trust"
)

// ErrUnlisted says that a record's key is none of the log's keys any more, so that it is void and
// cannot be opened (F5.4).
var ErrUnlisted = errors.New("its key is not a key of the log")

// RecordFrame is the frame of a record, for [Writer.Append].
func RecordFrame(s *Said, envelope records.Envelope) Frame {
	said := s.Bytes()
	var e codec.Encoder
	e.B = make([]byte, 0, len(said)+len(envelope.YAML)+len(envelope.Sig)+3*binary.MaxVarintLen32)
	for _, part := range [][]byte{said, envelope.YAML, envelope.Sig} {
		e.Bytes(part)
	}
	return Frame{kind: frameRecord, body: e.B}
}

// split finds the parts of a record's frame without copying them.
func (f Frame) split() (said, yaml, sig []byte, err error) {
	if f.kind != frameRecord {
		return nil, nil, nil, fmt.Errorf("%w at %d: not a record", ErrFrame, f.Off)
	}
	parts, body := [3][]byte{}, f.body
	for i := range parts {
		n, used := binary.Uvarint(body)
		if used <= 0 || n > uint64(len(body)-used) {
			return nil, nil, nil, f.broken(codec.ErrShort)
		}
		parts[i], body = body[used:used+int(n)], body[used+int(n):]
	}
	if len(body) != 0 {
		return nil, nil, nil, f.broken(codec.ErrShort)
	}
	return parts[0], parts[1], parts[2], nil
}

func (f Frame) broken(err error) error {
	return fmt.Errorf("reading record at %d: %w", f.Off, err)
}

// Said is what the record says, without opening it.
func (f Frame) Said(keys *records.Log) (Said, error) {
	part, _, _, err := f.split()
	if err != nil {
		return Said{}, err
	}
	s, err := ReadSaid(string(part), keys)
	if err != nil {
		return Said{}, f.broken(err)
	}
	return s, nil
}

// ID is the record's id, for which not all of it is read.
func (f Frame) ID() (string, error) {
	part, _, _, err := f.split()
	if err != nil {
		return "", err
	}
	d := codec.Decode(part)
	d.Byte()
	d.Text()
	d.Text()
	id := strings.Clone(d.Text())
	if d.Bad() {
		return "", f.broken(codec.ErrShort)
	}
	return id, nil
}

// Open opens the record again, signature included, and holds what the store says about it against
// what it says itself. The statement is what [trust.FromRecord] makes of it.
func (f Frame) Open(keys *records.Log) (records.Record, trust.Statement, error) {
	part, yaml, sig, err := f.split()
	if err != nil {
		return records.Record{}, trust.Statement{}, err
	}
	s, err := f.Said(keys)
	if err != nil {
		return records.Record{}, trust.Statement{}, err
	}
	if !listed(keys, s.By) {
		return records.Record{}, trust.Statement{}, ErrUnlisted
	}
	r, err := records.Open(records.Envelope{Path: s.Path, YAML: yaml, Sig: sig}, *keys)
	if err != nil {
		return records.Record{}, trust.Statement{}, fmt.Errorf("opening record %s again: %w", s.Statement.ID, err)
	}
	again := SaidOf(r, s.Statement.Vanished)
	if string(again.Bytes()) != string(part) {
		return records.Record{}, trust.Statement{}, fmt.Errorf("opening record %s again: it says something else than the store", s.Statement.ID)
	}
	return r, trust.FromRecord(r, keys.Void(r), s.Statement.Vanished), nil
}
