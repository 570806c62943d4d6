package render

import (
	"fmt"
	"net/url"
	"strings"
	"unicode"

	"github.com/distributed-trust/distrust/records"
	"github.com/distributed-trust/distrust/schema"
	"github.com/distributed-trust/distrust/sshsig"
)

// Message is what report --to prepares for the maintainer of a list: a report, and what the list says
// about the same thing, for somebody who has neither this program nor the reporter's repository. Of
// this machine it holds nothing but what the report itself publishes.
type Message struct {
	Contact string           // of the list's head: mailto: or https: (F5); "" when it names none
	List    string           // log of the list
	Report  records.Record   // the user's
	About   string           // what it is about, in a few words
	At      string           // where the user publishes; "" when nowhere that others reach
	From    string           // where the reported file came from; "" when that is not known
	Theirs  []records.Record // of the list, about the same
	More    int              // how many more of them there are
}

const (
	// maxLink is how long a link may be: some programs that take one cut it at 2,048 characters.
	maxLink = 2000
	// maxSubjects is how many of a report's subjects the message names; the record has them all.
	maxSubjects = 8
	// maxInline is how long a record may be to be part of the message.
	maxInline = 8 << 10
)

// Subject is the line over the message.
func (m Message) Subject() string {
	doc := m.Report.Doc()
	text := fmt.Sprintf("%s: %s", doc.Category, m.About)
	if doc.Project != "" {
		text += " (" + Release(doc.Project, doc.Version) + ")"
	}
	return Cut(Escape(text), 120)
}

// Text is the whole message.
func (m Message) Text() string { return strings.Join(m.parts(), "\n") }

// Link is what opens it: a mailto: link (RFC 6068) with as much of the text as fits, or the https:
// address of a page, which takes no text. It is "" where the list names no contact, or none that a
// link can be made of.
func (m Message) Link() string {
	if page, err := url.Parse(m.Contact); err == nil && strings.HasPrefix(m.Contact, "https://") {
		if page.Hostname() == "" || page.User != nil || len(m.Contact) > maxLink || !harmless(m.Contact, ":/?#") {
			return ""
		}
		return m.Contact
	}
	address := m.Address()
	if address == "" {
		return ""
	}
	start := "mailto:" + percent(address, "@,") + "?subject=" + percent(m.Subject(), "") + "&body="
	parts := m.parts()
	for n := len(parts); n > 0; n-- {
		body := strings.Join(parts[:n], "\n")
		if n < len(parts) {
			body += "\n(The rest does not fit into a link: paste it here.)\n"
		}
		if link := start + percent(strings.ReplaceAll(body, "\n", "\r\n"), ""); len(link) <= maxLink {
			return link
		}
	}
	return ""
}

// Address is whom a mailto: contact names; "" when it is another contact, or one that would bring
// more into the message than an address. Its own header fields, such as bcc, are left out.
func (m Message) Address() string {
	to, ok := strings.CutPrefix(m.Contact, "mailto:")
	if !ok {
		return ""
	}
	to, _, _ = strings.Cut(to, "?")
	address, err := url.PathUnescape(to)
	if err != nil || len(address) > 320 || !harmless(address, "") || !strings.Contains(address, "@") {
		return ""
	}
	return address
}

// harmless says whether a foreign address may be shown to be copied: it has no character that means
// something to a shell, to a header or to whoever looks at it. Those in more are allowed, too.
func harmless(text, more string) bool {
	odd := func(c rune) bool {
		return c > unicode.MaxASCII && !unicode.IsLetter(c) ||
			c <= unicode.MaxASCII && !unicode.IsLetter(c) && !unicode.IsDigit(c) && !strings.ContainsRune("-._~+=%@,"+more, c)
	}
	return Escape(text) == text && !strings.ContainsFunc(text, odd)
}

// percent encodes a text for a part of a mailto: link. What RFC 3986 calls unreserved stays, and so
// do the bytes in keep.
func percent(text, keep string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-._~"+keep, c) >= 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// parts are the paragraphs of the message, the most telling first.
func (m Message) parts() []string {
	parts := []string{
		"Hello,\n\nI report something that your trust repository is about. Nothing here has to\n" +
			"be believed: at the end is how to check it with stock tools.\n",
		"What I report\n" + m.reported(),
	}
	title := "What your records say\n"
	for _, r := range m.Theirs {
		parts = append(parts, title+m.theirs(r))
		title = ""
	}
	switch {
	case m.More > 0:
		parts = append(parts, fmt.Sprintf("and %d more of your records.\n", m.More))
	case len(m.Theirs) == 0:
		parts = append(parts, "I know no record of yours about it.\n")
	}
	return append(parts, "My report\n"+m.mine(), m.check(), m.inline())
}

// row is one line of evidence.
func row(name, value string) string {
	if value == "" {
		return ""
	}
	return fmt.Sprintf("  %s: %s\n", name, Escape(value))
}

// reported is what the user reports.
func (m Message) reported() string {
	doc := m.Report.Doc()
	text := row("as", string(doc.Category)) + row("reason", doc.Reason) + row("project", Release(doc.Project, doc.Version))
	for i, s := range doc.Subjects {
		if i == maxSubjects {
			text += row("and", fmt.Sprintf("%d more", len(doc.Subjects)-i))
			break
		}
		text += subjectRows(s)
	}
	return text + row("from", m.From)
}

// subjectRows are what identifies a subject.
func subjectRows(s schema.Subject) string {
	text := row("file", s.File)
	if s.Kind() == schema.SubjectFile && s.Size >= 0 {
		text += row("size", fmt.Sprintf("%d bytes", s.Size))
	}
	return text + row("sha256", s.Digest.SHA256) + row("sha512", s.Digest.SHA512) + row("signer", s.Signer) +
		row("commit", s.Git.Commit) + row("tree", s.Git.Tree) + row("release", Project(s.Release)) + row("project", Project(s.Project))
}

// theirs is one record of the list, and whether it names the bytes that are reported.
func (m Message) theirs(r records.Record) string {
	doc := r.Doc()
	says := string(doc.Kind)
	if doc.Category != "" {
		says += ", " + string(doc.Category)
	}
	text := row("record", r.ID()) + row("path", r.Path()) + row("says", says+", "+Date(doc.Issued)) + row("project", Release(doc.Project, doc.Version))
	shown := 0
	for _, s := range doc.Subjects {
		same, about := m.about(s)
		if !about && len(doc.Subjects) > 1 || shown == maxSubjects {
			continue
		}
		shown++
		text += subjectRows(s)
		if s.Kind() == schema.SubjectFile {
			text += row("bytes", map[bool]string{true: "those that I report", false: "other than those that I report"}[same])
		}
	}
	return text
}

// about says whether a subject of the list is one of the reported ones: the same, or a file of the
// same name.
func (m Message) about(s schema.Subject) (same, about bool) {
	for _, mine := range m.Report.Doc().Subjects {
		switch {
		case SameSubject(mine, s):
			return true, true
		case mine.File != "" && mine.File == s.File, mine.Release != "", mine.Project != "":
			about = true
		}
	}
	return false, about
}

// SameSubject says whether two subjects are the same thing, whatever they call it.
func SameSubject(a, b schema.Subject) bool {
	same := func(a, b string) bool { return a != "" && a == b }
	return same(a.Digest.SHA256, b.Digest.SHA256) || same(a.Digest.SHA512, b.Digest.SHA512) || same(a.Signer, b.Signer) ||
		same(a.Git.Commit, b.Git.Commit) || same(a.Git.Tree, b.Git.Tree) || same(a.Release, b.Release) || same(a.Project, b.Project)
}

// mine is where the user's record is found.
func (m Message) mine() string {
	return row("record", m.Report.ID()) + row("path", m.Report.Path()) + row("log", m.Report.Log()) +
		row("key", m.Report.Key().Fingerprint()) + row("at", m.At)
}

// check is how somebody verifies both sides without this program (F3). Paths, ids and keys are made
// of characters that no shell reads as anything else (F4).
func (m Message) check() string {
	verify := func(signers, log, file string) string {
		return fmt.Sprintf("  ssh-keygen -Y verify -f %s -I %s -n %s -s %s.sig < %s\n", signers, log, sshsig.NamespaceRecord, file, file)
	}
	text := ""
	if len(m.Theirs) > 0 {
		text = "To check your record, in a clone of your repository:\n\n"
		for _, r := range m.Theirs {
			text += "  sha256sum " + r.Path() + "\n" + verify(records.AllowedSigners, m.List, r.Path())
		}
		text += "\n"
	}
	return text + "To check mine, with what is below in report.yml and report.yml.sig:\n\n" +
		fmt.Sprintf("  echo '%s namespaces=\"%s\" %s' > reporter\n", m.Report.Log(), sshsig.NamespaceRecord, m.Report.Key()) +
		"  sha256sum report.yml\n" + verify("reporter", m.Report.Log(), "report.yml")
}

// inline is the record itself.
func (m Message) inline() string {
	e := m.Report.Envelope()
	if len(e.YAML) > maxInline {
		return fmt.Sprintf("The record has %d bytes: ask me for it, or take it from my repository.\n", len(e.YAML))
	}
	return fmt.Sprintf("==== report.yml\n%s==== report.yml.sig\n%s====\n", e.YAML, e.Sig)
}
