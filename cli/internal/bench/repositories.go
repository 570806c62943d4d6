package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/distributed-trust/distrust/records"
)

// repositories is the folder of those that are served.
const repositories = "repositories"

// state is where the n-th published state of a repository can be found, so that its branch can be put
// there.
func state(n int) string { return fmt.Sprintf("refs/states/%d", n) }

// repository is the bare repository of a person who published a state with so many records, then one
// with so many, each on top of the last.
func (b *bench) repository(ctx context.Context, p *person, counts ...int) (string, error) {
	return b.kept(filepath.Join(repositories, p.name+".git"), func(dir string) error {
		return makeRepository(ctx, dir, p, counts)
	})
}

func makeRepository(ctx context.Context, dir string, p *person, counts []int) error {
	if err := git(ctx, "", "init", "-q", "--bare", "--template=", "-b", "main", dir); err != nil {
		return err
	}
	if err := importStates(dir, p, counts); err != nil {
		return err
	}
	if err := git(ctx, dir, "repack", "-q", "-a", "-d", "--write-bitmap-index"); err != nil {
		return err
	}
	return atState(ctx, dir, 0)
}

// atState moves the branch of a repository to one of its states.
func atState(ctx context.Context, dir string, n int) error {
	return git(ctx, dir, "update-ref", "refs/heads/main", state(n))
}

func git(ctx context.Context, dir string, args ...string) error {
	_, err := command{args: append([]string{"git"}, args...), dir: dir}.output(ctx)
	return err
}

// importStates writes the commits by way of git fast-import: a work tree of 100,000 files would take
// minutes.
func importStates(dir string, p *person, counts []int) error {
	cmd := exec.Command("git", "fast-import", "--quiet")
	cmd.Dir, cmd.Env = dir, stockEnv(os.DevNull)
	var said bytes.Buffer
	cmd.Stderr = &said
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	w := &stateWriter{out: bufio.NewWriterSize(stdin, 1<<20), p: p, at: begun(), sums: map[string][sha256.Size]byte{}}
	for _, count := range counts {
		if err == nil {
			err = w.publish(count)
		}
	}
	if err == nil {
		err = w.out.Flush()
	}
	stdin.Close()
	if failed := cmd.Wait(); failed != nil {
		return fmt.Errorf("importing into %s: %w\n%s", dir, failed, said.Bytes())
	}
	return err
}

// stateWriter writes published states in the language of fast-import.
type stateWriter struct {
	out  *bufio.Writer
	p    *person
	at   time.Time
	sums map[string][sha256.Size]byte // of the files of the set
	said int                          // records so far
	head records.Head
	kept []records.Head
	n    int // states so far
}

// atOnce is how many records are in memory.
const atOnce = 2000

// publish writes the state of so many records.
func (w *stateWriter) publish(count int) error {
	fmt.Fprintf(w.out, "commit %s\ncommitter bench <bench@example.org> %d +0000\ndata 6\nbench\n", state(w.n), w.at.Unix())
	if w.n > 0 {
		fmt.Fprintf(w.out, "from %s\n", state(w.n-1))
	}
	for w.said < count {
		next := min(count, w.said+atOnce)
		sealed, err := w.p.sealAll(w.said, next, w.at)
		if err != nil {
			return err
		}
		for _, e := range sealed {
			w.set(e.Path, e.YAML)
			w.set(records.SignaturePath(e.Path), e.Sig)
		}
		w.said = next
	}
	if err := w.sealHead(); err != nil {
		return err
	}
	w.n++
	return nil
}

// set writes a file of the set.
func (w *stateWriter) set(path string, b []byte) {
	w.sums[path] = sha256.Sum256(b)
	w.file(path, b)
}

func (w *stateWriter) file(path string, b []byte) {
	fmt.Fprintf(w.out, "M 100644 inline %s\ndata %d\n%s\n", path, len(b), b)
}

// sealHead signs the set and writes what lies beside it.
func (w *stateWriter) sealHead() (err error) {
	root, count := records.RootOf(w.sums), records.CountRecords(w.sums)
	published := w.at.Add(24*time.Hour + time.Duration(w.n)*time.Minute)
	if w.n == 0 {
		w.head, err = w.p.firstHead(root, count, published)
	} else {
		w.head, err = records.SealHead(context.Background(), records.NextHead(w.head, root, count, published, nil), w.p)
	}
	if err != nil {
		return err
	}
	w.kept = records.KeptAfter(w.kept, w.head)
	yaml, sig := w.head.Bytes()
	w.file(records.HeadFile, yaml)
	w.file(records.HeadSignatureFile, sig)
	for _, k := range w.kept {
		yaml, sig := k.Bytes()
		path := records.HeadPath(k.Doc().Seq)
		w.file(path, yaml)
		w.file(records.SignaturePath(path), sig)
	}
	w.file(records.AllowedSigners, records.AllowedSignersFile(w.head.Doc()))
	w.file(records.GitAttributes, []byte(records.GitAttributesText))
	w.file(records.Readme, []byte("A trust repository that was made to be measured.\n"))
	return nil
}
