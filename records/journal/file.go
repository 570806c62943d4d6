package journal

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// ErrNoSubject says that an entry has neither digest nor git id: nothing could be said about it
// later.
var ErrNoSubject = errors.New("nothing to remember it by")

// Append writes entries at the end of file, each in one piece, unless a line near the end says the
// same: the same bytes as the same project and version and with the same verdict. File and folder are made,
// for the user alone, when they are missing. Any number of programs may append at once; those that
// write the file anew wait for all of the entries. What is written twice all the same is read
// once ([Read]) and goes with [Compact].
func Append(ctx context.Context, file string, entries ...Entry) error {
	if err := appendEntries(ctx, file, entries); err != nil {
		return fmt.Errorf("writing journal: %w", err)
	}
	return nil
}

func appendEntries(ctx context.Context, file string, entries []Entry) (err error) {
	lines, written := make([][]byte, len(entries)), make([]Entry, len(entries))
	for i, e := range entries {
		if e.subject() == "" {
			return ErrNoSubject
		}
		if lines[i], err = encodeLine(e); err != nil {
			return err
		}
		if written[i], err = decodeLine(bytes.TrimSuffix(lines[i], []byte("\n"))); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	unlock, err := lock(ctx, file, (*flock.Flock).TryRLockContext)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	known, err := recent(f, written)
	for i := 0; err == nil && i < len(lines); i++ {
		if known[written[i].claim()] {
			continue
		}
		// It begins with an LF, for somebody may have been killed in the middle of the line before, a
		// moment ago even: half a line must not swallow this one.
		_, err = f.Write(append([]byte("\n"), lines[i]...))
	}
	return err
}

// Compacting takes milliseconds. A program that was stopped while it did must not stop every check.
const (
	lockRetry = 5 * time.Millisecond
	lockWait  = 5 * time.Second
)

// lock takes the lock beside the journal: appenders share it, so that none of them writes into a
// file that Compact is about to replace. The system lets go of it when a program dies.
func lock(ctx context.Context, file string, take func(*flock.Flock, context.Context, time.Duration) (bool, error)) (func() error, error) {
	ctx, cancel := context.WithTimeout(ctx, lockWait)
	defer cancel()
	l := flock.New(file+".lock", flock.SetPermissions(0o600))
	ok, err := take(l, ctx, lockRetry)
	if err == nil && !ok {
		err = errors.New("it is locked")
	}
	if err != nil {
		return nil, fmt.Errorf("locking: %w", err)
	}
	return l.Unlock, nil
}

const (
	// recentBytes is how far back a line is looked for before it is written again: a build that
	// checks a hundred files over and over adds nothing.
	recentBytes = 64 << 10
	// quickSearch is how much of a digest lines are searched for: processors compare that at once.
	quickSearch = 32
)

// recent gives the claims of the last lines. For a single entry only those with the same digest are
// parsed: a check must not wait for more.
func recent(f *os.File, entries []Entry) (map[claim]bool, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	from := max(0, info.Size()-recentBytes)
	var id []byte
	if len(entries) == 1 {
		_, id, _ = bytes.Cut([]byte(entries[0].subject()), []byte(":"))
		id = id[max(0, len(id)-quickSearch):]
	}
	known := map[claim]bool{}
	err = eachLine(io.NewSectionReader(f, from, recentBytes), func(line []byte, _ bool) bool {
		if bytes.Contains(line, id) {
			if have, err := decodeLine(line); err == nil {
				known[have.claim()] = true
			}
		}
		return true
	})
	return known, err
}

// Read reads the journal in the order in which it was written; a missing one is empty. Lines that
// are torn or damaged are skipped ([Scan] counts them), and of several of the same claim the first
// counts.
func Read(file string) ([]Entry, error) {
	entries, _, err := Scan(file)
	return entries, err
}

// Scan is [Read] that says how many lines were skipped because they are torn or damaged.
func Scan(file string) (entries []Entry, skipped int, err error) {
	f, err := os.Open(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, fmt.Errorf("reading journal: %w", err)
	}
	defer f.Close()
	entries, skipped, err = scan(f)
	if err != nil {
		return nil, 0, fmt.Errorf("reading journal: %w", err)
	}
	return entries, skipped, nil
}

func scan(r io.Reader) (entries []Entry, skipped int, err error) {
	skipped, err = distinct(r, func(e Entry, _ []byte) { entries = append(entries, e) })
	return entries, skipped, err
}

// distinct calls do for the first line of every claim, and counts the lines that are torn or
// damaged. A last line that has not ended may be half of what somebody is just writing: it does not
// count as torn before another one follows.
func distinct(r io.Reader, do func(e Entry, line []byte)) (skipped int, err error) {
	seen := map[claim]bool{}
	err = eachLine(r, func(line []byte, ended bool) bool {
		e, err := decodeLine(line)
		switch {
		case len(line) == 0: // between two lines
		case err != nil && ended:
			skipped++
		case err != nil:
		case !seen[e.claim()]:
			seen[e.claim()] = true
			do(e, line)
		}
		return true
	})
	return skipped, err
}

// eachLine calls do for every line without its LF, until it says no; ended is false for a last line
// that has none. A line longer than any entry comes cut.
func eachLine(r io.Reader, do func(line []byte, ended bool) bool) error {
	in := bufio.NewReaderSize(r, 1<<16)
	for {
		line, err := in.ReadSlice('\n')
		for errors.Is(err, bufio.ErrBufferFull) { // no entry is that long: go on to its end
			_, err = in.ReadSlice('\n')
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if err == nil || len(line) > 0 {
			if !do(bytes.TrimSuffix(line, []byte("\n")), err == nil) {
				return nil
			}
		}
		if err != nil {
			return nil
		}
	}
}
