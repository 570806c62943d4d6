package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	urfave "github.com/urfave/cli/v2"

	"github.com/distributed-trust/distrust/cli/config"
	"github.com/distributed-trust/distrust/cli/render"
	"github.com/distributed-trust/distrust/records/journal"
	"github.com/distributed-trust/distrust/records/subject"
	"github.com/distributed-trust/distrust/records/trust"
	"github.com/distributed-trust/distrust/schema"
)

// The flags of the commands that make records (C3, "Say").
const (
	reasonFlagName  = "reason"
	basisFlagName   = "basis"
	expiresFlagName = "expires"
	privateFlagName = "private"
	noSealFlagName  = "no-seal"
	anywayFlagName  = "anyway"
	signerFlagName  = "signer"
)

func reasonFlag() urfave.Flag {
	return &urfave.StringFlag{Name: reasonFlagName, Usage: "why, in a few `WORDS` that others will read"}
}

func basisFlag() urfave.Flag {
	return &urfave.StringFlag{Name: basisFlagName, Usage: "what you did: `BASIS` is " + joinWords(schema.Bases())}
}

func noSealFlag() urfave.Flag {
	return &urfave.BoolFlag{Name: noSealFlagName, Usage: "only commit the record; somebody else seals it"}
}

func privateFlag() urfave.Flag {
	return &urfave.BoolFlag{Name: privateFlagName, Usage: "keep the record on this machine for ever"}
}

func joinWords[T ~string](words []T) string {
	parts := make([]string, len(words))
	for i, w := range words {
		parts[i] = string(w)
	}
	return strings.Join(parts, ", ")
}

func trustCommand(*Env) *Command {
	return &Command{
		Name: "trust", Operands: "[FILE...]", Min: 0, Max: schema.MaxSubjects, Group: Say,
		Summary: "say that these very bytes are good, or that a key signs a project",
		Text: `Makes one signed record about all the files in your home, a git repository on this machine. ` +
			`It is about these bytes only: a changed file is another file. What is reported needs --anyway, ` +
			`and the record then names the reports that you saw, so that a new one asks again.` + "\n\n" +
			`With --sums LIST, a checksum list such as SHA256SUMS, each file has to be in the list with exactly these bytes, else ` +
			`nothing is written. Without files the record is about all that the list names: a maintainer's list of releases.` + "\n\n" +
			`With --signer the record says that a key signs for the project of --for.`,
		Flags: append(append([]urfave.Flag{
			forFlag(), reasonFlag(), basisFlag(),
			&urfave.StringFlag{Name: expiresFlagName, Usage: "until `WHEN`: 90d, 2027-01-31, or RFC 3339"},
			privateFlag(), noSealFlag(),
			&urfave.BoolFlag{Name: anywayFlagName, Usage: "overrule reports and mismatches"},
			&urfave.StringFlag{Name: signerFlagName, Usage: "trust `KEY` to sign what --for names, instead of files"},
			jsonFlag(),
		}, signatureFlags()...), signFlags()...),
		Examples: []Example{
			{"distrust trust install.sh", "these bytes are good"},
			{"distrust trust jq-1.8.tar.gz --for generic:jq@1.8 --basis reviewed", "and this is what they are"},
			{"distrust trust dist/* --sums SHA256SUMS --for pypi:requests@2.33.0", "a release, held to its list"},
			{"distrust trust --sums SHA256SUMS.asc --for generic:curl@8.0", "the list alone, without the files"},
			{"distrust trust install.sh --private", "without telling anybody"},
		},
		Exits: []Exit{Distrusted, Mismatch, NotSetUp},
		Run:   runTrust,
	}
}

// runTrust makes a trust record.
func runTrust(ctx context.Context, in *Invocation) (Exit, error) {
	m, err := in.machine()
	if err != nil {
		return Failed, err
	}
	doc := schema.Record{Kind: schema.KindTrust, Reason: in.String(reasonFlagName)}
	if err := trustFields(in, &doc); err != nil {
		return Usage, err
	}
	subjects, err := trustSubjects(ctx, in, &doc)
	if err != nil {
		return Failed, err
	}
	opts := sayOptions{private: in.Bool(privateFlagName), noSeal: in.Bool(noSealFlagName)}
	var overruled []journal.Entry
	r, err := m.saySomething(ctx, opts, func() (schema.Record, error) {
		var err error
		doc.Seen, overruled, err = seenReports(ctx, in, subjects, doc)
		return doc, err
	})
	if err != nil {
		return Failed, err
	}
	m.note(ctx, overruled...)
	if in.Bool(jsonFlagName) {
		return Done, printRecordJSON(in, r, opts.standing())
	}
	m.saidRecord(r, "trusted", subjectsText(doc), opts)
	return Done, nil
}

// trustFields reads the flags of a trust record.
func trustFields(in *Invocation, doc *schema.Record) error {
	if in.Bool(privateFlagName) && (in.Bool(noSealFlagName) || in.Given(homeFlagName)) {
		return usagef("--private goes with neither --no-seal nor --home: a private record is in no repository")
	}
	if doc.Reason != "" {
		if err := schema.ValidText(doc.Reason); err != nil {
			return BadValue(reasonFlagName, err)
		}
	}
	if basis := schema.Basis(in.String(basisFlagName)); basis != "" {
		if !slices.Contains(schema.Bases(), basis) {
			return BadValue(basisFlagName, fmt.Errorf("%q is none of %s", basis, joinWords(schema.Bases())))
		}
		doc.Basis = basis
	}
	if when := in.String(expiresFlagName); when != "" {
		at, err := config.ParseWhen(when, in.Env.Now())
		if err != nil {
			return BadValue(expiresFlagName, err)
		}
		if !at.After(in.Env.Now()) {
			return BadValue(expiresFlagName, errors.New("that is over already"))
		}
		doc.Expires = at
	}
	return nil
}

// trustSubjects fills in what the record is about: the files, or one signer.
func trustSubjects(ctx context.Context, in *Invocation, doc *schema.Record) ([]spokenOf, error) {
	if key := in.String(signerFlagName); key != "" {
		return nil, trustSigner(ctx, in, key, doc)
	}
	if len(in.Operands) == 0 && !in.Given(sumsFlagName) {
		return nil, needsHelp("trust", "trust needs a FILE, --sums LIST, or --signer KEY with --for PATTERN")
	}
	p, err := in.proofsFor(ctx)
	if err != nil {
		return nil, err
	}
	defer p.world.close()
	doc.Project, doc.Version = p.project, p.version
	if in.Given(sumsFlagName) {
		return p.listedSubjects(ctx, doc)
	}
	p.sha512 = true // which is all that some lock files pin
	return readAll(ctx, in, doc, p.read)
}

// spokenOf is a file that a record is about, and what the signatures beside it say.
type spokenOf struct {
	subject.Subject
	signatures []trust.Signature
}

// query is what is asked about it before it is spoken of.
func (s spokenOf) query(project, version string) trust.Query {
	q := query(s.Subject, project, version)
	q.Signatures = s.signatures
	return q
}

// trustSigner makes the subject of --signer.
func trustSigner(ctx context.Context, in *Invocation, key string, doc *schema.Record) error {
	if len(in.Operands) > 0 || in.Given(sumsFlagName) || in.Given(sigFlagName) {
		return usagef("trust takes files or --signer, not both")
	}
	if in.String(forFlagName) == "" {
		return usagef("--signer needs --for: a key is trusted for a project, never for everything by accident")
	}
	pattern, err := schema.NormalizePattern(in.String(forFlagName))
	if err != nil {
		return BadValue(forFlagName, err)
	}
	in.Env.warnKind(pattern)
	one, err := in.signerSubject(ctx, key)
	if err != nil {
		return BadValue(signerFlagName, err)
	}
	one.Pattern = []string{pattern}
	doc.Subjects = []schema.Subject{one}
	return nil
}

// readAll reads the files and digests of a record; the same bytes twice are one subject.
func readAll(ctx context.Context, in *Invocation, doc *schema.Record, read func(context.Context, string) (subject.Subject, []trust.Signature, error)) ([]spokenOf, error) {
	var subjects []spokenOf
	for _, arg := range in.Operands {
		s, signatures, err := read(ctx, arg)
		if err != nil {
			return nil, err
		}
		if s.Digest.SHA256 == "" {
			return nil, usagef("%s: a record needs the SHA-256, which a sha512 digest alone does not give", arg)
		}
		subjects = append(subjects, spokenOf{s, signatures})
		doc.Subjects = addSubject(doc.Subjects, fileSubject(s))
	}
	return subjects, nil
}

// seenReports decides every file once more: what is reported or known with other bytes needs
// --anyway, and the reports that the user overrules are named in the record (D5). It gives what is
// overruled as the journal keeps it, too.
func seenReports(ctx context.Context, in *Invocation, subjects []spokenOf, doc schema.Record) (seen []string, overruled []journal.Entry, err error) {
	w, err := in.world(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer w.close()
	for _, s := range subjects {
		r, err := w.report(in, s.Subject, s.query(doc.Project, doc.Version), "trust")
		if err != nil {
			return nil, nil, err
		}
		decision := r.Decision
		stopped := decision.Verdict == trust.Mismatch || decision.Verdict == trust.Distrusted && decision.By != trust.ByOwn
		if stopped && !in.Bool(anywayFlagName) {
			exit, named := ExitOf(decision.Verdict), s.Arg
			if s.Path == "" && s.Name != "" {
				named = s.Name // of a list; the file is not here
			}
			return nil, nil, fail(exit, fmt.Errorf("%s is %s", named, decision.Verdict), "look first, then add --anyway if you must",
				append(render.Words("distrust", "why"), shownAs(s.Subject))...)
		}
		if in.Bool(anywayFlagName) { // else nobody has said that they looked: what is below the bar stays unseen
			seen = append(seen, decision.Reports()...)
		}
		if stopped && s.Path != "" {
			e := w.entry(in, s.Subject, r)
			e.Overruled = true
			overruled = append(overruled, e)
		}
	}
	slices.Sort(seen)
	return slices.Compact(seen), overruled, nil
}
