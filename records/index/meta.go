package index

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"time"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/schema"
)

// formatVersion is the version of the generation's format. Another one counts as damage: the
// generation is made anew from the stores.
const formatVersion = 1

// maxBits bounds the number of blocks, as read from a file.
const maxBits = 24

// The buckets of a generation and the keys of its bucketMeta. Every value is sealed.
var (
	bucketSpace = [spaces][]byte{[]byte("k"), []byte("i")} // block number -> postings
	bucketLogs  = []byte("l")                              // number of a log -> logState, empty when free
	bucketEdges = []byte("e")                              // number of a log -> its follows and what takes them back
	bucketMeta  = []byte("m")

	keyMeta    = []byte("meta")
	keySources = []byte("sources")
	keyConfig  = []byte("config")
)

// Postings lie in two spaces, each ordered by hash and cut into 2^bits blocks by its first bits.
// Every block is there, be it empty: what is not found is known not to be there.
const (
	spaceKeys = iota // of keysOf, and of the logs' own ids
	spaceIDs         // of record ids
	spaces
)

// meta says how to read a generation.
type meta struct {
	number uint64 // of the generation: an older state of the file is noticed
	bits   [spaces]uint
	count  [spaces]uint64
	logs   uint32 // numbers of logs in use and free: 0 to logs-1
}

func (m *meta) encode() []byte {
	var e encoder
	e.uint(formatVersion)
	e.uint(m.number)
	for i := range spaces {
		e.uint(uint64(m.bits[i]))
		e.uint(m.count[i])
	}
	e.uint(uint64(m.logs))
	return e.b
}

func decodeMeta(b []byte) (meta, error) {
	d := decode(b)
	if v := d.uint(); v != formatVersion {
		return meta{}, fmt.Errorf("format %d, this program reads %d", v, formatVersion)
	}
	m := meta{number: d.uint()}
	for i := range spaces {
		m.bits[i] = uint(d.uint())
		m.count[i] = d.uint()
		if m.bits[i] > maxBits {
			return meta{}, errShort
		}
	}
	m.logs = uint32(d.uint())
	return m, d.finish()
}

// blockOf is the block that holds a hash.
func (m *meta) blockOf(space int, hash uint64) uint32 {
	return uint32(hash >> 32 >> (32 - m.bits[space]))
}

// numberKey is the key of a block or of a log in its bucket.
func numberKey(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }

var errSeal = errors.New("the checksum of a value differs")

// seal puts the CRC of bucket, key and body before the body, so that a value which is damaged,
// or found where another belongs, is never believed.
func seal(bucket, key, body []byte) []byte {
	b := make([]byte, 4, 4+len(body))
	binary.LittleEndian.PutUint32(b, sealSum(bucket, key, body))
	return append(b, body...)
}

func unseal(bucket, key, value []byte) ([]byte, error) {
	if len(value) < 4 || binary.LittleEndian.Uint32(value) != sealSum(bucket, key, value[4:]) {
		return nil, errSeal
	}
	return value[4:], nil
}

func sealSum(bucket, key, body []byte) uint32 {
	sum := crc32.Update(0, castagnoli, bucket)
	sum = crc32.Update(sum, castagnoli, key)
	return crc32.Update(sum, castagnoli, body)
}

// logState is what a generation keeps of a log.
type logState struct {
	LogInfo
	num   uint32  // in refs
	store uint32  // number of the store's file
	size  int64   // of the store, as far as it is committed
	live  int64   // bytes of the frames that count
	late  []int64 // see Generation.Late
}

func (l *logState) encode() []byte {
	var e encoder
	e.uint(uint64(l.store))
	e.int(l.size)
	e.int(l.live)
	e.uint(uint64(l.Records))
	e.uint(uint64(l.Vanished))
	e.uint(uint64(l.Edges))
	e.uint(uint64(len(l.late)))
	last := int64(0)
	for _, at := range l.late {
		e.int(at - last)
		last = at
	}
	encodeInfo(&e, &l.LogInfo)
	return e.b
}

func decodeLogState(num uint32, b []byte) (*logState, error) {
	d := decode(b)
	l := &logState{num: num, store: uint32(d.uint()), size: d.int(), live: d.int()}
	records, vanished, edges := d.uint(), d.uint(), d.uint()
	if n := d.count(1); n > 0 {
		l.late = make([]int64, n)
		last := int64(0)
		for i := range l.late {
			last += d.int()
			l.late[i] = last
		}
	}
	l.LogInfo = decodeInfo(d)
	l.Records, l.Vanished, l.Edges = int(records), int(vanished), int(edges)
	return l, d.finish()
}

// encodeInfo writes what a log's head and keys say, not the counts; state frames hold it too.
func encodeInfo(e *encoder, l *LogInfo) {
	e.string(l.Log)
	e.string(l.HeadID)
	e.string(l.Name)
	e.string(l.URL)
	e.strings(l.Projects)
	e.int(l.Epoch)
	e.int(l.Seq)
	encodeTime(e, l.Issued)
	encodeTime(e, l.Expires)
	e.uint(uint64(len(l.Keys.Keys)))
	for _, k := range l.Keys.Keys {
		e.string(k.Key)
		e.string(k.Name)
		e.string(string(k.State))
		var recovery uint64
		if k.Recovery {
			recovery = 1
		}
		e.uint(recovery)
	}
	e.strings(l.Keys.Keep)
}

func decodeInfo(d *decoder) LogInfo {
	l := LogInfo{Log: d.string(), HeadID: d.string(), Name: d.string(), URL: d.string(), Projects: d.strings()}
	l.Epoch, l.Seq = d.int(), d.int()
	l.Issued, l.Expires = decodeTime(d), decodeTime(d)
	l.Keys = records.Log{ID: l.Log}
	if n := d.count(4); n > 0 {
		l.Keys.Keys = make([]schema.Key, n)
		for i := range l.Keys.Keys {
			l.Keys.Keys[i] = schema.Key{Key: d.string(), Name: d.string(), State: schema.KeyState(d.string()), Recovery: d.uint() != 0}
		}
	}
	l.Keys.Keep = d.strings()
	return l
}

// encodeTime writes whole seconds, one more than they are: 0 is the zero time.
func encodeTime(e *encoder, t time.Time) {
	if t.IsZero() {
		e.int(0)
		return
	}
	s := t.Unix()
	if s >= 0 {
		s++
	}
	e.int(s)
}

func decodeTime(d *decoder) time.Time {
	s := d.int()
	switch {
	case s == 0:
		return time.Time{}
	case s > 0:
		s--
	}
	return time.Unix(s, 0).UTC()
}

// infoOf is what a head says of its log, with the keys that its records are opened with.
func infoOf(h records.Head, keys records.Log) LogInfo {
	doc := h.Doc()
	return LogInfo{
		Log: doc.Log, Keys: keys, HeadID: h.ID(),
		Name: doc.Name, URL: doc.URL, Projects: doc.Projects,
		Epoch: doc.Epoch, Seq: doc.Seq, Issued: doc.Issued.UTC(), Expires: h.Expires().UTC(),
	}
}

// sourceRow is a log in the table that Network reads in one piece.
type sourceRow struct {
	num             uint32
	log, name       string
	head            bool // it has one
	issued, expires int64
	edges           bool // it has a value in bucketEdges
}

func (l *logState) row() sourceRow {
	r := sourceRow{num: l.num, log: l.Log, name: l.Name, edges: l.Edges > 0}
	if l.HeadID != "" {
		r.head, r.issued, r.expires = true, l.Issued.Unix(), l.Expires.Unix()
	}
	return r
}

const (
	rowHead  = 1
	rowEdges = 2
)

func encodeRows(rows []sourceRow) []byte {
	var e encoder
	e.uint(uint64(len(rows)))
	for _, r := range rows {
		var flags byte
		if r.head {
			flags |= rowHead
		}
		if r.edges {
			flags |= rowEdges
		}
		e.b = append(e.b, flags)
		e.uint(uint64(r.num))
		e.string(r.log)
		e.string(r.name)
		e.int(r.issued)
		e.int(r.expires)
	}
	return e.b
}

func decodeRows(b []byte) ([]sourceRow, error) {
	d := decode(b)
	rows := make([]sourceRow, d.count(6))
	for i := range rows {
		flags := d.byte()
		rows[i] = sourceRow{
			head: flags&rowHead != 0, edges: flags&rowEdges != 0,
			num: uint32(d.uint()), log: d.string(), name: d.string(), issued: d.int(), expires: d.int(),
		}
	}
	return rows, d.finish()
}
