package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/distributed-trust/distrust/cli/config"
	"github.com/distributed-trust/distrust/cli/render"
	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/durable"
	"github.com/distributed-trust/distrust/records/source"
)

// folders are our four, and the home when it lies elsewhere.
func (d *doctor) folders() []string {
	dirs := d.m.dirs
	all := []string{dirs.Config, dirs.Data, dirs.State, dirs.Cache}
	if dir := d.m.defaultHome(); !strings.HasPrefix(dir, dirs.Data+string(filepath.Separator)) {
		all = append(all, dir)
	}
	return all
}

// eachFile visits every file and folder of ours. Links are not gone through, except where a folder
// of ours is one itself.
func (d *doctor) eachFile(do func(path string, entry fs.DirEntry)) error {
	var errs []error
	for _, top := range d.folders() {
		start := top
		if real, err := filepath.EvalSymlinks(top); err == nil {
			start = real
		}
		err := filepath.WalkDir(start, func(path string, entry fs.DirEntry, err error) error {
			switch {
			case errors.Is(err, fs.ErrNotExist):
				return nil // not made yet, or removed since its folder was read
			case err != nil:
				errs = append(errs, err)
				return nil
			}
			do(top+strings.TrimPrefix(path, start), entry)
			return nil
		})
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// permissions looks at who may write our files (C7).
func (d *doctor) permissions(check string) string {
	var group []string
	files := 0
	err := d.eachFile(func(path string, entry fs.DirEntry) {
		files++
		link := entry.Type()&fs.ModeSymlink != 0
		var open *config.PermissionError
		switch err := config.CheckPermissions(path); {
		case errors.As(err, &open):
			one := d.fault(check, path, err)
			// What a link leads to may be anything: whoever writes the home's remote can put one there.
			if !open.Foreign && !link {
				one.mend = func(context.Context) (string, error) { return d.shut(path) }
			}
		case err != nil:
			d.fault(check, path, err)
		case !link && config.GroupMayWrite(path):
			group = append(group, path)
		}
	})
	if err != nil {
		d.fault(check, "", err)
	}
	if len(group) > 0 {
		text := group[0] + " may be written by its group"
		if n := len(group) - 1; n > 0 {
			text += fmt.Sprintf(", and %s more", count(n, "file"))
		}
		chmod := append(render.Words("chmod", "g-w"), render.File(group[0], ""))
		if len(group) > 1 {
			chmod = append(render.Words("chmod", "-R", "g-w"), render.File(d.folderOf(group[0]), ""))
		}
		d.say(note, check, group[0], text, render.Hint{Text: "unless that is meant", Command: chmod})
		return ""
	}
	if files == 0 {
		return "nothing of ours is here yet"
	}
	return fmt.Sprintf("nobody else may write our %s", count(files, "file"))
}

// folderOf is the folder of ours that a file lies in.
func (d *doctor) folderOf(file string) string {
	for _, top := range d.folders() {
		if strings.HasPrefix(file, top) {
			return top
		}
	}
	return file
}

// shut takes from everybody else the right to write a file.
func (d *doctor) shut(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if err := os.Chmod(path, info.Mode()&^0o022); err != nil {
		return "", err
	}
	return "only you may write " + path + " now; everybody could: look at it", nil
}

// clock holds the clock of this machine to what was signed and written before now (F5.6).
func (d *doctor) clock(check string) string {
	latest := d.in.Env.Now().Add(records.MaxAhead)
	hint := hintf("set the clock, or find out whose was wrong")
	if d.home != nil {
		if issued := d.home.Head().Doc().Issued; issued.After(latest) {
			d.say(problem, check, "", "your own head is of "+issued.UTC().Format(time.RFC3339)+", which is ahead", hint)
		}
	}
	for _, pin := range d.pins {
		if doc, err := pin.Doc(); err == nil && doc.Issued.After(latest) {
			name := d.nameOf(pin.Log)
			d.say(problem, check, name, fmt.Sprintf("the head of %s is of %s, which is ahead", name, doc.Issued.UTC().Format(time.RFC3339)), hint)
		}
	}
	newest, at := "", latest
	err := d.eachFile(func(path string, entry fs.DirEntry) {
		if info, err := entry.Info(); err == nil && info.ModTime().After(at) {
			newest, at = path, info.ModTime()
		}
	})
	if err == nil && newest != "" { // what cannot be read is said by permissions
		d.say(note, check, newest, fmt.Sprintf("%s was written at %s, which is ahead", newest, at.UTC().Format(time.RFC3339)), hint)
		return ""
	}
	return "no head and no file of ours is of a later time"
}

// leftOvers looks for what killed programs leave behind. Files that are only locked while a program
// lives, as ours are, mean nothing and stay.
func (d *doctor) leftOvers(_ context.Context, check string) string {
	gitLocks := []string{"index.lock", "HEAD.lock", "config.lock", "packed-refs.lock"}
	err := d.eachFile(func(path string, entry fs.DirEntry) {
		name, parent := entry.Name(), filepath.Base(filepath.Dir(path))
		ref := strings.HasSuffix(name, ".lock") && strings.Contains(filepath.ToSlash(path), "/.git/refs/")
		switch {
		case durable.IsLeftOver(name) && entry.Type().IsRegular():
			d.say(note, check, path, path+" was left by a killed program", fixHint()).mend = func(context.Context) (string, error) {
				return "removed " + path, os.Remove(path)
			}
		case entry.IsDir() && source.IsLeftOver(d.m.sourceDirs(), path):
			d.say(note, check, path, path+" was left by a killed sync", fixHint()).mend = func(ctx context.Context) (string, error) {
				return "removed " + path, source.Sweep(ctx, d.m.sourceDirs())
			}
		case ref, parent == ".git" && slices.Contains(gitLocks, name):
			if b, err := os.ReadFile(path); err == nil && bytes.HasPrefix(b, []byte(`{"distrust":`)) {
				return // ours: the next command finishes what a killed one began
			}
			d.say(problem, check, path, path+" keeps everybody from writing your home", render.Hint{
				Text: "when no git is at work there", Command: append(render.Words("rm"), render.File(path, "")),
			})
		}
	})
	if err != nil {
		return "" // said by permissions
	}
	return "none"
}

func fixHint() render.Hint {
	return render.Hint{Command: render.Words("distrust", "doctor", "--"+fixFlagName)}
}
