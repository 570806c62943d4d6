package durable

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A file that was changed, touched or replaced has another stamp; one that was read has the same.
func TestStamp(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "file")
	at := time.Date(2026, 11, 21, 10, 0, 0, 1, time.UTC)
	write := func(text string, at time.Time) string {
		t.Helper()
		err := os.WriteFile(path, []byte(text), 0o600)
		if err == nil {
			err = os.Chtimes(path, at, at)
		}
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Lstat(path)
		if err != nil {
			t.Fatal(err)
		}
		return Stamp(info)
	}
	first := write("one", at)
	if again := write("one", at); again != first {
		t.Errorf("%s became %s, and nothing changed", first, again)
	}
	for what, stamp := range map[string]string{"length": write("longer", at), "time": write("two", at.Add(time.Nanosecond))} {
		if stamp == first {
			t.Errorf("another %s is not seen", what)
		}
	}
	if err := os.Rename(path, path+".away"); err != nil {
		t.Fatal(err)
	}
	if stamp := write("one", at); stamp == first && inodes(t, path) {
		t.Error("another file in its place is not seen")
	}
}

// inodes says whether files have numbers here.
func inodes(t *testing.T, path string) bool {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	return inode(info) != 0
}
