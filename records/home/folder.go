package home

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/schema"
)

// maxFolderDepth is how deep files under records/ may lie (F4).
const maxFolderDepth = 5

// readFolder reads the files under records/ of a folder on disk: path with slashes to content. What is
// too long is refused alone, and so is what walkFolder refuses.
func readFolder(ctx context.Context, dir string) (files map[string][]byte, refused []*records.Refusal, err error) {
	files = map[string][]byte{}
	refused, err = walkFolder(ctx, dir, func(name, file string, _ fs.DirEntry) (*records.Refusal, error) {
		b, err := readFile(file)
		if len(b) > schema.MaxRecordBytes {
			return &records.Refusal{Path: name, Rule: "F7", Reason: fmt.Sprintf("longer than %d bytes", schema.MaxRecordBytes)}, nil
		}
		files[name] = b
		return nil, err
	})
	if err != nil {
		return nil, nil, err
	}
	return files, refused, nil
}

// walkFolder calls do for the files under records/ of a folder on disk, in the order of their paths, folder by
// folder. Symbolic links and special files, and what lies too deep, are refused alone, since no record
// can be there. Hidden names are left out: an interrupted writer leaves such behind.
func walkFolder(ctx context.Context, dir string, do func(name, file string, entry fs.DirEntry) (*records.Refusal, error)) (refused []*records.Refusal, err error) {
	top := filepath.Join(dir, records.RecordsFolder)
	err = filepath.WalkDir(top, func(file string, entry fs.DirEntry, err error) error {
		name := records.RecordsFolder + filepath.ToSlash(strings.TrimPrefix(file, top))
		switch {
		case errors.Is(err, fs.ErrNotExist) && file == top:
			return fs.SkipAll
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case entry.IsDir() && strings.HasPrefix(entry.Name(), "."):
			return fs.SkipDir
		case entry.IsDir() && strings.Count(name, "/") >= maxFolderDepth-1:
			refused = append(refused, &records.Refusal{Path: name, Rule: "F4", Reason: "folders are nested too deep"})
			return fs.SkipDir
		case entry.IsDir() || strings.HasPrefix(entry.Name(), "."):
			return nil
		case !entry.Type().IsRegular():
			refused = append(refused, &records.Refusal{Path: name, Rule: "F4", Reason: "not a regular file"})
			return nil
		}
		r, err := do(name, file, entry)
		if r != nil {
			refused = append(refused, r)
		}
		return err
	})
	return refused, err
}

// readFile reads a file up to one byte more than a record may have.
func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b := make([]byte, 0, 2<<10) // most are shorter
	for {
		n, err := f.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		switch {
		case errors.Is(err, io.EOF):
			return b, nil
		case err != nil || len(b) > schema.MaxRecordBytes:
			return b, err
		case len(b) == cap(b):
			b = slices.Grow(b, len(b))
		}
	}
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
