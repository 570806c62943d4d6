package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/distributed-trust/distrust/cli/render"
	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/source"
	"github.com/distributed-trust/distrust/records/trust"
	"github.com/distributed-trust/distrust/schema"
)

// maxTheirs is how many records of the list a message shows.
const maxTheirs = 3

// message is what report --to prepares, and for which source.
type message struct {
	render.Message
	source string // what the user calls the list
}

// messageTo prepares the message of --to before anything is signed: whose list it goes to, and what
// that says about the same. It is nil without --to.
func (m *machine) messageTo(ctx context.Context, doc schema.Record) (*message, error) {
	in := m.in
	if in.String(toFlagName) == "" {
		if in.Given(fromFlagName) {
			return nil, usagef("--%s is for the message of --%s", fromFlagName, toFlagName)
		}
		return nil, nil
	}
	if in.Bool(privateFlagName) {
		return nil, usagef("--private goes not with --%s: the message holds the record", toFlagName)
	}
	from, err := downloadedFrom(in.String(fromFlagName))
	if err != nil {
		return nil, BadValue(fromFlagName, err)
	}
	name, log, err := m.followedAs(in.String(toFlagName))
	if err != nil {
		return nil, err
	}
	pin, err := source.ReadPin(m.sourceDirs(), log)
	if errors.Is(err, source.ErrNoPin) {
		return nil, fail(Failed, fmt.Errorf("%s was never fetched, so nobody knows whom to write to", name),
			"fetch it", render.Words("distrust", "sync", name)...)
	}
	if err != nil {
		return nil, err
	}
	head, err := pin.Doc()
	if err != nil {
		return nil, err
	}
	out := &message{render.Message{Contact: head.Contact, List: log, About: subjectsText(doc), From: from}, name}
	out.Theirs, out.More, err = in.recordsAbout(ctx, log, doc)
	return out, err
}

// downloadedFrom is the address of --from, which strangers will read: an address of the web, without a name
// or password in it.
func downloadedFrom(typed string) (string, error) {
	if typed == "" {
		return "", nil
	}
	at, err := url.Parse(typed)
	if err != nil || at.Host == "" || at.Scheme != "https" && at.Scheme != "http" {
		return "", fmt.Errorf("%q is no https: address", typed)
	}
	if at.User != nil {
		return "", errors.New("it holds a user name, and the message is for somebody else")
	}
	return at.String(), nil
}

// minLogDigits is how many digits of a log id name a source at least: as many as one that others lead to
// is called by.
const minLogDigits = 8

// followedAs finds a source by its name, or by the first digits of its log.
func (m *machine) followedAs(typed string) (name, log string, err error) {
	specs, err := m.specs(nil)
	if err != nil {
		return "", "", err
	}
	var found []source.Spec
	for _, s := range specs {
		if s.Name == typed {
			found = []source.Spec{s}
			break
		}
		if len(typed) >= minLogDigits && strings.HasPrefix(s.Log, typed) {
			found = append(found, s)
		}
	}
	switch {
	case len(found) == 0:
		return "", "", noSuchSource(typed)
	case len(found) > 1:
		return "", "", usagef("%s begins several logs: give more digits", typed)
	case found[0].Log == "":
		return "", "", fail(Failed, fmt.Errorf("%s was never fetched", typed), "fetch it", render.Words("distrust", "sync", typed)...)
	}
	return found[0].Name, found[0].Log, nil
}

// recordsAbout are the records of a list that count and are about what a report is about: those that
// name the same first, then the newest. more says how many are left out.
func (in *Invocation) recordsAbout(ctx context.Context, log string, doc schema.Record) (found []records.Record, more int, err error) {
	w, err := in.world(ctx)
	if err != nil {
		return nil, 0, err
	}
	defer w.close()
	if w.generation == nil {
		return nil, 0, nil
	}
	var about []trust.Statement
	withdrawn := map[string]bool{}
	err = w.generation.Statements(log, func(st trust.Statement, _ string) error {
		for _, id := range st.Withdraws {
			withdrawn[id] = !st.Void
		}
		if !st.Void && saysOf(&st, &doc) {
			about = append(about, st)
		}
		return nil
	})
	if err != nil {
		return nil, 0, err
	}
	about = slices.DeleteFunc(about, func(st trust.Statement) bool { return withdrawn[st.ID] })
	slices.SortFunc(about, func(a, b trust.Statement) int {
		return cmp.Or(cmp.Compare(boolInt(namesSame(&b, &doc)), boolInt(namesSame(&a, &doc))), cmp.Compare(b.Issued, a.Issued), strings.Compare(a.ID, b.ID))
	})
	for _, st := range about[:min(maxTheirs, len(about))] {
		entries, err := w.generation.ByID(st.ID)
		if err != nil {
			return nil, 0, err
		}
		for _, e := range entries {
			if e.Record.Log() == log {
				found = append(found, e.Record)
			}
		}
	}
	return found, len(about) - len(found), nil
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// saysOf says whether a statement is about what a report is about: the same thing, the same file of the
// project with whatever bytes, or anything of a project or release that is reported as such.
func saysOf(st *trust.Statement, doc *schema.Record) bool {
	if st.Kind != schema.KindTrust && st.Kind != schema.KindDistrust {
		return false
	}
	if namesSame(st, doc) {
		return true
	}
	version := st.Version == "" || doc.Version == "" || st.Version == doc.Version
	for _, mine := range doc.Subjects {
		if st.Project != "" && (mine.Project == st.Project || mine.Release == st.Project+"@"+st.Version) {
			return true
		}
		if mine.File == "" || doc.Project == "" || doc.Project != st.Project || !version {
			continue
		}
		if slices.ContainsFunc(st.Subjects, func(s schema.Subject) bool { return s.File == mine.File }) {
			return true
		}
	}
	return false
}

// namesSame says whether a statement names one of the things that a report names.
func namesSame(st *trust.Statement, doc *schema.Record) bool {
	return slices.ContainsFunc(st.Subjects, func(s schema.Subject) bool {
		return slices.ContainsFunc(doc.Subjects, func(mine schema.Subject) bool { return render.SameSubject(mine, s) })
	})
}

// complete puts the report into its message, once it is signed, and where others find it.
func (m *machine) complete(ctx context.Context, out *message, r records.Record) error {
	if out == nil {
		return nil
	}
	h, err := m.home(ctx)
	if err != nil {
		return err
	}
	defer h.Close()
	out.Report = r
	// Any other address may name a folder or an account of this machine's.
	if at, err := url.Parse(h.Head().Doc().URL); err == nil && at.Scheme == "https" && at.User == nil {
		out.At = at.String()
	}
	return nil
}

// sayMessage prints the message of --to, and how it may be sent: that is the user's.
func (m *machine) sayMessage(out *message) {
	if out == nil {
		return
	}
	to, link := render.Escape(out.Contact), out.Link()
	switch {
	case out.Contact == "":
		m.env.say(out.source + " names no contact: send the message the way you know them")
	case out.Address() != "":
		to = render.Escape(out.Address())
	case link == "":
		m.env.say(out.source + " names a contact that no link can be made of: look at it before you write there")
	}
	fmt.Fprintf(m.env.Stdout, "\nTo: %s\nSubject: %s\n\n%s\n", nameOr(to, "the maintainer of "+render.Escape(out.source)), out.Subject(), out.Text())
	if link != "" {
		fmt.Fprintln(m.env.Stdout, link)
	}
	m.env.say("nothing was sent: the message is yours to read and to send")
}

// messageJSON is the message of report --to for programs.
type messageJSON struct {
	Source  string `json:"source"`
	Log     string `json:"log"`
	Contact string `json:"contact"`
	Subject string `json:"subject"`
	Text    string `json:"text"`
	Link    string `json:"link"`
}

// printReportJSON prints a report with its message, if there is one.
func printReportJSON(in *Invocation, r records.Record, s standing, out *message) error {
	object := recordToJSON(r, s)
	if out != nil {
		object.Message = &messageJSON{
			Source: out.source, Log: out.List, Contact: out.Contact, Subject: out.Subject(), Text: out.Text(), Link: out.Link(),
		}
	}
	return render.EncodeJSON(in.Env.Stdout, object)
}
