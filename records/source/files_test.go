package source

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func (l *fileList) marshal() []byte {
	var b bytes.Buffer
	if err := l.write(&b); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func someList() *fileList {
	list := &fileList{Commit: strings.Repeat("c", 40), Head: strings.Repeat("d", 64)}
	for _, path := range []string{"keys/1.yml", "records/any/aa/a.yml", "records/any/aa/a.yml.sig", "records/follow/bb/b.yml"} {
		list.files = append(list.files, file{path: path, blob: blobID{0xe0}, size: int64(len(path)), sum: sha256.Sum256([]byte(path))})
	}
	return list
}

func TestFileListRoundTrip(t *testing.T) {
	t.Parallel()
	for _, list := range []*fileList{someList(), {Commit: "c", Head: "h"}} {
		b := list.marshal()
		got, err := parseFileList(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Fatal(err)
		}
		if got.Commit != list.Commit || got.Head != list.Head || len(got.files) != len(list.files) || !bytes.Equal(got.marshal(), b) {
			t.Errorf("read %+v", got)
		}
		for i := range b {
			bad := bytes.Clone(b)
			bad[i] ^= 1
			if _, err := parseFileList(bytes.NewReader(bad), 0); err == nil {
				t.Fatalf("byte %d of the list changed, and nobody saw it", i)
			}
		}
	}
}

// A list that is cut off, or goes on, is damaged; and every file is found, in whatever order it is asked for.
func TestFileListEnds(t *testing.T) {
	t.Parallel()
	list := someList()
	b := list.marshal()
	for i := range b {
		if _, err := parseFileList(bytes.NewReader(b[:i]), 0); err == nil {
			t.Fatalf("it was cut at %d, and nobody saw it", i)
		}
	}
	if _, err := parseFileList(bytes.NewReader(append(b, '\n')), 0); err == nil {
		t.Error("it went on, and nobody saw it")
	}
	for i := range 64 {
		want := list.files[i/8%4]
		for _, want := range []file{want, list.files[i%4]} {
			if got, ok := list.find(want.path); !ok || got != want {
				t.Errorf("%s: found %v, %v", want.path, got, ok)
			}
			if _, ok := list.find(want.path + "x"); ok {
				t.Errorf("%sx was found", want.path)
			}
		}
	}
	if _, ok := (&fileList{at: 9}).find("x"); ok {
		t.Error("found in nothing")
	}
}

func TestPatchedList(t *testing.T) {
	t.Parallel()
	list := someList()
	changes := []file{
		{path: "keys/0.yml", blob: blobID{0x40}},
		{path: "records/any/aa/a.yml", blob: blobID{0x30}},
		{path: "records/any/aa/a.yml.sig"},
		{path: "records/zz.yml", blob: blobID{0x10}},
	}
	files := list.patch(changes)
	var got []string
	for _, f := range files {
		got = append(got, f.path+" "+f.blob.String()[:1])
		if fresh := f.blob != list.files[0].blob; fresh != (f.sum == [sha256.Size]byte{}) {
			t.Errorf("%s: a sum of other bytes", f.path)
		}
	}
	want := "keys/0.yml 4, keys/1.yml e, records/any/aa/a.yml 3, records/follow/bb/b.yml e, records/zz.yml 1"
	if text := strings.Join(got, ", "); text != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
	differs := func(a, b *fileList) (all []file) {
		if err := a.differs(b, func(some []file) error { all = append(all, some...); return nil }); err != nil {
			t.Error(err)
		}
		return all
	}
	if got := differs(list, &fileList{files: files}); !slices.Equal(got, changes) {
		t.Errorf("the lists differ by %v", got)
	}
	if got := differs(list, list); len(got) != 0 {
		t.Errorf("a list differs from itself by %v", got)
	}
	// More than are given at once.
	long := &fileList{}
	for i := range 5000 {
		long.files = append(long.files, file{path: fmt.Sprintf("keys/%04d.yml", i), blob: blobID{1}})
	}
	if got := (&fileList{}).patch(differs(&fileList{}, long)); !slices.Equal(got, long.files) {
		t.Errorf("%d files of 5000", len(got))
	}
	if got := long.patch(differs(long, &fileList{})); len(got) != 0 {
		t.Errorf("%d files are left", len(got))
	}
	full := errors.New("no room")
	if err := long.differs(&fileList{}, func([]file) error { return full }); !errors.Is(err, full) {
		t.Errorf("nobody was told: %v", err)
	}
	if len(list.files) != 4 || list.files[1].blob != list.files[0].blob {
		t.Error("patching changed the list itself")
	}
}

func FuzzFileList(f *testing.F) {
	f.Add(someList().marshal())
	f.Add((&fileList{}).marshal())
	f.Add([]byte("distrust files 1 a b\nsum x\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := parseFileList(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		again, err := parseFileList(bytes.NewReader(list.marshal()), 0)
		if err != nil || len(again.files) != len(list.files) || again.Head != list.Head {
			t.Errorf("a list was read that cannot be written again: %v", err)
		}
	})
}

// The forms that the parent holds names to, as the specification writes them.
func TestForms(t *testing.T) {
	t.Parallel()
	names := []string{"", "a", "0", ".", "-a", "_a", "a.b_c-d", "A", "é", strings.Repeat("a", 128), strings.Repeat("a", 129)}
	paths := []string{"", "records", "keys/", "/records/a", "records//a", "home/a", "head.yml"}
	for _, folder := range []string{"records", "keys", "recordsx"} {
		for depth := range 5 {
			for _, name := range names {
				paths = append(paths, folder+strings.Repeat("/x", depth)+"/"+name, folder+"/"+name+strings.Repeat("/x", depth), folder+"/"+name+"\n")
			}
		}
	}
	form := regexp.MustCompile(`^(records|keys)(/[a-z0-9][a-z0-9._-]{0,127}){1,4}$`)
	for _, path := range paths {
		if got, want := listedFile(path), form.MatchString(path); got != want {
			t.Errorf("%q: listed %t", path, got)
		}
	}
	for _, id := range []string{"", strings.Repeat("0", 32), strings.Repeat("f", 40), strings.Repeat("F", 32), strings.Repeat("g", 40), strings.Repeat("a", 31) + "\n", strings.Repeat("/", 32)} {
		if got, want := isLog(id), regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(id); got != want {
			t.Errorf("%q: a log %t", id, got)
		}
		if got, want := isObject(id), regexp.MustCompile(`^[0-9a-f]{40}$`).MatchString(id); got != want {
			t.Errorf("%q: an object %t", id, got)
		}
	}
}
