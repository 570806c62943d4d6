package cli

import (
	"context"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/distributed-trust/distrust/cli/render"
	"github.com/distributed-trust/distrust/records/subject"
	"github.com/distributed-trust/distrust/records/trust"
	"github.com/distributed-trust/distrust/schema"
)

// overrule takes a file against the verdict, says so, and remembers that it was.
func (g *getting) overrule(ctx context.Context, w *world, s subject.Subject, r render.Report, beside []string) (Exit, error) {
	if err := g.warnAbout(r); err != nil {
		return Failed, err
	}
	if err := g.place(g.target, beside); err != nil {
		return Failed, err
	}
	e := w.entry(g.in, s, r)
	e.Overruled = true
	w.note(ctx, g.in, e)
	g.in.Env.warn("%s IS %s, and is used because of --anyway", g.target, strings.ToUpper(string(r.Decision.Verdict)))
	hint := checkHint(r)
	if list := g.mismatchedList(w, r); list != "" {
		hint = g.tell(list, g.target)
	}
	r.Exit, r.Hints = int(Done), []render.Hint{hint}
	return Done, g.show(r, hint)
}

// refuse throws the file away, or keeps it under a name that warns.
func (g *getting) refuse(w *world, r render.Report, beside []string) (Exit, error) {
	exit := Exit(r.Exit)
	if err := g.warnAbout(r); err != nil {
		return Failed, err
	}
	kept := ""
	if g.in.Bool(keepFlagName) {
		kept = g.untrusted()
		if err := os.Chmod(g.file(), 0o600); err != nil {
			return Failed, err
		}
		if err := g.place(kept, beside); err != nil {
			return Failed, err
		}
	}
	hint := g.refusedHint(w, r, kept)
	if g.in.Bool(jsonFlagName) {
		if r.Path = kept; kept == "" {
			r.Path = render.Digest(r.Query) // there is no file to speak of
		}
		r.Hints = []render.Hint{hint}
		return exit, g.show(r, hint)
	}
	if g.in.Bool(quietFlagName) {
		return exit, nil
	}
	if kept != "" {
		g.say("kept as " + kept)
	}
	return exit, g.in.sayRefused(r, hint)
}

// show prints a report as check does, with a hint of our own.
func (g *getting) show(r render.Report, hint render.Hint) error {
	switch {
	case g.in.Bool(quietFlagName):
		return nil
	case g.in.Bool(jsonFlagName):
		return render.WriteJSON(g.in.Env.Stdout, r)
	}
	if err := render.WriteCheck(g.in.Env.Stdout, r, g.in.Stdout); err != nil {
		return err
	}
	g.in.Env.hint(hint)
	return nil
}

// warnAbout shows what is wrong at length where a line does not do: a changed signer, and other bytes
// than a followed list names.
func (g *getting) warnAbout(r render.Report) error {
	if g.in.Bool(quietFlagName) {
		return nil
	}
	_, err := io.WriteString(g.in.Env.Stderr, r.ChangedSigner(g.in.Stderr)+r.OtherBytes(g.in.Stderr))
	return err
}

// mismatchedList is the followed source whose list names other bytes; "" when there is none.
func (g *getting) mismatchedList(w *world, r render.Report) string {
	if r.Decision.By != trust.ByOtherBytes {
		return ""
	}
	for _, f := range r.Decision.Findings {
		followed := func(f2 trust.Follow) bool { return f2.Log == f.Statement.Log }
		if f.Kind == trust.FindingOtherBytes && f.Counted && f.Source != "" && slices.ContainsFunc(w.compiled.Follows, followed) {
			return f.Source
		}
	}
	return ""
}

// refusedHint is the one next step after a refusal: it names the file only where there is one.
func (g *getting) refusedHint(w *world, r render.Report, kept string) render.Hint {
	list := g.mismatchedList(w, r)
	switch {
	case list != "" && kept != "":
		return g.tell(list, kept)
	case list != "":
		return render.Hint{Text: "keep it to show it to " + list, Command: g.again()}
	case r.Decision.Verdict != trust.Unknown && kept == "" && len(r.Query.Signatures) > 0:
		return render.Hint{Text: "keep it to see who says so", Command: g.again()} // a digest alone is signed by nobody
	case r.Decision.Verdict != trust.Unknown:
		if r.Path = kept; kept == "" {
			r.Path = render.Digest(r.Query)
		}
		return checkHint(r)
	case len(r.Hints) == 0: // the user decided just now
		return render.Hint{}
	case kept == "":
		return render.Hint{Text: "keep it to look at it", Command: g.again()}
	}
	return render.Hint{Text: "look at it, and decide for yourself once", Command: append(g.forWords("trust"), render.File(kept, render.Digest(r.Query)))}
}

// tell is how the maintainer of a list hears of other bytes. What follows a ? may be a secret.
func (g *getting) tell(list, file string) render.Hint {
	from := *g.url
	from.RawQuery, from.ForceQuery = "", false
	command := append(g.forWords("report", string(schema.Other)), render.Words("--"+toFlagName, list, "--"+fromFlagName, from.String())...)
	return render.Hint{Text: "tell " + list, Command: append(command, render.File(file, ""))}
}

// again is the same command with --keep.
func (g *getting) again() []render.Arg {
	words := render.Words("distrust", "get", "--"+keepFlagName)
	if g.in.Bool(withSignatureFlagName) {
		words = append(words, render.Word("--"+withSignatureFlagName))
	}
	for _, flag := range []string{forFlagName, outputFlagName, maxSizeFlagName} {
		if value := g.in.String(flag); value != "" {
			words = append(words, render.Words("--"+flag, value)...)
		}
	}
	words = append(words, g.in.proofWords()...)
	return append(words, render.Word(g.url.String()))
}

// forWords begin a command about the file.
func (g *getting) forWords(command ...string) []render.Arg {
	words := append(render.Words("distrust"), render.Words(command...)...)
	if g.project != "" {
		words = append(words, render.Words("--"+forFlagName, render.Release(g.project, g.version))...)
	}
	return words
}
