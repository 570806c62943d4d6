package journal

import (
	"bytes"
	"reflect"
	"testing"
)

// FuzzJournal: whatever lies in the file, what is read from it is read again from what a compaction
// makes of it, and nothing of that is damaged.
func FuzzJournal(f *testing.F) {
	var all []byte
	for _, e := range []Entry{fullEntry(), entryOf("a"), entryOf("a"), entryOf("b")} {
		line, err := encodeLine(e)
		if err != nil {
			f.Fatal(err)
		}
		all = append(append(all, '\n'), line...)
		f.Add(line)
		f.Add(line[:len(line)-1])
	}
	f.Add(all)
	f.Add(all[:len(all)/2])
	f.Add(append(all[:len(all)/2:len(all)/2], all...))
	f.Add(bytes.Repeat([]byte("x"), 1<<17))
	f.Add([]byte("\n\n{}\nnull"))
	f.Fuzz(func(t *testing.T, b []byte) {
		entries, skipped, err := scan(bytes.NewReader(b))
		if err != nil || skipped > bytes.Count(b, []byte("\n")) {
			t.Fatalf("%d skipped, %v", skipped, err)
		}
		var used []byte
		if _, err := distinct(bytes.NewReader(b), func(_ Entry, line []byte) {
			used = append(append(used, line...), '\n')
		}); err != nil {
			t.Fatal(err)
		}
		again, skipped, err := scan(bytes.NewReader(used))
		if err != nil || skipped != 0 || !reflect.DeepEqual(again, entries) {
			t.Fatalf("%+v became %+v, %d skipped, %v", entries, again, skipped, err)
		}
	})
}

// FuzzAlarms: an alarms file that is accepted says the same when it is written again.
func FuzzAlarms(f *testing.F) {
	acked := Alarm{ID: "0a", Entry: fullEntry(), Verdict: "MISMATCH", Raised: testTime, Acked: testTime, Reason: "seen", Known: []string{"r"}}
	open := Alarm{ID: "0b", Entry: entryOf("a"), Verdict: "DISTRUSTED", Raised: testTime, Reports: []Report{{Record: "r", Log: "l", Own: true, Issued: 7}}}
	for _, alarms := range [][]Alarm{nil, {acked}, {acked, open}} {
		b, err := encodeAlarms(alarms)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
		f.Add(b[:len(b)/2])
	}
	f.Add([]byte(`{"format": 2, "alarms": []}`))
	f.Add([]byte(`{"format": 1, "alarms": [{"id": "0a", "entry": ""}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		alarms, err := parseAlarms(b)
		if err != nil {
			return
		}
		written, err := encodeAlarms(alarms)
		if err != nil {
			return // a time or text that JSON lets in and we never write
		}
		again, err := parseAlarms(written)
		if err != nil || len(again) != len(alarms) {
			t.Fatalf("%d alarms became %d, %v\n%s", len(alarms), len(again), err, written)
		}
		for i := range again {
			if again[i].ID != alarms[i].ID || again[i].Acked.IsZero() != alarms[i].Acked.IsZero() {
				t.Fatalf("%+v became %+v", alarms[i], again[i])
			}
		}
	})
}
