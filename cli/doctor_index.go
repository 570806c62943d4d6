package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/distributed-trust/distrust/cli/config"
	"github.com/distributed-trust/distrust/cli/render"
	"github.com/distributed-trust/distrust/records/index"
	"github.com/distributed-trust/distrust/records/journal"
	"github.com/distributed-trust/distrust/records/source"
)

// checkIndex looks over the index. While the settings cannot be read it is not made again: what it was
// made from would be nobody followed.
func (d *doctor) checkIndex(ctx context.Context, check string) string {
	before := len(d.findings)
	summary := d.readIndex(ctx, check)
	if d.unread {
		for i := range d.findings[before:] {
			d.findings[before+i].mend = nil
		}
	}
	return summary
}

// readIndex opens every record of every log in the index, and holds it to the home and the settings.
func (d *doctor) readIndex(ctx context.Context, check string) string {
	var damage *index.DamageError
	switch {
	case errors.Is(d.indexErr, index.ErrNone):
		return "none yet; it is made with the first record or source"
	case errors.As(d.indexErr, &damage) && damage.Log == "":
		one := d.fault(check, damage.Path, d.indexErr)
		one.next, one.mend = fixHint(), d.rebuild
		return ""
	case d.indexErr != nil:
		d.fault(check, "", d.indexErr)
		return ""
	}
	infos, err := d.index.Logs()
	if err != nil {
		d.fault(check, "", err).mend = d.rebuild
		return ""
	}
	all := 0
	for _, info := range infos {
		err := d.index.Each(info.Log, func(index.Entry) error {
			all++
			return ctx.Err()
		})
		if err != nil {
			d.lostRecords(check, info, err)
		}
	}
	d.staleIndex(check)
	return fmt.Sprintf("%s of %s, every signature good", count(all, "record"), count(len(infos), "log"))
}

// lostRecords says that a record store cannot be read. The user's own is made again from the home;
// a source has to be fetched.
func (d *doctor) lostRecords(check string, info index.LogInfo, err error) {
	one := d.fault(check, d.nameOf(info.Log), err)
	var damage *index.DamageError
	if !errors.As(err, &damage) {
		return
	}
	one.where, one.text = damage.Path, fmt.Sprintf("the records of %s cannot be read: %v", d.nameOf(info.Log), damage.Err)
	if d.isOwn(info) {
		one.next, one.mend = fixHint(), d.takeOwn
	}
}

// isOwn says whether a log of the index is the user's: that of the home, or one without heads.
func (d *doctor) isOwn(info index.LogInfo) bool {
	return info.HeadID == "" || d.home != nil && d.home.LogID() == info.Log
}

// nameOf is what the user calls a log.
func (d *doctor) nameOf(log string) string {
	for _, s := range d.m.sources {
		if s.Log == log {
			return s.Name
		}
	}
	if d.home != nil && d.home.LogID() == log {
		return "your home"
	}
	return "log " + shortDigits(log)
}

// staleIndex says where the index is behind the home or the settings.
func (d *doctor) staleIndex(check string) {
	if d.home != nil {
		info, _, err := d.index.Log(d.home.LogID())
		if err == nil && info.HeadID != d.home.Head().ID() {
			d.say(problem, check, "", "it does not hold the newest head of your home", fixHint()).mend = d.takeOwn
		}
	}
	stored, err := d.index.Config()
	if err != nil {
		d.fault(check, "", err).mend = d.rebuild
		return
	}
	if stamp, err := config.Stamp(d.m.dirs); err == nil && stamp != stored.Stamp && !d.unread {
		d.say(note, check, "", "your settings are newer: every check reads them anew", fixHint()).mend = d.takeOwn
	}
}

// rebuild makes the index again from the record stores.
func (d *doctor) rebuild(ctx context.Context) (string, error) {
	rebuilt, err := index.Rebuild(ctx, d.m.indexDir(), index.Config{})
	if err == nil {
		err = d.m.applyOwn(ctx)
	}
	return fmt.Sprintf("made again: %s of %s", count(rebuilt.Records, "record"), count(rebuilt.Logs, "log")), err
}

// takeOwn brings the user's own records and settings into the index.
func (d *doctor) takeOwn(ctx context.Context) (string, error) {
	return "your own records and settings are in it again", d.m.applyOwn(ctx)
}

// readPins holds what this machine accepted to the index and to sources.yml.
func (d *doctor) readPins(_ context.Context, check string) string {
	if d.pinsErr != nil {
		d.fault(check, "", d.pinsErr)
	}
	for _, damage := range d.damaged {
		name := d.nameOf(damage.Log)
		one := d.fault(check, damage.File, damage)
		one.text = fmt.Sprintf("the pin of %s is damaged: what was accepted of it is not known any more", name)
		if slices.ContainsFunc(d.m.sources, func(s config.Source) bool { return s.Name == name }) {
			one.next = damagedPin(name)
		}
	}
	listed := map[string]bool{}
	for _, s := range d.m.sources {
		listed[s.Log] = true
	}
	n := 0
	for _, pin := range d.pins {
		if pin.Tombstone() {
			continue
		}
		n++
		if !pin.Delegated && !listed[pin.Log] && !d.unread {
			d.say(note, check, pin.Name, pin.Name+" was followed here, and sources.yml has no entry for it",
				hintf("follow it again, or leave it: its pin only guards against going back"))
			continue
		}
		d.pinnedRecords(check, pin)
	}
	return fmt.Sprintf("%s, and the index holds what they accepted", count(n, "pin"))
}

// pinnedRecords says that the index does not hold what was accepted of a source.
func (d *doctor) pinnedRecords(check string, pin *source.Pin) {
	if d.indexErr != nil && !errors.Is(d.indexErr, index.ErrNone) {
		return // said by index
	}
	if d.index != nil {
		if info, known, err := d.index.Log(pin.Log); err != nil || known && info.HeadID == pin.HeadID() {
			return
		}
	}
	name := d.nameOf(pin.Log)
	d.say(problem, check, name, fmt.Sprintf("the records of the accepted head of %s are not in the index", name), render.Hint{
		Command: render.Words("distrust", "sync"),
	})
}

// sources looks at how fresh and how sure the word of each source is.
func (d *doctor) sources(_ context.Context, check string) string {
	pins := map[string]*source.Pin{}
	for _, pin := range d.pins {
		pins[pin.Log] = pin
	}
	for _, damage := range d.damaged {
		pins[damage.Log] = nil
	}
	before := len(d.findings)
	for _, s := range d.m.sources {
		switch pin, known := pins[s.Log]; {
		case !known || s.Log == "":
			d.say(note, check, s.Name, s.Name+" was never fetched on this machine", syncHint(s.Name))
		case pin != nil: // a damaged one was said
			d.oneSource(check, s, pin)
		}
	}
	switch {
	case len(d.m.sources) == 0:
		return "you follow nobody yet"
	case len(d.findings) > before:
		return ""
	}
	return fmt.Sprintf("%s, all fetched and verified in the last %s", count(len(d.m.sources), "source"), render.Span(quietGrace))
}

func syncHint(name string) render.Hint {
	return render.Hint{Command: render.Words("distrust", "sync", name)}
}

// oneSource looks at one source that was fetched before.
func (d *doctor) oneSource(check string, s config.Source, pin *source.Pin) {
	now := d.in.Env.Now()
	show := render.Hint{Command: render.Words("distrust", "sources", s.Name)}
	if why := pin.Refused; why != nil {
		d.say(problem, check, s.Name, fmt.Sprintf("%s was refused on %s: %s", s.Name, render.Date(why.At), why.Reason), show)
	}
	if age := now.Sub(pin.Fetched); age > quietGrace {
		d.say(note, check, s.Name, fmt.Sprintf("%s was last fetched %s ago", s.Name, render.Span(age)), syncHint(s.Name))
	}
	if info, known := d.logInfo(pin.Log); known && !now.Before(info.Expires) {
		d.say(note, check, s.Name, fmt.Sprintf("%s is stale since %s: its trust does not count, its reports do", s.Name, render.Date(info.Expires)), syncHint(s.Name))
	}
	if s.Fingerprint == "" {
		d.say(note, check, s.Name, s.Name+" has no fingerprint in sources.yml: its key was trusted on first use", show)
	}
	if n := pin.Skipped + pin.NotUnderstood; n > 0 {
		d.say(note, check, s.Name, fmt.Sprintf("%s of %s not read", count(n, "record"), s.Name), show)
	}
	if pin.Signers != "" {
		d.say(note, check, s.Name, s.Name+": "+pin.Signers, show)
	}
	if pin.Moved != "" {
		d.say(note, check, s.Name, fmt.Sprintf("%s now publishes at %s", s.Name, pin.Moved), render.Hint{
			Command: render.Words("distrust", "follow", s.Name, "--url", pin.Moved),
		})
	}
}

func (d *doctor) logInfo(log string) (index.LogInfo, bool) {
	if d.index == nil {
		return index.LogInfo{}, false
	}
	info, known, err := d.index.Log(log)
	return info, known && err == nil && !info.Expires.IsZero()
}

// journal reads what this machine accepted.
func (d *doctor) journal(_ context.Context, check string) string {
	file := d.m.dirs.Journal()
	entries, skipped, err := journal.Scan(file)
	if err != nil {
		d.fault(check, file, err)
		return ""
	}
	if skipped > 0 {
		one := d.say(note, check, file, fmt.Sprintf("%s of %s damaged and not read; what they held raises no alarm", count(skipped, "line"), file), fixHint())
		one.mend = func(ctx context.Context) (string, error) {
			aside := d.aside(file)
			return "written anew without what is damaged; as it was it lies in " + aside, journal.Mend(ctx, file, aside)
		}
	}
	return fmt.Sprintf("%s remembered", count(len(entries), "accepted thing"))
}

// alarms reads the alarms.
func (d *doctor) alarms(_ context.Context, check string) string {
	file := d.m.dirs.Alarms()
	alarms, err := loadAlarms(d.m.dirs)
	if err != nil {
		one := d.fault(check, file, err)
		if errors.Is(err, journal.ErrAlarms) {
			one.mend = func(context.Context) (string, error) {
				aside := d.aside(file)
				return "moved to " + aside + "; the next sync raises what is still true", os.Rename(file, aside)
			}
		}
		return ""
	}
	if open := openAlarms(alarms); open > 0 {
		d.say(note, check, "", count(open, "alarm")+" open", render.Hint{Command: render.Words("distrust", "alarms")})
		return ""
	}
	return "none is open"
}

// aside is where a damaged file is kept, over none that was kept before.
func (d *doctor) aside(file string) string {
	aside := file + ".damaged"
	if _, err := os.Lstat(aside); err == nil {
		aside += d.in.Env.Now().UTC().Format("-20060102T150405")
	}
	return aside
}
