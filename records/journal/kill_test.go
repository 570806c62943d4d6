package journal

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// childEnv makes the test binary a program that writes the journal: "append FILE FIRST N" or
// "compact FILE".
const childEnv = "JOURNAL_TEST_CHILD"

func TestMain(m *testing.M) {
	if job := os.Getenv(childEnv); job != "" {
		os.Exit(child(strings.Split(job, "\n")))
	}
	os.Exit(m.Run())
}

// child does what a parent asks for. Of every entry that was accepted it says the number.
func child(job []string) int {
	ctx := context.Background()
	if job[0] == "compact" {
		for {
			if err := compact(ctx, job[1], 1, nil); err != nil {
				fmt.Fprintln(os.Stderr, err)
				return 1
			}
			fmt.Println("compacted")
		}
	}
	first, _ := strconv.Atoi(job[2])
	n, _ := strconv.Atoi(job[3])
	for i := first; i < first+n; i++ {
		if err := Append(ctx, job[1], numbered(i)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		fmt.Println(i)
	}
	return 0
}

// numbered is an entry of more than half a page, so that lines lie across pages.
func numbered(i int) Entry {
	e := entryOf("x")
	e.Digest.SHA256 = fmt.Sprintf("%064x", i)
	e.Path = "/" + strings.Repeat("x", 2500)
	return e
}

func start(t *testing.T, out io.Writer, job ...string) *exec.Cmd {
	t.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), childEnv+"="+strings.Join(job, "\n"))
	c.Stdout, c.Stderr = out, os.Stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestKilledWriters: of 1,000 entries that programs accept side by side, while others compact the
// journal and any of them is killed at any time, none that was accepted is lost, and no killed
// program leaves more than its own line torn.
func TestKilledWriters(t *testing.T) {
	t.Parallel()
	file := journalFile(t)
	appendAll(t, file, entryOf("first"))
	const programs, each = 10, 100
	var accepted [programs][]int
	var all sync.WaitGroup
	killed := 0
	for p := range programs {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		c := start(t, w, "append", file, strconv.Itoa(p*each), strconv.Itoa(each))
		w.Close()
		most := each // of the odd ones, until it is killed
		if p%2 == 1 {
			most = 7 * p
			killed++
		}
		all.Go(func() {
			defer r.Close()
			lines := bufio.NewScanner(r)
			for lines.Scan() {
				i, err := strconv.Atoi(lines.Text())
				if err != nil {
					t.Errorf("program %d says %q", p, lines.Text())
				}
				if accepted[p] = append(accepted[p], i); len(accepted[p]) == most {
					_ = c.Process.Kill()
				}
			}
			if err := c.Wait(); err != nil && most == each && len(accepted[p]) < each {
				t.Errorf("program %d: %v", p, err)
			}
		})
	}
	done, compacted := make(chan struct{}), make(chan int)
	go func() { // one compacts after the other, each until it is killed
		times := 0
		for {
			r, w, err := os.Pipe()
			if err != nil {
				t.Error(err)
			}
			c := start(t, w, "compact", file)
			w.Close()
			for lines := bufio.NewScanner(r); lines.Scan(); {
				if times++; times%3 == 0 {
					break // it has begun the next one by now
				}
			}
			r.Close()
			_ = c.Process.Kill()
			_ = c.Wait()
			select {
			case <-done:
				compacted <- times
				return
			default:
			}
		}
	}()
	all.Wait()
	close(done)
	if times := <-compacted; times < 3 {
		t.Errorf("compacted %d times", times)
	}

	check := func(mostSkipped int) {
		t.Helper()
		entries, skipped, err := Scan(file)
		if err != nil || skipped > mostSkipped {
			t.Errorf("%d skipped, %v", skipped, err)
		}
		have := map[string]bool{}
		for _, e := range entries {
			have[e.subject()] = true
		}
		e := entryOf("first")
		if !have[e.subject()] {
			t.Error("the first entry is lost")
		}
		for p := range programs {
			if p%2 == 0 && len(accepted[p]) != each {
				t.Errorf("program %d accepted %d", p, len(accepted[p]))
			}
			for _, i := range accepted[p] {
				if e := numbered(i); !have[e.subject()] {
					t.Errorf("entry %d was accepted and is lost", i)
				}
			}
		}
	}
	check(killed)
	if err := compact(context.Background(), file, 1, nil); err != nil {
		t.Fatal(err)
	}
	check(0)
}

// TestCompact: a large journal that mostly repeats itself becomes small, and gives the same; one
// that is of use stays as it is.
func TestCompact(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	file := journalFile(t)
	if err := Compact(ctx, file); err != nil {
		t.Errorf("a missing journal: %v", err)
	}
	var b []byte
	for i := 0; len(b) < compactFrom; i++ {
		e := fullEntry()
		e.Digest.SHA256 = fmt.Sprintf("%064x", i%50)
		line, err := encodeLine(e)
		if err != nil {
			t.Fatal(err)
		}
		b = append(append(b, '\n'), line...)
		b = append(b, line[:i%len(line)]...)
	}
	appendAll(t, file, entryOf("first"))
	write := func(b []byte) {
		t.Helper()
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(b)
	want, err := Read(file)
	if err != nil || len(want) != 50 {
		t.Fatalf("%d entries, %v", len(want), err)
	}
	if err := Compact(ctx, file); err != nil {
		t.Fatal(err)
	}
	if have := readAll(t, file); fmt.Sprint(have) != fmt.Sprint(want) {
		t.Errorf("have %v\nwant %v", have, want)
	}
	small, err := os.ReadFile(file)
	if err != nil || len(small) > 50*maxLine {
		t.Errorf("%d bytes, %v", len(small), err)
	}
	for name, content := range map[string][]byte{"small": append(small, small...), "of use": manyLines(t)} {
		write(content)
		if err := Compact(ctx, file); err != nil {
			t.Fatal(err)
		}
		if have, err := os.ReadFile(file); err != nil || string(have) != string(content) {
			t.Errorf("%s: a journal of %d bytes became one of %d, %v", name, len(content), len(have), err)
		}
	}
}

// manyLines is a large journal in which every line is of use.
func manyLines(t *testing.T) (b []byte) {
	t.Helper()
	for i := 0; len(b) < compactFrom; i++ {
		line, err := encodeLine(numbered(i))
		if err != nil {
			t.Fatal(err)
		}
		b = append(b, line...)
	}
	return b
}
