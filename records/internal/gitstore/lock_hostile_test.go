package gitstore

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestForeignLock writes into a repository that somebody else made: no step that its lock declares, and
// no link among its logs, writes anything outside of it.
func TestForeignLock(t *testing.T) {
	t.Parallel()
	if !locksEnd {
		t.Skip("a lock that was left is not taken over here")
	}
	change := Change{Write: map[string][]byte{"head.yml": []byte("two\n")}}
	for name, forged := range map[string]move{
		"a branch that leads away": {Branch: "../../victim"},
		"a branch in the logs":     {Branch: "refs/heads/../../../victim"},
		"no branch":                {},
		"two lines of a log":       {Branch: "refs/heads/main", Log: "x\nrm -rf\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := newRepo(t, map[string]string{"head.yml": "one\n"})
			w := openWorktree(t, dir)
			at, err := w.Head()
			if err != nil {
				t.Fatal(err)
			}
			forged.Version, forged.New = 1, at.Commit
			b, err := json.Marshal(forged)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, ".git", "index.lock"), b, 0o644); err != nil {
				t.Fatal(err)
			}
			if id, err := w.Commit(t.Context(), change, "Write", someone()); !errors.Is(err, ErrLocked) {
				t.Errorf("committed %s: %v", id, err)
			}
			if exists(filepath.Join(filepath.Dir(dir), "victim")) {
				t.Error("there is a file beside the repository")
			}
		})
	}
	t.Run("a log that is a link", func(t *testing.T) {
		t.Parallel()
		dir := newRepo(t, map[string]string{"head.yml": "one\n"})
		victim := filepath.Join(t.TempDir(), "victim")
		if err := os.WriteFile(victim, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"HEAD", "refs/heads/main"} {
			log := filepath.Join(dir, ".git", "logs", filepath.FromSlash(name))
			if err := errors.Join(os.MkdirAll(filepath.Dir(log), 0o755), os.RemoveAll(log), os.Symlink(victim, log)); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := openWorktree(t, dir).Commit(t.Context(), change, "Write", someone()); err != nil {
			t.Fatal(err)
		}
		if b, err := os.ReadFile(victim); err != nil || len(b) > 0 {
			t.Errorf("it was written through: %q, %v", b, err)
		}
	})
}
