package gitstore

import (
	"bytes"
	"cmp"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
)

// packs reads the packs of one folder, as they were when it was opened.
type packs struct {
	names []string // of their indexes
	packs []*pack
}

// openPacks opens the packs below a git folder. One of them may be made, which may be nil.
func openPacks(gitDir string, made *fresh) (*packs, error) {
	names, err := indexNames(gitDir)
	if err != nil {
		return nil, err
	}
	p := &packs{names: names}
	for _, name := range names {
		pack, err := openPack(name, made)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("opening a pack: %w", err), p.Close())
		}
		p.packs = append(p.packs, pack)
	}
	return p, nil
}

// indexNames are the indexes of the packs below a git folder, in the order of their names. A pack is
// named by its sum, so the same names are the same packs.
func indexNames(gitDir string) ([]string, error) {
	return filepath.Glob(filepath.Join(gitDir, "objects", "pack", "pack-*.idx"))
}

func (p *packs) object(t plumbing.ObjectType, h plumbing.Hash, limit int64) (plumbing.ObjectType, []byte, error) {
	for _, pack := range p.packs {
		i, ok := pack.index.find(h)
		if !ok {
			continue
		}
		if kind, b, err := pack.object(t, i, limit); !errors.Is(err, ErrNotFound) {
			return kind, b, err
		}
	}
	return 0, nil, ErrNotFound
}

func (p *packs) has(h plumbing.Hash) bool {
	return slices.ContainsFunc(p.packs, func(pack *pack) bool {
		_, ok := pack.index.find(h)
		return ok
	})
}

// sum gives the sum and the size of a file that came with a pack which this process scanned.
func (p *packs) sum(h plumbing.Hash) (sum [sha256.Size]byte, size int64, ok bool) {
	for _, pack := range p.packs {
		if i, ok := pack.index.find(h); ok && pack.made != nil && pack.made.list[i].kind == packBlob {
			o := &pack.made.list[i]
			return o.sum, o.size, true
		}
	}
	return sum, 0, false
}

// Close gives back the open files, but for the spill of a pack that this process took,
// which is of whoever had it taken.
func (p *packs) Close() (err error) {
	for _, pack := range p.packs {
		err = errors.Join(err, pack.f.Close())
	}
	p.packs = nil
	return err
}

// pack reads one pack.
type pack struct {
	f      *os.File
	index  packIndex
	made   *fresh // nil: it lay there before
	reader packReader
	bases  recent
}

const (
	// basesKept is how many bytes of a pack's objects are kept for deltas on them.
	basesKept = 4 << 20

	// maxBase is the largest object that is read for a delta on it.
	maxBase = 32 << 20
)

// openPack opens a pack by the name of its index.
func openPack(name string, made *fresh) (*pack, error) {
	stem := strings.TrimSuffix(name, ".idx")
	p := &pack{bases: recent{most: basesKept}}
	var err error
	if made != nil && filepath.Base(made.base) == filepath.Base(stem) {
		p.index, p.made = made.index, made
	} else if p.index, err = readIndex(name); err != nil {
		return nil, err
	}
	if p.f, err = os.Open(stem + ".pack"); err != nil {
		return nil, err
	}
	p.reader.f = p.f
	return p, nil
}

// object reads an object by its number in the index, when it is of type t and at most limit long. Its bytes
// are not to be changed.
func (p *pack) object(t plumbing.ObjectType, i int, limit int64) (plumbing.ObjectType, []byte, error) {
	if p.made == nil || p.made.list[i].at == nowhere {
		return p.inflate(t, p.index.off(i), limit)
	}
	o := &p.made.list[i]
	if err := fits(t, int(o.kind), o.size, limit); err != nil {
		return 0, nil, err
	}
	b, err := p.made.spill.get(o.at, o.size)
	return plumbing.ObjectType(o.kind), b, err
}

// fits says whether an object is one that is wanted.
func fits(t plumbing.ObjectType, kind int, size, limit int64) error {
	switch {
	case t != plumbing.AnyObject && t != plumbing.ObjectType(kind):
		return ErrNotFound
	case size > limit:
		return tooLarge(limit, size)
	}
	return nil
}

// inflate reads the object that begins at a place of the pack.
func (p *pack) inflate(t plumbing.ObjectType, off, limit int64) (plumbing.ObjectType, []byte, error) {
	var o object
	var deltas []lying // on it, the last one first
	for largest := max(limit, maxBase); ; {
		var known bool
		if o, known = p.bases.objects[off]; known {
			break
		}
		l, err := p.reader.look(off, largest)
		if err != nil {
			return 0, nil, err
		}
		if l.kind < packOffset {
			if len(deltas) == 0 {
				err = fits(t, l.kind, l.size, limit)
			}
			if o.kind = plumbing.ObjectType(l.kind); err == nil {
				o.bytes, err = p.reader.inflate(l)
			}
			if err != nil {
				return 0, nil, err
			}
			if len(deltas) > 0 {
				p.bases.keep(off, o)
			}
			break
		}
		if deltas = append(deltas, l); len(deltas) > maxDeltaDepth {
			return 0, nil, errDamaged
		}
		if off, err = p.baseOf(l); err != nil {
			return 0, nil, err
		}
	}
	if err := fits(t, int(o.kind), 0, limit); err != nil {
		return 0, nil, err
	}
	return p.patch(o, deltas, limit)
}

// baseOf finds where the base of a delta begins.
func (p *pack) baseOf(delta lying) (int64, error) {
	if delta.kind == packOffset {
		return delta.off - delta.back, nil
	}
	i, ok := p.index.find(delta.base)
	if !ok {
		return 0, fmt.Errorf("%w: a delta has no base", errDamaged)
	}
	return p.index.off(i), nil
}

// patch applies deltas to an object, the last of them first.
func (p *pack) patch(o object, deltas []lying, limit int64) (plumbing.ObjectType, []byte, error) {
	for i, l := range slices.Backward(deltas) {
		delta, err := p.reader.inflate(l)
		if err != nil {
			return 0, nil, err
		}
		size, err := deltaResult(delta)
		if err != nil {
			return 0, nil, err
		}
		most := limit
		if i > 0 {
			most = max(limit, maxBase)
		}
		if size > most {
			return 0, nil, tooLarge(most, size)
		}
		if o.bytes, err = packfile.PatchDelta(o.bytes, delta); err != nil {
			return 0, nil, fmt.Errorf("%w: %w", errDamaged, err)
		}
		if i > 0 {
			p.bases.keep(l.off, o)
		}
	}
	if size := int64(len(o.bytes)); size > limit { // it was known
		return 0, nil, tooLarge(limit, size)
	}
	return o.kind, o.bytes, nil
}

// packIndex is git's index of a pack, version 2, as it lies on the disk.
type packIndex struct {
	b     []byte
	count int
}

const (
	indexMagic = "\xfftOc\x00\x00\x00\x02"
	indexIDs   = len(indexMagic) + 256*4 // where the ids begin
	idSize     = sha1.Size
	indexEach  = idSize + 4 + 4 // what it has for each object: id, checksum, place
	farOffset  = 1 << 31        // an offset from here on stands at the end, as eight bytes
)

// readIndex reads the index of a pack. One that is not as it was written is none.
func readIndex(name string) (packIndex, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return packIndex{}, err
	}
	end := len(b) - 2*idSize
	if end < indexIDs || string(b[:len(indexMagic)]) != indexMagic {
		return packIndex{}, fmt.Errorf("reading the index of a pack: %w", ErrUnsupported)
	}
	count := binary.BigEndian.Uint32(b[indexIDs-4:])
	if int64(count) > int64(end-indexIDs)/indexEach {
		return packIndex{}, fmt.Errorf("reading the index of a pack: %w", errDamaged)
	}
	x := packIndex{b: b, count: int(count)}
	if sum := sha1.Sum(b[:end+idSize]); !bytes.Equal(sum[:], b[end+idSize:]) || (end-x.far())%8 != 0 {
		return packIndex{}, fmt.Errorf("reading the index of a pack: %w", errDamaged)
	}
	for first := range 256 {
		if from, to := x.below(first), x.below(first+1); from < 0 || from > to {
			return packIndex{}, fmt.Errorf("reading the index of a pack: %w", errDamaged)
		}
	}
	return x, nil
}

// far is where the places begin that four bytes cannot tell.
func (x packIndex) far() int { return indexIDs + x.count*indexEach }

// below is how many ids have a first byte that is less.
func (x packIndex) below(first int) int {
	if first == 0 {
		return 0
	}
	return int(binary.BigEndian.Uint32(x.b[len(indexMagic)+4*(first-1):]))
}

func (x packIndex) id(i int) []byte { return x.b[indexIDs+i*idSize:][:idSize] }

// off is where an object begins in the pack, -1 when the index does not say.
func (x packIndex) off(i int) int64 {
	off := int64(binary.BigEndian.Uint32(x.b[indexIDs+x.count*(idSize+4)+4*i:]))
	if off < farOffset {
		return off
	}
	at := int64(x.far()) + 8*(off-farOffset)
	if at+8 > int64(len(x.b)-2*idSize) {
		return -1
	}
	return int64(binary.BigEndian.Uint64(x.b[at:]))
}

// find gives the number of an id in the order of ids.
func (x packIndex) find(h plumbing.Hash) (int, bool) {
	from, to := x.below(int(h[0])), x.below(int(h[0])+1)
	i := from + sort.Search(to-from, func(i int) bool { return bytes.Compare(x.id(from+i), h[:]) >= 0 })
	return i, i < to && bytes.Equal(x.id(i), h[:])
}

// list gives the objects as they lie in the pack.
func (x packIndex) list() []packed {
	list := make([]packed, 0, x.count)
	for i := range x.count {
		list = append(list, packed{off: x.off(i), hash: plumbing.Hash(x.id(i))})
	}
	slices.SortFunc(list, func(a, b packed) int { return cmp.Compare(a.off, b.off) })
	return list
}
