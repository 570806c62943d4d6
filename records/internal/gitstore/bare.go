package gitstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// InitBare makes an empty bare repository in dir when nothing is there yet; its parent has to
// exist. made is false when something is there already, whatever it is.
func InitBare(dir, branch string) (made bool, err error) {
	if !branchName(branch) {
		return false, fmt.Errorf("making a repository: branch %q: not a name for a branch", clip(branch))
	}
	if err := os.Mkdir(dir, 0o755); errors.Is(err, fs.ErrExist) {
		return false, nil
	} else if err != nil {
		return false, fmt.Errorf("making a repository: %w", err)
	}
	for _, d := range []string{"objects/pack", "objects/info", "refs/heads", "refs/tags"} {
		if err := os.MkdirAll(filepath.Join(dir, filepath.FromSlash(d)), 0o755); err != nil {
			return false, fmt.Errorf("making a repository: %w", err)
		}
	}
	files := []struct{ name, text string }{
		{"config", "[core]\n\trepositoryformatversion = 0\n\tfilemode = " + fmt.Sprint(locksEnd) + "\n\tbare = true\n"},
		{"HEAD", "ref: refs/heads/" + branch + "\n"}, // last: it makes the folder a repository
	}
	for _, f := range files {
		if err := writeFile(filepath.Join(dir, f.name), []byte(f.text), 0o644); err != nil {
			return false, fmt.Errorf("making a repository: %w", err)
		}
	}
	return true, nil
}

// GitDir is the folder that git itself keeps: where its files about this work tree lie.
func (w *Worktree) GitDir() string { return w.gitDir }
