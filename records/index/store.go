package index

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
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/distributed-trust/distrust/records"
)

// A store begins with magic (8; the last byte is the version of the format), the log's id (16),
// and the CRC-32C of both (4, little endian). Frames follow.
const (
	storeMagic  = "dtstore\x01"
	storeHeader = int64(len(storeMagic) + 16 + 4)
	storeSuffix = ".records"
)

// sources is where the record stores lie.
func (d Dir) sources() string { return filepath.Join(d.Data, "sources") }

// storePath is where a store lies. A store that was rewritten has a number, one above the last.
func (d Dir) storePath(log string, number uint32) string {
	if number == 0 {
		return filepath.Join(d.sources(), log+storeSuffix)
	}
	return filepath.Join(d.sources(), log+"."+strconv.FormatUint(uint64(number), 10)+storeSuffix)
}

// storeName is the reverse of storePath for the name of a file; false for other files.
func storeName(name string) (log string, number uint32, ok bool) {
	stem, found := strings.CutSuffix(name, storeSuffix)
	if !found {
		return "", 0, false
	}
	log, digits, numbered := strings.Cut(stem, ".")
	if raw, err := hex.DecodeString(log); err != nil || len(raw) != 16 || strings.ToLower(log) != log {
		return "", 0, false
	}
	if !numbered {
		return log, 0, true
	}
	n, err := strconv.ParseUint(digits, 10, 32)
	if err != nil || n == 0 || strconv.FormatUint(n, 10) != digits {
		return "", 0, false
	}
	return log, uint32(n), true
}

// storeFile is one file of a folder of stores.
type storeFile struct {
	log    string
	number uint32
}

// listStores lists the stores, in the order of their names; none when the folder is missing.
func (d Dir) listStores() ([]storeFile, error) {
	entries, err := os.ReadDir(d.sources())
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("listing record stores: %w", err)
	}
	var stores []storeFile
	for _, e := range entries {
		if log, number, ok := storeName(e.Name()); ok && e.Type().IsRegular() {
			stores = append(stores, storeFile{log, number})
		}
	}
	return stores, nil
}

// newStoreHeader is what the store of a log begins with.
func newStoreHeader(log string) ([]byte, error) {
	raw, err := hex.DecodeString(log)
	if err != nil || len(raw) != 16 {
		return nil, fmt.Errorf("%q is no log id", log)
	}
	b := append([]byte(storeMagic), raw...)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli)), nil
}

// checkStoreHeader says why the file is not the log's store.
func checkStoreHeader(r io.ReaderAt, log string) error {
	want, err := newStoreHeader(log)
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

// openStore opens the store of a log for reading. Every error but a missing permission is a
// *DamageError.
func openStore(d Dir, log string, number uint32) (*os.File, error) {
	path := d.storePath(log, number)
	f, err := os.Open(path)
	if err != nil {
		return nil, storeDamage(d, log, number, err)
	}
	if err := checkStoreHeader(f, log); err != nil {
		f.Close()
		return nil, storeDamage(d, log, number, err)
	}
	return f, nil
}

// storeDamage blames a store; what the system refuses for want of permission is no damage.
func storeDamage(d Dir, log string, number uint32, err error) error {
	if errors.Is(err, os.ErrPermission) {
		return fmt.Errorf("reading record store of %s: %w", log, err)
	}
	return &DamageError{Path: d.storePath(log, number), Log: log, Err: err}
}

// body of a record frame: the said part with its length, YAML, signature.
func encodeRecordBody(e *encoder, s *said, envelope records.Envelope) {
	var inner encoder
	encodeSaid(&inner, s)
	e.string(string(inner.b))
	e.string(string(envelope.YAML))
	e.string(string(envelope.Sig))
}

// splitRecordBody finds the three parts of a record frame without copying them.
func splitRecordBody(body []byte) (saidPart, yaml, sig []byte, err error) {
	parts := [3][]byte{}
	for i := range parts {
		n, used := binary.Uvarint(body)
		if used <= 0 || n > uint64(len(body)-used) {
			return nil, nil, nil, errShort
		}
		parts[i], body = body[used:used+int(n)], body[used+int(n):]
	}
	if len(body) != 0 {
		return nil, nil, nil, errShort
	}
	return parts[0], parts[1], parts[2], nil
}

// readSaid reads what a record frame says, without its YAML.
func readSaid(f frame, keys *records.Log) (said, error) {
	if f.kind != frameRecord {
		return said{}, fmt.Errorf("%w at %d: not a record", errFrame, f.off)
	}
	part, _, _, err := splitRecordBody(f.body)
	if err != nil {
		return said{}, fmt.Errorf("reading record at %d: %w", f.off, err)
	}
	d := decode(part)
	s := decodeSaid(d, keys)
	if err := d.finish(); err != nil {
		return said{}, fmt.Errorf("reading record at %d: %w", f.off, err)
	}
	return s, nil
}

// recordID reads the id of the record in a frame, and nothing else.
func recordID(f frame) (string, error) {
	part, _, _, err := splitRecordBody(f.body)
	if err != nil {
		return "", fmt.Errorf("reading record at %d: %w", f.off, err)
	}
	d := decode(part)
	d.byte()
	d.string()
	d.string()
	id := d.string()
	if d.bad {
		return "", fmt.Errorf("reading record at %d: %w", f.off, errShort)
	}
	return strings.Clone(id), nil
}

// live is what a store holds when all its frames were gone through.
type live struct {
	frames map[string]liveFrame // by record id
	state  []byte               // body of the last state frame; nil without one
	end    int64                // where the last commit ends; frames after it are not believed
	bytes  int64                // length of the frames that still count
}

type liveFrame struct {
	off  int64
	size int64
}

// replay goes through a store's frames up to end and says what is live after the last commit.
// damaged is called for every stretch that holds no whole frame.
func replay(r io.ReaderAt, end int64, damaged func(off int64, err error)) (*live, error) {
	l := &live{frames: map[string]liveFrame{}, end: storeHeader}
	type change struct {
		kind frameKind
		id   string
		liveFrame
		state []byte
	}
	var pending []change
	apply := func(c change) {
		switch c.kind {
		case frameRecord:
			l.frames[c.id] = c.liveFrame
		case frameRemove:
			delete(l.frames, c.id)
		case frameState:
			l.state = c.state
		case frameCommit:
		}
	}
	err := scanFrames(r, storeHeader, end, func(f frame) error {
		c := change{kind: f.kind, liveFrame: liveFrame{f.off, f.next() - f.off}}
		switch f.kind {
		case frameRecord:
			id, err := recordID(f)
			if err != nil {
				damaged(f.off, err)
				return nil
			}
			c.id = id
		case frameRemove:
			c.id = string(f.body)
		case frameState:
			c.state = f.body
		case frameCommit:
			for _, p := range pending {
				apply(p)
			}
			pending, l.end = pending[:0], f.next()
			return nil
		}
		pending = append(pending, c)
		return nil
	}, damaged)
	if err != nil {
		return nil, err
	}
	for _, f := range l.frames {
		l.bytes += f.size
	}
	return l, nil
}

// inOrder lists the live frames from front to back of the store: the order in which they came.
func (l *live) inOrder() []liveFrame {
	return slices.SortedFunc(maps.Values(l.frames), func(a, b liveFrame) int { return cmp.Compare(a.off, b.off) })
}
