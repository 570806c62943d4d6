package store

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"

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
		var ok bool
		if parts[i], body, ok = cutText(body); !ok {
			return nil, nil, nil, f.broken(codec.ErrShort)
		}
	}
	if len(body) != 0 {
		return nil, nil, nil, f.broken(codec.ErrShort)
	}
	return parts[0], parts[1], parts[2], nil
}

// cutText takes a text off what [codec.Encoder] wrote.
func cutText(b []byte) (text, rest []byte, ok bool) {
	n, used := binary.Uvarint(b)
	if used <= 0 || n > uint64(len(b)-used) {
		return nil, nil, false
	}
	return b[used : used+int(n)], b[used+int(n):], true
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
func (f Frame) ID() (ID, error) {
	part, _, _, err := f.split()
	if err != nil {
		return ID{}, err
	}
	ok := len(part) > 0
	var id []byte
	for n := 0; ok && n < 3; n++ { // after the flags: key, path, id
		if n == 0 {
			part = part[1:]
		}
		id, part, ok = cutText(part)
	}
	if !ok {
		return ID{}, f.broken(codec.ErrShort)
	}
	return ParseID(string(id))
}

// ID is the id of a record as a number, of which very many fit into memory.
type ID [32]byte

// ParseID reads an id: 64 digits of lower-case hex.
func ParseID(text string) (ID, error) {
	var id ID
	if len(text) == hex.EncodedLen(len(id)) {
		if _, err := hex.Decode(id[:], []byte(text)); err == nil && id.String() == text {
			return id, nil
		}
	}
	return ID{}, fmt.Errorf("%q is no id of a record", text)
}

// String is the id as records name it.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// Open opens the record again, signature included, and holds what the store says about it against
// what it says itself. The statement is what [trust.FromRecord] makes of it.
func (f Frame) Open(keys *records.Log) (records.Record, trust.Statement, error) {
	f.body = bytes.Clone(f.body) // the record keeps its bytes, longer than a frame may be good
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
