package index

import (
	"time"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/index/internal/codec"
	"github.com/distributed-trust/distrust/schema"
)

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
	var e codec.Encoder
	e.Uint(uint64(l.store))
	e.Int(l.size)
	e.Int(l.live)
	e.Uint(uint64(l.Records))
	e.Uint(uint64(l.Vanished))
	e.Uint(uint64(l.Edges))
	e.Uint(uint64(len(l.late)))
	last := int64(0)
	for _, at := range l.late {
		e.Int(at - last)
		last = at
	}
	e.Text(l.Stamp)
	encodeInfo(&e, &l.LogInfo)
	return e.B
}

func decodeLogState(num uint32, b []byte) (*logState, error) {
	d := codec.Decode(b)
	l := &logState{num: num, store: uint32(d.Uint()), size: d.Int(), live: d.Int()}
	count, vanished, edges := d.Uint(), d.Uint(), d.Uint()
	if n := d.Count(1); n > 0 {
		l.late = make([]int64, n)
		last := int64(0)
		for i := range l.late {
			last += d.Int()
			l.late[i] = last
		}
	}
	stamp := d.Text()
	l.LogInfo = decodeInfo(d)
	l.Records, l.Vanished, l.Edges, l.Stamp = int(count), int(vanished), int(edges), stamp
	return l, d.Finish()
}

// infoBytes is what a log's head and keys say, not the counts and the stamp: the body of a state frame.
func infoBytes(l *LogInfo) []byte {
	var e codec.Encoder
	encodeInfo(&e, l)
	return e.B
}

func encodeInfo(e *codec.Encoder, l *LogInfo) {
	e.Text(l.Log)
	e.Text(l.HeadID)
	e.Text(l.Name)
	e.Text(l.URL)
	e.Texts(l.Projects)
	e.Int(l.Epoch)
	e.Int(l.Seq)
	encodeTime(e, l.Issued)
	encodeTime(e, l.Expires)
	e.Uint(uint64(len(l.Keys.Keys)))
	for _, k := range l.Keys.Keys {
		e.Text(k.Key)
		e.Text(k.Name)
		e.Text(string(k.State))
		encodeBool(e, k.Recovery)
	}
	e.Texts(l.Keys.Keep)
}

func decodeInfo(d *codec.Decoder) LogInfo {
	l := LogInfo{Log: d.Text(), HeadID: d.Text(), Name: d.Text(), URL: d.Text(), Projects: d.Texts()}
	l.Epoch, l.Seq = d.Int(), d.Int()
	l.Issued, l.Expires = decodeTime(d), decodeTime(d)
	l.Keys = records.Log{ID: l.Log}
	if n := d.Count(4); n > 0 {
		l.Keys.Keys = make([]schema.Key, n)
		for i := range l.Keys.Keys {
			l.Keys.Keys[i] = schema.Key{Key: d.Text(), Name: d.Text(), State: schema.KeyState(d.Text()), Recovery: d.Byte() != 0}
		}
	}
	l.Keys.Keep = d.Texts()
	return l
}

func encodeBool(e *codec.Encoder, b bool) {
	if b {
		e.Byte(1)
	} else {
		e.Byte(0)
	}
}

// encodeTime writes whole seconds, and whether there is a time at all.
func encodeTime(e *codec.Encoder, t time.Time) {
	encodeBool(e, !t.IsZero())
	if !t.IsZero() {
		e.Int(t.Unix())
	}
}

func decodeTime(d *codec.Decoder) time.Time {
	if d.Byte() == 0 {
		return time.Time{}
	}
	return time.Unix(d.Int(), 0).UTC()
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
