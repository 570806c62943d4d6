package index

import (
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/distributed-trust/distrust/records/durable"
	"github.com/distributed-trust/distrust/records/index/internal/store"
)

const (
	currentName      = "index"
	generationPrefix = "index-"
	ownWord          = "own"
)

// generationFile is one file of a generation, and how long it is.
type generationFile struct {
	number uint64
	size   int64
}

func (f generationFile) name() string { return generationPrefix + strconv.FormatUint(f.number, 10) }

func (f generationFile) text() string { return f.name() + " " + strconv.FormatInt(f.size, 10) }

// current is what the file of that name says: which generation is in force. It has the number of its
// file, which may lie upon another. The text is "index-<n> <size>", where there is another the same of
// that, "own <log>..." where there are such, and the CRC-32C of it all (8 hex) and LF.
type current struct {
	generationFile
	below generationFile // zero: there is none
	own   string         // Config.Own, with blanks between: where cache and home are gone nothing else knows whose word was the user's
}

// files are those of the generation, the upper one first.
func (c current) files() []generationFile {
	if c.below == (generationFile{}) {
		return []generationFile{c.generationFile}
	}
	return []generationFile{c.generationFile, c.below}
}

func (c current) text() string {
	var s string
	for _, f := range c.files() {
		s += f.text() + " "
	}
	if c.own != "" {
		s += ownWord + " " + c.own + " "
	}
	return fmt.Sprintf("%s%08x\n", s, crc32.Checksum([]byte(s), crc32.MakeTable(crc32.Castagnoli)))
}

func parseCurrent(text string) (current, error) {
	var files [2]generationFile
	words := strings.Fields(text)
	named := words[:max(len(words)-1, 0)] // the last one is the sum
	var own []string
	if i := slices.Index(named, ownWord); i >= 0 {
		named, own = named[:i], named[i+1:]
	}
	ok := len(named) == 2 || len(named) == 4
	for i := 0; ok && i < len(named); i += 2 {
		f := &files[i/2]
		var err error
		f.number, ok = generationNumber(named[i])
		f.size, err = strconv.ParseInt(named[i+1], 10, 64)
		ok = ok && err == nil
	}
	for _, log := range own {
		ok = ok && store.CheckLog(log) == nil
	}
	c := current{files[0], files[1], strings.Join(own, " ")}
	if !ok || c.text() != text {
		return current{}, errors.New("it does not name a generation")
	}
	return c, nil
}

// generationNumber reads the number out of a generation's file name.
func generationNumber(name string) (uint64, bool) {
	digits, ok := strings.CutPrefix(name, generationPrefix)
	n, err := strconv.ParseUint(digits, 10, 64)
	return n, ok && err == nil && strconv.FormatUint(n, 10) == digits
}

// readCurrent reads which generation is in force. Without one it is ErrNone where no store lies
// either, and damage where one does: its reports must not go unheard.
func (d Dir) readCurrent() (current, error) {
	path := d.currentPath()
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		stores, err := d.listStores()
		if err != nil {
			return current{}, err
		}
		if len(stores) == 0 {
			return current{}, ErrNone
		}
		return current{}, &DamageError{Path: path, Err: errors.New("it is missing, record stores are there")}
	case err != nil:
		return current{}, fmt.Errorf("reading index: %w", err)
	}
	c, err := parseCurrent(string(text))
	if err != nil {
		return current{}, &DamageError{Path: path, Err: err}
	}
	return c, nil
}

// currentPath is where that file lies: beside the stores, so that a cache of former times which comes
// back, from a backup perhaps, is never taken for what the stores hold now.
func (d Dir) currentPath() string { return filepath.Join(d.Data, currentName) }

// writeCurrent puts a generation in force.
func (d Dir) writeCurrent(c current, before durable.Steps) error {
	return before.WriteFile(d.currentPath(), []byte(c.text()), 0o600)
}

// generations lists the numbers of the generation files that lie there, in force or not.
func (d Dir) generations() ([]uint64, error) {
	entries, err := os.ReadDir(d.Cache)
	if err != nil {
		return nil, fmt.Errorf("listing index generations: %w", err)
	}
	var numbers []uint64
	for _, e := range entries {
		if n, ok := generationNumber(e.Name()); ok {
			numbers = append(numbers, n)
		}
	}
	return numbers, nil
}

// sources is where the record stores lie.
func (d Dir) sources() string { return filepath.Join(d.Data, "sources") }

// storePath is where a store lies.
func (d Dir) storePath(log string, number uint32) string {
	return filepath.Join(d.sources(), store.Name(log, number))
}

// storeFile is one of the files in the folder of stores.
type storeFile struct {
	log    string
	number uint32
}

// listStores lists the stores, in the order of their names; none when the folder is missing.
func (d Dir) listStores() ([]storeFile, error) {
	entries, err := os.ReadDir(d.sources())
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("listing record stores: %w", err)
	}
	var stores []storeFile
	for _, e := range entries {
		if log, number, ok := store.ParseName(e.Name()); ok && e.Type().IsRegular() {
			stores = append(stores, storeFile{log, number})
		}
	}
	return stores, nil
}

// storeDamage blames a store; what the system refuses for want of permission is no damage.
func storeDamage(d Dir, log string, number uint32, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, os.ErrPermission) {
		return fmt.Errorf("reading record store of %s: %w", log, err)
	}
	return &DamageError{Path: d.storePath(log, number), Log: log, Err: err}
}
