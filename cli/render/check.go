package render

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/distributed-trust/distrust/records/trust"
)

// WriteCheck prints the one line of check (C4): the verdict first, then the file as the user
// wrote it, the amount, and what decided.
func WriteCheck(w io.Writer, r Report, s Style) error {
	parts := []string{s.Paint(tone(r.Decision.Verdict), verdictWord(r.Decision.Verdict)), Escape(r.Path)}
	amount, remark := r.summary()
	for _, part := range []string{amount, remark} {
		if part != "" {
			parts = append(parts, Escape(part))
		}
	}
	_, err := io.WriteString(w, strings.Join(parts, "  ")+"\n")
	return err
}

// verdictWord is a verdict as people read it.
func verdictWord(v trust.Verdict) string { return strings.ToUpper(string(v)) }

// tone is the colour of a verdict.
func tone(v trust.Verdict) Tone {
	switch v {
	case trust.Trusted:
		return Good
	case trust.Distrusted, trust.Mismatch:
		return Bad
	case trust.Unknown:
		return Warn
	}
	return Plain
}

// summary is the amount behind a verdict, where one decided, and what else the one line says.
func (r Report) summary() (amount, remark string) {
	d := r.Decision
	amount = fmt.Sprintf("%d of %d", d.For, d.Policy.Trust)
	switch d.By {
	case trust.ByNetwork:
		if d.Disputed {
			return amount, fmt.Sprintf("disputed: %d of %d say no", d.Against, d.Policy.Block)
		}
		return amount, ""
	case trust.ByOwn:
		return "", r.ownWord()
	case trust.ByReported:
		return "", "reported as " + r.reporters(false)
	case trust.BySignature, trust.ByOtherBytes, trust.ByChangedSigner, trust.BySubstitution:
		return "", r.mismatch()
	case trust.ByNone:
	}
	remark = r.nearby()
	if remark == "" && r.Follows == 0 && len(d.Voices) == 0 {
		return "", "you follow nobody yet"
	}
	return amount, remark
}

// ownWord says what the user said, and since when.
func (r Report) ownWord() string {
	own := r.Decision.Own
	if own == nil {
		return "your own word"
	}
	at := Date(time.Unix(own.Statement.Issued, 0))
	switch {
	case report(own.Statement):
		return fmt.Sprintf("you reported it as %s on %s", own.Statement.Category, at)
	case own.Level == trust.LevelSigner:
		return fmt.Sprintf("you trust its signer for %s since %s", Project(r.Decision.Project), at)
	}
	return "you trusted it on " + at
}

// reporters names the gravest report and how many others there are: "malware by carol and 2
// more". uncounted takes the reports that add nothing, too.
func (r Report) reporters(uncounted bool) string {
	first, others := "", 0
	for _, v := range r.Decision.Voices {
		if v.Own || !report(v.Statement) || v.NotCounted != trust.Counts && !uncounted {
			continue
		}
		if first == "" {
			first = fmt.Sprintf("%s by %s", v.Statement.Category, sourceName(v))
		} else {
			others++
		}
	}
	if others > 0 {
		first += fmt.Sprintf(" and %d more", others)
	}
	return first
}

// Checksums stands for the format of a signature where a checksum list speaks against a file; the
// detail says which.
const Checksums = "checksum list"

// mismatch says what is wrong with the file.
func (r Report) mismatch() string {
	d := r.Decision
	if d.By == trust.BySignature {
		for _, s := range r.Query.Signatures {
			if s.State == trust.SignatureBad && s.Format == Checksums {
				return s.Detail
			}
			if s.State == trust.SignatureBad {
				return strings.Join(strings.Fields("bad "+s.Format+" signature"), " ")
			}
		}
	}
	for _, f := range d.Findings {
		switch {
		case d.By == trust.ByChangedSigner && f.Kind == trust.FindingOtherSigner,
			d.By == trust.ByOtherBytes && f.Kind == trust.FindingOtherBytes && f.Counted,
			d.By == trust.BySubstitution && f.Kind == trust.FindingOtherProject && f.Counted:
			return finding(f, d, shortSigner)
		}
	}
	return decidedBy(d)
}

// nearby is what an unknown file is close to: reports below the bar, then findings.
func (r Report) nearby() string {
	d := r.Decision
	if d.Against > 0 {
		return fmt.Sprintf("%d of %d say no: %s", d.Against, d.Policy.Block, r.reporters(false))
	}
	for _, f := range d.Findings {
		return finding(f, d, shortSigner)
	}
	return ""
}

// shortSigner is a signer on one line of 80 columns; why has it whole.
func shortSigner(identity string) string { return Short(Signer(identity)) }

// finding says a finding in words, with signers as signer writes them.
func finding(f trust.Finding, d trust.Decision, signer func(string) string) string {
	who, knows, trusts := f.Source, f.Source+" knows", f.Source+" trusts"
	if f.Source == "" {
		who, knows, trusts = you, "you know", "you trust"
	}
	s := f.Statement
	switch f.Kind {
	case trust.FindingOtherProject:
		return fmt.Sprintf("%s these bytes as %s", knows, Release(s.Project, s.Version))
	case trust.FindingOtherBytes:
		return fmt.Sprintf("not the bytes that %s for %s", trusted(f, who), Release(s.Project, s.Version))
	case trust.FindingNameTwin:
		return "not the bytes that " + trusted(f, who)
	case trust.FindingUnsigned, trust.FindingOtherSigner:
		return fmt.Sprintf("%s %s for %s%s", trusts, signer(f.Signer), Project(d.Project), instead(f))
	case trust.FindingNeedsProject:
		return fmt.Sprintf("%s its signer for %s: say which project it is with --for", trusts, signerProjects(s))
	}
	return string(f.Kind)
}

// fullFinding is finding with all that is known: of a signer since when, and by which record.
func fullFinding(f trust.Finding, d trust.Decision) string {
	switch f.Kind {
	case trust.FindingUnsigned, trust.FindingOtherSigner:
		return TrustsSigner(f, d.Project) + instead(f)
	case trust.FindingOtherProject, trust.FindingOtherBytes, trust.FindingNameTwin, trust.FindingNeedsProject:
	}
	return finding(f, d, Signer)
}

// TrustsSigner says of a finding about a signer who trusts which key, for what, since when and by which
// record: "you trust SHA256:… for pypi:requests since 2026-11-21 (record 0123456789abcdef)".
func TrustsSigner(f trust.Finding, project string) string {
	trusts := "you trust"
	if f.Source != "" {
		trusts = f.Source + " trusts"
	}
	return fmt.Sprintf("%s %s for %s since %s (record %s)",
		trusts, Signer(f.Signer), Project(project), Date(time.Unix(f.Statement.Issued, 0)), shortID(f.Statement.ID))
}

// instead says what there is in place of a signature by the signer of a finding.
func instead(f trust.Finding) string {
	switch {
	case f.Kind == trust.FindingOtherSigner:
		return ", and another key signed this"
	case f.State == trust.SignatureNoKey:
		return ", and the signature here is by a key that is not at hand"
	case f.State != "":
		return ", and the signature here does not count: " + string(f.State)
	}
	return ", and it did not sign this"
}

// trusted says who trusted other bytes, and when.
func trusted(f trust.Finding, who string) string {
	return fmt.Sprintf("%s trusted on %s", who, Date(time.Unix(f.Statement.Issued, 0)))
}

// signerProjects are the patterns that a signer is trusted for.
func signerProjects(s trust.Statement) string {
	var patterns []string
	for _, subject := range s.Subjects {
		for _, p := range subject.Pattern {
			patterns = append(patterns, Project(p))
		}
	}
	return strings.Join(patterns, ", ")
}
