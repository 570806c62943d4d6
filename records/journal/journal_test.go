package journal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/distributed-trust/distrust/records/trust"
	"github.com/distributed-trust/distrust/schema"
)

var testTime = time.Date(2026, 5, 12, 9, 30, 0, 0, time.UTC)

func hexOf(s string, n int) string { return strings.Repeat(fmt.Sprintf("%x", s), n)[:n] }

// fullEntry has every field.
func fullEntry() Entry {
	return Entry{
		Time: testTime, Name: "requests 2.33.tar.gz", Path: "/home/a/<b>&c/\"q\"/ü\n.tar.gz", Command: "check",
		Digest: schema.Digest{SHA256: hexOf("a", 64), SHA512: hexOf("b", 128)}, Git: schema.GitID{Commit: hexOf("c", 40)},
		Size: 134218, Project: "pkg:pypi/requests", Version: "2.33.0", Verdict: trust.Trusted,
		Signers: []string{"ssh:ssh-ed25519 AAAA", "openpgp:9C5C"}, Records: []string{hexOf("d", 64), hexOf("e", 64)}, By: []string{"alice", "bob"}, Overruled: true, Pinned: true,
	}
}

func entryOf(content string) Entry {
	return Entry{Time: testTime, Command: "check", Verdict: trust.Trusted, Digest: schema.Digest{SHA256: hexOf(content, 64)}}
}

func journalFile(t testing.TB) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "state", "journal")
}

func appendAll(t testing.TB, file string, entries ...Entry) {
	t.Helper()
	for _, e := range entries {
		if err := Append(context.Background(), file, e); err != nil {
			t.Fatal(err)
		}
	}
}

func readAll(t testing.TB, file string) []Entry {
	t.Helper()
	entries, skipped, err := Scan(file)
	if err != nil || skipped != 0 {
		t.Fatalf("Scan: %d skipped, %v", skipped, err)
	}
	return entries
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	raw := entryOf("raw")
	raw.Path, raw.Name = "/tmp/\xff\xfe", "\xff"
	tree := Entry{Time: testTime, Verdict: trust.Distrusted, Git: schema.GitID{Tree: hexOf("t", 40)}}
	sha512 := Entry{Time: testTime, Verdict: trust.Trusted, Digest: schema.Digest{SHA512: hexOf("s", 128)}}
	want := []Entry{fullEntry(), raw, tree, sha512, entryOf("plain")}
	file := journalFile(t)
	if entries, err := Read(file); err != nil || entries != nil {
		t.Errorf("a missing journal: %v %v", entries, err)
	}
	appendAll(t, file, want...)
	if have := readAll(t, file); !reflect.DeepEqual(have, want) {
		t.Errorf("have %+v\nwant %+v", have, want)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(b) {
		if len(line) > 1 && !json.Valid(line) {
			t.Errorf("not JSON: %s", line)
		}
	}
	for path, want := range map[string]os.FileMode{file: 0o600, filepath.Dir(file): 0o700} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v %v", path, info.Mode(), err)
		}
	}
	if err := Append(context.Background(), file, Entry{Time: testTime, Name: "x"}); !errors.Is(err, ErrNoSubject) {
		t.Errorf("an entry about nothing: %v", err)
	}
	if err := Append(context.Background(), filepath.Join(file, "x"), entryOf("x")); err == nil {
		t.Error("a journal below a file")
	}
	if err := Append(context.Background(), t.TempDir(), entryOf("x")); err == nil {
		t.Error("a journal that is a folder")
	}
}

// TestOnce: the same claim is written once, another one is.
func TestOnce(t *testing.T) {
	t.Parallel()
	file := journalFile(t)
	e := fullEntry()
	again := e
	again.Time, again.Path, again.Command, again.Records = e.Time.Add(time.Hour), "/elsewhere", "pipe", nil
	edits := map[string]func(*Entry){
		"digest":    func(e *Entry) { e.Digest.SHA256 = hexOf("z", 64) },
		"project":   func(e *Entry) { e.Project = "" },
		"version":   func(e *Entry) { e.Version = "3" },
		"verdict":   func(e *Entry) { e.Verdict = trust.Mismatch },
		"overruled": func(e *Entry) { e.Overruled = false },
		"signers":   func(e *Entry) { e.Signers = e.Signers[:1] },
		"no name":   func(e *Entry) { e.Name = "" },
	}
	appendAll(t, file, e, again, e)
	for _, edit := range edits {
		other := e
		edit(&other)
		appendAll(t, file, other, other)
	}
	if n := len(readAll(t, file)); n != 1+len(edits) {
		t.Errorf("%d entries, want %d", n, 1+len(edits))
	}
	b, err := os.ReadFile(file)
	if lines := bytes.Count(b, []byte("}\n")); err != nil || lines != 1+len(edits) {
		t.Errorf("%d lines, %v", lines, err)
	}
}

// TestLongFields: a line is at most 4 KiB; what does not fit goes as a whole, the digests stay.
// TestManyAtOnce: what is appended together is what would be appended one by one, whatever is there already.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	file := journalFile(t)
	at := added("a", "/uv.lock", trust.Unknown)
	in := at
	in.Pinned = true
	appendAll(t, file, entryOf("a"), in)
	if err := Append(t.Context(), file, entryOf("b"), in, at, entryOf("a"), entryOf("c")); err != nil {
		t.Fatal(err)
	}
	if got, want := readAll(t, file), []Entry{entryOf("a"), in, entryOf("b"), at, entryOf("c")}; !reflect.DeepEqual(got, want) {
		t.Errorf("have %+v\nwant %+v", got, want)
	}
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := Append(t.Context(), file, entryOf("d"), Entry{}); !errors.Is(err, ErrNoSubject) {
		t.Errorf("one without a digest: %v", err)
	}
	if err := Append(t.Context(), file, readAll(t, file)...); err != nil {
		t.Fatal(err)
	}
	if after, err := os.ReadFile(file); err != nil || !bytes.Equal(after, before) {
		t.Errorf("%d bytes more: %v", len(after)-len(before), err)
	}
}

func TestLongFields(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ü/", 5000)
	var ids []string
	for i := range 400 {
		ids = append(ids, hexOf(fmt.Sprint(i), 64))
	}
	edits := map[string]func(*Entry){
		"path":    func(e *Entry) { e.Path = long },
		"raw":     func(e *Entry) { e.Path = strings.Repeat("\xff", 4000) },
		"name":    func(e *Entry) { e.Name = long },
		"project": func(e *Entry) { e.Project = long },
		"version": func(e *Entry) { e.Version = long },
		"signers": func(e *Entry) { e.Signers = []string{e.Signers[0], long} },
		"records": func(e *Entry) { e.Records = ids },
		"command": func(e *Entry) { e.Command = long },
		"all": func(e *Entry) {
			e.Path, e.Name, e.Project, e.Version, e.Command, e.Signers, e.Records = long, long, long, long, long, []string{long, long}, ids
		},
	}
	for name, edit := range edits {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := journalFile(t)
			want := fullEntry()
			edit(&want)
			appendAll(t, file, want, want)
			b, err := os.ReadFile(file)
			if err != nil || len(b) > 4<<10 || bytes.Count(b, []byte("\n")) != 2 {
				t.Fatalf("%d bytes, %d lines, %v", len(b), bytes.Count(b, []byte("\n")), err)
			}
			have := readAll(t, file)[0]
			if have.Digest != want.Digest || have.Git != want.Git || !have.Time.Equal(want.Time) || have.Verdict != want.Verdict || !have.Overruled {
				t.Errorf("have %+v", have)
			}
			for _, field := range [][2]string{{have.Path, want.Path}, {have.Name, want.Name}, {have.Project, want.Project}, {have.Version, want.Version}, {have.Command, want.Command}} {
				if field[0] != "" && field[0] != field[1] {
					t.Errorf("a field was cut to %q", field[0])
				}
			}
			for i, id := range have.Records {
				if id != want.Records[i] {
					t.Errorf("record id %q", id)
				}
			}
			if name == "path" && (have.Name == "" || len(have.Records) != 2 || have.Project == "") {
				t.Errorf("more was left out than the path: %+v", have)
			}
		})
	}
	e := entryOf("x")
	e.Verdict = trust.Verdict(long)
	if err := Append(context.Background(), journalFile(t), e); err == nil {
		t.Error("a line of more than 4 KiB was written")
	}
}

// TestTornAndDamagedLines: whatever happened to some lines, the others are read.
func TestTornAndDamagedLines(t *testing.T) {
	t.Parallel()
	file := journalFile(t)
	a, b, c := entryOf("a"), entryOf("b"), entryOf("c")
	appendAll(t, file, a, b)
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	first := bytes.Index(whole, []byte("}\n")) + 2
	for at := 1; at < first-1; at++ { // every byte of the first line
		bent := bytes.Clone(whole)
		bent[at] ^= 0x04
		entries, skipped, err := scan(bytes.NewReader(bent))
		if err != nil || skipped != 1 || len(entries) != 1 || entries[0].subject() != b.subject() {
			if bent[at] == '\n' && skipped == 2 && len(entries) == 1 {
				continue
			}
			t.Fatalf("byte %d: %d entries, %d skipped, %v", at, len(entries), skipped, err)
		}
	}
	for n := range len(whole) - first { // a crash anywhere in the second line
		torn := filepath.Join(t.TempDir(), "journal")
		if err := os.WriteFile(torn, whole[:first+n], 0o600); err != nil {
			t.Fatal(err)
		}
		appendAll(t, torn, c)
		entries, skipped, err := Scan(torn)
		want, wantSkipped := []Entry{a, c}, 1
		switch n {
		case 0, 1:
			wantSkipped = 0
		case len(whole) - first - 1: // only the LF was lost
			want, wantSkipped = []Entry{a, b, c}, 0
		}
		if err != nil || skipped != wantSkipped || !reflect.DeepEqual(entries, want) {
			t.Fatalf("torn after %d: %+v, %d skipped, %v", n, entries, skipped, err)
		}
	}
	junk := append([]byte(strings.Repeat("x", 1<<18)+"\n\n{}\nnull\n"), whole...)
	entries, skipped, err := scan(bytes.NewReader(append(junk, 0, 0, 0)))
	if err != nil || skipped != 3 || len(entries) != 2 {
		t.Errorf("junk: %d entries, %d skipped, %v", len(entries), skipped, err)
	}
}

// TestParallelAppends: 8 writers lose and tear nothing.
func TestParallelAppends(t *testing.T) {
	t.Parallel()
	file := journalFile(t)
	const writers, each = 8, 40
	var all sync.WaitGroup
	for w := range writers {
		all.Add(1)
		go func() {
			defer all.Done()
			for i := range each {
				e := fullEntry()
				e.Digest.SHA256 = fmt.Sprintf("%064x", w*each+i)
				e.Path = "/" + strings.Repeat("x", 100*w)
				if err := Append(context.Background(), file, e); err != nil {
					t.Errorf("writer %d: %v", w, err)
				}
				shared := entryOf("shared") // all accept it
				shared.Version = fmt.Sprint(i)
				if err := Append(context.Background(), file, shared); err != nil {
					t.Errorf("writer %d: %v", w, err)
				}
				if _, skipped, err := Scan(file); err != nil || skipped != 0 {
					t.Errorf("reader %d: %d skipped, %v", w, skipped, err)
				}
			}
		}()
	}
	all.Wait()
	if n := len(readAll(t, file)); n != writers*each+each {
		t.Errorf("%d entries, want %d", n, writers*each+each)
	}
}

func TestQuery(t *testing.T) {
	t.Parallel()
	e := fullEntry()
	q := e.Query()
	want := trust.Query{
		Name: e.Name, Size: e.Size, Digest: e.Digest, Git: e.Git, Project: e.Project, Version: e.Version,
		Signatures: []trust.Signature{
			{Format: "ssh", Signer: e.Signers[0], State: trust.SignatureGood},
			{Format: "openpgp", Signer: e.Signers[1], State: trust.SignatureGood},
		},
	}
	if !reflect.DeepEqual(q, want) {
		t.Errorf("have %+v\nwant %+v", q, want)
	}
	e.Size = 0
	if q := e.Query(); q.Size != -1 {
		t.Errorf("an unknown size became %d", q.Size)
	}
}

func FuzzLine(f *testing.F) {
	for _, e := range []Entry{fullEntry(), entryOf("a"), {Time: testTime, Git: schema.GitID{Tree: "ab"}, Path: "\xff"}} {
		line, err := encodeLine(e)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(bytes.TrimSuffix(line, []byte("\n")))
		f.Add(line[:len(line)/2])
		f.Add(line)
	}
	f.Add([]byte(`{"time":"2026-01-01T00:00:00Z","sha256":"a","sum":"00000000"}`))
	f.Add([]byte(""))
	f.Fuzz(func(t *testing.T, line []byte) {
		// A checksum that fits lets the fuzzer past it.
		if at := len(line) - sumLength; at > 0 && line[len(line)-1] == '!' {
			w := bytes.Clone(line[:at])
			line = fmt.Appendf(w, "%s%08x%s", sumMember, crcOf(w), sumEnd)
		}
		e, err := decodeLine(line)
		if err != nil {
			return
		}
		if e.subject() == "" || len(line) >= maxLine {
			t.Fatalf("accepted %q", line)
		}
		again, err := encodeLine(e)
		if err != nil {
			return // a time or text that JSON lets in and we never write
		}
		if len(again) > maxLine || bytes.Count(again, []byte("\n")) != 1 {
			t.Fatalf("%d bytes: %q", len(again), again)
		}
		back, err := decodeLine(bytes.TrimSuffix(again, []byte("\n")))
		if err != nil || back.subject() != e.subject() || back.Verdict != e.Verdict {
			t.Fatalf("%+v became %+v, %v", e, back, err)
		}
	})
}

func BenchmarkAppendKnown(b *testing.B) {
	file := journalFile(b)
	var all []byte
	for i := range 10_000 {
		e := fullEntry()
		e.Digest.SHA256 = fmt.Sprintf("%064x", i)
		line, err := encodeLine(e)
		if err != nil {
			b.Fatal(err)
		}
		all = append(all, line...)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(file, all, 0o600); err != nil {
		b.Fatal(err)
	}
	e := fullEntry()
	e.Digest.SHA256 = fmt.Sprintf("%064x", 9999)
	for b.Loop() {
		if err := Append(context.Background(), file, e); err != nil {
			b.Fatal(err)
		}
	}
}
