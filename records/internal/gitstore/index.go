package gitstore

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/format/index"
)

// An IndexError says that the index is of a kind that only git itself can
// write, and that git could not be run.
type IndexError struct {
	Kind string // what is special about it
	Err  error
}

func (e *IndexError) Error() string {
	return fmt.Sprintf("the index of the repository needs git itself (%s): %v", e.Kind, e.Err)
}

// Unwrap gives what running git came to.
func (e *IndexError) Unwrap() error { return e.Err }

// indexFile is the index of a work tree, read under the lock.
type indexFile struct {
	name    string
	next    string // the new index, until replace
	special string // why go-git may not write it; empty: it may
	index   index.Index
	byName  map[string]*index.Entry
	written time.Time // when the index was written, for the entries that are not older than that
	git     string
}

// openIndex reads the index. Unmerged entries mean that the user is in the
// middle of something (ErrBusy).
func (s *step) openIndex(ctx context.Context) (*indexFile, error) {
	f := &indexFile{
		name:   filepath.Join(s.gitDir, "index"),
		next:   filepath.Join(s.gitDir, "distrust-index"),
		byName: map[string]*index.Entry{},
		git:    s.Git,
	}
	for _, left := range []string{f.next, f.next + ".lock"} {
		if err := os.Remove(left); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	raw, err := os.ReadFile(f.name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		f.index.Version = 2
		return f, nil
	case err != nil:
		return nil, fmt.Errorf("reading the index: %w", err)
	}
	if info, err := os.Stat(f.name); err == nil {
		f.written = info.ModTime()
	}
	if f.special, err = indexKind(raw); err != nil {
		return nil, fmt.Errorf("reading the index: %w", err)
	}
	if f.special != "" {
		return f, f.list(ctx, s)
	}
	if err := index.NewDecoder(bufio.NewReader(bytes.NewReader(raw))).Decode(&f.index); err != nil {
		return nil, fmt.Errorf("reading the index: %w", err)
	}
	for _, e := range f.index.Entries {
		if e.Stage != 0 {
			return nil, fmt.Errorf("%w: %q is not merged", ErrBusy, clip(e.Name))
		}
		f.byName[e.Name] = e
	}
	return f, nil
}

// indexKind walks through the bytes of an index and says what of it go-git
// would lose: it drops extensions and the mark of files assumed unchanged.
// What git makes again by itself is no loss.
func indexKind(b []byte) (string, error) {
	cut := errors.New("it is cut off")
	if len(b) < 12+20 || string(b[:4]) != "DIRC" {
		return "", cut
	}
	version := binary.BigEndian.Uint32(b[4:])
	if version != 2 && version != 3 {
		return "version " + strconv.Itoa(int(version)), nil
	}
	count := binary.BigEndian.Uint32(b[8:])
	end := len(b) - 20
	at := 12
	for range count {
		if at+62 > end {
			return "", cut
		}
		flags := binary.BigEndian.Uint16(b[at+60:])
		if flags&0x8000 != 0 {
			return "files assumed unchanged", nil
		}
		name := at + 62
		if flags&0x4000 != 0 {
			name += 2
		}
		if name > end {
			return "", cut
		}
		length := bytes.IndexByte(b[name:end], 0)
		if length < 0 {
			return "", cut
		}
		at += (name - at + length + 8) &^ 7
	}
	for at+8 <= end {
		kind, size := string(b[at:at+4]), int(binary.BigEndian.Uint32(b[at+4:]))
		if !slices.Contains([]string{"TREE", "EOIE", "IEOT"}, kind) {
			return "extension " + strconv.Quote(kind), nil
		}
		if at += 8 + size; size < 0 || at > end {
			return "", cut
		}
	}
	return "", nil
}

// list reads the entries with git, for an index that go-git cannot write and
// might misread.
func (f *indexFile) list(ctx context.Context, s *step) error {
	out, err := f.run(ctx, s, f.name, nil, "ls-files", "-z", "--stage")
	if err != nil {
		return err
	}
	for line := range bytes.SplitSeq(out, []byte{0}) {
		info, name, ok := bytes.Cut(line, []byte{'\t'})
		part := bytes.Fields(info)
		if !ok || len(part) != 3 {
			continue
		}
		if string(part[2]) != "0" {
			return fmt.Errorf("%w: %q is not merged", ErrBusy, clip(string(name)))
		}
		mode, err := filemode.New(string(part[0]))
		if err != nil {
			return fmt.Errorf("reading the index: %w", err)
		}
		f.byName[string(name)] = &index.Entry{Name: string(name), Mode: mode, Hash: plumbing.NewHash(string(part[1]))}
	}
	return nil
}

// entry is what is staged at a path.
func (f *indexFile) entry(path string) entry {
	e, ok := f.byName[path]
	if !ok || e.IntentToAdd {
		return entry{}
	}
	return entry{mode: strconv.FormatUint(uint64(e.Mode), 8), hash: e.Hash}
}

// update makes the new index beside the old one, with other entries for some
// paths and everything else as it was.
func (f *indexFile) update(ctx context.Context, s *step, root *folders, plan []pathChange) error {
	if f.special != "" {
		return f.updateWithGit(ctx, s, plan)
	}
	gone := map[string]bool{}
	for _, p := range plan {
		if gone[p.path] = true; p.new.mode == "" {
			continue
		}
		mode, err := filemode.New(p.new.mode)
		if err != nil {
			return err
		}
		e := &index.Entry{Name: p.path, Mode: mode, Hash: p.new.hash}
		if is, err := s.hashFile(root, p.path); err == nil && is == p.new.unnamed() {
			fillStat(e, filepath.Join(s.dir, filepath.FromSlash(p.path)))
		}
		f.byName[p.path] = e
	}
	kept := f.index.Entries[:0:0]
	for _, e := range f.index.Entries {
		if gone[e.Name] {
			continue
		}
		// A file that was staged in the second in which the index was written
		// may have been edited in that second too. git sees that by the two
		// times; the new index is younger, so the entry has to say it.
		if !e.ModifiedAt.Before(f.written.Truncate(time.Second)) {
			e.ModifiedAt, e.CreatedAt = time.Time{}, time.Time{}
		}
		kept = append(kept, e)
	}
	for _, p := range plan {
		if p.new.mode != "" {
			kept = append(kept, f.byName[p.path])
		}
	}
	f.index.Entries = kept
	var b bytes.Buffer
	if err := index.NewEncoder(&b).Encode(&f.index); err != nil {
		return fmt.Errorf("writing the index: %w", err)
	}
	if err := writeFile(f.next, b.Bytes(), 0o644); err != nil {
		return fmt.Errorf("writing the index: %w", err)
	}
	return nil
}

// updateWithGit lets git change a copy of the index. The copy is as old as the
// index: git compares that with the entries, too.
func (f *indexFile) updateWithGit(ctx context.Context, s *step, plan []pathChange) error {
	raw, err := os.ReadFile(f.name)
	if err != nil {
		return fmt.Errorf("writing the index: %w", err)
	}
	if err := errors.Join(writeFile(f.next, raw, 0o644), os.Chtimes(f.next, f.written, f.written)); err != nil {
		return fmt.Errorf("writing the index: %w", err)
	}
	var in bytes.Buffer
	for _, p := range plan {
		if p.new.mode == "" {
			fmt.Fprintf(&in, "0 %s\t%s\x00", plumbing.ZeroHash, p.path)
		} else {
			fmt.Fprintf(&in, "%s %s\t%s\x00", p.new.mode, p.new.hash, p.path)
		}
	}
	_, err = f.run(ctx, s, f.next, in.Bytes(), "update-index", "-z", "--index-info")
	return err
}

// run runs git on an index file, with everything off that could run more, but
// for the clean filters of the user's configuration: git needs them to see which
// files were edited.
func (f *indexFile) run(ctx context.Context, s *step, file string, in []byte, args ...string) ([]byte, error) {
	git := f.git
	if git == "" {
		git = "git"
	}
	args = append([]string{
		"--git-dir=" + s.gitDir, "--work-tree=" + s.dir,
		"-c", "core.hooksPath=" + os.DevNull, "-c", "core.fsmonitor=false",
	}, args...)
	cmd := exec.CommandContext(ctx, git, args...)
	cmd.Env = append(cmd.Environ(), "GIT_INDEX_FILE="+file, "GIT_COMMON_DIR="+s.common, "GIT_OPTIONAL_LOCKS=0", "LC_ALL=C")
	cmd.Dir, cmd.Stdin = s.dir, bytes.NewReader(in)
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = fmt.Errorf("%w: %s", err, clip(string(bytes.TrimSpace(exit.Stderr))))
		}
		return nil, &IndexError{Kind: f.special, Err: err}
	}
	return out, nil
}

// replace puts the new index in the place of the old one.
func (f *indexFile) replace() error {
	if err := os.Rename(f.next, f.name); err != nil {
		return fmt.Errorf("writing the index: %w", err)
	}
	return syncDir(filepath.Dir(f.name))
}
