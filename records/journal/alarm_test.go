package journal

import (
	"errors"
	"hash/crc32"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/distributed-trust/distrust/records/trust"
	"github.com/distributed-trust/distrust/schema"
)

func crcOf(b []byte) uint32 { return crc32.Checksum(b, castagnoli()) }

// reportBy is a counted report of a source.
func reportBy(source, record string) trust.Voice {
	return trust.Voice{Source: source, Statement: trust.Statement{
		ID: record, Log: "log of " + source, Kind: schema.KindDistrust, Category: schema.Malware, Reason: "posts env", Issued: 7,
	}}
}

func distrusted(voices ...trust.Voice) trust.Decision {
	return trust.Decision{Verdict: trust.Distrusted, By: trust.ByReported, Voices: voices}
}

// always decides the same about everything.
func always(d trust.Decision) func(Thing) trust.Decision {
	return func(Thing) trust.Decision { return d }
}

func ids(alarms []Alarm) string {
	var list []string
	for _, a := range alarms {
		word := "open"
		if !a.Acked.IsZero() {
			word = "acked"
		}
		var by []string
		for _, r := range a.Reports {
			by = append(by, r.Source)
		}
		list = append(list, word+" "+strings.Join(by, "+"))
	}
	return strings.Join(list, ", ")
}

// TestAlarmLife is the story of issue and spec: reported, acknowledged, reported by another,
// withdrawn by one, withdrawn by both.
func TestAlarmLife(t *testing.T) {
	t.Parallel()
	e := fullEntry()
	e.Overruled = false
	fine := trust.Decision{Verdict: trust.Trusted}
	bob, carol := reportBy("bob", "b1"), reportBy("carol", "c1")
	steps := []struct {
		name                   string
		decision               trust.Decision
		ack                    bool // before
		alarms, raised, closed string
	}{
		{"nothing", fine, false, "", "", ""},
		{"bob reports", distrusted(bob), false, "open bob", "open bob", ""},
		{"again", distrusted(bob), false, "open bob", "", ""},
		{"acknowledged", distrusted(bob), true, "acked bob", "", ""},
		{"carol reports", distrusted(bob, carol), false, "open bob+carol", "open bob+carol", ""},
		{"bob withdraws", distrusted(carol), false, "open carol", "", ""},
		{"bob is back", distrusted(bob, carol), true, "acked bob+carol", "", ""},
		{"both withdraw", fine, false, "", "", "acked bob+carol"},
		{"support is lost", trust.Decision{Verdict: trust.Unknown}, false, "", "", ""},
		{"bob once more", distrusted(bob), false, "open bob", "open bob", ""},
		{"mismatch", trust.Decision{Verdict: trust.Mismatch, Findings: []trust.Finding{
			{Kind: trust.FindingOtherBytes, Source: "dora", Counted: true, Statement: trust.Statement{ID: "d1"}},
			{Kind: trust.FindingNameTwin, Source: "eve", Statement: trust.Statement{ID: "e1"}},
		}}, true, "open dora", "open dora", ""},
	}
	var alarms []Alarm
	now := testTime
	for _, s := range steps {
		now = now.Add(time.Hour)
		if s.ack {
			var ok bool
			if alarms, ok = Ack(alarms, alarms[0].ID[:4], "seen to it", now); !ok {
				t.Fatalf("%s: not acknowledged", s.name)
			}
		}
		c := Raise(Things([]Entry{e}), always(s.decision), alarms, now)
		if have := ids(c.Alarms); have != s.alarms {
			t.Errorf("%s: alarms %q, want %q", s.name, have, s.alarms)
		}
		if have := ids(c.Raised); have != s.raised {
			t.Errorf("%s: raised %q, want %q", s.name, have, s.raised)
		}
		if have := ids(c.Closed); have != s.closed {
			t.Errorf("%s: closed %q, want %q", s.name, have, s.closed)
		}
		for _, a := range c.Raised {
			if !a.Raised.Equal(now) || !reflect.DeepEqual(a.Entry, e) || len(a.ID) != 32 || a.Reason != "" {
				t.Errorf("%s: raised %+v", s.name, a)
			}
		}
		alarms = c.Alarms
	}
}

func TestRaise(t *testing.T) {
	t.Parallel()
	plain := fullEntry()
	plain.Overruled = false
	overruled := fullEntry()
	overruled.Verdict, overruled.Records = trust.Distrusted, []string{"b1"}
	later := plain
	later.Time, later.Path = plain.Time.Add(time.Hour), "/later"
	unknown := plain
	unknown.Verdict = trust.Unknown // watched with journal add
	bob, carol := reportBy("bob", "b1"), reportBy("carol", "c1")
	muted := reportBy("mallory", "m1")
	muted.NotCounted = trust.Muted
	own := reportBy("you", "o1")
	own.Own = true
	byOwn := trust.Decision{Verdict: trust.Distrusted, By: trust.ByOwn, Own: &own, Voices: []trust.Voice{bob}}
	for name, test := range map[string]struct {
		entries  []Entry
		decision trust.Decision
		want     string
	}{
		"no entries":                   {nil, distrusted(bob), ""},
		"trusted still":                {[]Entry{plain}, trust.Decision{Verdict: trust.Trusted, Voices: []trust.Voice{bob}}, ""},
		"twice accepted, one alarm":    {[]Entry{later, plain}, distrusted(bob), "open bob"},
		"watched though unknown":       {[]Entry{unknown}, distrusted(bob), "open bob"},
		"overruled, nothing new":       {[]Entry{overruled}, distrusted(bob), ""},
		"overruled, a new report":      {[]Entry{overruled}, distrusted(bob, carol), "open bob+carol"},
		"overruled but trusted before": {[]Entry{plain, overruled}, distrusted(bob), "open bob"},
		"what does not count is quiet": {[]Entry{plain}, distrusted(bob, muted), "open bob"},
		"the user's own word first":    {[]Entry{plain}, byOwn, "open you+bob"},
	} {
		c := Raise(Things(test.entries), always(test.decision), nil, testTime)
		if have := ids(c.Alarms); have != test.want || len(c.Raised) != len(c.Alarms) {
			t.Errorf("%s: %q, want %q", name, have, test.want)
		}
		for _, a := range c.Alarms {
			if !a.Entry.Time.Equal(testTime) {
				t.Errorf("%s: accepted at %v", name, a.Entry.Time)
			}
		}
	}
}

// TestRaiseKeepsWhatItIsNotAskedAbout: a sync decides only what it touched.
func TestRaiseKeepsWhatItIsNotAskedAbout(t *testing.T) {
	t.Parallel()
	a, b := entryOf("a"), entryOf("b")
	c := Raise(Things([]Entry{a, b}), always(distrusted(reportBy("bob", "b1"))), nil, testTime)
	if len(c.Alarms) != 2 || c.Alarms[0].ID == c.Alarms[1].ID {
		t.Fatalf("%+v", c.Alarms)
	}
	before := reflect.ValueOf(c.Alarms).Interface().([]Alarm)
	again := Raise(Things([]Entry{a}), always(trust.Decision{Verdict: trust.Trusted}), before, testTime)
	if len(again.Alarms) != 1 || len(again.Closed) != 1 || again.Alarms[0].Entry.subject() != b.subject() {
		t.Errorf("%+v", again)
	}
}

func TestAck(t *testing.T) {
	t.Parallel()
	alarms := []Alarm{{ID: "12340000"}, {ID: "12350000"}, {ID: "abcd0000"}}
	for prefix, want := range map[string]bool{"": false, "123": false, "1234": true, "ABCD": true, "ffff": false, "123400001": false} {
		after, ok := Ack(alarms, prefix, "why", testTime)
		if ok != want {
			t.Errorf("Ack(%q) is %v", prefix, ok)
		}
		n := 0
		for i := range after {
			if !after[i].Acked.IsZero() {
				n++
			}
		}
		if ok && n != 1 || !ok && n != 0 {
			t.Errorf("Ack(%q) acknowledged %d", prefix, n)
		}
	}
	if !alarms[0].Acked.IsZero() {
		t.Error("Ack changed what it was given")
	}
}

func TestAlarmsFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "state", "alarms")
	if alarms, err := LoadAlarms(file); err != nil || alarms != nil {
		t.Errorf("a missing file: %v %v", alarms, err)
	}
	e := fullEntry()
	e.Path = "/\xff"
	voice := reportBy("bob", "b1")
	voice.Statement.Reason = strings.Repeat("ü", 300) + "x"
	c := Raise(Things([]Entry{e, entryOf("b")}), always(distrusted(voice, reportBy("carol", "c1"))), nil, testTime)
	want, ok := Ack(c.Alarms, c.Alarms[0].ID, "seen to it", testTime.Add(time.Hour))
	if !ok {
		t.Fatal("not acknowledged")
	}
	if r := want[0].Reports[0].Reason; len(r) > maxReason+3 || !utf8.ValidString(r) || !strings.HasSuffix(r, "ü…") {
		t.Errorf("reason %q", r)
	}
	if err := SaveAlarms(file, want); err != nil {
		t.Fatal(err)
	}
	have, err := LoadAlarms(file)
	if err != nil || !reflect.DeepEqual(have, want) {
		t.Errorf("have %+v\nwant %+v (%v)", have, want, err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"", "{", string(whole[:len(whole)/2]), `{"format":2}`, `{"format":1,"alarms":[{"id":"x","entry":"{}"}]}`, strings.Replace(string(whole), "pypi", "pypy", 1)} {
		if err := os.WriteFile(file, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadAlarms(file); !errors.Is(err, ErrAlarms) {
			t.Errorf("%.40q: %v", bad, err)
		}
	}
	if err := SaveAlarms(file, nil); err != nil {
		t.Fatal(err)
	}
	if have, err := LoadAlarms(file); err != nil || len(have) != 0 {
		t.Errorf("no alarms: %v %v", have, err)
	}
}

// TestAlarmsOfManyFiles: whoever publishes one file that is accepted can make others until two share
// the first digits of an id. Each still has an alarm of its own.
func TestAlarmsOfManyFiles(t *testing.T) {
	t.Parallel()
	var twins []Entry
	for _, digest := range []string{ // of files that count their builds; the ids begin with c77b1c92
		"ce192bfdedfdb5cc01eb8f8febc622ded0ce81dbb3ed04ef5404c2b8bb03711d",
		"c762bd3483d9add9b30824b577e008a1c28769924a711be66e5139139567f2f8",
	} {
		e := entryOf("a")
		e.Digest = schema.Digest{SHA256: digest}
		twins = append(twins, e)
	}
	decide := func(t Thing) trust.Decision {
		if t.Entry.Digest == twins[1].Digest {
			return distrusted(reportBy("bob", "b1"))
		}
		return trust.Decision{Verdict: trust.Trusted}
	}
	if c := Raise(Things(twins), decide, nil, testTime); len(c.Raised) != 1 || c.Raised[0].Entry.Digest != twins[1].Digest {
		t.Errorf("%+v", c.Raised)
	}
}
