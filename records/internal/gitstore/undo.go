package gitstore

import (
	"errors"
	"io/fs"
	"slices"
)

// keptFile is what a path of the work tree held before a step changed it.
type keptFile struct {
	path string
	mode string // "": there was no file
	text []byte // of a symbolic link: where it leads
}

// keep remembers what a path holds.
func (s *step) keep(root *folders, name string) error {
	k := keptFile{path: name}
	dir, base, err := root.of(name)
	var info fs.FileInfo
	if err == nil {
		info, err = dir.Lstat(base)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist) || err == nil && info.IsDir():
	case err != nil:
		return err
	case info.Mode()&fs.ModeSymlink != 0:
		to, err := dir.Readlink(base)
		if err != nil {
			return err
		}
		k.mode, k.text = modeSymlink, []byte(to)
	default:
		if k.text, err = dir.ReadFile(base); err != nil {
			return err
		}
		k.mode = modeFile
		if info.Mode()&0o100 != 0 {
			k.mode = modeExecutable
		}
	}
	s.placed.Lock()
	defer s.placed.Unlock()
	s.kept = append(s.kept, k)
	return nil
}

// undo takes back a step that failed on the way, such as on a full disk: no file of a commit that
// was never made may lie in the work tree, where it would be taken for something that came by hand. Where
// the branch has moved already the commit is made, and where taking back fails too, that is left
// to whoever takes the lock next, as after a kill.
func (s *step) undo(root *folders, m move) error {
	now, err := readRef(s.common, m.Branch)
	if err != nil || now.String() == m.New {
		s.lock.leave = true
		return err
	}
	back := m // from where the step was going to, to where it began
	back.Old, back.New = m.New, m.Old
	err = s.lock.declare(back)
	for _, k := range slices.Backward(s.kept) {
		err = errors.Join(err, s.restore(root, k))
	}
	s.lock.leave = err != nil
	return err
}

// restore brings a path of the work tree to what it held before.
func (s *step) restore(root *folders, k keptFile) error {
	if k.mode == "" {
		return root.remove(k.path)
	}
	dir, base, err := root.make(k.path)
	switch {
	case err != nil:
		return err
	case k.mode == modeSymlink:
		return link(dir, k.path, string(k.text))
	case k.mode == modeExecutable:
		return write(dir, base, k.text, 0o755)
	}
	return write(dir, base, k.text, 0o644)
}
