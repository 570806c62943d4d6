package cli

import (
	"context"
	"slices"
	"strings"

	urfave "github.com/urfave/cli/v2"

	"github.com/distributed-trust/distrust/cli/render"
	"github.com/distributed-trust/distrust/records/index"
	"github.com/distributed-trust/distrust/schema"
)

func listCommand(*Env) *Command {
	return &Command{
		Name: "list", Group: Say,
		Summary: "list records: yours, those of a source, or all about a project",
		Text:    `Without --source and --for: your own records, private ones too. With --for alone: everybody's about that project.`,
		Flags: []urfave.Flag{
			forFlag(),
			&urfave.StringFlag{Name: "source", Usage: "those of the source `NAME`"},
			&urfave.StringFlag{Name: "kind", Usage: "only `KIND`: trust, distrust, follow or withdraw"},
			jsonFlag(),
		},
		Examples: []Example{
			{"distrust list", "what you said"},
			{"distrust list --source alice --kind distrust", "what she reports"},
			{"distrust list --for pypi:requests", "who says what about it"},
		},
		Run: runList,
	}
}

// runList lists records.
func runList(ctx context.Context, in *Invocation) (Exit, error) {
	kind := schema.Kind(in.String("kind"))
	kinds := []schema.Kind{"", schema.KindTrust, schema.KindDistrust, schema.KindFollow, schema.KindWithdraw}
	if !slices.Contains(kinds, kind) {
		return Usage, usagef("%q is no kind: trust, distrust, follow or withdraw", kind)
	}
	project, version, err := in.project()
	if err != nil {
		return Usage, err
	}
	w, err := in.world(ctx)
	if err != nil {
		return Failed, err
	}
	defer w.close()
	logs, err := w.logsToList(in, project)
	if err != nil {
		return Failed, err
	}
	if w.generation == nil {
		logs = nil // nothing was ever written here
	}
	table := render.Table{Columns: []render.Column{
		{Head: "RECORD"}, {Head: "DATE"}, {Head: "SOURCE", Cut: true}, {Head: "SAYS"}, {Head: "ABOUT", Cut: true}, {Head: "PROJECT", Cut: true},
	}}
	for _, log := range logs {
		withdrawn, err := w.withdrawnIn(log)
		if err != nil {
			return Failed, err
		}
		err = w.generation.Each(log, func(e index.Entry) error {
			doc := e.Record.Doc()
			if kind != "" && doc.Kind != kind || project != "" && !aboutProject(doc, project, version) {
				return nil
			}
			if in.Bool(jsonFlagName) {
				return printRecordJSON(in, e.Record, w.standingOf(e, withdrawn[e.Record.ID()]))
			}
			table.Row(e.Record.ID()[:12], render.Date(doc.Issued), w.nameOf(log), saysText(doc, e, withdrawn[e.Record.ID()]), subjectsOrTarget(doc),
				render.Release(doc.Project, doc.Version))
			return nil
		})
		if err != nil {
			return Failed, err
		}
	}
	if err := table.Write(in.Env.Stdout, in.Stdout); err != nil {
		return Failed, err
	}
	if table.Len() == 0 && !in.Bool(jsonFlagName) {
		in.Env.say("no records")
	}
	if in.String("source") == "" {
		return Done, in.sayByHand(ctx)
	}
	return Done, nil
}

// logsToList are the logs that the flags name.
func (w *world) logsToList(in *Invocation, project string) ([]string, error) {
	if name := in.String("source"); name != "" {
		if name == "you" {
			return w.compiled.Own, nil
		}
		for _, f := range w.compiled.Follows {
			if f.Name == name {
				return []string{f.Log}, nil
			}
		}
		m, err := in.machine()
		if err != nil {
			return nil, err
		}
		pins, err := m.delegated()
		if err != nil {
			return nil, err
		}
		for _, pin := range pins {
			if reachedName(pin.Log) == name {
				return []string{pin.Log}, nil
			}
		}
		return nil, noSuchSource(name)
	}
	if project == "" || w.generation == nil {
		return w.compiled.Own, nil
	}
	infos, err := w.generation.Logs()
	if err != nil {
		return nil, err
	}
	var logs []string
	for _, info := range infos {
		logs = append(logs, info.Log)
	}
	return logs, nil
}

// aboutProject says whether a record names a project, and the version when there is one.
func aboutProject(doc schema.Record, project, version string) bool {
	if doc.Project == project && (version == "" || doc.Version == "" || doc.Version == version) {
		return true
	}
	for _, s := range doc.Subjects {
		release, releaseVersion, _ := schema.SplitRelease(s.Release)
		switch {
		case s.Project == project:
			return true
		case s.Release != "" && release == project && (version == "" || version == releaseVersion):
			return true
		case slices.ContainsFunc(s.Pattern, func(p string) bool { return schema.MatchPattern(p, project) }):
			return true
		}
	}
	return false
}

// withdrawnIn are the ids that the withdrawals of a log name.
func (w *world) withdrawnIn(log string) (map[string]bool, error) {
	withdrawn := map[string]bool{}
	err := w.generation.Each(log, func(e index.Entry) error {
		if !e.Void && e.Record.Kind() == schema.KindWithdraw {
			for _, id := range e.Record.Doc().Withdraws {
				withdrawn[id] = true
			}
		}
		return nil
	})
	return withdrawn, err
}

// saysText is what a record says in a word, and whether it counts.
func saysText(doc schema.Record, e index.Entry, withdrawn bool) string {
	words := []string{string(doc.Kind)}
	switch doc.Kind {
	case schema.KindDistrust:
		words[0] = string(doc.Category)
	case schema.KindTrust:
		if doc.Basis != "" {
			words[0] = string(doc.Basis)
		}
	case schema.KindFollow, schema.KindWithdraw, schema.KindHead, schema.KindPrivate:
	}
	if withdrawn {
		words = append(words, "withdrawn")
	}
	if e.Void {
		words = append(words, "void")
	}
	if e.Vanished {
		words = append(words, "vanished")
	}
	return strings.Join(words, ", ")
}

// subjectsOrTarget is what a record is about.
func subjectsOrTarget(doc schema.Record) string {
	switch {
	case doc.Source != nil:
		return doc.Source.URL
	case len(doc.Withdraws) > 0:
		return shortIDs(doc.Withdraws)
	}
	return subjectsText(doc)
}
