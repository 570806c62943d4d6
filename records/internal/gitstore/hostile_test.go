package gitstore

import (
	"bytes"
	"compress/zlib"
	"context"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
)

// hostile is a smart http server that says what a test wants, in git's framing.
type hostile struct {
	tip     plumbing.Hash
	refs    func(io.Writer)           // instead of the list of references
	pack    func(io.Writer)           // the bytes of the pack, framed by the server
	answer  func(http.ResponseWriter) // instead of the whole answer to the request
	request chan string               // gets the body of each request; nil: nobody looks
}

func pktLine(w io.Writer, s string) { fmt.Fprintf(w, "%04x%s", len(s)+4, s) }

// band frames bytes for one channel of the sideband.
type band struct {
	io.Writer
	channel byte
}

func (b band) Write(p []byte) (int, error) {
	sent := 0
	for len(p) > 0 {
		n := min(len(p), 65515)
		if _, err := fmt.Fprintf(b.Writer, "%04x%c%s", n+5, b.channel, p[:n]); err != nil {
			return sent, err
		}
		sent, p = sent+n, p[n:]
	}
	return sent, nil
}

// reply knows when the other side has gone.
type reply struct {
	http.ResponseWriter
	gone <-chan struct{}
}

func (h *hostile) ServeHTTP(to http.ResponseWriter, r *http.Request) {
	w := &reply{to, r.Context().Done()}
	if strings.HasSuffix(r.URL.Path, "/info/refs") {
		w.Header().Set("Content-Type", "application/x-git-upload-pack-advertisement")
		pktLine(w, "# service=git-upload-pack\n")
		io.WriteString(w, "0000")
		if h.refs != nil {
			h.refs(w)
			return
		}
		pktLine(w, h.tip.String()+" HEAD\x00side-band-64k ofs-delta symref=HEAD:refs/heads/main\n")
		pktLine(w, h.tip.String()+" refs/heads/main\n")
		io.WriteString(w, "0000")
		return
	}
	body, _ := io.ReadAll(r.Body)
	if h.request != nil {
		h.request <- string(body)
	}
	w.Header().Set("Content-Type", "application/x-git-upload-pack-result")
	if h.answer != nil {
		h.answer(w)
		return
	}
	pktLine(w, "NAK\n")
	h.pack(band{w, 1})
	io.WriteString(w, "0000")
}

func (h *hostile) serve(t testing.TB) string {
	server := httptest.NewServer(h)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return server.URL + "/repo.git"
}

// packHeader is the head of a pack that claims some number of objects.
func packHeader(count uint32) []byte {
	b := []byte("PACK\x00\x00\x00\x02")
	return binary.BigEndian.AppendUint32(b, count)
}

func objectHeader(kind byte, size int64) []byte {
	b := []byte{kind<<4 | byte(size&15)}
	for size >>= 4; size > 0; size >>= 7 {
		b[len(b)-1] |= 0x80
		b = append(b, byte(size&0x7f))
	}
	return b
}

func deflate(data []byte) []byte {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	w.Write(data)
	w.Close()
	return b.Bytes()
}

func packEntry(kind byte, data []byte) []byte {
	return append(objectHeader(kind, int64(len(data))), deflate(data)...)
}

// offsetDelta is a delta on what begins that many bytes before it.
func offsetDelta(back int, delta []byte) []byte { return offsetDeltaOf(back, delta, deflate(delta)) }

func offsetDeltaOf(back int, delta, deflated []byte) []byte {
	b := objectHeader(6, int64(len(delta)))
	offset := []byte{byte(back & 0x7f)}
	for back >>= 7; back > 0; back >>= 7 {
		back--
		offset = append([]byte{byte(back&0x7f) | 0x80}, offset...)
	}
	return append(append(b, offset...), deflated...)
}

func finishPack(count int, entries ...[]byte) []byte {
	b := packHeader(uint32(count))
	for _, e := range entries {
		b = append(b, e...)
	}
	sum := sha1.Sum(b)
	return append(b, sum[:]...)
}

var packKinds = map[plumbing.ObjectType]byte{plumbing.CommitObject: 1, plumbing.TreeObject: 2, plumbing.BlobObject: 3}

// packOf is a pack of forged objects, without those that are left out.
func (f *forge) packOf(leaveOut ...plumbing.Hash) []byte {
	var entries [][]byte
next:
	for _, h := range f.order {
		for _, out := range leaveOut {
			if h == out {
				continue next
			}
		}
		entries = append(entries, packEntry(packKinds[f.objects[h].kind], f.objects[h].data))
	}
	return finishPack(len(entries), entries...)
}

// bomb is a small pack whose second object is a delta that copies the first
// again and again.
func bomb() []byte {
	base := make([]byte, 1<<20)
	delta := binary.AppendUvarint(nil, 1<<20)
	delta = binary.AppendUvarint(delta, 2047<<20)
	for range 2047 * 16 {
		delta = append(delta, 0x80|0x40, 0x01) // copy 64 KiB from the start
	}
	first := packEntry(3, base)
	return finishPack(2, first, offsetDelta(len(first), delta))
}

// endless writes until the other side hangs up.
func endless(w io.Writer, piece []byte) {
	for {
		if _, err := w.Write(piece); err != nil {
			return
		}
	}
}

// Everything of the list of S3 and research that a server can send, refused
// with the error that says so and with nothing left on disk.
func TestHostileServer(t *testing.T) {
	f := &forge{}
	blob := f.blob("kind: head\n")
	tree := f.tree(entry{mode: modeFile, name: headFile, hash: blob})
	tip := f.commit(tree)
	other := (&forge{}).commit(plumbing.ZeroHash)
	noise := bytes.Repeat([]byte("\x01\x23\x45\x67"), 8<<10)
	for _, c := range []struct {
		name   string
		server hostile
		change func(*FetchOptions)
		option string // of the LimitError
		want   error  // or the cause
		what   string // or a word of the HostileError
	}{
		{name: "count of objects", option: "objects", server: hostile{pack: func(w io.Writer) { w.Write(packHeader(1<<32 - 1)) }}},
		{name: "delta bomb", option: "object", server: hostile{pack: func(w io.Writer) { w.Write(bomb()) }}},
		{name: "zero blob", option: "object", server: hostile{pack: func(w io.Writer) {
			w.Write(packHeader(1))
			w.Write(objectHeader(3, 1<<30))
			z := zlib.NewWriter(w)
			endless(limited(z, 64<<20), make([]byte, 1<<20)) // more does not have to be sent
			z.Close()
		}}},
		{name: "lying size", what: "longer or shorter", server: hostile{pack: func(w io.Writer) {
			w.Write(finishPack(1, append(objectHeader(3, 10), deflate(make([]byte, 3<<20))...)))
		}}},
		{name: "endless pack", option: "pack", server: hostile{pack: func(w io.Writer) { io.Copy(w, emptyPack()) }}},
		{name: "endless noise", what: "no known kind", server: hostile{pack: func(w io.Writer) {
			w.Write(packHeader(1000))
			endless(w, noise)
		}}},
		{name: "endless progress", option: "pack", server: hostile{answer: func(w http.ResponseWriter) {
			pktLine(w, "NAK\n")
			endless(band{w, 2}, noise)
		}}},
		{name: "endless acknowledgements", option: "pack", server: hostile{answer: func(w http.ResponseWriter) {
			endless(w, bytes.Repeat([]byte(fmt.Sprintf("0038ACK %040x common\n", 1))[:56], 100))
		}}},
		{name: "endless references", option: "advertisement", server: hostile{refs: func(w io.Writer) {
			pktLine(w, tip.String()+" HEAD\x00ofs-delta\n")
			for i := 0; ; i++ {
				var b bytes.Buffer
				pktLine(&b, fmt.Sprintf("%s refs/heads/%d\n", tip, i))
				if _, err := w.Write(b.Bytes()); err != nil {
					return
				}
			}
		}}},
		{
			name: "silence in the list", option: "idle", server: hostile{refs: func(w io.Writer) { hang(w) }},
			change: func(o *FetchOptions) { o.Limits.Idle = 50 * time.Millisecond },
		},
		{
			name: "silence in the pack", option: "idle", server: hostile{pack: func(w io.Writer) { w.Write(packHeader(1)); hang(w) }},
			change: func(o *FetchOptions) { o.Limits.Idle = 50 * time.Millisecond },
		},
		{name: "drip", option: "timeout", server: hostile{answer: func(w http.ResponseWriter) {
			pktLine(w, "NAK\n")
			drip(w)
		}}, change: func(o *FetchOptions) { o.Limits.Timeout = 200 * time.Millisecond }},
		{name: "without the commit", want: ErrIncomplete, server: hostile{pack: func(w io.Writer) { w.Write(f.packOf(tip)) }}},
		{name: "without a tree", want: ErrIncomplete, server: hostile{pack: func(w io.Writer) { w.Write(f.packOf(tree)) }}},
		{name: "without a file", want: ErrIncomplete, server: hostile{pack: func(w io.Writer) { w.Write(f.packOf(blob)) }}},
		{name: "empty pack", want: ErrIncomplete, server: hostile{pack: func(w io.Writer) { w.Write(finishPack(0)) }}},
		{name: "no pack", what: "no pack", server: hostile{pack: func(w io.Writer) { io.WriteString(w, "hello, this is no pack at all") }}},
		{name: "cut off", want: ErrIncomplete, server: hostile{pack: func(w io.Writer) { w.Write(f.packOf()[:40]) }}},
		{name: "nothing", want: ErrUnreachable, server: hostile{answer: func(w http.ResponseWriter) { pktLine(w, "NAK\n"); panic(http.ErrAbortHandler) }}},
		{name: "more after the pack", what: "follows", server: hostile{pack: func(w io.Writer) { w.Write(append(f.packOf(), "more"...)) }}},
		{name: "wrong sum", what: "of other bytes", server: hostile{pack: func(w io.Writer) {
			b := f.packOf()
			b[len(b)-1] ^= 1
			w.Write(b)
		}}},
		{name: "kind of no object", what: "no known kind", server: hostile{pack: func(w io.Writer) { w.Write(finishPack(1, packEntry(5, nil))) }}},
		{name: "delta on nothing", what: "no base", server: hostile{pack: func(w io.Writer) {
			w.Write(finishPack(1, offsetDelta(5, []byte{1, 1, 1, 'x'})))
		}}},
		{name: "chain of deltas", what: "no end", server: hostile{pack: func(w io.Writer) {
			entries := [][]byte{packEntry(3, []byte("x"))}
			for range maxDeltaDepth + 1 {
				last := entries[len(entries)-1]
				entries = append(entries, offsetDelta(len(last), []byte{1, 1, 0x90, 1}))
			}
			w.Write(finishPack(len(entries), entries...))
		}}},
		{name: "many large objects", option: "inflated", server: hostile{pack: func(w io.Writer) {
			e := packEntry(3, make([]byte, 4<<20))
			entries := make([][]byte, 200)
			for i := range entries {
				entries[i] = e
			}
			w.Write(finishPack(len(entries), entries...))
		}}},
		{name: "error in the band", server: hostile{answer: func(w http.ResponseWriter) {
			pktLine(w, "NAK\n")
			io.WriteString(band{w, 3}, "\x1b[31mno\n")
		}}},
		{name: "HTML", want: ErrNotRepository, server: hostile{refs: func(w io.Writer) { io.WriteString(w, "<html>log in first</html>") }}},
		{name: "odd branch", what: "name for a branch", server: hostile{refs: func(w io.Writer) {
			pktLine(w, tip.String()+" HEAD\x00ofs-delta symref=HEAD:refs/heads/../../config\n")
			pktLine(w, tip.String()+" refs/heads/../../config\n")
			io.WriteString(w, "0000")
		}}},
		{name: "no branch", want: ErrNoBranch, server: hostile{refs: func(w io.Writer) {
			pktLine(w, tip.String()+" refs/tags/v1\x00ofs-delta\n")
			io.WriteString(w, "0000")
		}}},
		{name: "commit that is none", server: hostile{tip: blob, pack: func(w io.Writer) { w.Write(f.packOf()) }}, want: ErrIncomplete},
		{name: "too many commits", option: "commits", server: longHistory(20), change: func(o *FetchOptions) { o.Limits.NewCommits = 19 }},
		{name: "commit of nothing", server: hostile{tip: other, pack: func(w io.Writer) {
			g := &forge{}
			g.commit(plumbing.ZeroHash)
			w.Write(g.packOf())
		}}, what: "cannot be read"},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := c.server
			if server.tip.IsZero() {
				server.tip = tip
			}
			s := openStore(t, filepath.Join(t.TempDir(), "store"))
			opt := typed(server.serve(t), "")
			// A busy machine is slow to make what the server sends: time is a limit only where a case
			// is about time.
			opt.Limits.Idle, opt.Limits.Timeout = 5*time.Minute, 5*time.Minute
			if c.change != nil {
				c.change(&opt)
			}
			_, err := s.Fetch(t.Context(), opt)
			var limit *LimitError
			var bad *HostileError
			switch {
			case err == nil:
				t.Error("it was accepted")
			case c.option != "":
				if !errors.As(err, &limit) || limit.Option != c.option || limit.Got <= limit.Limit {
					t.Errorf("got %v, want a LimitError of %s", err, c.option)
				}
			case c.want != nil:
				if !errors.Is(err, c.want) {
					t.Errorf("got %v, want %v", err, c.want)
				}
			case c.what != "":
				if !errors.As(err, &bad) || !strings.Contains(err.Error(), c.what) {
					t.Errorf("got %v, want a HostileError that says %q", err, c.what)
				}
			}
			if err != nil && strings.ContainsRune(err.Error(), '\x1b') {
				t.Errorf("the error draws on the terminal: %q", err)
			}
			noLeftovers(t, s)
			if size := diskUse(t, s.dir); size > 1<<20 {
				t.Errorf("%d bytes are left on the disk", size)
			}
		})
	}
}

// limited fails after so many bytes.
func limited(w io.Writer, n int64) io.Writer { return &limitedWriter{w, n} }

type limitedWriter struct {
	io.Writer
	left int64
}

func (l *limitedWriter) Write(p []byte) (int, error) {
	if l.left -= int64(len(p)); l.left < 0 {
		return 0, io.ErrShortWrite
	}
	return l.Writer.Write(p)
}

// hang sends what there is and then nothing until the other side goes.
func hang(w io.Writer) {
	if b, ok := w.(band); ok {
		w = b.Writer
	}
	r := w.(*reply)
	r.ResponseWriter.(http.Flusher).Flush()
	<-r.gone
}

// drip sends one letter of progress after another.
func drip(w http.ResponseWriter) {
	r := w.(*reply)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-r.gone:
			return
		case <-tick.C:
			io.WriteString(band{w, 2}, ".")
			r.ResponseWriter.(http.Flusher).Flush()
		}
	}
}

// longHistory serves a history of that many commits.
func longHistory(n int) hostile {
	f := &forge{}
	tree := f.tree()
	tip := f.commit(tree)
	for range n - 1 {
		tip = f.commit(tree, tip)
	}
	return hostile{tip: tip, pack: func(w io.Writer) { w.Write(f.packOf()) }}
}

func diskUse(t testing.TB, dir string) (size int64) {
	t.Helper()
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && !d.IsDir() {
			size += info.Size()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return size
}

// While a pack is being spooled no more than the limit is on the disk.
func TestHostileSpool(t *testing.T) {
	t.Parallel()
	var limit *LimitError
	l := DefaultLimits()
	l.PackBytes = 200_000
	dir := t.TempDir()
	if _, err := taken(t, dir, emptyPack(), l); !errors.As(err, &limit) || limit.Option != "pack" {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(dir, "objects", "pack", "spool")); err != nil || info.Size() > l.PackBytes || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
}

// emptyPack is a pack of one object, which is empty and never ends.
func emptyPack() io.Reader {
	return io.MultiReader(bytes.NewReader(append(append(packHeader(1), objectHeader(3, 0)...), 0x78, 0x01)), emptyBlocks{})
}

// emptyBlocks are stored blocks of deflate with nothing in them.
type emptyBlocks struct{}

func (emptyBlocks) Read(p []byte) (int, error) {
	return copy(p, bytes.Repeat([]byte{0, 0, 0, 0xff, 0xff}, len(p)/5+1)[:max(5, len(p)/5*5)]), nil
}

// A refused fetch leaves the accepted state as it was.
func TestHostileLeavesTheOldState(t *testing.T) {
	t.Parallel()
	repo := newRepo(t, trustFiles())
	s := openStore(t, filepath.Join(t.TempDir(), "store"))
	tip := fetch(t, s, repo, "")
	server := hostile{tip: (&forge{}).commit(plumbing.ZeroHash), pack: func(w io.Writer) { w.Write(bomb()) }}
	if _, err := s.Fetch(t.Context(), typed(server.serve(t), tip.Commit)); !errors.As(err, new(*LimitError)) {
		t.Fatal(err)
	}
	if ref, err := readRef(s.dir, incomingRef); ref.String() != tip.Commit || err != nil {
		t.Errorf("the reference is %s, %v", ref, err)
	}
	checkFiles(t, s, tip.Commit, trustFiles())
}

// https may not be left on the way, and another host gets no secret.
func TestHostileRedirects(t *testing.T) {
	t.Parallel()
	seen := make(chan string, 10)
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen <- r.Header.Get("Authorization")
	}))
	defer plain.Close()
	other := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen <- r.Header.Get("Authorization")
		http.NotFound(w, r)
	}))
	defer other.Close()
	for name, to := range map[string]string{"http": plain.URL, "another host": other.URL} {
		var asked int
		first := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if asked++; r.Header.Get("Authorization") == "" {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			http.Redirect(w, r, to+"/repo.git/info/refs?service=git-upload-pack", http.StatusFound)
		}))
		defer first.Close()
		s := openStore(t, filepath.Join(t.TempDir(), "store"))
		opt := typed(first.URL+"/repo.git", "")
		opt.Insecure = false
		opt.roots = first.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
		if _, err := s.Fetch(t.Context(), opt); !errors.Is(err, ErrAuth) || asked != 1 {
			t.Errorf("%s: without credentials: %v", name, err)
		}
		opt.Credentials = func(_ context.Context, url string) (string, string, error) {
			if url != first.URL+"/repo.git" {
				t.Errorf("credentials for %q", url)
			}
			return "alice", "secret", nil
		}
		_, err := s.Fetch(t.Context(), opt)
		if err == nil {
			t.Errorf("%s: accepted", name)
		}
		select {
		case auth := <-seen:
			if name == "http" || auth != "" {
				t.Errorf("%s got a request, with %q (%v)", name, auth, err)
			}
		default:
			if name != "http" {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}
