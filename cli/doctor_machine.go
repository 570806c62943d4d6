package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/distributed-trust/distrust/cli/config"
	"github.com/distributed-trust/distrust/cli/render"
	"github.com/distributed-trust/distrust/records/home"
	"github.com/distributed-trust/distrust/records/index"
	"github.com/distributed-trust/distrust/records/source"
)

// doctor is one look over this machine. It reads whatever can be read, however bad the rest is.
type doctor struct {
	findings
	in *Invocation
	m  *machine

	unread   bool       // a file of settings cannot be read: whom the user follows is not known
	home     *home.Home // nil: homeErr says why
	homeErr  error
	index    *index.Generation // nil: indexErr says why
	indexErr error
	pins     []*source.Pin
	damaged  []*source.PinError
	pinsErr  error // the folder of pins cannot be read
}

// examineMachine runs every check of this machine. The error says that not even the folders are
// known.
func examineMachine(ctx context.Context, in *Invocation) (*doctor, error) {
	dirs, err := in.Env.Dirs()
	if err != nil {
		return nil, err
	}
	d := &doctor{in: in, m: &machine{env: in.Env, in: in, dirs: dirs}}
	defer d.close()
	d.check("permissions", d.permissions)
	d.check("settings", d.settings)
	d.open(ctx)
	d.check("clock", d.clock)
	for _, check := range []struct {
		name string
		run  func(ctx context.Context, name string) string
	}{
		{"key", d.key},
		{"home", d.ownHome},
		{"private", d.private},
		{"index", d.checkIndex},
		{"pins", d.readPins},
		{"sources", d.sources},
		{"journal", d.journal},
		{"alarms", d.alarms},
		{"left-overs", d.leftOvers},
	} {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		d.check(check.name, func(name string) string { return check.run(ctx, name) })
	}
	return d, nil
}

// fix mends what can be mended and looks again, since one fault can hide another. What was mended
// comes first in what is said.
func (d *doctor) fix(ctx context.Context) (*doctor, error) {
	const rounds = 3
	var done findings
	for range rounds {
		if !slices.ContainsFunc(d.findings, func(one finding) bool { return one.mend != nil }) {
			break
		}
		before := len(done)
		if err := d.locked(ctx, func() { d.mendAll(ctx, &done) }); err != nil {
			return nil, err
		}
		again, err := examineMachine(ctx, d.in)
		if err != nil {
			return nil, err
		}
		if d = again; len(done) == before {
			break
		}
	}
	d.findings = append(done, d.findings...)
	return d, nil
}

// mendAll mends what can be mended, and adds what was to done.
func (d *doctor) mendAll(ctx context.Context, done *findings) {
	for _, one := range d.findings {
		if one.mend == nil {
			continue
		}
		said, err := one.mend(ctx)
		if err != nil {
			d.in.Env.warn("%s could not be mended: %s", one.check, oneLine(err))
			continue
		}
		done.say(mended, one.check, one.where, said, render.Hint{})
	}
}

// locked keeps other writers away; the settings may be damaged.
func (d *doctor) locked(ctx context.Context, do func()) error {
	lock, err := config.LockWriters(ctx, d.m.dirs, lockWait)
	if err != nil {
		return err
	}
	d.in.locked = true
	do()
	d.in.locked = false
	return lock.Unlock()
}

// open opens what several checks look at. What cannot be opened is said by the check that is about
// it.
func (d *doctor) open(ctx context.Context) {
	d.home, d.homeErr = home.Open(ctx, d.m.defaultHome())
	d.index, d.indexErr = index.Open(d.m.indexDir())
	d.pins, d.damaged, d.pinsErr = source.Pins(d.m.sourceDirs())
}

func (d *doctor) close() {
	if d.home != nil {
		d.home.Close()
	}
	if d.index != nil {
		d.index.Close()
	}
}

// settings reads the files that the user writes, each alone: a fault in one hides none in another.
func (d *doctor) settings(check string) string {
	dirs := d.m.dirs
	var errs []error
	sources, err := config.LoadSources(dirs.SourcesFile())
	d.m.sources = sources
	errs = append(errs, err)
	d.m.config, _, err = config.Load(dirs) // which reads sources.yml, too, when config.yml is well
	errs = append(errs, err)
	d.m.chosen, err = config.LoadMachine(dirs)
	errs = append(errs, err)
	said := map[string]bool{}
	for _, err := range errs {
		d.unread = d.unread || err != nil
		var open *config.PermissionError
		if err == nil || errors.As(err, &open) || said[err.Error()] { // permissions have a check of their own
			continue
		}
		said[err.Error()] = true
		where := ""
		var file *config.FileError
		if errors.As(err, &file) {
			where = file.File
		}
		d.fault(check, where, err)
	}
	return fmt.Sprintf("config.yml and sources.yml can be read, %s followed", count(len(sources), "source"))
}
