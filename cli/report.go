package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"

	urfave "github.com/urfave/cli/v2"

	"github.com/distributed-trust/distrust/cli/render"
	"github.com/distributed-trust/distrust/records/signature"
	"github.com/distributed-trust/distrust/records/subject"
	"github.com/distributed-trust/distrust/records/trust"
	"github.com/distributed-trust/distrust/schema"
)

const (
	releaseFlagName = "release"
	projectFlagName = "project"
	toFlagName      = "to"
	fromFlagName    = "from"
)

func reportCommand(*Env) *Command {
	return &Command{
		Name: "report", Operands: "CATEGORY [FILE...]", Min: 1, Max: schema.MaxSubjects, Group: Say,
		Summary: "say that something is bad: a file, a signer, a release or a project",
		Text: `CATEGORY is ` + joinWords(schema.Categories()) + `. Makes one signed record in your home. People who follow you ` +
			`are stopped by it, and told if they accepted it earlier. A report stays until you withdraw it, even if the record ` +
			`disappears from your repository.` + "\n\n" +
			`With --to it also prints a message for the maintainer of a list that you follow: the evidence, and how to check it with stock ` +
			`tools. Sending it is up to you.`,
		Flags: append([]urfave.Flag{
			forFlag(), reasonFlag(), basisFlag(),
			&urfave.StringFlag{Name: signerFlagName, Usage: "report what `KEY` signs, for every project"},
			&urfave.StringFlag{Name: releaseFlagName, Usage: "report a `PROJECT@VERSION`"},
			&urfave.StringFlag{Name: projectFlagName, Usage: "report a whole `PROJECT`"},
			&urfave.StringFlag{Name: toFlagName, Usage: "also print a message for the maintainer of the list `SOURCE`"},
			&urfave.StringFlag{Name: fromFlagName, Usage: "the `URL` that the file came from, for that message"},
			privateFlag(), noSealFlag(), jsonFlag(),
		}, signFlags()...),
		Examples: []Example{
			{"distrust report malware dist.tgz --for npm:left-pad@2.0 --reason 'reads keys'", "these bytes are malware"},
			{"distrust report typosquat --project pypi:reqeusts", "the whole project is not what it seems"},
			{"distrust report vulnerable --release npm:left-pad@1.0.0", "every file of a release"},
			{"distrust report other dist.tgz --for npm:left-pad@2.0.0 --to alice", "her list names other bytes: tell her"},
		},
		Exits: []Exit{NotSetUp},
		Run:   runReport,
	}
}

// runReport makes a distrust record.
func runReport(ctx context.Context, in *Invocation) (Exit, error) {
	category := schema.Category(in.Operands[0])
	if !slices.Contains(schema.Categories(), category) {
		return Usage, usagef("%q is no category: %s", in.Operands[0], joinWords(schema.Categories()))
	}
	in.Operands = in.Operands[1:]
	m, err := in.machine()
	if err != nil {
		return Failed, err
	}
	doc := schema.Record{Kind: schema.KindDistrust, Category: category, Reason: in.String(reasonFlagName)}
	if err := trustFields(in, &doc); err != nil {
		return Usage, err
	}
	subjects, err := reportSubjects(ctx, in, &doc)
	if err != nil {
		return Failed, err
	}
	message, err := m.messageTo(ctx, doc)
	if err != nil {
		return Failed, err
	}
	opts := sayOptions{private: in.Bool(privateFlagName), noSeal: in.Bool(noSealFlagName)}
	r, err := m.saySomething(ctx, opts, func() (schema.Record, error) {
		return doc, in.sayOverridden(ctx, subjects, doc)
	})
	if err != nil {
		return Failed, err
	}
	if err := m.complete(ctx, message, r); err != nil {
		return Failed, err
	}
	if in.Bool(jsonFlagName) {
		return Done, printReportJSON(in, r, opts.standing(), message)
	}
	m.saidRecord(r, "reported as "+string(category), subjectsText(doc), opts)
	m.sayMessage(message)
	return Done, nil
}

// reportSubjects fills in what the report is about: files, or exactly one name or signer.
func reportSubjects(ctx context.Context, in *Invocation, doc *schema.Record) ([]spokenOf, error) {
	named := 0
	for _, flag := range []string{signerFlagName, releaseFlagName, projectFlagName} {
		if in.String(flag) != "" {
			named++
		}
	}
	if named > 1 || named == 1 && (len(in.Operands) > 0 || in.String(forFlagName) != "") {
		return nil, usagef("report takes files, or one of --signer, --release and --project")
	}
	switch {
	case in.String(signerFlagName) != "":
		one, err := in.signerSubject(ctx, in.String(signerFlagName))
		if err != nil && !errors.Is(err, signature.ErrNoCertificate) { // a revoked key can be reported, too
			return nil, BadValue(signerFlagName, err)
		}
		doc.Subjects = []schema.Subject{one}
		return nil, nil
	case in.String(releaseFlagName) != "":
		project, version, err := schema.NormalizeProject(in.String(releaseFlagName))
		if err == nil && version == "" {
			err = fmt.Errorf("a release has a version: %s@VERSION", project)
		}
		if err != nil {
			return nil, BadValue(releaseFlagName, err)
		}
		doc.Subjects = []schema.Subject{{Size: -1, Release: project + "@" + version}}
		return nil, nil
	case in.String(projectFlagName) != "":
		project, version, err := schema.NormalizeProject(in.String(projectFlagName))
		if err == nil && version != "" {
			err = fmt.Errorf("a project has no version; for one release: --release")
		}
		if err != nil {
			return nil, BadValue(projectFlagName, err)
		}
		doc.Subjects = []schema.Subject{{Size: -1, Project: project}}
		return nil, nil
	}
	if len(in.Operands) == 0 {
		return nil, needsHelp("report", "report needs a FILE, --signer, --release or --project")
	}
	var err error
	if doc.Project, doc.Version, err = in.project(); err != nil {
		return nil, err
	}
	return readAll(ctx, in, doc, func(ctx context.Context, arg string) (subject.Subject, []trust.Signature, error) {
		// Some lock files pin by SHA-512 alone. And a no needs nobody's yes.
		s, err := in.read(ctx, arg, subject.Options{SHA512: true})
		return s, nil, err
	})
}

// sayOverridden names the own trust records that a report goes against (C3).
func (in *Invocation) sayOverridden(ctx context.Context, subjects []spokenOf, doc schema.Record) error {
	w, err := in.world(ctx)
	if err != nil {
		return err
	}
	defer w.close()
	var against []trust.Statement
	for _, s := range subjects {
		decision, _, _, err := w.decide(s.query(doc.Project, doc.Version))
		if err != nil {
			return err
		}
		if own := decision.Own; own != nil && own.Statement.Kind == schema.KindTrust && decision.By == trust.ByOwn {
			against = append(against, own.Statement)
		}
	}
	for _, one := range doc.Subjects {
		trusted, err := w.ownTrustIn(one.Signer)
		if err != nil {
			return err
		}
		against = append(against, trusted...)
	}
	for _, st := range against {
		in.Env.say(fmt.Sprintf("this goes against your own record %s of %s", st.ID[:16], render.Date(unixTime(st.Issued))))
	}
	return nil
}

// ownTrustIn are the user's own records that trust a signer, for whatever project; none of "".
func (w *world) ownTrustIn(signer string) ([]trust.Statement, error) {
	if signer == "" {
		return nil, nil
	}
	signed := []trust.Signature{{Signer: signer, State: trust.SignatureGood}}
	_, statements, _, err := w.decide(trust.Query{Size: -1, Signatures: signed})
	if err != nil {
		return nil, err
	}
	withdrawn := withdrawnBy(statements)
	return slices.DeleteFunc(statements, func(st trust.Statement) bool {
		about := slices.ContainsFunc(st.Subjects, func(s schema.Subject) bool { return s.Signer == signer })
		return st.Kind != schema.KindTrust || !about || !w.isOwn(st.Log) || withdrawn[st.ID] || st.Void ||
			st.Expires != 0 && st.Expires <= w.now.Unix()
	}), nil
}
