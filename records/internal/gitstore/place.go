package gitstore

import (
	"cmp"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// From manyFiles files on a step writes them in atOnce rows: each file waits for the disk, and a disk
// is asked to keep many about as fast as one.
const manyFiles, atOnce = 256, 8

// placeAll brings the paths of a plan to what they are to be: first what goes, then files, and links
// last, so that none is in another's way and no file is ever written through a link, also not one of ours.
func (s *step) placeAll(root *folders, plan []pathChange, gentle bool) error {
	slices.SortFunc(plan, func(a, b pathChange) int {
		return cmp.Or(order(a.new)-order(b.new), strings.Compare(a.path, b.path))
	})
	files := slices.IndexFunc(plan, func(p pathChange) bool { return order(p.new) > 0 })
	links := slices.IndexFunc(plan, func(p pathChange) bool { return order(p.new) > 1 })
	if links < 0 {
		links = len(plan)
	}
	var failed atomic.Bool
	if files < 0 || links-files < manyFiles {
		return s.placeEach(root, plan, gentle, &failed)
	}
	err := s.placeEach(root, plan[:files], gentle, &failed)
	if err == nil {
		err = s.placeMany(root, plan[files:links], gentle, &failed)
	}
	if err == nil {
		err = s.placeEach(root, plan[links:], gentle, &failed)
	}
	return err
}

// placeEach places one path after the other until one fails, here or in another row.
func (s *step) placeEach(root *folders, plan []pathChange, gentle bool, failed *atomic.Bool) error {
	for _, p := range plan {
		if failed.Load() {
			return nil
		}
		if err := s.place(root, p, gentle); err != nil {
			failed.Store(true)
			return err
		}
		s.placed.Lock()
		s.between()
		s.placed.Unlock()
	}
	return nil
}

// placeMany places files in rows.
func (s *step) placeMany(root *folders, files []pathChange, gentle bool, failed *atomic.Bool) error {
	var rows sync.WaitGroup
	errs := make([]error, atOnce)
	for i := range errs {
		row := files[len(files)*i/atOnce : len(files)*(i+1)/atOnce]
		rows.Go(func() {
			own, err := root.again()
			if err == nil {
				err = s.placeEach(own, row, gentle, failed)
				own.close()
			}
			errs[i] = err
		})
	}
	rows.Wait()
	return errors.Join(errs...)
}

// order puts what is taken away first, so that a file can give way to a folder.
func order(e entry) int {
	switch e.mode {
	case "":
		return 0
	case modeSymlink:
		return 2
	}
	return 1
}

// place brings one path of the work tree to what it is to be; a gentle one leaves what the user
// changed meanwhile.
func (s *step) place(root *folders, p pathChange, gentle bool) error {
	if gentle {
		if is, err := s.hashFile(root, p.path); err != nil || is != p.old.unnamed() && is != p.new.unnamed() {
			return nil
		}
	} else if err := s.keep(root, p.path); err != nil {
		return err
	}
	switch p.new.mode {
	case "":
		return root.remove(p.path)
	case modeSubmodule:
		return root.mkdirAll(p.path)
	}
	text, err := s.Blob(p.new.hash.String(), maxMeta)
	if err != nil {
		return err
	}
	dir, base, err := root.make(p.path)
	if err != nil {
		return err
	}
	if info, err := dir.Lstat(base); err == nil && info.IsDir() {
		if err := dir.Remove(base); err != nil { // an empty one, or nothing is done
			return err
		}
	}
	if p.new.mode == modeSymlink {
		return link(dir, p.path, string(text))
	}
	mode := fs.FileMode(0o644)
	if p.new.mode == modeExecutable {
		mode = 0o755
	}
	return write(dir, base, text, mode)
}
