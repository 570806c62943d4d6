package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/distributed-trust/distrust/cli/render"
	"github.com/distributed-trust/distrust/cli/terminal"
	"github.com/distributed-trust/distrust/records/journal"
	"github.com/distributed-trust/distrust/records/subject"
	"github.com/distributed-trust/distrust/records/subject/lockfile"
	"github.com/distributed-trust/distrust/schema"
)

// readPins reads the lock file at path.
func readPins(path string) (*lockfile.File, error) {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, err
	}
	file, err := foundFile{shown: path, real: real}.open()
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return lockfile.Read(file, path)
}

// pin is what makes something that a lock file names the same as before.
type pin struct {
	digest           schema.Digest
	project, version string
}

// pins are those of a lock file.
type pins map[pin]bool

func pinOf(e journal.Entry) pin { return pin{e.Digest, e.Project, e.Version} }

func pinsOf(f *lockfile.File) pins {
	all := pins{}
	for _, a := range f.Artifacts {
		all[pin{a.Digest, a.Project, a.Version}] = true
	}
	return all
}

// addPins puts everything that a lock file pins under watch. The bytes of the lock file itself are not watched:
// nobody runs them, and they change with every update.
func (a *adding) addPins(ctx context.Context, operand, top string) error {
	before := a.pinned[top]
	f, err := readPins(top)
	if errors.Is(err, fs.ErrNotExist) && len(before) > 0 {
		f, err = &lockfile.File{}, nil // all of it is no longer pinned
	}
	switch {
	case err != nil:
		return fmt.Errorf("watching %s: %w", operand, err)
	case len(f.Artifacts) == 0 && len(f.Skipped) > 0:
		return fmt.Errorf("watching %s: %w: %s", operand, lockfile.ErrUnsupported, skippedOf(f))
	}
	known := pins{}
	for _, e := range before {
		known[pinOf(e)] = true
	}
	fresh := slices.DeleteFunc(slices.Clone(f.Artifacts), func(x lockfile.Artifact) bool { return known[pin{x.Digest, x.Project, x.Version}] })
	if err := a.notePins(ctx, operand, top, fresh); err != nil {
		return err
	}
	var dropped []journal.Entry
	now := pinsOf(f)
	for _, e := range before {
		if !now[pinOf(e)] {
			dropped = append(dropped, e)
		}
	}
	a.tellPins(operand, f, fresh, dropped, len(before) > 0)
	return nil
}

// pinsAtOnce is how many entries are written while others that would write the journal anew wait.
const pinsAtOnce = 500

// notePins writes artifacts into the journal.
func (a *adding) notePins(ctx context.Context, operand, top string, artifacts []lockfile.Artifact) error {
	env := a.in.Env
	progress := terminal.NewProgress(env.Stderr, env.IsTerminal(env.Stderr) && !a.in.Bool(quietFlagName))
	defer progress.Close()
	bar := progress.Bar(render.Cut(render.Escape(operand), 30), int64(len(artifacts)), terminal.Count)
	for some := range slices.Chunk(artifacts, pinsAtOnce) {
		entries := make([]journal.Entry, 0, len(some))
		for _, x := range some {
			e, err := a.entry(subject.Subject{Name: x.Name, Path: top, Size: -1, Digest: x.Digest}, x.Project, x.Version)
			if err != nil {
				return err
			}
			e.Pinned = true
			entries = append(entries, e)
		}
		if err := journal.Append(ctx, a.file, entries...); err != nil {
			return err
		}
		a.pinned[top] = append(a.pinned[top], entries...)
		bar.Add(int64(len(some)))
	}
	return nil
}

// tellPins says how much is watched, what is new, what is no longer pinned, and what a lock file names without
// pinning it.
func (a *adding) tellPins(operand string, f *lockfile.File, fresh []lockfile.Artifact, dropped []journal.Entry, again bool) {
	env := a.in.Env
	if a.in.Bool(quietFlagName) {
		return
	}
	if again {
		for _, x := range fresh {
			fmt.Fprintf(env.Stdout, "new  %s\n", pinName(x.Name, x.Project, x.Version))
		}
		for _, e := range dropped {
			fmt.Fprintf(env.Stdout, "no longer pinned  %s\n", pinName(e.Name, e.Project, e.Version))
		}
	}
	var parts []string
	if len(fresh) > 0 {
		parts = append(parts, fmt.Sprintf("%d new", len(fresh)))
	}
	if len(dropped) > 0 {
		parts = append(parts, fmt.Sprintf("%d no longer pinned", len(dropped)))
	}
	fmt.Fprintf(env.Stdout, "watching  %s  %s that it pins  %s\n", render.Escape(operand), count(len(f.Artifacts), "file"),
		nameOr(strings.Join(parts, ", "), "nothing changed"))
	if skipped := skippedOf(f); skipped != "" {
		env.say("not watched of " + operand + ": " + skipped)
	}
	if len(dropped) > 0 {
		env.say("what is no longer pinned stays watched; to let it go: distrust journal forget ID")
	}
}

// pinName is one pinned file on the screen.
func pinName(name, project, version string) string {
	release := render.Release(project, version)
	if name == "" {
		return release
	}
	return release + "  " + render.Escape(name)
}

// skippedOf counts what a lock file names and does not pin; "" when there is none.
func skippedOf(f *lockfile.File) string {
	counts := map[lockfile.Reason]int{}
	for _, s := range f.Skipped {
		counts[s.Reason]++
	}
	var parts []string
	for _, why := range lockfile.Reasons() {
		if n := counts[why]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, why))
		}
	}
	return strings.Join(parts, ", ")
}

// pin says whether the lock file at path still pins something.
func (l *lookAround) pin(path string, e journal.Entry) render.Bytes {
	if _, read := l.pins[path]; !read {
		all, err := l.read(path)
		if errors.Is(err, fs.ErrNotExist) {
			all = pins{}
		}
		if l.pins == nil {
			l.pins = map[string]pins{}
		}
		l.pins[path] = all
	}
	switch {
	case l.pins[path] == nil:
		return render.NotRead
	case l.pins[path][pinOf(e)]:
		return render.Pinned
	}
	return render.NotPinned
}

// read reads a lock file, unless enough was read.
func (l *lookAround) read(path string) (pins, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > l.left {
		return nil, errTooMuch
	}
	l.left -= info.Size()
	f, err := readPins(path)
	if err != nil {
		return nil, err
	}
	return pinsOf(f), nil
}

// errTooMuch means that more would have to be read than an answer may wait for.
var errTooMuch = errors.New("too much to read")
