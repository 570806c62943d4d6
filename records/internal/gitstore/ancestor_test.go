package gitstore

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"
)

// TestAncestorsWithoutDates: clocks run backwards and several commits are made in one second, so
// what came before is asked of the parents alone.
func TestAncestorsWithoutDates(t *testing.T) {
	t.Parallel()
	for name, step := range map[string]time.Duration{"forward": time.Hour, "one second": 0, "backward": -time.Hour} {
		w, err := InitWorktree(filepath.Join(t.TempDir(), "home"), "")
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		author := someone()
		var commits []string
		for i := range 6 {
			change := Change{Write: map[string][]byte{"head.yml": fmt.Appendf(nil, "%d\n", i)}}
			id, err := w.Commit(t.Context(), change, "Seal", author)
			if err != nil {
				t.Fatal(err)
			}
			commits = append(commits, id)
			author.When = author.When.Add(step)
		}
		for i, old := range commits {
			for j, tip := range commits {
				got, err := w.IsAncestor(t.Context(), old, tip)
				if err != nil || got != (i <= j) {
					t.Errorf("%s: commit %d before commit %d: %v, %v", name, i, j, got, err)
				}
			}
		}
	}
}
