package durable_test

import (
	"bytes"
	"errors"
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

// TestCrashBetweenSteps: a writer that stops between any two steps leaves the old bytes or the new
// ones; the next one is not in its way, and what it left behind can be swept.
func TestCrashBetweenSteps(t *testing.T) {
	t.Parallel()
	crash := errors.New("crash")
	for _, old := range []string{"", "old"} {
		for n := 0; ; n++ {
			dir := t.TempDir()
			path := filepath.Join(dir, "state")
			if old != "" {
				if err := durable.WriteFile(path, []byte(old), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			step, last := 0, ""
			steps := durable.Steps(func(change string) error {
				last = change
				if step++; step > n {
					return crash
				}
				return nil
			})
			err := steps.WriteFile(path, []byte("new"), 0o600)
			if err == nil {
				if n != 4 {
					t.Errorf("%d steps", n)
				}
				break
			}
			if !errors.Is(err, crash) {
				t.Fatal(err)
			}
			if b, err := os.ReadFile(path); string(b) != "new" && (string(b) != old || old == "" && !os.IsNotExist(err)) {
				t.Errorf("crash before %q: %q, %v", last, b, err)
			}
			if err := durable.WriteFile(path, []byte("newer"), 0o600); err != nil {
				t.Errorf("crash before %q, then: %v", last, err)
			}
			if err := durable.Sweep(dir); err != nil {
				t.Error(err)
			}
			if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
				t.Errorf("crash before %q: left behind: %v, %v", last, entries, err)
			}
		}
	}
}
