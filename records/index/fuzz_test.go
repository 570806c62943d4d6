package index

import (
	"reflect"
	"testing"
	"time"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/trust"
	"github.com/distributed-trust/distrust/schema"
)

// FuzzCurrent: what names a generation is what would be written for it, to the byte.
func FuzzCurrent(f *testing.F) {
	const own = "0123456789abcdef0123456789abcdef"
	for _, c := range []current{
		{}, {generationFile: generationFile{1, 4096}}, {generationFile{1 << 63, 1 << 40}, generationFile{7, 9}, own + " " + own},
	} {
		f.Add(c.text())
	}
	f.Add("")
	f.Add("index-01 5 00000000\n")
	f.Add("index-1 -5 00000000")
	f.Fuzz(func(t *testing.T, text string) {
		if c, err := parseCurrent(text); err == nil && c.text() != text {
			t.Fatalf("%q is read as %+v", text, c)
		}
	})
}

// FuzzValues: values of a generation that are accepted say the same when they are written again,
// and the reader needs no more memory than the value is long.
func FuzzValues(f *testing.F) {
	at := time.Unix(1_700_000_000, 0).UTC()
	state := &logState{num: 7, store: 2, size: 900, live: 800, late: []int64{-5, 3, 1 << 40}, LogInfo: LogInfo{
		Log: "0a", HeadID: "0b", Name: "n", URL: "u", Projects: []string{"p", ""}, Epoch: 1, Seq: 2, Issued: at, Expires: at, Stamp: "s",
		Keys:    records.Log{ID: "0a", Keys: []schema.Key{{Key: "k", Name: "n", State: schema.Active, Recovery: true}}, Keep: []string{"x"}},
		Records: 3, Vanished: 1, Edges: 2,
	}}
	f.Add(state.encode())
	f.Add((&logState{}).encode())
	f.Add(encodeRows([]sourceRow{state.row(), {num: 1, log: "l"}}))
	f.Add(encodeRows(nil))
	f.Add(encodeConfig(Config{Stamp: "s", Policy: trust.DefaultPolicy(), Own: []string{"b"}, Follows: []trust.Follow{{Name: "n", Log: "l", Weight: 100, Scopes: []string{"*"}}}}))
	f.Add(formerConfig("s", `{"own":["b"]}`))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, b []byte) {
		if l, err := decodeLogState(7, b); err == nil {
			again, err := decodeLogState(7, l.encode())
			if err != nil || !reflect.DeepEqual(again, l) {
				t.Fatalf("%+v became %+v, %v", l, again, err)
			}
		}
		if rows, err := decodeRows(b); err == nil {
			again, err := decodeRows(encodeRows(rows))
			if err != nil || !reflect.DeepEqual(again, rows) {
				t.Fatalf("%+v became %+v, %v", rows, again, err)
			}
		}
		if c, err := decodeConfig(b); err == nil && !c.IsZero() {
			again, err := decodeConfig(encodeConfig(c))
			if err != nil || !reflect.DeepEqual(again, c) {
				t.Fatalf("%+v became %+v, %v", c, again, err)
			}
		}
	})
}
