package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/distributed-trust/distrust/cli/render"
	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/records/home"
	"github.com/distributed-trust/distrust/records/index"
	"github.com/distributed-trust/distrust/schema"
)

// sayOptions say where a record goes.
type sayOptions struct {
	private bool // into the private folder, which is never published
	noSeal  bool // the record only, without a new head
}

// standing is that of a record which was just made.
func (o sayOptions) standing() standing { return standing{from: "you", private: o.private} }

// saySomething signs one record with all its subjects and brings it into the index. It returns
// the record as it was read back. edit is called with the lock held, so that what it decides
// (which reports were seen, say) is still true when the record is signed.
func (m *machine) saySomething(ctx context.Context, opts sayOptions, edit func() (schema.Record, error)) (records.Record, error) {
	unlock, err := m.lock(ctx)
	if err != nil {
		return records.Record{}, err
	}
	defer unlock()
	doc, err := edit()
	if err != nil {
		return records.Record{}, err
	}
	if opts.private {
		return m.sayPrivately(ctx, doc)
	}
	h, s, err := m.homeToWrite(ctx)
	if err != nil {
		return records.Record{}, err
	}
	defer h.Close()
	write := h.Write
	if opts.noSeal {
		write = h.WriteUnsealed
	}
	written, err := write(ctx, s, []schema.Record{doc}, m.options())
	if err != nil {
		return records.Record{}, err
	}
	return written.Records[0], m.refresh(ctx, h)
}

// sayPrivately signs a record into the private folder, which is made when there is none.
func (m *machine) sayPrivately(ctx context.Context, doc schema.Record) (records.Record, error) {
	h, err := m.ownHome(ctx)
	if err != nil {
		return records.Record{}, err
	}
	if h != nil {
		defer h.Close()
	}
	s, err := m.signer(ctx, h)
	if err != nil {
		return records.Record{}, err
	}
	p, err := m.private(h)
	if errors.Is(err, home.ErrNoHome) {
		p, err = home.CreatePrivate(m.dirs.Private(), s.Key(), keysOf(h), rand.Reader)
	}
	if err != nil {
		return records.Record{}, err
	}
	var written []records.Record
	var update index.Update
	err = m.known(func(g *index.Generation) (err error) {
		if written, err = p.Write(ctx, s, []schema.Record{doc}, g, m.options()); err == nil {
			update, err = p.Update(ctx, g)
		}
		return err
	})
	if err != nil {
		return records.Record{}, err
	}
	return written[0], m.takeOwn(ctx, update)
}

// refresh brings what the home and the private folder say now into the index. Another clone than
// the user's own home (--home) is a source for them, not their word, and is left to sync.
func (m *machine) refresh(ctx context.Context, h *home.Home) error {
	if m.homeDir() != m.defaultHome() {
		return nil
	}
	m.ownLog = h.LogID() // it may have been made, or joined, just now
	var updates []index.Update
	err := m.known(func(g *index.Generation) (err error) {
		updates, err = m.ownUpdates(ctx, h, g)
		return err
	})
	if err != nil {
		return err
	}
	m.sayRefused(h.Skipped())
	if err := m.takeOwn(ctx, updates...); err != nil {
		return err
	}
	return m.sayByHand(ctx, h, h.Head().Doc().Records <= quickLook)
}

// saidRecord prints which record a command made, and what is still to come.
func (m *machine) saidRecord(r records.Record, verb, what string, opts sayOptions) {
	env := m.env
	fmt.Fprintf(env.Stdout, "%s  %s  record %s\n", verb, render.Escape(what), r.ID()[:16])
	switch {
	case opts.private:
		env.say("the record is private: it never leaves this machine")
	case opts.noSeal:
		env.say("the record is signed and committed, and not sealed: open a pull request with it")
	case m.homeDir() != m.defaultHome():
		env.hint(render.Hint{Text: "publish it", Command: render.Words("git", "-C", m.homeDir(), "push")})
	default:
		env.say("nothing leaves this machine before: distrust sync")
	}
}

// subjectsText names the subjects of a record in a few words.
func subjectsText(doc schema.Record) string {
	if len(doc.Subjects) == 0 {
		return string(doc.Kind)
	}
	text := subjectText(doc.Subjects[0])
	if more := len(doc.Subjects) - 1; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

func subjectText(s schema.Subject) string {
	switch s.Kind() {
	case schema.SubjectFile:
		if s.File != "" {
			return s.File
		}
		if s.Digest.SHA256 != "" {
			return "sha256:" + s.Digest.SHA256[:12] + ".."
		}
		return "sha512:" + s.Digest.SHA512[:12] + ".."
	case schema.SubjectSigner:
		return "signer " + render.Signer(s.Signer)
	case schema.SubjectGit:
		return "git " + s.Git.Commit + s.Git.Tree
	case schema.SubjectRelease:
		return render.Project(s.Release)
	case schema.SubjectProject:
		return render.Project(s.Project)
	}
	return ""
}
