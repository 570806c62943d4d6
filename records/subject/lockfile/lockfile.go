// Package lockfile reads what a lock file pins: files of releases of projects, each by its digest.
//
// It reads what these programs write, and only where it names a SHA-256 or SHA-512 of the very file that they
// download: npm (package-lock.json and npm-shrinkwrap.json of lockfileVersion 2 and 3), yarn 1 (yarn.lock), cargo
// (Cargo.lock), pip (requirements.txt with hashes), poetry and uv (poetry.lock, uv.lock), bundler (CHECKSUMS of
// Gemfile.lock). What comes from git, from a folder or without such a digest is listed as skipped.
//
// A project is named by its registry's kind, whichever mirror the file comes from: of an own registry's package that
// is called like a public one, one hears too much rather than nothing. Nothing is fetched and nothing is executed. A
// file is a stranger's until somebody has read it: size, depth, entries and lengths are bounded, and what one
// reader could read in one way and another in another (a key that is there twice) is refused.
package lockfile

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/distributed-trust/distrust/schema"
)

// Bounds of what is read. A file beyond one of them is refused, never cut.
const (
	MaxBytes   = 64 << 20  // of a file
	MaxTOML    = 8 << 20   // of one in TOML, where a hostile one takes sixty times its size
	MaxEntries = 1_000_000 // pinned and skipped ones together
	maxString  = 4096      // bytes of a name, a version or an address
)

// Artifact is one file that a lock file pins.
type Artifact struct {
	Project string        // as records write it
	Version string        // as records write it; "" where the lock file has none, as for a bare address
	Name    string        // file name; "" when the lock file does not tell
	Digest  schema.Digest // one of them: of several, those that the installer believes are artifacts of their own
	Line    int           // where it stands, from 1
}

// Reason says why something that a lock file names is not among its artifacts.
type Reason string

// The reasons, as they complete "NAME is …".
const (
	NoDigest  Reason = "without a digest"
	Weak      Reason = "with no SHA-256 or SHA-512"
	FromGit   Reason = "from git"
	Local     Reason = "of this machine"
	Bundled   Reason = "inside another package"
	Elsewhere Reason = "in another file"
)

// Reasons lists them in the order in which they are told.
func Reasons() []Reason { return []Reason{NoDigest, Weak, FromGit, Local, Bundled, Elsewhere} }

// Skipped is something that a lock file names and that it does not pin by digest.
type Skipped struct {
	What   string // as the file has it: foreign text
	Reason Reason
	Line   int
}

// File is what a lock file says. Artifacts are in the order of the file, each once.
type File struct {
	Artifacts []Artifact
	Skipped   []Skipped
}

// Error says that a file is not what its name says, or goes beyond a bound.
type Error struct {
	File   string // base name
	Line   int    // from 1; 0 when it is about the whole
	Reason string
}

func (e *Error) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("reading lock file %s: %s", e.File, e.Reason)
	}
	return fmt.Sprintf("reading lock file %s: line %d: %s", e.File, e.Line, e.Reason)
}

// ErrUnsupported means that a lock file, or this version of it, has no digests of the files that are downloaded, or
// has them in a form that is not read.
var ErrUnsupported = errors.New("no digests that are read here")

// format reads one kind of lock file into c.
type format func(c *collector, b []byte) error

// find gives the format of a file called name. A nil format with a reason is a lock file that is known and not read.
func find(name string) (read format, why string) {
	switch name {
	case "package-lock.json", "npm-shrinkwrap.json":
		return readNPM, ""
	case "yarn.lock":
		return readYarn, ""
	case "Cargo.lock":
		return readCargo, ""
	case "poetry.lock":
		return readPoetry, ""
	case "uv.lock":
		return readUV, ""
	case "Gemfile.lock", "gems.locked":
		return readGemfile, ""
	case "go.sum":
		return nil, "its hashes are of the files in a module, not of an archive"
	case "composer.lock":
		return nil, "its digests are SHA-1"
	case "flake.lock":
		return nil, "its hashes are of unpacked trees, not of files"
	case "pnpm-lock.yaml", "bun.lock", "Pipfile.lock", "pylock.toml", "pdm.lock":
		return nil, "this format is not read"
	}
	if ok, _ := filepath.Match("*requirements*.txt", name); ok {
		return readRequirements, ""
	}
	return nil, ""
}

// Known says whether a file is called as a lock file is, also one that [Read] refuses with [ErrUnsupported].
func Known(path string) bool {
	read, why := find(filepath.Base(path))
	return read != nil || why != ""
}

// Read reads a lock file that is called as the last element of path. It fails with an [*Error] when it is none,
// and with [ErrUnsupported].
func Read(r io.Reader, path string) (*File, error) {
	name := filepath.Base(path)
	read, why := find(name)
	if read == nil {
		if why == "" {
			why = "it is called like no lock file that is known"
		}
		return nil, fmt.Errorf("reading lock file %s: %w: %s", name, ErrUnsupported, why)
	}
	b, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("reading lock file %s: %w", name, err)
	}
	c := &collector{name: name, seen: map[Artifact]bool{}}
	switch {
	case len(b) > MaxBytes:
		return nil, c.refuse(0, "more than %d MiB", MaxBytes>>20)
	case !utf8.Valid(b):
		return nil, c.refuse(0, "not UTF-8")
	}
	if err := read(c, b); err != nil {
		return nil, err
	}
	return &c.file, nil
}

// unsupported refuses a version of a format that is not read.
func (c *collector) unsupported(format string, args ...any) error {
	return fmt.Errorf("reading lock file %s: %w: %s", c.name, ErrUnsupported, fmt.Sprintf(format, args...))
}

// collector gathers what a file says, within the bounds.
type collector struct {
	name string
	file File
	seen map[Artifact]bool // without their lines

	// The release that was spelled last: a lock file names the files of one together.
	kind, project, version string
	spelled                [2]string
}

func (c *collector) refuse(line int, format string, args ...any) error {
	return &Error{File: c.name, Line: line, Reason: fmt.Sprintf(format, args...)}
}

// pin adds the files of a release: one for each digest that the installer takes. version may be "".
func (c *collector) pin(line int, kind, project, version, file string, digests ...schema.Digest) error {
	release, err := c.release(line, kind, project, version)
	if err != nil {
		return err
	}
	if schema.ValidText(file) != nil || len(file) > maxString {
		file = ""
	}
	for _, d := range digests {
		a := Artifact{Project: release[0], Version: release[1], Name: file, Digest: d}
		if c.seen[a] {
			continue
		}
		if err := c.room(line); err != nil {
			return err
		}
		c.seen[a] = true
		a.Line = line
		c.file.Artifacts = append(c.file.Artifacts, a)
	}
	return nil
}

// skip lists something as not pinned.
func (c *collector) skip(line int, what string, why Reason) error {
	if err := c.room(line); err != nil {
		return err
	}
	c.file.Skipped = append(c.file.Skipped, Skipped{What: what[:min(len(what), maxString)], Reason: why, Line: line})
	return nil
}

func (c *collector) room(line int) error {
	if len(c.file.Artifacts)+len(c.file.Skipped) == MaxEntries {
		return c.refuse(line, "more than %d entries", MaxEntries)
	}
	return nil
}

// plain spells what a lock file has as it is typed behind a kind of packages: nothing in a name is a version.
var plain = strings.NewReplacer("%", "%25", "@", "%40", "?", "%3F", "#", "%23", "*", "%2A")

// release spells a project and a version as records do (F2).
func (c *collector) release(line int, kind, project, version string) ([2]string, error) {
	if c.kind == kind && c.project == project && c.version == version && project != "" {
		return c.spelled, nil
	}
	if len(project) > maxString || len(version) > maxString {
		return [2]string{}, c.refuse(line, "a name or version of more than %d bytes", maxString)
	}
	typed := kind + ":" + plain.Replace(project)
	if version != "" {
		typed += "@" + plain.Replace(version)
	}
	name, number, err := schema.NormalizeProject(typed)
	if err != nil {
		return [2]string{}, c.refuse(line, "%v", err)
	}
	c.kind, c.project, c.version, c.spelled = kind, project, version, [2]string{name, number}
	return c.spelled, nil
}
