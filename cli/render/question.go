package render

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/distributed-trust/distrust/records/trust"
)

// Question is what the user is asked about one thing that nobody knows enough of (C5).
type Question struct {
	Report
	Signers []string // who can be trusted for the project: the keys of good signatures, F2 identities
	Missing bool     // a signature was to be expected and there is none: only the whole word file is a yes
	Viewing bool     // the bytes are at hand to be shown
}

// Answer is what an answered question means.
type Answer string

// The answers to a [Question]. That a signer is trusted comes with whose key it is.
const (
	AnswerNo     Answer = "no" // and an empty line
	AnswerFile   Answer = "file"
	AnswerSigner Answer = "signer"
	AnswerDeny   Answer = "deny"
	AnswerView   Answer = "view"
	AnswerHelp   Answer = "?"
)

// Words are what may be typed. The broad choice has no letter, so that it is never a slip of a finger.
func (q Question) Words() []string {
	words := []string{"no", "n", "file"}
	if !q.Missing {
		words = append(words, "f")
	}
	if len(q.Signers) == 1 {
		words = append(words, "signer")
	}
	for _, s := range q.Signers {
		words = append(words, Signer(s))
	}
	words = append(words, "deny", "d")
	if q.Viewing {
		words = append(words, "view", "v")
	}
	return append(words, "?")
}

// Answer is what a typed word means, and of a signer which. What is none of [Question.Words] is no.
func (q Question) Answer(typed string) (answer Answer, signer string) {
	switch typed {
	case "f", "file":
		return AnswerFile, ""
	case "d", "deny":
		return AnswerDeny, ""
	case "v", "view":
		return AnswerView, ""
	case "?":
		return AnswerHelp, ""
	}
	for _, s := range q.Signers {
		if typed == Signer(s) || typed == string(AnswerSigner) && len(q.Signers) == 1 {
			return AnswerSigner, s
		}
	}
	return AnswerNo, ""
}

// Prompt is the last line of the question.
func (q Question) Prompt() string {
	offers := []string{"no", "file (these bytes only)"}
	if q.Missing {
		offers[1] = "the word file (these bytes only)"
	}
	switch {
	case len(q.Signers) == 1:
		offers = append(offers, "signer (for "+Project(q.Query.Project)+")")
	case len(q.Signers) > 1:
		offers = append(offers, "a signer's fingerprint")
	}
	offers = append(offers, "deny")
	if q.Viewing {
		offers = append(offers, "view")
	}
	return Escape("Trust it? " + strings.Join(append(offers, "?:"), ", "))
}

// Text is what stands above the prompt: what it is, who signed it, and what those who are followed say.
func (q Question) Text(s Style) string {
	var lines []string
	add := func(text string) {
		for i, line := range Wrap(Escape(text), s.width()-4) {
			lines = append(lines, "  "+strings.Repeat("  ", min(i, 1))+line)
		}
	}
	name := "'" + q.Path + "'"
	if q.Path == "-" {
		name = "what came through the pipe"
	}
	first := fmt.Sprintf("The trustworthiness of %s can't be established.", Escape(name))
	for _, f := range q.Decision.Findings {
		switch {
		case f.Kind != trust.FindingUnsigned:
		case f.State == "":
			add("NOT SIGNED: " + finding(f, q.Decision, Signer))
		default:
			add("NO GOOD SIGNATURE: " + finding(f, q.Decision, Signer))
		}
	}
	add(q.identity())
	for _, text := range q.signedBy() {
		add(text)
	}
	more := 0
	for i, f := range q.Decision.Findings {
		switch {
		case f.Kind == trust.FindingUnsigned:
		case i >= maxFindings:
			more++
		default:
			add(finding(f, q.Decision, Signer))
		}
	}
	if more > 0 {
		add(fmt.Sprintf("and %d more of the kind, which distrust why shows", more))
	}
	add(q.heard())
	return first + "\n" + strings.Join(lines, "\n") + "\n"
}

// maxFindings is how many findings a question tells, the gravest first. There is one of each source in reach,
// of which anybody can make many, and what else is said has to stay on the screen.
const maxFindings = 5

// identity is the digest, the size and the project.
func (q Question) identity() string {
	parts := []string{Short(Digest(q.Query))}
	if q.Query.Size >= 0 {
		parts = append(parts, grouped(q.Query.Size)+" bytes")
	}
	if q.Query.Project != "" {
		parts = append(parts, "for "+Release(q.Query.Project, q.Query.Version))
	}
	return strings.Join(parts, ", ")
}

// grouped is a number with a comma between each three digits.
func grouped(n int64) string {
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// maxName is how many columns a name gets that anybody can give a key.
const maxName = 120

// signedBy says what each signature is worth, or that there is none.
func (q Question) signedBy() []string {
	var texts []string
	add := func(text string) { // one key may have signed the file and the list that names it
		if !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	for _, sig := range q.Query.Signatures {
		if sig.State != trust.SignatureGood {
			add(signature(sig))
			continue
		}
		text := "signed by " + Signer(sig.Signer)
		if sig.CallsItself != "" {
			text += fmt.Sprintf(" (calls itself %q)", Cut(Escape(sig.CallsItself), maxName))
		}
		add(text + ": good signature")
		if q.Query.Project == "" {
			add("to trust that signer, say which project it is, with --for")
		}
	}
	if len(texts) == 0 && !q.Missing {
		add("not signed")
	}
	return texts
}

// maxHeard is how many voices a question names, and more only when they are reports; why names all.
const maxHeard = 3

// names says whether a question names a voice as one of those that count.
func (q Question) names(v trust.Voice) bool { return v.NotCounted == trust.Counts && !v.Own }

// Seen are the reports that the question names, sorted: no other was seen by whoever answers it (D5).
func (q Question) Seen() []string {
	var ids []string
	for _, v := range q.Decision.Voices {
		if q.names(v) && report(v.Statement) {
			ids = append(ids, v.Statement.ID)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// heard is what those who are followed say. Every report is named, as the answer is given in spite of it:
// where it is still a question they are fewer than it takes to block.
func (q Question) heard() string {
	var voices []string
	more, knowsKey := 0, false
	for _, v := range q.Decision.Voices {
		if !q.names(v) {
			continue
		}
		knowsKey = knowsKey || v.Level == trust.LevelSigner
		if len(voices) >= maxHeard && !report(v.Statement) {
			more++
			continue
		}
		text := who(v) + " says yes"
		if report(v.Statement) {
			text = who(v) + " says NO: " + string(v.Statement.Category)
		}
		voices = append(voices, text)
	}
	if more > 0 {
		voices = append(voices, fmt.Sprintf("and %d more say yes", more))
	}
	switch {
	case len(voices) == 0 && q.Follows == 0:
		return "you follow nobody yet"
	case len(voices) == 0 && len(q.Signers) > 0:
		return "nobody you follow knows this key or these bytes"
	case len(voices) == 0:
		return "nobody you follow knows these bytes"
	}
	text := fmt.Sprintf("%s: %d of %d", strings.Join(voices, ", "), q.Decision.For, q.Decision.Policy.Trust)
	if len(q.Signers) > 0 && !knowsKey {
		text = "nobody you follow knows this key; " + text
	}
	return text
}

// Help is what the answer ? shows: what each answer does.
func (q Question) Help(s Style) string {
	rows := [][2]string{
		{"no", "do not go on; nothing is written down, and you are asked again"},
		{"file", "trust these very bytes: " + Digest(q.Query)},
	}
	switch {
	case len(q.Signers) == 1:
		rows = append(rows, [2]string{"signer", fmt.Sprintf("trust whatever %s signs for %s, now and later", Signer(q.Signers[0]), Project(q.Query.Project))})
	case len(q.Signers) > 1:
		rows = append(rows, [2]string{"KEY", fmt.Sprintf("trust whatever that key signs for %s: %s", Project(q.Query.Project), strings.Join(signerNames(q.Signers), ", "))})
	}
	rows = append(rows, [2]string{"deny", "never go on with these bytes; you are not asked again"})
	if q.Viewing {
		rows = append(rows, [2]string{"view", "show what is in it"})
	}
	var text strings.Builder
	for _, row := range rows {
		for i, line := range Wrap(Escape(row[1]), s.width()-12) {
			word := row[0]
			if i > 0 {
				word = ""
			}
			fmt.Fprintf(&text, "  %-8s%s\n", word, line)
		}
	}
	return text.String() + "  Answers are private records on this machine: distrust list\n"
}

func signerNames(signers []string) []string {
	var names []string
	for _, s := range signers {
		names = append(names, Signer(s))
	}
	return names
}

// ChangedSigner is the warning about a file that is well signed, but by none of the keys that sign its
// project: who is trusted, since when and by which record, and how to replace them (C5). It is "" where
// that is not what decided.
func (r Report) ChangedSigner(s Style) string {
	if r.Decision.By != trust.ByChangedSigner {
		return ""
	}
	project := Project(r.Decision.Project)
	title := "WARNING: " + Escape(project) + " IS SIGNED BY ANOTHER KEY THAN BEFORE"
	bar := strings.Repeat("!", min(max(Width(title)+6, 40), s.width()))
	lines := []string{s.Paint(Bad, bar), s.Paint(Bad, "!! "+title+" !!"), s.Paint(Bad, bar)}
	add := func(indent, text string) {
		for _, line := range Wrap(Escape(text), s.width()-len(indent)) {
			lines = append(lines, indent+line)
		}
	}
	command := func(words []Arg) {
		if line, ok := Command(words...); ok {
			lines = append(lines, "    "+line)
		}
	}
	add("", "Somebody may be passing something else off as "+project+", right now. Or it has a new key: then its own pages, or its maintainers, say so.")
	var signed []string
	for _, sig := range r.Query.Signatures {
		if sig.State == trust.SignatureGood && !slices.Contains(signed, sig.Signer) {
			signed = append(signed, sig.Signer)
		}
	}
	add("", fmt.Sprintf("The key that signed '%s':", r.Path))
	for _, signer := range signed {
		add("  ", Signer(signer))
	}
	var own []trust.Statement
	told, more := 0, 0
	for _, f := range r.Decision.Findings { // the user's own are the first
		if f.Kind != trust.FindingOtherSigner {
			continue
		}
		if told++; told > maxOthers {
			more++
			continue
		}
		whose := "you trust"
		if f.Source != "" {
			whose = f.Source + " trusts"
		} else {
			own = append(own, f.Statement)
		}
		add("", fmt.Sprintf("The key that %s for %s, since %s:", whose, project, Date(time.Unix(f.Statement.Issued, 0))))
		add("  ", Signer(f.Signer)+", by record "+shortID(f.Statement.ID))
	}
	if more > 0 {
		add("", fmt.Sprintf("and %d more keys, none of which signed it.", more))
	}
	add("", "Once you are sure of the new key:")
	for _, signer := range signed {
		command(r.TrustSigner(signer))
	}
	if len(own) > 0 {
		add("", "And when the old one signs no more:")
		for _, statement := range own {
			command(Words("distrust", "withdraw", shortID(statement.ID)))
		}
	}
	return strings.Join(lines, "\n") + "\n"
}

// shortID is a record's id as commands take it.
func shortID(id string) string { return id[:min(len(id), 16)] }
