package render

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/distributed-trust/distrust/records/trust"
)

// The least widths of the columns of why (C4): the amounts and words of one answer stand under
// those of the next.
const (
	minAnswer = 3
	minAmount = 3
	minWho    = 18
	minSaying = 8
	minAge    = 11
)

// WriteWhy prints the whole answer of why (C4): the verdict, every voice with its path and
// amount, the sums, what was not counted and why, and what would change it.
func WriteWhy(w io.Writer, r Report, s Style) error {
	head := []string{s.Paint(tone(r.Decision.Verdict), verdictWord(r.Decision.Verdict)), Escape(r.Path)}
	for _, part := range []string{Release(r.Decision.Project, r.Decision.Version), Short(Digest(r.Query))} {
		if part != "" {
			head = append(head, Escape(part))
		}
	}
	if _, err := io.WriteString(w, strings.Join(head, "  ")+"\n"); err != nil {
		return err
	}
	if err := r.voices(w, s); err != nil {
		return err
	}
	for _, line := range r.details(s) {
		if _, err := io.WriteString(w, line+"\n"); err != nil {
			return err
		}
	}
	return nil
}

// voices prints a line for each word that counts: the user's own, then the others as D4 orders
// them.
func (r Report) voices(w io.Writer, s Style) error {
	t := Table{Indent: 2, Columns: []Column{
		{Min: minAnswer}, {Right: true, Min: minAmount}, {Min: minWho, Cut: true}, {Min: minSaying}, {Min: minAge}, {Cut: true},
	}}
	var counted []trust.Voice
	if r.Decision.Own != nil {
		counted = append(counted, *r.Decision.Own)
	}
	for _, v := range r.Decision.Voices {
		if v.NotCounted == trust.Counts {
			counted = append(counted, v)
		}
	}
	var sentences []string
	for _, v := range counted {
		answer := Cell{Text: "yes", Tone: Good}
		if report(v.Statement) {
			answer = Cell{Text: "NO", Tone: Bad}
		}
		amount := strconv.Itoa(v.Amount)
		if v.Own {
			amount = "own"
		}
		age := Ago(time.Unix(v.Statement.Issued, 0), s.Now)
		t.Cells(answer, Cell{Text: amount}, Cell{Text: who(v)}, Cell{Text: saying(v)}, Cell{Text: age},
			Cell{Text: v.Statement.Reason, Quoted: true})
		sentence := fmt.Sprintf("%s says %s: %s, %s, %s", who(v), answer.Text, amount, saying(v), age)
		if v.Statement.Reason != "" {
			sentence += `, "` + v.Statement.Reason + `"`
		}
		sentences = append(sentences, Escape(sentence)+"\n")
	}
	if s.Sentences {
		_, err := io.WriteString(w, strings.Join(sentences, ""))
		return err
	}
	return t.Write(w, s)
}

// details are the lines below the voices.
func (r Report) details(s Style) []string {
	d, indent := r.Decision, "  "
	if s.Sentences {
		indent = ""
	}
	var lines []string
	add := func(text string) {
		if text == "" {
			return
		}
		text = Escape(text)
		switch {
		case s.Sentences, Width(text) <= s.width()-2:
			lines = append(lines, indent+text)
		default:
			lines = append(lines, "  "+strings.Join(Wrap(text, s.width()-4), "\n    "))
		}
	}
	add(r.sums())
	for _, f := range d.Findings {
		add(fullFinding(f, d))
	}
	for _, sig := range r.Query.Signatures {
		add(signature(sig))
	}
	if left := uncounted(d); len(left) > 0 {
		add("not counted: " + strings.Join(left, ", "))
	}
	add(r.news(s.Now))
	if r.NotUnderstood > 0 {
		add(count(int64(r.NotUnderstood), "record") + " of a newer format not understood: update distrust")
	}
	if r.Indexed > 0 {
		add(count(int64(r.Indexed), "voice") + " taken from the index without opening the record again")
	}
	for _, note := range r.Notes {
		add(note)
	}
	for _, h := range append(r.overrule(), r.Hints...) {
		if line := h.Line(); line != "" {
			lines = append(lines, indent+line)
		}
	}
	return lines
}

// sums is the line that adds up, and says what decided.
func (r Report) sums() string {
	d := r.Decision
	text := fmt.Sprintf("yes %d of %d needed, no %d of %d", d.For, d.Policy.Trust, d.Against, d.Policy.Block)
	if d.Unseen != d.Against {
		text += fmt.Sprintf(" (%d of it new to you)", d.Unseen)
	}
	if d.Other > 0 {
		text += fmt.Sprintf(", other bytes %d of %d", d.Other, d.Policy.Block)
	}
	if r.Follows == 0 && d.By == trust.ByNone && len(d.Voices) == 0 {
		return text + ": you follow nobody yet"
	}
	return text + ": " + decidedBy(d)
}

// decidedBy is the line of D5 that decided, in few words.
func decidedBy(d trust.Decision) string {
	switch d.By {
	case trust.ByOwn:
		return "your own word"
	case trust.ByReported:
		return "reported"
	case trust.ByNetwork:
		if d.Disputed {
			return "enough, and disputed"
		}
		return "enough"
	case trust.BySignature:
		return "bad signature"
	case trust.ByOtherBytes:
		return "other bytes than known"
	case trust.ByChangedSigner:
		return "signed by another key"
	case trust.BySubstitution:
		return "known as something else"
	case trust.ByNone:
		return "not enough"
	}
	return string(d.By)
}

// Signature says what came of one signature, where it is not part of an answer: the one over a
// checksum list, say.
func Signature(s trust.Signature) string { return signature(s) }

// signature says what came of one detached signature.
func signature(s trust.Signature) string {
	if s.Format == Checksums {
		return s.Format + ": " + s.Detail
	}
	text := strings.TrimSpace(s.Format+" signature:") + " " + string(s.State)
	if s.Signer != "" {
		text += " by " + Signer(s.Signer)
	}
	if s.Detail != "" {
		text += " (" + s.Detail + ")"
	}
	if s.State == trust.SignatureNoKey {
		text += ": give it with --cert FILE"
	}
	return text
}

// uncounted says of each voice that adds nothing whose it is, and why.
func uncounted(d trust.Decision) []string {
	var left []string
	for _, v := range d.Voices {
		if v.NotCounted == trust.Counts {
			continue
		}
		why := strings.ReplaceAll(string(v.NotCounted), "-", " ")
		if v.Since != 0 {
			why += " since " + Date(time.Unix(v.Since, 0))
		}
		if report(v.Statement) {
			why += ": " + string(v.Statement.Category)
		}
		if text := sourceName(v) + " (" + why + ")"; !slices.Contains(left, text) {
			left = append(left, text)
		}
	}
	return left
}

// old is how long ago news may have come before why speaks of it.
const old = 24 * time.Hour

// news says how old what we know is, when that is more than a day, and whose head expired.
func (r Report) news(now time.Time) string {
	var parts []string
	switch {
	case r.Follows == 0:
	case r.Synced.IsZero():
		parts = append(parts, "never synced")
	case now.Sub(r.Synced) >= old:
		parts = append(parts, "last synced "+Ago(r.Synced, now))
	}
	for _, s := range r.Decision.Stale {
		parts = append(parts, fmt.Sprintf("%s is stale since %s", s.Name, Date(time.Unix(s.Expires, 0))))
	}
	if len(parts) == 0 {
		return ""
	}
	return "news: " + strings.Join(parts, ", ")
}

// overrule is how the user goes against what decided, where that is for them to say: reports that they
// looked at, or a key that is their project's new one.
func (r Report) overrule() []Hint {
	switch r.Decision.By {
	case trust.ByReported:
		command := Words("distrust", "trust", "--anyway")
		if r.Decision.Project != "" {
			command = append(command, Words("--for", Release(r.Decision.Project, r.Decision.Version))...)
		}
		name := File(r.Path, Digest(r.Query))
		if r.Path == "-" {
			name = Word(Digest(r.Query))
		}
		return []Hint{{Text: "overrule", Command: append(command, name)}}
	case trust.ByChangedSigner:
		return r.handover()
	case trust.ByOwn, trust.ByNetwork, trust.BySignature, trust.ByOtherBytes, trust.BySubstitution, trust.ByNone:
	}
	return nil
}

// handover is how the key that signed takes the place of those that did so far.
func (r Report) handover() []Hint {
	var hints []Hint
	var signers []string
	for _, sig := range r.Query.Signatures {
		if sig.State == trust.SignatureGood && !slices.Contains(signers, sig.Signer) {
			signers = append(signers, sig.Signer)
			hints = append(hints, Hint{
				Text:    "once you are sure that it is the new key",
				Command: r.TrustSigner(sig.Signer),
			})
		}
	}
	for _, f := range r.Decision.Findings {
		if f.Kind == trust.FindingOtherSigner && f.Source == "" {
			hints = append(hints, Hint{
				Text:    "and when the old one signs no more",
				Command: Words("distrust", "withdraw", shortID(f.Statement.ID)),
			})
		}
	}
	return hints
}
