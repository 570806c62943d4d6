package home

import (
	"context"
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
// Symbolic links and special files, what is too long and what lies too deep are refused alone, since
// no record can be there. Hidden names are left out: an interrupted writer leaves such behind.
func readFolder(ctx context.Context, dir string) (files map[string][]byte, refused []*records.Refusal, err error) {
	files = map[string][]byte{}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, nil, err
	}
	defer root.Close()
	err = fs.WalkDir(root.FS(), records.RecordsFolder, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist) && name == records.RecordsFolder:
			return fs.SkipAll
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case entry.IsDir() && strings.HasPrefix(path.Base(name), "."):
			return fs.SkipDir
		case entry.IsDir() && strings.Count(name, "/") >= maxFolderDepth-1:
			refused = append(refused, &records.Refusal{Path: name, Rule: "F4", Reason: "folders are nested too deep"})
			return fs.SkipDir
		case entry.IsDir() || strings.HasPrefix(path.Base(name), "."):
			return nil
		}
		b, err := readRegular(root, name)
		var refusal *records.Refusal
		if errors.As(err, &refusal) {
			refused = append(refused, refusal)
			return nil
		}
		files[name] = b
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	return files, refused, nil
}

// readRegular reads one file that must be a regular one of at most the size of a record; else the
// error is a *[records.Refusal].
func readRegular(root *os.Root, name string) ([]byte, error) {
	file := filepath.FromSlash(name)
	info, err := root.Lstat(file)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &records.Refusal{Path: name, Rule: "F4", Reason: "not a regular file"}
	}
	f, err := root.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, schema.MaxRecordBytes+1))
	if err != nil {
		return nil, err
	}
	if len(b) > schema.MaxRecordBytes {
		return nil, &records.Refusal{Path: name, Rule: "F7", Reason: fmt.Sprintf("longer than %d bytes", schema.MaxRecordBytes)}
	}
	return b, nil
}

func sortedPaths[V any](files map[string]V) []string {
	return slices.Sorted(maps.Keys(files))
}

func asRefusal(path string, err error) *records.Refusal {
	var refusal *records.Refusal
	if errors.As(err, &refusal) {
		return refusal
	}
	var invalid *schema.Error
	if errors.As(err, &invalid) {
		return &records.Refusal{Path: path, Line: invalid.Line, Rule: invalid.Rule, Reason: invalid.Reason, Err: err}
	}
	return &records.Refusal{Path: path, Reason: err.Error(), Err: err}
}
