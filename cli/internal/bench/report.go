package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"
)

// report is what a run found out.
type report struct {
	heads   []string
	machine *machine
	lines   [][]string
}

// The columns. Of comparisons, ours and the peer's are medians with their quartiles.
var (
	comparisonHeads = []string{"#", "job | peer", "ours", "peer", "ratio", "peak ours / peer", "goal", "met"}
	scaleHeads      = []string{"#", "job", "wall", "CPU", "besides", "peak"}
)

func (r *report) add(of row, lines []line) {
	for i, l := range lines {
		id := of.id
		if i > 0 {
			id = ""
		}
		cells := []string{id, l.job, l.ours, l.peer, l.ratio, l.memory, l.goal, string(l.met)}[:len(r.heads)]
		for i, c := range cells {
			if c == "" && i > 0 {
				cells[i] = "-"
			}
		}
		r.lines = append(r.lines, cells)
	}
}

// text prints the table for a terminal.
func (r *report) text(out io.Writer) error {
	for _, l := range r.machine.lines() {
		fmt.Fprintln(out, l)
	}
	fmt.Fprintln(out)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, cells := range append([][]string{r.heads}, r.lines...) {
		fmt.Fprintln(w, strings.Join(cells, "\t"))
	}
	return w.Flush()
}

// The table of a page lies between these.
const (
	tableBegins = "<!-- written by: just bench -write -->\n"
	tableEnds   = "<!-- end -->\n"
)

// aroundTable is what stands before and after the table of a page.
func aroundTable(page string) (before, after []byte, err error) {
	b, err := os.ReadFile(page)
	if err != nil {
		return nil, nil, err
	}
	before, rest, found := bytes.Cut(b, []byte(tableBegins))
	_, after, ended := bytes.Cut(rest, []byte(tableEnds))
	if !found || !ended {
		return nil, nil, fmt.Errorf("%s has no place for the table: it lies between %q and %q", page, tableBegins, tableEnds)
	}
	return before, after, nil
}

// into writes the table into a page, in place of the one that is there.
func (r *report) into(page string) error {
	before, after, err := aroundTable(page)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	text.Write(before)
	text.WriteString(tableBegins)
	for _, l := range r.machine.lines() {
		fmt.Fprintf(&text, "- %s\n", l)
	}
	fmt.Fprintln(&text)
	rule := make([]string, len(r.heads))
	for i := range rule {
		rule[i] = "---"
	}
	for _, cells := range append([][]string{r.heads, rule}, r.lines...) {
		for i, c := range cells {
			cells[i] = strings.ReplaceAll(c, " | ", " ÷ ")
		}
		fmt.Fprintf(&text, "| %s |\n", strings.Join(cells, " | "))
	}
	text.WriteString(tableEnds)
	text.Write(after)
	return os.WriteFile(page, text.Bytes(), 0o644)
}

// machine is where a run took place.
type machine struct {
	begun    time.Time
	hardware string
	programs []string
	loads    []string
}

// describe looks at the machine before the run.
func describe(ctx context.Context) *machine {
	m := &machine{begun: time.Now(), hardware: fmt.Sprintf("%d cores, %s/%s", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH)}
	if model := field("/proc/cpuinfo", "model name"); model != "" {
		m.hardware += ", " + model
		if !strings.Contains(" "+field("/proc/cpuinfo", "flags")+" ", " sha_ni ") {
			m.hardware += " without SHA instructions"
		}
	}
	if total := field("/proc/meminfo", "MemTotal"); total != "" {
		m.hardware += ", memory " + total
	}
	m.programs = append(m.programs, runtime.Version())
	for _, args := range [][]string{{"git", "--version"}, {"ssh", "-V"}, {"gpg", "--version"}, {"minisign", "-v"}, {"sha256sum", "--version"}, {"sq-wot", "--version"}} {
		if out, err := (command{args: []string{"sh", "-c", strings.Join(args, " ") + " 2>&1"}}).output(ctx); err == nil {
			first, _, _ := strings.Cut(string(out), "\n")
			m.programs = append(m.programs, first)
		}
	}
	m.load()
	return m
}

// field finds the value of a name in one of the kernel's files; "" where there is none.
func field(file, name string) string {
	b, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	for l := range strings.Lines(string(b)) {
		key, value, ok := strings.Cut(l, ":")
		if ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// load notes how busy the machine is.
func (m *machine) load() {
	if b, err := os.ReadFile("/proc/loadavg"); err == nil {
		m.loads = append(m.loads, strings.Fields(string(b))[0])
	}
}

// end looks at the machine after the run.
func (m *machine) end() { m.load() }

// lines describe the machine.
func (m *machine) lines() []string {
	lines := []string{
		fmt.Sprintf("%s, %.1f minutes", m.begun.UTC().Format("2006-01-02 15:04 UTC"), time.Since(m.begun).Minutes()),
		m.hardware,
		strings.Join(m.programs, "; "),
	}
	if len(m.loads) > 0 {
		lines = append(lines, "load before and after: "+strings.Join(m.loads, ", "))
	}
	return lines
}
