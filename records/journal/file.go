package journal

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// ErrNoSubject says that an entry has neither digest nor git id: nothing could be said about it
// later.
var ErrNoSubject = errors.New("nothing to remember it by")

// Append writes e at the end of file in one piece, unless the same bytes are there already as the
// same project and version and with the same verdict. File and folder are made, for the user
// alone, when they are missing. Any number of programs may append at once; two that accept the
// same thing in the same moment may both write it, which [Read] mends.
func Append(file string, e Entry) error {
	if err := appendEntry(file, e); err != nil {
		return fmt.Errorf("writing journal: %w", err)
	}
	return nil
}

func appendEntry(file string, e Entry) (err error) {
	if e.subject() == "" {
		return ErrNoSubject
	}
	line, err := encodeLine(e)
	if err != nil {
		return err
	}
	written, err := decodeLine(bytes.TrimSuffix(line, []byte("\n")))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	known, torn, err := holds(f, &written)
	if err != nil || known {
		return err
	}
	if torn { // a crash left half a line: it must not swallow this one
		line = append([]byte("\n"), line...)
	}
	if len(line) > maxLine {
		return fmt.Errorf("a line of %d bytes", len(line))
	}
	_, err = f.Write(line)
	return err
}

// quickSearch is how much of a digest lines are searched for: processors compare that at once.
const quickSearch = 32

// holds says whether the journal has an entry with the same claim, and whether its last line is torn.
// Only lines with the same digest are parsed: a check reads the whole journal each time.
func holds(f io.Reader, e *Entry) (known, torn bool, err error) {
	_, id, _ := bytes.Cut([]byte(e.subject()), []byte(":"))
	id = id[max(0, len(id)-quickSearch):]
	want := e.claim()
	err = eachLine(f, func(line []byte, whole bool) bool {
		torn = !whole
		if !bytes.Contains(line, id) {
			return true
		}
		if have, err := decodeLine(line); err == nil && have.claim() == want {
			known = true
		}
		return !known
	})
	return known, torn, err
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
	seen := map[claim]bool{}
	err = eachLine(r, func(line []byte, _ bool) bool {
		e, err := decodeLine(line)
		switch {
		case len(line) == 0: // what comes after a torn line begins with an LF
		case err != nil:
			skipped++
		case !seen[e.claim()]:
			seen[e.claim()] = true
			entries = append(entries, e)
		}
		return true
	})
	return entries, skipped, err
}

// eachLine calls do for every line without its LF, until it says no; whole is false for a last
// line without one. A line longer than any entry comes cut.
func eachLine(r io.Reader, do func(line []byte, whole bool) bool) error {
	in := bufio.NewReaderSize(r, 1<<16)
	for {
		line, err := in.ReadSlice('\n')
		whole := err == nil
		for errors.Is(err, bufio.ErrBufferFull) { // no entry is that long: go on to its end
			_, err = in.ReadSlice('\n')
			whole = err == nil
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if whole || len(line) > 0 {
			if !do(bytes.TrimSuffix(line, []byte("\n")), whole) {
				return nil
			}
		}
		if err != nil {
			return nil
		}
	}
}
