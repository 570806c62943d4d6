package cli

import (
	"context"
	"fmt"
	"path"
	"slices"

	"github.com/distributed-trust/distrust/cli/render"
	"github.com/distributed-trust/distrust/records/signature"
	"github.com/distributed-trust/distrust/records/subject"
	"github.com/distributed-trust/distrust/records/trust"
	"github.com/distributed-trust/distrust/schema"
)

// listedSubjects fills in what a record of --sums is about: the files, each of which the list has to
// name with exactly these bytes, or, without files, all that the list names.
func (p *proofs) listedSubjects(ctx context.Context, doc *schema.Record) ([]spokenOf, error) {
	l, err := p.namedList(p.in.String(sumsFlagName))
	if err != nil {
		return nil, err
	}
	signers, err := p.whoSigned(ctx, l)
	if err != nil {
		return nil, err
	}
	if err := p.in.sayListSigned(l, signers); err != nil {
		return nil, err
	}
	if len(p.in.Operands) == 0 {
		return allListed(l, signers, doc)
	}
	return p.theseListed(ctx, l, doc)
}

// sayListSigned says who signed a list, and stops at a bad signature that the user does not overrule.
func (in *Invocation) sayListSigned(l *signedList, signers []signature.Result) error {
	if len(signers) == 0 {
		in.Env.say(l.file + ": nobody signed it")
	}
	for _, sig := range signaturesFrom(signers) {
		text := l.file + ": " + render.Signature(sig)
		if sig.State == trust.SignatureBad && !in.Bool(anywayFlagName) {
			return fail(Mismatch, fmt.Errorf("%s", text), "get the list and its signature again, or add --anyway if you must")
		}
		in.Env.say(text)
	}
	return nil
}

// theseListed reads the files. When one is not on the list, or with other bytes, nothing is written, and
// all such files are named.
func (p *proofs) theseListed(ctx context.Context, l *signedList, doc *schema.Record) ([]spokenOf, error) {
	missing := 0
	for _, arg := range p.in.Operands {
		if _, ok := l.list.Find(subject.NameOf(arg)); !ok {
			missing++
			p.in.Env.say(fmt.Sprintf("%s does not name %s", l.file, arg))
		}
	}
	if missing > 0 {
		return nil, fmt.Errorf("%s does not name %d of %d files: nothing was written", l.file, missing, len(p.in.Operands))
	}
	subjects, err := readAll(ctx, p.in, doc, p.read)
	if err != nil {
		return nil, err
	}
	wrong := 0
	for _, s := range subjects {
		if entry, _ := l.list.Find(s.Name); !entry.Names(s.Digest) {
			wrong++
			p.in.Env.say(fmt.Sprintf("%s names other bytes for %s", l.file, s.Arg))
		}
	}
	if wrong > 0 {
		return nil, fail(Mismatch, fmt.Errorf("%s names other bytes for %d of %d files: nothing was written", l.file, wrong, len(subjects)), "")
	}
	return subjects, nil
}

// allListed makes every entry of a list a subject. The sizes are not known, and the files need not be here.
func allListed(l *signedList, signers []signature.Result, doc *schema.Record) ([]spokenOf, error) {
	entries := l.list.Entries()
	switch {
	case len(entries) == 0:
		return nil, fmt.Errorf("%s names no file", l.file)
	case len(entries) > schema.MaxSubjects:
		return nil, fmt.Errorf("%s names %d files, and one record takes %d: name those that you mean", l.file, len(entries), schema.MaxSubjects)
	}
	var subjects []spokenOf
	for _, e := range entries {
		if e.Digest.SHA256 == "" {
			return nil, fmt.Errorf("%s has no SHA-256 of %s, which a record needs: name the files, too", l.file, e.Path)
		}
		s := subject.Subject{Arg: "sha256:" + e.Digest.SHA256, Name: path.Base(e.Path), Size: -1, Digest: e.Digest}
		subjects = append(subjects, spokenOf{s, signaturesFrom(l.list.Means(signers, e.Path, e.Digest))})
		doc.Subjects = addSubject(doc.Subjects, fileSubject(s))
	}
	return subjects, nil
}

// addSubject adds a file subject unless it is there.
func addSubject(subjects []schema.Subject, one schema.Subject) []schema.Subject {
	if slices.ContainsFunc(subjects, func(o schema.Subject) bool { return o.Digest == one.Digest && o.File == one.File }) {
		return subjects
	}
	return append(subjects, one)
}
