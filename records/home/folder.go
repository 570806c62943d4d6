package home

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/schema"
)

// maxFolderDepth is how deep files under records/ may lie (F4).
const maxFolderDepth = 5

// readFolder reads the files under records/ of a folder on disk: path with slashes to content.
// Symbolic links and special files are errors, since what they lead to is not the record's.
func readFolder(dir string) (map[string][]byte, error) {
	files := map[string][]byte{}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	err = fs.WalkDir(root.FS(), records.RecordsFolder, func(name string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && name == records.RecordsFolder {
			return fs.SkipAll
		}
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if strings.Count(name, "/") >= maxFolderDepth {
				return fmt.Errorf("%s: folders are nested too deep (F4)", name)
			}
			return nil
		}
		if strings.HasPrefix(path.Base(name), ".") {
			return nil // what an interrupted writer left behind
		}
		b, err := readRegular(root, name)
		if err != nil {
			return err
		}
		files[name] = b
		return nil
	})
	if err != nil {
		return nil, err
	}
	return files, nil
}

// readRegular reads one file that must be a regular one of at most the size of a record.
func readRegular(root *os.Root, name string) ([]byte, error) {
	info, err := root.Lstat(filepath.FromSlash(name))
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: not a regular file (F4)", name)
	}
	f, err := root.Open(filepath.FromSlash(name))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, schema.MaxRecordBytes+1))
	if err != nil {
		return nil, err
	}
	if len(b) > schema.MaxRecordBytes {
		return nil, fmt.Errorf("%s: longer than %d bytes (F7)", name, schema.MaxRecordBytes)
	}
	return b, nil
}

func sortedPaths(files map[string][]byte) []string {
	return slices.Sorted(maps.Keys(files))
}

func asRefusal(path string, err error) *records.Refusal {
	var refusal *records.Refusal
	if errors.As(err, &refusal) {
		return refusal
	}
	var wrong *schema.Error
	if errors.As(err, &wrong) {
		return &records.Refusal{Path: path, Line: wrong.Line, Rule: wrong.Rule, Reason: wrong.Reason, Err: err}
	}
	return &records.Refusal{Path: path, Reason: err.Error(), Err: err}
}
