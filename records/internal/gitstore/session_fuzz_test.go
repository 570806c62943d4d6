package gitstore

import (
	"bytes"
	"context"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
)

// counted counts what is taken from the other side.
type counted struct {
	io.Reader
	taken int
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.taken += n
	return n, err
}

type deaf struct{ io.Writer }

func (deaf) Close() error { return nil }

// hear holds one conversation with somebody who says b, whatever is asked, and says how it ended.
func hear(t *testing.T, b []byte, l Limits, talk func(context.Context, session) error) (taken int, err error) {
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	idle := &watch{limit: time.Hour, timer: time.NewTimer(time.Hour)}
	defer idle.timer.Stop()
	out := &counted{Reader: bytes.NewReader(b)}
	s := &stream{line: line{limits: l, idle: idle, cancel: cancel}, in: deaf{io.Discard}, out: out, end: func() error { return nil }, said: func() string { return "" }}
	func() {
		defer recoverDecoder(&err)
		err = talk(ctx, s)
	}()
	if err = explain(ctx, err); err != nil && strings.ContainsFunc(err.Error(), unicode.IsControl) {
		t.Errorf("the error holds foreign text raw: %q", err)
	}
	return out.taken, err
}

// tooMuch says whether more was taken than a limit and what buffers hold.
func tooMuch(taken int, limit int64) bool { return int64(taken) > limit+128<<10 }

// FuzzAdvertisement: a list of references, whatever it is, costs no more than its limit, ends in an
// error that can be printed, or names a commit on a branch that we may have.
func FuzzAdvertisement(f *testing.F) {
	const hash = "6ecf0ef2c2dffb796033e5a02219af86ec6584e5"
	advertise := func(lines ...string) []byte {
		var b bytes.Buffer
		for _, line := range lines {
			pktLine(&b, line)
		}
		return append(b.Bytes(), "0000"...)
	}
	const caps = "\x00side-band-64k ofs-delta symref=HEAD:refs/heads/main\n"
	f.Add(advertise(hash+" HEAD"+caps, hash+" refs/heads/main\n"), "")
	f.Add(advertise(append([]string{hash + " HEAD" + caps}, slices.Repeat([]string{hash + " refs/heads/main\n"}, 20)...)...), "")
	f.Add(advertise(hash+" refs/heads/main"+caps, hash+" refs/heads/x^{}\n", "shallow "+hash+"\n"), "main")
	f.Add(advertise(hash+" refs/heads/../../x\x00symref=HEAD:refs/heads/../../x\n"), "")
	f.Add(advertise(strings.Repeat("0", 40)+" capabilities^{}\x00side-band-64k\n"), "")
	f.Add(advertise("# service=git-upload-pack\n"), "")
	f.Add(advertise("ERR no\x1b[2J such thing\n"), "")
	f.Add([]byte("0000"), "")
	f.Add([]byte("0001"), "")
	f.Add([]byte("fff0"), "")
	f.Add([]byte("Permission denied\n"), "")
	f.Fuzz(func(t *testing.T, b []byte, branch string) {
		l := DefaultLimits()
		l.Advertisement = 1 << 10
		var got received
		var want plumbing.Hash
		taken, err := hear(t, b, l, func(ctx context.Context, s session) error {
			refs, err := s.refs(ctx)
			if err == nil {
				want, err = got.chooseBranch(refs, branch)
			}
			return err
		})
		if tooMuch(taken, l.Advertisement) {
			t.Fatalf("%d bytes were taken", taken)
		}
		if err != nil {
			return
		}
		if !branchName(got.tip.Branch) || branch != "" && got.tip.Branch != branch || got.tip.Commit != want.String() {
			t.Fatalf("from %q: %+v", b, got.tip)
		}
		if int64(len(b)) > l.Advertisement && int64(taken) > l.Advertisement {
			t.Fatalf("more than %d bytes and no error", l.Advertisement)
		}
	})
}

// FuzzPackAnswer: what comes before a pack and around it costs no more than the limits of a
// transfer, and of what is sent only the pack channel gets through.
func FuzzPackAnswer(f *testing.F) {
	answer := func(frames func(io.Writer)) []byte {
		var b bytes.Buffer
		pktLine(&b, "NAK\n")
		frames(&b)
		return append(b.Bytes(), "0000"...)
	}
	f.Add(answer(func(w io.Writer) { band{w, 1}.Write(finishPack(0)) }), true)
	f.Add(answer(func(w io.Writer) { band{w, 2}.Write([]byte("counting\x1b[2J\r")); band{w, 1}.Write([]byte("PACK")) }), true)
	f.Add(answer(func(w io.Writer) { band{w, 3}.Write([]byte("out of \x1b[2J memory")) }), true)
	f.Add(answer(func(w io.Writer) { band{w, 9}.Write([]byte("x")) }), true)
	f.Add(append([]byte("0008NAK\n"), finishPack(0)...), false)
	f.Add([]byte("0031ACK 6ecf0ef2c2dffb796033e5a02219af86ec6584e5\n0008NAK\nPACK"), false)
	f.Add([]byte("0008NAK\n0004"), true)
	f.Add([]byte("0005"), true)
	f.Fuzz(func(t *testing.T, b []byte, sideband bool) {
		l := DefaultLimits()
		l.PackBytes = 64
		req := packp.NewUploadPackRequest()
		req.Wants = []plumbing.Hash{plumbing.NewHash("6ecf0ef2c2dffb796033e5a02219af86ec6584e5")}
		if sideband {
			if err := req.Capabilities.Set(capability.Sideband64k); err != nil {
				t.Fatal(err)
			}
		}
		var pack []byte
		taken, _ := hear(t, b, l, func(ctx context.Context, s session) error {
			answer, err := s.pack(ctx, req)
			if err != nil {
				return err
			}
			defer answer.Close()
			pack, err = io.ReadAll(demultiplex(answer, req.Capabilities))
			return err
		})
		if tooMuch(taken, l.PackBytes+1<<20) {
			t.Fatalf("%d bytes were taken", taken)
		}
		for from := range b {
			if sent := b[from:]; !sideband && bytes.Equal(sent, pack) || sideband && bytes.HasPrefix(onChannel(1, sent), pack) {
				return
			}
		}
		if len(pack) > 0 {
			t.Fatalf("%q became %q", b, pack)
		}
	})
}

// onChannel is what frames hold for one channel of the sideband, as far as they are frames.
func onChannel(channel byte, frames []byte) (out []byte) {
	for len(frames) > 4 {
		n, err := strconv.ParseUint(string(frames[:4]), 16, 16)
		if err != nil || n < 5 || int(n) > len(frames) {
			break
		}
		if frames[4] == channel {
			out = append(out, frames[5:n]...)
		}
		frames = frames[n:]
	}
	return out
}
