package cli

import (
	"context"
	"errors"

	urfave "github.com/urfave/cli/v2"

	"github.com/distributed-trust/distrust/cli/config"
	"github.com/distributed-trust/distrust/cli/render"
	"github.com/distributed-trust/distrust/records/subject"
	"github.com/distributed-trust/distrust/records/trust"
)

func checkCommand(*Env) *Command {
	return &Command{
		Name: "check", Operands: "FILE...", Min: 1, Max: Any, Group: Decide, Killable: true,
		Summary: "should I trust this file? one line and an exit code",
		Text: `FILE is a file, - for standard input, or sha256:HEX. Asks nobody, fetches nothing and changes no decision. It needs no ` +
			`set-up. Only exit code 0 means go on.` + "\n\n" + signatureText,
		Flags: append([]urfave.Flag{forFlag(), jsonFlag(), quietFlag()}, signatureFlags()...),
		Examples: []Example{
			{"distrust check install.sh", "one file"},
			{"distrust check requests-2.33.0.tar.gz --for pypi:requests@2.33.0", "and is it what it is said to be?"},
			{"distrust check curl-8.0.tar.gz --for generic:curl --sums SHA256SUMS.asc", "and is it in their signed list?"},
			{"distrust check -q tool && ./tool", "in a script"},
		},
		Exits: []Exit{Unknown, Distrusted, Mismatch},
		Run: func(ctx context.Context, in *Invocation) (Exit, error) {
			return runCheck(ctx, in, checkOutput(in), true)
		},
	}
}

func whyCommand(*Env) *Command {
	return &Command{
		Name: "why", Operands: "FILE...", Min: 1, Max: Any, Group: Decide, Killable: true,
		Summary: "the same as check, with every reason",
		Text: `Shows every voice with its path and amount, what was not counted and why, and what would change the verdict. The exit ` +
			`code is that of check.`,
		Flags:    append([]urfave.Flag{forFlag(), jsonFlag()}, signatureFlags()...),
		Examples: []Example{{"distrust why requests-2.33.0.tar.gz --for pypi:requests", "who says what, and how it adds up"}},
		Exits:    []Exit{Unknown, Distrusted, Mismatch},
		Run: func(ctx context.Context, in *Invocation) (Exit, error) {
			return runCheck(ctx, in, whyOutput(in), false)
		},
	}
}

// output prints one report.
type output func(render.Report) error

func checkOutput(in *Invocation) output {
	return func(r render.Report) error {
		switch {
		case in.Bool(quietFlagName):
			return nil
		case in.Bool(jsonFlagName):
			return render.WriteJSON(in.Env.Stdout, r)
		}
		if err := render.WriteCheck(in.Env.Stdout, r, in.Stdout); err != nil {
			return err
		}
		if len(in.Operands) == 1 {
			in.Env.hint(checkHint(r))
		}
		return nil
	}
}

// checkHint is the one next step that check names: after a no it is to look, never to overrule.
func checkHint(r render.Report) render.Hint {
	switch r.Decision.Verdict {
	case trust.Distrusted, trust.Mismatch:
		return render.Hint{Text: "see who says so", Command: whyCommandLine(r)}
	case trust.Trusted, trust.Unknown:
	}
	if len(r.Hints) == 0 {
		return render.Hint{}
	}
	return r.Hints[0]
}

func whyCommandLine(r render.Report) []render.Arg {
	words := render.Words("distrust", "why")
	if r.Query.Project != "" {
		words = append(words, render.Words("--for", render.Release(r.Query.Project, r.Query.Version))...)
	}
	words = append(words, r.Proofs...)
	return append(words, shownAs(subject.Subject{Arg: r.Path, Digest: r.Query.Digest}))
}

func whyOutput(in *Invocation) output {
	return func(r render.Report) error {
		if in.Bool(jsonFlagName) {
			return render.WriteJSON(in.Env.Stdout, r)
		}
		return render.WriteWhy(in.Env.Stdout, r, in.Stdout)
	}
}

// runCheck decides every operand and prints what came of it. One that cannot be read does not
// keep the others from being decided. What check accepts is remembered; why only explains.
func runCheck(ctx context.Context, in *Invocation, print output, remember bool) (Exit, error) {
	p, err := in.proofsFor(ctx)
	if err != nil {
		return Failed, err
	}
	defer p.world.close()
	var exits []Exit
	for _, arg := range in.Operands {
		s, signatures, err := p.read(ctx, arg)
		if errors.Is(err, subject.ErrDigest) {
			return Usage, usagef("%v", err)
		}
		if err != nil {
			if len(in.Operands) == 1 {
				return Failed, err
			}
			exits = append(exits, in.Env.complain(err))
			continue
		}
		q := query(s, p.project, p.version)
		q.Signatures = signatures
		report, err := p.world.report(in, s, q, "ask")
		if err != nil {
			return Failed, err
		}
		if err := print(report); err != nil {
			return Failed, err
		}
		if remember {
			p.world.remember(ctx, in, s, report)
		}
		exits = append(exits, Exit(report.Exit))
	}
	return WorstOfFiles(exits...), nil
}

// report decides one subject and gathers what is said about it. decide is the command that the user is
// shown for settling it: ask, or trust where a question was put already, or could not be.
func (w *world) report(in *Invocation, s subject.Subject, q trust.Query, decide string) (render.Report, error) {
	decision, statements, lookup, err := w.decide(q)
	if err != nil {
		return render.Report{}, err
	}
	r := render.Report{
		Path: s.Arg, Query: q, Decision: decision,
		Follows: len(w.compiled.Follows), Synced: readSynced(in),
		Indexed: lookup.Indexed, Exit: int(ExitOf(decision.Verdict)), Certs: in.Strings(certFlagName), Proofs: in.proofWords(),
	}
	r.Hints = w.hints(r, s, statements, decide)
	return r, nil
}

// hints are what would change the verdict, best first (C3, why).
func (w *world) hints(r render.Report, s subject.Subject, statements []trust.Statement, decide string) []render.Hint {
	q, d := r.Query, r.Decision
	named := func(words ...string) []render.Arg {
		args := render.Words(words...)
		if q.Project != "" {
			args = append(args, render.Words("--for", render.Release(q.Project, q.Version))...)
		}
		return append(args, shownAs(s))
	}
	switch d.Verdict {
	case trust.Trusted:
		return nil
	case trust.Distrusted, trust.Mismatch:
		if d.By == trust.ByOwn {
			return []render.Hint{{Text: "take it back", Command: render.Words("distrust", "withdraw", d.Own.Statement.ID[:16])}}
		}
		return nil // why prints how to overrule (C4)
	case trust.Unknown:
	}
	var hints []render.Hint
	for _, c := range trust.Enough(q, statements, w.network, w.compiled.Policy, w.now) {
		switch c.Kind {
		case trust.ChangeProject:
			hints = append(hints, render.Hint{
				Text:    "enough if it is " + render.Project(c.Project),
				Command: append(render.Words("distrust", "check", "--for", render.Project(c.Project)), shownAs(s)),
			})
		case trust.ChangeFollow:
			if c.Followed && config.ValidName(c.Name) == nil {
				hints = append(hints, render.Hint{
					Text:    "enough if you follow " + c.Name + " at full",
					Command: render.Words("distrust", "follow", c.Name, "--weight", "full"),
				})
			}
		case trust.ChangeSigner:
			hints = append(hints, render.Hint{
				Text:    "enough if you trust its signer for " + render.Project(c.Project),
				Command: r.TrustSigner(c.Signer),
			})
		}
	}
	return append(hints, render.Hint{Text: "decide for yourself once", Command: named("distrust", decide)})
}
