package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/distributed-trust/distrust/cli/render"
	"github.com/distributed-trust/distrust/cli/terminal"
	"github.com/distributed-trust/distrust/records/trust"
	"github.com/distributed-trust/distrust/schema"
)

// question asks what to do about something unknown, until the answer is a decision (C5).
func (in *Invocation) question(ctx context.Context, tty *terminal.Terminal, c candidate, r render.Report) (render.Answer, string, error) {
	q := questionAbout(c, r)
	text := q.Text(in.Stderr)
	for {
		if err := tty.Print(text); err != nil {
			return render.AnswerNo, "", err
		}
		typed, err := tty.Choose(ctx, q.Prompt(), q.Words()...)
		if err != nil {
			return render.AnswerNo, "", err
		}
		answer, signer := q.Answer(typed)
		switch answer {
		case render.AnswerHelp:
			text = q.Help(in.Stderr)
		case render.AnswerView:
			text = ""
			if err := c.view(ctx, tty); err != nil {
				return render.AnswerNo, "", err
			}
		case render.AnswerNo, render.AnswerFile, render.AnswerSigner, render.AnswerDeny:
			return answer, signer, nil
		}
	}
}

// questionAbout is what can be answered about c.
func questionAbout(c candidate, r render.Report) render.Question {
	q := render.Question{Report: r, Viewing: c.open != nil}
	for _, sig := range r.Query.Signatures {
		if sig.State == trust.SignatureGood && r.Query.Project != "" && !slices.Contains(q.Signers, sig.Signer) {
			q.Signers = append(q.Signers, sig.Signer)
		}
	}
	q.Missing = slices.ContainsFunc(r.Decision.Findings, func(f trust.Finding) bool { return f.Kind == trust.FindingUnsigned })
	return q
}

// record writes an answer down as a private record: by answering nothing is ever published (C5). What was
// shown with the question is what the user has seen; when it is not the whole truth any more, the answer
// was to another question.
func (in *Invocation) record(ctx context.Context, c candidate, r render.Report, answer render.Answer, signer string) error {
	doc, err := answerRecord(ctx, c, r, answer, signer)
	if err != nil {
		return err
	}
	m, err := in.machine()
	if err != nil {
		return err
	}
	_, err = m.saySomething(ctx, sayOptions{private: true}, func() (schema.Record, error) {
		now, err := in.world(ctx)
		if err != nil {
			return doc, err
		}
		defer now.close()
		d, _, _, err := now.decide(r.Query)
		if err != nil {
			return doc, err
		}
		if d.Verdict != r.Decision.Verdict || !slices.Equal(d.Reports(), r.Decision.Reports()) {
			return doc, fail(Unknown, fmt.Errorf("there is news about %s since you were asked", c.Arg), "run it again")
		}
		if doc.Kind == schema.KindTrust {
			doc.Seen = render.Question{Report: r}.Seen()
		}
		return doc, nil
	})
	return err
}

// answerRecord is the record that an answer makes.
func answerRecord(ctx context.Context, c candidate, r render.Report, answer render.Answer, signer string) (schema.Record, error) {
	switch answer {
	case render.AnswerSigner:
		one, err := c.proofs.signerOf(ctx, signer)
		one.Pattern = []string{r.Query.Project}
		return schema.Record{Kind: schema.KindTrust, Subjects: []schema.Subject{one}}, err
	case render.AnswerFile, render.AnswerDeny:
		doc := schema.Record{
			Kind: schema.KindTrust, Project: r.Query.Project, Version: r.Query.Version,
			Subjects: []schema.Subject{fileSubject(c.Subject)},
		}
		if answer == render.AnswerDeny {
			doc.Kind, doc.Category = schema.KindDistrust, schema.Other
		}
		return doc, nil
	case render.AnswerNo, render.AnswerView, render.AnswerHelp:
	}
	return schema.Record{}, fmt.Errorf("the answer %q is no record", answer)
}

// viewLine is the most of a line that is shown at once; what is longer goes on in the next.
const viewLine = 4096

// view shows what is in c, escaped, a screenful at a time.
func (c candidate) view(ctx context.Context, tty *terminal.Terminal) error {
	content, err := c.open()
	if err != nil {
		return err
	}
	lines := bufio.NewReaderSize(content, viewLine)
	err = tty.Page(ctx, func() (string, bool, error) {
		line, err := lines.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull), errors.Is(err, io.EOF) && len(line) > 0, err == nil:
			return render.Content(strings.TrimSuffix(string(line), "\n")), true, nil
		case errors.Is(err, io.EOF):
			return "", false, nil
		}
		return "", false, fmt.Errorf("reading %s: %w", c.Arg, err)
	}, render.Width)
	return errors.Join(err, content.Close())
}
