package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/internal/testkit"
	"github.com/distributed-trust/distrust/records/trust"
	"github.com/distributed-trust/distrust/schema"
)

const testLog = "00112233445566778899aabbccddeeff"

var (
	testSigner = testkit.NewKey("somebody")
	testKeys   = &records.Log{ID: testLog, Keys: []schema.Key{testSigner.Listed(schema.Active, false)}}
)

// testRecord signs a record and opens it.
func testRecord(t testing.TB, reason string) records.Record {
	t.Helper()
	e, err := records.Seal(context.Background(), schema.Record{
		Kind: schema.KindTrust, Log: testLog, Issued: time.Unix(1795255200, 0).UTC(), Reason: reason,
		Subjects: []schema.Subject{{File: "f", Size: -1, Digest: schema.Digest{SHA256: strings.Repeat("ab", 32)}}},
	}, testSigner)
	if err != nil {
		t.Fatal(err)
	}
	r, err := records.Open(e, *testKeys)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func testFrame(t testing.TB, reason string) Frame {
	t.Helper()
	r := testRecord(t, reason)
	s := SaidOf(r, false)
	return RecordFrame(&s, r.Envelope())
}

// write makes a store of some frames, committed after each number in commits, and returns its path.
func write(t testing.TB, frames []Frame, commits ...int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), Name(testLog, 0))
	w, err := Create(path, testLog)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := w.State([]byte("state")); err != nil {
		t.Fatal(err)
	}
	for i, f := range frames {
		if _, err := w.Append(f); err != nil {
			t.Fatal(err)
		}
		for _, c := range commits {
			if c == i+1 {
				if err := w.Commit(); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if _, err := w.Frame(HeaderSize); !errors.Is(err, ErrFrame) { // flushes, and is no record
		t.Fatal(err)
	}
	if err := w.flush(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestName(t *testing.T) {
	t.Parallel()
	for _, n := range []uint32{0, 1, 12, 1<<32 - 1} {
		log, number, ok := ParseName(Name(testLog, n))
		if !ok || log != testLog || number != n {
			t.Errorf("%s: %s %d %v", Name(testLog, n), log, number, ok)
		}
	}
	for _, name := range []string{
		"", ".records", testLog, testLog + ".records.records", testLog + ".0.records", testLog + ".01.records", testLog + ".x.records",
		testLog + ".4294967296.records", testLog + "..records", strings.ToUpper(testLog) + ".records", testLog[1:] + ".records", "../" + testLog + ".records",
	} {
		if log, number, ok := ParseName(name); ok {
			t.Errorf("%q is the store %d of %s", name, number, log)
		}
	}
}

func TestSaidKeepsEverything(t *testing.T) {
	t.Parallel()
	keys := &records.Log{ID: testLog, Keys: []schema.Key{{Key: "k", State: schema.Active}}}
	want := Said{By: "k", Path: "records/any/ab/x.yml", Statement: trust.Statement{
		ID: strings.Repeat("cd", 32), Log: testLog, Kind: schema.KindTrust, Issued: -5, Expires: 1 << 40,
		Project: "pkg:pypi/x", Version: "1", Category: schema.Malware, Basis: schema.Built, Strength: 7, Reason: "ünï",
		Subjects: []schema.Subject{
			{File: "f", Size: 1 << 50, Digest: schema.Digest{SHA256: "a", SHA512: "b"}},
			{Size: -1, Signer: "ssh:x", Cert: "-----BEGIN\nx", Pattern: []string{"*", "pkg:npm/*"}},
			{Size: -1, Git: schema.GitID{Commit: "c", Tree: "t"}},
			{Size: -1, Release: "r"},
			{Size: -1, Project: "p"},
		},
		Seen: []string{"s", ""}, Source: schema.FollowSource{Log: "l", URL: "u", Key: "k"}, Weight: 1, Depth: 3,
		Scopes: []string{"*"}, Withdraws: []string{"w"}, Vanished: true, Indexed: true,
	}}
	// Every field of a statement and a subject is filled somewhere above: a new one must be encoded.
	for _, v := range []any{want.Statement, want.Statement.Subjects[0]} {
		fields := reflect.TypeOf(v).NumField()
		if known := map[string]int{"Statement": 21, "Subject": 9}[reflect.TypeOf(v).Name()]; fields != known {
			t.Errorf("%T has %d fields, the encoding knows %d", v, fields, known)
		}
	}
	b := want.Bytes()
	have, err := ReadSaid(string(b), keys)
	if err != nil || !reflect.DeepEqual(have, want) {
		t.Errorf("have %+v\nwant %+v (%v)", have, want, err)
	}
	for n := range b {
		if _, err := ReadSaid(string(b[:n]), keys); err == nil {
			t.Fatalf("cut to %d of %d is read", n, len(b))
		}
	}
	if _, err := ReadSaid(string(b)+"x", keys); err == nil {
		t.Error("a byte more is read")
	}
	keys.Keys[0].State = schema.Compromised
	if s, _ := ReadSaid(string(b), keys); !s.Statement.Void {
		t.Error("of a compromised key, and not void")
	}
	keys.Keep = []string{want.Statement.ID}
	if s, _ := ReadSaid(string(b), keys); s.Statement.Void {
		t.Error("kept, and void")
	}
}

func TestReplay(t *testing.T) {
	t.Parallel()
	a, b, c := testFrame(t, "a"), testFrame(t, "b"), testFrame(t, "c")
	idA, err := a.ID()
	if err != nil {
		t.Fatal(err)
	}
	gone := Frame{kind: frameRemove, body: []byte(idA.String())}
	for _, test := range []struct {
		name    string
		frames  []Frame
		commits []int
		live    int
	}{
		{"nothing committed", []Frame{a, b}, nil, 0},
		{"all committed", []Frame{a, b, c}, []int{3}, 3},
		{"the last not", []Frame{a, b, c}, []int{2}, 2},
		{"twice the same", []Frame{a, a}, []int{2}, 1},
		{"removed", []Frame{a, b, gone}, []int{3}, 1},
		{"removed, not committed", []Frame{a, b, gone}, []int{2}, 2},
		{"removed and back", []Frame{a, gone, a}, []int{1, 2, 3}, 1},
	} {
		path := write(t, test.frames, test.commits...)
		f, err := Open(path, testLog)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		size, err := f.Size()
		if err != nil {
			t.Fatal(err)
		}
		live, err := f.Replay(size, func(off int64, err error) { t.Errorf("%s: damage at %d: %v", test.name, off, err) })
		if err != nil || len(live.Frames) != test.live || (live.State != nil) != (len(test.commits) > 0) {
			t.Errorf("%s: %+v %v", test.name, live, err)
		}
		last, n := int64(0), 0
		err = f.Each(live, func(fr Frame) error {
			if again, err := f.Frame(fr.Off, size); err != nil || !again.Same(fr) || fr.Off <= last {
				t.Errorf("%s: frame at %d: %v", test.name, fr.Off, err)
			}
			last = fr.Off
			n++
			if _, st, err := fr.Open(testKeys); err != nil || st.Indexed {
				t.Errorf("%s: %+v %v", test.name, st, err)
			}
			return nil
		})
		if err != nil || n != test.live {
			t.Errorf("%s: %d frames, %v", test.name, n, err)
		}
	}
}

// TestDamageCostsOneFrame: whatever byte is bent, only the frame that it lies in is lost.
func TestDamageCostsOneFrame(t *testing.T) {
	t.Parallel()
	frames := []Frame{testFrame(t, "a"), testFrame(t, "b"), testFrame(t, "c")}
	path := write(t, frames, 1, 2, 3)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for at := int(HeaderSize); at < len(whole); at++ {
		b := bytes.Clone(whole)
		b[at] ^= 0x20
		damage := 0
		live, err := replay(bytes.NewReader(b), int64(len(b)), func(int64, error) { damage++ })
		if err != nil || damage != 1 {
			t.Fatalf("byte %d: damage %d, %v", at, damage, err)
		}
		if n := len(live.Frames); n < 2 {
			t.Fatalf("byte %d: %d frames are left", at, n)
		}
	}
	b := bytes.Clone(whole)
	copy(b[len(b)/2:], make([]byte, 40))
	if _, err := replay(bytes.NewReader(b), int64(len(b))+100, func(int64, error) {}); err != nil {
		t.Errorf("a file shorter than it should be: %v", err)
	}
}

func TestOpenHoldsTheStoreAgainstTheRecord(t *testing.T) {
	t.Parallel()
	r := testRecord(t, "a")
	keys := testKeys
	said := SaidOf(r, false)
	lie := said
	lie.Statement.Kind = schema.KindDistrust
	other := said
	other.Path = "records/any/00/other.yml"
	envelope := r.Envelope()
	bent := r.Envelope()
	bent.Sig[len(bent.Sig)/2] ^= 1
	for name, test := range map[string]struct {
		frame Frame
		keys  *records.Log
		ok    bool
	}{
		"as it was":       {RecordFrame(&said, envelope), keys, true},
		"another claim":   {RecordFrame(&lie, envelope), keys, false},
		"another place":   {RecordFrame(&other, envelope), keys, false},
		"bad signature":   {RecordFrame(&said, bent), keys, false},
		"another log":     {RecordFrame(&said, envelope), &records.Log{ID: strings.Repeat("0", 32), Keys: keys.Keys}, false},
		"key not listed":  {RecordFrame(&said, envelope), &records.Log{ID: testLog}, false},
		"no record":       {Frame{kind: frameState, body: []byte("x")}, keys, false},
		"half a record":   {Frame{kind: frameRecord, body: []byte{200}}, keys, false},
		"more than it is": {Frame{kind: frameRecord, body: append(RecordFrame(&said, envelope).body, 0)}, keys, false},
	} {
		if _, _, err := test.frame.Open(test.keys); (err == nil) != test.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWriterRefuses(t *testing.T) {
	t.Parallel()
	path := write(t, []Frame{testFrame(t, "a")}, 1)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, open := range map[string]func() (*Writer, error){
		"no log":      func() (*Writer, error) { return Create(path+"x", "x") },
		"other log":   func() (*Writer, error) { return Append(path, strings.Repeat("0", 32), int64(len(whole))) },
		"shorter":     func() (*Writer, error) { return Append(path, testLog, int64(len(whole))+1) },
		"not there":   func() (*Writer, error) { return Append(path+"y", testLog, HeaderSize) },
		"no folder":   func() (*Writer, error) { return Create(filepath.Join(path, "x"), testLog) },
		"other start": func() (*Writer, error) { return Append(os.DevNull, testLog, HeaderSize) },
	} {
		if w, err := open(); err == nil {
			t.Errorf("%s: opened", name)
			w.Close()
		}
	}
	w, err := Append(path, testLog, int64(len(whole)))
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := w.State(make([]byte, maxBody+1)); err == nil || w.Changed() {
		t.Errorf("a frame that nobody could read: %v", err)
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, whole) {
		t.Errorf("the store changed: %v", err)
	}
}

func FuzzFrames(f *testing.F) {
	path := write(f, []Frame{testFrame(f, "a"), testFrame(f, "b")}, 1)
	whole, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	body := whole[HeaderSize:]
	f.Add(body)
	f.Add(body[:len(body)/2])
	f.Add(append(bytes.Clone(body[len(body)/3:]), body...))
	f.Add(appendFrame(nil, frameRemove, []byte("x")))
	f.Add(appendFrame(appendFrame(nil, frameState, nil), frameCommit, nil))
	f.Add([]byte(strings.Repeat(string(frameMagic[:]), 20)))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 1 && b[0] == 'S' { // let the fuzzer past the checksum
			b = appendFrame(nil, frameKind(1+b[1]%4), b[2:])
		}
		file := append(make([]byte, HeaderSize), b...)
		end := int64(len(file))
		covered, last := int64(0), HeaderSize-1
		err := scanFrames(bytes.NewReader(file), end, func(fr Frame) error {
			if fr.Off <= last || fr.next() > end {
				return fmt.Errorf("a frame from %d to %d after %d", fr.Off, fr.next(), last)
			}
			last = fr.Off
			covered += fr.Size()
			again := appendFrame(nil, fr.kind, fr.body)
			if !bytes.Equal(again, file[fr.Off:fr.next()]) {
				return errors.New("a frame is not what lies there")
			}
			if s, err := fr.Said(&records.Log{ID: testLog}); err == nil {
				id, err := fr.ID()
				if want, none := ParseID(s.Statement.ID); id != want || (err == nil) != (none == nil) {
					return fmt.Errorf("id %q of %q: %w", id, s.Statement.ID, err)
				}
			}
			return nil
		}, func(off int64, err error) {
			if off <= last || off >= end || err == nil {
				t.Errorf("damage at %d after %d: %v", off, last, err)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		if covered > end-HeaderSize {
			t.Fatalf("%d bytes of frames in %d", covered, end-HeaderSize)
		}
		live, err := replay(bytes.NewReader(file), end, func(int64, error) {})
		if err != nil || live.End < HeaderSize || live.End > end {
			t.Fatalf("%+v %v", live, err)
		}
	})
}

func FuzzSaid(f *testing.F) {
	r := testRecord(f, "a")
	s := SaidOf(r, true)
	f.Add(s.Bytes())
	f.Add(s.Bytes()[:40])
	f.Add(binary.AppendUvarint([]byte{0}, 1<<40))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := ReadSaid(string(b), &records.Log{ID: testLog})
		if err != nil {
			return
		}
		again, err := ReadSaid(string(s.Bytes()), &records.Log{ID: testLog})
		if err != nil || !reflect.DeepEqual(s, again) {
			t.Fatalf("%+v became %+v, %v", s, again, err)
		}
	})
}

// appendFrame appends a frame around a body.
func appendFrame(b []byte, kind frameKind, body []byte) []byte {
	return append(appendHeader(b, kind, body), body...)
}
