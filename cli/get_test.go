package cli

import (
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"testing"
)

// TestRenameNew has no way to replace what came to lie there since it was looked for.
func TestRenameNew(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	from, to := filepath.Join(dir, "from"), filepath.Join(dir, "to")
	if err := errors.Join(os.WriteFile(from, []byte("new"), 0o600), os.WriteFile(to, []byte("old"), 0o600)); err != nil {
		t.Fatal(err)
	}
	if err := renameNew(from, to); !errors.Is(err, fs.ErrExist) {
		t.Errorf("taken: %v", err)
	}
	if b, err := os.ReadFile(to); err != nil || string(b) != "old" {
		t.Errorf("%q, %v", b, err)
	}
	if err := errors.Join(os.Remove(to), renameNew(from, to)); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(to); err != nil || string(b) != "new" {
		t.Errorf("%q, %v", b, err)
	}
	if _, err := os.Lstat(from); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it lies there twice: %v", err)
	}
}

func TestParseSize(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]int64{"1": 1, "500M": 500 << 20, "1KiB": 1 << 10, "20G": 20 << 30, "2TiB": 2 << 40} {
		if got, err := parseSize(typed); err != nil || got != want {
			t.Errorf("%s: %d, %v", typed, got, err)
		}
	}
	for _, typed := range []string{"", "0", "-1", "M", "iB", "1iB", "1KB", "1.5G", "1 G", "1g", "0x10", "4194304T", "9223372036854775808"} {
		if got, err := parseSize(typed); err == nil {
			t.Errorf("%q is read as %d", typed, got)
		}
	}
}

func TestOtherProject(t *testing.T) {
	t.Parallel()
	const alices = "pkg:github/alice/tool"
	for address, want := range map[string]string{
		"https://github.com/alice/tool/releases/download/v1/tool":             "",
		"https://github.com/mallory/tool/releases/download/v1/tool":           "pkg:github/mallory/tool",
		"https://release-assets.githubusercontent.com/alice/tool?token=value": "",
	} {
		from, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if got := otherProject(from, alices); got != want {
			t.Errorf("%s: %q, want %q", address, got, want)
		}
		if got := otherProject(from, ""); got != "" {
			t.Errorf("%s: nobody named a project, and %q is said", address, got)
		}
	}
}
