package subject_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/distributed-trust/distrust/records/subject"
	"github.com/distributed-trust/distrust/schema"
)

func TestFromFile(t *testing.T) {
	t.Parallel()
	sizes := []int{0, 1, 1 << 20, 1<<20 + 1, 3<<20 - 1}
	for _, size := range sizes {
		content := bytes.Repeat([]byte("distrust"), size/8+1)[:size]
		path := filepath.Join(t.TempDir(), "a file.tar.gz")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		var last int64
		got, err := subject.FromFile(t.Context(), path, subject.Options{SHA512: true, Progress: func(n int64) { last = n }})
		if err != nil {
			t.Fatal(err)
		}
		short, long := sha256.Sum256(content), sha512.Sum512(content)
		want := subject.Subject{
			Arg: path, Path: path, Name: "a file.tar.gz", Size: int64(size),
			Digest: schema.Digest{SHA256: hex.EncodeToString(short[:]), SHA512: hex.EncodeToString(long[:])},
		}
		if got != want {
			t.Errorf("size %d: got %+v, want %+v", size, got, want)
		}
		if last != int64(size) {
			t.Errorf("size %d: progress ended at %d", size, last)
		}
	}
}

func TestNameOf(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"a.tgz": "a.tgz", "/b/a.tgz": "a.tgz", "b/a.tgz.untrusted": "a.tgz", "a.untrusted.tgz": "a.untrusted.tgz", "b/.untrusted": ".untrusted",
	} {
		if got := subject.NameOf(filepath.FromSlash(path)); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

func TestFromReaderLeavesSHA512OutUnlessAsked(t *testing.T) {
	t.Parallel()
	got, err := subject.FromReader(t.Context(), iotest.OneByteReader(strings.NewReader("abc")), subject.Options{})
	if err != nil {
		t.Fatal(err)
	}
	const abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" // FIPS 180-2, B.1
	if got.Digest != (schema.Digest{SHA256: abc}) || got.Size != 3 || got.Name != "" || got.Path != "" {
		t.Errorf("got %+v", got)
	}
}

func TestTeeGetsEveryByte(t *testing.T) {
	t.Parallel()
	content := bytes.Repeat([]byte("distrust"), 1<<18)
	var seen bytes.Buffer
	if _, err := subject.FromReader(t.Context(), iotest.HalfReader(bytes.NewReader(content)), subject.Options{Tee: &seen}); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(seen.Bytes(), content) {
		t.Errorf("%d bytes of %d, or others", seen.Len(), len(content))
	}
	shut, w := io.Pipe()
	shut.Close()
	if _, err := subject.FromReader(t.Context(), bytes.NewReader(content), subject.Options{Tee: w}); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("a failing writer: %v", err)
	}
}

func TestReadingFails(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := subject.FromFile(t.Context(), dir, subject.Options{}); !errors.Is(err, subject.ErrDirectory) {
		t.Errorf("a folder: %v", err)
	}
	if _, err := subject.FromFile(t.Context(), filepath.Join(dir, "none"), subject.Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	broken := io.MultiReader(strings.NewReader("half"), iotest.ErrReader(io.ErrUnexpectedEOF))
	if _, err := subject.FromReader(t.Context(), broken, subject.Options{}); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a broken stream: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := subject.FromReader(ctx, strings.NewReader("x"), subject.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestFromDigest(t *testing.T) {
	t.Parallel()
	short, long := strings.Repeat("0a", 32), strings.Repeat("0b", 64)
	cases := []struct {
		arg    string
		digest schema.Digest
		isOne  bool
		fails  bool
	}{
		{"sha256:" + short, schema.Digest{SHA256: short}, true, false},
		{"sha256:" + strings.ToUpper(short), schema.Digest{SHA256: short}, true, false},
		{"sha512:" + long, schema.Digest{SHA512: long}, true, false},
		{"sha256:" + long, schema.Digest{}, true, true},
		{"sha256:xyz", schema.Digest{}, true, true},
		{"sha256:", schema.Digest{}, true, true},
		{"md5:" + short, schema.Digest{}, false, false},
		{"sha256", schema.Digest{}, false, false},
		{"./sha256:" + short, schema.Digest{}, false, false},
	}
	for _, c := range cases {
		got, isOne, err := subject.FromDigest(c.arg)
		if isOne != c.isOne || (err != nil) != c.fails || got.Digest != c.digest {
			t.Errorf("%q: got %+v, %v, %v", c.arg, got.Digest, isOne, err)
		}
		if err != nil && !errors.Is(err, subject.ErrDigest) {
			t.Errorf("%q: %v is no ErrDigest", c.arg, err)
		}
	}
}
