package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// row is a job of docs/benchmarks.md.
type row struct {
	id, job string
	measure func(context.Context, *bench) ([]line, error)
	needs   []need // what is made before anything is measured
}

// need makes something that is kept between runs.
type need func(context.Context, *bench) error

func (r row) named(chosen []string) bool {
	return len(chosen) == 0 || slices.ContainsFunc(chosen, func(c string) bool { return strings.EqualFold(c, r.id) })
}

// rows are all of them, in the order in which they are shown.
func rows() []row {
	return []row{
		{"P1", "check a large file", checkLarge, []need{needReader}},
		{"P2", "check a small file", checkSmall, []need{needReader}},
		{"P3", "look something up in the index", lookUp, []need{needReader}},
		{"P4", "first sync of a large source", syncLarge, []need{needLarge}},
		{"P5", "first sync of a source", syncMedium, []need{needMedium}},
		{"P6", "sync without news", syncNoNews, []need{needNetworks}},
		{"P7", "sync of 100 new records", syncHundred, []need{needLarge}},
		{"P8", "decide in a large network", pass, nil},
		{"P9", "audit", notBuilt("there is no command audit yet"), nil},
		{"P10", "alarms at a prompt", alarms, []need{needWatcher}},
		{"P11", "trust a file", trustFile, []need{needWriter}},
		{"P12", "size", size, []need{needReader}},
		{"P13", "from nothing to a decision", cold, []need{needNetworks}},
		{"P14", "check while a sync runs", checkDuringSync, []need{needReader, needLarge}},
	}
}

func needReader(ctx context.Context, b *bench) error {
	_, err := b.reader(ctx)
	return err
}

func needWriter(ctx context.Context, b *bench) error {
	_, err := b.writer(ctx)
	return err
}

func needWatcher(ctx context.Context, b *bench) error {
	_, err := b.watcher(ctx)
	return err
}

func needLarge(ctx context.Context, b *bench) error {
	_, _, err := b.large(ctx)
	return err
}

func needMedium(ctx context.Context, b *bench) error {
	_, err := b.medium(ctx)
	return err
}

func needNetworks(ctx context.Context, b *bench) error {
	for _, statements := range b.sizes.statements {
		if _, err := b.network(ctx, b.sizes.people, statements); err != nil {
			return err
		}
		if _, err := b.sqWot(statements); err != nil {
			return err
		}
	}
	return nil
}

// line is one comparison, or one figure, of a row.
type line struct {
	job        string
	ours, peer string
	ratio      string
	memory     string // peaks
	goal       string
	met        verdict
}

// verdict says whether a goal was met.
type verdict string

const (
	met    verdict = "yes"
	missed verdict = "no"
	noGoal verdict = ""
)

func meets(ok bool) verdict {
	if ok {
		return met
	}
	return missed
}

// comparison is ours beside a peer.
type comparison struct {
	job        string
	ours, peer samples
	of         metric  // what is compared
	most       float64 // ratio that is the goal; 0: none
	peak       int64   // memory of ours that is the goal; 0: none
	goal       string  // in words, where these two do not say it
}

// line is how a comparison is shown.
func (c comparison) line() line {
	ratio := float64(c.ours.median(c.of)) / float64(c.peer.median(c.of))
	l := line{
		job: c.job, ours: spread(c.ours, c.of), peer: spread(c.peer, c.of), ratio: fmt.Sprintf("%.2f", ratio),
		memory: mebibytes(c.ours.memory()) + " / " + mebibytes(c.peer.memory()), goal: c.goal,
	}
	var goals []string
	ok := true
	if c.most > 0 {
		goals = append(goals, fmt.Sprintf("≤ %.2f x", c.most))
		ok = ratio <= c.most
	}
	if c.peak > 0 {
		goals = append(goals, "≤ "+mebibytes(c.peak))
		ok = ok && c.ours.memory() <= c.peak
	}
	if len(goals) > 0 {
		l.goal, l.met = strings.Join(goals, ", "), meets(ok)
	}
	return l
}

// alone is a run of ours without a peer.
func alone(job string, s samples, of metric, most time.Duration, peak int64) line {
	l := line{job: job, ours: spread(s, of), memory: mebibytes(s.memory())}
	if most > 0 {
		l.goal = "≤ " + duration(most)
		ok := s.median(of) <= most
		if peak > 0 {
			l.goal += ", ≤ " + mebibytes(peak)
			ok = ok && s.memory() <= peak
		}
		l.met = meets(ok)
	}
	return l
}

func notBuilt(why string) func(context.Context, *bench) ([]line, error) {
	return func(context.Context, *bench) ([]line, error) {
		return []line{{job: "audit of 1,000 locked artifacts: not measured, " + why, goal: "≤ 15 ms over start-up"}}, nil
	}
}

// spread is a median with its quartiles.
func spread(s samples, of metric) string {
	return fmt.Sprintf("%s (%s..%s)", duration(s.median(of)), duration(s.quantile(of, 0.25)), duration(s.quantile(of, 0.75)))
}

// duration is a time with three digits.
func duration(d time.Duration) string {
	switch ms := float64(d) / float64(time.Millisecond); {
	case d < time.Millisecond/10:
		return fmt.Sprintf("%.1f µs", ms*1000)
	case ms < 10:
		return fmt.Sprintf("%.2f ms", ms)
	case ms < 1000:
		return fmt.Sprintf("%.0f ms", ms)
	default:
		return fmt.Sprintf("%.2f s", d.Seconds())
	}
}

// signed is a difference of times.
func signed(d time.Duration) string {
	return fmt.Sprintf("%+.2f ms", float64(d)/float64(time.Millisecond))
}

func mebibytes(n int64) string {
	if n == 0 {
		return "-"
	}
	return fmt.Sprintf("%.0f MiB", float64(n)/(1<<20))
}

// thousands writes a number as people read it.
func thousands(n int) string {
	s := fmt.Sprint(n)
	for at := len(s) - 3; at > 0; at -= 3 {
		s = s[:at] + "," + s[at:]
	}
	return s
}
