// Package subject turns what a person names on the command line - a file, standard input or a
// digest - into what records speak about: a digest set, a size and a name.
//
// A file is read once, from its first byte to its last, in blocks of 1 MiB; memory does not
// grow with it. SHA-512 is computed only when asked for, since most records name SHA-256 alone
// (docs/architecture.md, "check").
package subject

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/distributed-trust/distrust/schema"
)

// Subject is one thing that can be asked about or spoken about.
type Subject struct {
	Arg    string // as it was named: a path, "-", or "sha256:…"
	Path   string // absolute path of a file; "" for standard input and bare digests
	Name   string // as NameOf says; "" when there is none
	Size   int64  // bytes; -1 when only a digest is known
	Digest schema.Digest
}

// Options say how to read.
type Options struct {
	SHA512   bool             // also compute SHA-512
	Tee      io.Writer        // gets every byte too, in order, in the same pass; may be nil
	Progress func(read int64) // called with the bytes read so far; may be nil
}

// ErrDirectory means that a folder was named where a file is needed.
var ErrDirectory = errors.New("is a directory")

// ErrDigest means that an argument has the form of a digest but is none.
var ErrDigest = errors.New("not a digest")

// Untrusted ends the name under which a refused download is kept.
const Untrusted = ".untrusted"

// NameOf is what the file at path is called: the last element, and of a download that was refused and
// kept the name that it would have had. What is said about it, signatures and lists know it by that.
func NameOf(path string) string {
	base := filepath.Base(path)
	if name, kept := strings.CutSuffix(base, Untrusted); kept && name != "" {
		return name
	}
	return base
}

const blockSize = 1 << 20

// smallBlock is what is read first: most files are not longer, and who reads very many of them does not want to
// clear a large block for each.
const smallBlock = 32 << 10

// FromFile reads the file at path. Pipes and devices are read to their end like files.
func FromFile(ctx context.Context, path string, opts Options) (Subject, error) {
	file, err := os.Open(path)
	if err != nil {
		return Subject{}, err
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil {
		return Subject{}, err
	} else if info.IsDir() {
		return Subject{}, fmt.Errorf("reading %s: %w", path, ErrDirectory)
	}
	s, err := FromReader(ctx, file, opts)
	if err != nil {
		return Subject{}, fmt.Errorf("reading %s: %w", path, err)
	}
	s.Arg, s.Name = path, NameOf(path)
	if s.Path, err = filepath.Abs(path); err != nil {
		return Subject{}, fmt.Errorf("reading %s: %w", path, err)
	}
	return s, nil
}

// FromReader reads r to its end. The subject has no name.
func FromReader(ctx context.Context, r io.Reader, opts Options) (Subject, error) {
	short, long := sha256.New(), hash.Hash(nil)
	if opts.SHA512 {
		long = sha512.New()
	}
	s := Subject{Arg: "-"}
	block := make([]byte, smallBlock)
	for {
		if err := ctx.Err(); err != nil {
			return Subject{}, err
		}
		n, err := r.Read(block)
		short.Write(block[:n])
		if long != nil {
			long.Write(block[:n])
		}
		if opts.Tee != nil {
			if _, err := opts.Tee.Write(block[:n]); err != nil {
				return Subject{}, err
			}
		}
		s.Size += int64(n)
		if opts.Progress != nil {
			opts.Progress(s.Size)
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Subject{}, err
		}
		if n == len(block) && n == smallBlock { // there may be much more
			block = make([]byte, blockSize)
		}
	}
	s.Digest.SHA256 = hex.EncodeToString(short.Sum(nil))
	if long != nil {
		s.Digest.SHA512 = hex.EncodeToString(long.Sum(nil))
	}
	return s, nil
}

// FromDigest reads "sha256:HEX" or "sha512:HEX", upper or lower case. The second result is
// false when arg does not have that form and should be taken as a path.
func FromDigest(arg string) (Subject, bool, error) {
	name, value, found := strings.Cut(arg, ":")
	size := map[string]int{"sha256": sha256.Size, "sha512": sha512.Size}[name]
	if !found || size == 0 {
		return Subject{}, false, nil
	}
	value = strings.ToLower(value)
	if raw, err := hex.DecodeString(value); err != nil || len(raw) != size {
		return Subject{}, true, fmt.Errorf("%w: %s takes %d hexadecimal digits, got %d characters", ErrDigest, name, 2*size, len(value))
	}
	s := Subject{Arg: arg, Size: -1}
	if name == "sha256" {
		s.Digest.SHA256 = value
	} else {
		s.Digest.SHA512 = value
	}
	return s, true, nil
}
