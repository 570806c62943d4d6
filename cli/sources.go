package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	urfave "github.com/urfave/cli/v2"

	"github.com/distributed-trust/distrust/cli/config"
	"github.com/distributed-trust/distrust/cli/render"
	"github.com/distributed-trust/distrust/records/index"
	"github.com/distributed-trust/distrust/records/source"
	"github.com/distributed-trust/distrust/sshsig"
)

func sourcesCommand(*Env) *Command {
	return &Command{
		Name: "sources", Operands: "[NAME]", Min: 0, Max: 1, Group: Follow,
		Summary: "whom you follow, how far, and how fresh their word is",
		Text: `Those that others lead to, and that you accepted with sync --accept-new, are listed too: under the first digits of ` +
			`their log, with whom they are reached through. With a NAME: also keys, what is not read, evidence of refused states, ` +
			`and whom they follow publicly.`,
		Flags: []urfave.Flag{jsonFlag()},
		Examples: []Example{
			{"distrust sources", "one line each"},
			{"distrust sources alice", "everything known of her"},
		},
		Run: runSources,
	}
}

// sourceRow is what is known of one source.
type sourceRow struct {
	config    config.Source // of one that others lead to: what stands in for an entry
	delegated bool          // others lead to it; the user follows it not
	through   []string      // who leads to it, first whom the user follows; none when nobody does now
	pin       *source.Pin
	info      index.LogInfo
	state     string
}

// runSources lists the sources.
func runSources(ctx context.Context, in *Invocation) (Exit, error) {
	m, err := in.machine()
	if err != nil {
		return Failed, err
	}
	w, err := in.worldAsIs(ctx)
	if err != nil {
		return Failed, err
	}
	defer w.close()
	rows, err := m.sourceRows(w)
	if err != nil {
		return Failed, err
	}
	if len(in.Operands) == 1 {
		i := slices.IndexFunc(rows, func(r sourceRow) bool { return r.config.Name == in.Operands[0] })
		if i < 0 {
			return Failed, noSuchSource(in.Operands[0])
		}
		rows = rows[i : i+1]
	}
	if in.Bool(jsonFlagName) {
		return Done, printSourcesJSON(in, rows)
	}
	if len(rows) == 0 {
		in.Env.say("you follow nobody yet")
		in.Env.hint(render.Hint{Text: "paste a line that somebody shares", Command: render.Words("distrust", "follow", "URL", "SHA256:FINGERPRINT")})
		return Done, nil
	}
	if err := printSources(in, rows); err != nil {
		return Failed, err
	}
	if len(in.Operands) == 1 {
		return Done, m.printSource(in, w, rows[0])
	}
	return Done, nil
}

// sourceRows are the sources that the user follows, in the order of sources.yml, and those that they
// lead to.
func (m *machine) sourceRows(w *world) ([]sourceRow, error) {
	var rows []sourceRow
	for _, s := range m.sources {
		row, err := m.sourceRow(w, s)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	pins, err := m.delegated()
	if err != nil {
		return nil, err
	}
	all, err := w.reached(pins)
	if err != nil {
		return nil, err
	}
	reached := map[string]source.Reach{}
	for _, r := range all {
		reached[r.Log] = r
	}
	for _, pin := range pins {
		r := reached[pin.Log]
		row, err := m.sourceRow(w, config.Source{
			Name: reachedName(pin.Log), Log: pin.Log, URL: pin.URL, Fingerprint: r.Key, Weight: r.Width,
		})
		if err != nil {
			return nil, err
		}
		row.delegated, row.through = true, r.Names[:max(len(r.Names)-1, 0)]
		rows = append(rows, row)
	}
	return rows, nil
}

// sourceRow gathers what is known of a source and says its state in a word.
func (m *machine) sourceRow(w *world, s config.Source) (sourceRow, error) {
	row := sourceRow{config: s, state: "never fetched"}
	if s.Log == "" {
		return row, nil
	}
	pin, err := source.ReadPin(m.sourceDirs(), s.Log)
	var damage *source.PinError
	switch {
	case errors.Is(err, source.ErrNoPin):
		return row, nil
	case errors.As(err, &damage):
		row.state = "damaged pin"
		return row, nil
	case err != nil:
		return row, err
	}
	row.pin = pin
	if w.generation != nil {
		if row.info, _, err = w.generation.Log(s.Log); err != nil {
			return row, err
		}
	}
	switch {
	case pin.Refused != nil:
		row.state = "refused: " + pin.Refused.Kind
	case !row.info.Expires.IsZero() && !m.env.Now().Before(row.info.Expires):
		row.state = "stale since " + render.Date(row.info.Expires)
	default:
		row.state = "good"
	}
	return row, nil
}

func printSources(in *Invocation, rows []sourceRow) error {
	table := render.Table{Columns: []render.Column{
		{Head: "NAME", Cut: true},
		{Head: "WEIGHT"},
		{Head: "SEQ", Right: true},
		{Head: "RECORDS", Right: true},
		{Head: "HEAD"},
		{Head: "FETCHED"},
		{Head: "STATE"},
		{Head: "SCOPES", Cut: true},
	}}
	for _, r := range rows {
		about := joinProjects(r.config.Scopes)
		if r.delegated {
			about = r.throughText()
		}
		cells := []string{r.config.Name, render.WeightWord(r.config.EffectiveWeight()), "-", "-", "-", "-", r.state, about}
		if r.pin != nil {
			cells[2], cells[3] = strconv.FormatInt(r.info.Seq, 10), strconv.Itoa(r.info.Records)
			cells[4], cells[5] = shortAge(r.info.Issued, in.Stdout.Now), shortAge(r.pin.Fetched, in.Stdout.Now)
		}
		table.Row(cells...)
	}
	return table.Write(in.Env.Stdout, in.Stdout)
}

// throughText says who leads to a source.
func (r sourceRow) throughText() string {
	if len(r.through) == 0 {
		return "not reached now"
	}
	return "through " + strings.Join(r.through, " > ")
}

// shortAge is how old something is: "3 days".
func shortAge(at, now time.Time) string {
	if at.IsZero() {
		return "-"
	}
	if now.Sub(at) < time.Minute {
		return "now"
	}
	return render.Span(now.Sub(at))
}

func joinProjects(patterns []string) string {
	short := make([]string, len(patterns))
	for i, p := range patterns {
		short[i] = render.Project(p)
	}
	return strings.Join(short, " ")
}

// printSource prints everything that is known of one source.
func (m *machine) printSource(in *Invocation, w *world, r sourceRow) error {
	out := in.Env.Stdout
	fmt.Fprintf(out, "\n  url          %s\n  log          %s\n  fingerprint  %s\n",
		render.Escape(r.config.URL), nameOr(r.config.Log, "-"), nameOr(r.config.Fingerprint, "-"))
	if r.pin == nil {
		return nil
	}
	if r.info.Name != "" {
		fmt.Fprintf(out, "  own name     %s\n", render.Escape(r.info.Name))
	}
	fmt.Fprintf(out, "  commit       %s on %s\n", r.pin.Commit, render.Escape(r.pin.Branch))
	fmt.Fprintf(out, "  first seen   %s\n  fetched      %s\n  expires      %s\n", moment(r.pin.FirstSeen), moment(r.pin.Fetched), moment(r.info.Expires))
	for _, k := range r.info.Keys.Keys {
		key, err := sshsig.ParseKey(k.Key)
		if err != nil {
			return err
		}
		recovery := ""
		if k.Recovery {
			recovery = ", recovery"
		}
		fmt.Fprintf(out, "  key          %s  %s%s  %s\n", key.Fingerprint(), k.State, recovery, render.Escape(k.Name))
	}
	if r.pin.Signers != "" {
		fmt.Fprintf(out, "  beware       %s\n", render.Escape(r.pin.Signers))
	}
	if r.pin.Unsealed > 0 {
		fmt.Fprintf(out, "  unsealed     %d commits are not read\n", r.pin.Unsealed)
	}
	if r.pin.NotUnderstood > 0 {
		fmt.Fprintf(out, "  newer        %d records need a newer distrust\n", r.pin.NotUnderstood)
	}
	if r.info.Vanished > 0 {
		fmt.Fprintf(out, "  vanished     left the repository and still counted: %s\n", count(r.info.Vanished, "report"))
	}
	for _, s := range source.ReadSkipped(m.sourceDirs(), r.config.Log) {
		fmt.Fprintf(out, "  not read     %s\n", render.Escape(skippedText(s)))
	}
	if r.pin.Refused != nil {
		fmt.Fprintf(out, "  refused      %s on %s: %s\n", r.pin.Refused.Kind, render.Date(r.pin.Refused.At), render.Escape(r.pin.Refused.Reason))
	}
	evidence, err := source.Evidence(m.sourceDirs(), r.pin.Log)
	if err != nil {
		return err
	}
	for _, dir := range evidence {
		fmt.Fprintf(out, "  evidence     %s\n", render.Escape(dir))
	}
	if w.generation == nil {
		return nil
	}
	follows, err := w.generation.Follows()
	for _, e := range source.Followed(r.config.Log, follows, w.now) {
		fmt.Fprintf(out, "  follows      %s  %s  %s\n", render.WeightWord(e.Weight), render.Escape(w.nameOf(e.Source.Log)), render.Escape(e.Source.URL))
	}
	return err
}

func skippedText(s source.Skipped) string {
	if s.Line > 0 {
		return fmt.Sprintf("%s:%d: %s", s.Path, s.Line, s.Reason)
	}
	return s.Path + ": " + s.Reason
}

// sourceJSON is one source for programs.
type sourceJSON struct {
	Format      int      `json:"format"`
	Name        string   `json:"name"`
	Log         string   `json:"log"`
	URL         string   `json:"url"`
	Fingerprint string   `json:"fingerprint"`
	Weight      int      `json:"weight"`
	Depth       int      `json:"depth"`
	ViaMax      int      `json:"via_max"`
	Scopes      []string `json:"scopes"`
	Delegated   bool     `json:"delegated"`
	Through     []string `json:"through,omitempty"`
	State       string   `json:"state"`
	Seq         int64    `json:"seq"`
	Epoch       int64    `json:"epoch"`
	Records     int      `json:"records"`
	Vanished    int      `json:"vanished"`
	Issued      string   `json:"issued,omitempty"`
	Expires     string   `json:"expires,omitempty"`
	Fetched     string   `json:"fetched,omitempty"`
	Refused     string   `json:"refused,omitempty"`
	Evidence    string   `json:"evidence,omitempty"`
}

// printFollowedJSON prints what is known of one source, after follow changed it.
func (m *machine) printFollowedJSON(ctx context.Context, name string) error {
	w, err := m.in.worldAsIs(ctx)
	if err != nil {
		return err
	}
	defer w.close()
	for _, s := range m.sources {
		if s.Name == name {
			row, err := m.sourceRow(w, s)
			if err != nil {
				return err
			}
			return printSourcesJSON(m.in, []sourceRow{row})
		}
	}
	return noSuchSource(name)
}

func printSourcesJSON(in *Invocation, rows []sourceRow) error {
	for _, r := range rows {
		out := sourceJSON{
			Format: 1, Name: r.config.Name, Log: r.config.Log, URL: r.config.URL, Fingerprint: r.config.Fingerprint,
			Weight: r.config.EffectiveWeight(), Depth: r.config.Depth, ViaMax: r.config.ViaMax,
			Scopes: append([]string{}, r.config.Scopes...), Delegated: r.delegated, Through: r.through, State: r.state,
		}
		if r.pin != nil {
			out.Seq, out.Epoch, out.Records, out.Vanished = r.info.Seq, r.info.Epoch, r.info.Records, r.info.Vanished
			out.Issued, out.Expires, out.Fetched = moment(r.info.Issued), moment(r.info.Expires), moment(r.pin.Fetched)
			if r.pin.Refused != nil {
				out.Refused, out.Evidence = r.pin.Refused.Kind, r.pin.Refused.Evidence
			}
		}
		if err := render.EncodeJSON(in.Env.Stdout, out); err != nil {
			return err
		}
	}
	return nil
}

// moment writes a time for programs: RFC 3339 in UTC.
func moment(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(time.RFC3339)
}
