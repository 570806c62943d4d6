package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"

	"github.com/distributed-trust/distrust/cli/config"
	"github.com/distributed-trust/distrust/records/download"
	"github.com/distributed-trust/distrust/records/subject"
)

// held is a private copy of bytes, made in the one pass in which they are read to be decided about: what
// is used afterwards are the very bytes that were checked, whatever became of the file meanwhile (S2). It
// lies on disk, so that memory does not grow with it.
type held struct {
	in, out *os.File // out writes the copy; in is open at its first byte, for reading only
	size    int64
	most    int64  // that it may have
	path    string // where a program finds the copy; "" when it has no name any more
	left    string // what has to be removed in the end; "" when nothing has
}

// hold makes an empty copy without a name, for at most so many bytes: it is gone with the process, however
// that ends.
func hold(most int64) (*held, error) {
	if err := ownTemporary(); err != nil {
		return nil, err
	}
	out, err := os.CreateTemp("", "distrust-held-")
	if err != nil {
		return nil, noRoom(err)
	}
	h := &held{out: out, left: out.Name(), most: most}
	if h.in, err = os.Open(out.Name()); err != nil {
		return nil, noRoom(errors.Join(err, h.close()))
	}
	if os.Remove(out.Name()) == nil { // elsewhere than on Unix it can be removed once it is closed
		h.left = ""
	}
	return h, nil
}

// holdProgram makes an empty copy that can be executed, in a folder of its own and under a name of its
// own, as interpreters open scripts by their path.
func holdProgram(name string) (*held, error) {
	if err := ownTemporary(); err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "distrust-run-")
	if err != nil {
		return nil, noRoom(err)
	}
	h := &held{most: math.MaxInt64, left: folder, path: filepath.Join(folder, name)}
	if h.out, err = os.OpenFile(h.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o500); err == nil {
		h.in, err = os.Open(h.path)
	}
	if err != nil {
		return nil, noRoom(errors.Join(err, h.close()))
	}
	if !mayExecute(h.path) {
		return nil, errors.Join(fail(NotExecutable, fmt.Errorf("nothing can be executed in %s", filepath.Dir(folder)),
			"set TMPDIR to a folder of your own where programs may run"), h.close())
	}
	return h, nil
}

// ownTemporary refuses a folder for temporary files where somebody else could put other bytes in the place
// of a copy before it is opened.
func ownTemporary() error {
	if info, err := os.Stat(os.TempDir()); err == nil && othersMayReplace(info) {
		return &config.PermissionError{Path: os.TempDir()}
	}
	return nil
}

// noRoom is the error of a copy that cannot be made.
func noRoom(err error) error {
	return fail(Failed, fmt.Errorf("keeping a private copy: %w", err),
		"make room there, or set TMPDIR to a folder of your own that has some")
}

// Write adds to the copy.
func (h *held) Write(b []byte) (int, error) {
	if int64(len(b)) > h.most-h.size {
		return 0, &download.SizeError{Max: h.most}
	}
	n, err := h.out.Write(b)
	h.size += int64(n)
	if err != nil {
		return n, noRoom(err)
	}
	return n, nil
}

// complete ends writing: a program that is still being written cannot be executed.
func (h *held) complete() error {
	err := h.out.Close()
	h.out = nil
	if err != nil {
		return noRoom(err)
	}
	return nil
}

// content is the copy from its first byte on.
func (h *held) content() io.ReadCloser {
	return io.NopCloser(io.NewSectionReader(h.in, 0, h.size))
}

// close forgets the copy.
func (h *held) close() error {
	var err error
	for _, f := range []*os.File{h.in, h.out} {
		if f != nil {
			err = errors.Join(err, f.Close())
		}
	}
	if h.left != "" {
		err = errors.Join(err, os.RemoveAll(h.left))
	}
	return err
}

// forget is close at the end of a command, whose outcome is another.
func (in *Invocation) forget(h *held) {
	if err := h.close(); err != nil {
		in.Env.warn("removing the private copy: %v", err)
	}
}

// admitInto reads what arg names into a copy and puts it before the gate. Done means that the copy may be
// used.
func (in *Invocation) admitInto(ctx context.Context, h *held, arg string) (Exit, error) {
	if err := needsBytes(arg); err != nil {
		return Usage, err
	}
	p, err := in.proofsFor(ctx)
	if err != nil {
		return Failed, err
	}
	defer p.world.close()
	s, signatures, err := p.readInto(ctx, arg, h)
	if err != nil {
		return Failed, err
	}
	if err := h.complete(); err != nil {
		return Failed, err
	}
	if arg == "-" && h.size == 0 {
		return Failed, fail(Failed, errors.New("nothing came on standard input"), "see what the command before the | says")
	}
	c := candidate{spokenOf: spokenOf{s, signatures}, proofs: p}
	c.open = func() (io.ReadCloser, error) { return h.content(), nil }
	exit, err := in.admit(ctx, p.world, c, p.project, p.version)
	if err != nil {
		return Failed, err
	}
	return exit, ctx.Err()
}

// needsBytes refuses a digest, which is an operand of commands that only decide.
func needsBytes(arg string) error {
	if _, is, _ := subject.FromDigest(arg); is {
		return usagef("the bytes are needed, and a digest does not hold them; a file of that name is written ./%s", arg)
	}
	return nil
}
