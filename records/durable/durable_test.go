package durable_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/distributed-trust/distrust/records/durable"
)

func TestWriteFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state")
	if err := durable.WriteFile(path, []byte("one"), 0o600); err != nil {
		t.Fatal(err)
	}
	check := func(want string, perm os.FileMode) {
		t.Helper()
		b, err := os.ReadFile(path)
		if err != nil || string(b) != want {
			t.Fatalf("%q, %v; want %q", b, err, want)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != perm {
			t.Errorf("mode %v, want %v", info.Mode(), perm)
		}
	}
	check("one", 0o600)
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if err := durable.WriteFile(path, []byte("two, and longer"), 0o600); err != nil {
		t.Fatal(err)
	}
	check("two, and longer", 0o640)
}

// TestFailureLeavesTheOldFile writes where a rename cannot succeed: what was there stays, and
// nothing is left beside it.
func TestFailureLeavesTheOldFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "a folder")
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	err := durable.WriteFile(path, []byte("x"), 0o600)
	if err == nil || !strings.Contains(err.Error(), "a folder") {
		t.Errorf("the error does not name the file: %v", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
	if err := durable.WriteFile(filepath.Join(dir, "missing", "x"), nil, 0o600); !os.IsNotExist(err) && err == nil {
		t.Error("no error without a folder")
	}
}

// TestReadersSeeWholeFiles reads while a file is replaced over and over.
func TestReadersSeeWholeFiles(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state")
	a, b := bytes.Repeat([]byte("a"), 100_000), bytes.Repeat([]byte("b"), 50_000)
	if err := durable.WriteFile(path, a, 0o600); err != nil {
		t.Fatal(err)
	}
	var readers sync.WaitGroup
	done := make(chan struct{})
	for range 2 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				got, err := os.ReadFile(path)
				if err != nil || !bytes.Equal(got, a) && !bytes.Equal(got, b) {
					t.Errorf("read %d bytes, %v", len(got), err)
					return
				}
			}
		})
	}
	for i := range 20 {
		content := a
		if i%2 == 0 {
			content = b
		}
		if err := durable.WriteFile(path, content, 0o600); err != nil {
			t.Error(err)
		}
	}
	close(done)
	readers.Wait()
}
